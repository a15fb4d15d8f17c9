"""What a run says of itself before its first step: its settings, its problem, and what it was trained with."""

import datetime
import importlib.metadata
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from trainer import __version__
from trainer import run as runs
from trainer import settings as flags
from trainer.declared import described, digest_of, plain
from trainer.errors import Refusal
from trainer.inputs import bad_rows
from trainer.job.work import Work

_PACKAGES = ("tensorflow", "keras", "tensorflow-datasets", "numpy")


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
