"""What a finished run leaves beside its metrics: tables, the model to serve, pictures, a projector, a report."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from trainer import export, paths, pictures, projector, report, tables
from trainer.job import summary
from trainer.job.tables import leave_tables
from trainer.job.work import Work
from trainer.pictures import to_tensorboard
from trainer.run import Run
from trainer.tables import Entry, Table


@dataclasses.dataclass(frozen=True)
class Left:
    """What was left, for a report of it.

    Args:
        tables: The trained tables.
        entries: What the manifest says of each.
        pictures: The paths of the pictures.
    """

    tables: Sequence[Table]
    entries: Mapping[str, Entry]
    pictures: Sequence[str]


def leave(work: Work) -> Left:
    """Writes what a finished run leaves, and returns it; what only shows what was learned may fail."""
    found = leave_tables(work)
    run = work.plan.run
    export.write(run.export, work.model, work.plan.problem.head)
    with summary.unstopped("pictures"):
        pictures.write(run.file("pictures"), found, _history(run))
    drawn = _drawn(run)
    with summary.unstopped("pictures in TensorBoard"):
        to_tensorboard(paths.join(run.logs, "train"), drawn, int(work.model.optimizer.iterations.numpy()))
    with summary.unstopped("the projector"):
        projector.write(run.projector, found, tell=summary.tell)
    return Left(found, tables.read_manifest(run.tables).tables, drawn)


def leave_report(run: Run, left: Left) -> None:
    """Writes the report of a run whose other files are there."""
    with summary.unstopped("the report"):
        report.write(run, left.tables, left.pictures)


def health_of(left: Left) -> dict[str, Any]:
    """Returns the health of the tables as metrics: `tables/NAME/WHAT`, without what is not known."""
    return {
        f"tables/{name}/{what}": value
        for name, entry in left.entries.items()
        for what, value in {**dataclasses.asdict(entry.health), "dimension": entry.dimension}.items()
        if value is not None
    }


def _drawn(run: Run) -> list[str]:
    """Returns the paths of the pictures that are there, where one of them could not be drawn too."""
    folder = run.file("pictures")
    names = sorted(paths.names_in(folder)) if paths.exists(folder) else []
    return [paths.join(folder, name) for name in names if name.endswith(".png")]


def _history(run: Run) -> list[dict[str, Any]]:
    path = run.file("history.jsonl")
    return [json.loads(line) for line in paths.read_text(path).splitlines()] if paths.exists(path) else []
