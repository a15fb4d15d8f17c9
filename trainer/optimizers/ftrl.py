"""Follow the regularized leader."""

from typing import Any

import keras
import tensorflow as tf

from trainer.optimizers.rows import RowSparse


@keras.saving.register_keras_serializable("trainer")
class Ftrl(RowSparse, keras.optimizers.Ftrl):
    """FTRL-proximal on the rows that a step used, for wide parts with many ids; L1 sets weights of rare ids to zero.

    `n' ← n + g²; z ← z + g + 2 · shrinkage · w - (n'^-p - n^-p) / rate · w;
    w ← (clip(z, -l1, l1) - z) / (n'^-p / rate + 2 · l2 + beta / rate)`, where p is `learning_rate_power`. A dense
    gradient gets `keras.optimizers.Ftrl`'s update, which is the same.

    Source:
        McMahan and others, "Ad click prediction: a view from the trenches", 2013.
    """

    def updated(self, weights: Any, gradient: Any, ids: Any, variable: Any, learning_rate: Any) -> Any:
        """Returns what rows become, and updates their sums and linear terms."""
        accumulator, linear = self.slot(self._accumulators, variable), self.slot(self._linears, variable)
        rate, power = learning_rate, self.learning_rate_power
        l2 = self.l2_regularization_strength + self.beta / (2.0 * rate)
        sums = tf.gather(accumulator, ids)
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * weights
        new_sums = sums + tf.square(gradient)
        terms = tf.gather(linear, ids) + shrunk - (new_sums**-power - sums**-power) / rate * weights
        quadratic = new_sums**-power / rate + 2 * l2
        clipped = tf.clip_by_value(terms, -self.l1_regularization_strength, self.l1_regularization_strength)
        accumulator.scatter_update(tf.IndexedSlices(new_sums, ids))
        linear.scatter_update(tf.IndexedSlices(terms, ids))
        return (clipped - terms) / quadratic
