"""What a finished run leaves beside its metrics: tables, the model to serve, pictures, a projector, a report."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from trainer import export, paths, pictures, projector, report, tables
from trainer.heads import Head
from trainer.job import summary, tested
from trainer.job.measuring import leave_measures
from trainer.job.tables import leave_tables
from trainer.job.work import Work
from trainer.measures import Measured
from trainer.models import Retrieval
from trainer.pictures import Picture, to_tensorboard
from trainer.prediction.confusion import Confusion
from trainer.run import Run
from trainer.tables import Entry, Table


@dataclasses.dataclass(frozen=True)
class Left:
    """What was left, for a report of it.

    Args:
        tables: The trained tables.
        entries: What the manifest says of each.
        pictures: What was drawn.
        measured: What the problem's measures have found, by their names.
    """

    tables: Sequence[Table]
    entries: Mapping[str, Entry]
    pictures: Sequence[Picture]
    measured: Mapping[str, Measured] = dataclasses.field(default_factory=dict)


def leave(work: Work) -> Left:
    """Writes what a finished run leaves, and returns it; what only shows what was learned may fail."""
    found = leave_tables(work)
    run = work.plan.run
    if work.plan.is_trial:
        return Left(found, tables.read_manifest(run.tables).tables, ())
    leave_model(work.model, work.plan.problem.head, run, found)
    measured = leave_measures(work)
    drawn: list[Picture] = []
    confusion = leave_confusion(work)
    with summary.unstopped("pictures"):
        _remove_pictures(run)  # of the part before a resume: some may have no place now
        drawn = pictures.write(run.file("pictures"), found, _history(run), _tell_of_picture, confusion)
    with summary.unstopped("pictures in TensorBoard"):
        to_tensorboard(paths.join(run.logs, "train"), drawn, int(work.model.optimizer.iterations.numpy()))
    examples = leave_examples(work)
    with summary.unstopped("the projector"):
        projector.write(run.projector, [*found, *examples], tell=summary.tell)
    return Left(found, tables.read_manifest(run.tables).tables, drawn, measured)


def leave_confusion(work: Work) -> Confusion | None:
    """Writes which classes of the test rows were taken for which, where there are classes, and returns it."""
    with summary.unstopped("the confusion of classes"):
        confusion = tested.confusion_of(work)
        if confusion is not None:
            work.plan.run.write_json(tested.CONFUSION, confusion.to_dict())
        return confusion
    return None


def leave_examples(work: Work) -> list[Table]:
    """Writes what the last hidden layer makes of test examples, as a table, where that is shown; returns it, or none.

    What an earlier part of the run has left goes in any case.
    """
    run, found = work.plan.run, []
    with summary.unstopped("test examples"):
        if paths.is_folder(run.examples):
            paths.remove_folder(run.examples)
        table = tested.examples_of(work)
        if table is not None:
            tables.write(run.examples, [table])
            found.append(table)
    return found


def leave_model(model: keras.Model, head: Head, run: Run, found: Sequence[Table]) -> None:
    """Writes the model to serve; one that retrieves rows of a table answers with their titles too."""
    if isinstance(model, Retrieval):
        model.titles = tables.given_titles(next(table for table in found if table.name == model.column.table))
    export.write(run.export, model, head)


def leave_report(run: Run, left: Left) -> None:
    """Writes the report of a run whose other files are there."""
    with summary.unstopped("the report"):
        report.write(run, left.tables, left.pictures)


def metrics_of(left: Left) -> dict[str, Any]:
    """Returns what measures have found, and the health of the tables: `tables/NAME/WHAT`, without what is not known."""
    found = {name: value for measured in left.measured.values() for name, value in measured.metrics.items()}
    health = {
        f"tables/{name}/{what}": value
        for name, entry in left.entries.items()
        for what, value in {**dataclasses.asdict(entry.health), "dimension": entry.dimension}.items()
        if value is not None
    }
    return {**found, **health}


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
