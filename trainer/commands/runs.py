"""Shows runs side by side: the settings that differ, and the metrics."""

import json
import math
import shutil
import sys
import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trainer import commands, flags, side_by_side
from trainer.errors import Refusal, nearest, refusing
from trainer.flags import flag
from trainer.side_by_side import Record
from trainer.terminal import fitted, shown

PROG = f"{commands.PROG} runs"
DESCRIPTION = f"""{__doc__}

  {PROG}
  {PROG} runs/flights runs/flights-2
  {PROG} old/runs runs --sort validation_auc --metric auc"""
_DEFAULT = "runs"


@dataclass(frozen=True)
class Settings:
    """What the table can be told."""

    folders: tuple[str, ...] = flag(
        (), f"folders with runs in them, at any depth, or runs themselves (default: {_DEFAULT})", "DIR", is_word=True
    )
    metric: tuple[str, ...] = flag(
        (),
        "a metric to show, with its twin of validation where it has one (default: those that have one); repeatable",
        "NAME",
        group="table",
    )
    sort: str | None = flag(
        None,
        "order the runs by a column; by a metric, the best first (default: by their names)",
        "COLUMN",
        group="table",
    )
    all: bool = flag(False, "show all settings and all metrics", group="table")
    json: bool = flag(False, "print one JSON object with all settings and metrics of each run", group="table")


@dataclass(frozen=True)
class Column:
    """One thing that is told of each run.

    Args:
        name: The heading.
        values: One for each run, as they are sorted; None where a run has none.
        cells: The same as they are shown.
        is_metric: Whether it is one of the metrics.
        marked: The places of the best runs.
    """

    name: str
    values: list[Any]
    cells: list[str]
    is_metric: bool = False
    marked: Collection[int] = ()

    @property
    def is_number(self) -> bool:
        """Whether all values are numbers, where there are any."""
        return all(type(value) in (int, float) for value in self.values if value is not None)

    @property
    def texts(self) -> list[str]:
        """The heading and the cells, with a star at the best ones and room for it at the others."""
        ends = ["*" if place in self.marked else " " * bool(self.marked) for place in range(len(self.cells))]
        return [self.name, *(f"{cell}{end}" for cell, end in zip(self.cells, ends, strict=True))]


def main(argv: Sequence[str]) -> int:
    """Prints a table of runs for each problem and returns the exit code.

    Args:
        argv: Folders and flags.

    Raises:
        Refusal: There is no such folder, run, metric or column.
    """
    given = Settings(**flags.parse(Settings, argv, PROG, DESCRIPTION))
    for name in ("metric", "all"):
        if given.json and getattr(given, name):
            raise Refusal(f"{PROG}: --{name} goes with the table, and --json tells everything; leave one of them out.")
    with refusing(PROG):
        runs = side_by_side.records(given.folders or (_DEFAULT,))
        _check_metrics(given.metric, side_by_side.metric_names(runs, everything=True))
        groups = [[run for run in runs if run.problem == problem] for problem in sorted({run.problem for run in runs})]
        if given.sort is not None:
            groups = _sorted(groups, given.sort)
    if given.json:
        print(json.dumps(_content(groups), allow_nan=False))
        return 0
    places = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print("\n\n".join("\n".join(_lines(group, given, places)) for group in groups))
    return 0


def columns(runs: Sequence[Record], metrics: Sequence[str], everything: bool) -> list[Column]:
    """Returns what is told of runs of one problem: what differs among them, how long they took, and metrics.

    Args:
        runs: Of one problem.
        metrics: The names of the metrics to tell.
        everything: Whether what is the same in all is told as well.
    """
    numbers = [run.numbers for run in runs]
    names = dict.fromkeys(name for run in runs for name in run.settings) if everything else side_by_side.differing(runs)
    told = [name for name in dict.fromkeys(["steps", "seconds", *metrics]) if any(name in each for each in numbers)]
    return [
        *_about(runs, everything),
        *(_setting(name, runs) for name in names),
        *(_metric(name, [each.get(name) for each in numbers], side_by_side.best(runs, name)) for name in told),
    ]


def _about(runs: Sequence[Record], everything: bool) -> list[Column]:
    started = [None if run.started is None else run.started.timestamp() for run in runs]
    kept = [_texts("run", [run.name for run in runs])]
    if any(started):
        kept.append(Column("started", started, [*map(_time, started)]))
    for column in (_texts("state", [run.state for run in runs]), _texts("data", _data(runs))):
        if everything or len({*column.values} - {None}) > 1:
            kept.append(column)
    return kept


def _texts(name: str, values: list[Any]) -> Column:
    return Column(shown(name), values, [*map(_text, values)])


def _lines(runs: Sequence[Record], given: Settings, places: int | None) -> list[str]:
    told = columns(runs, _metrics(runs, given), given.all)
    right = {place for place, column in enumerate(told) if column.is_number}
    rows = list(zip(*(column.texts for column in told), strict=True))
    marks = ["* the best on validation data"] if any(column.marked for column in told) else []
    notes = [line for note in [*marks, *_notes(runs)] for line in _wrapped(note, places)]
    return [*_wrapped(_heading(runs), places), *fitted(rows, right, places), *notes]


def _wrapped(text: str, places: int | None) -> list[str]:
    return [text] if places is None else textwrap.wrap(text, places, break_long_words=False, break_on_hyphens=False)


def _heading(runs: Sequence[Record]) -> str:
    states, data = {run.state for run in runs}, {*_data(runs)} - {None}
    state = f"{states.pop()} " if len(states) == 1 else ""
    text = f"problem {shown(runs[0].problem)}, {len(runs):,} {state}run{'s' * (len(runs) != 1)}"
    if len(data) == 1:
        text += f" on {shown(str(data.pop()))}"
    same = ", ".join(f"{shown(name)} {_text(value)}" for name, value in side_by_side.changed(runs).items())
    return text + (f", {'all ' * (len(runs) > 1)}with {same}" if same else "")


def _notes(runs: Sequence[Record]) -> list[str]:
    planted = [run.name for run in runs if run.dataset == side_by_side.PLANTED]
    notes = [f"planted data, not real: {'all' if len(planted) == len(runs) else _listed(planted)}"] if planted else []
    if side_by_side.judged_apart(runs):
        notes.append("the runs are judged on different data, so their metrics say nothing of one another")
    elif len({run.digest for run in runs if run.digest}) > 1:
        notes.append("the data differ: other training rows, or columns that encode the same rows otherwise")
    if len({run.declared for run in runs if run.declared}) > 1:
        notes.append("the columns, the head or the model's shape differ; each run's problem.json tells them")
    return notes + [f"{shown(run.name)}: {shown(run.trouble)}" for run in runs if run.trouble]


def _data(runs: Sequence[Record]) -> list[Any]:
    """Returns the name of each run's data, with its digest where one name stands for several."""
    digests = {(run.dataset, run.digest) for run in runs if run.dataset}
    several = len(digests) > len({name for name, _ in digests})
    return [f"{run.dataset} {run.digest}" if several and run.dataset else run.dataset for run in runs]


def _metrics(runs: Sequence[Record], given: Settings) -> list[str]:
    if not given.metric:
        return side_by_side.metric_names(runs, given.all)
    return [each for name in given.metric for each in (f"validation_{name}", name)]


def _check_metrics(names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            several = [each for each in known if "/" not in each]
            there = f"; there are {', '.join(several)}." if several else ", since no run has left any."
            raise Refusal(f"--metric: there is no metric '{name}'{nearest(name, known) or there}")


def _sorted(groups: Sequence[Sequence[Record]], name: str) -> list[list[Record]]:
    known: dict[str, None] = {}
    ordered = []
    for runs in groups:
        there = columns(runs, side_by_side.metric_names(runs, everything=True), everything=True)
        known.update({column.name: None for column in there})
        column = next((column for column in there if column.name == name), None)
        ordered.append([*runs] if column is None else [runs[place] for place in _order(column)])
    if name not in known:
        ending = nearest(name, known) or "; --all shows the columns that there are."
        raise Refusal(f"--sort: there is no column '{name}'{ending}")
    return ordered


def _order(column: Column) -> list[int]:
    sign = -side_by_side.direction(column.name) if column.is_metric else 0

    def key(place: int) -> tuple[int, Any]:
        value = column.values[place]
        if value is None or value != value:
            return 2, 0
        if isinstance(value, (int, float)):
            return 0, (sign or 1) * value
        return 1, side_by_side.natural(column.cells[place])

    return sorted(range(len(column.values)), key=key)


def _setting(name: str, runs: Sequence[Record]) -> Column:
    values = [side_by_side.setting(run, name) for run in runs]
    left = [value is None and name in run.settings for value, run in zip(values, runs, strict=True)]
    cells = ["default" if is_left else _text(value) for value, is_left in zip(values, left, strict=True)]
    return Column(shown(name), values, cells)


def _metric(name: str, values: list[Any], marked: Collection[int]) -> Column:
    return Column(shown(name), values, [_number(name, value) for value in values], True, marked)


def _text(value: Any) -> str:
    """Returns a value as a person reads it; none is a dash."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and value:
        return ", ".join(map(_text, value))
    return "-" if value in (None, [], "") else shown(str(value))


def _number(name: str, value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "-" if value is None else str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if "seconds" in name:
        return f"{value:,.1f}"
    if abs(value) >= 10_000:
        return f"{value:,.1f}"
    return f"{value:.4f}" if value == 0 or abs(value) >= 0.01 else f"{value:.4g}"


def _time(seconds: float | None) -> str:
    return "-" if seconds is None else f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}"  # of where it is read


def _listed(names: Sequence[str], most: int = 5) -> str:
    more = len(names) - most
    return ", ".join(map(shown, names[:most])) + (f" and {more:,} more" if more > 0 else "")


def _content(groups: Sequence[Sequence[Record]]) -> dict[str, Any]:
    runs = [
        {
            "run": run.name,
            "path": run.path,
            "problem": run.problem,
            "state": run.state,
            "trouble": run.trouble,
            **run.stored,
            "metrics": run.metrics,
        }
        for group in groups
        for run in group
    ]
    differing = {group[0].problem: side_by_side.differing(group) for group in groups}
    return {"runs": _finite(runs), "differing": differing}


def _finite(value: Any) -> Any:
    """Returns what JSON can hold: infinite numbers and those that are none are null."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
