"""Arrow files, which Feather is too, and Arrow streams: record batches one after the other."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.errors import Refusal
from trainer.inputs import streams
from trainer.inputs.part import Part, RowFile, check_names, refused, source
from trainer.inputs.values import is_text

SLICE = 65_536
"""Rows of a piece."""

_FILE, _OLD_FEATHER = b"ARROW1", b"FEA1"


@dataclass(frozen=True)
class Slice:
    """Some rows that are decoded already.

    Args:
        batch: The rows.
        first: The number of the first.
    """

    batch: Any
    first: int


class ArrowFile(RowFile):
    """An Arrow file (Feather of version 2) or an Arrow stream, its buffers compressed or not.

    Args:
        path: Of the file.

    Raises:
        Refusal: It cannot be read, or has a name twice.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._size = size_of(path, "an Arrow file")
        self._position = 0
        with self._reader() as (_, reader):
            self._schema, self._names = reader.schema, list(reader.schema.names)
        check_names(self._names, path)

    @property
    def names(self) -> list[str]:
        """Of its schema."""
        return self._names

    @property
    def types(self) -> Mapping[str, Any]:
        """Of its schema, as they are after reading."""
        return {field.name: plain_type(field.type) for field in self._schema}

    def pieces(self, columns: Collection[str]) -> Iterator[Slice]:
        """Yields record batches, and large ones in slices; all that is work is done as they are read."""
        first, self._position = 1, 0
        with self._reader([self._names.index(name) for name in columns]) as (raw, reader):
            for batch in self._batches(raw, reader):
                yield from slices(batch, first)
                first += batch.num_rows

    def part(self, piece: Slice, columns: Collection[str]) -> Part:
        """Returns the rows of a batch."""
        try:
            piece.batch.validate(full=True)  # else a damaged index would read memory that is not the array's
            return part_of(piece, columns)
        except pa.ArrowException as error:
            raise refused(self.path, "an Arrow file", error) from None

    def position(self) -> int:
        """Of a file, as if each of its batches were as long."""
        return self._position

    @contextmanager
    def _reader(self, fields: Sequence[int] = ()) -> Iterator[tuple[Any, Any]]:
        try:
            with source(self.path) as raw:
                start = raw.read(len(_FILE))
                raw.seek(0)
                if start.startswith(_OLD_FEATHER):
                    raise Refusal(f"{self.path}: it is Feather of version 1; write it again, as version 2.")
                options = pa.ipc.IpcReadOptions(included_fields=list(fields))
                yield raw, (pa.ipc.open_file if start == _FILE else pa.ipc.open_stream)(raw, options=options)
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            raise refused(self.path, "an Arrow file", error) from None

    def _batches(self, raw: Any, reader: Any) -> Iterator[Any]:
        if not isinstance(reader, pa.ipc.RecordBatchFileReader):
            for batch in reader:
                self._position = raw.tell()
                yield batch
            return
        for place in range(reader.num_record_batches):
            batch = reader.get_batch(place)
            self._position = self._size * (place + 1) // reader.num_record_batches
            yield batch


def size_of(path: str, what: str) -> int:
    """Returns the bytes of a file that is compressed inside, if at all.

    Args:
        path: Of the file.
        what: It should be, as "an Arrow file".

    Raises:
        Refusal: It cannot be read, is empty, or compressed as a whole.
    """
    if streams.compression(path) is not None:
        raise Refusal(f"{path}: it is compressed as a whole, and {what} is compressed inside; decompress it.")
    try:
        with source(path) as raw:
            size = int(raw.size())
    except OSError as error:
        raise refused(path, what, error) from None
    if not size:
        raise Refusal(f"{path}: it is empty; {what} is wanted.")
    return size


def slices(batch: Any, first: int) -> Iterator[Slice]:
    """Yields the rows of a record batch in slices.

    Args:
        batch: The rows.
        first: The number of the first.
    """
    for start in range(0, batch.num_rows, SLICE):
        yield Slice(batch.slice(start, SLICE), first + start)


def part_of(piece: Slice, columns: Collection[str]) -> Part:
    """Returns the rows of a slice, of types that `values.typed` knows."""
    found = {name: plain(piece.batch.column(name)) for name in columns}
    return Part(found, piece.batch.num_rows, lambda: piece.first + np.arange(piece.batch.num_rows))


def plain_type(kind: Any) -> Any:
    """Returns the type that tells the same values without a rarer way to store them.

    Example:
        >>> plain_type(pa.list_(pa.string_view()))
        ListType(list<item: string>)
    """
    types = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return plain_type(kind.storage_type)
    if types.is_string_view(kind):
        return pa.string()
    if types.is_binary_view(kind) or types.is_fixed_size_binary(kind):
        return pa.binary()
    if types.is_run_end_encoded(kind) or (types.is_dictionary(kind) and not is_text(kind.value_type)):
        return plain_type(kind.value_type)
    is_view = types.is_list_view(kind) or types.is_large_list_view(kind)
    if is_view or types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        inner = plain_type(kind.value_type)
        return pa.list_(inner) if is_view or inner != kind.value_type else kind
    return kind


def plain(column: Any) -> Any:
    """Returns an array as one of its plain type."""
    kind = plain_type(column.type)
    if column.type == kind:
        return column
    if pa.types.is_run_end_encoded(column.type):
        column = pc.run_end_decode(column)
    return column.cast(kind)
