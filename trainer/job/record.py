"""What a run says of itself before its first step: its settings, its problem, and what it was trained with."""

import dataclasses
import datetime
import hashlib
import importlib.metadata
import json
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from trainer import __version__
from trainer import run as runs
from trainer import settings as flags
from trainer.errors import Refusal
from trainer.feature_column.serialization import to_dict
from trainer.feature_column.starting import without_old_values
from trainer.job.work import Work
from trainer.problem import Problem

_PACKAGES = ("tensorflow", "keras", "tensorflow-datasets", "numpy")
_PROSE = ("name", "description")


def write_record(work: Work) -> None:
    """Makes the run's folder, and writes `settings.json` and `problem.json`.

    Raises:
        Refusal: The run that is gone on with has other settings or data.
    """
    plan, run = work.plan, work.plan.run
    settings, digest = flags.to_dict(plan.settings), work.data.digest
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    if plan.settings.resume:
        stored = run.read_json("settings.json")
        _check_unchanged(stored, settings, digest)
        started = stored.get("started", started)
    runs.prepare(run, plan.settings.resume)
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    problem = described(plan.problem)
    run.write_json(
        "settings.json",
        {
            "command": shlex.join([*flags.PROG.split(), *plan.argv]),
            "started": started,
            "settings": settings,
            "trained_with": {**plain(plan.problem), "digest": _digest(problem)},
            "versions": {"embedding-columns": __version__, **versions, "python": sys.version.split()[0]},
            "seed": plan.settings.seed,
            "data": {"name": work.source.name, "digest": digest},
        },
    )
    run.write_json("problem.json", problem)


def described(problem: Problem) -> dict[str, Any]:
    """Returns the columns of a problem with what they have learned, its head, and how validation was held out."""
    return {
        "name": problem.name,
        "description": problem.description,
        "dnn_feature_columns": to_dict([*map(without_old_values, problem.dnn_feature_columns)]),
        "linear_feature_columns": to_dict([*map(without_old_values, problem.linear_feature_columns)]),
        "dnn_hidden_units": list(problem.dnn_hidden_units),
        "label": problem.label,
        "head": {"kind": type(problem.head).__name__, **_fields(problem.head)},
        "validation": {"kind": type(problem.validation).__name__, **_fields(problem.validation)},
    }


def plain(problem: Problem) -> dict[str, Any]:
    """Returns the arguments of a problem that are numbers, texts, lists of these, or functions, by their names.

    What settings change in a problem is changed in it, so these are what the training goes by.

    Example:
        >>> found = plain(Problem(dataset="flights", dnn_hidden_units=(64, 32), learning_rate=0.01))
        >>> found["dnn_hidden_units"], found["learning_rate"], found["dnn_optimizer"]
        ([64, 32], 0.01, 'LazyAdam')
    """
    values = {field.name: getattr(problem, field.name) for field in dataclasses.fields(problem)}
    found = {name: _plain(value) for name, value in values.items() if name not in _PROSE}
    return {name: value for name, value in found.items() if value is not NotImplemented}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        values = [_plain(each) for each in value]
        return NotImplemented if NotImplemented in values else values
    return getattr(value, "__qualname__", NotImplemented) if callable(value) else NotImplemented


def _digest(content: Mapping[str, Any]) -> str:
    """Returns 16 hexadecimal digits that differ where what is said of a problem differs, but for its prose."""
    told = {name: value for name, value in content.items() if name not in _PROSE}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _fields(value: Any) -> dict[str, Any]:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else {}


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns settings with the arguments of the problem among them."""
    others = {name: value for name, value in settings.items() if name != "problem_arguments"}
    return {**settings.get("problem_arguments", {}), **others}


def _check_unchanged(stored: dict[str, Any], settings: dict[str, Any], digest: str) -> None:
    before, settings = _flat(stored["settings"]), _flat(settings)
    for name, value in settings.items():
        was = tuple(before[name]) if isinstance(before.get(name), list) else before.get(name)
        if name not in flags.RUN_ONLY and was != value:
            raise Refusal(
                f"--resume: the run was started with {name} {was!r}, not {value!r}; give the same settings, or start "
                "anew with --overwrite."
            )
    if stored["data"]["digest"] != digest:
        raise Refusal("--resume: the training data are not those that the run was started with; start anew.")
