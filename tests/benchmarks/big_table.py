"""Memory and step time of one table to 100,000,000 rows: `python -m tests.benchmarks.big_table`.

The model is that of `table_size` with 16 columns: ours with RowWiseAdagrad in our loop, and beside it PyTorch's sparse
Adagrad, whose slot is as large as its table (12.8 GB together at 100M rows; `--only ours` leaves it out). Every size
runs in a process of its own, so that the peak is that of its table alone: the peak resident memory of the process
(`ru_maxrss`), less what was resident just before the table was made. By then the process had imported all, drawn its
examples, and trained the smallest table, whose steps then take turns with those of the large one. The table starts as
the layer's own initializer makes it.
"""

import argparse
import gc
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tests.benchmarks.pairs import opened, parser, write
from tests.benchmarks.sides import SCALE, Side, Torch, peer
from tests.benchmarks.table_size import EXAMPLES, HIDDEN, RATES, Loop, drawn, model_on
from trainer.layers import EmbeddingTable

DIMENSION, OPTIMIZER, BATCH_SIZE = 16, "RowWiseAdagrad", 1024
MEMORY_BAR, TIME_BAR = 1.25, 2.5
"""How many times the bytes of table and slots the peak may be; how many times the step time of the smallest."""


class Ours(Loop):
    """Our loop."""

    def compiled(self) -> keras.Model:
        uniform = keras.initializers.RandomUniform(-SCALE, SCALE)
        return model_on(EmbeddingTable(self.rows, self.dimension, initializer=uniform), self.optimizer)

    def bytes(self) -> int:
        """Returns the bytes of the table and of its slots."""
        shapes = [variable.shape for variable in (*self.model.variables, *self.model.optimizer.variables)]
        return sum(4 * int(np.prod(shape)) for shape in shapes if shape[:1] == (self.rows,))


class Theirs(Torch):
    """PyTorch; the table is filled in place."""

    def table(self, rows: int) -> Any:
        torch = peer("torch")
        start = torch.nn.init.uniform_(torch.empty(rows, self.dimension), -SCALE, SCALE)
        return torch.nn.Embedding(rows, self.dimension, sparse=True, _weight=start)

    def bytes(self) -> int:
        """Returns the bytes of the table and of its slot."""
        return sum(2 * 4 * rows * self.dimension for rows in self.rows.values())


def made(name: str, rows: int, examples: int) -> Ours | Theirs:
    """Returns a side with its data."""
    data = drawn(rows, BATCH_SIZE, examples)
    if name == "ours":
        return Ours(data, OPTIMIZER, rows, DIMENSION)
    return Theirs(data, {"id": rows}, DIMENSION, HIDDEN, RATES["Adagrad"])


def resident() -> int:
    """Returns the bytes that are resident now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def begin(side: Side) -> tuple[float, float]:
    """Makes a model and trains its first step; returns the seconds of each."""
    start = time.perf_counter()
    side.prepare()
    prepared = time.perf_counter()
    side.train(1)
    return prepared - start, time.perf_counter() - prepared


def measure(name: str, rows: int, flags: argparse.Namespace) -> dict[str, Any]:
    """Measures one size in this process, against the smallest."""
    small, large = made(name, flags.small, flags.examples), made(name, rows, flags.examples)
    begin(small)
    small.train(flags.steps)
    gc.collect()
    before = resident()
    prepare, first_step = begin(large)
    pairs = []
    for turn in range(flags.rounds):
        order = (small, large) if turn % 2 else (large, small)
        seconds = {side: side.train(flags.steps) for side in order}
        pairs.append((seconds[small], seconds[large]))
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "side": name,
        "rows": rows,
        "bytes": large.bytes(),
        "resident_before": before,
        "peak": peak,
        "memory_ratio": (peak - before) / large.bytes(),
        "prepare": prepare,
        "first_step": first_step,
        "small_step": statistics.median(pair[0] for pair in pairs),
        "step": statistics.median(pair[1] for pair in pairs),
        "time_ratio": statistics.median(pair[1] / pair[0] for pair in pairs),
        "worst_time_ratio": max(pair[1] / pair[0] for pair in pairs),
        "loss": large.loss(),
    }


def measured_apart(name: str, rows: int, flags: argparse.Namespace) -> dict[str, Any]:
    """Returns what a process of its own measures; where that dies, as one without memory does, how it ended."""
    numbers = {key: getattr(flags, key) for key in ("small", "steps", "rounds", "examples", "torch_threads")}
    given = [part for key, value in numbers.items() for part in (f"--{key.replace('_', '-')}", str(value))]
    command = [sys.executable, "-m", "tests.benchmarks.big_table", "--child", name, "--sizes", str(rows), *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"side": name, "rows": rows, "failed": done.returncode, "error": done.stderr[-2000:]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def show(row: dict[str, Any]) -> None:
    """Prints one size."""
    line = f"{row['side']:<9}{row['rows']:>13,}"
    if "failed" in row:
        reason = "killed: no memory left?" if row["failed"] == -9 else row["error"].strip().splitlines()[-1]
        print(f"{line}  failed: {reason}", flush=True)
        return
    line += f"{row['bytes'] / 1e6:>11,.0f}{(row['peak'] - row['resident_before']) / 1e6:>11,.0f}"
    line += f"{row['memory_ratio']:>8.2f}{row['prepare']:>11.2f}{row['first_step']:>14.2f}"
    line += f"{row['step'] * 1000:>11.2f}{row['small_step'] * 1000:>10.2f}"
    print(f"{line}{row['time_ratio']:>7.2f}{row['worst_time_ratio']:>7.2f}{row['loss']:>9.4f}", flush=True)


def main() -> None:
    """Measures, prints a table, and writes it as JSON where asked to."""
    made = parser(__doc__, small=1000, steps=400, examples=EXAMPLES)
    made.add_argument("--sizes", type=int, nargs="+", default=[1_000_000, 10_000_000, 100_000_000])
    made.add_argument("--child", metavar="SIDE", help=argparse.SUPPRESS)
    flags = made.parse_args()
    if flags.child:
        if flags.child == "PyTorch":
            peer("torch").set_num_threads(flags.torch_threads)
        print(json.dumps(measure(flags.child, flags.sizes[0], flags)))
        return
    if flags.quick:
        flags.sizes, flags.steps, flags.rounds, flags.examples = [100_000], 50, 1, 2**16
    about = opened(flags, ("torch",))
    print(
        f"batch {BATCH_SIZE:,}, {DIMENSION} columns, {flags.steps:,} steps a round; bars at the largest size: ", end=""
    )
    print(
        f"memory at most {MEMORY_BAR} times table and slots, time at most {TIME_BAR} times that of {flags.small:,} rows"
    )
    print(
        f"{'side':<9}{'rows':>13}{'table MB':>11}{'peak MB':>11}{'ratio':>8}{'prepare s':>11}{'first step s':>14}",
        end="",
    )
    print(f"{'ms a step':>11}{'smallest':>10}{'ratio':>7}{'worst':>7}{'loss':>9}")
    rows = []
    for rows_of_table in flags.sizes:
        for name in ("ours", "PyTorch"):
            if flags.only.lower() in name.lower():
                rows.append(measured_apart(name, rows_of_table, flags))
                show(rows[-1])
    write(flags.json, {"machine": about, "rows": rows})


if __name__ == "__main__":
    main()
