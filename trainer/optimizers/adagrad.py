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

    def update_rows(self, ids: Any, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates the rows of a table and of its accumulator."""
        update_weights(ids, gradient, variable, self.slot(self._accumulators, variable), learning_rate, self.epsilon)


def update_weights(ids: Any, gradient: Any, variable: Any, accumulator: Any, rate: Any, epsilon: float) -> None:
    """Updates rows of a variable and of its accumulator, which has its shape."""
    sums = tf.gather(accumulator, ids) + tf.square(gradient)  # (unique, dimension)
    accumulator.scatter_update(tf.IndexedSlices(sums, ids))
    step = rate * gradient / tf.sqrt(sums + tf.cast(epsilon, variable.dtype))
    variable.scatter_sub(tf.IndexedSlices(step, ids))
