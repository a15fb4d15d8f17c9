"""What a job tells a person at its start and its end."""

import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras

from trainer import models, optimizers, paths, report
from trainer.inputs.bad_rows import FILE, BadRows
from trainer.inputs.split import Data
from trainer.job.plan import Plan
from trainer.job.survey import MOST_KEYS
from trainer.measures import Measured
from trainer.problem import Problem
from trainer.run import Run
from trainer.tables import Entry
from trainer.terminal import quantity
from trainer.training.shelf import Shelf
from trainer.vocabulary import Collisions
from trainer.warm_start import Report

NOTICED_ROWS = 100_000
"""The rows of a table from which on it is worth a line that all of them are read and written at every step."""


def tell(line: str) -> None:
    """Prints what a person waits for."""
    print(line, flush=True)


def goes_on_from(run: Run) -> str:
    """Returns from where a run that stops at once is gone on with."""
    names = Shelf(run.checkpoints).names
    return f"Stopped at once; --resume --job-dir {run.path} goes on from {names[0] if names else 'its first step'}."


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
        f"{dataset}: {len(data.train):,} {unit_of(problem)} to train on, {len(data.validation):,} for validation "
        f"(ready after {seconds:.1f} s)",
        flush=True,
    )
    labels = data.train.labels
    if problem.head.is_labelled and len(labels) and labels.shape[1:] == (1,) and (labels == labels[0]).all():
        print(f"every training label is {labels[0, 0]:g}, so there is nothing to learn; see how it is made", flush=True)


def unit_of(problem: Problem) -> str:
    """Returns what a problem's training examples are called: rows, groups of them, or walks on the graph they make.

    Example:
        >>> from trainer import feature_column as fc
        >>> unit_of(Problem("nyc_flights", linear_feature_columns=[fc.numeric_column("distance")]))
        'rows'
    """
    if problem.walks is not None:
        return "walks"
    return "rows" if problem.grouped is None else f"groups of '{problem.grouped.by}'"


def show_sharing(sharing: Sequence[Collisions]) -> None:
    """Prints a line for each hashed column whose keys share buckets with others."""
    for collisions in sharing:
        print(collisions.line, flush=True)


def show_uncounted(names: Sequence[str]) -> None:
    """Prints which hashed columns have met more keys than are counted."""
    if names:
        print(f"{', '.join(names)}: over {MOST_KEYS:,} different keys, so buckets were not counted or labelled")


def show_bad_rows(found: BadRows | None, run: Run) -> None:
    """Prints how many rows were set aside, the first of them, and where all are."""
    if found:
        print(
            f"bad rows: {len(found):,} of {found.rows:,} were set aside into {_seen(run.path, FILE)}; the first: "
            f"{found.found[0]}",
            flush=True,
        )


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
        optimizer = optimizers.of(model.optimizer, layer.variables[0])
        if layer.trainable and layer.rows > NOTICED_ROWS and optimizers.makes_dense(optimizer):
            large.setdefault(type(optimizer).__name__, []).append(f"{name} ({layer.rows:,} rows)")
    for optimizer_name, names in large.items():
        print(
            f"{optimizer_name} reads and writes every row of {', '.join(names)} at every step; "
            "--optimizer LazyAdam only those of the batch",
            flush=True,
        )


def show_end(
    plan: Plan,
    metrics: dict[str, Any],
    tables: Iterable[Entry],
    measured: Mapping[str, Measured],
    absent: str | None = None,
) -> None:
    """Prints the metrics, what was measured of the tables, their health, how to look at the run, and where it lies."""
    shown = ("loss", "auc", "accuracy", "rmse", "r2", "rmse_over_mean", "rmsle")
    own = [name for name in metrics if f"validation_{name}" in metrics and name != "examples"]
    names = sorted(own, key=lambda name: shown.index(name) if name in shown else len(shown))
    for title, start in (("validation", "validation_"), ("test", "")):
        values = "  ".join(f"{name} {metrics[start + name]:.4f}" for name in names)
        print(f"{title:<11} {metrics[f'{start}examples']:>8,} rows  {values}")
    print(
        f"{'training':<11} {metrics['train_examples']:>8,} rows  {metrics['steps']:,} steps in "
        f"{metrics['seconds']:.1f} s, {_speed(metrics)}, "
        f"{quantity(metrics['peak_memory_bytes'])} of memory, {metrics['total_seconds']:.0f} s in all"
    )
    for name, found in measured.items():
        print(f"{name:<11} {found.line}")
    show_health(tables)
    print(f"look at it  {_look(plan.run)}")
    show_planted(absent)
    print(plan.run.path, flush=True)


def _speed(metrics: Mapping[str, Any]) -> str:
    if "ids_per_second" in metrics:
        return f"{metrics['ids_per_second']:,.0f} ids/s"
    return f"{metrics['examples_per_second']:,.0f} examples/s"


def _look(run: Run) -> str:
    if paths.is_remote(run.path):  # whose labels TensorBoard does not read, and whose page no browser opens
        return f"python -m trainer fetch {shlex.quote(run.path)} && tensorboard --logdir runs"
    page = f", or open {_seen(run.path, report.FILE)}" if paths.exists(run.file(report.FILE)) else ""
    return f"tensorboard --logdir {_seen(run.path, '..')}{page}"


def show_health(entries: Iterable[Entry]) -> None:
    """Prints a line for each table: the dimensions that it uses, and how many of its rows were trained.

    Example:
        >>> from trainer.tables import Health
        >>> health = Health(168, 35, 2, 0, 3.1, 0.7, 0.1, out_of_vocabulary_test=0.021)
        >>> show_health([Entry("week", 168, 4, "float32", (), None, "week.tsv", health)])
        week uses 3.1 of 4 dimensions; of 168 rows 35 never trained, 2 under 5 times; out of vocabulary: test 2.10 %
    """
    for entry in entries:
        health = entry.health
        counts = {"never trained": health.rows_never_trained, "under 5 times": health.rows_trained_under_5}
        counted = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count is not None)
        shares = {data: getattr(health, f"out_of_vocabulary_{data}") for data in ("train", "validation", "test")}
        outside = ", ".join(f"{data} {_percent(share)}" for data, share in shares.items() if share)
        parts = [
            f"of {entry.rows:,} rows {counted}" if counted else f"{entry.rows:,} rows",
            f"{health.rows_not_finite:,} rows not finite" if health.rows_not_finite else "",
            f"out of vocabulary: {outside}" if outside else "",
        ]
        print(f"{entry.name} {_use(entry)}; {'; '.join(filter(None, parts))}", flush=True)


def _use(entry: Entry) -> str:
    rank = entry.health.effective_rank
    return "has no value but zero" if rank is None else f"uses {rank:.1f} of {entry.dimension} dimensions"


def _seen(path: str, name: str) -> str:
    """Returns a path from that of a run, as a person would write it where the job was started.

    Example:
        >>> _seen("gs://bucket/runs/flights", FILE), _seen(os.path.abspath("runs/flights"), "..")
        ('gs://bucket/runs/flights/bad_rows.jsonl', 'runs')
    """
    if paths.is_remote(path):
        return paths.join(path, name)
    found = os.path.normpath(os.path.join(path, name))
    relative = os.path.relpath(found)
    return found if relative.startswith("..") else relative
