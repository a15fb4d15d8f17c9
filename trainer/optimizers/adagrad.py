"""Adagrad, with a sum for each weight."""

from typing import Any

import keras
import tensorflow as tf

from trainer.optimizers.rows import RowSparse


@keras.saving.register_keras_serializable("trainer")
class Adagrad(RowSparse, keras.optimizers.Adagrad):
    """`a ← a + g²; w ← w - rate · g / sqrt(a + epsilon)`, on the rows that a step used.

    A dense gradient gets `keras.optimizers.Adagrad`'s update, which is the same.

    Source:
        Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011.
    """

    def updated(self, weights: Any, gradient: Any, ids: Any, variable: Any, learning_rate: Any) -> Any:
        """Returns what rows become, and updates their sums."""
        sums = self.slot(self._accumulators, variable)
        return updated_by_weight(weights, gradient, ids, sums, learning_rate, self.epsilon)


def updated_by_weight(weights: Any, gradient: Any, ids: Any, accumulator: Any, rate: Any, epsilon: float) -> Any:
    """Returns what rows become, and updates an accumulator that has one sum for each weight."""
    sums = tf.gather(accumulator, ids) + tf.square(gradient)  # (unique, dimension)
    accumulator.scatter_update(tf.IndexedSlices(sums, ids))
    return weights - rate * gradient / tf.sqrt(sums + tf.cast(epsilon, sums.dtype))
