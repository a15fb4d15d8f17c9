"""The values that a table starts from, once its tensor and the matches of its rows are known."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.warm_start.matching import MEAN, Matches
from trainer.warm_start.report import Report

BLOCK = 65_536
"""Rows that are drawn or averaged at a time."""

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Rows:
    """Values that are read some rows at a time, for a table that takes each row of its source at its place.

    Args:
        read: Returns the rows of a slice.
        rows: How many there are.
        block: How many are read at a time.
    """

    read: Callable[[slice], Any]
    rows: int
    block: int


@dataclass(eq=False)
class Start:
    """What a table starts from.

    Args:
        values: `(rows, dimension)`, a tensor, or `Rows`; None once it was released.
        changes: Rows, and what they hold instead of what `values` says.
        new: `(n,)`: the rows that the table's own initializer draws.
        report: What was matched.
    """

    values: Any
    changes: tuple[tuple[Array, Array], ...]
    new: Array
    report: Report

    def released(self) -> Any:
        """Returns the values, and forgets them: a table that alone holds them is not copied when a row is changed."""
        values, self.values = self.values, None
        return values.read(slice(0, values.rows)) if isinstance(values, Rows) else values

    def blocks(self) -> Iterator[tuple[int, Any]]:
        """Yields the values some rows at a time, each time the first row and a tensor, and forgets them."""
        values, self.values = self.values, None
        rows, block = (values.rows, values.block) if isinstance(values, Rows) else (values.shape[0], BLOCK)
        for first in range(0, rows, block):
            part = slice(first, min(first + block, rows))
            yield first, values.read(part) if isinstance(values, Rows) else values[part]

    def complete(self, drawn: Callable[[Array], Any], dtype: Any) -> Any:
        """Returns all rows as they start, a tensor `(rows, dimension)`: at its making, two of them are in memory."""
        import tensorflow as tf

        values = tf.cast(self.released(), dtype)
        for rows, own in self.remaining(drawn):
            values = tf.tensor_scatter_nd_update(values, rows[:, np.newaxis], tf.cast(own, dtype))
        return values

    def remaining(self, drawn: Callable[[Array], Any]) -> Iterator[tuple[Array, Any]]:
        """Yields rows, and the values that they hold instead of what `values` says, some at a time.

        Args:
            drawn: Returns what the table's initializer draws for rows, given their numbers.
        """
        yield from self.changes
        for start in range(0, len(self.new), BLOCK):
            rows = self.new[start : start + BLOCK]
            yield rows, drawn(rows)


def started(read: "Future[Any]", found: Matches, on_missing_rows: str, report: Report) -> Start:
    """Returns what a table starts from.

    Args:
        read: All values there, a tensor `(rows there, dimension)`, as soon as they are read.
        found: Which of them each row takes.
        on_missing_rows: What a row starts from that takes none.
        report: What was matched.
    """
    import tensorflow as tf

    new = found.new
    with tf.init_scope(), tf.device("CPU"):
        values = read.result()
        changes: list[tuple[Array, Array]] = []
        rows, several = found.several
        made = (several >= 0).any(axis=1)
        if made.any():
            changes.append((rows[made], _means(values, several[made])))
        if on_missing_rows == MEAN and len(new):
            changes.append((new, np.tile(_mean(values), (len(new), 1))))
        if not found.keep_places(values.shape[0]):
            values = tf.gather(values, np.maximum(found.ids, 0))  # (rows, dimension)
    drawn = new if on_missing_rows != MEAN else new[:0]
    return Start(values, tuple(changes), drawn, report)


def as_tensor(read: Callable[[], Any], rows: int) -> Any:
    """Returns what `read` does as a tensor; an array is let go as soon as it is copied.

    The memory of a result of so many rows is got from the system here, where keys are compared at the same time: to get
    it takes longer than to fill it, and TensorFlow keeps what is let go.
    """
    import tensorflow as tf

    with tf.init_scope(), tf.device("CPU"):
        values = tf.convert_to_tensor(read())
        tf.zeros((rows, values.shape[1]), values.dtype)
        return values


def _means(values: Any, ids: Array) -> Array:
    """Returns the mean of the rows in each line that there are, `(lines, dimension)`."""
    table = np.asarray(values)
    total = np.zeros((len(ids), table.shape[1]), np.float64)
    for column in ids.T:
        total += np.where((column >= 0)[:, np.newaxis], table[np.maximum(column, 0)].astype(np.float64), 0)
    return (total / (ids >= 0).sum(axis=1, keepdims=True)).astype(np.float32)


def _mean(values: Any) -> Array:
    table = np.asarray(values)
    total = np.zeros(table.shape[1])
    for start in range(0, len(table), BLOCK):
        total += table[start : start + BLOCK].astype(np.float64).sum(axis=0)
    return (total / max(len(table), 1)).astype(np.float32)
