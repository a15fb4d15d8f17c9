"""Runs side by side: what folders of runs have left, the settings that differ among them, and the best metrics."""

import dataclasses
import itertools
import math
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from trainer import paths
from trainer.errors import Refusal, nearest
from trainer.run import Run, is_run
from trainer.settings import RUN_ONLY, Settings

PLANTED = "planted"
"""The name of data that are made to stand in for a problem's own."""

_LOWER = ("loss", "error", "mae", "mse", "rmse", "msle", "rmsle", "mape", "crossentropy", "divergence", "perplexity")
_HIGHER = ("auc", "accuracy", "precision", "recall", "f1", "fbeta", "ndcg", "mrr", "map", "hit", "r2", "similarity")


@dataclass(frozen=True)
class Record:
    """What a run has left.

    Args:
        name: The run's folder, relative to the folders that were named.
        path: The run's folder, absolute or remote.
        stored: What its `settings.json` holds; nothing where it is torn.
        metrics: What its `metrics.json` holds; None where there is none yet, or it is torn.
        trouble: Why one of these files cannot be read, or None.
    """

    name: str
    path: str
    stored: dict[str, Any]
    metrics: dict[str, Any] | None
    trouble: str | None

    @property
    def state(self) -> str:
        """One of `finished`, `unfinished` (it has no metrics) and `torn` (a file cannot be read)."""
        if self.trouble is not None:
            return "torn"
        return "unfinished" if self.metrics is None else "finished"

    @property
    def started(self) -> datetime | None:
        """When it was started."""
        try:
            return datetime.fromisoformat(self.stored["started"])
        except (KeyError, TypeError, ValueError):
            return None

    @property
    def problem(self) -> str:
        """The problem's name, which for a file of one's own is the file's."""
        return Path(str(self.settings.get("problem", "unknown"))).stem

    @property
    def given(self) -> dict[str, Any]:
        """The settings as they were given, with the arguments of the problem and the packages' versions among them."""
        settings = dict(self.stored.get("settings", {}))
        return {**settings.pop("problem_arguments", {}), **settings, **self.stored.get("versions", {})}

    @property
    def settings(self) -> dict[str, Any]:
        """What the training goes by: the settings as they were given, and what the problem says where they do not."""
        own = dict(self.stored.get("trained_with", {}))
        own.pop("digest", None)
        given = self.given
        if "dnn_optimizer" in own:  # it has what is given
            given.pop("optimizer", None)
        return {**given, **own}

    @property
    def declared(self) -> str | None:
        """What differs where the columns, the head or the model's shape do; None where the run does not tell."""
        digest: str | None = self.stored.get("trained_with", {}).get("digest")
        return digest

    @property
    def numbers(self) -> dict[str, float]:
        """The metrics that are numbers."""
        found = self.metrics or {}
        return {name: value for name, value in found.items() if type(value) in (int, float)}

    @property
    def dataset(self) -> str | None:
        """The name of the data."""
        name: str | None = self.stored.get("data", {}).get("name", (self.metrics or {}).get("data"))
        return name

    @property
    def digest(self) -> str | None:
        """What differs where the encoded training or validation rows do."""
        digest: str | None = self.stored.get("data", {}).get("digest")
        return digest


def records(folders: Sequence[str]) -> list[Record]:
    """Returns the runs in some folders, at any depth but not inside of one another, in the order of their names.

    Args:
        folders: Folders of runs, or runs; local or remote.

    Raises:
        Refusal: A folder is absent, or none holds a run.

    Example:
        >>> records(["/no/such/runs"])
        Traceback (most recent call last):
            ...
        trainer.errors.Refusal: there is no folder /no/such/runs; name one that python -m trainer.task has left runs in.
    """
    _check_there(folders)
    places = [paths.absolute(folder).rstrip("/") or "/" for folder in folders]
    seen: set[str] = set()
    found = [path for place in places for path in _runs(place, seen)]
    if not found:
        raise Refusal(
            f"no run is in {', '.join(folders)}; python -m trainer.task makes one in runs, or name another folder."
        )
    above = [os.path.dirname(place) if is_run(place) else place for place in places]
    common = _common([place.rstrip("/").split("/") for place in above])
    named = {path: "/".join(path.split("/")[common:]) for path in found}
    return [_record(path, named[path]) for path in sorted(found, key=lambda path: natural(named[path]))]


def differing(runs: Sequence[Record]) -> list[str]:
    """Returns the names of the settings that have not the same value in all runs.

    A setting that a run's file lacks, as that of an earlier version may, has its default. Those that change nothing
    of what is learned, as the job dir, are left out, and so are runs whose settings cannot be read.
    """
    read = [run for run in runs if run.stored]
    return [name for name in _names(read) if any(setting(read[0], name) != setting(run, name) for run in read)]


def setting(run: Record, name: str) -> Any:
    """Returns a run's setting, its default where the file lacks it, or None where the file is torn."""
    return run.settings.get(name, _default(name)) if run.stored else None


def changed(runs: Sequence[Record]) -> dict[str, Any]:
    """Returns the settings that have the same value in all runs, another than their default, but for the problem."""
    read = [run for run in runs if run.stored]
    versions = {name for run in read for name in run.stored.get("versions", {})}
    left_out = {*differing(runs), *versions, "problem"}
    given = {name: run.given.get(name, _default(name)) for run in read for name in run.given if name not in RUN_ONLY}
    return {name: value for name, value in given.items() if name not in left_out and value != _default(name)}


def metric_names(runs: Sequence[Record], everything: bool = False) -> list[str]:
    """Returns the names of the metrics of some runs.

    Args:
        runs: Whose metrics.
        everything: Whether to tell all; else those that were taken of validation and test data, validation first.
    """
    names = list(dict.fromkeys(name for run in runs for name in run.numbers))
    if everything:
        return names
    main = [name for name in names if f"validation_{name}" in names and name != "examples" and "/" not in name]
    return [each for name in main for each in (f"validation_{name}", name)]


def direction(metric: str) -> int:
    """Returns 1 where a metric is better when higher, -1 when lower, and 0 where its name does not tell.

    Example:
        >>> direction("validation_auc"), direction("rmse_over_mean"), direction("coverage")
        (1, -1, 0)
    """
    words = set(re.split(r"[^a-z0-9]+", metric.lower()))
    return (not words.isdisjoint(_HIGHER)) - (not words.isdisjoint(_LOWER))


def best(runs: Sequence[Record], metric: str) -> set[int]:
    """Returns the places of the runs with the best value of a validation metric.

    Choices are made on validation, so a metric of the test has none; nor has one whose direction is not known, one
    that is the same in all, or any where the runs were judged on different data.
    """
    sign, values = direction(metric), {place: run.numbers.get(metric, math.nan) for place, run in enumerate(runs)}
    known = {place: sign * value for place, value in values.items() if math.isfinite(value)}
    if not metric.startswith("validation_") or not sign or len(set(known.values())) < 2 or judged_apart(runs):
        return set()
    return {place for place, value in known.items() if value == max(known.values())}


def judged_apart(runs: Sequence[Record]) -> bool:
    """Tells whether runs were judged on data of different names or numbers of rows."""
    files = {str(run.settings.get("validation_files")) for run in runs if run.stored}
    rows = {run.numbers["validation_examples"] for run in runs if "validation_examples" in run.numbers}
    return max(len(files), len(rows), len({run.dataset for run in runs if run.dataset})) > 1


def natural(text: str) -> list[Any]:
    """Returns what sorts texts as a person does, numbers by their size.

    Example:
        >>> sorted(["flights-10", "flights", "flights-2"], key=natural)
        ['flights', 'flights-2', 'flights-10']
    """
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"([0-9]+)", text))]


def _check_there(folders: Sequence[str]) -> None:
    for folder in folders:
        place = paths.absolute(folder).rstrip("/")
        if not paths.exists(place or "/"):
            ending = nearest(os.path.basename(place), paths.names_in(os.path.dirname(place)))
            known = "; name one that python -m trainer.task has left runs in."
            raise Refusal(f"there is no folder {folder}{ending or known}")


def _runs(folder: str, seen: set[str]) -> Iterator[str]:
    place = folder if paths.is_remote(folder) else os.path.realpath(folder)
    if place in seen:
        return
    seen.add(place)  # a link may lead back, or to a run that was met
    try:
        names = paths.names_in(folder)
    except OSError:  # as lost+found of a disk, which only an administrator may read
        return
    if "settings.json" in names:
        yield folder
        return
    below = [paths.join(folder, name) for name in names if not name.startswith(".")]
    for path in sorted(below, key=lambda path: not paths.is_remote(path) and os.path.islink(path)):
        yield from _runs(path, seen)


def _record(path: str, name: str) -> Record:
    stored, trouble = _read(path, "settings.json")
    parts = [*(stored.get(part, {}) for part in ("data", "versions", "trained_with")), _arguments(stored)]
    parts.append(stored.get("settings"))
    if trouble is None and not all(isinstance(part, dict) for part in parts):
        stored, trouble = {}, "settings.json is not one that a run has left"
    metrics: dict[str, Any] | None = None
    if paths.exists(paths.join(path, "metrics.json")):
        metrics, torn = _read(path, "metrics.json")
        metrics, trouble = (None if torn else metrics), trouble or torn
    return Record(name, path, stored, metrics, trouble)


def _arguments(stored: dict[str, Any]) -> Any:
    settings = stored.get("settings")
    return settings.get("problem_arguments", {}) if isinstance(settings, dict) else {}


def _read(path: str, name: str) -> tuple[dict[str, Any], str | None]:
    try:
        value = Run(path).read_json(name)
    except Refusal as refusal:
        reason = re.search(r" is there \((.*)\); give ", str(refusal), re.DOTALL)
        return {}, f"{name} cannot be read ({reason[1] if reason else refusal})"
    return (value, None) if isinstance(value, dict) else ({}, f"{name} holds no object")


def _names(runs: Sequence[Record]) -> list[str]:
    return [name for name in dict.fromkeys(name for run in runs for name in run.settings) if name not in RUN_ONLY]


def _default(name: str) -> Any:
    value = _DEFAULTS.get(name)
    return list(value) if isinstance(value, tuple) else value  # as JSON holds it


_DEFAULTS = {field.name: field.default for field in dataclasses.fields(Settings)}


def _common(places: Sequence[Sequence[str]]) -> int:
    """Returns how many parts all places begin with."""
    return len(list(itertools.takewhile(lambda parts: len(set(parts)) == 1, zip(*places, strict=False))))
