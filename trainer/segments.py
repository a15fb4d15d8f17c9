"""Rows by segment, summed or pooled: what duplicates of a gradient, bags of ids and sequences have in common."""

from typing import Any

import tensorflow as tf


def segment_sums(values: Any, segments: Any, count: Any, weights: Any = None) -> Any:
    """Returns the sum of the values of each segment, as `tf.math.unsorted_segment_sum` does.

    Args:
        values: `(n, dimension)`.
        segments: The segment of each value, `(n,)`, none negative.
        count: The number of segments.
        weights: Of each value, `(n,)`; None weighs all alike.

    Returns:
        `(count, dimension)`. On a CPU it is the same bit for bit every time; on a GPU after
        `tf.config.experimental.enable_op_determinism()`.

    Example:
        >>> segment_sums(tf.constant([[1.0], [2.0], [4.0]]), tf.constant([1, 0, 1]), 2).numpy().tolist()
        [[2.0], [5.0]]
    """
    if tf.config.list_logical_devices("GPU") or tf.__internal__.get_enclosing_xla_context() is not None:
        # The product below has no kernel for XLA, and for a GPU none that is deterministic.
        values = values if weights is None else values * weights[:, tf.newaxis]
        return tf.math.unsorted_segment_sum(values, segments, count)
    # As a product with a sparse matrix: on a CPU five times as fast for 16 columns, and as fast for 64.
    places = tf.stack([segments, tf.range(tf.size(segments, segments.dtype))], axis=1)  # (n, 2)
    shape = tf.stack([tf.cast(count, tf.int64), tf.size(segments, tf.int64)])
    weights = tf.ones_like(segments, values.dtype) if weights is None else weights
    return tf.raw_ops.SparseTensorDenseMatMul(a_indices=places, a_values=weights, a_shape=shape, b=values)


def pooled(how: str, values: Any, segments: Any, count: Any, weights: Any = None) -> Any:
    """Returns one row for the values of each segment, zeros where it has none.

    Args:
        how: "sum"; "mean"; "sqrtn", the sum over the root of how many there are; "max", the largest of each number; or
            "first", the value that comes first.
        values: `(n, dimension)`.
        segments: The segment of each value, `(n,)`, none negative.
        count: The number of segments.
        weights: Of each value, `(n,)`, for the first three: the mean divides by their sum, "sqrtn" by the root of the
            sum of their squares; None weighs all alike.

    Returns:
        `(count, dimension)`. Of values that are as large, each has the same part of the gradient of "max".

    Example:
        >>> values, segments = tf.constant([[1.0, 6.0], [2.0, 3.0], [4.0, 0.0]]), tf.constant([1, 0, 1])
        >>> pooled("max", values, segments, 3).numpy().tolist()
        [[2.0, 3.0], [4.0, 6.0], [0.0, 0.0]]
        >>> pooled("first", values, segments, 2).numpy().tolist()
        [[2.0, 3.0], [1.0, 6.0]]
    """
    if how == "max":
        there = tf.math.unsorted_segment_sum(tf.ones_like(segments), segments, count) > 0  # (count,)
        largest = tf.math.unsorted_segment_max(values, segments, count)
        return tf.where(there[:, tf.newaxis], largest, tf.zeros_like(largest))
    if how == "first":
        places = firsts(segments, count)
        return segment_sums(tf.gather(values, places), tf.gather(segments, places), count)
    combined = segment_sums(values, segments, count, weights)
    if how != "sum":
        shares = tf.ones_like(segments, combined.dtype) if weights is None else weights
        shares = tf.square(shares) if how == "sqrtn" else shares
        total = tf.math.unsorted_segment_sum(shares, segments, count)  # (count,)
        total = tf.sqrt(total) if how == "sqrtn" else total
        combined = tf.math.divide_no_nan(combined, total[:, tf.newaxis])
    return combined  # (count, dimension)


def firsts(segments: Any, count: Any) -> Any:
    """Returns the place of the first value of each segment that has one, `(up to count,)`.

    Example:
        >>> firsts(tf.constant([1, 0, 1, 3]), 4).numpy().tolist()
        [0, 1, 3]
    """
    places = tf.range(tf.size(segments, tf.int64))
    first = tf.math.unsorted_segment_min(places, segments, count)  # (count,)
    return tf.where(tf.equal(tf.gather(first, segments), places))[:, 0]


def entries(ids: Any) -> tuple[Any, Any, Any]:
    """Returns the ids that examples have: the example of each `(n,)`, itself `(n,)`, and how many examples there are.

    Args:
        ids: Whole numbers `(batch, None)`, ragged or filled up with -1, which is none.

    Example:
        >>> [each.numpy().tolist() for each in entries(tf.constant([[5, -1], [-1, -1], [2, 5]]))]
        [[0, 2, 2], [5, 2, 5], 3]
    """
    ragged = ids if isinstance(ids, tf.RaggedTensor) else tf.RaggedTensor.from_tensor(ids)
    flat = tf.cast(ragged.flat_values, tf.int64)
    places = tf.where(flat >= 0)[:, 0]
    examples = tf.cast(tf.gather(ragged.value_rowids(), places), tf.int64)
    return examples, tf.gather(flat, places), ragged.nrows(out_type=tf.int64)
