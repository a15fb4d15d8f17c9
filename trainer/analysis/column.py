"""What an analysis tells of one column, and its values in the order of a vocabulary."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from trainer.analysis.facts import Facts
from trainer.vocabulary.tally import Tally

TEXT, WHOLE, NUMBER, EMPTY = "text", "whole numbers", "numbers", "empty"
"""What the values of a column are, all of them."""


@dataclass(frozen=True, eq=False)
class Column:
    """What is known of a column.

    Args:
        name: Its name.
        kind: What all its values are: `TEXT`, `WHOLE` numbers of 64 bits, `NUMBER`s, or `EMPTY`.
        is_bag: Whether a row may have several.
        rows: Of the files.
        missing: Rows without a value.
        different: Its different values; estimated where `is_exact` is false.
        is_exact: Whether each value is counted, and counted right.
        error: The rows by which a count may be too low.
        values: The different values that are left, the most frequent first, ties by value: an Arrow array of bytes or
            int64; none of a column of numbers, or of one that is empty.
        counts: Of each, `(values,)`.
        facts: Of its numbers.
    """

    name: str
    kind: str
    is_bag: bool
    rows: int
    missing: int
    different: int
    is_exact: bool
    error: int
    values: Any
    counts: np.ndarray[Any, Any]
    facts: Facts

    @classmethod
    def of(cls, name: str, facts: Facts, rows: int) -> "Column":
        """Returns what is known of a column of so many rows."""
        kind = _kind(facts)
        tally = _tally(facts, kind)
        values, counts = _sorted(tally)
        different, is_exact = tally.different, tally.error == 0
        if kind == NUMBER:
            different, is_exact = facts.distinct.estimate, facts.distinct.is_exact
        if kind == TEXT and facts.float_fractions:  # whose texts are not known
            is_exact = False
        missing = rows - facts.rows
        return cls(name, kind, facts.is_bag, rows, missing, different, is_exact, tally.error, values, counts, facts)

    @property
    def count(self) -> int:
        """Its values in all rows."""
        return self.facts.whole + self.facts.fractions + self.facts.words

    @property
    def missing_share(self) -> float:
        """The share of rows without a value."""
        return self.missing / self.rows if self.rows else 0.0

    @property
    def has_vocabulary(self) -> bool:
        """Whether its values can be a vocabulary."""
        return self.kind in (TEXT, WHOLE)

    def texts(self, most: int | None = None) -> list[str]:
        """Returns the most frequent values as a person reads them."""
        return [self.text(place) for place in range(len(self.values) if most is None else min(most, len(self.values)))]

    def text(self, place: int) -> str:
        """Returns a value as a person reads it."""
        value = self.values[place].as_py()
        return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _kind(facts: Facts) -> str:
    if facts.words:
        return TEXT
    if facts.fractions:
        return NUMBER
    return WHOLE if facts.whole else EMPTY


def _tally(facts: Facts, kind: str) -> Tally:
    """Returns the counts of a column's values, all of one type."""
    if kind in (NUMBER, EMPTY):
        return Tally()
    if kind == WHOLE:
        return _together(facts.of_texts, facts.integers)
    return _together(facts.texts, _as_texts(facts.integers))


def _together(one: Tally, other: Tally) -> Tally:
    if not other.different:
        return one
    if not one.different:
        return other
    both = one.replaced(*one.counted()[0], rows=one.counted()[1])
    both.include(other)
    return both


def _as_texts(integers: Tally) -> Tally:
    if not integers.different:
        return integers
    (keys,), rows = integers.counted()
    return integers.replaced(keys.cast(pa.string()).cast(pa.binary()), rows=rows)


def _sorted(tally: Tally) -> tuple[Any, np.ndarray[Any, Any]]:
    keys, rows = tally.counted()
    if not keys:
        return pa.array([], pa.binary()), rows
    table = pa.table({"value": keys[0], "rows": rows}).sort_by([("rows", "descending"), ("value", "ascending")])
    return table["value"].combine_chunks(), table["rows"].to_numpy()
