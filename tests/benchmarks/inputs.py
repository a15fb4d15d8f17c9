"""How fast rows come in, and what they cost: `python -m tests.benchmarks.inputs`.

The files are made up in the shape of Criteo's: 26 strings of 8 hexadecimal digits with 10 to 10,000,000 different
values a column, 13 numbers and a label. The sides of a row take turns in one process; a ratio is that of one turn.

    csv           rows a second into encoded batches, over tf.data's make_csv_dataset and the same encoding
    parquet       the same columns as Parquet, over the CSV
    tfds          nyc_flights/JFK by `inputs.tfds.read`, over TFDS's as_dataset; JFK, not all airports, keeps it short
    second epoch  examples a second of the flights problem by our loop, from what was encoded once, over the same loop
                  over ready arrays of ids that are sliced in their order; nothing is read, encoded or shuffled there
    second run    seconds from the start of a process to its first step, where an earlier run has left encoded rows,
                  over those of that earlier run
    memory        most memory of a training on a CSV of 4 GB less that of one on its first 100 MB, with
                  --cache-memory 512MB
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import tensorflow as tf
import tensorflow_datasets as tfds

from tests.benchmarks.encoding import NUMBERS, STRINGS
from tests.benchmarks.pairs import machine, write
from tests.benchmarks.ratios import report
from trainer import datasets, models
from trainer import feature_column as fc
from trainer import problem as problems
from trainer.inputs import split
from trainer.inputs.examples import Source
from trainer.inputs.features import Reading
from trainer.inputs.files import Rows, State
from trainer.inputs.memory import encoded
from trainer.inputs.tensors import dataset
from trainer.inputs.tfds import read
from trainer.inputs.values import Wanted
from trainer.layers import Encoder
from trainer.training.steps import Steps

ROOT = Path(__file__).parents[2]
BUCKETS, BATCH_SIZE, PEER_BATCH = 100_000, 8192, 4096
BARS = {"csv": 5.0, "parquet": 1.0, "tfds": 15.0, "second epoch": 0.9, "second run": 0.5, "memory": 1e9}
AT_MOST = ("second run", "memory")
WANTED = {
    **{key: Wanted("string") for key in STRINGS},
    **{key: Wanted("float32") for key in NUMBERS},
    "label": Wanted("int64", is_required=True, least=0, below=2),
}
COLUMNS = [
    *(fc.categorical_column_with_hash_bucket(key, BUCKETS) for key in STRINGS),
    *(fc.numeric_column(key) for key in NUMBERS),
]
PROBLEM = """\"\"\"Is the label 1? From 26 strings and 13 numbers.\"\"\"
import time
import keras
from trainer import feature_column as fc
from trainer.problem import Problem

class FirstStep(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if not getattr(self, "told", False):
            self.told = True
            print(f"first step at {time.time()}", flush=True)

hashed = [fc.categorical_column_with_hash_bucket(f"C{place}", 100_000) for place in range(1, 27)]
numbers = [fc.numeric_column(f"I{place}", normalizer_fn=None) for place in range(1, 14)]
PROBLEM = Problem(
    dataset="nyc_flights", label="label", num_epochs=1, train_batch_size=4096, dnn_hidden_units=(32,),
    dnn_feature_columns=[*(fc.embedding_column(column, 8) for column in hashed), *numbers], callbacks=[FirstStep],
)
"""


def tables(rows: int, part: int = 200_000) -> Iterator[pa.Table]:
    """Yields made-up rows in parts: few or many values a column, the frequent ones far more so."""
    for start in range(0, rows, part):
        draw, count = np.random.default_rng(start), min(part, rows - start)
        found: dict[str, Any] = {}
        for place, key in enumerate(STRINGS):
            ranks = (draw.zipf(1.2, count) - 1) % int(10 ** (1 + place % 13 / 2))
            different, places = np.unique(ranks, return_inverse=True)
            texts = np.char.mod("%08x", (different * 2654435761 + place * 40503) % 2**32)
            found[key] = pa.array(texts).take(pa.array(places))
        for key in NUMBERS:
            found[key] = np.round(draw.lognormal(size=count), 4)
        found["label"] = draw.integers(0, 2, count)
        yield pa.table(found)


def csv_file(path: Path, rows: int) -> str:
    """Writes a CSV file and returns its path."""
    with path.open("wb") as file:
        for place, table in enumerate(tables(rows)):
            how = pa_csv.WriteOptions(include_header=not place, quoting_style="none")
            pa_csv.write_csv(table, file, how)
    return str(path)


def parquet_file(path: Path, rows: int) -> str:
    """Writes the same rows as Parquet and returns its path."""
    writer = None
    for table in tables(rows):
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
    return str(path)


def labelled(features: Mapping[str, Any]) -> Any:
    """Returns features, labels and weights."""
    rest = dict(features)
    label = rest.pop("label")[:, tf.newaxis]
    return rest, label, tf.ones_like(label, tf.float32)


def ours(path: str, encoder: Encoder) -> int:
    """Reads and encodes a file, and returns how many rows it has."""
    rows = partial(Rows, [State.of(path)], Reading(WANTED))
    batches = dataset(rows, WANTED).map(tf.autograph.experimental.do_not_convert(labelled))
    return sum(len(part) for part, _ in encoded(batches, encoder.encodings))


def theirs(path: str, encoder: Encoder) -> int:
    """Reads a CSV file by make_csv_dataset, encodes it alike, and returns how many rows it has."""
    names = [*STRINGS, *NUMBERS, "label"]
    defaults = [*("" for _ in STRINGS), *(0.0 for _ in NUMBERS), tf.constant(0, tf.int64)]
    batches = tf.data.experimental.make_csv_dataset(
        path, PEER_BATCH, column_names=names, column_defaults=defaults, label_name="label", num_epochs=1, shuffle=False
    )
    encodings: Any = encoder.encodings
    encode = tf.autograph.experimental.do_not_convert(lambda features, label: (encodings(features), label))
    return sum(int(label.shape[0]) for _, label in batches.map(encode, num_parallel_calls=tf.data.AUTOTUNE))


def seconds(run: Callable[[], Any]) -> float:
    """Returns how long something takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def turns(first: Callable[[], Any], second: Callable[[], Any], rounds: int) -> list[tuple[float, float]]:
    """Returns the seconds of two sides, round by round after one that warms them up; who is first changes."""
    found = []
    for turn in range(rounds + 1):
        if turn % 2:
            before = seconds(second)
            found.append((seconds(first), before))
        else:
            found.append((seconds(first), seconds(second)))
    return found[1:]


def csv_row(flags: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The rate of CSV over that of make_csv_dataset."""
    path, encoder = csv_file(folder / "rows.csv", flags.rows), Encoder(COLUMNS)
    pairs = turns(lambda: ours(path, encoder), lambda: theirs(path, encoder), flags.rounds)
    return rates(flags.rows, pairs, "make_csv_dataset")


def parquet_row(flags: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The rate of Parquet over that of CSV."""
    encoder = Encoder(COLUMNS)
    packed, plain = parquet_file(folder / "rows.parquet", flags.rows), csv_file(folder / "rows.csv", flags.rows)
    return rates(
        flags.rows, turns(lambda: ours(packed, encoder), lambda: ours(plain, encoder), flags.rounds), "our CSV"
    )


def rates(rows: int, pairs: list[tuple[float, float]], peer: str) -> dict[str, Any]:
    """Returns rows a second and their ratios."""
    ratios = [their / our for our, their in pairs]
    rate, other = (rows / float(np.median(side)) for side in zip(*pairs, strict=True))
    return {"rows": rows, "rows a second": round(rate), peer: round(other), "ratios": ratios}


def tfds_row(flags: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The rate of `inputs.tfds.read` over that of as_dataset."""
    builder = datasets.builder("nyc_flights/JFK", str(folder))
    datasets.prepare(builder, download=False)
    mine = read(builder, "train", BATCH_SIZE)
    # Batched too: taken one by one in Python they would come five times slower still.
    other = builder.as_dataset(split="train", read_config=tfds.ReadConfig(try_autocache=False)).batch(BATCH_SIZE)
    pairs = turns(lambda: [None for _ in mine], lambda: [None for _ in other], flags.rounds)
    return rates(builder.info.splits["train"].num_examples, pairs, "as_dataset")


def epoch_row(flags: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The rate of a second epoch of flights over that of the same steps over ready arrays."""
    problem = problems.load("flights")
    model = models.build(problem, 10_000)
    halves = models.halves(model)
    source = Source(problem, models.inputs_of(model), str(ROOT / "data"))
    source.prepare()
    train = split.read(source, halves.encode).train.in_memory()
    batch, steps = problem.train_batch_size, Steps(model, halves)
    epoch = len(train) // batch
    ready = [tf.constant(array) for array in [*train.features.values(), train.labels, train.weights]]
    ready = [tf.cast(array, tf.int64) if array.dtype == tf.int32 else array for array in ready]

    @tf.autograph.experimental.do_not_convert
    def sliced(step: Any) -> Any:
        *features, labels, weights = (array[step * batch : (step + 1) * batch] for array in ready)
        return dict(zip(train.features, features, strict=True)), labels, weights

    def of_arrays() -> None:
        steps(iter(tf.data.Dataset.range(epoch).map(sliced, num_parallel_calls=2).prefetch(4)), epoch)

    def of_cache() -> None:
        steps(iter(train.shuffled(batch, 0, 1, 0, epoch)), epoch)

    return rates(epoch * batch, turns(of_cache, of_arrays, flags.rounds), "ready arrays")


def trained(folder: Path, files: str, job: str, *more: str) -> tuple[float, dict[str, Any]]:
    """Trains in a process of its own; returns the seconds to its first step, and its metrics."""
    (folder / "made_up.py").write_text(PROBLEM, encoding="utf-8")
    command = [sys.executable, "-m", "trainer.task", "--problem", str(folder / "made_up.py"), "--train-files", files]
    start = time.time()
    done = subprocess.run(
        [*command, "--job-dir", str(folder / job), *more], capture_output=True, text=True, cwd=ROOT, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("first step at ")]
    metrics = json.loads((folder / job / "metrics.json").read_text(encoding="utf-8"))
    return float(line.rpartition(" ")[2]) - start, metrics


def run_row(flags: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The time to the first step of a second run over that of the first."""
    files, pairs = csv_file(folder / "rows.csv", flags.run_rows), []
    for turn in range(flags.run_rounds):
        first, second = (trained(folder, files, f"{turn}-{which}", "--train-steps", "1")[0] for which in (1, 2))
        pairs.append((second, first))
        shutil.rmtree(folder / f"{turn}-1")  # with what the next first run would find
    ratios = [second / first for second, first in pairs]
    return {"rows": flags.run_rows, "first": pairs[-1][1], "second": pairs[-1][0], "ratios": ratios}


def memory_row(flags: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The memory of a training on a large file, less that on its beginning."""
    large = csv_file(folder / "large.csv", flags.large_rows)
    small = csv_file(folder / "small.csv", flags.small_rows)
    limit = ("--cache-memory", "512MB")
    (_, much), (_, little) = trained(folder, large, "large", *limit), trained(folder, small, "small", *limit)
    sizes = {name: os.path.getsize(path) for name, path in (("large", large), ("small", small))}
    peaks = {"peak": much["peak_memory_bytes"], "peak of the small": little["peak_memory_bytes"]}
    more = peaks["peak"] - peaks["peak of the small"]
    return {**sizes, **peaks, "examples a second": much["examples_per_second"], "ratios": [more]}


ROWS: dict[str, Callable[[argparse.Namespace, Path], dict[str, Any]]] = {
    "csv": csv_row,
    "parquet": parquet_row,
    "tfds": tfds_row,
    "second epoch": epoch_row,
    "second run": run_row,
    "memory": memory_row,
}


def main() -> None:
    """Measures, prints, and writes JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="ROW", default="", help="only the rows with this in their name")
    parser.add_argument("--quick", action="store_true", help="small and short: shows that it runs, measures nothing")
    parser.add_argument("--json", metavar="FILE", type=Path)
    for name, value in (
        ("rounds", 5), ("rows", 400_000), ("run-rounds", 5), ("run-rows", 3_000_000), ("large-rows", 12_400_000),
        ("small-rows", 310_000),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=value)
    flags = parser.parse_args()
    if flags.quick:
        flags.rows, flags.run_rows, flags.large_rows, flags.small_rows = 5000, 20_000, 40_000, 10_000
        flags.rounds, flags.run_rounds = 1, 1
    print(", ".join(f"{name} {value}" for name, value in machine().items()), flush=True)
    found = []
    for name, row in ROWS.items():
        if flags.only in name:
            with tempfile.TemporaryDirectory() as folder:
                found.append(report(name, row(flags, Path(folder)), BARS[name], name in AT_MOST))
    write(flags.json, {"machine": machine(), "rows": found})


if __name__ == "__main__":
    main()
