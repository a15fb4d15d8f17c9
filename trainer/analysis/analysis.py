"""The columns of some rows, analysed part by part; parts may be added up in any order, on any machine."""

import functools
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from trainer.analysis.column import Column
from trainer.analysis.facts import MOST, Facts
from trainer.analysis.findings import Odd
from trainer.feature_column import Tokens
from trainer.inputs.bad_rows import BadRow


class Analysis:
    """What is known of the columns of the rows seen so far.

    Args:
        most: The different values of a column up to which they are counted exactly.
        bags: What stands between the values of a row, or how a text becomes words, by the name of a column of texts.

    Example:
        >>> import pyarrow as pa
        >>> analysis = Analysis(bags={"genres": "|"})
        >>> analysis.add({"genres": pa.array(["Crime|Drama", "Drama", None])}, 3)
        >>> (genres,) = analysis.columns()
        >>> genres.texts(), genres.counts.tolist(), genres.missing
        (['Drama', 'Crime'], [2, 1], 1)
    """

    def __init__(self, most: int = MOST, bags: Mapping[str, str | Tokens] | None = None) -> None:
        self._most, self._bags = most, dict(bags or {})
        self.facts: dict[str, Facts] = {}
        """By the name of the column."""
        self.rows = 0

    def add(self, columns: Mapping[str, Any], rows: int) -> None:
        """Takes Arrow arrays by name, of so many rows."""
        self.rows += rows
        for name, column in columns.items():
            self._of(name).add(column)

    def include(self, other: "Analysis") -> None:
        """Takes what is known of other rows."""
        self.rows += other.rows
        for name, facts in other.facts.items():
            self._of(name).include(facts)

    def columns(self, order: Iterable[str] = ()) -> list[Column]:
        """Returns what is known of each column: those that are named first, the others in the order of their names.

        A column that some rows do not have is missing there.

        Args:
            order: Names of columns, those of no row among them.
        """
        first = list(order)
        names = [*first, *sorted(set(self.facts) - set(first))]
        for name in first:
            self._of(name)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(lambda name: Column.of(name, self.facts[name], self.rows), names))

    def _of(self, name: str) -> Facts:
        return self.facts.setdefault(name, Facts(self._most, self._bags.get(name)))


@dataclass(frozen=True)
class Found:
    """What was found in files.

    Args:
        columns: In the order of the first file.
        files: Their paths.
        rows: Of all files, but for the bad ones.
        bad_rows: Those that could not be read.
    """

    columns: Sequence[Column]
    files: Sequence[str]
    rows: int
    bad_rows: Sequence[BadRow] = ()

    @functools.cached_property
    def odd(self) -> dict[str, Odd]:
        """What is odd in each column, by its name."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return dict(zip((column.name for column in self.columns), pool.map(Odd.of, self.columns), strict=True))

    def __str__(self) -> str:
        """As a line."""
        of = self.files[0] if len(self.files) == 1 else f"{len(self.files):,} files"
        bad = f"; {len(self.bad_rows):,} could not be read, the first: {self.bad_rows[0]}" if self.bad_rows else ""
        return f"{self.rows:,} rows of {of}{bad}"
