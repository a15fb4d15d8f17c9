"""Ctrl-C and SIGTERM: between steps and not within one, and at once where that is asked for or nothing else helps."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from trainer.errors import Terminated

TERM_SECONDS = 5.0
"""How long a SIGTERM waits for a main thread that is within a call of a library."""

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
"""The exit codes of the signals."""

_holding = threading.Event()
"""Set while signals are held back: the loop hears them by itself, if it takes as long as a checkpoint, or as a peer."""


class Held:
    """Signals that are held back.

    Args:
        before: What would be done with each.
    """

    def __init__(self, before: dict[int, Any]) -> None:
        self._before = before
        self._came: list[tuple[int, FrameType | None]] = []

    @property
    def asked(self) -> int | None:
        """The number of the signal that came first, if one did."""
        return self._came[0][0] if self._came else None

    def let_through(self, number: int | None = None) -> None:
        """Does what the signal that came first asks for, which raises; nothing where none came.

        Args:
            number: Of the signal that is meant instead, which another process may have had.
        """
        number = self.asked if number is None else number
        if number in self._before:
            self._before[number](number, None)
        elif number is not None:  # this process ignores it
            raise KeyboardInterrupt if number == signal.SIGINT else Terminated

    def hold(self, number: int, frame: FrameType | None) -> None:
        """Holds a signal back; a second Ctrl-C is let through."""
        self._came.append((number, frame))
        if number == signal.SIGINT and len(self._came) > 1:
            self._before[number](number, frame)


@contextmanager
def held() -> Iterator[Held]:
    """Holds Ctrl-C and SIGTERM back while the block runs, and yields what came, which can be let through.

    Python would raise `KeyboardInterrupt` where the call that runs the steps returns, and so before they are counted:
    a checkpoint would have steps that its position has not. A second Ctrl-C is not waited with.

    Example:
        >>> with held() as signals:
        ...     signals.asked, signals.let_through()  # where everything is counted; raises if a signal came
        (None, None)
    """
    found: dict[int, Any] = {number: signal.getsignal(number) for number in CODES}
    # Only the main thread has signals, and where they are ignored, or are none of ours, they stay so.
    is_main = threading.current_thread() is threading.main_thread()
    before = {number: handler for number, handler in found.items() if is_main and callable(handler)}
    signals = Held(before)
    if before:
        _holding.set()
    try:
        for number in before:
            signal.signal(number, signals.hold)
        yield signals
    finally:
        if before:
            _holding.clear()
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def watched(last_words: Callable[[], str]) -> Iterator[None]:
    """Ends the process at a second Ctrl-C, and at a SIGTERM that the main thread does not hear within some seconds.

    A thread does so, since Python tells the main thread of a signal between two of its own instructions alone, and a
    call of TensorFlow may take long.

    Args:
        last_words: Returns what is printed at a second Ctrl-C.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    read, write = socket.socketpair()
    write.setblocking(False)
    before = signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
    ended = threading.Event()
    threading.Thread(target=_watch, args=(read, ended, last_words), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        ended.set()
        write.close()


def _watch(read: socket.socket, ended: threading.Event, last_words: Callable[[], str]) -> None:
    came: list[int] = []
    with read:
        while numbers := read.recv(1):
            number = numbers[0]
            if number == signal.SIGINT and any(each in CODES for each in came):
                _end(CODES[signal.SIGINT], last_words())
            if number == signal.SIGTERM and number not in came:
                threading.Thread(target=_end_unless_heard, args=(ended,), daemon=True).start()
            came.append(number)


def _end_unless_heard(ended: threading.Event) -> None:
    while not ended.wait(TERM_SECONDS):
        if not _holding.is_set():
            _end(CODES[signal.SIGTERM], "")


def _end(code: int, words: str) -> None:
    if words:
        os.write(1, f"\n{words}\n".encode())
    os._exit(code)
