"""Seconds to save and load files of vectors, over gensim: `python -m tests.benchmarks.vector_files`.

A table of 1,000,000 rows of 64 goes to word2vec binary and comes back, on both sides; and our Parquet and npz are
loaded against gensim's own `load` of what its `save` leaves. All sides have read what they read once before, so that
it lies in memory. In a round they take turns, who is first changes, and what a row compares is never far apart; all
share one process, where gensim is installed, since their numbers hang on one machine at one time.
"""

import argparse
import gc
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tests.benchmarks.pairs import opened, parser, write
from tests.benchmarks.sides import peer
from trainer import formats
from trainer.formats import npz, parquet, word2vec

BAR = 1.0
DIMENSION = 64

Sides = Mapping[str, Callable[[], Any]]


def rows(count: int) -> dict[str, tuple[Sides, str]]:
    """Returns what is measured, by name: what each side does in the current folder, and what it is held against."""
    keys = [f"user_{number * 7919 % 1_000_003}" for number in range(count)]
    values = np.random.default_rng(0).normal(size=(count, DIMENSION)).astype(np.float32)
    theirs = peer("gensim.models").KeyedVectors
    held = theirs(DIMENSION)
    held.add_vectors(keys, values)
    held.save("own")
    held.save_word2vec_format("theirs.bin", binary=True)
    word2vec.binary.save("ours.bin", keys, values)
    for name in ("ours.npz", "ours.parquet"):
        formats.save(name, keys, values)
        found = formats.load(name)
        if found.keys != keys or not np.array_equal(found.values, values):
            raise SystemExit(f"{name} came back as something else.")
    own = {"gensim load": lambda: theirs.load("own")}
    return {
        "save word2vec binary": (
            {
                "gensim": lambda: held.save_word2vec_format("theirs.bin", binary=True),
                "ours": lambda: word2vec.binary.save("ours.bin", keys, values),
            },
            "gensim",
        ),
        "load word2vec binary": (
            {
                "gensim": lambda: theirs.load_word2vec_format("theirs.bin", binary=True),
                "ours": lambda: word2vec.load("theirs.bin"),
            },
            "gensim",
        ),
        "load Parquet": ({**own, "ours": lambda: parquet.load("ours.parquet")}, "gensim load"),
        "load npz": ({**own, "ours": lambda: npz.load("ours.npz")}, "gensim load"),
    }


def timed(side: Callable[[], Any]) -> float:
    """Returns the seconds of one turn; what it found is let go afterwards."""
    gc.collect()
    start = time.perf_counter()
    found = side()
    seconds = time.perf_counter() - start
    del found
    return seconds


def measured(name: str, sides: Sides, against: str, rounds: int) -> dict[str, Any]:
    """Measures one row, prints it, and returns it as JSON takes it."""
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for turn in range(rounds):
        for side in sorted(sides, reverse=bool(turn % 2)):
            seconds[side].append(timed(sides[side]))
    ratios = [theirs / ours for theirs, ours in zip(seconds[against], seconds["ours"], strict=True)]
    ratio = statistics.median(ratios)
    line = ", ".join(f"{side} {1000 * statistics.median(found):,.0f} ms" for side, found in seconds.items())
    print(f"{name:<22}{ratio:>7.2f} (at least {BAR:g}), worst round {min(ratios):.2f}: {line}", flush=True)
    return {"row": name, "ratio": ratio, "worst": min(ratios), "seconds": seconds}


def main() -> None:
    """Measures, prints, and writes as JSON where asked to."""
    flags: argparse.Namespace = parser(__doc__, rows=1_000_000).parse_args()
    if flags.quick:
        flags.rows, flags.rounds = 5000, 1
    about, here = opened(flags, ("gensim",)), os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        found = [
            measured(name, sides, against, flags.rounds)
            for name, (sides, against) in rows(flags.rows).items()
            if flags.only.lower() in name.lower()
        ]
        os.chdir(here)
    write(flags.json, {"machine": {**about, "rows": flags.rows}, "rows": found})


if __name__ == "__main__":
    main()
