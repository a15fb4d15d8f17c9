"""Arrow columns of any type as the values that a feature is wanted as, and which of their rows cannot be."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.inputs import numbers
from trainer.terminal import listed

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a feature.

    Args:
        dtype: "string", "int64" or "float32".
        shape: Of one example: `()` is one value, `(None,)` a bag.
        separator: What stands between the values of an example in a text; None where a text is one value.
        default: What stands for missing numbers, flat; None refuses a float that is missing. A missing string is '',
            a missing whole number -1.
        is_required: Whether one that is missing is refused in any case.
        least: The smallest whole number; -1, which is missing, is none.
        below: The first whole number that is too large.
        among: The strings that may be; None takes all.
        above: The number that a float is above; None takes all.
    """

    dtype: str
    shape: tuple[int | None, ...] = ()
    separator: str | None = None
    default: tuple[float, ...] | None = None
    is_required: bool = False
    least: int | None = None
    below: int | None = None
    among: tuple[str, ...] | None = None
    above: float | None = None

    def __str__(self) -> str:
        """As part of a sentence."""
        if self.among is not None:
            return f"one of {listed(self.among)}"
        what = {"string": "a string", "int64": "a whole number", "float32": "a number"}[self.dtype]
        if self.dtype == "int64" and self.below is not None:
            return f"{what} from {self.least or 0:,} to {self.below - 1:,}"
        if self.above is not None:
            return f"{what} above {self.above:g}"
        if self.shape and None not in self.shape:
            return f"{math.prod(size or 0 for size in self.shape)} numbers"
        return what


@dataclass(frozen=True)
class Texts:
    """Strings, each different one once.

    Args:
        different: An Arrow array of bytes without nulls.
        codes: The place of each value among them, `(values,)`, int32.
    """

    different: Any
    codes: Array

    def __getitem__(self, places: Any) -> "Texts":
        return Texts(self.different, self.codes[places])

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True)
class Feature:
    """The values of one feature in some rows.

    Args:
        values: Flat `(values,)`; or `(rows, …)` where each row has as many.
        lengths: How many values each row of a bag has, `(rows,)`; else None.
    """

    values: Any
    lengths: Array | None = None

    @property
    def has_values(self) -> bool:
        """Whether any of them is not missing: neither '' nor -1."""
        if isinstance(self.values, Texts):
            there = np.asarray(pc.not_equal(pc.binary_length(self.values.different), 0))
            return bool(there[self.values.codes].any())
        return bool((self.values != -1).any())

    def kept(self, mask: Array) -> "Feature":
        """Returns the rows where a mask is true."""
        if self.lengths is None:
            return Feature(self.values[mask])
        return Feature(self.values[np.repeat(mask, self.lengths)], self.lengths[mask])


def fits(kind: Any, wanted: Wanted) -> bool:
    """Tells whether values of an Arrow type can be what is wanted.

    Example:
        >>> fits(pa.int32(), Wanted("string")), fits(pa.float64(), Wanted("string"))
        (True, False)
    """
    if is_list(kind):
        return bool(wanted.shape) and not is_list(kind.value_type) and fits(kind.value_type, wanted)
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if is_text(kind) or pa.types.is_null(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return True
    if wanted.dtype == "string":
        return bool(pa.types.is_temporal(kind)) and not pa.types.is_duration(kind)
    return bool(pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def as_it_is(kind: Any) -> Wanted:
    """Returns what to want of a feature of which nothing is wanted but what it is.

    Args:
        kind: The Arrow type of its column; None where that is not known before it is read.

    Example:
        >>> as_it_is(pa.list_(pa.int32())).shape, as_it_is(pa.float64()).dtype
        ((None,), 'float32')
    """
    if kind is None:
        return Wanted("string")
    if is_list(kind):
        return Wanted("string", (None,))
    if pa.types.is_floating(kind):
        return Wanted("float32", default=(math.nan,))
    return Wanted("int64" if pa.types.is_boolean(kind) else "string")


def typed(column: Any, wanted: Wanted) -> tuple[Feature, Array]:
    """Returns a column's values as they are wanted, and a mask of the rows whose values can be so.

    Args:
        column: An Arrow array of a type that `fits`.
        wanted: What is wanted.
    """
    if not wanted.shape:
        values, good = _flat(column, wanted)
        return Feature(values), good
    flat, lengths = _listed(column, wanted)
    if None not in wanted.shape:
        return _shaped(flat, lengths, wanted)
    values, good = _flat(flat, wanted)
    return Feature(values, lengths), _rows(good, lengths)


def _rows(good: Array, lengths: Array) -> Array:
    if good.all():
        return np.ones(len(lengths), bool)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    return np.bincount(rows[~good], minlength=len(lengths)) == 0


def _shaped(flat: Any, lengths: Array, wanted: Wanted) -> tuple[Feature, Array]:
    size = math.prod(each or 0 for each in wanted.shape)
    values, good = _flat(flat, wanted)
    fit = lengths == size
    absent = (lengths == 0) & (wanted.default is not None)
    made = np.zeros((len(lengths), size), values.dtype)
    made[fit] = values[np.repeat(fit, lengths)].reshape(-1, size)
    if absent.any():
        made[absent] = wanted.default
    return Feature(made.reshape(-1, *(each or 0 for each in wanted.shape))), _rows(good, lengths) & (fit | absent)


def _listed(column: Any, wanted: Wanted) -> tuple[Any, Array]:
    """Returns the values of rows one after the other, and how many each row has."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if is_list(column.type):
        lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
        return column.flatten(), lengths.astype(np.int64)
    there = pc.is_valid(column).to_numpy(zero_copy_only=False)
    if is_text(column.type):
        column = _filled(column)
        there = pc.not_equal(pc.binary_length(column), 0).to_numpy(zero_copy_only=False)
    if not is_text(column.type) or wanted.separator is None:
        return column.filter(pa.array(there)), there.astype(np.int64)
    parts = pc.split_pattern(column.filter(pa.array(there)), wanted.separator)
    lengths = np.zeros(len(there), np.int64)
    lengths[there] = pc.list_value_length(parts).to_numpy(zero_copy_only=False)
    return parts.flatten(), lengths


def _flat(column: Any, wanted: Wanted) -> tuple[Any, Array]:
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    if pa.types.is_decimal(column.type) or (wanted.dtype == "string" and not is_text(_inner(column.type))):
        column = column.cast(pa.string())
    if is_text(_inner(column.type)):
        texts = _texts(column)
        if wanted.dtype == "string":
            return texts, _among(texts, wanted)
        values, absent, good = numbers.of_texts(texts.different, wanted.dtype)
        values, absent, good = values[texts.codes], absent[texts.codes], good[texts.codes]
    else:
        values, absent, good = numbers.of_column(column, wanted.dtype)
    return _checked(values, absent, good, wanted)


def _among(texts: Texts, wanted: Wanted) -> Array:
    if wanted.among is None and not wanted.is_required:
        return np.ones(len(texts), bool)
    if wanted.among is None:
        there: Array = np.asarray(pc.not_equal(pc.binary_length(texts.different), 0))[texts.codes]
        return there
    allowed = pa.array([text.encode("utf-8", "surrogateescape") for text in wanted.among], pa.binary())
    found: Array = np.asarray(pc.is_in(texts.different, value_set=allowed))[texts.codes]
    return found


def _checked(values: Array, absent: Array, good: Array, wanted: Wanted) -> tuple[Array, Array]:
    if wanted.dtype == "int64":
        fill: Any = -1 if wanted.default is None else int(wanted.default[0])
        allowed = not wanted.is_required
    else:
        fill = 0.0 if wanted.default is None else wanted.default[0]
        allowed = wanted.default is not None and not wanted.is_required
    if absent.any():
        values = np.where(absent, np.asarray(fill, values.dtype), values)
        good = np.where(absent, allowed, good)
    if wanted.dtype == "int64" and (wanted.least is not None or wanted.below is not None):
        inside = (values >= (wanted.least or 0)) & (values < (2**63 - 1 if wanted.below is None else wanted.below))
        good = good & (inside | ((values == -1) & (not wanted.is_required)))
    if wanted.above is not None:
        good = good & (values > wanted.above)
    return values, good


def _texts(column: Any) -> Texts:
    """Returns an Arrow array of texts, or of a dictionary of them, with each different one once; '' is missing."""
    if not pa.types.is_dictionary(column.type):
        column = _filled(column).dictionary_encode()
    different, codes = column.dictionary, column.indices
    if different.null_count:
        different = _filled(different)
    if codes.null_count:
        codes = pc.fill_null(codes, pa.scalar(len(different), codes.type))
        different = pa.concat_arrays([different, pa.array([""], different.type)])
    return Texts(different.cast(pa.binary()), codes.to_numpy(zero_copy_only=False).astype(np.int32, copy=False))


def _filled(column: Any) -> Any:
    empty = b"" if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type) else ""
    return pc.fill_null(column, pa.scalar(empty, column.type)) if column.null_count else column


def _inner(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def is_text(kind: Any) -> bool:
    """Tells whether an Arrow type is one of strings or bytes."""
    types = pa.types
    return bool(
        types.is_string(kind) or types.is_binary(kind) or types.is_large_string(kind) or types.is_large_binary(kind)
    )


def is_list(kind: Any) -> bool:
    """Tells whether an Arrow type is one of lists."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def text_of(column: Any, place: int) -> str:
    """Returns a value of an Arrow array as a person would write it."""
    value = column[place].as_py()
    value = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
    return "" if value is None else str(value)


def why(wanted: Wanted, text: str) -> str:
    """Returns what is wanted in place of a value that is none, as part of a sentence."""
    is_told = wanted.shape or any(each is not None for each in (wanted.below, wanted.among, wanted.above))
    return str(wanted) if is_told else numbers.why(text, wanted.dtype)


def rows_of(features: Mapping[str, Feature]) -> int:
    """Returns how many rows some features have."""
    first = next(iter(features.values()))
    return len(first.values if first.lengths is None else first.lengths)
