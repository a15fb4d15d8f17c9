"""The values of JSON objects as Arrow arrays: of one type where they are of one kind, else as texts, exactly."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any

import numpy as np
import pyarrow as pa

from trainer.inputs.values import Wanted

EXACT = 2**53
"""Whole numbers below it are floats without a rounding."""

_DEFAULTS = {"string": pa.string(), "int64": pa.int64(), "float32": pa.float64()}
_ALLOWED = {
    "string": {str, int, NoneType},
    "int64": {str, int, float, bool, NoneType},
    "float32": {str, int, float, bool, NoneType},
}

_IN_LISTS = {"string": {str, int, NoneType}, "float32": {int, float, bool, NoneType}}


@dataclass(frozen=True)
class Seen:
    """The kinds of value that a key has.

    Args:
        kinds: Python's types, list among them.
        inner: Those of what is in lists.
    """

    kinds: frozenset[type] = frozenset()
    inner: frozenset[type] = frozenset()

    @classmethod
    def of(cls, values: Iterable[Any]) -> "Seen":
        """Returns the kinds of some values."""
        values = list(values)
        lists = [value for value in values if isinstance(value, list)]
        return cls(frozenset(map(type, values)), frozenset(type(each) for value in lists for each in value))

    def __or__(self, other: "Seen") -> "Seen":
        return Seen(self.kinds | other.kinds, self.inner | other.inner)

    @property
    def list_dtype(self) -> str | None:
        """The dtype of values in lists, where all values are lists of texts and whole numbers, or of numbers."""
        if list not in self.kinds or not self.kinds <= {list, NoneType}:
            return None
        return next((dtype for dtype in ("string", "float32") if self.inner <= _IN_LISTS[dtype]), None)

    def arrow_type(self, wanted: Wanted | None) -> Any:
        """Returns the Arrow type of such values; where all are null, that of what is wanted.

        Example:
            >>> Seen.of([1, 2.5, None]).arrow_type(None)
            DataType(double)
        """
        default = pa.string() if wanted is None else _DEFAULTS[wanted.dtype]
        is_bag = wanted is not None and bool(wanted.shape)
        scalars = self.kinds - {list, NoneType}
        if list in self.kinds and (is_bag or not scalars):
            return pa.list_(_scalar_type(self.inner | scalars, default))
        return pa.list_(default) if is_bag and not scalars else _scalar_type(self.kinds, default)


def _scalar_type(kinds: Collection[type], default: Any) -> Any:
    kinds = {*kinds} - {NoneType}
    if not kinds:
        return default
    if kinds <= {bool, int, float}:
        return pa.bool_() if kinds == {bool} else pa.float64() if float in kinds else pa.int64()
    return pa.struct([]) if kinds == {dict} else pa.list_(pa.null()) if kinds == {list} else pa.string()


def read_type(seen: Seen, wanted: Wanted) -> Any:
    """Returns the Arrow type that values are read as, so that floats are made of whole numbers as of their texts.

    Args:
        seen: The kinds that they have.
        wanted: What is wanted of them.
    """
    kind = seen.arrow_type(wanted)
    if wanted.dtype != "float32":
        return kind
    return {pa.int64(): pa.float64(), pa.list_(pa.int64()): pa.list_(pa.float64())}.get(kind, kind)


def fits(value: Any, wanted: Wanted | None) -> bool:
    """Tells whether a value is of a kind that can be what is wanted."""
    if wanted is None:
        return True
    values = value if isinstance(value, list) and wanted.shape else [value]
    return all(type(each) in _ALLOWED[wanted.dtype] for each in values)


def has_surrogates(value: Any) -> bool:
    r"""Tells whether a text in a value has half a letter, for which UTF-8 has no bytes.

    Example:
        >>> has_surrogates(["a", "\ud800"]), has_surrogates("😀")
        (True, False)
    """
    if isinstance(value, str):
        return not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, dict):
        return any(has_surrogates(each) for item in value.items() for each in item)
    return isinstance(value, list) and any(map(has_surrogates, value))


def shown(value: Any) -> str:
    """Returns a value as it stands in a sentence."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()


def array(values: Sequence[Any], seen: Seen, wanted: Wanted) -> Any:
    """Returns values, each of which `fits`, as an Arrow array.

    Args:
        values: One a row.
        seen: Their kinds.
        wanted: What is wanted of them.
    """
    kind = read_type(seen, wanted)
    is_list = pa.types.is_list(kind)
    if is_list:
        values = [value if value is None or isinstance(value, list) else _bag(value, wanted) for value in values]
    try:
        return _built(values, kind.value_type if is_list else kind, is_list)
    except (OverflowError, pa.ArrowException):  # beyond 64 bits, or those of a float
        return _built(values, pa.string(), is_list)


def _bag(value: Any, wanted: Wanted) -> list[Any]:
    """Returns a single value as the bag that `values.typed` makes of it."""
    if value == "":
        return []
    return value.split(wanted.separator) if isinstance(value, str) and wanted.separator is not None else [value]


def _built(values: Sequence[Any], kind: Any, is_list: bool) -> Any:
    flat = [each for value in values for each in (value or ())] if is_list else values
    made = pa.array([_scalar(each, kind) for each in flat], kind)
    if not is_list:
        return made
    ends = np.cumsum([0, *(len(value or ()) for value in values)], dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), made)


def _scalar(value: Any, kind: Any) -> Any:
    if isinstance(value, bool) and not pa.types.is_boolean(kind):
        value = int(value)
    if value is None or isinstance(value, str) or not pa.types.is_string(kind):
        return value
    # The digits of a large float are those of a decimal nearby, of which a whole number would be made.
    return repr(int(value) if EXACT <= abs(value) < 2**63 else value)


def texts(values: Sequence[Any], kind: Any) -> Any:
    """Returns values of which nothing but their text is wanted, each the same whatever stands beside it.

    Args:
        values: One a row.
        kind: The Arrow type of their column.
    """
    return pa.array([_text(value, pa.types.is_floating(kind)) for value in values], pa.string())


def _text(value: Any, is_float: bool) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) or (is_float and type(value) is int and abs(value) < EXACT):
        text: str = pa.scalar(float(value)).cast(pa.string()).as_py()  # as those that Arrow reads are written
        return text
    return shown(value)
