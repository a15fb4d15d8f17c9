"""What is odd in a column, in sentences: values that differ by blanks or case, row numbers, stand-ins for nothing."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.analysis.column import TEXT, WHOLE, Column
from trainer.analysis.facts import readable

FEW_ROWS = 20
"""Rows below which it is no wonder that all values differ."""

SAID = 20
"""The most groups of near values that are told."""

NOTED = 3
"""Those that are told in sentences."""

NEARLY_UNIQUE = 0.95
"""The share of different values among all from which on a column tells rows apart."""

FEW_WORDS = 0.05
"""The share of values that are no numbers up to which a column is one of numbers with something else in it."""

_STAND_INS = ("?", "-", "--", ".", "n/a", "na", "nan", "null", "none", "nil", "missing", "\\n", "unknown")


@dataclass(frozen=True)
class NearValues:
    """Values that differ by case, by blanks or by how a letter is stored, and are probably one.

    Args:
        values: The most frequent first.
        counts: Of each.
    """

    values: tuple[str, ...]
    counts: tuple[int, ...]

    def __str__(self) -> str:
        """As part of a sentence."""
        return " and ".join(f"'{value}' ({count:,})" for value, count in zip(self.values, self.counts, strict=True))


@dataclass(frozen=True)
class Odd:
    """What is odd in a column.

    Args:
        near: Values that are probably one.
        notes: What a person should know of it, in sentences without a full stop.
    """

    near: Sequence[NearValues]
    notes: Sequence[str]

    @classmethod
    def of(cls, column: Column) -> "Odd":
        """Returns what is odd in a column."""
        near = near_values(column)
        return cls(near, [note for note in _notes(column, near) if note])


def near_values(column: Column) -> list[NearValues]:
    """Returns the groups of values of a column that are probably one, those with the most rows first.

    Args:
        column: Of any kind; numbers have none.
    """
    if column.kind != TEXT or not len(column.values):
        return []
    plain = _plain(readable(column.values))
    counted = plain.value_counts()
    several = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
    places = np.flatnonzero(pc.is_in(plain, several).to_numpy(zero_copy_only=False))
    groups: dict[str, list[int]] = {}
    for place, text in zip(places.tolist(), plain.take(pa.array(places)).to_pylist(), strict=True):
        groups.setdefault(text, []).append(place)
    found = sorted(groups.values(), key=lambda group: (-int(column.counts[group].sum()), group))[:SAID]
    return [
        NearValues(tuple(map(column.text, group)), tuple(int(column.counts[place]) for place in group))
        for group in found
    ]


def stand_ins(column: Column) -> list[tuple[str, int]]:
    """Returns values that probably stand for a missing one, and the rows of each."""
    if column.kind != TEXT:
        return []
    found = zip(column.texts(1000), column.counts.tolist(), strict=False)
    return [(text, rows) for text, rows in found if text.strip().lower() in _STAND_INS]


def is_row_number(column: Column) -> bool:
    """Tells whether a column numbers the rows: whole numbers without a gap, each once."""
    facts = column.facts
    if column.kind != WHOLE or column.is_bag or column.missing or column.rows < FEW_ROWS:
        return False
    has_all = facts.least is not None and facts.greatest - facts.least + 1 == column.rows  # type: ignore[operator]
    return bool(has_all) and (column.different == column.rows if column.is_exact else _nearly_all_differ(column))


def is_unique(column: Column) -> bool:
    """Tells whether nearly each row has a value of its own, so that a value says which row it is, and no more."""
    if column.is_bag or not column.has_vocabulary or column.count < FEW_ROWS:
        return False
    return _nearly_all_differ(column)


def _notes(column: Column, near: Sequence[NearValues]) -> list[str]:
    facts, different = column.facts, column.different
    of = f"{column.count:,} values" if column.is_bag else f"{column.count:,} rows"
    found = [f"holds {facts.unread}, which is not read" if facts.unread else ""]
    if not column.count:
        return [*found, "" if facts.unread else "has no value at all"]
    found.append(f"is always {column.texts(1)[0] if column.has_vocabulary else facts.least}" if different == 1 else "")
    if is_row_number(column):
        found.append(f"numbers the rows from {facts.least:,} to {facts.greatest:,}")
    elif is_unique(column):
        about = "" if column.is_exact else "about "
        found.append(f"has {about}{different:,} different values in {of}, so nearly each is a row's own")
    numbers = column.count - facts.words
    if column.kind == TEXT and numbers and facts.words <= FEW_WORDS * column.count:
        found.append(f"is a number in {numbers:,} of {of}, and else text")
    for text, rows in stand_ins(column):
        found.append(f"has '{text}' {rows:,} times, which may stand for a missing value")
    for group in near[:NOTED]:
        found.append(f"has {group}, which may be one value")
    if len(near) > NOTED:
        found.append(f"has {len(near) - NOTED}{' or more' * (len(near) == SAID)} other groups of values like these")
    if column.kind == WHOLE and facts.least == -1:
        missing = int(column.counts[np.asarray(column.values) == -1].sum())
        found.append(f"is -1 in {missing:,} rows, which a column of ids takes as missing")
    if column.kind == TEXT and facts.float_fractions:
        found.append(f"is a number in some files and text in others; {facts.float_fractions:,} fractions are left out")
    if column.error:
        found.append(f"has about {different:,} different values, so counts are too low by at most {column.error:,}")
    return found


def _nearly_all_differ(column: Column) -> bool:
    return column.different >= NEARLY_UNIQUE * column.count


def _plain(texts: Any) -> Any:
    """Returns texts without case, outer blanks and runs of them, and with each letter stored in one way."""
    if not pc.all(pc.string_is_ascii(texts)).as_py():
        texts = pa.array([unicodedata.normalize("NFKC", text) for text in texts.to_pylist()], pa.string())
    return pc.replace_substring_regex(pc.utf8_trim_whitespace(pc.utf8_lower(texts)), r"\s+", " ")
