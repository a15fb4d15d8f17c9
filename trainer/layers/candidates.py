"""The rows of a table as what is retrieved: scored by a vector, and the best of them found, exactly."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.feature_column import EmbeddingColumn
from trainer.layers.embedding_table import EmbeddingTable
from trainer.layers.given import as_given
from trainer.segments import entries

SCORES = 1 << 24
"""About how many scores are held at a time while the best are looked for."""
_LEAST_BLOCK = 1024
_NONE = -math.inf


class Candidates(keras.layers.Layer):
    """The rows of a table, which a vector is scored against.

    Args:
        table: Whose rows are scored.
        column: The column of that table, where it is another than the one that makes the vector; None where it is not.
        unit_vector: Whether a vector of three numbers or more is scaled to length 1; of fewer, nothing would be left of
            how far it goes.
        scale: What products are multiplied with at first; None multiplies them with nothing.
        learns_popularity: Whether a multiple of the logarithm of a row's popularity is added; it is learned, from 0.
        sample_power: To draw rows by their counts to this power; None draws none.
    """

    def __init__(
        self,
        table: EmbeddingTable,
        column: EmbeddingColumn | None = None,
        unit_vector: bool = True,
        scale: float | None = None,
        learns_popularity: bool = False,
        sample_power: float | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(autocast=False, **arguments)
        as_given(self)
        self.table, self.rows = table, table.rows
        self.columns = () if column is None else (column,)
        self.unit_vector, self.scale, self.learns_popularity = unit_vector, scale, learns_popularity
        self.sample_power = sample_power

    def build(self, vector_shape: Any = None) -> None:
        """Makes what is learned beside the table, and the counts of the rows."""
        del vector_shape
        if not self.table.built:
            self.table.build()
        self.popularity = self.add_weight(name="popularity", shape=(self.rows,), initializer="ones", trainable=False)
        self.chances = None
        if self.sample_power is not None:
            even = keras.initializers.Constant(np.arange(1, self.rows + 1) / self.rows)
            self.chances = self.add_weight(
                name="chances", shape=(self.rows,), initializer=even, dtype="float64", trainable=False
            )
        self.log_scale = None
        if self.scale is not None:
            first = keras.initializers.Constant(math.log(self.scale))
            self.log_scale = self.add_weight(name="log_scale", shape=(), initializer=first)
        self.taste = None
        if self.learns_popularity:
            self.taste = self.add_weight(name="popularity_scale", shape=(), initializer="zeros")
        self.built = True

    def count(self, counts: Any) -> None:
        """Takes how often each row is in the training bags, `(rows,)`."""
        self.popularity.assign(np.asarray(counts, np.float32))
        if self.chances is not None and self.sample_power is not None:
            weights = np.power(np.asarray(counts, np.float64) + 1.0, self.sample_power)
            self.chances.assign(np.cumsum(weights) / weights.sum())

    def vector(self, vector: Any) -> Any:
        """Returns vectors as they are scored, `(batch, dimension)`."""
        if self.unit_vector and self.table.dimension > 2:
            vector = tf.math.l2_normalize(vector, axis=1)
        return vector if self.log_scale is None else vector * tf.exp(self.log_scale.value)

    def scores(self, vector: Any, ids: Any = None) -> Any:
        """Returns the scores of rows, `(batch, n)`.

        Args:
            vector: From `vector`.
            ids: Of the rows, `(n,)`; None is all of them.
        """
        found = tf.matmul(vector, self.table.looked_up(ids), transpose_b=True)
        return found + self._liking(ids)

    def own_scores(self, vector: Any, examples: Any, ids: Any) -> Any:
        """Returns the scores of pairs of an example and a row, each `(n,)`."""
        found = tf.reduce_sum(tf.gather(vector, examples) * self.table.looked_up(ids), axis=1)
        return found + self._liking(ids)

    def _liking(self, ids: Any) -> Any:
        if self.taste is None:
            return 0.0
        counts = self.popularity.value if ids is None else tf.gather(self.popularity.value, ids)
        return self.taste.value * tf.math.log1p(counts)

    def top(self, vector: Any, given: Any, k: int) -> tuple[Any, Any]:
        """Returns the ids of the `k` best rows of each example, best first, and their scores.

        All rows are scored, some at a time. Where nothing known went in, the scores are the shares of the rows in all
        counts.

        Args:
            vector: As the model makes it, `(batch, dimension)`.
            given: The ids that went in, which are left out, `(batch, None)`, ragged or filled up with -1.
            k: How many.

        Returns:
            Ids `(batch, k)`, int64, -1 where there is no further row, and scores `(batch, k)`, float32.
        """
        scored = self.vector(tf.convert_to_tensor(vector))
        examples, ids, batch = entries(given)
        known = tf.math.unsorted_segment_sum(tf.ones_like(ids), examples, batch) > 0  # (batch,)
        block = tf.clip_by_value(SCORES // tf.maximum(batch, 1), max(_LEAST_BLOCK, k), max(self.rows, k))
        total = tf.reduce_sum(self.popularity.value)

        def body(start: Any, best: Any, found: Any) -> Any:
            rows = tf.range(start, tf.minimum(start + block, self.rows))
            popular = tf.gather(self.popularity.value, rows) / total
            scores = tf.where(known[:, tf.newaxis], self.scores(scored, rows), popular)
            here = tf.where((ids >= start) & (ids < start + block))[:, 0]
            places = tf.stack([tf.gather(examples, here), tf.gather(ids, here) - start], axis=1)
            scores = tf.tensor_scatter_nd_update(scores, places, tf.fill([tf.size(here)], _NONE))
            rows = tf.broadcast_to(rows, tf.shape(scores, out_type=tf.int64))
            # Of rows with one score the first counts, as in one search over all.
            together, of = tf.concat([best, scores], axis=1), tf.concat([found, rows], axis=1)
            best, order = tf.math.top_k(together, k)
            return start + block, best, tf.gather(of, order, batch_dims=1)

        start = [
            tf.constant(0, tf.int64),
            tf.fill(tf.stack([batch, tf.constant(k, tf.int64)]), _NONE),
            tf.fill(tf.stack([batch, tf.constant(k, tf.int64)]), tf.constant(-1, tf.int64)),
        ]
        _, best, found = tf.while_loop(lambda at, *_: at < self.rows, body, start)
        return tf.where(best == _NONE, tf.constant(-1, tf.int64), found), best


class GivenIds(keras.layers.Layer):
    """The ids of bags as a dense tensor `(batch, most)`, filled up with -1."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(autocast=False, trainable=False, **arguments)
        as_given(self)

    def call(self, ids: Any) -> Any:
        """Returns the ids, int64."""
        dense = ids.to_tensor(-1) if isinstance(ids, tf.RaggedTensor) else ids
        return tf.cast(dense, tf.int64)

    def compute_output_spec(self, ids: Any) -> Any:
        """Returns the shape and dtype of the result."""
        return keras.KerasTensor((ids.shape[0], None), "int64")
