"""Ctrl-C between steps, and not within one."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Held:
    """A signal that is held back.

    Args:
        before: What would be done with it.
    """

    def __init__(self, before: Any) -> None:
        self._before = before
        self._came: list[tuple[int, FrameType | None]] = []

    @property
    def asked(self) -> int | None:
        """The number of the signal that came, if one did."""
        return self._came[0][0] if self._came else None

    def let_through(self) -> None:
        """Does what the signal that came asks for, which raises; nothing where none came."""
        if self._came and callable(self._before):
            self._before(*self._came[-1])

    def hold(self, number: int, frame: FrameType | None) -> None:
        """Holds a signal back; a second one is let through."""
        self._came.append((number, frame))
        if len(self._came) > 1:
            self.let_through()


@contextmanager
def held() -> Iterator[Held]:
    """Holds Ctrl-C back while the block runs, and yields what came, which can be let through.

    Python would raise `KeyboardInterrupt` where the call that runs the steps returns, and so before they are counted:
    a checkpoint would have steps that its position has not. A second Ctrl-C is not waited with.

    Example:
        >>> with held() as signals:
        ...     signals.asked, signals.let_through()  # where everything is counted; raises if Ctrl-C came
        (None, None)
    """
    before = signal.getsignal(signal.SIGINT)
    signals = Held(before)
    # Only the main thread has signals, and where they are ignored they stay so.
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield signals
        return
    signal.signal(signal.SIGINT, signals.hold)
    try:
        yield signals
    finally:
        signal.signal(signal.SIGINT, before)
