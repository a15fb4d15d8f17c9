"""Values of features that come chunk after chunk, and lie in few arrays in the end: of strings each one once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf

from trainer.encoding import Coded

Array = np.ndarray[Any, Any]

_VALUES, _DIFFERENT, _LENGTHS = "values", "different", "lengths"


@dataclass(frozen=True)
class Column:
    """The values of one feature.

    Args:
        values: `(rows, …)`, or those of bags one after the other; of strings, the places of each among the different
            ones.
        different: The different strings, an Arrow array of bytes; None where values are numbers.
        lengths: How many values each bag has, `(rows,)`; None where they are no bags.
    """

    values: Array
    different: Any = None
    lengths: Array | None = None

    def codes(self) -> tuple[Array, int]:
        """Returns a whole number for each value, the same for those that are equal, and how many of them differ."""
        values = self.values.reshape(-1)
        if self.different is not None:
            return values, len(self.different)
        encoded = pa.array(values).dictionary_encode()
        return encoded.indices.to_numpy(), len(encoded.dictionary)

    @property
    def are_there(self) -> Array:
        """Which values are not missing: neither '' nor, of whole numbers, -1."""
        if self.different is None:
            return self.values != -1 if self.values.dtype.kind in "iu" else np.ones(self.values.shape, bool)
        lengths: Array = pc.binary_length(self.different).to_numpy(zero_copy_only=False)
        return lengths[self.values] > 0

    def at(self, places: Array, lengths: Array | None = None) -> "Column":
        """Returns the values at some places, as bags of some lengths where these are given."""
        return Column(self.values[places], self.different, lengths)


class Pile:
    """The values of one feature, chunk after chunk."""

    def __init__(self) -> None:
        self._values: list[Array] = []
        self._different: list[Any] = []
        self._lengths: list[Array] = []

    def add(self, parts: Mapping[str, Any], kept: Array) -> None:
        """Takes a chunk.

        Args:
            parts: Of `parts_of`.
            kept: A mask of its rows, which of bags are all.
        """
        values = parts[_VALUES].numpy()
        self._values.append(values if kept.all() else values[kept])
        if _DIFFERENT in parts:
            self._different.append(pa.array(parts[_DIFFERENT].numpy(), pa.binary()))
        if _LENGTHS in parts:
            self._lengths.append(parts[_LENGTHS].numpy())

    def joined(self) -> Column:
        """Returns all values."""
        values, different = np.concatenate(self._values), None
        if self._different:
            codes = map(np.ravel, self._values)
            chunks = [pa.DictionaryArray.from_arrays(*pair) for pair in zip(codes, self._different, strict=True)]
            unified = pa.chunked_array(chunks).unify_dictionaries()
            different = unified.chunk(0).dictionary
            values = np.concatenate([part.indices.to_numpy() for part in unified.chunks]).reshape(values.shape)
        return Column(values, different, np.concatenate(self._lengths) if self._lengths else None)


def parts_of(values: Any) -> dict[str, Any]:
    """Returns the tensors that hold a feature's values in a graph: of strings each one once, of bags their lengths."""
    found, codes = {}, values.codes if isinstance(values, Coded) else values
    if isinstance(codes, tf.RaggedTensor):
        found[_LENGTHS], codes = codes.row_lengths(), codes.flat_values
    if isinstance(values, Coded):
        return {**found, _VALUES: codes, _DIFFERENT: values.values}
    if codes.dtype == tf.string:
        different, places = tf.unique(tf.reshape(codes, [-1]))
        return {**found, _VALUES: tf.reshape(places, tf.shape(codes)), _DIFFERENT: different}
    return {**found, _VALUES: codes}


class Served:
    """The values of a column as tensors, read from one row to another.

    Args:
        column: The column.
        size: How many rows are read at a time, about.
    """

    def __init__(self, column: Column, size: int) -> None:
        self._values, self._splits, self._different = tf.constant(column.values), None, None
        if column.lengths is not None:
            self._splits = tf.constant(np.concatenate([[0], np.cumsum(column.lengths)]), tf.int64)
        if column.different is not None:
            self._different = tf.constant(column.different.to_numpy(zero_copy_only=False), tf.string)
            # All different strings come with each batch, which is less than its values where these repeat.
            rows = len(column.values if column.lengths is None else column.lengths)
            self._is_coded = len(column.different) * -(-rows // size) <= len(column.values)

    def between(self, start: Any, end: Any) -> Any:
        """Returns the values of the rows from one up to another, as a batch has them."""
        if self._splits is None:
            return self._decoded(self._values[start:end])
        splits = self._splits[start : end + 1]
        values = self._values[splits[0] : splits[-1]]
        if self._different is None or not self._is_coded:
            return tf.RaggedTensor.from_row_splits(self._decoded(values), splits - splits[0], validate=False)
        codes = tf.RaggedTensor.from_row_splits(values, splits - splits[0], validate=False)
        return Coded(self._different, codes)

    def _decoded(self, values: Any) -> Any:
        return values if self._different is None else tf.gather(self._different, values)
