"""Reading, training, evaluating and leaving a run: what a job does once TensorFlow is loaded."""

import dataclasses
import time
from functools import partial
from typing import Any

import keras

from trainer import baselines, catalogue, export, measures, models, projector
from trainer.cluster import from_environment
from trainer.declared import described, digest_of
from trainer.errors import Refusal, Terminated
from trainer.heads import goals
from trainer.inputs.beside import beside
from trainer.inputs.examples import Source
from trainer.job import disk, reading, summary
from trainer.job.learning import learned
from trainer.job.leaving import leave, leave_report, metrics_of
from trainer.job.measuring import TrainedTables
from trainer.job.plan import Plan
from trainer.job.record import write_record
from trainer.job.tables import leave_tables, trained_rows
from trainer.job.work import Work
from trainer.settings import RUN_ONLY
from trainer.training import interrupts
from trainer.training.machines import replicas
from trainer.training.machines.replicas import Replicas
from trainer.training.unfreeze import frozen_tables


def carry_out(plan: Plan) -> dict[str, Any]:
    """Trains as a plan says, leaves the run, and returns its metrics; or helps the chief to do so."""
    if plan.helps:
        with interrupts.watched(lambda: "Stopped at once."):
            return _helped(plan)
    with interrupts.watched(lambda: summary.goes_on_from(plan.run)), disk.needed(plan.run):
        metrics = _carried_out(plan)
    replicas.current().dismiss()
    return metrics


def _helped(plan: Plan) -> dict[str, Any]:
    """Does a worker's part of a training in step, and waits until the chief has left the run."""
    work = opened(plan)
    _, metrics = learned(work, {})
    print(f"{work.last_step:,} steps done; {from_environment().chief.name} writes the run", flush=True)
    replicas.current().leave()
    replicas.current().dismiss()
    return metrics


def _carried_out(plan: Plan) -> dict[str, Any]:
    start = time.perf_counter()
    work = opened(plan)
    plan = work.plan
    if not (plan.settings.overwrite and plan.run.holds(plan.run.projector)):  # what goes with the run is not in the way
        projector.check(plan.run.projector)
    print(plan.run.path, flush=True)  # not before what can still be refused
    summary.show_planted(work.source.absent)
    summary.show_data(plan.problem, work.source.name, work.data, time.perf_counter() - start)
    summary.show_bad_rows(work.bad_rows, plan.run)
    summary.show_sharing(work.met.sharing)
    summary.show_uncounted(work.met.uncounted)
    summary.show_densified(work.model)
    changed = write_record(work)
    _report_warm_starts(work)
    try:
        work, metrics = learned(work, changed)
        replicas.current().leave()  # what follows the chief does alone
        # What follows takes long, and what was learned is not lost to its end.
        plan.run.write_json("metrics.json", metrics)
        with replicas.among(Replicas()):
            left = leave(work)
    except KeyboardInterrupt:
        leave_tables(work)
        print(f"\nInterrupted; add --resume --job-dir {plan.run.path} to go on.\n{plan.run.path}", flush=True)
        raise
    except Terminated:
        print(f"\nTerminated; add --resume --job-dir {plan.run.path} to go on.\n{plan.run.path}", flush=True)
        raise
    metrics |= {"total_seconds": round(time.perf_counter() - start, 3), **metrics_of(left)}
    plan.run.write_json("metrics.json", metrics)
    if plan.settings.baselines:
        with replicas.among(Replicas()):
            tables_in, size = partial(TrainedTables, work), plan.settings.eval_batch_size
            baselines.compare(plan.problem, work.model, work.source, work.data, plan.run, metrics, tables_in, size)
    if not plan.is_trial:
        leave_report(plan.run, left)
    summary.show_end(plan, metrics, left.entries.values(), left.measured, work.source.absent)
    return metrics


def opened(plan: Plan) -> Work:
    """Returns a plan's model and data, read and encoded."""
    keras.utils.set_random_seed(plan.settings.seed)
    catalogues: dict[str, Any] = {}
    if plan.problem.early_stopping is not None:
        goals.goal("--early-stopping", plan.problem.early_stopping, plan.problem.head)

    if plan.problem.loss_reduction == "sum" and _has_several_replicas():
        raise Refusal("Problem: loss_reduction='sum' is for one machine; leave it out, with another learning rate.")

    def check(model: keras.Model, source: Source) -> None:
        _check_frozen(plan, model)
        export.check(model)
        measures.check(plan.problem.measures, [*models.tables_of(model)])
        catalogue.check(plan.problem.catalogues, source.features)
        catalogues.update(catalogue.opened(plan.problem.catalogues, beside(source, plan.settings.data_dir)))

    found = reading.read(plan, check)
    train = found.data.train
    plan = dataclasses.replace(plan, problem=found.problem)
    last_step = steps_of(plan, len(train))
    _check_unfrozen(plan, len(train), last_step)
    if plan.settings.baselines and not plan.helps:  # they are trained by the chief alone
        baselines.check(plan.problem, len(train))
    head = plan.problem.head.fitted(train.labels, train.weights)
    plan = dataclasses.replace(plan, problem=dataclasses.replace(plan.problem, head=head))
    models.compiled(found.model, plan.problem, last_step)
    if isinstance(found.model, models.Counted):
        table, column = found.model.counted
        found.model.count(trained_rows(table, [column], train))
    _check_alike(plan, found.data.digest)
    work = Work(
        plan, found.source, found.model, found.halves, found.data, last_step, catalogues, found.met, {}, found.bad_rows
    )
    return work.counting("train", train).counting("validation", found.data.validation)


def _check_alike(plan: Plan, digest: str) -> None:
    """Refuses processes in step that would not train the same."""
    settings = {name: str(value) for name, value in vars(plan.settings).items() if name not in RUN_ONLY}
    own = {**settings, "data": digest, "problem": digest_of(described(plan.problem))}
    every = replicas.current().all_said(own)
    for rank, other in enumerate(every):
        wrong = [name for name in every[0] if other[name] != every[0][name]]
        if wrong:
            task = from_environment().replicas[rank]
            raise Refusal(
                f"TF_CONFIG: {task.name} has {'other training data' if 'data' in wrong else f'another {wrong[0]}'} "
                "than the chief; give all processes the same flags and the same files."
            )


def _has_several_replicas() -> bool:
    return from_environment().is_several or replicas.current().copies > 1


def _check_frozen(plan: Plan, model: keras.Model) -> None:
    if plan.settings.unfreeze_after is not None and not frozen_tables(model):
        raise Refusal(
            f"--unfreeze-after: the model of problem {plan.problem.name} has no frozen table; give trainable=False to "
            "its embedding_column or EmbeddingTable."
        )


def _check_unfrozen(plan: Plan, examples: int, last_step: int) -> None:
    after = plan.settings.unfreeze_after
    epoch_steps = -(-examples // plan.problem.train_batch_size)
    if after is not None and last_step <= after * epoch_steps:
        raise Refusal(
            f"--unfreeze-after: the training ends with step {last_step:,}, and epochs have {epoch_steps:,}, so a table "
            f"that is frozen for {after} of them would never be trained; give a smaller number, or more --train-steps."
        )


def steps_of(plan: Plan, examples: int) -> int:
    """Returns the steps of a training on that many examples."""
    by_epochs = plan.problem.num_epochs * -(-examples // plan.problem.train_batch_size)
    asked = plan.settings.train_steps
    if asked is None:
        return by_epochs
    return asked if plan.settings.num_epochs is None else min(asked, by_epochs)


def _report_warm_starts(work: Work) -> None:
    """Prints what tables have taken from their sources, and leaves it in the run."""
    reports = {}
    for name, (layer, columns) in models.tables_of(work.model).items():
        if layer.warm_started is not None:
            counted = trained_rows(layer, columns, work.data.train)
            share = None if counted is None else layer.warm_started.share(counted)
            summary.show_warm_start(layer.warm_started, share)
            reports[name] = {**layer.warm_started.to_dict(), "matched_share_of_training_rows": share}
    if reports:
        work.plan.run.write_json("warm_start.json", reports)
