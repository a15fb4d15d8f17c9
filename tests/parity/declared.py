"""Columns as calls of the functions that `tf.feature_column` and `trainer.feature_column` both have."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import tensorflow as tf


@dataclass(frozen=True)
class Normalizer:
    """A function of numbers, which TensorFlow gives a SparseTensor where they are a sequence, and we a dense one."""

    factor: float
    sparse: bool = False

    def of(self, module: Any) -> Any:
        """Returns the function that a module's columns can call."""
        if self.sparse and module is tf.feature_column:
            return lambda values: tf.sparse.map_values(lambda flat: flat * self.factor, values)
        return lambda values: values * self.factor


@dataclass(frozen=True)
class Declared:
    """A call of a function, by its name, with others among its arguments."""

    function: str
    arguments: tuple[Any, ...]

    def of(self, module: Any) -> Any:
        """Returns what the function of a module makes of the arguments."""
        return getattr(module, self.function)(*(_of(argument, module) for argument in self.arguments))

    def parts(self) -> Iterator["Declared"]:
        """Yields this call and those among its arguments."""
        yield self
        for argument in self.arguments:
            for item in argument if isinstance(argument, tuple) else (argument,):
                if isinstance(item, Declared):
                    yield from item.parts()

    def __repr__(self) -> str:
        return f"{self.function}({', '.join(map(repr, self.arguments))})"


def _of(argument: Any, module: Any) -> Any:
    if isinstance(argument, (Declared, Normalizer)):
        return argument.of(module)
    return [_of(item, module) for item in argument] if isinstance(argument, tuple) else argument
