"""What a program prints, cut into whole lines that are passed on with its name in front, so that several can share."""

import math
import os
import re
import time
from collections import deque
from typing import BinaryIO

COLOURS = (36, 33, 35, 32, 34, 31)
"""Of the names, in turn: as a terminal numbers them, the ones that can be read on black and on white first."""


SHOWN_EVERY_SECONDS = 10.0
"""How often a line is passed on that is written over."""

_AFTER_END = re.compile(rb"(?<=[\r\n])")
_UP = b"\x1b[A"
_MOVE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-ln-~]")
"""What moves a terminal's cursor or clears a part of it; colours, which end in m, are none."""


def label(name: str, width: int, place: int, is_coloured: bool) -> bytes:
    r"""Returns what stands before each line of a program.

    Args:
        name: Of the program.
        width: Of the longest name.
        place: Of the program among all.
        is_coloured: Whether the name has the colour of its place.

    Example:
        >>> label("ps 0", 8, 3, False), label("chief", 5, 0, True)
        (b'ps 0     | ', b'\x1b[36mchief |\x1b[0m ')
    """
    text = f"{name:<{width}} |"
    return (f"\x1b[{COLOURS[place % len(COLOURS)]}m{text}\x1b[0m" if is_coloured else text).encode() + b" "


def is_coloured(out: BinaryIO) -> bool:
    """Tells whether colours can be seen and are wanted: on a terminal, unless NO_COLOR is set (no-color.org)."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Lines:
    r"""Passes the lines of a stream on, whole, as they end; bytes stay as they are, of any encoding or of none.

    A line that a program is going to write over, as it does with a bar of progress, is passed on now and then, as a
    line of its own: among lines of others nothing can be written over, and the cursor does not move.

    Args:
        label: What stands before each line.
        out: Where they go.
        last: Gets each line; of the last ones a person may want to be told again.

    Example:
        >>> import io
        >>> out, last = io.BytesIO(), deque(maxlen=1)
        >>> lines = Lines(b"ps 0 | ", out, last)
        >>> lines.take(b"one\ntw"), lines.take(b"o\nthree"), lines.end()
        (None, None, None)
        >>> out.getvalue(), last
        (b'ps 0 | one\nps 0 | two\nps 0 | three\n', deque([b'three'], maxlen=1))
    """

    def __init__(self, label: bytes, out: BinaryIO, last: deque[bytes]) -> None:
        self._label, self._out, self._last = label, out, last
        self._begun: list[bytes] = []
        self._returned = b""
        """The line that a carriage return has ended; the end of the line may follow."""
        self._shown_at = -math.inf

    def take(self, data: bytes) -> None:
        """Passes on the lines that end in some bytes, and keeps what comes after."""
        *ended, rest = _AFTER_END.split(data)
        for piece in ended:
            line = b"".join([*self._begun, piece[:-1]])
            self._begun.clear()
            self._end_line(line, piece[-1:])
        if rest:
            self._begun.append(rest)
        self._out.flush()

    def end(self) -> None:
        """Passes on a last line that has no end."""
        self.take(b"\n" if self._begun or self._returned else b"")

    def _end_line(self, line: bytes, end: bytes) -> None:
        if not line and (end == b"\r" or self._returned):
            if end == b"\n":
                self._write(self._returned)
                self._returned = b""
            return
        self._write_over(self._returned)
        self._returned = line if end == b"\r" else b""
        if end == b"\n":
            (self._write_over if _UP in line else self._write)(line)

    def _write_over(self, line: bytes) -> None:
        now = time.monotonic()
        if _MOVE.sub(b"", line).strip() and now - self._shown_at >= SHOWN_EVERY_SECONDS:
            self._shown_at = now
            self._write(line)

    def _write(self, line: bytes) -> None:
        line = _MOVE.sub(b"", line)
        self._last.append(line)
        self._out.write(self._label + line + b"\n")
