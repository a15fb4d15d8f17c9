r"""Vectors by key in Parquet, as vector databases, notebooks and Embedding Atlas read them.

Columns: `key`, the fields under their own names, and `vector`, a list of float32 of fixed size; none is ever null. What
Parquet's text cannot hold, half of a surrogate pair, is written as `\uXXXX` and a backslash of that column as `\\`; a
field called `key` or `vector` gets an underscore after its name. Both are told by the entry `embedding_columns` of the
file's metadata, so that they come back as they were. The numbers of a row group are one page that is not compressed,
and every page has its checksum.

Other programs' files are read too: lists of floats, of fixed size or all equally long, and as keys the column `key`, or
else the first one of text or whole numbers.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trainer import paths
from trainer.errors import Refusal, nearest
from trainer.formats import pages, texts, vectors

SUFFIXES = (".parquet", ".pq")

_KEY, _VECTOR = "key", "vector"
_NOTE, _CHECKSUMS = b"embedding_columns", b"embedding_columns_checksums"
_ESCAPES = texts.Escapes(r"\ud800-\udfff")
_EMPTY: dict[str, Any] = {"escaped": [], "fields": {}}
_ROWS = 16_384  # of a row group; pyarrow begins another page at 20,000
_BYTES = 1 << 24  # of the numbers of a row group, at most

_Array = np.ndarray[Any, np.dtype[Any]]


def save(path: str, keys: Sequence[str], values: Any, fields: Mapping[str, Sequence[str]] | None = None) -> None:
    """Writes vectors by key whole or not at all.

    Args:
        path: Where to, local or remote.
        keys: A text for each row.
        values: Floats, `(rows, dimension)`, kept as float32.
        fields: More texts for each row, by name.

    Raises:
        Refusal: There are not as many keys or texts of a field as rows, or the values are no matrix of floats.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(f"{folder}/days.parquet", ["Mon", "Tue"], np.eye(2), {"kind": ["work", "work"]})
        ...     pq.read_table(f"{folder}/days.parquet").to_pylist()[0]
        {'key': 'Mon', 'kind': 'work', 'vector': [1.0, 0.0]}
    """
    given = vectors.given("parquet", path, keys, values, fields)
    columns = dict(zip(_names(given.fields), [given.keys, *given.fields.values()], strict=True))
    escaped = [name for name, column in columns.items() if _ESCAPES.needed(column)]
    schema = _schema(list(columns), given, escaped)
    dimension = given.values.shape[1]
    step = max(1, min(_ROWS, _BYTES // (4 * dimension)))
    options = {
        "compression": {**dict.fromkeys(columns, "snappy"), f"{_VECTOR}.list.element": "none"},
        "use_dictionary": [name for name in columns if name != _KEY],
        "data_page_size": 1 << 30,  # one page a row group
        "write_page_checksum": True,
        "write_statistics": list(columns),
    }
    checksums = []
    with paths.written_whole(path) as whole, pq.ParquetWriter(whole, schema, **options) as writer:
        for start in range(0, len(given.keys), step):
            rows = slice(start, start + step)
            parts = [pa.array(_held(column[rows], name in escaped), pa.string()) for name, column in columns.items()]
            numbers = pa.array(given.values[rows].reshape(-1))
            parts.append(pa.FixedSizeListArray.from_arrays(numbers, type=schema.field(_VECTOR).type))
            writer.write_table(pa.Table.from_arrays(parts, schema=schema), row_group_size=step)
            checksums.append(pages.checksum(given.values[rows]))
        writer.add_key_value_metadata({_CHECKSUMS: json.dumps({_VECTOR: checksums})})


def _names(fields: Mapping[str, Any]) -> list[str]:
    """Returns the names of the columns of texts in the file, which differ from each other."""
    found = [_KEY]
    for field in fields:
        name = _ESCAPES.escape(field) if _ESCAPES.needed([field]) else field
        while name in (*found, _VECTOR):
            name += "_"
        found.append(name)
    return found


def _schema(names: Sequence[str], given: vectors.Vectors, escaped: Sequence[str]) -> pa.Schema:
    pairs = zip(names[1:], given.fields, strict=True)
    renamed = {name: _ESCAPES.escape(field) for name, field in pairs if name != field}
    note = {"escaped": escaped, "fields": renamed}
    item = pa.field("element", pa.float32(), nullable=False)
    vector = pa.field(_VECTOR, pa.list_(item, given.values.shape[1]), nullable=False)
    columns = [*(pa.field(name, pa.string(), nullable=False) for name in names), vector]
    return pa.schema(columns, {_NOTE: json.dumps(note).encode()})


def _held(column: Sequence[str], is_escaped: bool) -> Sequence[str]:
    return [_ESCAPES.escape(text) for text in column] if is_escaped else column


def load(path: str) -> vectors.Vectors:
    """Returns the keys, fields and vectors of a file, whoever wrote it; the fields are its other columns of text.

    Raises:
        Refusal: The file has no column of vectors or several, has none of keys, or is damaged.
        OSError: The file is not there.
    """
    with vectors.local(path) as here:
        tables = shapes(here)
        if len(tables) != 1:
            raise Refusal(
                f"parquet: {path} has {len(tables)} columns of vectors, and one is wanted: a list of floats, all of "
                "one length."
            )
        column = _key_column(here)
        if column is None:
            raise Refusal(f"parquet: {path} has no column of keys; one of text or whole numbers is wanted, as 'key'.")
        fields = {field: _read_texts(here, name) for field, name in _fields(here, column).items()}
        values = read(here, *tables).astype(np.float32, copy=False)
        return vectors.found("parquet", here, vectors.Vectors(_read_texts(here, column), values, fields))


def shapes(path: str) -> dict[str, tuple[tuple[int, ...], str]]:
    """Returns the shape and the name of the dtype of each column of vectors of a local file, by its name.

    How long lists of no fixed size are is that of the first.

    Raises:
        Refusal: The file is damaged or of another format.
        OSError: The file is not there.
    """
    with _opened(path) as file:
        rows = file.metadata.num_rows
        found: dict[str, tuple[tuple[int, ...], str]] = {}
        for column in file.schema_arrow:
            if _is_vector(column.type):
                size = getattr(column.type, "list_size", None) or _first_size(file, column.name)
                found[column.name] = ((rows, size), column.type.value_type.to_pandas_dtype().__name__)
        return found


def read(path: str, name: str) -> _Array:
    """Returns one column of vectors of a local file in its own dtype, `(rows, dimension)`.

    Args:
        path: The file.
        name: One of the names in `shapes`.

    Raises:
        Refusal: There is no such column, its lists are of different lengths or null, or the file is damaged.
        OSError: The file is not there.
    """
    tables = shapes(path)
    if name not in tables:
        end = nearest(name, tables) or f"; it has {', '.join(map(repr, list(tables)[:10])) or 'none at all'}."
        raise Refusal(f"parquet: {path} has no column of vectors '{name}'{end}")
    shape, dtype = tables[name]
    with _opened(path) as file:
        # The parts of a column are called `vector.list.element`; what is in the middle differs by writer.
        parts = [file.schema.column(place).path for place in range(len(file.schema))]
        leaf = next(place for place, part in enumerate(parts) if part.startswith(f"{name}."))
        if dtype == "float32" and (checksums := _note(file, _CHECKSUMS, {}).get(name)):
            found = pages.read(path, file.metadata, leaf, shape[1], checksums)
            if found is not None:
                return found
        values, row = np.empty(shape, dtype), 0
        for batch in file.iter_batches(_ROWS, columns=[name]):
            lists = batch.column(name)
            numbers = lists.flatten()
            if lists.null_count or numbers.null_count or not _all_of_size(lists, shape[1]):
                raise Refusal(
                    f"parquet: '{name}' in {path} has vectors of different lengths, or null; leave those out."
                )
            values[row : row + len(lists)] = numbers.to_numpy(zero_copy_only=False).reshape(len(lists), shape[1])
            row += len(lists)
        return values


def keys(path: str) -> list[str] | None:
    """Returns what the rows of a local file are called: its column `key`, or the first of text or whole numbers.

    Raises:
        Refusal: The file is damaged or of another format.
        OSError: The file is not there.
    """
    column = _key_column(path)
    return None if column is None else _read_texts(path, column)


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    with open(path, "rb"):  # what is not there is the operating system's error
        pass
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except Refusal:
        raise
    # What pyarrow raises for bytes that are not as they should be, and Python for texts and metadata that are not.
    except (pa.ArrowException, OSError, MemoryError, ValueError, KeyError, TypeError):
        raise Refusal(f"parquet: {path} is damaged or no Parquet file; fetch or save it again.") from None


def _is_text(type: Any) -> bool:
    types = pa.types
    if types.is_dictionary(type):
        type = type.value_type
    return bool(types.is_string(type) or types.is_large_string(type))


def _is_vector(type: Any) -> bool:
    types = pa.types
    is_list = types.is_fixed_size_list(type) or types.is_list(type) or types.is_large_list(type)
    return bool(is_list and types.is_floating(type.value_type))


def _first_size(file: Any, name: str) -> int:
    batch = next(file.iter_batches(1, columns=[name]), None)
    return len(batch.column(name)[0].as_py() or ()) if batch is not None and len(batch) else 0


def _all_of_size(lists: Any, size: int) -> bool:
    return bool(pc.all(pc.equal(pc.list_value_length(lists), size)).as_py() is not False)


def _key_column(path: str) -> str | None:
    with _opened(path) as file:
        columns = file.schema_arrow
        found = [column.name for column in columns if _is_text(column.type) or pa.types.is_integer(column.type)]
    return _KEY if _KEY in found else next(iter(found), None)


def _fields(path: str, key: str) -> dict[str, str]:
    """Returns the columns of text beside the keys, by the names that they were saved under."""
    with _opened(path) as file:
        renamed = _note(file, _NOTE, _EMPTY)["fields"]
        names = [column.name for column in file.schema_arrow if _is_text(column.type) and column.name != key]
        return {_ESCAPES.unescape(renamed[name]) if name in renamed else name: name for name in names}


def _read_texts(path: str, name: str) -> list[str]:
    with _opened(path) as file:
        escaped = _note(file, _NOTE, _EMPTY)["escaped"]
        column = texts.listed(file.read(columns=[name])[name].cast(pa.large_string()))
    return [_ESCAPES.unescape(text) for text in column] if name in escaped else column


def _note(file: Any, name: bytes, otherwise: dict[str, Any]) -> dict[str, Any]:
    """Returns an entry of a file's metadata that `save` wrote."""
    text = (file.metadata.metadata or {}).get(name)
    return otherwise if text is None else dict(json.loads(text))
