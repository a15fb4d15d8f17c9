"""How many different keys there are, in bounded memory."""

from typing import Any

import numpy as np
import tensorflow as tf

KEPT = 1 << 14
"""Hashes that are kept: the estimate's standard error is one part in 128, its square root."""

PENDING = 1 << 17
"""Hashes that wait to be sorted among those that are kept."""

_HASHES = 2.0**64


class Distinct:
    """An estimate of the number of different keys, from the smallest of their hashes.

    Source:
        Ziv Bar-Yossef and others, "Counting distinct elements in a data stream", 2002; its variance, Kevin Beyer and
        others, "On synopses for distinct-value estimation under multiset operations", 2007.

    Example:
        >>> import pyarrow as pa
        >>> distinct = Distinct()
        >>> distinct.add(pa.array([1, 2, 3]))
        >>> distinct.add(pa.array([3, 4]))
        >>> distinct.estimate
        4
    """

    def __init__(self) -> None:
        self._hashes = np.array([], np.uint64)
        self._pending: list[np.ndarray[Any, Any]] = []
        self._waiting = 0

    def add(self, keys: Any) -> None:
        """Takes keys of an Arrow array, of bytes or of whole numbers."""
        self._keep(fingerprints(keys))

    def add_numbers(self, values: np.ndarray[Any, Any]) -> None:
        """Takes numbers, an array of float64; those of 0 and -0 are one."""
        self._keep(_mixed((values + 0.0).view(np.uint64)))

    def include(self, other: "Distinct") -> None:
        """Takes the keys of another one too."""
        for hashes in (other._hashes, *other._pending):
            self._keep(hashes)

    @property
    def is_exact(self) -> bool:
        """Whether the hashes of all keys are kept."""
        self._count()
        return len(self._hashes) < KEPT

    @property
    def estimate(self) -> int:
        """The number of different keys; exact while they are fewer than the hashes that are kept."""
        self._count()
        if len(self._hashes) < KEPT:
            return len(self._hashes)
        return round((KEPT - 1) / ((float(self._hashes[-1]) + 1) / _HASHES))

    def _keep(self, hashes: np.ndarray[Any, Any]) -> None:
        if len(self._hashes) == KEPT:
            hashes = hashes[hashes < self._hashes[-1]]
        if len(hashes):
            self._pending.append(hashes)
            self._waiting += len(hashes)
        if self._waiting > PENDING:
            self._count()

    def _count(self) -> None:
        if self._pending:
            self._hashes = np.unique(np.concatenate([self._hashes, *self._pending]))[:KEPT]
            self._pending, self._waiting = [], 0


def fingerprints(keys: Any) -> np.ndarray[Any, Any]:
    """Returns the hashes by which hashed columns make ids of keys, uint64, `(keys,)`.

    Args:
        keys: An Arrow array of bytes, or of whole numbers, whose digits are hashed.
    """
    found = keys.to_numpy(zero_copy_only=False)
    texts = tf.constant(found) if found.dtype == object else tf.strings.as_string(tf.constant(found))
    return np.asarray(tf.bitcast(tf.fingerprint(texts), tf.uint64))


def _mixed(bits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Returns hashes of numbers of 64 bits, as SplitMix64 ends: Steele, Lea and Flood, 2014."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(bits ^ (bits >> np.uint64(31)))
