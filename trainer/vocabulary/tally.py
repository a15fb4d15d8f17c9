"""Different keys and how many rows each has, added up batch by batch: all of them, or in bounded memory."""

from typing import Any

import numpy as np
import pyarrow as pa

from trainer.vocabulary.distinct import Distinct

Rows = np.ndarray[Any, Any]
"""int64, `(keys,)`."""

PENDING = 1 << 18
"""Rows that wait to be counted; fewer, bigger counts cost less than many small ones."""

SKETCH = "Misra-Gries"


class Tally:
    """The rows of each key, where a key is one value, or several values side by side.

    Args:
        most: The different keys up to which counts are exact; None counts all. Beyond, the `most` keys that are left
            have counts that are too low by at most `error`, and a key that has more rows than that is among them.

    Source:
        Jayadev Misra and David Gries, "Finding repeated elements", 1982; in parts that are added up, Pankaj Agarwal and
        others, "Mergeable summaries", 2012.

    Example:
        >>> tally = Tally()
        >>> tally.add(pa.array([8, 9, 8]))
        >>> (keys,), rows = tally.counted()
        >>> keys.to_pylist(), rows.tolist()
        ([8, 9], [2, 1])
    """

    def __init__(self, most: int | None = None) -> None:
        self._most, self._error = most, 0
        self._tables: list[Any] = []
        self._pending = 0
        self._distinct: Distinct | None = None

    def add(self, *values: Any, rows: Rows | None = None) -> None:
        """Counts rows of keys.

        Args:
            *values: Arrow arrays of one length, one for each value of a key; of the same types at every call.
            rows: How many rows each has; None is one.
        """
        names = [str(place) for place in range(len(values))]
        rows = np.ones(len(values[0]), np.int64) if rows is None else rows
        if not len(rows) and self._tables:  # the first table tells the types
            return
        self._tables.append(pa.table([*values, pa.array(rows)], names=[*names, "rows"]))
        self._pending += len(rows)
        self._count_many()

    @property
    def size(self) -> int:
        """How many different keys there are, but for those that wait to be counted."""
        return 0 if not self._tables or len(self._tables) > 1 else int(self._tables[0].num_rows)

    @property
    def error(self) -> int:
        """The rows by which a count may be too low, or that a key may have that is not there; 0 is exact."""
        self._count()
        return self._error

    @property
    def different(self) -> int:
        """How many different keys came: exactly, or, where counts are not exact, estimated."""
        self._count()
        return self.size if self._distinct is None else self._distinct.estimate

    def include(self, other: "Tally") -> None:
        """Counts the rows of another tally too."""
        self._tables.extend(table for table in other._tables if table.num_rows or not self._tables)
        self._pending += sum(table.num_rows for table in other._tables)
        self._error += other._error
        if other._distinct is not None:
            self._distinct = self._distinct or Distinct()
            self._distinct.include(other._distinct)
        self._count_many()

    def replaced(self, *values: Any, rows: Rows) -> "Tally":
        """Returns a tally with as large an error, and other keys in the place of those of `counted`.

        Args:
            *values: As in `add`, all different: of two that are equal the errors would add up.
            rows: Of each.
        """
        made = Tally(self._most)
        made._error = self._error
        if self._distinct is not None:
            made._distinct = Distinct()
            made._distinct.include(self._distinct)
        made.add(*values, rows=rows)
        return made

    def counted(self) -> tuple[list[Any], Rows]:
        """Returns the different keys in the order they came, as arrays side by side, and the rows of each."""
        if not self._tables:
            return [], np.array([], np.int64)
        self._count()
        *keys, rows = (column.combine_chunks() for column in self._tables[0].columns)
        return keys, rows.to_numpy()

    def _count_many(self) -> None:
        if self._pending > max(PENDING, self._tables[0].num_rows if self._tables else 0):
            self._count()

    def _count(self) -> None:
        if self._pending:
            table = _counted(pa.concat_tables(self._tables))
            self._tables = [table if self._most is None else self._bounded(table, self._most)]
            self._pending = 0

    def _bounded(self, table: Any, most: int) -> Any:
        """Returns the most frequent keys, their counts lowered by that of the first that has no place."""
        if table.num_rows > most and self._distinct is None:
            self._distinct = Distinct()
        if self._distinct is not None:
            self._distinct.add(table.column(0).combine_chunks())
        if table.num_rows <= most:
            return table
        rows = table.column("rows").to_numpy()
        cut = int(np.partition(rows, len(rows) - most - 1)[len(rows) - most - 1])
        self._error += cut
        kept = np.flatnonzero(rows > cut)
        taken = table.take(pa.array(kept))
        return taken.set_column(taken.num_columns - 1, "rows", pa.array(rows[kept] - cut))


def _counted(table: Any) -> Any:
    names = [name for name in table.column_names if name != "rows"]
    # Threads would return the keys in another order at each run.
    grouped = table.group_by(names, use_threads=False).aggregate([("rows", "sum")])
    return grouped.select([*names, "rows_sum"]).rename_columns([*names, "rows"])
