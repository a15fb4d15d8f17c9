r"""Texts as files hold them: end to end as bytes, or escaped where a format cannot hold every letter.

A text is any `str` of Python. Half of a surrogate pair, which strict UTF-8 refuses, is encoded as the three bytes that
other letters of its size have (`surrogatepass`), so that a finished training is not lost to one label.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ERRORS = "surrogatepass"
_NUMBERS = 1 << 20  # that are written as text at once
_NAMED = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}

_Array = np.ndarray[Any, np.dtype[Any]]


def arrow(texts: Sequence[str]) -> pa.Array:
    """Returns texts as Arrow holds bytes."""
    try:
        return pa.array(texts, pa.large_binary())
    except UnicodeEncodeError:
        return pa.array([text.encode("utf-8", ERRORS) for text in texts], pa.large_binary())


def listed(texts: Any) -> list[str]:
    """Returns texts that Arrow holds as strings or bytes, as a list; null is the empty text.

    Raises:
        UnicodeDecodeError: One is no UTF-8.
    """
    texts = texts.fill_null("" if pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type) else b"")
    try:
        found: list[str] = texts.cast(pa.large_string()).to_numpy(zero_copy_only=False).tolist()
        return found
    except pa.ArrowInvalid:
        return [text.decode("utf-8", ERRORS) for text in texts.cast(pa.large_binary()).to_pylist()]


def packed(texts: Sequence[str]) -> tuple[_Array, _Array]:
    """Returns the bytes of texts one after another, uint8, and where each of them ends, int64.

    Example:
        >>> content, ends = packed(["Mon", "Tue 08"])
        >>> content.tobytes(), ends.tolist()
        (b'MonTue 08', [3, 9])
    """
    held = arrow(texts)
    _, ends, content = held.buffers()
    places = np.frombuffer(ends, np.int64, len(texts) + 1) if len(texts) else np.zeros(1, np.int64)
    return np.frombuffer(content or b"", np.uint8, places[-1]), places[1:]


def unpacked(content: _Array, ends: _Array) -> list[str]:
    """Returns the texts that `packed` was given.

    Raises:
        ValueError: These are no such bytes and ends.
    """
    places = np.concatenate([np.zeros(1, np.int64), ends.astype(np.int64)])
    if content.dtype != np.uint8 or content.ndim != 1 or places[-1] != content.size or (np.diff(places) < 0).any():
        raise ValueError("the ends do not fit the bytes")
    buffers = [None, pa.py_buffer(places), pa.py_buffer(np.ascontiguousarray(content))]
    return listed(pa.Array.from_buffers(pa.large_binary(), len(ends), buffers))


def content(held: Any) -> bytes | memoryview:
    """Returns the bytes of all texts of an array of large binary text, one after another."""
    _, ends, data = held.buffers()
    places = np.frombuffer(ends, np.int64)[held.offset : held.offset + len(held) + 1]
    return memoryview(data)[places[0] : places[-1]] if data is not None else b""


def lines(columns: Sequence[Sequence[str]], values: _Array, separator: bytes) -> Iterator[bytes | memoryview]:
    """Yields blocks of lines of text: the texts of each row, then its numbers with as few digits as are exact.

    Args:
        columns: The texts of all rows, by column; they hold no separator and no line feed.
        values: Float32, `(rows, dimension)`.
        separator: What is between two fields.
    """
    count, dimension = values.shape
    step = max(1, _NUMBERS // dimension)
    for start in range(0, count, step):
        part = values[start : start + step]
        numbers = pa.array(part.reshape(-1)).cast(pa.large_string()).cast(pa.large_binary())
        ends = pa.array(np.arange(0, part.size + 1, dimension))
        rows = pc.binary_join(pa.LargeListArray.from_arrays(ends, numbers), pa.scalar(separator, numbers.type))
        held = [arrow(column[start : start + step]) for column in columns]
        joined = pc.binary_join_element_wise(*held, rows, pa.scalar(separator, numbers.type))
        yield content(pc.binary_join_element_wise(joined, pa.scalar(b"", joined.type), pa.scalar(b"\n", joined.type)))


@dataclass(frozen=True)
class Escapes:
    r"""What a format writes in place of letters that it cannot hold: a backslash and a word of each, or `\uXXXX`.

    Args:
        forbidden: The letters, as a class of a regular expression.
        blank: What a space becomes; that letter itself is then written after a backslash.

    Example:
        >>> escapes = Escapes(r"\x00-\x1f", blank="_")
        >>> escapes.escape("day_hour\n08 am")
        'day\\_hour\\n08_am'
        >>> escapes.unescape(_)
        'day_hour\n08 am'
    """

    forbidden: str
    blank: str = ""

    @cached_property
    def _unsafe(self) -> re.Pattern[str]:
        return re.compile(rf"[\\{self.forbidden}{self.blank}{' ' * bool(self.blank)}]")

    @cached_property
    def _escaped(self) -> re.Pattern[str]:
        return re.compile(rf"\\(?:u([0-9a-f]{{4}})|(.)){f'|{self.blank}' * bool(self.blank)}", re.DOTALL)

    def needed(self, texts: Sequence[str]) -> bool:
        """Tells whether a text has a letter that the format cannot hold; the backslash alone is none."""
        forbidden = re.compile(rf"[{self.forbidden}{' ' * bool(self.blank)}]")
        return any(map(forbidden.search, texts))

    def escape(self, text: str) -> str:
        """Returns a text without such letters."""
        return self._unsafe.sub(self._word, text)

    def unescape(self, text: str) -> str:
        """Returns what `escape` was given; a backslash before any other letter stays."""
        return self._escaped.sub(self._letter, text)

    def _word(self, found: re.Match[str]) -> str:
        letter = found[0]
        if self.blank and letter == " ":
            return self.blank
        return _NAMED.get(letter) or (f"\\{letter}" if letter == self.blank else f"\\u{ord(letter):04x}")

    def _letter(self, found: re.Match[str]) -> str:
        if found[1]:
            return chr(int(found[1], 16))
        if found[2] is None:
            return " "
        if found[2] == self.blank:
            return self.blank
        return {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}.get(found[2], found[0])
