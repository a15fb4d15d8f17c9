"""Parquet files: row groups, each decoded by the thread that needs it, and large ones in batches of rows."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from trainer.inputs.arrow import SLICE, Slice, part_of, plain_type, size_of
from trainer.inputs.part import Part, RowFile, check_names, refused, source

GROUP_ROWS = 262_144
"""Rows of the largest row group that is decoded at once."""

GROUP_BYTES = 32 << 20
"""Bytes of it, decompressed, in the columns that are read."""

_BUFFER = 1 << 20
_CODE = 4  # bytes of a code; a column with more of them for each value has texts that are no codes


@dataclass(frozen=True)
class Group:
    """A row group that is still to be decoded.

    Args:
        index: Its place in the file.
        first: The number of its first row.
    """

    index: int
    first: int


class ParquetFile(RowFile):
    """A Parquet file; only its footer is read before its rows.

    Args:
        path: Of the file.

    Raises:
        Refusal: It cannot be read, or has a name twice.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._size = size_of(path, "a Parquet file")
        self._read = 0
        self._footer: Any = None
        try:
            with source(path) as raw, pq.ParquetFile(raw) as file:
                self._footer, self._schema = file.metadata, file.schema_arrow
            self._names = list(self._schema.names)
            self._stored = [self._footer.schema.column(place).path for place in range(self._footer.num_columns)]
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            raise refused(path, "Parquet", error) from None
        self.rows = int(self._footer.num_rows)
        check_names(self._names, path)

    @property
    def names(self) -> list[str]:
        """Of the columns at the top of its schema."""
        return self._names

    @property
    def types(self) -> Mapping[str, Any]:
        """Of its schema, as they are after reading."""
        return {field.name: plain_type(field.type) for field in self._schema}

    def pieces(self, columns: Collection[str]) -> Iterator[Group | Slice]:
        """Yields row groups, and of a large one its batches of rows, which are decoded here."""
        first, self._read = 1, 0
        for index in range(self._footer.num_row_groups):
            group = self._footer.row_group(index)
            end = first + group.num_rows
            size = sum(chunk.total_uncompressed_size for _, chunk in self._chunks(group, columns))
            if group.num_rows <= GROUP_ROWS and size <= GROUP_BYTES:
                self._read = end - 1
                yield Group(index, first)
            else:
                yield from self._batches(index, first, columns)
            first = end

    def part(self, piece: Group | Slice, columns: Collection[str]) -> Part:
        """Returns the rows of a row group or of a part of one."""
        if isinstance(piece, Slice):
            return part_of(piece, columns)
        try:
            # A reader of its own: two threads cannot share one.
            with source(self.path) as raw, self._reader(raw, self._texts(columns)) as file:
                table = file.read_row_group(piece.index, list(columns), use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise refused(self.path, "Parquet", error) from None
        # By name: "a" brings a column "a.b" along, since the reader takes it for a part of "a".
        arrays = [table.column(name).combine_chunks() for name in columns]
        return part_of(Slice(pa.RecordBatch.from_arrays(arrays, list(columns)), piece.first), columns)

    def position(self) -> int:
        """As if each row were as long."""
        return self._size * self._read // max(self.rows or 0, 1)

    def _batches(self, index: int, first: int, columns: Collection[str]) -> Iterator[Slice]:
        # Where texts are not all coded in the file, each batch would code its dictionary anew.
        chunks = self._chunks(self._footer.row_group(index), self._texts(columns))
        texts = [path for path, chunk in chunks if chunk.total_uncompressed_size <= _CODE * chunk.num_values]
        try:
            with source(self.path) as raw, self._reader(raw, texts, _BUFFER) as file:
                for batch in file.iter_batches(SLICE, [index], list(columns)):
                    self._read = first + batch.num_rows - 1
                    yield Slice(batch, first)
                    first += batch.num_rows
        except (OSError, pa.ArrowException) as error:
            raise refused(self.path, "Parquet", error) from None

    def _reader(self, raw: Any, texts: Collection[str], buffer: int = 0) -> Any:
        """Returns a reader that knows the footer.

        Args:
            raw: The file.
            texts: What it reads as dictionaries.
            buffer: Bytes that it reads at once; 0 is a row group's whole column.
        """
        return pq.ParquetFile(
            raw,
            metadata=self._footer,
            read_dictionary=texts,
            buffer_size=buffer,
            pre_buffer=not buffer,  # which would read all that the buffer is there not to read
            page_checksum_verification=True,
        )

    def _texts(self, columns: Collection[str]) -> list[str]:
        """Returns where strings are stored: the file has each different one once, and so they are read."""
        names = {name for name in columns if _holds_texts(self._schema.field(name).type)}
        return [path for path in self._stored if _is_of(path, names)]

    def _chunks(self, group: Any, columns: Collection[str]) -> Iterator[tuple[str, Any]]:
        """Yields what a row group has of some columns, each with its path."""
        names = {*columns}
        return ((path, group.column(place)) for place, path in enumerate(self._stored) if _is_of(path, names))


def _is_of(path: str, names: set[str]) -> bool:
    """Tells whether what a file stores under a path is a column of some names, or a part of one."""
    return any(name in names for name in accumulate(path.split("."), "{}.{}".format))


def _holds_texts(kind: Any) -> bool:
    """Tells whether the values of a type, or those in its lists, are texts."""
    types = pa.types
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _holds_texts(kind.value_type)
    return bool(
        types.is_string(kind) or types.is_binary(kind) or types.is_large_string(kind) or types.is_large_binary(kind)
    )
