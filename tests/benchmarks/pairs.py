"""Rows of sides that take turns in one process, their bars, the ids that are drawn, and the printed table."""

import argparse
import gc
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.benchmarks.sides import Array, Side, peer

EXPONENT, WORSE = 1.1, 1.01
"""Of Zipf; and how many times the peer's loss ours may be."""


def zipf(draw: np.random.Generator, values: int, count: int) -> Array:
    """Returns ranks in `[0, values)` from Zipf(1.1), `(count,)`; the first is the most frequent."""
    found: list[Array] = []
    while sum(map(len, found)) < count:
        ranks = draw.zipf(EXPONENT, count)
        found.append(ranks[ranks <= values] - 1)
    return np.concatenate(found)[:count]


def scattered(ranks: Array, values: int) -> Array:
    """Returns ids in `[0, values)`, one for each rank, so that frequent ids are no neighbours in a table."""
    return ranks * 2654435761 % values  # a prime above all sizes, so no two ranks share an id


def planted(ids: Array, salt: int = 0) -> Array:
    """Returns the planted weight of each id, uniform in `[-1, 1)`: the last step of SplitMix64."""
    mixed = (ids.astype(np.uint64) + np.uint64(salt + 1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (mixed ^ (mixed >> np.uint64(31))).astype(np.float64) / 2**63 - 1


def labels_of(draw: np.random.Generator, logits: Array) -> Array:
    """Returns labels drawn from logits, `(examples, 1)`."""
    return (draw.random(len(logits)) < 1 / (1 + np.exp(-logits))).astype(np.float32)[:, np.newaxis]


@dataclass(frozen=True)
class Bar:
    """A ratio of the seconds of two sides, and what is wanted of it.

    Args:
        over: The side above the line; in a comparison the peer, so that the ratio says how many times faster we are.
        under: The side below it; in a comparison ours.
        limit: The ratio wanted.
        at_least: Whether the ratio should be at least that: then it compares us with a peer, and losses too.
    """

    over: str
    under: str
    limit: float
    at_least: bool = True

    def verdict(self, found: "Found") -> dict[str, Any]:
        """Returns the ratio and whether it, and the loss, is as wanted."""
        seconds, losses = found.seconds, {name: after[found.judged] for name, after in found.losses.items()}
        ratios = [over / under for over, under in zip(seconds[self.over], seconds[self.under], strict=True)]
        ratio = statistics.median(ratios)
        worse = self.at_least and not losses[self.under] <= WORSE * losses[self.over]
        met = ratio >= self.limit if self.at_least else ratio <= self.limit
        return {
            "ratio": ratio,
            "worst": min(ratios) if self.at_least else max(ratios),
            "wanted": f"at {'least' if self.at_least else 'most'} {self.limit:g}",
            "verdict": "failed: loss" if worse else "met" if met else "missed",
        }


@dataclass(frozen=True)
class Row:
    """Sides that are measured together, and the bars of their ratios.

    Args:
        name: What `--only` finds it by.
        batch_size: Examples a step.
        steps: Of a round.
        sides: What makes each side, by its name.
        bars: What is wanted.
        judged: The round after which losses are compared; -1 is the last.
    """

    name: str
    batch_size: int
    steps: int
    sides: Mapping[str, Callable[[], Side]]
    bars: Sequence[Bar]
    judged: int = -1


@dataclass
class Found:
    """What was measured of a row, by side; a number for each round of seconds a step and of loss."""

    judged: int
    prepare: dict[str, float] = field(default_factory=dict)
    first_step: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    losses: dict[str, list[float]] = field(default_factory=dict)


def measure(row: Row, rounds: int) -> Found:
    """Measures a row: every side alone up to its first step, then all in turn; who is first changes."""
    found, sides = Found(row.judged), {name: make() for name, make in row.sides.items()}
    for name, side in sides.items():
        start = time.perf_counter()
        side.prepare()
        found.prepare[name] = time.perf_counter() - start
        start = time.perf_counter()
        side.train(1)
        found.first_step[name] = time.perf_counter() - start
        found.seconds[name], found.losses[name] = [], []
    names = list(sides)
    for turn in range(rounds):
        for name in (*names[turn % len(names) :], *names[: turn % len(names)]):
            found.seconds[name].append(sides[name].train(row.steps))
        for name in names:
            found.losses[name].append(sides[name].loss())
    return found


def report(row: Row, found: Found) -> dict[str, Any]:
    """Prints a row and returns it as JSON takes it."""
    sides: dict[str, dict[str, Any]] = {}
    bars = []
    print(f"\n{row.name}: batch {row.batch_size:,}, {row.steps:,} steps a round")
    print(f"  {'':<34}{'prepare s':>10}{'first step s':>14}{'ms a step':>11}{'examples/s':>12}{'loss':>9}")
    for name in row.sides:
        middle = statistics.median(found.seconds[name])
        speed = row.batch_size / middle
        line = (found.prepare[name], found.first_step[name], middle, speed, found.losses[name][row.judged])
        sides[name] = dict(zip(("prepare", "first_step", "step", "examples_per_second", "loss"), line, strict=True))
        sides[name] |= {"seconds_a_step": found.seconds[name], "losses": found.losses[name]}
        print(f"  {name:<34}{line[0]:>10.2f}{line[1]:>14.2f}{middle * 1000:>11.2f}{speed:>12,.0f}{line[4]:>9.4f}")
    for bar in row.bars:
        verdict = bar.verdict(found)
        bars.append({"over": bar.over, "under": bar.under, **verdict})
        what = f"{bar.over} / {bar.under}"
        print(f"  {what:<60}{verdict['ratio']:>8.2f} ({verdict['wanted']}), ", end="")
        print(f"worst round {verdict['worst']:.2f}: {verdict['verdict']}", flush=True)
    return {"row": row.name, "batch_size": row.batch_size, "steps": row.steps, "sides": sides, "bars": bars}


def machine(peers: Sequence[str] = ()) -> dict[str, Any]:
    """Returns what the numbers hang on: the machine, how busy it was, and the versions."""
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": model[0].partition(":")[2].strip() if model else platform.processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        **{name: peer(name).__version__ if find_spec(name) else "missing" for name in peers},
    }


def parser(description: str | None, **defaults: int) -> argparse.ArgumentParser:
    """Returns a parser with the flags of every benchmark, and one for each default number."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--only", metavar="ROW", default="", help="only the rows with this in their name")
    made.add_argument("--quick", action="store_true", help="small and short: shows that it runs, measures nothing")
    made.add_argument("--json", metavar="FILE", type=Path)
    for name, value in {"rounds": 5, "torch_threads": os.cpu_count() or 1, **defaults}.items():
        made.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    return made


def opened(flags: argparse.Namespace, peers: Sequence[str]) -> dict[str, Any]:
    """Prints and returns what the numbers hang on, and gives PyTorch its threads."""
    if "torch" in peers and find_spec("torch"):
        peer("torch").set_num_threads(flags.torch_threads)
    about = {**machine(peers), "torch_threads": flags.torch_threads, "rounds": flags.rounds}
    print(", ".join(f"{name} {value}" for name, value in about.items()), flush=True)
    return about


def run(rows: Iterable[Row], flags: argparse.Namespace, peers: Sequence[str]) -> None:
    """Measures the rows that were asked for, prints them, and writes them as JSON where asked to."""
    about = opened(flags, peers)
    found = []
    for row in rows:
        if flags.only.lower() in row.name.lower():
            found.append(report(row, measure(row, flags.rounds)))
            keras.backend.clear_session()
            gc.collect()
    write(flags.json, {"machine": about, "rows": found})


def write(file: Path | None, found: Mapping[str, Any]) -> None:
    """Writes what was found as JSON, where a file was asked for."""
    if file:
        file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
