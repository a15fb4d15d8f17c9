r"""Vectors by key, as word2vec, fastText and GloVe write them, plain or compressed with gzip; they are only read.

Which of three forms a file has is found from what is in it, never from its name:

- word2vec text: a line `rows dimension`, then a line `key v1 … vd` for each row; a `.vec` file of fastText is one;
- word2vec binary: that line, then for each row the key, a blank and d little-endian float32. Google's tool ends
  each row with a line end and gensim 4 does not; both are read;
- GloVe text: the lines of word2vec text without the first one, so the last fields that are numbers are the vector.

A key in text may hold anything but a line feed, as the vector is split off from the right. Where every key ends in a
number ("Tue 08"), GloVe text cannot say so and its vectors come out too long: such keys need the header. A key in a
binary file ends at its first blank. Keys come as they are: repeated ones stay, and bytes that are no UTF-8 (Google's
tool cuts long words in the middle of a letter) become lone surrogates, as `os.fsdecode` makes of file names.
"""

import codecs
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from itertools import takewhile
from typing import Any

import numpy as np
import pyarrow as pa

from trainer.errors import Refusal

_HEADER = re.compile(rb"[ \t]*([0-9]{1,12})[ \t]+([1-9][0-9]{0,8})[ \t]*\r?(?:\n|$)")
_NUMBER = re.compile(rb"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|nan|inf|infinity)", re.IGNORECASE)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_GZIP = b"\x1f\x8b"
_ERRORS = "surrogateescape"
_HEAD = 1 << 20  # bytes from which a form is recognised
_SAMPLE = 100  # lines from which the dimension of GloVe text is found
_BLOCK = 1 << 22  # bytes read at once
_WHY = "the header is wrong, the file is damaged, or keys have blanks, which only the text form can hold"

_File = BufferedReader | gzip.GzipFile
_Matrix = np.ndarray[Any, np.dtype[np.float32]]
_Rows = tuple[list[str], _Matrix]


@dataclass(frozen=True)
class _Form:
    """What is known of a file from its head: `header` in bytes; `rows` is None where no header says how many."""

    header: int
    rows: int | None
    dimension: int
    binary: bool = False


def is_vectors(path: str) -> bool:
    """Tells from the first megabyte of a local file whether it has one of the forms; a damaged gzip file is refused."""
    with _opened(path) as file:
        return _form(file.read(_HEAD)) is not None


def shape(path: str) -> tuple[int, int]:
    """Returns the rows and the dimension of a local file: what its header says, or else its lines are counted.

    Raises:
        Refusal: The file has none of the three forms, or is a damaged gzip file.
        OSError: The file is not there.
    """
    with _opened(path) as file:
        form = _recognised(path, file)
        rows = sum(lines.count(b"\n") for lines in _whole_lines(file)) if form.rows is None else form.rows
        return rows, form.dimension


def read(path: str) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float32]]]:
    r"""Returns the keys of a local file, in its order, and their vectors, float32 `(rows, dimension)`.

    Raises:
        Refusal: The file has none of the three forms, has a row of another dimension, or more or fewer rows than its
            header says, or it is damaged.
        OSError: The file is not there.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     _ = file.write(b"2 3\nNew York 1 0 0.5\nTokyo 0 1 0.5\n")
        ...     file.flush()
        ...     keys, vectors = read(file.name)
        >>> keys, vectors[1].tolist()
        (['New York', 'Tokyo'], [0.0, 1.0, 0.5])
    """
    with _opened(path) as file:
        form = _recognised(path, file)
        # A header may say anything, so memory is taken for what is there; joining the blocks doubles it for a moment.
        keys: list[str] = []
        blocks = [np.empty((0, form.dimension), np.float32)]
        for some_keys, vectors in _binary(path, file, form) if form.binary else _text(path, file, form):
            keys += some_keys
            blocks.append(vectors)
    return keys, np.concatenate(blocks)  # (rows, dimension)


@contextmanager
def _opened(path: str) -> Iterator[_File]:
    with open(path, "rb") as raw:
        if raw.peek(len(_GZIP))[: len(_GZIP)] != _GZIP:
            yield raw
            return
        try:
            with gzip.open(raw) as file:
                yield file
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise Refusal(f"word2vec: {path} is a damaged gzip file; fetch or write it again.") from None


def _recognised(path: str, file: _File) -> _Form:
    """Returns the form of a file, which then stands at its first row."""
    form = _form(file.read(_HEAD))
    if form is None:
        raise Refusal(
            f"word2vec: {path} has no vectors in word2vec text or binary (a line 'rows dimension' first) or GloVe text "
            "(lines 'key v1 v2 …'); write it as one of them."
        )
    file.seek(form.header)
    return form


def _form(head: bytes) -> _Form | None:
    header = _HEADER.match(head)
    if header is None:
        dimension = _usual_dimension(head)
        # Words with one number each are a vocabulary with counts, no vectors.
        return _Form(0, None, dimension) if dimension > 1 else None
    rows, dimension = int(header[1]), int(header[2])
    body = head[header.end() :]
    form = _Form(header.end(), rows, dimension)
    first = body.partition(b"\n")[0]
    if not body.strip() or _fields(first, dimension):
        return form
    keys, _, end = _binary_rows(body, rows, dimension)
    fits = len(keys) == rows and body[end:] in (b"", b"\n")  # a few floats can look like letters
    if fits or _is_no_text(body):
        return _Form(header.end(), rows, dimension, binary=True) if b" " in body else None
    return form if _numbers_at_end(first) else None


def _usual_dimension(head: bytes) -> int:
    """Returns how many numbers most lines end in: a key may end in a number, so the first line alone misleads."""
    if b"\0" in head:
        return 0
    whole = head if len(head) < _HEAD else head[: head.rfind(b"\n") + 1]
    lines = filter(bytes.strip, whole.split(b"\n", _SAMPLE)[:_SAMPLE])
    counts = Counter(map(_numbers_at_end, lines)).most_common(1)
    return counts[0][0] if counts else 0


def _is_no_text(body: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(body)  # the head may end in the middle of a letter
    except UnicodeDecodeError:
        return True
    return _CONTROL.search(body) is not None


def _text(path: str, file: _File, form: _Form) -> Iterator[_Rows]:
    rows = 0
    before = 1 if form.header else 0
    for block in _whole_lines(file):
        found = _parsed(block, form.dimension) or _parsed_by_line(path, before + rows + 1, block, form.dimension)
        rows += len(found[0])
        yield found
    if form.rows is not None and rows != form.rows:
        raise Refusal(f"word2vec: {path} has {rows} rows; its header says {form.rows}.")


def _whole_lines(file: _File) -> Iterator[bytes]:
    """Yields blocks of lines, each with its line end; empty lines at the end of the file are left out."""
    rest = b""
    while block := file.read(_BLOCK):
        rest += block
        end = rest.rstrip().rfind(b"\n") + 1
        if end:
            yield rest[:end]
            rest = rest[end:]
    if last := rest.rstrip():
        yield last + b"\n"


def _parsed(block: bytes, dimension: int) -> _Rows | None:
    """Returns the rows of whole lines in which single blanks part the numbers, or None where a line is not so."""
    block = block.replace(b"\r\n", b"\n").replace(b" \n", b"\n")  # Google's tool and fastText end lines with a blank
    characters = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(characters == ord("\n"))  # (lines,)
    starts = np.concatenate([[0], ends[:-1] + 1])  # (lines,)
    blanks = np.flatnonzero(characters == ord(" "))
    parting = np.searchsorted(blanks, ends) - dimension  # the blank between key and vector, counted from the right
    if parting.min() < 0 or ((key_ends := blanks[parting]) < starts).any():
        return None
    places = list(zip(starts.tolist(), key_ends.tolist(), ends.tolist(), strict=True))
    numbers = _numbers(b"".join([block[key_end:end] for _, key_end, end in places]))
    if numbers is None:
        return None
    return [block[start:end].decode("utf-8", _ERRORS) for start, end, _ in places], numbers.reshape(
        len(places), dimension
    )


def _numbers(fields: bytes) -> _Matrix | None:
    """Returns the numbers of fields that have a blank before each, or None where one is no number."""
    characters = np.frombuffer(fields, np.uint8)
    is_blank = characters == ord(" ")
    blanks = np.append(np.flatnonzero(is_blank), characters.size)  # (fields + 1,)
    starts = (blanks - np.arange(blanks.size)).astype(np.int32)  # of the fields without their blanks, and the end
    # Arrow parses each field for itself; np.fromstring would take "1\t2" and an empty field for two fields.
    strings = pa.StringArray.from_buffers(starts.size - 1, pa.py_buffer(starts), pa.py_buffer(characters[~is_blank]))
    try:
        return strings.cast(pa.float32()).to_numpy()
    except pa.ArrowInvalid:
        return None


def _parsed_by_line(path: str, first: int, block: bytes, dimension: int) -> _Rows:
    """Returns the rows of whole lines in which any blanks and tabs part the numbers; slow."""
    keys, vectors = [], []
    for place, line in enumerate(block.split(b"\n")[:-1], start=first):
        fields = _fields(line, dimension)
        if fields is None:
            raise Refusal(
                f"word2vec: line {place} of {path} ends in {_numbers_at_end(line)} numbers; {dimension} are wanted."
            )
        keys.append(fields[0].decode("utf-8", _ERRORS))
        vectors.append([float(field) for field in fields[1:]])
    with np.errstate(over="ignore"):  # 1e40 is infinite in float32
        return keys, np.array(vectors).astype(np.float32)


def _fields(line: bytes, dimension: int) -> list[bytes] | None:
    """Returns the key and the numbers of a line, or None where it does not end in as many."""
    for separator in (b" ", None):
        fields = line.rstrip().rsplit(separator, dimension)
        if len(fields) == dimension + 1 and all(map(_NUMBER.fullmatch, fields[1:])):
            return fields
    return None


def _numbers_at_end(line: bytes) -> int:
    fields = line.rstrip().split(b" ")[1:]
    return sum(1 for _ in takewhile(_NUMBER.fullmatch, reversed(fields)))


def _binary(path: str, file: _File, form: _Form) -> Iterator[_Rows]:
    total = form.rows or 0
    row, rest = 0, b""
    while row < total:
        block = file.read(_BLOCK)
        rest += block
        found, vectors, end = _binary_rows(rest, total - row, form.dimension)
        keys = [_binary_key(path, number, key) for number, key in enumerate(found, start=row + 1)]
        row, rest = row + len(keys), rest[end:]
        if row < total and not block:
            raise Refusal(f"word2vec: {path} ends inside row {row + 1} of {total}; {_WHY}.")
        yield keys, vectors
    if rest + file.read(2) not in (b"", b"\n"):
        raise Refusal(f"word2vec: {path} goes on after the {total} rows of its header; {_WHY}.")


def _binary_rows(data: bytes, limit: int, dimension: int) -> tuple[list[bytes], _Matrix, int]:
    """Returns the keys and vectors of whole rows, `limit` at most, and where in `data` they end."""
    keys, vectors = [], []
    end = 0
    for _ in range(limit):
        blank = data.find(b" ", end)
        next_end = blank + 1 + 4 * dimension
        if blank < 0 or next_end > len(data):
            break
        keys.append(data[end:blank])
        vectors.append(data[blank + 1 : next_end])
        end = next_end
    values = np.frombuffer(b"".join(vectors), "<f4").astype(np.float32, copy=False)
    return keys, values.reshape(len(keys), dimension), end


def _binary_key(path: str, row: int, found: bytes) -> str:
    # A blank in a key ends it too soon; the next one then begins with the last bytes of a vector.
    parted = found.startswith(b"\n")
    with suppress(UnicodeDecodeError):
        if not _CONTROL.search(found):
            return found[parted:].decode("utf-8", _ERRORS if parted else "strict")
    raise Refusal(f"word2vec: the key of row {row} of {path} is no text; {_WHY}.")
