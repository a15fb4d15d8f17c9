"""All that is suggested for a table: its label, the parts of a problem, and what is left out."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.analysis import Found
from trainer.analysis.column import WHOLE, Column
from trainer.analysis.facts import whole_numbers
from trainer.errors import Refusal, nearest
from trainer.suggestion import kinds
from trainer.suggestion.given import Given
from trainer.suggestion.information import Target, gain, told
from trainer.suggestion.label import Label, label_of
from trainer.suggestion.part import LeftOut, Names, Part

LEAKS = 0.8
"""The share of what there is to tell from which on a column says the label itself."""

SUSPECT = 0.5
"""The share from which on a column of a problem with classes is probably known only after its label."""

CROSSES, TRIED = 3, 10
"""Crosses that are suggested, and columns whose pairs are tried, those that tell most."""

WORTH = 0.002
"""Bits a row from which on a cross is worth its rows."""

MOST_PAIRS = 100_000
"""Rows of an exact cross; larger ones are not suggested."""

_PYTHON = (
    *("fc", "np", "re", "times", "words", "rows", "columns", "from_rows", "Problem", "PROBLEM", "Files", "CsvFormat"),
    *("BinaryHead", "MultiClassHead", "RegressionHead"),
)


@dataclass(frozen=True)
class Cross:
    """A pair of columns that tell more together than apart.

    Args:
        part: The cross.
        is_worth: Whether that is more than chance, and enough.
    """

    part: Part
    is_worth: bool


@dataclass(frozen=True)
class Suggestion:
    """What is suggested for a table.

    Args:
        found: What was found in it.
        label: Its label.
        parts: In the order of the columns.
        crosses: The best first.
        left_out: In the order of the columns.
        people: Two columns, of who judges and of what is judged, where the table has judgements.
    """

    found: Found
    label: Label
    parts: Sequence[Part]
    crosses: Sequence[Cross]
    left_out: Sequence[LeftOut]
    people: tuple[str, str] | None = None


def suggested(found: Found, sample: Mapping[str, Any], label: str) -> Suggestion:
    """Returns what is suggested.

    Args:
        found: What was found in files.
        sample: Some of their rows, Arrow arrays of strings by name.
        label: The name of the column that is to be predicted.

    Raises:
        Refusal: There is no such column, it can be no label, or no other column tells anything.
    """
    columns = {column.name: column for column in found.columns}
    if label not in columns:
        ending = nearest(label, columns) or f"; there are {', '.join(columns)}."
        raise Refusal(f"--label: there is no column '{label}'{ending}")
    names = Names(columns, _PYTHON)
    texts = {name: _plain(sample[name], column) for name, column in columns.items()}
    of_label = label_of(columns[label], texts[label], names)
    there = pa.array(of_label.there)
    parts: list[Part] = []
    left_out: list[LeftOut] = []
    for name, column in columns.items():
        if name == label:
            continue
        given = Given(column, texts[name].filter(there), of_label.target, names)
        part = kinds.becomes(given)
        part = _judged(part, of_label, given) if isinstance(part, Part) else part
        if isinstance(part, Part):
            parts.append(part)
        else:
            left_out.append(part)
    if not parts:
        reasons = "; ".join(f"{each.name}: {each.reason}" for each in left_out).rstrip(".")
        raise Refusal(f"suggest: no column is left to tell '{label}' by ({reasons}); give files with other columns.")
    return Suggestion(
        found, of_label, parts, _crosses(parts, of_label.target, names), left_out, _people(found, of_label)
    )


def _plain(texts: Any, column: Column) -> Any:
    """Returns texts of whole numbers without what is none of the number, as 3 of 3.0; '' is missing."""
    if column.kind != WHOLE or column.is_bag:
        return texts
    known = pc.if_else(pc.equal(texts, ""), None, texts)
    return pc.fill_null(whole_numbers(known).cast(pa.string()), "")


def _judged(part: Part, label: Label, given: Given) -> Part | LeftOut:
    """Returns a part with what it tells, or why it tells too much."""
    target = label.target
    if part.codes is not None and _is_copy(part.codes, label, given):
        return LeftOut(part.key, "each of its values comes with one of the label's, so it says the label itself.")
    every = [told(target, codes) for codes in (part.codes, part.finer) if codes is not None]
    if not every:
        return part
    most = max(every, key=lambda each: each.share)
    of = "of what there is to know of the label" if target.is_class else "of the variance of the label"
    share = f"it tells {100 * most.share:.0f} % {of} by itself"
    if most.share >= LEAKS:
        return LeftOut(part.key, f"{share}, as what is known only afterwards does; if it is known before, put it in.")
    if most.share >= SUSPECT and target.is_class:
        return LeftOut(part.key, f"{share}, which is suspect; if it is known before, put it in.")
    return dataclasses.replace(part, told=every[0])


def _crosses(parts: Sequence[Part], target: Target, names: Names) -> list[Cross]:
    """Returns the pairs of columns that tell most beyond both."""
    usable = [part for part in parts if part.told is not None and part.is_crossable]
    best = sorted(usable, key=lambda part: -part.told.bits if part.told else 0.0)[:TRIED]
    tried: list[tuple[float, float, Part, Part]] = []
    for one, two in itertools.combinations(best, 2):
        if one.codes is None or two.codes is None or one.size * two.size > MOST_PAIRS:
            continue
        if not _says_the_other(one.codes, two.codes):
            bits, error = gain(target, one.codes, two.codes)
            first, second = sorted((one, two), key=parts.index)
            tried.append((bits, error, first, second))
    tried.sort(key=lambda each: -each[0])
    return [
        Cross(_cross(one, two, bits, names), bits > max(WORTH, 2 * error))
        for bits, error, one, two in tried[:CROSSES]
        if bits > 0
    ]


def _is_copy(codes: Any, label: Label, given: Given) -> bool:
    """Tells whether a column and a label of classes are one and the same under other names."""
    if not label.target.is_class or given.column.different != label.column.different or len(codes) < 10:
        return False
    together = np.unique(codes * (label.codes.max() + 1) + label.codes)
    return len(together) == len(np.unique(codes)) == len(np.unique(label.codes))


def _says_the_other(one: Any, two: Any) -> bool:
    """Tells whether nearly each value of one column comes with one value of the other, as a quarter with its town."""
    _, pairs = np.unique(one * (two.max() + 1) + two, return_counts=True)
    return len(pairs) <= 1.1 * max(len(np.unique(one)), len(np.unique(two)))


def _cross(one: Part, two: Part, bits: float, names: Names) -> Part:
    name = names.variable(f"{one.variable}_{two.variable}")
    declaration = f"fc.crossed_column([{one.variable}, {two.variable}])"
    reason = f"{one.variable} and {two.variable} together tell {bits:.4f} bits a row more than apart."
    return Part("", name, declaration, reason, None, one.size * two.size)


def _people(found: Found, label: Label) -> tuple[str, str] | None:
    """Returns who judges and what is judged, where each row of a table is a judgement of few steps."""
    if label.target.is_class or label.column.different > 20:
        return None
    ids = [
        column.name
        for column in found.columns
        if column.kind == WHOLE and not column.is_bag and column.name != label.column.name
        and 100 < column.different < column.count / 5 and column.facts.least != column.facts.greatest
    ]  # fmt: skip
    return (ids[0], ids[1]) if len(ids) >= 2 else None
