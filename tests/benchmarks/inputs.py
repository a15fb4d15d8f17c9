"""Rows a second of `trainer.inputs.tfds.read` beside TFDS's `as_dataset`: `python -m tests.benchmarks.inputs`.

Both read all 11 features of the train split of nyc_flights/JFK to its end in batches of 8192, in turn, in one process.
JFK, not all airports, keeps it short.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
import tensorflow_datasets as tfds

from trainer import datasets
from trainer.inputs.tfds import read

DATA_SET, SPLIT, BATCH_SIZE = "nyc_flights/JFK", "train", 8192


def seconds(dataset: tf.data.Dataset) -> float:
    """Returns the seconds of one pass over a data set."""
    start = time.perf_counter()
    for _ in dataset:
        pass
    return time.perf_counter() - start


def measure(builder: Any, runs: int) -> list[tuple[float, float]]:
    """Returns the rows a second of `read` and of `as_dataset`, a pair for each run."""
    rows = builder.info.splits[SPLIT].num_examples
    ours = read(builder, SPLIT, BATCH_SIZE)
    # Batched too: taken one by one in Python they would come five times slower still.
    theirs = builder.as_dataset(split=SPLIT, read_config=tfds.ReadConfig(try_autocache=False)).batch(BATCH_SIZE)
    for dataset in (ours, theirs.take(1)):  # the first pass fills the disk's cache
        seconds(dataset)
    return [(rows / seconds(ours), rows / seconds(theirs)) for _ in range(runs)]


def report(rows: int, pairs: list[tuple[float, float]]) -> dict[str, Any]:
    """Returns the medians, the median of the ratios of the pairs, and what they were measured with."""
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    return {
        "data": f"{DATA_SET} {SPLIT}",
        "rows": rows,
        "runs": len(pairs),
        "batch_size": BATCH_SIZE,
        "read_rows_per_second": round(ours),
        "as_dataset_rows_per_second": round(theirs),
        "ratio": round(statistics.median(our / their for our, their in pairs), 1),
        "ratio_lowest": round(min(our / their for our, their in pairs), 1),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "tensorflow_datasets": tfds.__version__,
        "cores": os.cpu_count(),
    }


def main() -> None:
    """Measures, prints a table, and writes it as JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", type=Path)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as data_dir:
        builder = datasets.builder(DATA_SET, data_dir)
        datasets.prepare(builder, download=False)
        found = report(builder.info.splits[SPLIT].num_examples, measure(builder, flags.runs))
    width = max(map(len, found))
    print("\n".join(f"{name:<{width}}  {value}" for name, value in found.items()))
    if flags.json:
        flags.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
