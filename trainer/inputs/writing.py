"""Examples written to an Arrow file block by block, and what is known of such a file."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf

from trainer.inputs import order, packing
from trainer.inputs.memory import Examples, joined
from trainer.inputs.packing import Array, Layout, Values


@dataclass(frozen=True)
class Column:
    """One of the arrays that a block holds.

    Args:
        shape: Of one row; of a bag, None.
        dtype: Of its values, "string" for strings.
    """

    shape: tuple[int, ...] | None
    dtype: str

    @classmethod
    def of(cls, values: Values) -> "Column":
        """Returns the column that holds an array or a ragged tensor."""
        is_ragged = isinstance(values, tf.RaggedTensor)
        is_text = values.dtype in (object, tf.string)
        return cls(None if is_ragged else values.shape[1:], "string" if is_text else tf.as_dtype(values.dtype).name)

    def to_arrow(self, values: Values) -> Any:
        """Returns rows as an Arrow array."""
        if self.shape is None:
            return pa.LargeListArray.from_arrays(np.asarray(values.row_splits), _flat(np.asarray(values.flat_values)))
        width = int(np.prod(self.shape, dtype=np.int64))
        if not width:
            return pa.nulls(len(values))
        flat = _flat(np.ascontiguousarray(values).reshape(-1))
        return pa.FixedSizeListArray.from_arrays(flat, width) if self.shape else flat

    def from_arrow(self, array: Any) -> Values:
        """Returns the rows of an Arrow array."""
        if self.shape is None:
            lengths = np.diff(array.offsets.to_numpy())
            return tf.RaggedTensor.from_row_lengths(_values(array.flatten()), lengths, validate=False)
        if 0 in self.shape:
            return np.zeros((len(array), *self.shape), object if self.dtype == "string" else self.dtype)
        flat = _values(array if not self.shape else array.flatten())
        return flat.reshape(-1, *self.shape)


def _flat(values: Array) -> Any:
    return pa.array(values, pa.binary()) if values.dtype == object else pa.array(values)


def _values(array: Any) -> Array:
    found: Array = array.to_numpy(zero_copy_only=False)
    return found


def _checksum(values: Values) -> int:
    if isinstance(values, tf.RaggedTensor):
        return zlib.crc32(np.asarray(values.row_splits).data, _checksum(np.asarray(values.flat_values)))
    if values.dtype == object:
        return zlib.crc32(b"\0".join(values.reshape(-1).tolist()))
    return zlib.crc32(np.ascontiguousarray(values).data, zlib.crc32(values.dtype.str.encode()))


@dataclass(frozen=True)
class Kept:
    """What is known of the examples in a file.

    Args:
        rows: How many they are.
        size: Bytes of the file.
        nbytes: Bytes that they take in memory.
        layout: Where their values lie.
        columns: Of the file.
        block: Rows of a block.
        checksums: Of each block.
        outside: By the name of a table, how many hold a value in no vocabulary of it.
    """

    rows: int
    size: int
    nbytes: int
    layout: Layout
    columns: tuple[Column, ...]
    block: int
    checksums: tuple[int, ...]
    outside: Mapping[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Returns it as JSON can hold it."""
        return {**asdict(self), "layout": self.layout.to_dict()}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Kept":
        """Returns what `to_dict` was given."""
        columns = [Column(None if c["shape"] is None else tuple(c["shape"]), c["dtype"]) for c in given["columns"]]
        layout, checksums = Layout.from_dict(given["layout"]), tuple(given["checksums"])
        numbers = (given["rows"], given["size"], given["nbytes"])
        return cls(*numbers, layout, tuple(columns), given["block"], checksums, given["outside"])


class Writer:
    """Writes examples to a file as they come, in blocks of the same size.

    Args:
        path: Local.
    """

    def __init__(self, path: str) -> None:
        self._path, self._file, self._waiting = path, None, list[Examples]()
        self._rows = self._nbytes = 0
        self._block: int | None = None
        self._checksums: list[int] = []
        self._outside: dict[str, int] = {}

    def fits(self, part: Examples) -> bool:
        """Tells whether examples lie as those before them do."""
        return self._file is None or (part.layout == self._layout and self._columns_of(part) == self._columns)

    def add(self, part: Examples) -> None:
        """Writes examples that fit."""
        if self._file is None:
            self._layout, self._columns = part.layout, self._columns_of(part)
            self._file = pa.OSFile(self._path, "wb")
            arrays = [column.to_arrow(values) for column, values in zip(self._columns, part.arrays, strict=True)]
            self._schema = pa.schema([(str(place), array.type) for place, array in enumerate(arrays)])
            self._stream = pa.ipc.new_file(self._file, self._schema)
        self._waiting.append(part)
        self._rows += len(part)
        self._nbytes += part.nbytes
        for name, told in part.outside.items():
            self._outside[name] = self._outside.get(name, 0) + int(told.sum())
        if self._block is None and (self._rows >= order.BLOCK or self._nbytes > order.LONG_BYTES):
            self._block = self._block_of_waiting()
        if self._block is not None:
            self._write(self._block)

    def close(self) -> Kept:
        """Ends the file, and returns what is known of it."""
        if self._file is None:
            return Kept(0, 0, 0, Layout(()), (), order.BLOCK, ())
        if self._block is None:
            self._block = self._block_of_waiting()
        self._write(self._block, is_end=True)
        self._stream.close()
        size = self._file.tell()
        self._file.close()
        numbers, checksums = (self._rows, size, self._nbytes), tuple(self._checksums)
        return Kept(*numbers, self._layout, self._columns, self._block, checksums, self._outside)

    def _columns_of(self, part: Examples) -> tuple[Column, ...]:
        return tuple(Column.of(values) for values in part.arrays)

    def _block_of_waiting(self) -> int:
        """Returns how many rows a block has, by the first rows, which wait for it."""
        return order.block_of(np.concatenate([packing.sizes(part.arrays, order.BLOCK) for part in self._waiting]))

    def _write(self, size: int, is_end: bool = False) -> None:
        rows = sum(map(len, self._waiting))
        if not rows or (rows < size and not is_end):
            return
        whole = joined(self._waiting)
        last = rows if is_end else rows - rows % size
        for start in range(0, last, size):
            block = whole.subset(np.arange(start, min(start + size, last)))
            self._checksums.append(checksum(block.arrays))
            arrays = [column.to_arrow(values) for column, values in zip(self._columns, block.arrays, strict=True)]
            self._stream.write_batch(pa.record_batch(arrays, schema=self._schema))
        rest = whole.subset(np.arange(last, rows))
        self._waiting = [rest] if len(rest) else []


def checksum(arrays: Sequence[Values]) -> int:
    """Returns the CRC-32 of the arrays of a block."""
    return zlib.crc32(b"".join(_checksum(values).to_bytes(4, "little") for values in arrays))
