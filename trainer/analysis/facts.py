"""What the values of one column are, added up part by part."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.feature_column import Tokens
from trainer.inputs.values import is_list, is_text
from trainer.vocabulary.distinct import Distinct
from trainer.vocabulary.quantiles import Numbers
from trainer.vocabulary.tally import Tally
from trainer.vocabulary.words import words_by

Array = np.ndarray[Any, Any]

MOST = 1_000_000
"""Different values of a column up to which they are counted exactly."""

# A text such as 007 or 02139 is no number: its zeros are part of it. Nor is one of more digits than 64 bits hold.
_WHOLE = r"^\s*-?(0|[1-9][0-9]{0,17})(\.0{1,9})?\s*$"
_NUMBER = r"^\s*[+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"

_OF_NUMBERS = np.isin(np.arange(256), np.frombuffer(b"0123456789+-. \t\r\n\f\v", np.uint8))
"""The bytes with which texts that are numbers begin and end."""

_LONG = r"^\s*[+-]?[0-9]{19,}(\.0*)?\s*$"

_EXACT = 2**53  # whole numbers below it are floats without a rounding


class Facts:
    """The values of one column so far; of a bag, those of all rows.

    Args:
        most: The different values up to which they are counted exactly.
        separator: What stands between the values of a row in a text, or how a text becomes words, which are its
            values; None where it is one value.

    Example:
        >>> facts = Facts()
        >>> facts.add(pa.array(["b", "a", "", "b"]))
        >>> facts.rows, facts.texts.counted()[1].tolist()
        (3, [2, 1])
    """

    def __init__(self, most: int = MOST, separator: str | Tokens | None = None) -> None:
        self._most, self._separator = most, separator
        self.rows = 0
        """Rows with a value."""
        self.is_bag = separator is not None
        self.whole = self.fractions = self.words = 0
        """Values that are whole numbers, other numbers, and none."""
        self.texts, self.integers, self.numbers = Tally(most), Tally(most), Numbers()
        self.of_texts = Tally(most)
        """The whole numbers among the texts, as numbers: 3 and 3.0 are one."""
        self.distinct = Distinct()
        """Of all numbers, with the digits that 64 bits hold."""
        self.float_fractions = 0
        """Fractions of floats, of which no text is kept."""
        self.least: float | int | None = None
        self.greatest: float | int | None = None
        self.unread: str | None = None
        """The Arrow type of values that are not looked at."""

    @classmethod
    def of(cls, parts: Sequence["Facts"]) -> "Facts":
        """Returns what is known of the rows of all parts, of which there is one at least."""
        made = cls(parts[0]._most, parts[0]._separator)
        for part in parts:
            made.include(part)
        return made

    def add(self, column: Any) -> None:
        """Takes the values of some rows, an Arrow array of any type."""
        if is_list(column.type):
            self.is_bag = True
            column = self._of_rows(column.flatten(), pc.list_parent_indices(column))
        elif self._separator is not None:
            parts = self._split(column)
            column = self._of_rows(parts.flatten(), pc.list_parent_indices(parts))
        else:
            column = _present(column)
            self.rows += len(column)
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if pa.types.is_temporal(kind) or pa.types.is_decimal(kind) or pa.types.is_uint64(kind):
            column, kind = column.cast(pa.string()), pa.string()
        if is_text(kind):
            self._add_texts(column)
        elif pa.types.is_integer(kind) or pa.types.is_boolean(kind):
            self._add_integers(column)
        elif pa.types.is_floating(kind):
            self._add_floats(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
        elif not pa.types.is_null(kind):
            self.unread = str(kind)

    def include(self, other: "Facts") -> None:
        """Takes what is known of other rows."""
        self.rows += other.rows
        self.is_bag |= other.is_bag
        self.whole, self.fractions = self.whole + other.whole, self.fractions + other.fractions
        self.words += other.words
        self.texts.include(other.texts)
        self.integers.include(other.integers)
        self.of_texts.include(other.of_texts)
        self.distinct.include(other.distinct)
        self.float_fractions += other.float_fractions
        self.numbers.include(other.numbers)
        self._bound([bound for bound in (other.least, other.greatest) if bound is not None])
        self.unread = self.unread or other.unread

    def _of_rows(self, values: Any, places: Any) -> Any:
        """Returns the values of bags that are not missing, once the rows that have one are counted."""
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        there = pa.array(~_is_missing(values))
        self.rows += len(places.filter(there).unique())
        return values.filter(there)

    def _split(self, column: Any) -> Any:
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        texts = pc.fill_null(readable(column), "")
        if isinstance(self._separator, Tokens):
            return words_by(self._separator).of(texts)
        return pc.split_pattern(texts, self._separator)

    def _add_texts(self, column: Any) -> None:
        coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        rows = np.bincount(coded.indices.to_numpy(), minlength=len(coded.dictionary))
        there = np.flatnonzero(rows)
        different, rows = coded.dictionary.take(pa.array(there)), rows[there].astype(np.int64)
        self.texts.add(different.cast(pa.binary()), rows=rows)
        texts = readable(different)
        numbers, whole = _are_numbers(texts)
        self.whole += int(rows[whole].sum())
        self.fractions += int(rows[numbers & ~whole].sum())
        self.words += int(rows[~numbers].sum())
        if numbers.any():
            values = pc.utf8_trim_whitespace(texts.filter(pa.array(numbers))).cast(pa.float64()).to_numpy()
            self._take(values, rows[numbers], ~whole[numbers])
        if whole.any():
            integers = whole_numbers(texts.filter(pa.array(whole)))
            self.of_texts.add(integers, rows=rows[whole])
            self._bound([*pc.min_max(integers).as_py().values()])

    def _add_integers(self, column: Any) -> None:
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        counted = column.cast(pa.int64()).value_counts()
        values, rows = counted.field("values"), counted.field("counts").to_numpy()
        self.integers.add(values, rows=rows)
        self.whole += int(rows.sum())
        self.numbers.add(values.to_numpy(), rows)
        self.distinct.add_numbers(values.to_numpy().astype(np.float64))
        if len(values):
            self._bound([*pc.min_max(values).as_py().values()])

    def _add_floats(self, values: Array) -> None:
        whole = (values == np.round(values)) & (np.abs(values) < _EXACT)
        different, rows = np.unique(values[whole].astype(np.int64), return_counts=True)
        self.integers.add(pa.array(different), rows=rows)
        self.whole += int(whole.sum())
        self.fractions += int((~whole).sum())
        self.float_fractions += int((~whole).sum())
        self._take(values, np.ones(len(values), np.int64), np.ones(len(values), bool))

    def _take(self, values: Array, rows: Array, bounding: Array) -> None:
        self.distinct.add_numbers(values)
        with np.errstate(over="ignore"):
            narrow = np.isfinite(values.astype(np.float32))  # of what a column could read
        self.numbers.add(values[narrow], rows[narrow])
        finite = np.isfinite(values)
        bounds = values[finite & bounding]
        if len(bounds):
            self._bound([float(bounds.min()), float(bounds.max())])

    def _bound(self, numbers: list[Any]) -> None:
        # An int before a float that is equal: it has all its digits.
        every = [*numbers, *(bound for bound in (self.least, self.greatest) if bound is not None)]
        if every:
            self.least = min(every, key=lambda number: (number, isinstance(number, float)))
            self.greatest = max(every, key=lambda number: (number, not isinstance(number, float)))


def _present(column: Any) -> Any:
    """Returns the values that are not missing: neither null, NaN nor ''."""
    if pa.types.is_dictionary(column.type):
        empty = _is_missing(column.dictionary)
        indices = column.indices
        if empty.any():
            codes = pa.array(np.flatnonzero(empty), indices.type)
            indices = indices.filter(pc.invert(pc.is_in(indices, codes)))
        return pa.DictionaryArray.from_arrays(indices.drop_null(), column.dictionary)
    missing = _is_missing(column)
    return column.filter(pa.array(~missing)) if missing.any() else column


def _is_missing(values: Any) -> Array:
    if is_text(values.type):
        found = pc.equal(pc.binary_length(values), 0)
    elif pa.types.is_floating(values.type):
        found = pc.is_nan(values)
    else:
        found = pc.is_null(values)
    return np.asarray(pc.fill_null(found, True).to_numpy(zero_copy_only=False))


def readable(texts: Any) -> Any:
    """Returns texts of bytes as strings, what is no UTF-8 replaced."""
    if is_utf8(texts):
        return texts.cast(pa.string())
    decoded = [value if value is None else value.decode("utf-8", "replace") for value in texts.to_pylist()]
    return pa.array(decoded, pa.string())


def is_utf8(texts: Any) -> bool:
    """Tells whether all texts are UTF-8."""
    try:
        texts.cast(pa.string())
    except pa.ArrowInvalid:
        return False
    return True


def _are_numbers(texts: Any) -> tuple[Array, Array]:
    """Tells which texts, none of them empty, are numbers, and which of these are whole numbers of 64 bits."""
    places = np.flatnonzero(_may_be_numbers(texts))
    numbers, whole = np.zeros(len(texts), bool), np.zeros(len(texts), bool)
    numbers[places] = _matches(texts.take(pa.array(places)), _NUMBER)
    places = np.flatnonzero(numbers)
    found = texts.take(pa.array(places))
    whole[places] = _matches(found, _WHOLE)
    long = np.flatnonzero(_matches(found, _LONG))
    for place, text in zip(places[long], found.take(pa.array(long)).to_pylist(), strict=True):
        numbers[place] = whole[place] = -(2**63) <= int(text.strip().partition(".")[0]) < 2**63
    return numbers, whole


def _may_be_numbers(texts: Any) -> Array:
    """Tells which texts, none of them empty, begin and end as numbers do; that costs far less than to match them."""
    _, offsets, letters = texts.buffers()
    if letters is None:
        return np.zeros(len(texts), bool)
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(letters, np.uint8)
    return _OF_NUMBERS[data[ends[:-1]]] & _OF_NUMBERS[data[ends[1:] - 1]]


def _matches(texts: Any, pattern: str) -> Array:
    return np.asarray(pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False))


def whole_numbers(texts: Any) -> Any:
    """Returns texts such as 3 and 3.0 as an Arrow array of int64."""
    return pc.replace_substring_regex(pc.utf8_trim_whitespace(texts), r"\.0*$", "").cast(pa.int64())
