"""What a finished run leaves beside its metrics: tables, the model to serve, pictures, a projector, a report."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from trainer import export, paths, pictures, projector, report, tables
from trainer.job import summary
from trainer.job.tables import leave_tables
from trainer.job.work import Work
from trainer.models import Retrieval
from trainer.pictures import Picture, to_tensorboard
from trainer.run import Run
from trainer.tables import Entry, Table


@dataclasses.dataclass(frozen=True)
class Left:
    """What was left, for a report of it.

    Args:
        tables: The trained tables.
        entries: What the manifest says of each.
        pictures: What was drawn.
    """

    tables: Sequence[Table]
    entries: Mapping[str, Entry]
    pictures: Sequence[Picture]


def leave(work: Work) -> Left:
    """Writes what a finished run leaves, and returns it; what only shows what was learned may fail."""
    found = leave_tables(work)
    run = work.plan.run
    leave_model(work, found)
    drawn: list[Picture] = []
    with summary.unstopped("pictures"):
        _remove_pictures(run)  # of the part before a resume: some may have no place now
        drawn = pictures.write(run.file("pictures"), found, _history(run), _tell_of_picture)
    with summary.unstopped("pictures in TensorBoard"):
        to_tensorboard(paths.join(run.logs, "train"), drawn, int(work.model.optimizer.iterations.numpy()))
    with summary.unstopped("the projector"):
        projector.write(run.projector, found, tell=summary.tell)
    return Left(found, tables.read_manifest(run.tables).tables, drawn)


def leave_model(work: Work, found: Sequence[Table]) -> None:
    """Writes the model to serve; one that retrieves rows of a table answers with their titles too."""
    model = work.model
    if isinstance(model, Retrieval):
        model.titles = tables.given_titles(next(table for table in found if table.name == model.column.table))
    export.write(work.plan.run.export, model, work.plan.problem.head)


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


def _remove_pictures(run: Run) -> None:
    folder = run.file("pictures")
    for path in (paths.join(folder, name) for name in paths.names_in(folder) if name.endswith(".png")):
        if not paths.is_folder(path):
            paths.remove_file(path)


def _tell_of_picture(picture: Picture, error: Exception) -> None:
    with summary.unstopped("pictures"):
        raise error


def _history(run: Run) -> list[dict[str, Any]]:
    path = run.file("history.jsonl")
    return [json.loads(line) for line in paths.read_text(path).splitlines()] if paths.exists(path) else []
