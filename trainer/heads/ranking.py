"""The Keras metrics of ranked lists: what share of what was wanted they have, how high, and of how much of a catalogue.

Each takes what was wanted of a batch, ids `(batch, None)`, ragged or filled up with -1, and the ranked ids that were
answered, `(batch, k)`, best first, -1 where there is none. Of weight 0, or where nothing was wanted, none counts.
"""

from typing import Any

import keras
import tensorflow as tf

from trainer.segments import entries


def hits(wanted: Any, ranked: Any) -> tuple[Any, Any]:
    """Returns which ranked ids were wanted, `(batch, k)`, and how many were wanted, `(batch,)`, both float32.

    Args:
        wanted: `(batch, None)`, ragged or filled up with -1; no id of an example twice.
        ranked: `(batch, k)`; -1 is none.

    Example:
        >>> found, count = hits(tf.ragged.constant([[3, 7], [5]]), tf.constant([[7, 1], [2, 4]]))
        >>> found.numpy().tolist(), count.numpy().tolist()
        ([[1.0, 0.0], [0.0, 0.0]], [2.0, 1.0])
    """
    examples, ids, batch = entries(wanted)
    count = tf.math.unsorted_segment_sum(tf.ones_like(ids, tf.float32), examples, batch)  # (batch,)
    # An id of an example is one number, so that to look all of them up is one search.
    ranked = tf.cast(ranked, tf.int64)
    stride = tf.maximum(tf.reduce_max(ranked), tf.reduce_max(tf.pad(ids, [[0, 1]]))) + 1
    known = tf.sort(examples * stride + ids)
    asked = tf.range(batch)[:, tf.newaxis] * stride + ranked  # (batch, k)
    places = tf.searchsorted(known, tf.reshape(asked, [-1]))
    found = tf.gather(tf.pad(known, [[0, 1]], constant_values=-1), places)
    return tf.cast((tf.reshape(found, tf.shape(asked)) == asked) & (ranked >= 0), tf.float32), count


class _MeanOfLists(keras.metrics.Mean):
    """The mean of a number of each example that wanted something.

    Args:
        k: How many of the ranked ids count.
        name: The metric's name.
        dtype: Of the computation.
    """

    def __init__(self, k: int, name: str, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.k = k
        self._direction = "up"

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes what was wanted and what was answered of a batch, and its weights `(batch, 1)`."""
        found, count = hits(y_true, y_pred[:, : self.k])
        weights = tf.cast(count > 0, tf.float32)
        if sample_weight is not None:
            weights *= tf.reshape(tf.cast(sample_weight, tf.float32), [-1])
        super().update_state(self.of(found, tf.maximum(count, 1.0)), weights)

    def of(self, found: Any, count: Any) -> Any:
        """Returns the number of each example, `(batch,)`.

        Args:
            found: 1 where a ranked id was wanted, `(batch, k)`.
            count: How many were wanted, `(batch,)`, at least 1.
        """
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "k": self.k}


@keras.saving.register_keras_serializable("trainer")
class Recall(_MeanOfLists):
    """The mean share of what was wanted, or of `k` where more was, that is among the first `k`.

    Source:
        Liang, Krishnan, Hoffman and Jebara, "Variational autoencoders for collaborative filtering", 2018.

    Example:
        >>> metric = Recall(2, name="recall@2")
        >>> float(metric(tf.ragged.constant([[3, 7, 8], [5]]), tf.constant([[7, 1, 3], [2, 4, 5]])))
        0.25
    """

    def of(self, found: Any, count: Any) -> Any:
        """Returns the share of each example, `(batch,)`."""
        return tf.reduce_sum(found, axis=1) / tf.minimum(count, float(self.k))


@keras.saving.register_keras_serializable("trainer")
class NDCG(_MeanOfLists):
    """The mean discounted gain of the first `k`, as a share of that of the best order.

    Rank r is worth `1 / log2(r + 1)`. The best order has what was wanted first, and of it `k` at most.

    Source:
        Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002.

    Example:
        >>> metric = NDCG(2, name="ndcg@2")
        >>> round(float(metric(tf.ragged.constant([[3]]), tf.constant([[7, 3]]))), 4)  # 1 / log2(3)
        0.6309
    """

    def of(self, found: Any, count: Any) -> Any:
        """Returns the share of each example, `(batch,)`."""
        places = tf.range(2, self.k + 2, dtype=tf.float32)
        worth = tf.math.log(2.0) / tf.math.log(places)  # (k,)
        best = tf.gather(tf.cumsum(worth), tf.cast(tf.minimum(count, float(self.k)), tf.int32) - 1)  # (batch,)
        return tf.linalg.matvec(found, worth[: tf.shape(found)[1]]) / best


@keras.saving.register_keras_serializable("trainer")
class Coverage(keras.metrics.Metric):
    """The share of a catalogue that is among the first `k` of anybody.

    Args:
        rows: Of the catalogue.
        k: How many of the ranked ids count.
        name: The metric's name.
        dtype: Of the computation.

    Source:
        Ge, Delgado-Battenfeld and Jannach, "Beyond accuracy: evaluating recommender systems by coverage and
        serendipity", 2010.

    Example:
        >>> float(Coverage(4, 2, name="coverage@2")(tf.constant([[9]]), tf.constant([[0, 1, 2]])))
        0.5
    """

    def __init__(self, rows: int, k: int, name: str, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.rows, self.k = rows, k
        self._direction = "up"
        self.often = self.add_variable((rows,), "zeros", name="often")  # counts, which several machines can add up

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes what was answered of a batch; what was wanted is no matter."""
        del y_true
        ranked = y_pred[:, : self.k]
        counted = ranked >= 0
        if sample_weight is not None:
            counted &= tf.reshape(sample_weight, [-1, 1]) > 0
        ids = tf.cast(tf.boolean_mask(ranked, counted), tf.int64)
        ones = tf.ones([tf.size(ids)], self.often.dtype)
        self.often.assign_add(tf.math.unsorted_segment_sum(ones, ids, self.rows))

    def result(self) -> Any:
        """Returns the share."""
        return tf.reduce_mean(tf.cast(self.often > 0, self.dtype))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments."""
        return {**super().get_config(), "rows": self.rows, "k": self.k}
