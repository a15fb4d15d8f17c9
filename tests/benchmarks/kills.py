"""Kills runs at seeded moments, resumes each, and compares what they leave with a run that was left alone.

A run is killed several times, at each of which it has got further: in its first steps, inside the writing of a
checkpoint, somewhere, in the export. Tables and the numbers of metrics and epochs must be equal, bit for bit.

    python -m tests.benchmarks.kills            # 20 kills: flights from JFK, and a table of a million rows
    python -m tests.benchmarks.kills --quick    # 3 kills of a small problem
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import forks

ROOT = Path(__file__).parents[2]
Process = forks.Forked | subprocess.Popen[bytes]
EVERY = 10
"""Steps between checkpoints."""

LARGE = '''"""A table of a million rows, of which a training meets some."""

import numpy as np
import tensorflow as tf

from trainer import feature_column as fc
from trainer.problem import Problem

ROWS = 1_000_000
user = fc.categorical_column_with_identity("user", ROWS)


def data(split):
    draw = np.random.default_rng(split == "train")
    users = draw.integers(ROWS, size=40_000 if split == "train" else 2_000)
    late = (users % 7 + draw.normal(size=len(users)) > 3).astype(np.float32)
    return tf.data.Dataset.from_tensor_slices(({"user": users}, late)).batch(2_000)


PROBLEM = Problem(
    dataset=data,
    dnn_feature_columns=[fc.embedding_column(user, 8, name="user")],
    dnn_hidden_units=[8],
    dnn_dropout=0.2,
    num_epochs=2,
    train_batch_size=512,
    name="large",
    description="Whether a user is late.",
)
'''
SMALL = '''"""A small problem, with a dropout and a callback that remembers."""

import keras

from tests import planted

PROBLEM = planted.problem(
    callbacks=[lambda: keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=0, min_delta=1.0)],
    num_epochs=3,
    train_batch_size=256,
    dnn_dropout=0.2,
)
'''


@dataclass(frozen=True)
class Case:
    """A training that is killed.

    Args:
        name: Of the problem.
        words: What it is told.
        chains: The kinds of moments at which a run is killed, one run after the other.
        forked: Whether its processes begin with TensorFlow imported.
    """

    name: str
    words: Sequence[str]
    chains: Sequence[Sequence[str]]
    forked: bool = False


class Killer:
    """Starts a job, and kills it at a moment of some kind."""

    def __init__(self, case: Case, run: Path, draw: random.Random) -> None:
        self.case, self.run, self.draw = case, run, draw

    def start(self, *more: str) -> Process:
        words = [*self.case.words, "--checkpoint-steps", str(EVERY), "--job-dir", str(self.run), *more]
        paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": paths}
        begin = forks.start if self.case.forked else forks.anew
        with (self.run.parent / f"{self.run.name}.txt").open("ab") as out:
            return begin("trainer.task", words, self.run.parent, environment, out.fileno())

    def kill(self, kind: str, *more: str) -> str:
        """Kills a job at a moment of a kind, and returns what the moment was; "" where the job had ended before."""
        wait, least = self._moment(kind)
        process = self.start(*more)
        while process.poll() is None and not wait():
            time.sleep(0.0005)
        time.sleep(pause := self.draw.uniform(0, least))
        if process.poll() is not None:
            return ""
        process.send_signal(signal.SIGKILL)
        process.wait()
        half = [path.name for path in self.folder.glob(".*.partial")] if self.folder.exists() else []
        return f"{1000 * pause:.1f} ms after {wait.__doc__}; newest {self.newest()}, half written {half or 'none'}"

    def finish(self, process: Process | None = None) -> None:
        """Lets a job come to its end, one that has been started or the run's next."""
        if code := (process or self.start("--resume")).wait():
            raise RuntimeError(f"exit code {code}: {(self.run.parent / f'{self.run.name}.txt').read_text()[-3000:]}")

    @property
    def folder(self) -> Path:
        return self.run / "checkpoints"

    def newest(self) -> str:
        return max((path.name for path in self.folder.glob("step-*")), default="none")

    def _moment(self, kind: str) -> tuple[Callable[[], bool], float]:
        """Returns what a moment waits for, and the longest time after it."""
        before, steps = self.newest(), self.draw.choice((0, 10, 20, 30)) if kind == "early" else 0
        more = self.draw.choice((2, 3, 5))
        seen: set[str] = set()

        def written() -> bool:
            if not steps:
                return (self.run / "settings.json").exists()
            return self.newest() >= f"step-{steps:08d}"

        def writing() -> bool:
            return any(path.name > f".{before}" for path in self.folder.glob(".step-*.partial"))

        def later() -> bool:
            seen.add(self.newest())
            return len(seen) > more

        def exporting() -> bool:
            return (self.run / "export").exists()

        written.__doc__ = f"step {steps}"
        writing.__doc__ = "a checkpoint was being written"
        later.__doc__ = f"{more} checkpoints more"
        exporting.__doc__ = "the export had begun"
        return {
            "early": (written, 0.05 if steps else 2.0),
            "write": (writing, 0.002),
            "any": (later, 0.05),
            "export": (exporting, 0.6),
        }[kind]


def numbers(run: Path) -> dict[str, Any]:
    """What a run has learned and measured, without what took time or memory."""
    import tensorflow as tf

    metrics = json.loads((run / "metrics.json").read_text())
    lines = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    stored = tf.train.load_checkpoint(str(run / "tables"))
    return {
        **{name: value for name, value in metrics.items() if "second" not in name and "memory" not in name},
        "history": [{name: value for name, value in line.items() if name != "seconds"} for line in lines],
        **{name: stored.get_tensor(name).tobytes() for name in stored.get_variable_to_shape_map()},
    }


def battery(case: Case, folder: Path, seed: int) -> tuple[int, list[str]]:
    """Kills the runs of a case and resumes them; prints each moment and each verdict.

    Returns:
        How many kills there were, and what differed.
    """
    alone = Killer(case, folder / f"{case.name}-alone", random.Random(seed))
    meanwhile = alone.start()
    kills, wrong = 0, []
    for number, chain in enumerate(case.chains):
        killer = Killer(case, folder / f"{case.name}-{number}", random.Random(f"{seed} {case.name} {number}"))
        for kind in chain:
            moment = killer.kill(kind, "--resume")
            kills += bool(moment)
            print(f"{case.name} {number}  {kind:<7} {moment or 'ended before'}", flush=True)
        killer.finish()
        if number == 0:
            alone.finish(meanwhile)
        wanted, found = numbers(alone.run), numbers(killer.run)
        other = [name for name in wanted if wanted[name] != found.get(name)]
        print(f"{case.name} {number}  {'differs: ' + ', '.join(other) if other else 'equal, bit for bit'}", flush=True)
        wrong += [f"{case.name} {number} {name}" for name in other]
    return kills, wrong


def cases(folder: Path, is_quick: bool) -> list[Case]:
    """The trainings that are killed; their problems are written to a folder."""
    for name, text in (("small", SMALL), ("large", LARGE)):
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    small = ["--problem", str(folder / "small.py"), "--early-stopping", "auc"]
    if is_quick:
        return [Case("small", small, [("early", "write", "export")], forked=True)]
    flights = ["--dataset", "nyc_flights/JFK", "--data-dir", str(folder / "data"), "--train-steps", "120"]
    of_flights = [("early", "write", "any", "export"), ("early", "write", "any", "write"), ("early", "write", "any")]
    of_table = [("early", "write", "any", "export"), ("early", "write", "any", "write", "export")]
    return [
        Case("flights", flights, of_flights),
        Case("large", ["--problem", str(folder / "large.py")], of_table),
    ]


def main() -> None:
    """Kills, prints the moments and the verdicts, and ends with 1 where something differed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--quick", action="store_true", help="a few kills of a small problem")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not flags.quick:
            from trainer import datasets

            datasets.prepare(datasets.builder("nyc_flights/JFK", str(Path(folder) / "data")), download=False)
        found = [battery(case, Path(folder), flags.seed) for case in cases(Path(folder), flags.quick)]
    wrong = [name for _, others in found for name in others]
    print(f"seed {flags.seed}: {sum(kills for kills, _ in found)} kills, {', '.join(wrong) or 'all equal'}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
