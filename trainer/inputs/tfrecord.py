"""TFRecord files of tf.train.Example: parsed in batches, and one by one where a record is not as the others."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf
from google.protobuf.message import DecodeError

from trainer.errors import Refusal
from trainer.inputs import streams
from trainer.inputs.bad_rows import BadRow
from trainer.inputs.part import Array, Part, RowFile, refused, source
from trainer.inputs.values import Wanted

BATCH_ROWS, BATCH_BYTES = 4096, 16 << 20
"""Records of a piece, and about how many bytes they may have."""

LOOK_RECORDS, LOOK_BYTES = 300, 16 << 20
"""How much of a file is looked at before it is read."""

_LOOK_BATCH = 16
_FRAME = 16  # bytes of a record beside its own: a length and two check sums
_GZIP = b"\x1f\x8b"
_ARROW = {"bytes_list": pa.binary(), "int64_list": pa.int64(), "float_list": pa.float32()}
_TENSOR = {"bytes_list": tf.string, "int64_list": tf.int64, "float_list": tf.float32}
_WORDS = {"bytes_list": "a bytes_list", "int64_list": "an int64_list", "float_list": "a float_list"}
_STORED = {"string": "bytes_list", "int64": "int64_list", "float32": "float_list"}

Flat = tuple[Any, Array]
"""The values of some rows, and how many each has."""


@dataclass(frozen=True)
class Records:
    """Some records as they lie in the file.

    Args:
        records: A tensor of bytes, `(rows,)`.
        first: The number of the first.
    """

    records: Any
    first: int


class TFRecordFile(RowFile):
    """A file of serialized tf.train.Example, plain or compressed with gzip.

    Args:
        path: Of the file.
        wanted: What will be made of its columns, by name.

    Raises:
        Refusal: It cannot be read, is empty, or its first records are no Examples.
    """

    def __init__(self, path: str, wanted: Mapping[str, Wanted]) -> None:
        super().__init__(path)
        self._wanted = wanted
        kind = streams.compression(path)
        if kind not in (None, "gzip"):
            raise Refusal(f"{path}: TFRecord files are read plain or compressed with gzip, not with {kind}.")
        self._compression = "" if kind is None else "GZIP"
        self._total, self._done, self._size = 0, 0, 0
        self._kinds, self._are_lists, self._batch = self._look()

    @property
    def names(self) -> list[str]:
        """The keys of its first records."""
        return list(self._kinds)

    @property
    def types(self) -> Mapping[str, Any]:
        """As its first records have them; a list where one of them has several values."""
        types = {name: _ARROW[kind] for name, kind in self._kinds.items()}
        return {name: pa.list_(kind) if self._is_list(name) else kind for name, kind in types.items()}

    def pieces(self, columns: Collection[str]) -> Iterator[Records]:
        """Yields batches of records."""
        del columns
        first, self._done = 1, 0
        for records in self._records(self._batch):
            found = records.numpy()
            self._done += sum(map(len, found)) + _FRAME * len(found)
            yield Records(records, first)
            first += len(found)
        self._check_end()

    def part(self, piece: Records, columns: Collection[str]) -> Part:
        """Returns the rows of a batch."""
        dtypes = {name: _TENSOR[self._kinds[name]] for name in columns}
        features = {name: tf.io.RaggedFeature(dtype, row_splits_dtype=tf.int64) for name, dtype in dtypes.items()}
        numbers = piece.first + np.arange(len(piece.records))
        bad: list[BadRow] = []
        try:
            found = {name: _flat(ragged) for name, ragged in tf.io.parse_example(piece.records, features).items()}
        except (tf.errors.OpError, UnicodeDecodeError):  # the latter from the bytes that its message shows
            found, numbers, bad = self._by_python(piece, columns)
        kept = np.ones(len(numbers), bool)
        for name in columns:
            if self._is_scalar(name):
                several = found[name][1] > 1
                places = np.flatnonzero(several & kept)
                bad += [self._several(name, found[name], int(place), int(numbers[place])) for place in places]
                kept &= ~several
        arrays = {name: self._array(name, *found[name], kept) for name in columns}
        return Part(arrays, int(kept.sum()), lambda: numbers[kept], sorted(bad, key=lambda row: row.number))

    def position(self) -> int:
        """Of the bytes as they lie in the file; of a compressed one, as if each part of it were compressed as well."""
        return min(self._size, self._done * self._size // max(self._total, self._done, 1))

    def _look(self) -> tuple[dict[str, str], set[str], int]:
        """Returns the kind of each key in the first records, those with several values, and a batch's records."""
        self._size, self._total = self._sizes()
        kinds: dict[str, str | None] = {}
        lists: set[str] = set()
        size = count = examples = 0
        records = (record for batch in self._records(_LOOK_BATCH) for record in batch.numpy())
        for data in islice(records, LOOK_RECORDS):
            example, count, size = _example(data), count + 1, size + len(data)
            for name, feature in example.features.feature.items() if example is not None else ():
                kind, values = _values(feature)
                kinds[name] = kinds.get(name) or kind
                if len(values) > 1:
                    lists.add(name)
            examples += example is not None
            if size > LOOK_BYTES:
                break
        if not self._total:
            raise Refusal(f"{self.path}: it is empty; a TFRecord file of tf.train.Example is wanted.")
        if not count:
            self._check_end()
        if not examples:
            raise Refusal(f"{self.path}: its first records are no tf.train.Example; write it as Examples.")
        found = {name: kind or self._stored(name) for name, kind in sorted(kinds.items())}
        return found, lists, max(1, min(BATCH_ROWS, BATCH_BYTES * count // max(size, 1)))

    def _sizes(self) -> tuple[int, int]:
        """Returns the bytes of the file, and those of it decompressed."""
        try:
            with source(self.path) as raw:
                size = int(raw.size())
                if not self._compression or size < 4:
                    return size, size
                raw.seek(size - 4)
                return size, int.from_bytes(raw.read(4), "little")  # gzip's own word for it
        except OSError as error:
            raise refused(self.path, "TFRecord", error) from None

    def _records(self, batch: int) -> Iterator[Any]:
        """Yields batches of records, tensors `(batch,)`."""
        try:
            yield from tf.data.TFRecordDataset(self.path, self._compression).batch(batch)
        except tf.errors.OpError as error:
            raise self._refused(error) from None

    def _check_end(self) -> None:
        """Refuses a file of which bytes are left: TensorFlow takes the beginning of a record's frame for the end."""
        is_whole = self._done >= self._total
        if self._compression and self._done % 2**32 != self._total:
            try:  # several files of gzip, one after the other, tell the size of the last alone
                with streams.Stream(self.path) as stream:
                    is_whole = self._done == sum(map(len, iter(lambda: stream.read(1 << 20), b"")))
            except OSError as error:
                raise refused(self.path, "TFRecord", error) from None
        if not is_whole:
            raise Refusal(f"{self.path}: it ends within a record; write it again, to its end.")

    def _refused(self, error: Any) -> Refusal:
        try:
            with source(self.path) as raw:
                is_gzip = raw.read(len(_GZIP)) == _GZIP
        except OSError as gone:
            return refused(self.path, "TFRecord", gone)
        if is_gzip and not self._compression:
            return Refusal(f"{self.path}: it is compressed with gzip; give it a name that ends with .gz.")
        text = re.sub(r"\{\{.*?\}\}|\[Op:.*", "", error.message)
        return refused(self.path, "TFRecord", OSError(text))

    def _stored(self, name: str) -> str:
        """Returns the kind of a key without any value: what is wanted of it."""
        wanted = self._wanted.get(name)
        return "bytes_list" if wanted is None else _STORED[wanted.dtype]

    def _is_list(self, name: str) -> bool:
        wanted = self._wanted.get(name)
        return name in self._are_lists or (wanted is not None and bool(wanted.shape) and wanted.separator is None)

    def _is_scalar(self, name: str) -> bool:
        """Tells whether several values are too many; a bag may also be a single text until one has several."""
        wanted = self._wanted.get(name)
        return not self._is_list(name) and (wanted is None or not wanted.shape)

    def _array(self, name: str, values: Any, lengths: Array, kept: Array) -> Any:
        """Returns the values of rows as lists, or as scalars that are null where there is none."""
        starts = np.cumsum(lengths) - lengths
        if self._is_list(name) or lengths[kept].max(initial=0) > 1:
            flat = values.filter(pa.array(np.repeat(kept, lengths)))
            return pa.ListArray.from_arrays(np.cumsum([0, *lengths[kept]], dtype=np.int32), flat)
        if kept.all() and (lengths == 1).all():
            return values
        return values.take(pa.array(starts[kept], mask=lengths[kept] == 0))

    def _several(self, name: str, flat: Flat, place: int, number: int) -> BadRow:
        start, length = int(flat[1][:place].sum()), int(flat[1][place])
        text = ", ".join(_text(value) for value in flat[0].slice(start, length).to_pylist())
        return BadRow(self.path, self.unit, number, name, text, "a single value")

    def _by_python(self, piece: Records, columns: Collection[str]) -> tuple[dict[str, Flat], Array, list[BadRow]]:
        """Returns the values of those records that are as they should be, their numbers, and the others."""
        rows, numbers, bad = [], [], []
        for number, record in enumerate(piece.records.numpy(), piece.first):
            row = self._row(number, record, columns)
            if isinstance(row, BadRow):
                bad.append(row)
            else:
                rows.append(row)
                numbers.append(number)
        found = {}
        for name in columns:
            flat = [value for row in rows for value in row[name]]
            lengths = np.array([len(row[name]) for row in rows], np.int64)
            found[name] = pa.array(flat, _ARROW[self._kinds[name]]), lengths
        return found, np.array(numbers, np.int64), bad

    def _row(self, number: int, record: bytes, columns: Collection[str]) -> dict[str, Sequence[Any]] | BadRow:
        example = _example(record)
        if example is None:
            what = "is no tf.train.Example, and one is wanted"
            return BadRow(self.path, self.unit, number, None, None, what)
        there, row = example.features.feature, dict[str, Sequence[Any]]()
        for name in columns:
            kind, row[name] = _values(there[name]) if name in there else (None, [])
            if kind not in (None, self._kinds[name]):
                text = ", ".join(map(_text, row[name]))
                what = f"{_WORDS[self._kinds[name]]} as in the first records"
                return BadRow(self.path, self.unit, number, name, text, what)
        return row


def _flat(ragged: Any) -> Flat:
    lengths = ragged.row_lengths().numpy()
    values = ragged.values.numpy()
    kind = {"O": pa.binary(), "i": pa.int64(), "f": pa.float32()}[values.dtype.kind]
    return pa.array(values, kind), lengths


def _example(record: bytes) -> Any:
    """Returns the Example that a record is, or None."""
    try:
        return tf.train.Example.FromString(record)
    except DecodeError:
        return None


def _values(feature: Any) -> tuple[str | None, list[Any]]:
    """Returns the kind of a tf.train.Feature, None where it has no values, and these."""
    kind = feature.WhichOneof("kind")
    values = list(getattr(feature, kind).value) if kind else []
    return (kind if values else None), values


def _text(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
