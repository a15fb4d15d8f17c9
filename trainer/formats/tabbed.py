"""Tab-separated text as Arrow reads it, whatever its fields mean."""

import functools
import io
from collections.abc import Mapping, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from trainer import paths
from trainer.formats import texts

_BLOCK = 1 << 20
"""Bytes that are looked at at once."""


def opened(path: str) -> BinaryIO:
    """Returns a file to read, local or remote."""
    return io.BytesIO(paths.read_bytes(path)) if paths.is_remote(path) else open(path, "rb")


def parsed(file: BinaryIO, options: pyarrow.csv.ReadOptions, types: Mapping[str, pa.DataType]) -> list[pa.Array]:
    """Returns the columns that have a type, each as one array; an empty line is a row of empty fields.

    Raises:
        pyarrow.ArrowInvalid: A row has more or fewer fields than the header, or there is no row; or a carriage return
            stands alone, which Arrow would take for a line end.
        KeyError: There is no such column.
    """
    if has_lone_return(file):
        raise pa.ArrowInvalid("a carriage return has no line feed after it")
    file.seek(0)
    parse = pyarrow.csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False)
    convert = pyarrow.csv.ConvertOptions(include_columns=list(types), column_types=types, strings_can_be_null=False)
    found = pyarrow.csv.read_csv(file, options, parse, convert).columns
    # One by one, so that the pieces of a column are let go before the next is put together.
    return [_whole(found.pop(0)) for _ in types]


def _whole(fields: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(fields.chunks) if fields.num_chunks else pa.array([], fields.type)


def has_lone_return(file: BinaryIO) -> bool:
    r"""Tells whether a file holds a carriage return with no line feed after it.

    Example:
        >>> has_lone_return(io.BytesIO(b"Mon\r\n")), has_lone_return(io.BytesIO(b"Mon\rTue\r\n"))
        (False, True)
    """
    file.seek(0)
    while block := file.read(_BLOCK):
        if block.endswith(b"\r"):
            block += file.read(1)
        if b"\r" in block and block.count(b"\r") > block.count(b"\r\n"):
            return True
    return False


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
