"""Ends the programs of a rehearsal when the rehearsal itself was killed: a small process that outlives it for that.

It runs as a file of its own, with nothing but the standard library, and in a session of its own, so that neither the
terminal nor a signal to the rehearsal's group reaches it. It is told of process groups on its standard input, one a
line: `+12` has started, `-12` has ended. When its input ends, nobody is left who would end the others.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from types import TracebackType

GRACE_SECONDS = 30.0
"""How long a program has after SIGTERM, to write a checkpoint, until it is killed."""


class Guard:
    """Knows of process groups and ends them if this process is killed; it is a context manager."""

    def __enter__(self) -> "Guard":
        command = [sys.executable, "-I", __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, cwd="/", bufsize=0)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate()

    def has_started(self, group: int) -> None:
        """Takes a process group on."""
        self._tell(f"+{group}\n")

    def has_ended(self, group: int) -> None:
        """Forgets a process group: its number may be another's from now on."""
        self._tell(f"-{group}\n")

    def _tell(self, line: str) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(line.encode())


def send(group: int, number: int) -> bool:
    """Sends a signal to a process group and tells whether there was any process in it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS refuses where all have ended and were not waited for
        return False
    return True


def watch(lines: Iterable[str]) -> None:
    """Returns when the lines have ended, and so have all process groups that they named."""
    groups: set[int] = set()
    for line in lines:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    end = time.monotonic() + GRACE_SECONDS
    left = {group for group in groups if send(group, signal.SIGTERM)}
    while left and time.monotonic() < end:
        time.sleep(0.1)
        left = {group for group in left if send(group, 0)}
    for group in left:
        send(group, signal.SIGKILL)


if __name__ == "__main__":
    watch(sys.stdin)
