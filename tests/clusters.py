"""Processes that train together on this machine: one for each address of a `TF_CONFIG`, each with a log of its own."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests import forks

ROOT = Path(__file__).parents[1]

Name = tuple[str, int]


class Processes:
    """The processes of a cluster, started with the same flags.

    Args:
        counts: How many of each kind: `{"chief": 1, "worker": 2, "ps": 2}`.
        flags: Of `python -m trainer.task`.
        folder: For the logs, and where the processes work.
        environment: Variables of theirs besides `TF_CONFIG`; {name} in a value is the process, as worker-0.
        absent: Those that have an address and are not started.
        forked: Whether they begin with TensorFlow imported, as `tests.forks` starts them.
    """

    def __init__(
        self,
        counts: Mapping[str, int],
        flags: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        absent: Sequence[Name] = (),
        forked: bool = False,
    ) -> None:
        self.flags, self.folder, self.environment = list(flags), folder, dict(environment or {})
        self.addresses, self.forked = addresses(counts), forked
        self._processes: dict[Name, subprocess.Popen[bytes] | forks.Forked] = {}
        for name in ((kind, index) for kind, given in self.addresses.items() for index in range(len(given))):
            if name not in absent:
                self.start(*name)

    def start(self, kind: str, index: int = 0) -> None:
        """Starts a process; what it prints goes on in its log."""
        config = {"cluster": self.addresses, "task": {"type": kind, "index": index}}
        given = {name: value.replace("{name}", f"{kind}-{index}") for name, value in self.environment.items()}
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CONFIG": json.dumps(config), **given}
        begin = forks.start if self.forked else forks.anew
        with open(self._log(kind, index), "ab") as log:
            self._processes[kind, index] = begin("trainer.task", self.flags, self.folder, environment, log.fileno())

    def wait(self, kind: str = "chief", index: int = 0, seconds: float = 240) -> int:
        """Returns the exit code of a process, which ends within so many seconds."""
        try:
            return self._processes[kind, index].wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{kind} {index} has not ended in {seconds:g} s:\n{self.outputs}") from None

    def wait_for(self, text: str, kind: str = "chief", index: int = 0, seconds: float = 180) -> None:
        """Returns when a process has printed a text."""
        end = time.monotonic() + seconds
        while text not in self.output(kind, index):
            ended = not self.is_running(kind, index)
            if time.monotonic() > end or (ended and text not in self.output(kind, index)):
                raise AssertionError(f"{kind} {index} has not printed {text!r}:\n{self.outputs}")
            time.sleep(0.05)

    def kill(self, kind: str, index: int = 0, number: int = signal.SIGKILL) -> None:
        """Sends a signal to a process; SIGKILL is waited for."""
        process = self._processes[kind, index]
        process.send_signal(number)
        if number == signal.SIGKILL:
            process.wait(30)

    def restart(self, kind: str, index: int = 0) -> None:
        """Starts a process that has ended once more, with the same command."""
        self.kill(kind, index)
        self.start(kind, index)

    def is_running(self, kind: str, index: int = 0) -> bool:
        """Whether a process has not ended."""
        return self._processes[kind, index].poll() is None

    def id_of(self, kind: str, index: int = 0) -> int:
        """Returns the id of a process."""
        return self._processes[kind, index].pid

    def output(self, kind: str, index: int = 0) -> str:
        """Returns what a process has printed until now, on both of its streams."""
        path = self._log(kind, index)
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def outputs(self) -> str:
        """The last of what all processes have printed, for a test that fails."""
        return "\n".join(f"--- {kind} {index}\n{self.output(kind, index)[-4000:]}" for kind, index in self._processes)

    def end(self) -> None:
        """Kills those that still run."""
        for process in self._processes.values():
            if process.poll() is None:
                process.kill()
        for process in self._processes.values():
            process.wait(30)

    def _log(self, kind: str, index: int) -> Path:
        return self.folder / f"{kind}-{index}.log"


@contextmanager
def cluster(
    counts: Mapping[str, int],
    flags: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    absent: Sequence[Name] = (),
    forked: bool = False,
) -> Iterator[Processes]:
    """Runs the processes of a cluster until the block ends; the arguments are those of `Processes`."""
    found = Processes(counts, flags, folder, environment, absent, forked)
    try:
        yield found
    finally:
        found.end()


def addresses(counts: Mapping[str, int]) -> dict[str, list[str]]:
    """Returns an address on a free port of this machine for each process, by kind."""
    with ExitStack() as held:  # all at once, so that no port is given twice
        sockets = [held.enter_context(socket.socket()) for _ in range(sum(counts.values()))]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        found = iter([f"127.0.0.1:{each.getsockname()[1]}" for each in sockets])
        return {kind: [next(found) for _ in range(count)] for kind, count in counts.items() if count}
