"""Jobs that run side by side and train in turns, a round each, so that what disturbs one disturbs the other."""

import json
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.scale.clock import FOLDER, sent
from tests.clusters import ROOT, Processes, cluster

ONE = {"chief": 1}
IN_STEP = {"chief": 1, "worker": 1}
SERVED = {"chief": 1, "worker": 1, "ps": 2}
START_SECONDS = 240.0
_IDLE_SECONDS = 2.0


@dataclass(frozen=True)
class Round:
    """What a job did in its turn.

    Args:
        steps: How many.
        seconds: Of them.
        bytes: That the machine sent to itself meanwhile.
    """

    steps: float
    seconds: float
    bytes: float


@dataclass
class Job:
    """A job that runs, and waits for its turn.

    Args:
        processes: Of the job.
        folder: In which it is told to go on, and says what it measured.
        rounds: Those that it was asked for.
    """

    processes: Processes
    folder: Path
    rounds: int = 0

    def ask(self, seconds: float) -> None:
        """Lets it have a round."""
        made = self.folder / "asked"
        made.write_text(str(seconds))
        made.rename(self.folder / f"{self.rounds}.go")
        self.rounds += 1

    def answer(self, within: float) -> Round:
        """Returns its last round, when that is over.

        Raises:
            RuntimeError: A process has ended, or it takes too long.
        """
        file, end = self.folder / f"{self.rounds - 1}.json", time.monotonic() + within
        while not file.exists():
            if time.monotonic() > end or not self.processes.is_running("chief"):
                raise RuntimeError(f"no round was measured:\n{self.processes.outputs}")
            time.sleep(0.01)
        return Round(**json.loads(file.read_text()))

    def stop(self) -> int:
        """Ends it as a machine that is wanted back is ended, and returns the bytes of the checkpoint that it leaves."""
        self.processes.kill("chief", number=signal.SIGTERM)
        self.ask(0.0)
        self.processes.wait()
        files = (self.folder / "run" / "checkpoints").rglob("*")
        return sum(file.stat().st_size for file in files if file.is_file())


@contextmanager
def started(counts: Mapping[str, int], flags: Sequence[str], folder: Path, forked: bool) -> Iterator[Job]:
    """Runs a job until the block ends; it has its first round, in which all is traced, at once.

    Args:
        counts: Of its processes.
        flags: Of `python -m trainer.task`.
        folder: Of the job.
        forked: Whether its processes begin with TensorFlow imported.
    """
    folder.mkdir(parents=True)
    given = [*flags, "--job-dir", str(folder / "run"), "--data-dir", str(ROOT / "data"), "--num-epochs", "100000"]
    given += ["--checkpoint-seconds", "1000000"]
    job = Job.__new__(Job)
    job.folder, job.rounds = folder, 0
    job.ask(2.0)
    with cluster(counts, given, folder, {FOLDER: str(folder)}, forked=forked) as processes:
        job.processes = processes
        yield job


def in_turns(jobs: Mapping[str, Job], rounds: int, seconds: float) -> dict[str, list[Round]]:
    """Returns the rounds of jobs that take turns, each without what the machine sends itself while all wait."""
    for job in jobs.values():
        job.answer(START_SECONDS)
    before = sent()
    time.sleep(_IDLE_SECONDS)
    idle = (sent() - before) / _IDLE_SECONDS
    found: dict[str, list[Round]] = {name: [] for name in jobs}
    names = list(jobs)
    for turn in range(rounds):
        for name in names if turn % 2 else reversed(names):
            jobs[name].ask(seconds)
            one = jobs[name].answer(60 + 10 * seconds)
            found[name].append(Round(one.steps, one.seconds, one.bytes - idle * one.seconds))
    return found
