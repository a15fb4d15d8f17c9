"""A stream of text in blocks that end with a row, whatever line ends are inside quotes; memory is that of a block."""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

BLOCK = 8 << 20
"""Bytes of a block: of more, strings that repeat are converted once; of fewer, less memory is needed."""

ROW_LIMIT = 64 << 20
"""Bytes of the longest row."""

_ENDS = (b"\n"[0], b"\r"[0])

csv.field_size_limit(max(csv.field_size_limit(), ROW_LIMIT))  # Python's own, of 128 kB, refuses rows that are whole


@dataclass(frozen=True)
class Dialect:
    """How the rows of a text are told apart.

    Args:
        delimiter: The letter between two values; '' where a row is a line, whatever is in it.
        skips_spaces: Whether spaces after it are none of a value.
    """

    delimiter: str = ","
    skips_spaces: bool = False

    def reader(self, lines: Any) -> Any:
        """Returns Python's reader of rows."""
        return csv.reader(lines, delimiter=self.delimiter, skipinitialspace=self.skips_spaces)


@dataclass
class Block:
    """Whole rows of a text.

    Args:
        line: The number of its first line, from 1 on.
        data: Its bytes, where each quote in them stands where it should.
        count: How many lines they are.
        rows: Else its rows, read one by one.
        lines: The line where each of these begins.
        bad: The lines of rows that have no end, and what is wrong with each.
    """

    line: int
    data: bytes | None = None
    count: int = 0
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)


def lines_in(data: bytes) -> int:
    r"""Returns how many lines a text has, the last with or without its end.

    Example:
        >>> lines_in(b"a\r\nb\rc\nd")
        4
    """
    return line_ends(data) + (not data.endswith((b"\n", b"\r")) and bool(data))


def line_ends(data: bytes) -> int:
    r"""Returns how many lines of a text have an end.

    Example:
        >>> line_ends(b"a\r\nb\rc\nd")
        3
    """
    ends = data.count(b"\n")
    return ends + data.count(b"\r") - data.count(b"\r\n") if b"\r" in data else ends


class Rows:
    """The rows of a text, block after block.

    Args:
        stream: Has `read(size)`, bytes in UTF-8.
        dialect: How rows are told apart.
        size: Bytes of a block.
        line: The number of the first line.
    """

    def __init__(self, stream: Any, dialect: Dialect, size: int = BLOCK, line: int = 1) -> None:
        self._stream, self.dialect, self._size, self._line = stream, dialect, size, line
        self._buffer, self._ended = b"", False
        self._fill(4)
        self._buffer = self._buffer.removeprefix(b"\xef\xbb\xbf")  # a byte-order mark

    def header(self) -> list[str]:
        """Returns the values of the first row, and reads on behind it; none where there is no row."""
        found = self._one_by_one(1)
        return found.rows[0] if found.rows else []

    def __iter__(self) -> Iterator[Block]:
        """Yields the rows that are left."""
        wanted = self._size
        while True:
            self._fill(wanted)
            if not self._buffer:
                return
            cut = self._cut()
            if cut is None and self._has_line():
                yield self._one_by_one(self._size)
            elif cut:
                yield self._taken(cut)
            elif self._ended and cut is not None and not self._is_open():
                yield self._taken(len(self._buffer))  # the last row has no line end
            elif self._ended or len(self._buffer) >= ROW_LIMIT:
                yield Block(self._line, bad=[self._dropped()])
            else:
                wanted = 2 * len(self._buffer)  # a row that is longer than a block
                continue
            wanted = self._size

    def one_by_one(self) -> Block:
        """Returns all rows that are left, each with its line."""
        return self._one_by_one(None)

    def _fill(self, size: int) -> None:
        parts, there = [self._buffer], len(self._buffer)
        while there < size and not self._ended:
            part = self._stream.read(size - there)
            self._ended = not part
            parts.append(part)
            there += len(part)
        self._buffer = b"".join(parts) if len(parts) > 1 else self._buffer

    def _taken(self, size: int) -> Block:
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        block = Block(self._line, data, lines_in(data))
        self._line += block.count
        return block

    def _has_line(self) -> bool:
        return self._ended or b"\n" in self._buffer or b"\r" in self._buffer[:-1]

    def _is_open(self) -> bool:
        return bool(self.dialect.delimiter) and self._buffer.count(b'"') % 2 == 1

    def _cut(self) -> int | None:
        """Returns where the last row of the buffer ends, 0 where none does; None where a quote is out of place."""
        quotes = np.zeros(0, np.int64)
        if self.dialect.delimiter and b'"' in self._buffer:
            quotes = np.flatnonzero(np.frombuffer(self._buffer, np.uint8) == ord('"'))
            if self.dialect.skips_spaces or not self._are_in_place(quotes):
                return None
        limit = len(self._buffer) if len(quotes) % 2 == 0 else int(quotes[-1])
        while (cut := self._line_end(limit)) > 0:
            before = int(np.searchsorted(quotes, cut))
            if before % 2 == 0:
                return cut
            limit = int(quotes[before - 1])
        return 0

    def _line_end(self, limit: int) -> int:
        """Returns the place after the last line end before a place, or 0."""
        cut = self._buffer.rfind(b"\n", 0, limit) + 1
        # The line end that the buffer ends with may be the first half of one.
        return cut or self._buffer.rfind(b"\r", 0, limit if self._ended else min(limit, len(self._buffer) - 1)) + 1

    def _are_in_place(self, quotes: Any) -> bool:
        """Tells whether quotes open and close values, or stand for a quote, and do nothing else."""
        data = np.frombuffer(b"\n%b\n" % self._buffer, np.uint8)  # a place is 1 more than in the buffer
        around = np.zeros(256, bool)
        around[[*_ENDS, ord(self.dialect.delimiter)]] = True
        opening, closing = quotes[0::2], quotes[1::2]
        doubled = np.zeros(len(opening), bool)
        doubled[1:] = opening[1:] == closing[: len(opening) - 1] + 1
        if not (around[data[opening]] | doubled).all():
            return False
        next_is_quote = np.zeros(len(closing), bool)
        next_is_quote[: len(opening) - 1] = doubled[1:][: len(closing)]
        return bool((around[data[closing + 2]] | next_is_quote).all())

    def _dropped(self) -> tuple[int, str]:
        """Passes over the first line of a row that has no end, and returns its number and what is wrong."""
        line, self._line = self._line, self._line + 1
        is_open = self._is_open() or self._has_line()
        end = self._first_line_end()
        while not end and not self._ended:
            self._buffer = b""
            self._fill(self._size)
            end = self._first_line_end()
        self._buffer = self._buffer[end:] if end else b""
        return (
            line,
            _unclosed() if is_open else f"is over {ROW_LIMIT >> 20} MB long, and rows of at most that are wanted",
        )

    def _first_line_end(self) -> int:
        ends = [self._buffer.find(end) for end in (b"\n", b"\r")]
        if ends[1] >= 0 and ends[1] + 1 == ends[0]:
            return ends[0] + 1
        there = [end for end in ends if end >= 0]
        return min(there) + 1 if there else 0

    def _one_by_one(self, size: int | None) -> Block:
        """Returns rows of about so many bytes; 1 is one row, None is all."""
        lines = _Lines(self)
        found, reader = Block(self._line), self.dialect.reader(lines)
        done = 0
        while size is None or done < size:
            lines.taken.clear()
            try:
                row = next(reader)
            except StopIteration:
                break
            except csv.Error:
                row = None
            if row is None or lines.is_cut_short:
                found.bad.append((self._line, _unclosed()))
                lines.put_back()
                reader = self.dialect.reader(lines)
            elif row:
                found.rows.append(row)
                found.lines.append(self._line)
            self._line += len(lines.taken)
            done += lines.size
        self._buffer = b"".join([*lines.waiting, self._buffer])
        return found

    def more_lines(self) -> list[bytes]:
        """Returns lines that were not read yet; none at the end, or where a line is longer than a row may be."""
        self._fill(self._size)
        while not self._ended and not self._line_end(len(self._buffer)) and len(self._buffer) < ROW_LIMIT:
            self._fill(2 * len(self._buffer))
        cut = len(self._buffer) if self._ended else self._line_end(len(self._buffer))
        lines = self._buffer[:cut].splitlines(keepends=True)
        self._buffer = self._buffer[cut:]
        return lines


class _Lines:
    """The lines that a reader of rows asks for, those of its last row among them."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.waiting: deque[bytes] = deque()
        self.taken: list[bytes] = []
        self.is_cut_short = False

    @property
    def size(self) -> int:
        return sum(map(len, self.taken))

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if not self.waiting:
            self.waiting.extend(self._rows.more_lines())
        if not self.waiting or self.size > ROW_LIMIT:
            self.is_cut_short = bool(self.taken)
            raise StopIteration
        self.taken.append(self.waiting.popleft())
        return self.taken[-1].decode("utf-8", "surrogateescape")

    def put_back(self) -> None:
        """Takes all lines but the first back."""
        self.waiting.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]
        self.is_cut_short = False


def _unclosed() -> str:
    return "begins a quoted value that never ends, and a closing quote is wanted"
