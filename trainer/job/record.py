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

import numpy as np

from trainer import __version__
from trainer import run as runs
from trainer import settings as flags
from trainer.errors import Refusal
from trainer.feature_column.serialization import to_dict
from trainer.feature_column.starting import without_old_values
from trainer.inputs import bad_rows
from trainer.job.work import Work
from trainer.problem import Problem

_PACKAGES = ("tensorflow", "keras", "tensorflow-datasets", "numpy")
_PROSE = ("name", "description")
_COLUMNS = ("dnn_feature_columns", "linear_feature_columns", "catalogues")


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
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    problem = described(plan.problem)
    record = {
        "command": shlex.join([*flags.PROG.split(), *plan.argv]),
        "started": started,
        "settings": settings,
        "trained_with": {**plain(plan.problem), "digest": digest_of(problem)},
        "versions": {"embedding-columns": __version__, **versions, "python": sys.version.split()[0]},
        "seed": plan.settings.seed,
        "data": {"name": work.source.name, "digest": digest},
    }
    runs.prepare(run, plan.settings.resume)  # not before all is known that takes the place of what goes
    run.write_json("settings.json", record)
    run.write_json("problem.json", problem)
    if work.bad_rows is not None and len(work.bad_rows):
        bad_rows.write(run.file(bad_rows.FILE), work.bad_rows.found)


def described(problem: Problem) -> dict[str, Any]:
    """Returns the columns of a problem with what they have learned, its head, and how validation was held out."""
    return {
        "name": problem.name,
        "description": problem.description,
        "dnn_feature_columns": to_dict([*map(without_old_values, problem.dnn_feature_columns)]),
        "linear_feature_columns": to_dict([*map(without_old_values, problem.linear_feature_columns)]),
        **{name: _plain(getattr(problem, name)) for name in ("dnn_hidden_units", "label", "head", "validation")},
    }


def plain(problem: Problem) -> dict[str, Any]:
    """Returns the arguments of a problem by their names, but for its columns and its prose, as JSON can hold them.

    What settings change in a problem is changed in it, so these are what the training goes by.

    Example:
        >>> from trainer import feature_column as fc
        >>> hour = fc.categorical_column_with_identity("hour", 24)
        >>> found = plain(Problem(dataset="nyc_flights", linear_feature_columns=[hour], learning_rate=0.01))
        >>> found["dataset"], found["learning_rate"], found["head"]["kind"]
        ('nyc_flights', 0.01, 'BinaryHead')
    """
    names = [field.name for field in dataclasses.fields(problem) if field.name not in (*_PROSE, *_COLUMNS)]
    return {name: _plain(getattr(problem, name)) for name in names}


def _plain(value: Any) -> Any:
    """Returns a value as JSON can hold it: a dataclass with its kind, a function and anything else by its name."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        own = {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"kind": type(value).__name__, **own}
    function = getattr(value, "func", value)  # of a functools.partial
    return str(getattr(function, "__qualname__", type(value).__name__))


def digest_of(content: Mapping[str, Any]) -> str:
    """Returns 16 hexadecimal digits that differ where what is said of a problem differs, but for its prose."""
    told = {name: value for name, value in content.items() if name not in _PROSE}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


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
