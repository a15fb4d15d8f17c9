"""Runs side by side: what folders of runs have left, the settings that differ among them, and the best metrics."""

import dataclasses
import itertools
import math
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from trainer import paths
from trainer.errors import Refusal
from trainer.run import Run, is_run
from trainer.settings import ARGUMENTS, RUN_ONLY, Settings
from trainer.terminal import natural

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
        torn_problem: The problem's name as far as it is known where `settings.json` is torn.
    """

    name: str
    path: str
    stored: dict[str, Any]
    metrics: dict[str, Any] | None
    trouble: str | None
    torn_problem: str = "unknown"

    @property
    def state(self) -> str:
        """One of `finished`, `unfinished` (it has no metrics) and `torn` (a file cannot be read)."""
        if self.trouble is not None:
            return "torn"
        return "unfinished" if self.metrics is None else "finished"

    @property
    def started(self) -> datetime | None:
        """When it was started, by the clock of where it is read."""
        try:
            return datetime.fromisoformat(self.stored["started"]).astimezone()
        except (KeyError, TypeError, ValueError, OverflowError):
            return None

    @property
    def problem(self) -> str:
        """The problem's name, which for a file of one's own is the file's."""
        return Path(self.stored.get("settings", {}).get("problem", "")).stem or self.torn_problem

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
        told = {flag for flag, name in ARGUMENTS.items() if name in own}  # it has what is given
        return {**{name: value for name, value in given.items() if name not in told}, **own}

    @property
    def declared(self) -> str | None:
        """What differs where the columns, the head or the model's shape do; None where the run does not tell."""
        digest: str | None = self.stored.get("trained_with", {}).get("digest")
        return digest

    @property
    def numbers(self) -> dict[str, float]:
        """The metrics that are numbers."""
        found = {name: value for name, value in (self.metrics or {}).items() if type(value) in (int, float)}
        largest = sys.float_info.max  # a whole number above it can neither be written nor compared as others are
        return {name: value for name, value in found.items() if type(value) is float or abs(value) <= largest}

    @property
    def dataset(self) -> str | None:
        """The name of the data."""
        name = self.stored.get("data", {}).get("name", (self.metrics or {}).get("data"))
        return name if isinstance(name, str) else None

    @property
    def digest(self) -> str | None:
        """What differs where the encoded training or validation rows do."""
        digest: str | None = self.stored.get("data", {}).get("digest")
        return digest

    @property
    def judged_on(self) -> tuple[Any, ...]:
        """What is the same where runs were judged on the same data, as far as a run tells."""
        return self.dataset, self.numbers.get("validation_examples"), str(self.given.get("validation_files"))


def records(folders: Sequence[str]) -> list[Record]:
    """Returns the runs in some folders, at any depth but not inside of one another, in the order of their names.

    Args:
        folders: Folders of runs, or runs; local or remote.

    Raises:
        Refusal: None of them holds a run.
    """
    places = [paths.absolute(folder).rstrip("/") or "/" for folder in folders]
    seen: set[str] = set()
    found = [path for place in places for path in _runs(place, seen)]
    if not found:
        raise Refusal(
            f"no run is in {', '.join(folders)}; python -m trainer.task makes one in runs, or name another folder."
        )
    above = [os.path.dirname(place) if is_run(place) else place for place in places]
    parts = zip(*(place.rstrip("/").split("/") for place in above), strict=False)
    common = len(list(itertools.takewhile(lambda names: len({*names}) == 1, parts)))
    named = {path: "/".join(path.split("/")[common:]) for path in found}
    return [_record(path, named[path]) for path in sorted(found, key=lambda path: natural(named[path]))]


def compared(runs: Sequence[Record], everything: bool = False) -> list[dict[str, Any] | None]:
    """Returns what is compared of each run, None where it is torn.

    It is what the training goes by; or, where a run does not tell what its problem says, as that of an earlier
    version, the settings as they were given, so that like is held against like.

    Args:
        runs: Of one problem.
        everything: Whether to add, in the second case, what some runs tell of their problem.
    """
    if all(run.stored.get("trained_with") for run in runs if run.stored):
        return [run.settings if run.stored else None for run in runs]
    return [{**(run.settings if everything else {}), **run.given} if run.stored else None for run in runs]


def differing(runs: Sequence[Record]) -> list[str]:
    """Returns the names of the settings that have not the same value in all runs; what is empty is as none.

    A setting that a run's file lacks, as that of an earlier version may, has its default. Those that change nothing
    of what is learned, as the job dir, are left out, and so are runs whose settings cannot be read.
    """
    read = [settings for settings in compared(runs) if settings is not None]
    names = dict.fromkeys(name for settings in read for name in settings if name not in RUN_ONLY)
    return [name for name in names if not _is_same(name, read)]


def setting(settings: dict[str, Any] | None, name: str) -> Any:
    """Returns one of the settings of a run, its default where they lack it, or None where the run is torn."""
    if settings is None:
        return None
    if name in settings:
        return settings[name]
    value = _DEFAULTS.get(name)
    return list(value) if isinstance(value, tuple) else value  # as JSON holds it


def changed(runs: Sequence[Record]) -> dict[str, Any]:
    """Returns the settings that were given alike in all runs, not as their default, but for the problem."""
    given = [run.given for run in runs if run.stored]
    versions = {name for run in runs for name in run.stored.get("versions", {})}
    left_out = {*differing(runs), *versions, *RUN_ONLY, "problem"}
    names = [name for name in (given[0] if given else {}) if name not in left_out]
    return {name: given[0][name] for name in names if _is_same(name, given) and not _is_same(name, [given[0], {}])}


def _is_same(name: str, read: Sequence[dict[str, Any]]) -> bool:
    values = [setting(settings, name) for settings in read]
    values = [None if value in ([], {}, "") else value for value in values]
    return all(value == values[0] for value in values)


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

    Choices are made on validation, so a metric of the test has none; nor has one whose direction is not known, or
    one that is the same in all. Runs that were not judged on the same data as most are left out.
    """
    sign, values = direction(metric), {place: runs[place].numbers.get(metric, math.nan) for place in judged_alike(runs)}
    known = {place: sign * value for place, value in values.items() if math.isfinite(value)}
    if not metric.startswith("validation_") or not sign or len(set(known.values())) < 2:
        return set()
    return {place for place, value in known.items() if value == max(known.values())}


def judged_alike(runs: Sequence[Record]) -> list[int]:
    """Returns the places of the most runs that were judged on the same data; none where two such sets are as large."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for place, run in enumerate(runs):
        if run.metrics is not None:
            groups.setdefault(run.judged_on, []).append(place)
    largest = max(map(len, groups.values()), default=0)
    found = [group for group in groups.values() if len(group) == largest]
    return found[0] if len(found) == 1 else []


def names_in(folder: str) -> list[str]:
    """Returns the names in a folder; one that is absent or, on this machine, may not be read has none."""
    try:
        return paths.names_in(folder)
    except PermissionError:  # as lost+found of a disk, which only an administrator may read
        return []


def _runs(folder: str, seen: set[str]) -> Iterator[str]:
    place = folder if paths.is_remote(folder) else os.path.realpath(folder)
    if place in seen:
        return
    seen.add(place)  # a link may lead back, or to a run that was met
    names = names_in(folder)
    if "settings.json" in names:
        yield folder
        return
    below = [paths.join(folder, name) for name in names if not name.startswith(".")]
    for path in sorted(below, key=lambda path: not paths.is_remote(path) and os.path.islink(path)):
        yield from _runs(path, seen)


def _record(path: str, name: str) -> Record:
    stored, trouble = _read(path, "settings.json")
    problem = "unknown"
    if trouble is None and not _is_left_by_a_run(stored):
        trouble = "settings.json is not one that a run has left"
    if trouble is not None:
        problem, stored = _torn_problem(path, stored), {}
    metrics: dict[str, Any] | None = None
    if paths.exists(paths.join(path, "metrics.json")):
        metrics, torn = _read(path, "metrics.json")
        metrics, trouble = (None if torn else metrics), trouble or torn
    return Record(name, path, stored, metrics, trouble, problem)


def _is_left_by_a_run(stored: dict[str, Any]) -> bool:
    parts: list[Any] = [stored.get(part, {}) for part in ("settings", "data", "trained_with", "versions")]
    if "settings" not in stored or not all(isinstance(part, dict) for part in parts):
        return False
    settings, data, own, _ = parts
    texts = (settings.get("problem", ""), data.get("name", ""), data.get("digest", ""), own.get("digest", ""))
    return isinstance(settings.get("problem_arguments", {}), dict) and all(isinstance(text, str) for text in texts)


def _torn_problem(path: str, stored: dict[str, Any]) -> str:
    settings = stored.get("settings")
    given = settings.get("problem") if isinstance(settings, dict) else None
    name = Path(given).stem if isinstance(given, str) else _read(path, "problem.json")[0].get("name")
    return name if name and isinstance(name, str) else "unknown"


def _read(path: str, name: str) -> tuple[dict[str, Any], str | None]:
    try:
        value = Run(path).read_json(name)
    except Refusal as refusal:
        reason = re.search(r" is there \((.*)\); give ", str(refusal), re.DOTALL)
        return {}, f"{name} cannot be read ({reason[1] if reason else refusal})"
    return (value, None) if isinstance(value, dict) else ({}, f"{name} holds no object")


_DEFAULTS = {field.name: field.default for field in dataclasses.fields(Settings)}
