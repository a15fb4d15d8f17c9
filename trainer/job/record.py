"""What a run says of itself before its first step: its settings, its problem, and what it was trained with."""

import datetime
import importlib.metadata
import json
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from trainer import __version__, paths
from trainer import run as runs
from trainer import settings as flags
from trainer.declared import described, digest_of, plain
from trainer.inputs import bad_rows
from trainer.job import changes, summary
from trainer.job.plan import Plan
from trainer.job.work import Work

_PACKAGES = ("tensorflow", "keras", "tensorflow-datasets", "numpy")


def write_record(work: Work) -> dict[str, str]:
    """Makes the run's folder, writes `settings.json` and `problem.json`, and returns what of them has changed.

    Raises:
        Refusal: The run that is gone on with has other settings or data.
    """
    plan, run = work.plan, work.plan.run
    problem = described(plan.problem)
    record = _record(plan, {"name": work.source.name, "digest": work.data.digest}, problem)
    found: dict[str, str] = {}
    if is_continued := plan.settings.resume and runs.is_run(run.path):
        stored = run.read_json("settings.json")
        record["started"] = stored.get("started", record["started"])
        told = run.read_json("problem.json") if paths.exists(run.file("problem.json")) else problem
        found = changes.changes(stored, record, told, json.loads(json.dumps(problem)))
        is_migrated = "migrated" in stored and "digest" not in stored["data"]  # and not yet trained on
        if is_migrated:
            changes.check_model(found)
        else:
            changes.check(found, plan.settings.allow_changed)
        record |= {"migrated": stored["migrated"]} if "migrated" in stored else {}
        if not found:  # where tables started from is told by the first part alone
            problem, record["trained_with"] = told, stored.get("trained_with", record["trained_with"])
        told_of = changes.shown(found) if found and not is_migrated else None
        for line in (told_of, changes.of_versions(stored, record)):
            if line is not None:
                summary.tell(line)
    runs.prepare(run, is_continued)  # not before all is known that takes the place of what goes
    run.write_json("settings.json", record)
    run.write_json("problem.json", problem)
    if work.bad_rows is not None and len(work.bad_rows):
        bad_rows.write(run.file(bad_rows.FILE), work.bad_rows.found)
    return found


def write_migrated(plan: Plan, told: Mapping[str, Any], command: str) -> None:
    """Makes the folder of a run whose model was trained elsewhere, on data that nobody here has seen.

    Args:
        plan: Of the run.
        told: Where the model comes from, as JSON can hold it: its `checkpoint`, and more.
        command: That has brought it here.
    """
    problem = described(plan.problem)
    data = {"name": f"migrated from {told['checkpoint']}"}
    runs.prepare(plan.run, resume=False)
    plan.run.write_json("settings.json", {**_record(plan, data, problem), "command": command, "migrated": dict(told)})
    plan.run.write_json("problem.json", problem)


def _record(plan: Plan, data: Mapping[str, Any], problem: Mapping[str, Any]) -> dict[str, Any]:
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {
        "command": shlex.join([*flags.PROG.split(), *plan.argv]),
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "settings": flags.to_dict(plan.settings),
        "trained_with": {**plain(plan.problem), "digest": digest_of(problem)},
        "versions": {"embedding-columns": __version__, **versions, "python": sys.version.split()[0]},
        "seed": plan.settings.seed,
        "data": data,
    }
