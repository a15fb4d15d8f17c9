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
        self._pending: list[np.ndarray[Any, Any]] = []

    def add(self, values: np.ndarray[Any, Any]) -> None:
        """Counts numbers of any shape; NaN is left out."""
        flat = values.astype(np.float32).reshape(-1) + np.float32(0)  # -0.0 becomes 0.0
        self._pending.append(flat[~np.isnan(flat)])
        if sum(map(len, self._pending)) > _PENDING:
            self._count()

    def include(self, other: "Numbers") -> None:
        """Counts the numbers of others too."""
        other._count()
        self._merge(other._values, other._rows)

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
        return [float(str(edge)) for edge in edges]  # 0.1, where float(edge) would be 0.10000000149011612

    def __len__(self) -> int:
        """The number of different numbers."""
        self._count()
        return len(self._values)

    def _count(self) -> None:
        pending, self._pending = self._pending, []
        if pending:
            self._merge(*np.unique(np.concatenate(pending), return_counts=True))

    def _merge(self, values: np.ndarray[Any, Any], rows: np.ndarray[Any, Any]) -> None:
        both = np.concatenate([self._values, values])
        self._values, places = np.unique(both, return_inverse=True)
        weights = np.concatenate([self._rows, rows])
        self._rows = np.bincount(places, weights, len(self._values)).astype(np.int64)
        if len(self._values) > EXACT:
            self._thin()

    def _thin(self) -> None:
        below = np.cumsum(self._rows)
        evenly = np.searchsorted(below, np.linspace(1, below[-1], KEPT))
        kept = np.unique(np.append(evenly, [0, len(below) - 1]))
        self._values, self._rows = self._values[kept], np.diff(below[kept], prepend=0)
