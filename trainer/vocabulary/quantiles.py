"""Numbers, and the boundaries that cut them into ranges of about as many rows each."""

from typing import Any

import numpy as np

EXACT = 1 << 22
"""Different numbers that are kept; beyond, quantiles are right to about one part in a million."""
KEPT = 1 << 20
_PENDING = 1 << 20


class Numbers:
    """The different numbers of a column, sorted, and how many rows each has.

    Example:
        >>> numbers = Numbers()
        >>> numbers.add(np.arange(8, dtype=np.float32))
        >>> numbers.boundaries(4)
        [2.0, 4.0, 6.0]
    """

    def __init__(self) -> None:
        self._values = np.array([], np.float32)
        self._rows = np.array([], np.int64)
        self._pending: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []

    def add(self, values: np.ndarray[Any, Any], rows: np.ndarray[Any, Any] | None = None) -> None:
        """Counts numbers of any shape; NaN is left out.

        Args:
            values: The numbers.
            rows: How many rows each has, of the same shape; None is one.
        """
        with np.errstate(over="ignore"):  # what 32 bits do not hold is infinite
            flat = values.astype(np.float32).reshape(-1) + np.float32(0)  # -0.0 becomes 0.0
        weights = np.ones(len(flat), np.int64) if rows is None else rows.reshape(-1)
        there = ~np.isnan(flat)
        self._pending.append((flat[there], weights[there]))
        self._count_many()

    def include(self, other: "Numbers") -> None:
        """Counts the numbers of others too."""
        self._pending += [*other._pending, (other._values, other._rows)]
        self._count_many()

    def quantiles(self, count: int) -> list[float]:
        """Returns `count + 1` numbers of the data, the smallest first and the largest last, that cut them evenly.

        Example:
            >>> numbers = Numbers()
            >>> numbers.add(np.arange(9, dtype=np.float32))
            >>> numbers.quantiles(4)
            [0.0, 2.0, 4.0, 6.0, 8.0]
        """
        self._count()
        if not len(self._values):
            return []
        below = np.cumsum(self._rows)
        places = np.searchsorted(below, np.arange(count + 1) * (below[-1] - 1) / count, side="right")
        return [_shortest(edge) for edge in self._values[places]]

    def boundaries(self, count: int) -> list[float]:
        """Returns the boundaries of `count` ranges, closed on the left, with about as many rows each.

        Each is one of the numbers. Where numbers repeat so often that two boundaries are equal, there are fewer. None
        is the smallest number, below which there would be no row: the next one takes its place.

        Returns:
            Increasing boundaries, at most `count - 1`; none where there are not two different numbers.
        """
        self._count()
        if len(self._values) < 2:
            return []
        below = np.cumsum(self._rows)
        targets = np.arange(1, count) * below[-1] / count
        places = np.searchsorted(below, targets, side="right")
        edges = self._values[np.unique(np.maximum(places, 1))]
        return [_shortest(edge) for edge in edges]

    def __len__(self) -> int:
        """The number of different numbers."""
        self._count()
        return len(self._values)

    def _count_many(self) -> None:
        if sum(len(values) for values, _ in self._pending) > _PENDING:
            self._count()

    def _count(self) -> None:
        if not self._pending:
            return
        parts, self._pending = [(self._values, self._rows), *self._pending], []
        values, rows = (np.concatenate(each) for each in zip(*parts, strict=True))
        self._values, places = np.unique(values, return_inverse=True)
        self._rows = np.bincount(places, rows, len(self._values)).astype(np.int64)
        if len(self._values) > EXACT:
            self._thin()

    def _thin(self) -> None:
        below = np.cumsum(self._rows)
        evenly = np.searchsorted(below, np.linspace(1, below[-1], KEPT))
        kept = np.unique(np.append(evenly, [0, len(below) - 1]))
        self._values, self._rows = self._values[kept], np.diff(below[kept], prepend=0)


def _shortest(number: np.floating[Any]) -> float:
    return float(str(number))  # 0.1, where float(number) would be 0.10000000149011612
