"""What a comparison of both sides found, as values and as text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Comparison:
    """One column through TensorFlow and through us.

    Args:
        column: The column's name.
        equal: Whether all rows gave the same.
        row: The first row that differs; None where all are equal, or no row is to blame.
        raw: The raw values of that row, by key.
        theirs: What TensorFlow makes of that row, or the first line of its error.
        ours: What we make of it, or our error.
        why: The reason, in a sentence.
    """

    column: str
    equal: bool
    row: int | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    theirs: Any = None
    ours: Any = None
    why: str = ""

    def __str__(self) -> str:
        """Returns the difference as a paragraph, or one line where there is none."""
        if self.equal:
            return f"{self.column}: equal"
        place = "" if self.row is None else f", row {self.row}"
        raw = ", ".join(f"{key}={value!r}" for key, value in self.raw.items())
        lines = [f"{self.column}{place}", *([f"  raw     {raw}"] if raw else [])]
        theirs, ours = _shown(self.theirs, self.ours), _shown(self.ours, self.theirs)
        return "\n".join([*lines, f"  theirs  {theirs}", f"  ours    {ours}", f"  why     {self.why}"])


@dataclass(frozen=True, repr=False)
class Parity:
    """What `check_parity` found: one `Comparison` a column, in the order given; it prints as a table.

    Example:
        >>> print(Parity(2, (Comparison("hour", True),)))
        1 of 1 columns equal on 2 rows.
        <BLANKLINE>
        column  result
        hour    equal
    """

    rows: int
    comparisons: tuple[Comparison, ...]

    @property
    def equal(self) -> bool:
        """Whether every column gave the same on every row."""
        return all(comparison.equal for comparison in self.comparisons)

    def __iter__(self) -> Iterator[Comparison]:
        return iter(self.comparisons)

    def __len__(self) -> int:
        return len(self.comparisons)

    def __str__(self) -> str:
        equal = sum(comparison.equal for comparison in self)
        summary = f"{equal} of {len(self)} columns equal on {self.rows:,} row{'s' * (self.rows != 1)}."
        width = max([len("column"), *(len(comparison.column) for comparison in self)])
        table = [f"{'column':<{width}}  result"]
        for comparison in self:
            place = "" if comparison.row is None else f", first in row {comparison.row}"
            result = "equal" if comparison.equal else f"differs{place}"
            table.append(f"{comparison.column:<{width}}  {result}")
        differences = [str(comparison) for comparison in self if not comparison.equal]
        return "\n\n".join([summary, "\n".join(table), *differences])

    __repr__ = __str__


def alike(one: Any, two: Any) -> Any:
    """Tells which of two outputs' values are equal: ids bit for bit, numbers up to what rounding does to sums.

    Example:
        >>> alike(np.array([1.0, np.nan, 2.0]), np.array([1.0 + 1e-7, np.nan, 2.1])).tolist()
        [True, True, False]
    """
    if one.dtype.kind == two.dtype.kind == "i":
        return one == two
    return np.isclose(one, two, rtol=1e-6, atol=1e-5, equal_nan=True)


def _shown(value: Any, other: Any) -> str:
    """Returns an output as text; of a long one, the first place that differs from the other's."""
    if isinstance(value, str):
        return value
    values, others = np.asarray(value), np.asarray(other)
    if values.size <= 8 or others.shape != values.shape or others.dtype.kind not in "if":
        return np.array2string(values, precision=6, separator=", ", threshold=16).replace("\n", "")
    place = next(zip(*np.where(~alike(values, others)), strict=True))
    return f"{values[place]:g} at {[int(number) for number in place]} of {list(values.shape)}"
