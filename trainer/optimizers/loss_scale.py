"""Scaled losses for half precision, without a tensor as large as a table."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("trainer")
class LossScaleOptimizer(keras.optimizers.LossScaleOptimizer):
    """`keras.optimizers.LossScaleOptimizer` that looks for overflows in the rows that a step used.

    Keras's own gives the same numbers, but makes a tensor as large as each table at every step; and it is what
    `model.compile` wraps an optimizer in under the policy "mixed_float16", unless it is wrapped in this one.

    Args:
        inner_optimizer: What takes the gradients of the loss as it is.
        arguments: Those of `keras.optimizers.LossScaleOptimizer`.

    Example:
        >>> from trainer.optimizers import Adagrad
        >>> optimizer = LossScaleOptimizer(Adagrad(0.1), initial_scale=1024.0)
    """

    def check_finite(self, grads: list[Any]) -> Any:
        """Tells whether every gradient is finite, a boolean scalar."""
        return super().check_finite([g.values if isinstance(g, tf.IndexedSlices) else g for g in grads])
