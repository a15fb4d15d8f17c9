"""Neighbours of many keys, ours together and gensim's one by one: `python -m tests.benchmarks.vectors`.

A table of 1,000,000 rows of 64, drawn from a normal distribution, is asked for the 10 nearest keys to each of 1,000.
In every round a process has both sides on one matrix, one right after the other, so that a ratio is of the same
minutes; who is first changes, and both must find the same. What ours takes of memory is found in a process of its
own, without gensim: the peak of the process (`ru_maxrss`) less what was resident before there were keys or a matrix, in
matrices; so the keys, and how they are found, count too.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tests.benchmarks.big_table import resident
from tests.benchmarks.pairs import opened, parser, write
from tests.benchmarks.sides import Array, peer
from trainer.vectors import LabelledVectors

TIME_BAR, MEMORY_BAR = 3.0, 1.3
DIMENSION, TOPN = 64, 10


def keys_of(rows: int) -> pa.Array:
    """Returns the keys as a file gives them, and lets go what they were made of."""
    found = pc.binary_join_element_wise("user", pa.array(np.arange(rows)).cast(pa.string()), "_")
    pa.default_memory_pool().release_unused()
    return found


def matrix_of(rows: int) -> Array:
    """Returns the matrix, drawn in place."""
    return np.random.default_rng(0).standard_normal((rows, DIMENSION), np.float32)


def asked(rows: int, queries: int) -> list[str]:
    """Returns the keys whose neighbours are looked for."""
    return [f"user_{row}" for row in np.random.default_rng(1).choice(rows, queries, replace=False)]


def memory(rows: int, queries: int) -> float:
    """Returns the peak while ours answers, in matrices."""
    LabelledVectors(keys_of(1000), matrix_of(1000)).nearest(asked(1000, 10), TOPN)
    before = resident()
    found = LabelledVectors(keys_of(rows), matrix_of(rows)).nearest(asked(rows, queries), TOPN)
    if len(found) != queries:
        raise SystemExit("some queries have no answer.")
    return (1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / (4 * rows * DIMENSION)


def paired(rows: int, queries: int, theirs_first: bool) -> dict[str, float]:
    """Returns the seconds of both sides, after each has answered one query; stops where they differ."""
    keys, matrix = keys_of(rows), matrix_of(rows)
    ours = LabelledVectors(keys, matrix)
    theirs = peer("gensim.models").KeyedVectors(DIMENSION)
    theirs.index_to_key = keys.to_pylist()
    theirs.key_to_index = {key: row for row, key in enumerate(theirs.index_to_key)}
    theirs.vectors = matrix
    sides: dict[str, Any] = {
        "ours": lambda some: ours.nearest(some, TOPN),
        "peer": lambda some: [theirs.most_similar(key, topn=TOPN) for key in some],
    }
    seconds, answers, some = {}, {}, asked(rows, queries)
    for name in sorted(sides, reverse=theirs_first):
        sides[name](some[:1])
        start = time.perf_counter()
        answers[name] = sides[name](some)
        seconds[name] = time.perf_counter() - start
    for key, left, right in zip(some, answers["ours"], answers["peer"], strict=True):
        # Keys may change places where float32 cannot tell them apart.
        if not np.allclose([number for _, number in left], [number for _, number in right], rtol=0, atol=1e-6):
            raise SystemExit(f"'{key}' has other neighbours here, {left}, than there, {right}.")
    return seconds


def apart(flags: argparse.Namespace, *given: str) -> Any:
    """Returns what a process of its own finds."""
    sizes = ("--rows", str(flags.rows), "--queries", str(flags.queries))
    command = [sys.executable, "-m", "tests.benchmarks.vectors", *sizes, "--child", *given]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measures, prints, and writes as JSON where asked to."""
    made = parser(__doc__, rows=1_000_000, queries=1000)
    made.add_argument("--child", choices=["memory", "ours first", "peer first"], help=argparse.SUPPRESS)
    flags = made.parse_args()
    if flags.child:
        found: Any = (
            memory(flags.rows, flags.queries)
            if flags.child == "memory"
            else paired(flags.rows, flags.queries, flags.child == "peer first")
        )
        print(json.dumps(found))
        return
    if flags.quick:
        flags.rows, flags.queries, flags.rounds = 20_000, 50, 1
    about = opened(flags, ("gensim",))
    matrices = apart(flags, "memory")
    rounds = []
    if about["gensim"] != "missing":
        rounds = [apart(flags, "peer first" if turn % 2 else "ours first") for turn in range(flags.rounds)]
    show(rounds, matrices, flags)
    write(flags.json, {"machine": about, "memory": matrices, "rounds": rounds})


def show(rounds: list[dict[str, float]], matrices: float, flags: argparse.Namespace) -> None:
    """Prints the medians beside their bars."""
    print(f"{flags.queries:,} queries of {flags.rows:,} rows of {DIMENSION}")
    print(f"memory  {matrices:.2f} matrices (at most {MEMORY_BAR:g})")
    if not rounds:
        print("time    not compared: gensim is missing; pip install '.[bench]' brings it.")
        return
    seconds = {side: statistics.median(turn[side] for turn in rounds) for side in ("ours", "peer")}
    ratios = [turn["peer"] / turn["ours"] for turn in rounds]
    line = ", ".join(f"{side} {value:.2f} s" for side, value in seconds.items())
    print(f"time    {statistics.median(ratios):.2f} times as fast (at least {TIME_BAR:g}), ", end="")
    print(f"worst {min(ratios):.2f}; {line}")


if __name__ == "__main__":
    main()
