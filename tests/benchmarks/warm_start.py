"""Seconds and memory of a warm start by key, against reading the tensor alone: `python -m tests.benchmarks.warm_start`.

A table of 1,000,000 rows of 64 is carried to another whose vocabulary has the same words in another order, with five
new and three missing ones. The peer is `tf.train.load_checkpoint(…).get_tensor(…)`, which gives the numbers and no
table. A model is built once in a process, when its memory is still to be got from the system; so each side takes its
turn in a process of its own, which has carried a small table before and so has loaded all that is needed. The layer
takes encoded ids, since to make a hash table of a million words for raw ones takes seconds with a warm start and
without. Memory is the peak of the process that builds the table (`ru_maxrss`), less what was resident just before, in
tables.
"""

import argparse
import json
import random
import resource
import statistics
import tempfile
import time
from typing import Any

import numpy as np
import tensorflow as tf

from tests.benchmarks import processes
from tests.benchmarks.big_table import resident
from tests.benchmarks.pairs import opened, parser, write
from trainer import feature_column as fc
from trainer import layers, paths, tables
from trainer.tables import Table

TIME_BAR, MEMORY_BAR = 3.0, 2.5
DIMENSION = 64
NEW, MISSING = 5, 3


def old_words(rows: int) -> list[str]:
    """Returns the words of the source."""
    return [f"user_{number * 7919 % 1_000_003}" for number in range(rows)]


def new_words(rows: int) -> list[str]:
    """Returns the words of the table: those of the source without some, and others, in another order."""
    found = [*old_words(rows)[MISSING:], *(f"new_{number}" for number in range(NEW))]
    random.Random(0).shuffle(found)
    return [bytes(word, "ascii").decode() for word in found]  # strings that lie in their order, as those of a file


def column(words: list[str], source: str | None = None) -> fc.EmbeddingColumn:
    """Returns the column of a vocabulary."""
    vocabulary = fc.categorical_column_with_vocabulary_list("user", words)
    return fc.embedding_column(vocabulary, DIMENSION, ckpt_to_load_from=source, name="users")


def leave(folder: str, rows: int) -> None:
    """Writes the source as a run leaves it."""
    values = np.random.default_rng(0).normal(size=(rows, DIMENSION)).astype(np.float32)
    tables.write(folder, [Table("users", values, column(old_words(rows)))])


def built(started: fc.EmbeddingColumn) -> layers.EmbeddingTable:
    """Returns a column's table with its values; its words are encoded elsewhere."""
    made = layers.DenseFeatures([started], encoded=True)
    made.build()
    return made.tables[started.table]


def read(folder: str) -> Any:
    """Returns the numbers alone."""
    return tf.train.load_checkpoint(paths.join(folder, "tables")).get_tensor("users")


def check(table: layers.EmbeddingTable, folder: str, rows: int) -> None:
    """Stops where a word has not kept its vector."""
    values, stored = table.values, read(folder)
    places = {word: place for place, word in enumerate(old_words(rows))}
    for place, word in enumerate(new_words(rows)):
        if word in places and not np.array_equal(values[place], stored[places[word]]):
            raise SystemExit(f"'{word}' has lost its vector.")


def measured(side: str, folder: str, rows: int) -> dict[str, float]:
    """Returns the seconds of one side, and the peak of its memory in times the bytes of the table."""
    with tempfile.TemporaryDirectory() as small:
        leave(small, 1000)
        built(column(new_words(1000), small))
        read(small)
    started = column(new_words(rows), folder)
    before, start = resident(), time.perf_counter()
    made = read(folder) if side == "peer" else built(started)
    seconds = time.perf_counter() - start
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if side == "ours":
        check(made, folder, rows)
    return {"seconds": seconds, "memory": (peak - before) / (4 * rows * DIMENSION)}


def apart(side: str, folder: str, rows: int) -> dict[str, float]:
    """Returns what a process of its own finds."""
    words = ["-m", "tests.benchmarks.warm_start", "--child", side, folder, "--rows", str(rows)]
    _, printed, _ = processes.measured(*words)
    found: dict[str, float] = json.loads(printed.splitlines()[-1])
    return found


def main() -> None:
    """Measures, prints, and writes as JSON where asked to."""
    made = parser(__doc__, rows=1_000_000)
    made.add_argument("--child", nargs=2, metavar=("SIDE", "FOLDER"), help=argparse.SUPPRESS)
    flags = made.parse_args()
    if flags.child:
        side, folder = flags.child
        print(json.dumps(measured(side, folder, flags.rows)))
        return
    if flags.quick:
        flags.rows, flags.rounds = 20_000, 1
    about, rounds = opened(flags, ()), []
    with tempfile.TemporaryDirectory() as folder:
        leave(folder, flags.rows)
        for turn in range(flags.rounds):
            order = ("peer", "ours") if turn % 2 else ("ours", "peer")
            rounds.append({side: apart(side, folder, flags.rows) for side in order})
    show(rounds, flags.rows)
    write(flags.json, {"machine": about, "rounds": rounds})


def show(rounds: list[dict[str, dict[str, float]]], rows: int) -> None:
    """Prints the medians beside their bars."""
    seconds = {side: statistics.median(turn[side]["seconds"] for turn in rounds) for side in ("peer", "ours")}
    ratios = [turn["ours"]["seconds"] / turn["peer"]["seconds"] for turn in rounds]
    memory = statistics.median(turn["ours"]["memory"] for turn in rounds)
    line = ", ".join(f"{side} {1000 * value:.0f} ms" for side, value in seconds.items())
    print(f"{rows:,} rows of {DIMENSION}: {line}")
    print(f"time    {statistics.median(ratios):.2f} times the peer's (at most {TIME_BAR:g}), worst {max(ratios):.2f}")
    print(f"memory  {memory:.2f} tables (at most {MEMORY_BAR:g})")


if __name__ == "__main__":
    main()
