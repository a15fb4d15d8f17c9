"""A trained canned Estimator as a run: as if a job here had trained it."""

import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from trainer import export, models, paths, problem, projector, tables
from trainer import run as runs
from trainer.errors import Refusal
from trainer.feature_column.nested import is_learned
from trainer.heads import BinaryHead, MultiClassHead, RegressionHead
from trainer.inputs.readers import matching
from trainer.inputs.unlabelled import batches
from trainer.job import summary
from trainer.job.leaving import Left, leave_model, leave_report, metrics_of
from trainer.job.plan import Plan, with_settings
from trainer.job.record import write_migrated
from trainer.migration import NumbersHead, agreement, exports
from trainer.migration.agreement_report import Agreement
from trainer.migration.estimator import Filled, checkpoint, fill
from trainer.problem import AFTER_ACTIVATION, Problem
from trainer.report import repeating
from trainer.report.files import Files
from trainer.rows import Limit
from trainer.settings import Settings, to_dict
from trainer.tables import Table
from trainer.tables.sharded import BLOCK, Part, ShardedValues
from trainer.terminal import quiet
from trainer.training import Position
from trainer.training.checkpoints import Checkpoints

WHO = "migrate"
HEADS = (BinaryHead, MultiClassHead, RegressionHead)
"""What canned Estimators are trained for."""


@dataclass(frozen=True)
class Check:
    """What a migrated model is held against.

    Args:
        files: The rows, a pattern.
        export_dir: The old SavedModel; None is the newest under the model dir.
        tolerance: How far logits may be apart.
        limit: How many rows of the files may be set aside.
    """

    files: str
    export_dir: str | None
    tolerance: float
    limit: Limit


def planned(settings: Settings, argv: Sequence[str]) -> Plan:
    """Returns the plan of a run that an Estimator is brought to.

    Args:
        settings: The problem and the job dir.
        argv: The command line.

    Raises:
        Refusal: The problem's model is not one of a canned Estimator, or the job dir cannot be used.
    """
    declared = problem.load(settings.problem, settings.problem_arguments)
    _check(declared)
    path = paths.absolute(settings.job_dir or "")
    if settings.job_dir and runs.is_run(path) and not settings.overwrite:
        raise Refusal(f"--job-dir: {path} holds a run; add --overwrite to replace it, or give another.")
    run = runs.choose(settings.job_dir, declared.name or "model", settings.overwrite, resume=False)
    return Plan(settings, with_settings(declared, settings, is_filled=True), run, tuple(argv))


def carry_out(plan: Plan, model_dir: str, check: Check | None) -> int:
    """Leaves a run with the weights of an Estimator, and tells how far it agrees with the old model.

    Args:
        plan: Its problem is declared as the Estimator was.
        model_dir: Of the Estimator.
        check: What the model is held against; None is nothing.

    Returns:
        The exit code: 1 where the models differ by more than the tolerance, and else 0.

    Raises:
        Refusal: The checkpoint does not fit the problem, or the old export or the files cannot be used.
    """
    begun = time.perf_counter()
    _check_stays(plan, [model_dir, *([check.export_dir] if check and check.export_dir else [])])
    old = None if check is None else _old_export(model_dir, check, plan.problem)
    model, filled = _migrated(plan, model_dir)
    print(f"{plan.run.path}\n{filled.line}", flush=True)
    found = None
    if check is not None and old is not None:
        print(old.line(filled.step), flush=True)
        with quiet(plan.settings.verbose):  # the old graph is run for the first time
            found = _agreement(plan, model, old, check)
        print(f"\n{found}\n", flush=True)
    told = {} if found is None else {"check_rows": found.rows, "check_largest_difference": found.largest}
    _leave(plan, model, filled, told)
    print(f"in {time.perf_counter() - begun:.1f} s; {_going_on(plan)} trains it on")
    print(plan.run.path, flush=True)
    return 0 if found is None or found.equal else 1


def _check(declared: Problem) -> None:
    """Refuses a problem whose model no canned Estimator has."""
    own = next((name for name in ("model", "tower", "walks", "grouped") if getattr(declared, name) is not None), None)
    if own is not None:
        raise Refusal(
            f"{WHO}: problem {declared.name} has {own}=, which no canned Estimator has; declare columns and hidden "
            "layers as the Estimator had them."
        )
    if isinstance(declared.head, NumbersHead):
        raise Refusal(
            f"{WHO}: problem {declared.name} has a NumbersHead({declared.head.label_dimension}), and a job reads one "
            "label a row; bring the model over with trainer.migration.from_estimator and train it by its own fit, or "
            "export it with trainer.export.write."
        )
    if not isinstance(declared.head, HEADS):
        raise Refusal(
            f"{WHO}: problem {declared.name} has a {type(declared.head).__name__}, and canned Estimators tell classes "
            f"or numbers; give it one of {', '.join(kind.__name__ for kind in HEADS)}."
        )
    head = declared.head
    if isinstance(head, RegressionHead) and head.log and None in (head.mean, head.scale):
        raise Refusal(
            f"{WHO}: problem {declared.name} has a RegressionHead that takes its mean and scale from data; give those "
            "that the Estimator had: mean=0.0 and scale=1.0 where it was trained on logarithms."
        )
    if declared.batch_norm is True:
        raise Refusal(
            f"{WHO}: problem {declared.name} normalizes before the activation, and canned Estimators after it; give "
            f"batch_norm='{AFTER_ACTIVATION}' and batch_norm_momentum=0.999."
        )
    for column in declared.columns:
        if not is_learned(column):
            raise Refusal(
                f"{WHO}: column '{column.name}' takes its vocabulary or boundaries from data; declare those that the "
                "Estimator had."
            )


def _check_stays(plan: Plan, old: Sequence[str]) -> None:
    """Refuses a job dir with which an old model would go."""
    for place in map(paths.absolute, old):
        if plan.run.holds(place):
            raise Refusal(f"--job-dir: {place} lies in {plan.run.path}, where the run is left; give another folder.")


def _migrated(plan: Plan, model_dir: str) -> tuple[keras.Model, Filled]:
    """Returns the compiled model of a plan with the weights of an Estimator, and what was taken."""
    found = checkpoint.opened(model_dir, WHO)
    model = models.assembled(plan.problem)
    export.check(model)
    models.compiled(model, plan.problem, 1)
    filled = fill(model, plan.problem, found, WHO, leaves_large_slots=True)
    if (told := hint(plan.problem, found)) is not None:
        print(told, flush=True)
    return model, filled


def hint(declared: Problem, found: checkpoint.Checkpoint) -> str | None:
    """Returns a line on what a problem may have meant otherwise and its answers do not show, or None."""
    if not found.is_of_version_1 or declared.loss_reduction == "sum":
        return None
    return (
        "the checkpoint is of tf.compat.v1.estimator, which sums the losses of a batch unless it is told otherwise: "
        "with loss_reduction='sum' and its own learning rates the run is trained on alike"
    )


def _old_export(model_dir: str, check: Check, declared: Problem) -> exports.OldExport | None:
    matching(check.files, "--check-files")  # refuses a pattern that nothing fits
    place = check.export_dir or exports.find(model_dir)
    if place is None:
        print(
            f"there is no export under {model_dir}, so there is nothing to hold the rows of --check-files against; "
            "give --export-dir",
            flush=True,
        )
        return None
    return exports.opened(place, declared.columns)


def _agreement(plan: Plan, model: keras.Model, old: exports.OldExport, check: Check) -> Agreement:
    declared = plan.problem
    rows = batches(declared, models.inputs_of(model), check.files, "--check-files", check.limit)

    def ours(features: Mapping[str, Any]) -> Any:
        return old.as_compared(model(features, training=False))

    return agreement.held_against(
        old.logits, ours, rows, declared.columns, compared=old.compared, tolerance=check.tolerance
    )


def _leave(plan: Plan, model: keras.Model, filled: Filled, told: Mapping[str, Any]) -> None:
    """Writes the run: its record, a checkpoint to resume from, tables, the model to serve and a projector."""
    run = plan.run
    command = shlex.join(["python", "-m", "trainer", "migrate", *plan.argv])
    write_migrated(plan, {"checkpoint": filled.checkpoint, "step": filled.step}, command)
    Checkpoints(run.checkpoints, model, Position(), tell=summary.tell, stored=filled.stored).save()
    left = [
        Table(name, _values(layer), columns[0] if columns else None)
        for name, (layer, columns) in models.tables_of(model).items()
    ]
    tables.write(run.tables, left)
    leave_model(model, plan.problem.head, run, left)
    with summary.unstopped("the projector"):
        projector.write(run.projector, left, tell=summary.tell)
    whole = Left(left, tables.read_manifest(run.tables).tables, ())
    data = {"data": f"migrated from {filled.checkpoint}"}
    run.write_json("metrics.json", {"steps": 0, **told, **data, **metrics_of(whole)})
    leave_report(run, whole)
    summary.show_health(whole.entries.values())


def _going_on(plan: Plan) -> str:
    """Returns the command line that trains the run on."""
    words = repeating.command(Files({"settings": to_dict(plan.settings)}))
    data = "--train-files FILES " if plan.problem.dataset is None else ""
    return f"{words} {data}--resume --job-dir {shlex.quote(plan.run.path)}"


def _values(layer: Any) -> Any:
    """Returns the values of a table; of a large one what reads rows when they are asked for, so that none is copied."""
    return layer.values if layer.rows <= BLOCK else ShardedValues([Part(0, layer.table.value)])
