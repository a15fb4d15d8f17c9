"""What checkpoints cost: `python -m tests.benchmarks.checkpoints`.

overhead  seconds of a checkpoint of the flights problem, the median of those of a training that writes one every
          few seconds, over the 60 seconds that lie between two of them by default
speed     bytes a second at which a table of a million rows of 64 floats is saved with its slots, over those at
          which as many bytes are written to the same disk and flushed; the sides take turns
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tests.benchmarks.pairs import machine, write
from tests.benchmarks.ratios import report
from trainer import layers, models, optimizers
from trainer import problem as problems
from trainer.inputs import split
from trainer.inputs.examples import Source
from trainer.inputs.memory import Examples
from trainer.training import Position, train
from trainer.training.checkpoints import Checkpoints, When

ROOT = Path(__file__).parents[2]
SECONDS = 60.0
BARS = {"overhead": 0.03, "speed": 1 / 3}
_BLOCK = 1 << 26


class Timed(Checkpoints):
    """Checkpoints that note what each has taken."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.took: list[float] = []

    def save(self) -> str:
        start = time.perf_counter()
        saved = super().save()
        self.took.append(time.perf_counter() - start)
        return saved


def overhead(folder: Path, steps: int, seconds: float) -> dict[str, Any]:
    """Returns what checkpoints take in a training of flights."""
    problem = problems.load("flights")
    model = models.build(problem, steps)
    halves = models.halves(model)
    source = Source(problem, models.inputs_of(model), str(ROOT / "data"))
    source.prepare()
    examples, position = split.read(source, halves.encode).train, Position()
    checkpoints = Timed(str(folder), model, position, When(seconds))
    start = time.perf_counter()
    train(model, halves, examples, problem.train_batch_size, 0, steps, callbacks=[checkpoints], position=position)
    taken = time.perf_counter() - start
    size = sum(file.stat().st_size for file in (folder / checkpoints.shelf.names[0]).iterdir())
    return {
        "checkpoints": len(checkpoints.took),
        "seconds of one": statistics.median(checkpoints.took),
        "bytes of one": size,
        "seconds of the training": taken,
        "ratios": [each / SECONDS for each in checkpoints.took],
    }


def trained(rows: int) -> tuple[keras.Model, Position]:
    """A model of one table, some of whose rows have been trained."""
    keras.utils.set_random_seed(0)
    ids = keras.Input((1,), dtype="int64", name="user_ids")
    hidden = layers.EmbeddingTable(rows, 64, name="user")(ids)
    model = keras.Model([ids], keras.layers.Dense(1)(keras.layers.Flatten()(hidden)))
    model.compile(optimizers.Adagrad(0.1), "mse", jit_compile=False)
    draw, position = np.random.default_rng(0), Position()
    users = {"user_ids": draw.integers(0, rows, (4096, 1))}
    examples = Examples(users, draw.normal(size=(4096, 1)).astype(np.float32), np.ones((4096, 1), np.float32))
    train(model, models.halves(model), examples, 1024, 0, 4, position=position)
    return model, position


def plain(file: Path, size: int, block: bytes) -> float:
    """Returns the seconds in which so many bytes are on the disk."""
    start = time.perf_counter()
    with file.open("wb", buffering=0) as out:
        for first in range(0, size, len(block)):
            out.write(block[: min(len(block), size - first)])
        os.fsync(out.fileno())
    seconds = time.perf_counter() - start
    file.unlink()
    return seconds


def speed(folder: Path, rows: int, rounds: int) -> dict[str, Any]:
    """Returns what saving a table takes, and writing its bytes."""
    model, position = trained(rows)
    block = np.random.default_rng(0).bytes(_BLOCK)
    size, ours, theirs = 2 * rows * 64 * 4, [], []
    for turn in range(rounds):
        place = folder / f"turn-{turn}"
        checkpoints = Timed(str(place), model, position, When())
        checkpoints.save()
        ours += checkpoints.took
        shutil.rmtree(place)
        theirs.append(plain(folder / "plain", size, block))
    return {
        "bytes": size,
        "bytes a second": round(size / statistics.median(ours)),
        "plain": round(size / statistics.median(theirs)),
        "ratios": [other / own for own, other in zip(ours, theirs, strict=True)],
    }


def main() -> None:
    """Measures, prints, and writes JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and short: shows that it runs, measures nothing")
    parser.add_argument("--json", metavar="FILE", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    flags = parser.parse_args()
    if flags.quick:
        flags.rounds, flags.steps, flags.rows = 2, 20, 10_000
    print(", ".join(f"{name} {value}" for name, value in machine().items()), flush=True)
    # Beside the data, on the disk that runs lie on: a temporary folder may be in memory.
    with tempfile.TemporaryDirectory(dir=ROOT / "data") as place:
        found = [
            report("overhead", overhead(Path(place) / "flights", flags.steps, 0.5), BARS["overhead"], True),
            report("speed", speed(Path(place), flags.rows, flags.rounds), BARS["speed"], False),
        ]
    write(flags.json, {"machine": machine(), "rows": found})


if __name__ == "__main__":
    main()
