"""A model with the moving averages of its weights, which a Keras optimizer with `use_ema=True` keeps."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from trainer.optimizers.extension import AVERAGES, whole


@contextmanager
def averaged(optimizer: Any) -> Iterator[None]:
    """Gives the weights that an optimizer trains their averages, and takes these back at the end of the block.

    Args:
        optimizer: Any of Keras or of `trainer.optimizers`; one without averages, or before its first step, changes
            nothing.
    """
    pairs = _pairs(optimizer)
    own = [(variable, tf.identity(variable.value)) for variable, _ in pairs]
    for variable, average in pairs:
        variable.assign(average)
    try:
        yield
    finally:
        for variable, value in own:
            variable.assign(value)


def settle(optimizer: Any) -> None:
    """Gives the weights that an optimizer trains their averages for good, and ends the averaging.

    Example:
        >>> import keras
        >>> weight = keras.Variable([1.0])
        >>> sgd = keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
        >>> for _ in range(2):
        ...     sgd.apply([keras.ops.ones(1)], [weight])
        >>> settle(sgd)
        >>> weight.numpy().tolist()  # the mean of 0 and -1
        [-0.5]
    """
    for variable, average in _pairs(optimizer):
        variable.assign(average)
    for one in whole(optimizer):
        one.use_ema = False


def _pairs(optimizer: Any) -> list[tuple[Any, Any]]:
    """Returns weights with their averages."""
    found: list[tuple[Any, Any]] = []
    for one in whole(optimizer):
        if getattr(one, "use_ema", False) and one.built and int(one.iterations.numpy()):
            found += zip(one._trainable_variables, getattr(one, AVERAGES), strict=True)
    return [(variable, average) for variable, average in found if average is not None]
