r"""Tab-separated text with a header row, for labels and for vectors: any string comes back as it was.

A tab, a line end and a backslash become `\t`, `\n`, `\r` and `\\`. Half of a surrogate pair is written as the three
bytes that other letters of its size have, which other programs may refuse as no UTF-8.

Vectors have the columns `key`, the fields, and `v0`, `v1` and so on, a column a number.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from trainer import paths
from trainer.errors import Refusal
from trainer.formats import tabbed, texts, vectors

SUFFIXES = (".tsv",)

_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_ESCAPE_TABLE = str.maketrans(_ESCAPES)
_UNESCAPES = {escaped[1]: character for character, escaped in _ESCAPES.items()}

_ERRORS = texts.ERRORS
_BLOCK = 1 << 24
"""Bytes of a file of vectors that are read at once; a line may not be longer."""


def escape(text: str) -> str:
    r"""Returns a field without tabs and line ends: they, and the backslash, become `\t`, `\n`, `\r` and `\\`.

    Example:
        >>> escape("Mon\tto Fri")
        'Mon\\tto Fri'
    """
    return text.translate(_ESCAPE_TABLE)


def unescape(text: str) -> str:
    r"""Returns what `escape` was given; a backslash before any other character stays.

    Example:
        >>> unescape("Mon\\tto Fri") == "Mon\tto Fri"
        True
    """
    if "\\" not in text:
        return text
    first, *others = text.split("\\")
    found = [first]
    rest = iter(others)
    for part in rest:
        if part == "":  # two backslashes: the part after the second is plain text
            found.append("\\" + next(rest, ""))
        else:
            found.append(_UNESCAPES.get(part[0], "\\" + part[0]) + part[1:])
    return "".join(found)


def write(path: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Writes a file whole or not at all.

    Args:
        path: Where to, local or remote.
        header: The columns' names, at least one.
        rows: The fields of each row, as many as the header has; read once, so a generator does.

    Raises:
        Refusal: There is no column, or a row has more or fewer fields than the header.
    """
    if not header:
        raise Refusal(f"tsv: {path} needs at least one column.")
    with paths.written_whole(path) as whole, open(whole, "w", encoding="utf-8", errors=_ERRORS, newline="\n") as file:
        file.write("\t".join(map(escape, header)) + "\n")
        for number, row in enumerate(rows, start=2):
            _check_width(path, number, row, header)
            file.write("\t".join(map(escape, row)) + "\n")


def read(path: str) -> tuple[list[str], list[list[str]]]:
    """Returns the header and the rows of a file.

    Raises:
        Refusal: The file is empty, is no text, or a row has more or fewer fields than the header.
        OSError: The file is not there.
    """
    with tabbed.opened(path) as file:
        return _rows(path, file.read())


def _rows(path: str, content: bytes) -> tuple[list[str], list[list[str]]]:
    try:
        lines = content.decode("utf-8", _ERRORS).split("\n")
    except UnicodeDecodeError:
        raise Refusal(f"tsv: {path} is no UTF-8 text; give a tab-separated file with a header row.") from None
    if not lines[-1]:
        del lines[-1]
    if not lines:
        raise Refusal(f"tsv: {path} is empty; a header row is wanted.")
    header, *rows = ([unescape(field) for field in line.removesuffix("\r").split("\t")] for line in lines)
    for number, row in enumerate(rows, start=2):
        _check_width(path, number, row, header)
    return header, rows


def _check_width(path: str, number: int, row: Sequence[str], header: Sequence[str]) -> None:
    if len(row) != len(header):
        raise Refusal(f"tsv: line {number} of {path} has {len(row)} fields; the header has {len(header)}.")


def columns(path: str) -> tuple[list[str], list[pa.Array]]:
    """Returns the header and the columns of a file, as Arrow holds bytes: in a tenth of the time that `read` takes.

    Raises:
        Refusal: As `read`.
        OSError: The file is not there.
    """
    with tabbed.opened(path) as file:
        try:
            header = _split(file.readline())
            names = [str(place) for place in range(len(header))]
            read_options = pyarrow.csv.ReadOptions(column_names=names, skip_rows=1, block_size=_BLOCK)
            found = tabbed.parsed(file, read_options, dict.fromkeys(names, pa.large_binary()))
            # Arrow takes an empty line for a row of empty fields, and damaged text for text.
            if len(names) == 1 or not tabbed.has_empty_row(found):
                return header, [_unescaped(tabbed.checked(fields)) for fields in found]
        except (pa.ArrowInvalid, UnicodeDecodeError):
            pass
        file.seek(0)
        header, rows = _rows(path, file.read())  # refuses what is damaged, in words
    listed = zip(*rows, strict=True) if rows else ((),) * len(header)
    return header, [texts.arrow(list(fields)) for fields in listed]


def column(path: str, name: str) -> pa.Array:
    """Returns the fields of one column, as Arrow holds bytes; those of a million rows in some hundredths of a second.

    Raises:
        Refusal: There is no such column, or a row has more or fewer fields than the header.
        OSError: The file is not there.
    """
    try:
        read_options = pyarrow.csv.ReadOptions(block_size=_BLOCK)
        with tabbed.opened(path) as file:
            return _unescaped(tabbed.parsed(file, read_options, {escape(name): pa.large_binary()})[0])
    except (pa.ArrowInvalid, KeyError) as error:
        raise Refusal(f"tsv: column '{name}' of {path} cannot be read ({error}); copy the whole folder.") from None


def _unescaped(fields: pa.Array) -> pa.Array:
    """Returns fields as they were before they were escaped; those without a backslash are not touched."""
    escaped = pc.match_substring(fields, "\\")
    if not pc.any(escaped).as_py():
        return fields
    found = [unescape(field.decode("utf-8", _ERRORS)) for field in fields.filter(escaped).to_pylist()]
    return pc.replace_with_mask(fields, escaped, texts.arrow(found))


def save(path: str, keys: Sequence[str], values: Any, fields: Mapping[str, Sequence[str]] | None = None) -> None:
    """Writes vectors by key whole or not at all, each number with as few digits as give the same float32 again.

    NaN is one of all that there are.

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
        ...     save(f"{folder}/days.tsv", ["Mon", "Tue"], np.eye(2), {"kind": ["work", "work"]})
        ...     read(f"{folder}/days.tsv")
        (['key', 'kind', 'v0', 'v1'], [['Mon', 'work', '1', '0'], ['Tue', 'work', '0', '1']])
    """
    given = vectors.given("tsv", path, keys, values, fields)
    header = ["key", *map(escape, given.fields), *(f"v{place}" for place in range(given.values.shape[1]))]
    columns = [list(map(escape, column)) for column in (given.keys, *given.fields.values())]
    with paths.written_whole(path) as whole, open(whole, "wb") as file:
        file.write(("\t".join(header) + "\n").encode("utf-8", _ERRORS))
        for lines in texts.lines(columns, given.values, b"\t"):
            file.write(lines)


def is_vectors(path: str) -> bool:
    """Tells from the header of a local file whether it holds vectors."""
    with open(path, "rb") as file:
        return _dimension(_names(file.readline())) > 0


def shape(path: str) -> tuple[int, int]:
    """Returns the rows and the dimension of a local file of vectors; its lines are counted.

    Raises:
        Refusal: The file holds no vectors by key.
        OSError: The file is not there.
    """
    with open(path, "rb") as file:
        _, dimension = _header(path, file.readline())
        rows, end = 0, b"\n"
        while block := file.read(_BLOCK):
            rows, end = rows + block.count(b"\n"), block[-1:]
        return rows + (end != b"\n"), dimension


def load(path: str) -> vectors.Vectors:
    """Returns what `save` wrote.

    Raises:
        Refusal: The file holds no vectors by key, or is damaged.
        OSError: The file is not there.
    """
    with vectors.local(path) as here, open(here, "rb") as file:
        line = file.readline()
        header, dimension = _header(path, line)
        _check_end(path, file, len(line))
        width = len(header) - dimension
        columns: list[list[str]] = [[] for _ in range(width)]
        blocks = [np.empty((0, dimension), np.float32)]
        for batch in _batches(path, file, width, dimension):
            for found, part in zip(columns, batch.columns, strict=False):
                found += map(unescape, _decoded(path, part))
            blocks.append(np.stack(batch.columns[width:], 1))
        keys, *others = columns
        return vectors.Vectors(keys, np.concatenate(blocks), dict(zip(header[1:width], others, strict=True)))


def _check_end(path: str, file: BinaryIO, start: int) -> None:
    """Refuses a file without a line end at its end, whose last number may have been longer; leaves it at a place."""
    file.seek(-1, os.SEEK_END)
    if file.read() != b"\n":
        raise Refusal(_damaged(path, "it ends inside a line"))
    file.seek(start)


def _decoded(path: str, column: pa.Array) -> list[str]:
    try:
        return texts.listed(column)
    except UnicodeDecodeError:
        raise Refusal(_damaged(path, "a text is no UTF-8")) from None


def _header(path: str, line: bytes) -> tuple[list[str], int]:
    """Returns the names of the columns of a file of vectors, and how many of them are numbers."""
    names = _names(line)
    dimension = _dimension(names)
    if not dimension:
        raise Refusal(
            f"tsv: {path} has no vectors by key: a header with 'key', any fields, and 'v0', 'v1' and so on is wanted."
        )
    return names, dimension


def _names(line: bytes) -> list[str]:
    try:
        return _split(line)
    except UnicodeDecodeError:
        return [""]


def _split(line: bytes) -> list[str]:
    return [unescape(name) for name in line.rstrip(b"\r\n").decode("utf-8", _ERRORS).split("\t")]


def _dimension(names: Sequence[str]) -> int:
    """Returns how many numbers a row has, which the last name says; 0 where these are no names of vectors."""
    last = names[-1][1:]
    dimension = int(last) + 1 if last.isdecimal() and last.isascii() and len(last) < 10 else 0
    is_so = names[0] == "key" and dimension < len(names)
    return dimension if is_so and list(names[-dimension:]) == [f"v{place}" for place in range(dimension)] else 0


def _batches(path: str, file: Any, width: int, dimension: int) -> Iterator[Any]:
    """Yields blocks of the rows of a file that stands after its header; the first columns are texts."""
    names = [str(place) for place in range(width + dimension)]
    types = {name: pa.large_binary() if place < width else pa.float32() for place, name in enumerate(names)}
    if not file.peek(1):  # which Arrow takes for a mistake
        return
    try:
        yield from pyarrow.csv.open_csv(
            file,
            pyarrow.csv.ReadOptions(column_names=names, block_size=_BLOCK, use_threads=False),
            pyarrow.csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False),
            pyarrow.csv.ConvertOptions(column_types=types, null_values=[], strings_can_be_null=False),
        )
    except pa.ArrowInvalid:
        raise Refusal(_damaged(path, "a row is of another width, or has no number where one is wanted")) from None


def _damaged(path: str, reason: str) -> str:
    return f"tsv: {path} is damaged ({reason}); fetch or save it again."
