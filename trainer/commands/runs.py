"""Shows runs side by side: the settings that differ, and the metrics."""

import difflib
import json
import math
import os
import shutil
import sys
import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from trainer import commands, flags, paths, side_by_side
from trainer.declared import value_text
from trainer.errors import Refusal, nearest, refusing
from trainer.flags import flag
from trainer.run import finite, is_run
from trainer.side_by_side import Record
from trainer.terminal import fitted, listed, natural, shown

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
        folders = given.folders or (_DEFAULT,)
        _check_there(folders)
        runs = side_by_side.records(folders)
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
    numbers, settings = [run.numbers for run in runs], side_by_side.compared(runs, everything)
    names = (
        dict.fromkeys(name for each in settings for name in each or {}) if everything else side_by_side.differing(runs)
    )
    given = [_setting(name, settings) for name in names]
    told = [name for name in dict.fromkeys(["steps", "seconds", *metrics]) if any(name in each for each in numbers)]
    return [
        *_about(runs, everything),
        *(column for column in given if everything or len({*column.cells}) > 1),
        *(_metric(name, [each.get(name) for each in numbers], side_by_side.best(runs, name)) for name in told),
    ]


def _about(runs: Sequence[Record], everything: bool) -> list[Column]:
    kept = [_texts("run", [run.name for run in runs])]
    started = [run.started for run in runs]
    if any(started):
        cells = [f"{each:%Y-%m-%d %H:%M}" if each else "-" for each in started]
        kept.append(Column("started", [each and each.timestamp() for each in started], cells))
    for column in (_texts("state", [run.state for run in runs]), _texts("data", _data(runs))):
        if everything or len({*column.values} - {None}) > 1:
            kept.append(column)
    return kept


def _texts(name: str, values: list[Any]) -> Column:
    return Column(shown(name), values, [*map(value_text, values)])


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
    same = ", ".join(f"{shown(name)} {value_text(value)}" for name, value in side_by_side.changed(runs).items())
    return text + (f", {'all ' * (len(runs) > 1)}with {same}" if same else "")


def _notes(runs: Sequence[Record]) -> list[str]:
    planted = [run.name for run in runs if run.dataset == side_by_side.PLANTED]
    notes = [f"planted data, not real: {'all' if len(planted) == len(runs) else listed(planted)}"] if planted else []
    alike = side_by_side.judged_alike(runs)
    odd = [run for place, run in enumerate(runs) if run.metrics is not None and place not in alike]
    if odd and alike:
        notes.append(f"judged on other data, so not compared with the rest: {listed([run.name for run in odd])}")
    elif odd:
        notes.append("the runs are judged on different data, so their metrics say nothing of one another")
    if len({run.digest for run in runs if run.digest and run not in odd}) > 1:
        notes.append("the data differ: other training rows, or columns that encode the same rows otherwise")
    if len({run.declared for run in runs if run.declared}) > 1:
        notes.append("the columns, the head or the model's shape differ; each run's problem.json tells them")
    return notes + [f"{shown(run.name)}: {shown(run.trouble)}" for run in runs if run.trouble]


def _data(runs: Sequence[Record]) -> list[Any]:
    """Returns the name of each run's data, with its digest where one name stands for several."""
    digests = {(run.dataset, run.digest) for run in runs if run.dataset and run.digest}
    several = len(digests) > len({name for name, _ in digests})
    return [f"{run.dataset} {run.digest}" if several and run.dataset and run.digest else run.dataset for run in runs]


def _metrics(runs: Sequence[Record], given: Settings) -> list[str]:
    if not given.metric:
        return side_by_side.metric_names(runs, given.all)
    return [each for name in given.metric for each in (f"validation_{name}", name)]


def _check_there(folders: Sequence[str]) -> None:
    for folder in folders:
        place = paths.absolute(folder).rstrip("/") or "/"
        if paths.is_folder(place):
            continue
        above = os.path.dirname(place)
        if paths.exists(place):
            inside = f" of a run; give its folder, {os.path.dirname(folder) or '.'}."
            raise Refusal(f"{folder} is a file{inside if is_run(above) else '; name a folder of runs, or a run.'}")
        near = difflib.get_close_matches(os.path.basename(place), side_by_side.names_in(above), n=10)
        ending = nearest(os.path.basename(place), [name for name in near if paths.is_folder(paths.join(above, name))])
        known = ending.replace("; ", " or ") or " or name another."
        raise Refusal(f"there is no folder {folder}; python -m trainer.task makes runs,{known}")


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
        return 1, natural(column.cells[place])

    return sorted(range(len(column.values)), key=key)


def _setting(name: str, settings: Sequence[dict[str, Any] | None]) -> Column:
    values = [side_by_side.setting(each, name) for each in settings]
    left = [value is None and name in (each or {}) for value, each in zip(values, settings, strict=True)]
    cells = ["default" if is_left else value_text(value, values) for value, is_left in zip(values, left, strict=True)]
    return Column(shown(name), values, cells)


def _metric(name: str, values: list[Any], marked: Collection[int]) -> Column:
    return Column(shown(name), values, [_number(name, value) for value in values], True, marked)


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
    return {"runs": finite(runs), "differing": differing}
