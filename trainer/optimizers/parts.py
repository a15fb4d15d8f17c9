"""Several optimizers for one model, each for a part of its variables."""

from collections.abc import Mapping
from typing import Any

import keras


@keras.saving.register_keras_serializable("trainer")
class Parts(keras.optimizers.Optimizer):
    """One optimizer for the variables whose path starts with a name, another for the rest.

    The learning rate that it shows and takes is that of the rest.

    Args:
        rest: The optimizer of every variable that no part has.
        parts: An optimizer by the beginning of the paths of its variables, such as "linear/".
    """

    def __init__(
        self,
        rest: keras.optimizers.Optimizer,
        parts: Mapping[str, keras.optimizers.Optimizer],
        name: str = "parts",
    ) -> None:
        super().__init__(learning_rate=0.0, name=name)
        self.rest = rest
        self.parts = dict(parts)

    def _of(self, variable: Any) -> keras.optimizers.Optimizer:
        return next((part for start, part in self.parts.items() if variable.path.startswith(start)), self.rest)

    def build(self, variables: list[Any]) -> None:
        """Makes the slots of each part."""
        for optimizer in (self.rest, *self.parts.values()):
            optimizer.build([variable for variable in variables if self._of(variable) is optimizer])
        super().build(variables)

    def apply(self, grads: list[Any], trainable_variables: list[Any] | None = None) -> None:
        """Gives each gradient to the optimizer of its variable."""
        variables = list(self._trainable_variables if trainable_variables is None else trainable_variables)
        if not self.built:
            self.build(variables)
        pairs = list(zip(grads, variables, strict=True))
        for optimizer in (self.rest, *self.parts.values()):
            own = [pair for pair in pairs if self._of(pair[1]) is optimizer]
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
        serialized = {start: keras.optimizers.serialize(part) for start, part in self.parts.items()}
        return {"rest": keras.optimizers.serialize(self.rest), "parts": serialized, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Parts":
        """Makes the optimizer from its configuration."""
        del custom_objects
        parts = {start: keras.optimizers.deserialize(part) for start, part in config["parts"].items()}
        return cls(keras.optimizers.deserialize(config["rest"]), parts, name=config["name"])
