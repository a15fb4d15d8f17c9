"""Different keys and how many rows each has, added up batch by batch."""

from typing import Any

import numpy as np
import pyarrow as pa

Rows = np.ndarray[Any, Any]
"""int64, `(keys,)`."""

PENDING = 1 << 18
"""Rows that wait to be counted; fewer, bigger counts cost less than many small ones."""


class Tally:
    """The rows of each key, where a key is one value, or several values side by side.

    Example:
        >>> tally = Tally()
        >>> tally.add(pa.array([8, 9, 8]))
        >>> (keys,), rows = tally.counted()
        >>> keys.to_pylist(), rows.tolist()
        ([8, 9], [2, 1])
    """

    def __init__(self) -> None:
        self._tables: list[Any] = []
        self._pending = 0

    def add(self, *values: Any, rows: Rows | None = None) -> None:
        """Counts rows of keys.

        Args:
            *values: Arrow arrays of one length, one for each value of a key; of the same types at every call.
            rows: How many rows each has; None is one.
        """
        names = [str(place) for place in range(len(values))]
        rows = np.ones(len(values[0]), np.int64) if rows is None else rows
        self._tables.append(pa.table([*values, pa.array(rows)], names=[*names, "rows"]))
        self._pending += len(rows)
        if self._pending > max(PENDING, self._tables[0].num_rows):
            self._count()

    @property
    def size(self) -> int:
        """How many different keys there are, but for those that wait to be counted."""
        return 0 if not self._tables or len(self._tables) > 1 else int(self._tables[0].num_rows)

    def include(self, other: "Tally") -> None:
        """Counts the rows of another tally too."""
        self._tables.extend(other._tables)
        self._pending += sum(table.num_rows for table in other._tables)

    def counted(self) -> tuple[list[Any], Rows]:
        """Returns the different keys in the order they came, as arrays side by side, and the rows of each."""
        if not self._tables:
            return [], np.array([], np.int64)
        self._count()
        *keys, rows = (column.combine_chunks() for column in self._tables[0].columns)
        return keys, rows.to_numpy()

    def _count(self) -> None:
        if self._pending:
            self._tables = [_counted(pa.concat_tables(self._tables))]
            self._pending = 0


def _counted(table: Any) -> Any:
    names = [name for name in table.column_names if name != "rows"]
    # Threads would return the keys in another order at each run.
    grouped = table.group_by(names, use_threads=False).aggregate([("rows", "sum")])
    return grouped.select([*names, "rows_sum"]).rename_columns([*names, "rows"])
