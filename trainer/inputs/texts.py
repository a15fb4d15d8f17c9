"""Running text as rows: passages of some thousand characters, or lines; memory is that of a block."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from trainer.inputs import streams
from trainer.inputs.bad_rows import BadRow
from trainer.inputs.blocks import Dialect, Rows, line_ends
from trainer.inputs.part import Array, Part, RowFile, refused
from trainer.rows import TextFormat

BLOCK = 2 << 20
"""Bytes of text that are read, and made rows of, at once."""

WORD = 1024
"""Characters of the longest word that is never cut in two, where a passage has fewer."""

_MARK = b"\xef\xbb\xbf"
_BLANK_LINES = (b"\n\n", b"\n\r\n", b"\r\r")
_LINE_ENDS = (b"\n", b"\r")
_SPACES = (b" ", b"\n", b"\r", b"\t", b"\v", b"\f")


@dataclass(frozen=True)
class Passages:
    """Some text and where its rows end.

    Args:
        line: The number of its first line, from 1 on.
        data: Its bytes.
        ends: The place after each row; None where each line is one.
        bad: The lines that are too long, and what is wrong with each.
    """

    line: int
    data: bytes
    ends: Sequence[int] | None = None
    bad: Sequence[tuple[int, str]] = ()

    def rows(self) -> list[bytes]:
        """Returns the rows as they stand there, blank ones too."""
        if self.ends is None:
            return self.data.splitlines(keepends=True)
        return [self.data[start:end] for start, end in zip([0, *self.ends], self.ends, strict=False)]


class TextFile(RowFile):
    """A file of running text in UTF-8, plain or compressed; a row of it has one string and no white space around it.

    Args:
        path: Of the file.
        how: What of it is a row.
    """

    unit = "line"

    def __init__(self, path: str, how: TextFormat) -> None:
        super().__init__(path)
        self._how = how
        self._stream: streams.Stream | None = None

    @property
    def names(self) -> list[str]:
        """The one feature that has the text."""
        return [self._how.feature]

    def pieces(self, columns: Collection[str]) -> Iterator[Passages]:
        """Yields some hundred rows after the other."""
        del columns
        try:
            with streams.Stream(self.path) as self._stream:
                yield from _lines(self._stream) if self._how.lines else _passages(self._stream, self._how.characters)
        except (OSError, pa.ArrowException, EOFError) as error:
            raise refused(self.path, "text", error) from None

    def position(self) -> int:
        """Of the bytes as they lie in the file, compressed or not."""
        return self._stream.position() if self._stream else 0

    def part(self, piece: Passages, columns: Collection[str]) -> Part:
        """Returns the rows that are not blank."""
        texts = [row.strip() for row in piece.rows()]
        there = np.array([bool(text) for text in texts], bool)
        bad = [BadRow(self.path, self.unit, line, None, None, what) for line, what in piece.bad]
        kept = [text for text in texts if text]
        if not _are_utf8(kept):
            for place in np.flatnonzero(there):
                wrong = _first_wrong(texts[place])
                if wrong is not None:
                    there[place] = False
                    before = piece.rows()[place].index(texts[place])
                    number = int(_numbers(piece)[place]) + line_ends(piece.rows()[place][: before + wrong])
                    what = "is not UTF-8, and UTF-8 is wanted"
                    bad.append(BadRow(self.path, self.unit, number, None, None, what))
            kept = [text for text, is_kept in zip(texts, there, strict=True) if is_kept]
        array = pa.array(kept, pa.string())
        return Part(dict.fromkeys(columns, array), len(array), lambda: _numbers(piece)[there], bad)


def _lines(stream: Any) -> Iterator[Passages]:
    return (Passages(block.line, block.data or b"", None, block.bad) for block in Rows(stream, Dialect(""), BLOCK))


def _passages(stream: Any, characters: int) -> Iterator[Passages]:
    """Yields passages that are the same in however many bytes the text is read."""
    ahead = 4 * max(characters, WORD) + 1  # of UTF-8, and what may follow a carriage return
    rest, line, has_ended, is_first = b"", 1, False, True
    while not has_ended:
        parts, there = [rest], len(rest)
        while there < BLOCK + ahead and not has_ended:
            parts.append(stream.read(BLOCK + ahead - there))
            has_ended, there = not parts[-1], there + len(parts[-1])
        data, ends, start = b"".join(parts), [], 0
        if is_first:
            data, is_first = data.removeprefix(_MARK), False
        while start < (len(data) if has_ended else len(data) - ahead):
            start = _end(data, start, characters)
            ends.append(start)
        if ends:
            yield Passages(line, data[:start], ends)
            line += line_ends(data[:start])
        rest = data[start:]


def _end(data: bytes, start: int, characters: int) -> int:
    """Returns where the passage ends that begins at a place."""
    limit = _after(data, start, characters)
    if limit == len(data):
        return limit
    half = start + (limit - start) // 2
    for marks, least in ((_BLANK_LINES, half), (_LINE_ENDS, half), (_SPACES, start)):
        end = max(found + len(mark) if (found := data.rfind(mark, least, limit)) >= 0 else 0 for mark in marks)
        if end:
            # A carriage return may be the first half of a line end.
            return end + 1 if data[end - 1 : end + 1] == b"\r\n" else end
    longest = _after(data, start, WORD)
    spaces = [found + 1 for mark in _SPACES if (found := data.find(mark, limit, longest)) >= 0]
    return min(spaces, default=max(limit, longest))


def _after(data: bytes, start: int, characters: int) -> int:
    """Returns the place after so many characters, or the end."""
    near = data[start : start + characters]
    if near.isascii():
        return start + len(near)
    window = np.frombuffer(data, np.uint8, min(4 * characters, len(data) - start), start)
    firsts = np.flatnonzero((window & 0xC0) != 0x80)  # bytes of a character after its first begin with 10
    return start + (int(firsts[characters]) if len(firsts) > characters else len(window))


def _numbers(piece: Passages) -> Array:
    """Returns the line where each row begins, `(rows,)`."""
    ends = np.array([line_ends(row) for row in piece.rows()], np.int64)
    return piece.line + np.cumsum(ends) - ends


def _are_utf8(texts: Sequence[bytes]) -> bool:
    try:
        pa.array(texts, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        return False
    return True


def _first_wrong(text: bytes) -> int | None:
    """Returns the place of the first byte that is no UTF-8, or None."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return None
