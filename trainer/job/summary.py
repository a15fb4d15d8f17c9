"""What a job tells a person at its start and its end."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras

from trainer import models, optimizers, paths
from trainer.inputs.split import Data
from trainer.job.plan import Plan
from trainer.problem import Problem
from trainer.terminal import quantity
from trainer.vocabulary import Collisions
from trainer.warm_start import Report

NOTICED_ROWS = 100_000
"""The rows of a table from which on it is worth a line that all of them are read and written at every step."""


def tell(line: str) -> None:
    """Prints what a person waits for."""
    print(line, flush=True)


@contextmanager
def unstopped(what: str) -> Iterator[None]:
    """Prints what ends the writing of something that only shows what was learned, and goes on."""
    try:
        yield
    except Exception as error:  # whatever it is, hours of training are worth more
        print(f"{what}: not written: {type(error).__name__}: {error}", file=sys.stderr, flush=True)


def show_planted(absent: str | None) -> None:
    """Prints that the data are a problem's planted ones, where those that it asks for are absent for a reason."""
    if absent is not None:
        print(f"planted data, not real: {absent}", flush=True)


def show_data(problem: Problem, dataset: str, data: Data, seconds: float) -> None:
    """Prints the problem, its data set and the sizes of what was read."""
    print(f"{problem.name}: {problem.description}")
    print(
        f"{dataset}: {len(data.train):,} rows to train on, {len(data.validation):,} for validation "
        f"(ready after {seconds:.1f} s)",
        flush=True,
    )


def show_sharing(sharing: Sequence[Collisions]) -> None:
    """Prints a line for each hashed column whose keys share buckets with others."""
    for collisions in sharing:
        print(collisions.line, flush=True)


def show_warm_start(report: Report, share: float | None) -> None:
    """Prints what a table has taken from its source, and the share of the training rows whose key is among it."""
    of_rows = "" if share is None else f"; {_percent(share)} of the training rows have a matched key"
    print(f"{report.line}{of_rows}", flush=True)


def _percent(share: float) -> str:
    """Returns a share as a person reads it, and never as 100 % what is less."""
    return f"{100 * share:.0f} %" if share in (0, 1) else f"{min(100 * share, 99.99):.2f} %"


def show_densified(model: keras.Model) -> None:
    """Prints a line where an optimizer reads and writes all rows of a large table at every step."""
    if not optimizers.makes_dense(model.optimizer):
        return
    large: dict[str, list[str]] = {}
    for name, (layer, _) in models.tables_of(model).items():
        optimizer = optimizers.of(model.optimizer, layer.table)
        if layer.trainable and layer.rows > NOTICED_ROWS and optimizers.makes_dense(optimizer):
            large.setdefault(type(optimizer).__name__, []).append(f"{name} ({layer.rows:,} rows)")
    for optimizer_name, names in large.items():
        print(
            f"{optimizer_name} reads and writes every row of {', '.join(names)} at every step; "
            "--optimizer LazyAdam only those of the batch",
            flush=True,
        )


def show_end(plan: Plan, metrics: dict[str, Any], absent: str | None = None) -> None:
    """Prints the metrics, how to look at the run, and last where it lies."""
    shown = ("loss", "auc", "accuracy", "rmse", "rmse_over_mean", "rmsle")
    own = [name for name in metrics if f"validation_{name}" in metrics and name != "examples"]
    names = sorted(own, key=lambda name: shown.index(name) if name in shown else len(shown))
    for title, start in (("validation", "validation_"), ("test", "")):
        values = "  ".join(f"{name} {metrics[start + name]:.4f}" for name in names)
        print(f"{title:<11} {metrics[f'{start}examples']:>8,} rows  {values}")
    print(
        f"{'training':<11} {metrics['train_examples']:>8,} rows  {metrics['steps']:,} steps in "
        f"{metrics['seconds']:.1f} s, {metrics['examples_per_second']:,.0f} examples/s, "
        f"{quantity(metrics['peak_memory_bytes'])} of memory, {metrics['total_seconds']:.0f} s in all"
    )
    folder = paths.join(plan.run.path, "..") if paths.is_remote(plan.run.path) else _above(plan.run.path)
    print(f"look at it  tensorboard --logdir {folder}")
    show_planted(absent)
    print(plan.run.path, flush=True)


def _above(path: str) -> str:
    import os

    above = os.path.dirname(path)
    relative = os.path.relpath(above)
    return above if relative.startswith("..") else relative
