"""Which form a file of vectors has, told by its first bytes."""

import codecs
import gzip
import re
from collections import Counter
from dataclasses import dataclass
from io import BufferedReader
from itertools import takewhile

from trainer.formats.texts import Escapes
from trainer.formats.word2vec import rows

ESCAPES = Escapes(r"\x00-\x1f\ud800-\udfff", blank="_")
ERRORS = "surrogateescape"
HEAD = 1 << 20
"""Bytes from which a form is recognised."""
BLOCK = 1 << 22
"""Bytes read at once."""
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
WHY = "the header is wrong, the file is damaged, or keys have blanks, which only the text form can hold"

_HEADER = re.compile(rb"[ \t]*([0-9]{1,12})[ \t]+(0?[1-9][0-9]{0,8})[ \t]*\r?(?:\n|$)")
_NUMBER = re.compile(rb"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|nan|inf|infinity)", re.IGNORECASE)
_SAMPLE = 100  # lines from which the dimension of GloVe text is found

File = BufferedReader | gzip.GzipFile


@dataclass(frozen=True)
class Form:
    """What is known of a file from its head.

    Args:
        header: Its bytes.
        rows: How many the header says that there are; None where there is none.
        dimension: Of the vectors.
        binary: Whether the numbers are bytes.
        escaped: Whether `save` escaped the keys, which it tells by a zero before the number of rows.
    """

    header: int
    rows: int | None
    dimension: int
    binary: bool = False
    escaped: bool = False


def header(count: int, dimension: int, escaped: bool, marked: bool = False) -> bytes:
    """Returns a file's first line; its zeros change no number, and tell a reader who knows of them a bit each."""
    return f"{'0' * escaped}{count} {'0' * marked}{dimension}\n".encode()


def of(head: bytes) -> Form | None:
    """Returns the form of a file that begins so, or None where it is no file of vectors."""
    first = _HEADER.match(head)
    if first is None:
        dimension = _usual_dimension(head)
        # Words with one number each are a vocabulary with counts, no vectors.
        return Form(0, None, dimension) if dimension > 1 else None
    count, dimension = int(first[1]), int(first[2])
    escaped = len(first[1]) > 1 and first[1].startswith(b"0")
    text = Form(first.end(), count, dimension, False, escaped)
    binary = Form(first.end(), count, dimension, True, escaped)
    return _with_header(head[first.end() :], text, binary, first[2].startswith(b"0"))


def _with_header(body: bytes, text: Form, binary: Form, marked: bool) -> Form | None:
    """Returns which of two forms the rows after a header have, or None."""
    first = body.partition(b"\n")[0]
    if marked or not body.strip() or fields(first, text.dimension):
        return binary if marked else text
    count = text.rows or 0
    blanks, end = rows.blanks(body, count, text.dimension)
    fits = len(blanks) == count and body[end:] in (b"", b"\n")  # a few floats can look like letters
    if fits or _is_no_text(body):
        return binary if b" " in body else None
    return text if numbers_at_end(first) else None


def _usual_dimension(head: bytes) -> int:
    """Returns how many numbers most lines end in: a key may end in a number, so the first line alone misleads."""
    if b"\0" in head:
        return 0
    whole = head if len(head) < HEAD else head[: head.rfind(b"\n") + 1]
    lines = filter(bytes.strip, whole.split(b"\n", _SAMPLE)[:_SAMPLE])
    counts = Counter(map(numbers_at_end, lines)).most_common(1)
    return counts[0][0] if counts else 0


def _is_no_text(body: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(body)  # the head may end in the middle of a letter
    except UnicodeDecodeError:
        return True
    return CONTROL.search(body) is not None


def fields(line: bytes, dimension: int) -> list[bytes] | None:
    """Returns the key and the numbers of a line, or None where it does not end in as many."""
    for separator in (b" ", None):
        found = line.rstrip().rsplit(separator, dimension)
        if len(found) == dimension + 1 and all(map(_NUMBER.fullmatch, found[1:])):
            return found
    return None


def numbers_at_end(line: bytes) -> int:
    """Returns how many numbers a line ends in, after its key."""
    found = line.rstrip().split(b" ")[1:]
    return sum(1 for _ in takewhile(_NUMBER.fullmatch, reversed(found)))
