"""RMSProp as Estimators had it."""

from typing import Any

import keras
import tensorflow as tf

from trainer.optimizers import RowSparse


@keras.saving.register_keras_serializable("trainer")
class RMSprop(RowSparse, keras.optimizers.RMSprop):
    """RMSProp on the rows that a step used, as TensorFlow 1 has it; what is noted of the others waits.

    `v ← rho · v + (1 - rho) · g²; w ← w - rate · g / sqrt(v + epsilon)`, and with momentum `m ← momentum · m + rate ·
    g / sqrt(v + epsilon); w ← w - m`. Centred, `a ← rho · a + (1 - rho) · g` and `v - a²` stands for `v`. A dense
    gradient gets `keras.optimizers.RMSprop`'s update, which is the same. (Given a sparse one, Keras 3.15 squares the
    parts of a row that a batch repeats, and not their sum.)

    Source:
        Hinton, "Neural networks for machine learning", lecture 6, 2012. Graves, "Generating sequences with recurrent
        neural networks", 2013.
    """

    def updated(self, weights: Any, gradient: Any, ids: Any, variable: Any, learning_rate: Any) -> Any:
        """Returns what rows become, and updates what is noted of them."""
        spread = self._averaged(self._velocities, tf.square(gradient), ids, variable)
        if self.centered:
            spread -= tf.square(self._averaged(self._average_gradients, gradient, ids, variable))
        step = learning_rate * gradient / tf.sqrt(spread + self.epsilon)
        if not self.momentum:
            return weights - step
        moved = self.slot(self._momentums, variable)
        step += tf.cast(self.momentum, step.dtype) * tf.gather(moved, ids)
        moved.scatter_update(tf.IndexedSlices(step, ids))
        return weights - step

    def _averaged(self, slots: list[Any], values: Any, ids: Any, variable: Any) -> Any:
        """Moves rows of a slot a step towards values, and returns them."""
        slot, rho = self.slot(slots, variable), tf.cast(self.rho, values.dtype)
        rows = rho * tf.gather(slot, ids) + (1 - rho) * values
        slot.scatter_update(tf.IndexedSlices(rows, ids))
        return rows
