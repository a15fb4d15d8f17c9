"""What can be checked of a job without an account, and before anything is sent."""

import dataclasses
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer import problem
from trainer.cloud import process
from trainer.cloud.arguments import Asked
from trainer.cloud.package import Package, unpack
from trainer.cloud.vertex import forms, machines, places, secrets
from trainer.cloud.vertex.settings import Settings

IMPORT = """
import sys
sys.path.insert(0, sys.argv[1])
import trainer.task
sys.exit(not trainer.__file__.startswith(sys.argv[1]))
"""


@dataclass(frozen=True)
class Checked:
    """What was found.

    Args:
        done: What was checked, a line each.
        notes: What a person might want to know, a sentence each.
    """

    done: tuple[str, ...]
    notes: tuple[str, ...]


def flags(settings: Settings, name: str, asked: Asked) -> Checked:
    """Returns what was checked of a job's flags.

    Args:
        settings: The flags of submit.
        name: What the job is called.
        asked: The task.

    Raises:
        Refusal: A flag cannot be used.
    """
    notes = forms.check(settings)
    forms.check_name(settings, name)
    machine = machines.chosen(settings.machine_type, settings.accelerator_type, settings.accelerator_count)
    server = machines.without_accelerators(settings.server_machine_type, settings.machine_type)
    counts = settings.replicas.counts
    pools = [f"{counts[0] + counts[1]} × {machine}", *([f"{counts[2]} × {server}"] if counts[2] else [])]
    secrets.check(asked.argv, settings.labels, _own_arguments(asked))
    places.check(settings, name, asked)
    if settings.spot and not asked.settings.resume:
        notes.append(
            "--spot: when a machine is taken away its replica starts anew, and finds a run that it may not replace; "
            "with --resume among the task's flags it goes on from the last checkpoint."
        )
    if settings.spot and not settings.replicas.is_one and not settings.restarts:
        notes.append(
            "--spot: replicas cannot go on without one that is taken away; with --restarts all of them start anew then."
        )
    notes += _of_task(asked)
    done = (
        f"the task's flags: problem {asked.problem.name}",
        f"the forms of names: project {settings.project}, region {settings.region}, {settings.bucket}",
        f"the machines: {', '.join(pools)}",
        "the arguments: no secrets, and no data that a cloud's machine cannot see",
    )
    return Checked(done, tuple(notes))


def _of_task(asked: Asked) -> list[str]:
    """Returns what a person might want to know of a task that would train nothing, or on other rows."""
    task, found = asked.settings, list[str]()
    if task.dry_run:
        found.append("--dry-run is among the task's flags too: the job would train nothing.")
    has_own_data = task.dataset is None and task.train_files is None and places.has_default_data(task)
    if has_own_data and asked.problem.planted is not None and task.planted is not False:
        found.append(
            f"--problem: where the data of {asked.problem.name} cannot be had on the job's machine, it trains on "
            "planted rows; with --no-planted among the task's flags it ends instead."
        )
    return found


def package(built: Package) -> str:
    """Returns what was checked of the package: that it can be imported, by itself, in another folder.

    Raises:
        TrainingFailure: It cannot.
    """
    with tempfile.TemporaryDirectory() as folder:
        unpack(built.path, Path(folder))
        (root,) = {file.parents[1] for file in Path(folder).glob("**/trainer/task.py")}
        empty = Path(folder, "empty")
        empty.mkdir()
        process.quiet([sys.executable, "-I", "-c", IMPORT, str(root)], empty, "import the package that was built")
    return f"the package: {built.path.name} is built and imports"


def _own_arguments(asked: Asked) -> Mapping[str, Any]:
    """Returns the arguments of the problem that are not as its file has them."""
    own = problem.flags_of(asked.settings.problem)
    defaults = {field.name: field.default for field in dataclasses.fields(own)} if own else {}
    given = asked.settings.problem_arguments
    return {name: value for name, value in given.items() if value != defaults.get(name)}
