"""The second table of a skip-gram, and what is known of how often its rows are met."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.feature_column import EmbeddingColumn
from trainer.layers.dense_features import table_of
from trainer.layers.given import as_given


class Contexts(keras.layers.Layer):
    """A table of contexts: its rows are what centres are scored against, and are drawn as negatives.

    Args:
        column: Of the table.
        subsample: As in `SkipGramHead`.
        negative_power: As in `SkipGramHead`.
    """

    def __init__(
        self, column: EmbeddingColumn, subsample: float | None, negative_power: float, **arguments: Any
    ) -> None:
        super().__init__(autocast=False, **arguments)
        as_given(self)
        self.table, self.columns = table_of(column), (column,)
        self.subsample, self.negative_power = subsample, negative_power

    def build(self, ids_shape: Any = None) -> None:
        """Makes the table, and the chances of its rows, which are even until they are counted."""
        del ids_shape
        self.table.build()
        rows = self.table.rows
        even = keras.initializers.Constant(np.arange(1, rows + 1) / rows)
        self.kept = self.add_weight(name="kept", shape=(rows,), initializer="ones", trainable=False)
        self.chances = self.add_weight(
            name="chances", shape=(rows,), initializer=even, dtype="float64", trainable=False
        )
        self.built = True

    def count(self, counts: Any) -> None:
        """Takes how often each row is in the training examples, `(rows,)`; a row that is in none is drawn as well."""
        found = np.maximum(np.asarray(counts, np.float64), 1.0)
        if self.subsample is not None:
            shares = self.subsample * found.sum() / found
            self.kept.assign(np.minimum(1.0, np.sqrt(shares) + shares).astype(np.float32))
        weights = np.power(found, self.negative_power)
        self.chances.assign(np.cumsum(weights) / weights.sum())

    def drawn(self, shape: Sequence[Any], seed: Any) -> Any:
        """Returns rows drawn with replacement, int32 of a shape.

        Args:
            shape: Of what is returned.
            seed: Two whole numbers; the same give the same.
        """
        draws = tf.reshape(tf.random.stateless_uniform(shape, seed, dtype=tf.float64), [-1])
        found = tf.searchsorted(self.chances.value, draws, side="right", out_type=tf.int32)
        return tf.reshape(tf.minimum(found, self.table.rows - 1), shape)  # where the last sum is not quite 1
