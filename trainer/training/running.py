"""A mean loss that grows step by step, and does not depend on how many steps a Python call takes."""

from typing import Any

import tensorflow as tf

ONCE = tf.VariableAggregation.ONLY_FIRST_REPLICA
"""How a variable changes that all replicas change alike."""


class RunningLoss:
    """The mean loss of examples, summed step after step on the device in 64 bits.

    Example:
        >>> loss = RunningLoss()
        >>> loss.add(0.5, 3), loss.add(1.5, 1), loss.mean
        (None, None, 0.75)
    """

    def __init__(self) -> None:
        self._total = tf.Variable(0.0, dtype=tf.float64, trainable=False, aggregation=ONCE)
        self._examples = tf.Variable(0.0, dtype=tf.float64, trainable=False, aggregation=ONCE)

    def add(self, value: Any, examples: Any) -> None:
        """Adds the mean loss of a step's examples, within a TensorFlow function or outside."""
        count = tf.cast(examples, tf.float64)
        self._total.assign_add(count * tf.cast(value, tf.float64))
        self._examples.assign_add(count)

    @property
    def sums(self) -> tuple[float, float]:
        """The sum of the losses, and of how many examples it is: what `restore` takes."""
        return float(self._total.numpy()), float(self._examples.numpy())

    def restore(self, total: float, examples: float) -> None:
        """Goes on from the sums of some examples, or anew from two zeros."""
        self._total.assign(total)
        self._examples.assign(examples)

    @property
    def mean(self) -> float:
        """The mean loss; 0 of no example."""
        total, examples = self.sums
        return total / max(examples, 1.0)
