"""Ctrl-C between steps, and not within one."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def held() -> Iterator[Callable[[], None]]:
    """Holds Ctrl-C back while the block runs, and yields a function that lets it through.

    Python would raise `KeyboardInterrupt` where the call that runs the steps returns, and so before they are counted:
    a checkpoint would have steps that its position has not. A second Ctrl-C is not waited with.

    Example:
        >>> with held() as let_through:
        ...     let_through()  # where everything is counted; raises if Ctrl-C came
    """
    before = signal.getsignal(signal.SIGINT)
    came: list[tuple[int, FrameType | None]] = []

    def hold(number: int, frame: FrameType | None) -> None:
        came.append((number, frame))
        if len(came) > 1:
            let_through()

    def let_through() -> None:
        if came and callable(before):
            before(*came[-1])

    # Only the main thread has signals, and where they are ignored they stay so.
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield let_through
        return
    signal.signal(signal.SIGINT, hold)
    try:
        yield let_through
    finally:
        signal.signal(signal.SIGINT, before)
