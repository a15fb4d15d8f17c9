"""Adagrad, with a sum for each row."""

from typing import Any

import keras
import tensorflow as tf

from trainer.optimizers.adagrad import updated_by_weight
from trainer.optimizers.rows import RowSparse


@keras.saving.register_keras_serializable("trainer")
class RowWiseAdagrad(RowSparse, keras.optimizers.Adagrad):
    """`a ← a + mean(g²); w ← w - rate · g / (sqrt(a) + epsilon)`, on the rows that a step used, with one `a` a row.

    Its memory for a table of dimension d is 1/d of `Adagrad`'s. A table is a variable whose attribute `is_table` is
    true, as that of `EmbeddingTable` is, and the formula holds for it whether its gradient is sparse or dense. Every
    other variable has a sum for each weight: it gets `keras.optimizers.Adagrad`'s update of a dense gradient, and
    `Adagrad`'s of a sparse one.

    Source:
        `rowwise_adagrad` in fbgemm_gpu/codegen/genscript/optimizers.py of FBGEMM (Meta), there EXACT_ROWWISE_ADAGRAD,
        which starts from 0 rather than 0.1. Its decoupled weight decay is `weight_decay` here.
    """

    def slot_shape(self, variable: Any, name: str | None) -> tuple[int, ...]:
        """Returns the shape of a slot; the accumulator of a table has one number a row."""
        by_row = name == "accumulator" and getattr(variable, "is_table", False)
        return tuple(variable.shape[:1] if by_row else variable.shape)

    def update_whole(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates a variable, a table as if its gradient named every row."""
        if self.slot(self._accumulators, variable).shape == variable.shape:
            super().update_whole(gradient, variable, learning_rate)
            return
        self.update_rows(tf.range(variable.shape[0]), tf.cast(gradient, variable.dtype), variable, learning_rate)

    def updated(self, weights: Any, gradient: Any, ids: Any, variable: Any, learning_rate: Any) -> Any:
        """Returns what rows become, and updates their sums."""
        accumulator = self.slot(self._accumulators, variable)
        if accumulator.shape == variable.shape:
            return updated_by_weight(weights, gradient, ids, accumulator, learning_rate, self.epsilon)
        sums = tf.gather(accumulator, ids) + tf.reduce_mean(tf.square(gradient), axis=1)  # (unique,)
        accumulator.scatter_update(tf.IndexedSlices(sums, ids))
        rates = learning_rate / (tf.sqrt(sums) + tf.cast(self.epsilon, sums.dtype))  # (unique,)
        return weights - rates[:, tf.newaxis] * gradient
