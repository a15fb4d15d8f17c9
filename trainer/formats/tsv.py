"""Tab-separated text with a header row, for labels: any string comes back as it was."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from trainer import paths
from trainer.errors import Refusal

_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_ESCAPE_TABLE = str.maketrans(_ESCAPES)
_UNESCAPES = {escaped[1]: character for character, escaped in _ESCAPES.items()}

# A label may hold half of a surrogate pair, which strict UTF-8 refuses; a finished training is not lost to that.
_ERRORS = "surrogatepass"


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
    try:
        lines = _text(path).split("\n")
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


def _text(path: str) -> str:
    if paths.is_remote(path):
        return paths.read_text(path)
    with open(path, encoding="utf-8", errors=_ERRORS, newline="\n") as file:
        return file.read()


def _check_width(path: str, number: int, row: Sequence[str], header: Sequence[str]) -> None:
    if len(row) != len(header):
        raise Refusal(f"tsv: line {number} of {path} has {len(row)} fields; the header has {len(header)}.")


def column(path: str, name: str) -> pa.Array:
    """Returns the fields of one column, as Arrow holds bytes; those of a million rows in some hundredths of a second.

    Raises:
        Refusal: There is no such column, or a row has more or fewer fields than the header.
        OSError: The file is not there.
    """
    source: Any = io.BytesIO(paths.read_bytes(path)) if paths.is_remote(path) else path
    parse = pyarrow.csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False)
    convert = pyarrow.csv.ConvertOptions(
        include_columns=[escape(name)], column_types={escape(name): pa.large_binary()}, strings_can_be_null=False
    )
    try:
        found = pyarrow.csv.read_csv(source, parse_options=parse, convert_options=convert)
    except (pa.ArrowInvalid, KeyError) as error:
        raise Refusal(f"tsv: column '{name}' of {path} cannot be read ({error}); copy the whole folder.") from None
    fields = found[0].combine_chunks()
    fields = fields.combine_chunks() if isinstance(fields, pa.ChunkedArray) else fields
    if pc.any(pc.match_substring(fields, "\\")).as_py():
        texts = (unescape(field.decode("utf-8", _ERRORS)) for field in fields.to_pylist())
        fields = pa.array([text.encode("utf-8", _ERRORS) for text in texts], pa.large_binary())
    return fields
