"""Texts and Arrow columns as whole numbers of 64 bits or floats of 32, and which of them are none."""

import re
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Array = np.ndarray[Any, Any]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WANTED = {"int64": "a whole number", "float32": "a number"}
_BOUNDS = {"int64": "of at least -2**63 and below 2**63", "float32": "that 32 bits hold"}
_EXACT = 2**53  # whole numbers below it are floats without a rounding
_NAN = Decimal("NaN")


def of_texts(texts: Any, dtype: str) -> tuple[Array, Array, Array]:
    """Returns texts as numbers, which of them are empty, and which of the others are numbers.

    Args:
        texts: An Arrow array of strings or bytes without nulls; blanks around a number are passed over.
        dtype: "int64" or "float32".
    """
    try:
        texts = texts.cast(pa.string())
    except pa.ArrowInvalid:  # bytes that are no UTF-8 are no number either
        texts = pa.array([value.decode("utf-8", "replace") for value in texts.to_pylist()], pa.string())
    texts = pc.utf8_trim_whitespace(texts)
    absent = pc.equal(pc.binary_length(texts), 0).to_numpy(zero_copy_only=False)
    if absent.any():
        texts = pc.if_else(pa.array(absent), pa.scalar("0"), texts)
    values, good = _whole_numbers(texts) if dtype == "int64" else _floats(texts)
    return values, absent, good


def of_column(column: Any, dtype: str) -> tuple[Array, Array, Array]:
    """Returns an Arrow array of numbers or truths as numbers, which of them are null, and which can be so.

    Args:
        column: Of whole numbers, floats or truths.
        dtype: "int64" or "float32".
    """
    absent = pc.is_null(column).to_numpy(zero_copy_only=False)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    values = pc.fill_null(column, pa.scalar(0, column.type)) if absent.any() else column
    found = values.to_numpy(zero_copy_only=False)
    if dtype == "float32":
        narrow, good = _narrowed(found)
        return narrow, absent, good
    good = np.ones(len(found), bool)
    if found.dtype.kind == "f":
        wide = found.astype(np.float64)
        with np.errstate(invalid="ignore"):
            good = np.isfinite(wide) & (wide == np.round(wide)) & (wide >= -(2.0**63)) & (wide < 2.0**63)
        found = np.where(good, wide, 0)
    elif found.dtype == np.uint64:
        good = found < 2**63
    return found.astype(np.int64), absent, good


def _narrowed(values: Array) -> tuple[Array, Array]:
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    return narrow, np.isfinite(narrow)


def _whole_numbers(texts: Any) -> tuple[Array, Array]:
    good = np.ones(len(texts), bool)
    # Arrow reads 0x10 as 16.
    if not pc.any(pc.match_substring(texts, "x", ignore_case=True)).as_py():
        try:
            return texts.cast(pa.int64()).to_numpy(), good
        except pa.ArrowInvalid:
            pass
    floats = _cast(texts)
    if floats is not None and (np.abs(floats) < _EXACT).all() and (floats == np.round(floats)).all():
        return floats.astype(np.int64), good
    # One by one: a float would round those that are large, whatever stands beside them.
    found = [_whole_number(text) for text in texts.to_pylist()]
    return np.array([number or 0 for number in found], np.int64), np.array([number is not None for number in found])


def _floats(texts: Any) -> tuple[Array, Array]:
    found = _cast(texts)
    if found is None:
        found = np.array([float(_decimal(text)) for text in texts.to_pylist()], np.float64)
    return _narrowed(found)


def _cast(texts: Any) -> Array | None:
    try:
        return np.asarray(texts.cast(pa.float64()))
    except pa.ArrowInvalid:
        return None


def _whole_number(text: str) -> int | None:
    number = _decimal(text)
    is_good = number.is_finite() and -(2**63) <= number < 2**63 and number == number.to_integral_value()
    return int(number) if is_good else None


def _decimal(text: str) -> Decimal:
    """Returns the number that a text is, else NaN; what Python alone takes for one, as 1_000, is none."""
    try:
        return Decimal(text) if _NUMBER.fullmatch(text) else _NAN
    except ArithmeticError:  # an exponent beyond all
        return _NAN


def why(text: str, dtype: str) -> str:
    """Returns what is wanted in place of a text, as part of a sentence.

    Example:
        >>> why("noon", "int64"), why("1e39", "float32")
        ('a whole number', 'a number that 32 bits hold')
    """
    if dtype not in _WANTED:
        return "a string"
    number = _decimal(text.strip())
    is_one = number.is_finite() and (dtype != "int64" or number == number.to_integral_value())
    return f"{_WANTED[dtype]} {_BOUNDS[dtype]}" if is_one and text.strip() else _WANTED[dtype]
