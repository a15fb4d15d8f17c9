"""Features, labels and weights side by side in few arrays: a row of one costs as much to read as a value."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import tensorflow as tf

Array = np.ndarray[Any, Any]
Values = Any
"""What examples hold of a feature: an array, or a `tf.RaggedTensor` where it is a bag."""

_LABELS, _WEIGHTS = "labels", "weights"
_STRING_BYTES = 32
"""Bytes that a string is reckoned with."""


@dataclass(frozen=True)
class Slot:
    """Where one of the values of an example lies.

    Args:
        key: The feature's; None for the label or the weight.
        name: "features", "labels" or "weights".
        array: The place of its array.
        start: Its first column there; None where the array is its own.
        width: How many columns it has.
        dtype: What it is read as; it may lie narrower.
    """

    key: str | None
    name: str
    array: int
    start: int | None
    width: int
    dtype: str


@dataclass(frozen=True)
class Layout:
    """Where all values of an example lie."""

    slots: tuple[Slot, ...]

    def unpacked(self, arrays: Sequence[Any]) -> tuple[dict[str, Any], Any, Any]:
        """Returns the features, labels and weights that tensors of some rows of the arrays hold."""
        found: dict[str | None, Any] = {}
        for place, values in enumerate(arrays):
            slots = [slot for slot in self.slots if slot.array == place]
            whole = slots[0].start is None or len(slots) == 1
            parts = [values] if whole else tf.split(values, [slot.width for slot in slots], axis=1)
            for slot, part in zip(slots, parts, strict=True):
                found[_name(slot)] = part if part.dtype == slot.dtype else tf.cast(part, slot.dtype)
        labels, weights = found.pop(f"/{_LABELS}"), found.pop(f"/{_WEIGHTS}")
        return {str(slot.key): found[_name(slot)] for slot in self.slots if slot.key is not None}, labels, weights

    def view(self, arrays: Sequence[Any], slot: Slot) -> Values:
        """Returns the values of one slot, as they lie."""
        values = arrays[slot.array]
        return values if slot.start is None else values[:, slot.start : slot.start + slot.width]

    def slot(self, key: str | None, name: str = "features") -> Slot | None:
        """Returns the slot of a feature, or of the labels or weights; None where there is none."""
        return next((slot for slot in self.slots if slot.key == key and slot.name == name), None)

    def to_dict(self) -> list[dict[str, Any]]:
        """Returns the layout as JSON can hold it."""
        return [asdict(slot) for slot in self.slots]

    @classmethod
    def from_dict(cls, slots: Sequence[Mapping[str, Any]]) -> "Layout":
        """Returns the layout that `to_dict` was given."""
        return cls(tuple(Slot(**slot) for slot in slots))


def _name(slot: Slot) -> str:
    return f"/{slot.name}" if slot.key is None else f"features/{slot.key}"


def packed(
    features: Mapping[str, Values], labels: Array, weights: Array, narrow: Collection[str] = ()
) -> tuple[Layout, list[Values]]:
    """Returns where values lie, and the arrays in which they do.

    Matrices of one dtype are one: to gather its rows costs as much as to gather those of one of the matrices.

    Args:
        features: By key.
        labels: `(examples, …)`.
        weights: `(examples, 1)`.
        narrow: The features of whole numbers that 32 bits hold.
    """
    layout, groups = _grouped(features, labels, weights, narrow)
    return layout, [parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1) for parts in groups]


def packed_tensors(
    features: Mapping[str, Any], labels: Any, weights: Any, narrow: Collection[str] = ()
) -> tuple[Layout, list[Any]]:
    """Returns the same of tensors in a graph, dense or ragged, as tensors; those of unknown width lie alone."""
    layout, groups = _grouped(features, labels, weights, narrow)
    return layout, [parts[0] if len(parts) == 1 else tf.concat(parts, axis=1) for parts in groups]


def _grouped(
    features: Mapping[str, Any], labels: Any, weights: Any, narrow: Collection[str]
) -> tuple[Layout, list[list[Any]]]:
    named = [(key, "features", values) for key, values in features.items()]
    slots: list[Slot] = []
    groups: dict[Any, list[Values]] = {}
    for key, name, values in [*named, (None, _LABELS, labels), (None, _WEIGHTS, weights)]:
        is_dense = not isinstance(values, (tf.RaggedTensor, tf.SparseTensor))
        shape = tf.TensorShape(values.shape if is_dense else ())
        is_matrix = shape.rank == 2 and bool(shape[1])
        dtype = "string" if values.dtype in (object, tf.string) else tf.as_dtype(values.dtype).name
        if (is_matrix or isinstance(values, tf.RaggedTensor)) and key in narrow and dtype == "int64":
            values = values.astype(np.int32) if isinstance(values, np.ndarray) else tf.cast(values, tf.int32)
        group: Any = tf.as_dtype(values.dtype).name if is_matrix else (key, name)
        together = groups.setdefault(group, [])
        start = sum(int(part.shape[1]) for part in together) if is_matrix else None
        width = int(shape[1]) if is_matrix else 1
        slots.append(Slot(key, name, list(groups).index(group), start, width, dtype))
        together.append(values)
    return Layout(tuple(slots)), list(groups.values())


def row_bytes(arrays: Sequence[Values], rows: int) -> int:
    """Returns how many bytes a row of arrays takes, on the average."""
    return math.ceil(sum(map(size, arrays)) / max(rows, 1))


def size(values: Values) -> int:
    """Returns how many bytes an array or a ragged tensor takes; strings are reckoned."""
    if isinstance(values, tf.RaggedTensor):
        return 8 * (int(values.row_splits.shape[0]) - 1) + _each(values) * int(values.flat_values.shape.num_elements())
    return _STRING_BYTES * values.size if values.dtype == object else int(values.nbytes)


def sizes(arrays: Sequence[Values], most: int) -> Array:
    """Returns how many bytes each of the first rows of arrays takes, at most so many rows, `(rows,)`."""
    found: Any = 0
    for values in arrays:
        rows = int(values.shape[0])
        if isinstance(values, tf.RaggedTensor):
            lengths = np.diff(np.asarray(values.row_splits)[: most + 1])
            found = found + 8 + _each(values) * lengths
        else:
            found = found + np.full(min(rows, most), size(values) // max(rows, 1))
    return np.asarray(found)


def _each(values: tf.RaggedTensor) -> int:
    return _STRING_BYTES if values.dtype == tf.string else int(values.dtype.size)


def widened(values: Values) -> Values:
    """Returns whole numbers as those of 64 bits."""
    return tf.cast(values, tf.int64) if isinstance(values, tf.RaggedTensor) else values.astype(np.int64)


def taken(values: Values, places: Array) -> Values:
    """Returns the rows of an array or a ragged tensor at some places."""
    return tf.gather(values, places) if isinstance(values, tf.RaggedTensor) else values[places]


def joined(parts: Sequence[Values]) -> Values:
    """Returns parts one after the other; where they are of different widths, the shorter are filled up as missing."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], tf.RaggedTensor):
        return tf.concat(parts, axis=0)
    if len({part.shape[1:] for part in parts}) == 1:
        return np.concatenate(parts)
    longest = np.max([part.shape[1:] for part in parts], axis=0)
    return np.concatenate([_widened(part, longest) for part in parts])


def _widened(values: Array, shape: Array) -> Array:
    widths = [(0, 0), *((0, most - size) for most, size in zip(shape, values.shape[1:], strict=True))]
    missing: Any = {"i": -1, "O": b""}.get(values.dtype.kind, 0)
    return np.pad(values, widths, constant_values=missing) if any(after for _, after in widths) else values
