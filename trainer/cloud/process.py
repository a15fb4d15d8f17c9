"""Running a program in a clean environment: quietly to its end, or beside others with its words passed on."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.cloud.guard import send
from trainer.cloud.lines import Lines
from trainer.errors import TrainingFailure

# Variables of the caller that no cloud would pass on to a job.
NOT_PASSED_ON = ("PYTHON", "VIRTUAL_ENV", "__PYVENV", "AIP_", "CLOUD_ML_", "CLUSTER_SPEC", "TF_CONFIG")

LAST = 20
"""So many of the last lines of a program are kept, to be told again."""

_DRAIN_SECONDS = 1.0
"""How long the streams of a program that has ended are listened to, where something else still has them."""


def variables(added: Mapping[str, str]) -> dict[str, str]:
    """Returns the caller's environment variables without those that a cloud would not have, and with others added."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
    return {**kept, **added}


def quiet(command: Sequence[str], folder: Path, purpose: str, tell: Callable[[str], None] = lambda line: None) -> None:
    """Runs a program to its end and shows nothing of it when it ends well.

    It has the files of submit that are made inheritable, as a lock that is held until the program has ended as well.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        purpose: What it is run for, as the end of "submit: could not …".
        tell: Is given the last line that it has printed, at least twice a second.

    Raises:
        TrainingFailure: It failed; what it printed is on stderr.
    """
    with subprocess.Popen(
        command,
        cwd=folder,
        env=variables({"PYTHONUNBUFFERED": "1"}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        close_fds=False,
    ) as started:
        try:
            printed = _printed(started, tell)
        except BaseException:
            started.kill()
            raise
    if started.returncode:
        print(printed, file=sys.stderr, end="")
        raise TrainingFailure(f"submit: could not {purpose}; its own words are above.")


def _printed(started: subprocess.Popen[bytes], tell: Callable[[str], None]) -> str:
    data = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(started.stdout, selectors.EVENT_READ)  # type: ignore[arg-type]  # it is a pipe
        while True:
            if selector.select(0.5):
                more = os.read(started.stdout.fileno(), 1 << 16)  # type: ignore[union-attr]  # as before
                if not more:
                    return data.decode(errors="replace")
                data += more
            tell(data.rstrip().rpartition(b"\n")[2].decode(errors="replace"))


@dataclass(frozen=True)
class Program:
    """What is run beside others.

    Args:
        name: What a person calls it.
        command: The program and its arguments.
        folder: Where it runs.
        variables: What is set besides the caller's environment variables.
        serves: Whether it does what the first program asks of it, and ends by itself after that.
    """

    name: str
    command: tuple[str, ...]
    folder: Path
    variables: Mapping[str, str]
    serves: bool = False


class Process:
    """A program that was started, in a process group of its own: the terminal sends its signals to submit alone.

    Args:
        program: What is started.
        selector: Is told of its streams.
        labels: What stands before each line of its output and of its errors; None gives it the streams of submit.
    """

    def __init__(
        self, program: Program, selector: selectors.BaseSelector, labels: tuple[bytes, bytes] | None = None
    ) -> None:
        self.program, self._selector = program, selector
        self.last: deque[bytes] = deque(maxlen=LAST)
        """The last lines that it has printed."""
        self.label = labels[1] if labels else b""
        """What stands before each line of its errors."""
        self._popen = subprocess.Popen(
            program.command,
            cwd=program.folder,
            # Into a pipe Python would write its lines many at a time.
            env=variables({"PYTHONUNBUFFERED": "1", **program.variables}),
            stdin=subprocess.DEVNULL,
            stdout=None if labels is None else subprocess.PIPE,
            stderr=None if labels is None else subprocess.PIPE,
            process_group=0,
        )
        self.group = self._popen.pid
        self._ended_at: float | None = None
        streams = zip((self._popen.stdout, self._popen.stderr), (sys.stdout, sys.stderr), labels or (), strict=False)
        self._lines = {
            pipe.fileno(): (pipe, Lines(label, out.buffer, self.last)) for pipe, out, label in streams if pipe
        }
        for descriptor in self._lines:
            selector.register(descriptor, selectors.EVENT_READ, self)

    @property
    def code(self) -> int | None:
        """The exit code, 128 and the signal that ended it, or None while it runs."""
        code = self._popen.poll()
        return code if code is None or code >= 0 else 128 - code

    @property
    def signal(self) -> str | None:
        """The name of the signal that has ended it."""
        code = self._popen.poll()
        return signal.Signals(-code).name if code is not None and code < 0 else None

    @property
    def is_over(self) -> bool:
        """Whether it has ended and all that it printed is passed on."""
        if self.code is None:
            return False
        if self._ended_at is None:
            self._ended_at = time.monotonic()
            self.kill()  # what it has started ends with it, as in a container
        if time.monotonic() > self._ended_at + _DRAIN_SECONDS:
            for descriptor in list(self._lines):
                self._forget(descriptor).end()
        return not self._lines

    def read(self, descriptor: int) -> None:
        """Passes on what one of its streams has; at the end of the stream, the end of its last line."""
        data = os.read(descriptor, 1 << 16)
        if data:
            self._lines[descriptor][1].take(data)
        else:
            self._forget(descriptor).end()

    def send(self, number: int) -> None:
        """Sends it a signal."""
        self._popen.send_signal(number)

    def kill(self) -> None:
        """Kills it and all that it has started."""
        send(self.group, signal.SIGKILL)

    def drop(self) -> None:
        """Listens to it no more, and passes on nothing."""
        for descriptor in list(self._lines):
            self._forget(descriptor)

    def wait(self) -> None:
        """Returns when it has ended."""
        self._popen.wait()

    def _forget(self, descriptor: int) -> Lines:
        pipe, lines = self._lines.pop(descriptor)
        self._selector.unregister(descriptor)
        pipe.close()
        return lines
