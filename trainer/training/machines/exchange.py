"""The gradients of several replicas as one: two messages a step, whatever the number of tables and layers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from trainer.optimizers.rows import summed
from trainer.segments import segment_sums


@dataclass(frozen=True)
class Links:
    """What carries numbers between replicas, inside a `tf.function`.

    Args:
        count: How many replicas there are.
        rank: The place of this one among them, a number or a scalar.
        total: The sum of a vector of each, `(n,)`.
        gathered: The matrices of all, `(n, width)` of one shape, under one another: `(count · n, width)`.
    """

    count: int
    rank: Any
    total: Callable[[Any], Any]
    gathered: Callable[[Any], Any]


@dataclass(frozen=True)
class Exchanged:
    """What all replicas have after a step.

    Args:
        gradients: Of the mean loss of all examples; rows of tables as `tf.IndexedSlices` that name a row as often as
            replicas have used it.
        means: The means of the scalars and tensors that were given, weighed by the examples.
        examples: Of all replicas, a scalar.
    """

    gradients: list[Any]
    means: list[Any]
    examples: Any


def exchanged(gradients: Sequence[Any], means: Sequence[Any], examples: Any, small: int, links: Links) -> Exchanged:
    """Returns the gradients of the examples of all replicas, each given those of its own.

    Dense gradients, those of tables with fewer than `small` rows, and what else is averaged travel as one vector that
    is summed; of such a table with how often each row was used, since a row that was not has no update. The rows of the
    other tables, each named once by a replica, travel as one matrix for each dimension: a column of ids and the floats.
    So what a step sends does not depend on how many rows a table has.

    Args:
        gradients: Of the mean loss of this replica's examples; None where a variable has none.
        means: Other tensors to average, as the loss.
        examples: How many examples this replica has, a float32 scalar; 0 lets its gradients count for nothing.
        small: Tables with fewer rows travel whole; about the ids that a replica's batch has of one.
        links: What carries them.
    """
    rows = {place: each for place, each in enumerate(gradients) if isinstance(each, tf.IndexedSlices)}
    whole = {place: _whole(each) for place, each in rows.items() if _has_fewer_rows(each, small)}
    sparse = {place: summed(each) for place, each in rows.items() if place not in whole}
    dense = {
        place: whole.get(place, each)
        for place, each in enumerate(gradients)
        if each is not None and place not in sparse
    }
    sizes = [tf.cast(tf.size(each.indices), tf.float32) for each in sparse.values()]
    mine = tf.one_hot(links.rank, links.count)[:, tf.newaxis] * tf.stack([*sizes, examples])  # (count, tables + 1)
    summed_up = _together([*(each * tf.cast(examples, each.dtype) for each in [*dense.values(), *means]), mine], links)
    counts = summed_up.pop()
    every = tf.reduce_sum(counts[:, -1])
    averaged = [each / tf.cast(every, each.dtype) for each in summed_up]
    found = dict(zip(dense, averaged, strict=False))
    found |= {place: _used(found[place], rows[place]) for place in whole}
    found |= _rows(sparse, tf.cast(counts[:, :-1], tf.int64), examples, every, links)
    return Exchanged([found.get(place) for place in range(len(gradients))], averaged[len(dense) :], every)


def _has_fewer_rows(gradient: tf.IndexedSlices, small: int) -> bool:
    shape = None if gradient.dense_shape is None else tf.get_static_value(gradient.dense_shape)
    return shape is not None and int(shape[0]) < small


def _whole(gradient: tf.IndexedSlices) -> Any:
    """Returns a gradient as all rows of its table, with a column of how often each is used."""
    values = gradient.values
    values = tf.cast(values, tf.float32) if values.dtype == tf.bfloat16 else values
    marked = tf.concat([values, tf.ones_like(values[:, :1])], 1)  # (n, dimension + 1)
    rows = tf.get_static_value(gradient.dense_shape)[0]
    return tf.ensure_shape(segment_sums(marked, gradient.indices, int(rows)), [int(rows), marked.shape[1]])


def _used(marked: Any, like: tf.IndexedSlices) -> tf.IndexedSlices:
    """Returns the rows that any replica has used, from the sum of what `_whole` has made of theirs."""
    places = tf.where(marked[:, -1] > 0)[:, 0]
    return tf.IndexedSlices(tf.gather(marked[:, :-1], places), tf.cast(places, like.indices.dtype), like.dense_shape)


def _together(values: Sequence[Any], links: Links) -> list[Any]:
    """Returns the sums of tensors over the replicas, sent as one vector of the widest of their dtypes."""
    dtype = tf.float64 if any(value.dtype == tf.float64 for value in values) else tf.float32
    vector = tf.concat([tf.reshape(tf.cast(value, dtype), [-1]) for value in values], 0)
    parts = tf.split(links.total(vector), [tf.size(value) for value in values], num=len(values))
    return [tf.reshape(tf.cast(p, v.dtype), tf.shape(v)) for p, v in zip(parts, values, strict=True)]


def _rows(
    sparse: dict[int, tf.IndexedSlices], counts: Any, examples: Any, every: Any, links: Links
) -> dict[int, tf.IndexedSlices]:
    """Returns the rows of all replicas, by the place of their gradient.

    Args:
        sparse: This replica's, by the place of their gradient.
        counts: How many rows each replica has of each, `(count, tables)`.
        examples: This replica's.
        every: Those of all.
        links: What carries them.
    """
    by_dimension: dict[tuple[int, Any], list[int]] = {}
    for place, each in sparse.items():
        by_dimension.setdefault((each.values.shape[1], each.values.dtype), []).append(place)
    order, found = list(sparse), {}
    for places in by_dimension.values():
        of_group = tf.gather(counts, [order.index(place) for place in places], axis=1)  # (count, tables of the group)
        most = tf.reduce_max(tf.reduce_sum(of_group, axis=1))
        packed = tf.concat([_packed(sparse[place], examples) for place in places], 0)  # (rows, 1 + dimension)
        padded = tf.pad(packed, [[0, most - tf.shape(packed, tf.int64)[0]], [0, 0]])
        everything = links.gathered(padded)  # (count * most, 1 + dimension)
        starts = tf.range(links.count, dtype=tf.int64)[:, tf.newaxis] * most
        starts += tf.cumsum(of_group, axis=1, exclusive=True)
        for number, place in enumerate(places):
            first = starts[:, number]
            at = tf.ragged.range(first, first + of_group[:, number]).flat_values
            found[place] = _unpacked(tf.gather(everything, at), sparse[place], every)
    return found


def _packed(gradient: tf.IndexedSlices, examples: Any) -> Any:
    """Returns ids and rows side by side, `(rows, 1 + dimension)`; an id is the bits of a float."""
    values = gradient.values * tf.cast(examples, gradient.values.dtype)
    short = tf.int64 if values.dtype == tf.float64 else tf.int32
    ids = tf.bitcast(tf.cast(gradient.indices, short), values.dtype)
    return tf.concat([ids[:, tf.newaxis], values], 1)


def _unpacked(packed: Any, like: tf.IndexedSlices, every: Any) -> tf.IndexedSlices:
    short = tf.int64 if packed.dtype == tf.float64 else tf.int32
    ids = tf.cast(tf.bitcast(packed[:, 0], short), like.indices.dtype)
    return tf.IndexedSlices(packed[:, 1:] / tf.cast(every, packed.dtype), ids, like.dense_shape)
