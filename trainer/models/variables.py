"""The variables of a model and its optimizer under names that do not depend on how many machines hold them."""

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from trainer.optimizers.remote import rows_of
from trainer.tables.sharded import Part


class Divided:
    """A variable that lies on several parameter servers; it says of itself what a Keras variable does.

    Args:
        rows: Of the whole.
        first: The Keras variable that has the first of them.
    """

    def __init__(self, rows: int, first: Any) -> None:
        self.path, self.name, self.trainable = first.path, first.name, first.trainable
        self.is_table = getattr(first, "is_table", False)
        self.shape = tf.TensorShape([rows, *first.shape[1:]])
        self.dtype: tf.DType = first.value.dtype
        self.parts: list[Part] = []

    @property
    def value(self) -> "Divided":
        """Itself: its parts are TensorFlow's variables."""
        return self


def by_place(variables: Iterable[Any]) -> dict[str, Any]:
    """Returns Keras variables by their places among one another, "0000" and so on; the parts of one are a `Divided`.

    A path would hold a counter of the process that made it.
    """
    found: list[Any] = []
    begun: dict[str, Divided] = {}
    for variable in variables:
        of_whole = rows_of(variable)
        if of_whole is None:
            found.append(variable)
            continue
        rows, first = of_whole
        if first == 0:
            begun[variable.path] = Divided(rows, variable)
            found.append(begun[variable.path])
        # Slots of several parts may come in turn; all parts of one variable have its path.
        begun[variable.path].parts.append(Part(first, variable.value))
    return {f"{place:04d}": each for place, each in enumerate(found)}
