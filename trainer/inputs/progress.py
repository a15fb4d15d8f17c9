"""How far the reading of the data has come: a line that changes on a terminal, lines now and then in a log."""

import sys
import time
from typing import Protocol, TextIO

from trainer.terminal import quantity

_PATIENCE = 1.0
"""Seconds that a person is not told anything in."""


class Readable(Protocol):
    """What is read, and tells how far that has come."""

    def read_so_far(self, rows: int) -> tuple[int, int, bool]:
        """Returns how much was read, how much there is, and whether that is rows, else bytes."""


class ReadingProgress:
    """Shows how many rows were read, how fast, and how many are left where the data tell it; bytes of files otherwise.

    Args:
        what: What is done.
        source: The data.
        unit: What rows are called.
        out: Where to write.
        every_seconds: How often a log gets a line.
    """

    def __init__(
        self,
        what: str,
        source: Readable,
        out: TextIO | None = None,
        every_seconds: float = 30.0,
        unit: str = "rows",
    ) -> None:
        self._what, self._source, self._out, self._unit = what, source, out or sys.stdout, unit
        self._every = 0.2 if self._out.isatty() else every_seconds
        self._rows, self._start = 0, time.perf_counter()
        self._shown = self._start + _PATIENCE - self._every if self._out.isatty() else self._start

    def add(self, rows: int) -> None:
        """Counts rows that were read, and shows how far it came when it is time."""
        self._rows += rows
        now = time.perf_counter()
        if now - self._shown < self._every:
            return
        self._shown = now
        end = "" if self._out.isatty() else "\n"
        self._out.write(f"{self._begin}{self._text(now - self._start)}{end}")
        self._out.flush()

    def __enter__(self) -> "ReadingProgress":
        return self

    def __exit__(self, *error: object) -> None:
        if self._begin:
            self._out.write(self._begin)
            self._out.flush()

    @property
    def _begin(self) -> str:
        return "\r\033[K" if self._out.isatty() else ""

    def _text(self, seconds: float) -> str:
        parts = [f"{self._what}  {self._rows:,} {self._unit}"]
        done, total, are_rows = self._source.read_so_far(self._rows)
        if total:
            share = min(done / total, 1.0)
            parts.append(f"{100 * share:.0f} %" + ("" if are_rows else f" of {quantity(total)}"))
        parts.append(f"{self._rows / max(seconds, 1e-9):,.0f} {self._unit}/s")
        if total and done:
            parts.append(f"{seconds * max(total / done - 1, 0):.0f} s left")
        return "  ".join(parts)
