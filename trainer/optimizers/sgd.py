"""Stochastic gradient descent."""

from typing import Any

import keras
import tensorflow as tf

from trainer.optimizers.rows import RowSparse


@keras.saving.register_keras_serializable("trainer")
class SGD(RowSparse, keras.optimizers.SGD):
    """`w ← w - rate · g`, and with momentum `m ← momentum · m - rate · g; w ← w + m`, on the rows that a step used.

    With Nesterov's momentum the second part is `w ← w + momentum · m - rate · g`. A row's `m` waits while the row is
    not used. A dense gradient gets `keras.optimizers.SGD`'s update, which is the same.

    Source:
        Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in deep learning", 2013.
    """

    def updated(self, weights: Any, gradient: Any, ids: Any, variable: Any, learning_rate: Any) -> Any:
        """Returns what rows become, and updates their velocities."""
        if not self.momentum:
            return weights - learning_rate * gradient
        velocity = self.slot(self.momentums, variable)
        momentum = tf.cast(self.momentum, weights.dtype)
        moved = momentum * tf.gather(velocity, ids) - learning_rate * gradient
        velocity.scatter_update(tf.IndexedSlices(moved, ids))
        return weights + (momentum * moved - learning_rate * gradient if self.nesterov else moved)
