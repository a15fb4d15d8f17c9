"""A hash of rows that is the same whatever format they come from, on any machine and at any time."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.encoding import Coded

Array = np.ndarray[Any, Any]

# Of SplitMix64.
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
STEP = 0x9E3779B97F4A7C15
"""What numbers are apart that count something, before they are mixed."""

COUNTED = 1 << 20
"""Different rows that are counted; where there are more, few rows are alike, or those that are came before."""


def row_hash(features: Mapping[str, Any]) -> Any:
    """Returns a hash of 64 bits of each row, `(batch,)`, int64.

    Args:
        features: Typed: strings, whole numbers or floats, dense, ragged or coded; taken in the order of their names.

    Source:
        Guy Steele, Doug Lea and Christine Flood, "Fast splittable pseudorandom number generators", 2014.
    """
    total: Any = None
    for key in sorted(features):
        found = _column(features[key], tf.bitcast(tf.fingerprint([key]), tf.uint64))
        total = found if total is None else total + found
    return tf.bitcast(mixed(total), tf.int64)


def _column(values: Any, salt: Any) -> Any:
    """Returns a number of 64 bits for the values of each row, `(batch,)`."""
    if isinstance(values, Coded):
        numbers = values.mapped(lambda different: mixed(_numbers(different) + salt))
    elif isinstance(values, tf.RaggedTensor):
        numbers = values.with_flat_values(mixed(_numbers(values.flat_values) + salt))
    else:
        numbers = mixed(_numbers(values) + salt)
    if isinstance(numbers, tf.RaggedTensor):
        places = tf.cast(tf.ragged.range(numbers.row_lengths()).flat_values + 1, tf.uint64)
        each = tf.bitcast(mixed(numbers.flat_values + places * unsigned(STEP)), tf.int64)
        summed = tf.math.unsorted_segment_sum(each, numbers.value_rowids(), numbers.nrows())
        return tf.bitcast(summed + numbers.row_lengths(), tf.uint64)
    if numbers.shape.rank == 1:
        return numbers
    if numbers.shape[1:].num_elements() == 1:
        return tf.reshape(numbers, [-1])
    flat = tf.reshape(numbers, [tf.shape(numbers)[0], -1])  # (batch, values)
    places = tf.cast(tf.range(1, tf.shape(flat)[1] + 1), tf.uint64)
    return tf.bitcast(tf.reduce_sum(tf.bitcast(mixed(flat + places * unsigned(STEP)), tf.int64), axis=1), tf.uint64)


def _numbers(values: Any) -> Any:
    if values.dtype == tf.string:
        flat = tf.bitcast(tf.fingerprint(tf.reshape(values, [-1])), tf.uint64)
        return tf.reshape(flat, tf.shape(values))
    if values.dtype.is_floating:
        values = tf.bitcast(tf.cast(values, tf.float32) + 0.0, tf.int32)  # -0.0 is 0.0
    return tf.bitcast(tf.cast(values, tf.int64), tf.uint64)


def mixed(values: Any) -> Any:
    """Returns numbers of 64 bits, uint64 tensors, mixed up: each has another, and those side by side are far apart."""
    for shift, factor in ((30, _FIRST), (27, _SECOND)):
        values = tf.bitwise.bitwise_xor(values, tf.bitwise.right_shift(values, unsigned(shift))) * unsigned(factor)
    return tf.bitwise.bitwise_xor(values, tf.bitwise.right_shift(values, unsigned(31)))


def unsigned(value: int) -> Any:
    """Returns a whole number as a uint64 tensor."""
    return tf.constant(value, tf.uint64)


def draws(hashes: Array, seed: int = 0) -> Array:
    """Returns hashes as numbers that are uniform in `[0, 1)`, float64; with another seed, others."""
    return (seeded(hashes, seed) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def seeded(hashes: Array, seed: int) -> Array:
    """Returns other hashes, uint64, for each seed; 0 leaves them as they are."""
    found: Array = hashes.view(np.uint64)
    if seed:
        # A seed that is mixed: of those side by side, one would else be the other for the rows beside them.
        salt = mixed_array(np.array([seed * STEP % 2**64], np.uint64)).view(np.uint64)
        found = mixed_array(found + salt).view(np.uint64)
    return found


class Repeats:
    """Tells rows that are alike apart by how many came before, whatever the order of the others.

    Where few columns are read, many rows are alike, and a hash of them alone would put them all on one side.

    Example:
        >>> repeats = Repeats()
        >>> found = repeats(np.array([5, 7, 5])), repeats(np.array([7]))
        >>> bool(found[0][1] != found[1][0])
        True
    """

    def __init__(self) -> None:
        self._known, self._counts = np.zeros(0, np.int64), np.zeros(0, np.int64)

    def __call__(self, hashes: Array) -> Array:
        """Returns a hash of each row and its number among those like it, `(rows,)`, int64."""
        different, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        before = self._counted(different, counts)
        numbers = before[inverse]
        if len(different) < len(hashes):
            order = np.argsort(inverse, kind="stable")
            starts = np.cumsum(counts) - counts
            numbers[order] += np.arange(len(hashes)) - starts[inverse[order]]
        with np.errstate(over="ignore"):
            return mixed_array((hashes.view(np.uint64) + numbers.astype(np.uint64) * np.uint64(STEP)).view(np.int64))

    def _counted(self, different: Array, counts: Array) -> Array:
        """Returns how often hashes came before, and counts them."""
        places = np.searchsorted(self._known, different)
        there = np.zeros(len(different), bool)
        inside = places < len(self._known)
        there[inside] = self._known[places[inside]] == different[inside]
        before = np.zeros(len(different), np.int64)
        before[there] = self._counts[places[there]]
        self._counts[places[there]] += counts[there]
        new = np.flatnonzero(~there)[: COUNTED - len(self._known)]
        if len(new):
            self._known = np.insert(self._known, places[new], different[new])
            self._counts = np.insert(self._counts, places[new], counts[new])
        return before


def mixed_array(values: Array) -> Array:
    """Returns numbers of 64 bits of an array mixed up, as `mixed` does those of a tensor; int64."""
    found = values.view(np.uint64)
    for shift, factor in ((30, _FIRST), (27, _SECOND)):
        found = (found ^ (found >> np.uint64(shift))) * np.uint64(factor)
    return (found ^ (found >> np.uint64(31))).view(np.int64)
