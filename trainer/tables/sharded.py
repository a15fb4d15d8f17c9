"""A matrix whose rows lie on several machines, and never together on one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.tables.table import Array

BLOCK = 65_536
"""Rows that are read at a time."""


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows of a matrix, which lie together.

    Args:
        first: The first of them.
        variable: `(rows, dimension)`, TensorFlow's.
    """

    first: int
    variable: Any

    @property
    def last(self) -> int:
        """The row after the last of them."""
        return self.first + int(self.variable.shape[0])


class ShardedValues:
    """What stands in for the array of a table's values: rows are fetched when they are asked for.

    Args:
        parts: In the order of their rows.

    Example:
        >>> import tensorflow as tf
        >>> values = ShardedValues([Part(0, tf.Variable([[1.0], [2.0]])), Part(2, tf.Variable([[3.0]]))])
        >>> values.shape, values[[2, 0]].tolist(), values[1:].tolist(), values[values.shape[0] - 1].tolist()
        ((3, 1), [[3.0], [1.0]], [[2.0], [3.0]], [3.0])
    """

    ndim = 2
    dtype = np.dtype(np.float32)

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(parts)
        self.shape = (self.parts[-1].last, int(self.parts[0].variable.shape[1]))

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def size(self) -> int:
        """The numbers in it."""
        return self.shape[0] * self.shape[1]

    @property
    def nbytes(self) -> int:
        """The bytes of an array of it."""
        return self.size * self.dtype.itemsize

    def __getitem__(self, rows: Any) -> Array:
        """Returns some rows, given as of an array: a slice, whole numbers, or a truth value for each."""
        if isinstance(rows, (int, np.integer)):
            return np.asarray(self[[int(rows)]][0])
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self)))
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        rows = np.where(rows < 0, rows + len(self), rows).astype(np.int64)
        found = np.empty((len(rows), self.shape[1]), self.dtype)
        for part in self.parts:
            own = np.flatnonzero((rows >= part.first) & (rows < part.last))
            for places in np.array_split(own, max(1, -(-len(own) // BLOCK))):
                if len(places):
                    found[places] = _rows(part.variable, rows[places] - part.first)
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        del copy  # it is always one
        return self[:] if dtype is None else self[:].astype(dtype)

    def blocks(self, rows: int = BLOCK) -> Iterator[Array]:
        """Yields all rows, some at a time."""
        for start in range(0, len(self), rows):
            yield self[start : start + rows]


def write(parts: Sequence[Part], ids: Array, values: Any) -> None:
    """Sets rows of a matrix in parts, each where it lies.

    Args:
        parts: Of the matrix.
        ids: Which rows, `(n,)`, in any order.
        values: `(n, dimension)`, a tensor.
    """
    import tensorflow as tf

    for part in parts:
        own = np.flatnonzero((ids >= part.first) & (ids < part.last))
        if len(own):
            rows = values if len(own) == len(ids) else tf.gather(values, own)
            with tf.device(part.variable.device):
                rows = tf.cast(rows, part.variable.dtype)
                part.variable.scatter_update(tf.IndexedSlices(rows, tf.constant(ids[own] - part.first)))


def all_rows(parts: Sequence[Part], test: Callable[[Any], Any]) -> bool:
    """Tells whether a test of tensors is true of all values, each tested where it lies, some rows at a time."""
    import tensorflow as tf

    for part in parts:
        with tf.device(part.variable.device):
            for start in range(0, part.last - part.first, BLOCK):
                rows = tf.range(start, min(start + BLOCK, part.last - part.first))
                if not tf.reduce_all(test(part.variable.sparse_read(rows))):
                    return False
    return True


def _rows(variable: Any, ids: Array) -> Array:
    import tensorflow as tf

    with tf.device(variable.device):
        found = tf.cast(tf.gather(variable, ids), tf.float32)
    return np.asarray(found.numpy())
