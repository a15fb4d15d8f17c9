"""Columns of texts: words, bags and values."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.analysis.column import TEXT, Column
from trainer.analysis.findings import near_values, stand_ins
from trainer.suggestion import hashing
from trainer.suggestion.given import Given
from trainer.suggestion.part import Part
from trainer.suggestion.python import written

LISTED = 8
"""Values up to which a vocabulary stands in the file."""

MOST_VALUES = 100_000
"""Values of a vocabulary from the data; of more, ids are hashed."""

_WORDS, _SHORT = 3.0, 16
_BAG_SHARE, _SEPARATORS = 0.2, ("|", ";", ",")


def words(given: Given) -> Part | None:
    """Texts of several words, nearly each its own."""
    column, key = given.column, given.column.name
    if column.kind != TEXT or column.is_bag or column.different < min(1000, column.count / 2):
        return None
    counts = pc.count_substring_regex(given.texts, r"\pL{2,}").to_numpy(zero_copy_only=False)
    mean = float(counts[counts > 0].mean()) if (counts > 0).any() else 0.0
    if mean < _WORDS:
        return None
    # A word of few rows teaches little; of many rows, rarer ones are worth a row.
    threshold = 5 if column.rows < 200_000 else 20
    made = {key: f"words(rows[{written(key)}])"}
    declaration = (
        f"fc.categorical_column_with_vocabulary_list({written(key)}, fc.from_data(frequency_threshold={threshold}), "
        "num_oov_buckets=1)"
    )
    reason = (
        f"texts of {mean:.0f} words, nearly each its own: the bag of its words that {threshold} rows have at least."
    )
    return Part(key, given.variable, declaration, reason, None, 0, made, bags={key: " "})


def bag(given: Given) -> Part | None:
    """Lists, and texts of few different parts with a mark between them."""
    column = given.column
    if column.is_bag and not column.has_vocabulary:
        return None
    if column.is_bag:
        reason = f"{column.different:,} different values, several a row: a bag."
        declaration = _vocabulary(given, column.different)
        bags = {column.name: "|"}
        return Part(
            column.name, given.variable, declaration, reason, None, column.different, bags=bags, finer=given.by_value
        )
    if column.kind != TEXT or column.different <= LISTED:
        return None
    values = pa.array(column.texts(10_000), pa.string())
    for separator in _SEPARATORS:
        parts = pc.split_pattern(values, separator)
        several = np.asarray(pc.list_value_length(parts)) > 1
        different = parts.flatten().unique()
        is_short = len(different) and float(np.mean(np.asarray(pc.utf8_length(different)))) < 2 * _SHORT
        if several.mean() >= _BAG_SHARE and 2 * len(different) <= len(values) and is_short:
            reason = f"several of {len(different):,} values a row, with '{separator}' between them: a bag."
            declaration = _vocabulary(given, len(different))
            bags = {column.name: separator}
            return Part(
                column.name, given.variable, declaration, reason, None, len(different), bags=bags, finer=given.by_value
            )
    return None


def values(given: Given) -> Part | None:
    """Texts of which each is one value."""
    column = given.column
    if column.kind != TEXT:
        return None
    odd = [f"{group} look alike" for group in near_values(column)[:1]]
    odd += [f"'{text}' ({rows:,} rows) may stand for a missing one" for text, rows in stand_ins(column)[:1]]
    return a_row_each(given, "texts", "".join(f"; {each}" for each in odd))


def a_row_each(given: Given, what: str, note: str) -> Part:
    """Returns a vocabulary from the data, or, of too many values, a hash.

    Args:
        given: The column.
        what: Its values are.
        note: What is added to the reason.
    """
    column = given.column
    if column.different > MOST_VALUES or not column.is_exact:
        return _hashed(given, note)
    declaration, size = _vocabulary(given, column.different), column.different + 1
    reason = f"{column.different:,} {what}{note}."
    return Part(column.name, given.variable, declaration, reason, given.by_value, size)


def _hashed(given: Given, note: str) -> Part:
    column = given.column
    size, share = hashing.size_of(column)
    dtype = "" if column.kind == TEXT else ', dtype="int64"'
    about = "" if column.is_exact else "about "
    reason = (
        f"{about}{column.different:,} values, hashed: {100 * share:.0f} % of the rows share a bucket with others{note}."
    )
    declaration = f"fc.categorical_column_with_hash_bucket({written(column.name)}, {size}{dtype})"
    return Part(column.name, given.variable, declaration, reason, given.by_value, size)


def _vocabulary(given: Given, different: int) -> str:
    column = given.column
    dtype = "" if column.kind == TEXT else ', "int64"'
    values = f"fc.from_data({_threshold(column, different)})"
    is_short = column.is_exact and not column.is_bag and different == column.different and different <= LISTED
    if is_short and all(len(text) <= _SHORT for text in column.texts()) and not near_values(column):
        values = written(
            column.texts() if column.kind == TEXT else [each for each in column.values.to_pylist() if each != -1]
        )
    return f"fc.categorical_column_with_vocabulary_list({written(column.name)}, {values}{dtype}, num_oov_buckets=1)"


def _threshold(column: Column, different: int) -> str:
    """Returns the fewest rows that a value should have: rare ones teach little, and stand for all that is unknown."""
    least = 5 if column.count > 10 * different else 3
    if not different or column.count > 100 * different or column.counts[0] < 4 * least:
        return ""
    return f"frequency_threshold={least}"
