"""Tab-separated text with a header row, for labels: any string comes back as it was."""

from collections.abc import Iterable, Sequence

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
