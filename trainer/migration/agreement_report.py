"""How far two models' logits are apart on some rows, as values and as text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.terminal import aligned, listed, shortened

Array = np.ndarray[Any, Any]

_COLUMNS = 20
"""The most columns that are printed."""

_PLACES = 60
"""The most letters that are printed of a raw value."""

_UNITS = 8
"""The most logits of a row that are printed."""


@dataclass(frozen=True, eq=False)
class RowApart:
    """One row through both models.

    Args:
        row: Its place among all rows.
        raw: Its raw values, by key.
        difference: The largest of its logits.
        theirs: What the old model gives, `(units,)`.
        ours: What the new one gives.
    """

    row: int
    raw: Mapping[str, Any]
    difference: float
    theirs: Array
    ours: Array

    def __str__(self) -> str:
        """Returns it as a paragraph."""
        raw = ", ".join(f"{key}={shortened(repr(value), _PLACES)}" for key, value in self.raw.items())
        theirs, ours = _shown(self.theirs, self.ours), _shown(self.ours, self.theirs)
        return f"row {self.row}\n  raw     {raw}\n  theirs  {theirs}\n  ours    {ours}"


@dataclass(frozen=True)
class ColumnApart:
    """How far the models are apart by what one column reads.

    Args:
        name: Of the column.
        keys: The raw features that it reads, and those that go with them.
        difference: The largest that these make alone, beside rows on which the models agree.
        differs: Whether that is over the tolerance.
    """

    name: str
    keys: tuple[str, ...]
    difference: float
    differs: bool


@dataclass(frozen=True, eq=False, repr=False)
class Agreement:
    """What `held_against` found; it prints as a sentence, a summary, a table of columns, and the row that differs most.

    Args:
        compared: What both models gave, in words.
        tolerance: How far logits may be apart, and how far in shares of themselves where they are above 1.
        differences: Of each row, the largest of its logits, `(rows,)`.
        over: Which rows are over the tolerance, `(rows,)`.
        worst: The row with the largest difference.
        columns: One a column, in the order given.
        blamed: The names of those that the differences are of, as far as they can be told apart; where a cross is
            among them, it is that, or what it is made of.
    """

    compared: str
    tolerance: float
    differences: Array
    over: Array
    worst: RowApart
    columns: Sequence[ColumnApart] = ()
    blamed: Sequence[str] = ()

    @property
    def rows(self) -> int:
        """How many rows were compared."""
        return len(self.differences)

    @property
    def equal(self) -> bool:
        """Whether no row is over the tolerance."""
        return not self.over.any()

    @property
    def largest(self) -> float:
        """The largest difference of any logit; inf where one side alone is no number."""
        return float(self.differences.max())

    def quantile(self, share: float) -> float:
        """Returns the difference that so large a share of the rows does not pass."""
        return float(np.quantile(self.differences, share, method="higher"))

    def __str__(self) -> str:
        parts = [self._sentence(), "\n".join(self._summary())]
        parts += ["\n".join(self._table())] if self.columns else []
        return "\n\n".join([*parts, *([] if self.equal else [str(self.worst)])])

    __repr__ = __str__

    def _sentence(self) -> str:
        begin = f"{_rows(self.rows)}: {self.compared}"
        if self.equal and not self.largest:
            return f"{begin} equal bit for bit."
        if self.equal:
            ending = f", within {self.tolerance:g} of their size" if self.largest > self.tolerance else ""
            return f"{begin} equal to {self.largest:.2g}{ending}."
        where = "every row" if self.over.all() else _rows(int(self.over.sum()))
        return f"{begin} differ by up to {self.largest:.2g}, in {where} by more than {self.tolerance:g}{self._blame()}."

    def _blame(self) -> str:
        if not self.columns:
            return ""
        names = f"column{'s' * (len(self.blamed) > 1)} {listed(list(self.blamed))}"
        if self.over.all():  # so what columns make cannot be told from what is there anyway
            return f"; it changes most with {names}" if self.blamed else "; no column changes it, so it may be a bias"
        return f"; to blame: {names}" if self.blamed else "; no column makes it alone"

    def _summary(self) -> list[str]:
        numbers = [self.quantile(0.5), self.quantile(0.99), self.largest]
        heads = ["median", "99 %", "largest", f"rows over {self.tolerance:g}"]
        return aligned([heads, [*(f"{number:.2g}" for number in numbers), f"{int(self.over.sum()):,}"]])

    def _table(self) -> list[str]:
        ordered = sorted(self.columns, key=lambda column: -column.difference)
        rows = [[column.name, f"{column.difference:.2g}"] for column in ordered[:_COLUMNS]]
        rest = ordered[_COLUMNS:]
        more = [f"and {len(rest):,} more, {rest[0].difference:.2g} at most"] if rest else []
        return [*aligned([["column", "difference"], *rows]), *more]


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"


def _shown(values: Array, others: Array) -> str:
    """Returns logits as text; of many, the one that differs most."""
    if values.size <= _UNITS:
        return np.array2string(values, precision=6, separator=", ").replace("\n", "")
    with np.errstate(invalid="ignore"):
        place = int(np.nan_to_num(np.abs(values - others), nan=np.inf).argmax())
    return f"{values[place]:g} at {place} of {values.size}"
