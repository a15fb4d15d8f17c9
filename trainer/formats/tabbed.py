"""Tab-separated text as Arrow reads it, whatever its fields mean."""

import functools
import io
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from trainer import paths
from trainer.formats import texts


def opened(path: str) -> BinaryIO:
    """Returns a file to read, local or remote."""
    return io.BytesIO(paths.read_bytes(path)) if paths.is_remote(path) else open(path, "rb")


def parsed(path: str, options: pyarrow.csv.ReadOptions, types: Mapping[str, pa.DataType]) -> list[pa.Array]:
    """Returns the columns that have a type, each as one array; an empty line is a row of empty fields.

    Raises:
        pyarrow.ArrowInvalid: A row has more or fewer fields than the header, or there is no row.
        KeyError: There is no such column.
        OSError: The file is not there.
    """
    source: Any = opened(path) if paths.is_remote(path) else path
    parse = pyarrow.csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False)
    convert = pyarrow.csv.ConvertOptions(include_columns=list(types), column_types=types, strings_can_be_null=False)
    found = pyarrow.csv.read_csv(source, options, parse, convert).columns
    # One by one, so that the pieces of a column are let go before the next is put together.
    return [_whole(found.pop(0)) for _ in types]


def _whole(fields: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(fields.chunks) if fields.num_chunks else pa.array([], fields.type)


def has_empty_row(columns: Sequence[pa.Array]) -> bool:
    """Tells whether all fields of a row are empty.

    Example:
        >>> has_empty_row([pa.array([b"Mon", b""]), pa.array([b"", b"08"])])
        False
    """
    empty = (pc.equal(pc.binary_length(fields), 0) for fields in columns)
    return bool(pc.any(functools.reduce(pc.and_, empty)).as_py())


def checked(fields: pa.Array) -> pa.Array:
    """Returns fields, each of which is UTF-8, halves of surrogate pairs included.

    Raises:
        UnicodeDecodeError: One is not.
    """
    try:
        fields.cast(pa.large_string())
    except pa.ArrowInvalid:
        texts.listed(fields)
    return fields
