"""Columns of numbers: codes, small whole numbers, and amounts in ranges."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.analysis.column import NUMBER, TEXT, WHOLE
from trainer.analysis.findings import stand_ins
from trainer.suggestion import texts
from trainer.suggestion.given import TELLS, Given
from trainer.suggestion.part import Part
from trainer.suggestion.python import written
from trainer.terminal import listed

RANGES = 20
"""Into which numbers are cut."""

FINER = 200
"""Ranges in which a threshold shows that says the label."""

OWN_ROW = 50
"""Whole numbers from 0 or 1 on up to which each has a row of its own, as an hour or a month has."""

_EXACT = 2**53

_CODES = {"id", "ids", "code", "codes", "zip", "zipcode", "postcode", "plz", "sku", "isbn", "key", "uuid", "guid"}
"""Words at the end of the name of a column of codes."""

_POSTAL = {"zip", "zipcode", "postal", "postcode", "plz"}
"""Words anywhere in it."""


def is_code(name: str) -> bool:
    """Tells whether a column has codes and no amounts, by the words of its name.

    Example:
        >>> [is_code(name) for name in ("userId", "ZIP", "Customer ID", "zip_code", "zipped", "flights", "idle")]
        [True, True, True, True, False, False, False]
    """
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)]
    return bool(words) and (words[-1] in _CODES or not _POSTAL.isdisjoint(words))


def with_stand_ins(given: Given) -> Part | None:
    """Numbers of which a few texts stand for a missing one."""
    column = given.column
    stands = [text for text, _ in stand_ins(column)]
    if column.kind != TEXT or not stands or column.different <= RANGES:
        return None
    numbers = given.numbers
    others = {text for text in pc.unique(given.texts.filter(pa.array(np.isnan(numbers)))).to_pylist() if text}
    if not others <= set(stands) or not column.facts.whole + column.facts.fractions:
        return None
    rows = f"rows[{written(column.name)}]"
    made = {column.name: f'np.where(np.isin({rows}, {written(sorted(others))}), "", {rows})'}
    return _ranges(given, f"numbers, and {listed(sorted(others))} for a missing one", made)


def small(given: Given) -> Part | None:
    """Whole numbers from 0 or 1 on of which there are few, as hours and months."""
    column, least, greatest = given.column, given.column.facts.least, given.column.facts.greatest
    if column.kind != WHOLE or column.is_bag or least not in (0, 1) or greatest is None or greatest > OWN_ROW:
        return None
    reason = f"whole numbers from {least} to {greatest}, each with a row of its own."
    declaration = f"fc.categorical_column_with_identity({written(column.name)}, {int(greatest) + 1})"
    return Part(column.name, given.variable, declaration, reason, given.by_value, int(greatest) + 1)


def codes(given: Given) -> Part | None:
    """Whole numbers that are no amounts, by their name, or because they tell more one by one."""
    column, least = given.column, given.column.facts.least
    if column.kind != WHOLE or column.is_bag or least is None or least < 0:
        return None
    if is_code(column.name):
        return texts.a_row_each(given, "whole numbers", ", by its name a code and no amount: a row each")
    if column.facts.greatest is not None and column.facts.greatest > _EXACT:
        return texts.a_row_each(given, "whole numbers", " larger than floats tell apart, so no amounts: a row each")
    if not RANGES < column.different < column.count / 10:
        return None
    apart, ranged = given.told(given.by_value), given.told(given.by_range(RANGES))
    error = float((apart.rows - ranged.rows).std() / len(apart.rows) ** 0.5) if given.target.is_class else 0.0
    if apart.bits - ranged.bits <= max(TELLS, 2 * error, 0.1 * ranged.bits):
        return None
    note = ", which tell more one by one than as ranges, as codes do: a row each"
    return texts.a_row_each(given, "whole numbers", note)


def ranges(given: Given) -> Part | None:
    """Numbers of any kind, in ranges."""
    column, facts = given.column, given.column.facts
    if column.kind not in (NUMBER, WHOLE) or column.is_bag or not facts.numbers.quantiles(1):
        return None
    return _ranges(given, f"{column.kind} from {facts.least:,} to {facts.greatest:,}", {})


def _ranges(given: Given, what: str, made: dict[str, str]) -> Part:
    column = given.column
    middle = column.facts.numbers.quantiles(2)[1]
    is_missing = bool(column.missing or made)
    default = f", default_value={middle:g}" if is_missing else ""
    missing = f"; a missing one is taken as the middle, {middle:g}" if is_missing else ""
    number = f"fc.numeric_column({written(column.name)}{default})"
    declaration = f"fc.bucketized_column({number}, fc.quantiles({RANGES}))"
    reason = f"{what}, in {RANGES} ranges of about as many rows{missing}."
    codes, finer = given.by_range(RANGES), given.by_range(FINER)
    return Part(column.name, given.variable, declaration, reason, codes, RANGES, made, finer=finer)
