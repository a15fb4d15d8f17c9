"""How far something has come that takes a minute: a line that changes on a terminal, a line now and then in a log."""

import shutil
import sys
import time
from typing import TextIO

from trainer.terminal import shortened, shown


class Progress:
    """Shows the last words of a program and for how long it has run; a context manager.

    Args:
        out: Where to write; None is stderr.
        every_seconds: How often a log gets a line.
    """

    def __init__(self, out: TextIO | None = None, every_seconds: float = 10.0) -> None:
        self._out, self._every = out or sys.stderr, every_seconds
        self._start = self._told = time.monotonic()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: object, error: object, at: object) -> None:
        if self._out.isatty():
            self._out.write("\r\x1b[K")
        if kind is None:
            self._out.write(f"submit: done in {time.monotonic() - self._start:.0f} s.\n")
        self._out.flush()

    def show(self, words: str) -> None:
        """Shows the last words of the program, when it is time."""
        now = time.monotonic()
        text = f"submit: {now - self._start:.0f} s, {shown(words.strip())}"
        if self._out.isatty():
            self._out.write(f"\r\x1b[K{shortened(text, shutil.get_terminal_size().columns - 1)}")
        elif now - self._told >= self._every:
            self._told = now
            self._out.write(f"{shortened(text, 120)}\n")
        self._out.flush()
