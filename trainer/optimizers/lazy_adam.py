"""Adam that leaves unused rows alone."""

from typing import Any

import keras
import tensorflow as tf

from trainer.errors import Refusal
from trainer.optimizers.rows import RowSparse


@keras.saving.register_keras_serializable("trainer")
class LazyAdam(RowSparse, keras.optimizers.Adam):
    """Adam on the rows that a step used; the moments of the others wait.

    `m ← b1 · m + (1 - b1) · g; v ← b2 · v + (1 - b2) · g²;
    w ← w - rate · sqrt(1 - b2^t) / (1 - b1^t) · m / (sqrt(v) + epsilon)`, where t counts all steps. A dense gradient
    gets `keras.optimizers.Adam`'s update, which is the same. With `weight_decay` it is AdamW: before that update
    `w ← w - rate · weight_decay · w`, on the rows that a step used and on the whole of dense variables.

    Source:
        Kingma and Ba, "Adam: a method for stochastic optimization", 2015. Loshchilov and Hutter, "Decoupled weight
        decay regularization", 2019.
    """

    def build(self, variables: list[Any]) -> None:
        """Makes the moments."""
        if self.amsgrad:
            raise Refusal("LazyAdam: amsgrad has no row-sparse form here; leave it out, or use keras.optimizers.Adam.")
        super().build(variables)

    def updated(self, weights: Any, gradient: Any, ids: Any, variable: Any, learning_rate: Any) -> Any:
        """Returns what rows become, and updates their two moments."""
        first, second = self.slot(self._momentums, variable), self.slot(self._velocities, variable)
        step = tf.cast(self.iterations.value + 1, weights.dtype)
        beta_1, beta_2 = tf.cast(self.beta_1, weights.dtype), tf.cast(self.beta_2, weights.dtype)
        m = beta_1 * tf.gather(first, ids) + (1 - beta_1) * gradient
        v = beta_2 * tf.gather(second, ids) + (1 - beta_2) * tf.square(gradient)
        first.scatter_update(tf.IndexedSlices(m, ids))
        second.scatter_update(tf.IndexedSlices(v, ids))
        rate = learning_rate * tf.sqrt(1 - beta_2**step) / (1 - beta_1**step)
        return weights - rate * m / (tf.sqrt(v) + self.epsilon)
