"""Several optimizers for one model, each for a part of its variables."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from trainer.errors import Refusal, nearest


def finds(name: str, path: str) -> bool:
    """Tells whether a part's name is in the path of a variable, as whole names of layers.

    Example:
        >>> finds("day_hour", "dense_features/day_hour/table")
        True
        >>> finds("hour", "dense_features/day_hour/table")
        False
    """
    return f"/{name.strip('/')}/" in f"/{path}/"


@keras.saving.register_keras_serializable("trainer")
class Parts(keras.optimizers.Optimizer):
    """One optimizer for the variables of a layer or table, another for the rest.

    The learning rate that it shows and takes is that of the rest.

    Args:
        rest: The optimizer of every variable that no part has.
        parts: An optimizer by the name of a layer or table, or several joined by "/", anywhere in the paths of its
            variables: "day_hour" has "dense_features/day_hour/table". The first that fits a variable has it.
        waiting: Names of parts that may have no variable yet, as that of a frozen table, which is trained later.

    Raises:
        Refusal: A part that does not wait has no variable; raised by `build`.
    """

    def __init__(
        self,
        rest: keras.optimizers.Optimizer,
        parts: Mapping[str, keras.optimizers.Optimizer],
        name: str = "parts",
        waiting: Sequence[str] = (),
    ) -> None:
        super().__init__(learning_rate=0.0, name=name)
        self.rest = rest
        self.parts = dict(parts)
        self.waiting = tuple(waiting)

    def of(self, variable: Any) -> keras.optimizers.Optimizer:
        """Returns the optimizer of a variable."""
        return next((part for name, part in self.parts.items() if finds(name, variable.path)), self.rest)

    def build(self, variables: list[Any]) -> None:
        """Makes the slots of each part.

        Raises:
            Refusal: A part that does not wait has no variable.
        """
        for name, part in self.parts.items():
            if name not in self.waiting and not any(self.of(variable) is part for variable in variables):
                raise Refusal(_unused(name, [variable.path for variable in variables]))
        for optimizer in (self.rest, *self.parts.values()):
            optimizer.build([variable for variable in variables if self.of(variable) is optimizer])
        super().build(variables)

    def apply(self, grads: list[Any], trainable_variables: list[Any] | None = None) -> None:
        """Gives each gradient to the optimizer of its variable."""
        variables = list(self._trainable_variables if trainable_variables is None else trainable_variables)
        if not self.built:
            self.build(variables)
        pairs = list(zip(grads, variables, strict=True))
        for optimizer in (self.rest, *self.parts.values()):
            own = [pair for pair in pairs if self.of(pair[1]) is optimizer]
            if own:
                optimizer.apply(*(list(side) for side in zip(*own, strict=True)))
        self._iterations.assign_add(1)

    @property
    def variables(self) -> list[Any]:
        """The step count and the variables of all parts."""
        return [*self._variables, *(v for part in (self.rest, *self.parts.values()) for v in part.variables)]

    def save_own_variables(self, store: Any) -> None:
        """Writes the variables of all parts."""
        for place, variable in enumerate(self.variables):
            store[str(place)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads the variables of all parts."""
        for place, variable in enumerate(self.variables):
            variable.assign(store[str(place)])

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the rest."""
        return self.rest.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.rest.learning_rate = value

    def get_config(self) -> dict[str, Any]:
        """Returns the optimizers' own configurations."""
        serialized = {name: keras.optimizers.serialize(part) for name, part in self.parts.items()}
        rest = keras.optimizers.serialize(self.rest)
        return {"rest": rest, "parts": serialized, "name": self.name, "waiting": list(self.waiting)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Parts":
        """Makes the optimizer from its configuration."""
        del custom_objects
        parts = {name: keras.optimizers.deserialize(part) for name, part in config["parts"].items()}
        rest = keras.optimizers.deserialize(config["rest"])
        return cls(rest, parts, name=config["name"], waiting=config.get("waiting", ()))


def _unused(name: str, paths: Sequence[str]) -> str:
    if any(finds(name, path) for path in paths):
        return f"Parts: earlier parts have all variables of '{name}'; name it before them, or leave it out."
    split = [path.split("/") for path in paths]
    runs = {"/".join(one[a:b]) for one in split for a in range(len(one)) for b in range(a + 1, len(one) + 1)}
    starts = ", ".join(sorted({one[0] for one in split}))
    ending = nearest(name.strip("/"), runs) or (f"; the paths begin with {starts}." if starts else ".")
    return f"Parts: no variable to train has '{name}' in its path{ending}"
