"""Reading, training, evaluating and leaving a run: what a job does once TensorFlow is loaded."""

import dataclasses
import resource
import sys
import time
from typing import Any

import keras

from trainer import catalogue, export, models, paths, projector
from trainer.baselines import comparison
from trainer.errors import Refusal
from trainer.inputs.examples import Source
from trainer.job import reading, summary
from trainer.job.leaving import health_of, leave, leave_report
from trainer.job.plan import Plan
from trainer.job.record import write_record
from trainer.job.tables import leave_tables, tables_of, trained_rows
from trainer.job.work import Work
from trainer.run import Run
from trainer.training import Evaluation, Position, train
from trainer.training.callbacks import History, Progress, TensorBoardScalars
from trainer.training.checkpoints import Checkpoints
from trainer.training.unfreeze import Unfreeze, frozen_tables, unfreeze


def carry_out(plan: Plan) -> dict[str, Any]:
    """Trains as a plan says, leaves the run, and returns its metrics."""
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
    write_record(work)
    _report_warm_starts(work)
    try:
        work, metrics = learned(work)
        # What follows takes long, and what was learned is not lost to its end.
        plan.run.write_json("metrics.json", metrics)
        left = leave(work)
    except KeyboardInterrupt:
        leave_tables(work)
        print(f"\nInterrupted; add --resume --job-dir {plan.run.path} to go on.\n{plan.run.path}", flush=True)
        raise
    metrics |= {"total_seconds": round(time.perf_counter() - start, 3), **health_of(left)}
    plan.run.write_json("metrics.json", metrics)
    if plan.settings.baselines:
        comparison.compare(plan.problem, work.source, work.data, plan.run, plan.settings.eval_batch_size)
    leave_report(plan.run, left)
    summary.show_end(plan, metrics, left.entries.values(), work.source.absent)
    return metrics


def opened(plan: Plan) -> Work:
    """Returns a plan's model and data, read and encoded."""
    keras.utils.set_random_seed(plan.settings.seed)
    catalogues: dict[str, Any] = {}

    def check(model: keras.Model, source: Source) -> None:
        _check_frozen(plan, model)
        export.check(model)
        catalogue.check(plan.problem.catalogues, source.features)
        catalogues.update(catalogue.opened(plan.problem.catalogues, plan.settings.data_dir))

    found = reading.read(plan, check)
    train = found.data.train
    plan = dataclasses.replace(plan, problem=found.problem)
    last_step = steps_of(plan, len(train))
    _check_unfrozen(plan, len(train), last_step)
    head = plan.problem.head.fitted(train.labels, train.weights)
    plan = dataclasses.replace(plan, problem=dataclasses.replace(plan.problem, head=head))
    models.compiled(found.model, plan.problem, last_step)
    work = Work(
        plan, found.source, found.model, found.halves, found.data, last_step, catalogues, found.met, {}, found.bad_rows
    )
    return work.counting("train", train).counting("validation", found.data.validation)


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


def learned(work: Work) -> tuple[Work, dict[str, Any]]:
    """Trains, and returns the metrics of the run beside the work, with what was seen of the test examples.

    These are read once, after the last step.
    """
    settings, problem = work.plan.settings, work.plan.problem
    position = Position()
    checkpoints = Checkpoints(work.plan.run.checkpoints, work.model, position)
    if settings.resume:
        checkpoints.restore(unfreeze if settings.unfreeze_after is not None else None)
    evaluation = Evaluation(work.model, work.halves)
    done, start = position.steps, time.perf_counter()
    try:
        train(
            work.model,
            work.halves,
            work.data.train,
            problem.train_batch_size,
            settings.seed,
            work.last_step,
            work.data.validation,
            settings.eval_batch_size,
            [*_callbacks(work), checkpoints, *_projecting(work)],
            position,
            evaluation,
        )
    except KeyboardInterrupt:
        checkpoints.save()
        raise
    seconds = time.perf_counter() - start
    validation = evaluation(work.data.validation, settings.eval_batch_size)
    test_examples = work.data.test()
    test = evaluation(test_examples, settings.eval_batch_size)
    metrics = {**test, **{f"validation_{name}": value for name, value in validation.items()}}
    return work.counting("test", test_examples), {**metrics, **_of_training(work, position.steps, done, seconds)}


def _of_training(work: Work, steps: int, done: int, seconds: float) -> dict[str, Any]:
    problem = work.plan.problem
    trained = min((steps - done) * problem.train_batch_size, problem.num_epochs * len(work.data.train))
    speed = {"seconds": round(seconds, 3), "examples_per_second": round(trained / seconds, 1)}
    return {
        "train_examples": len(work.data.train),
        "steps": steps,
        **(speed if steps > done else {**speed, **_speed_before(work.plan.run)}),
        "peak_memory_bytes": _peak_memory(),
        **({} if work.bad_rows is None else {"bad_rows": len(work.bad_rows)}),
        "data": work.source.name,
    }


def _speed_before(run: Run) -> dict[str, Any]:
    """Returns how fast a run was trained that is gone on with after its last step, where it says so."""
    stored = run.read_json("metrics.json") if paths.exists(run.file("metrics.json")) else {}
    return {name: stored[name] for name in ("seconds", "examples_per_second") if name in stored}


def _callbacks(work: Work) -> list[keras.callbacks.Callback]:
    problem, run, after = work.plan.problem, work.plan.run, work.plan.settings.unfreeze_after
    return [
        Progress(len(work.data.train), problem.train_batch_size, work.last_step),
        *([] if after is None else [Unfreeze(after)]),
        History(run.file("history.jsonl")),
        TensorBoardScalars(run.logs),
        *(make() for make in problem.callbacks),
    ]


def _projecting(work: Work) -> list[keras.callbacks.Callback]:
    every = work.plan.settings.projector_every_epochs
    if every is None:
        return []

    def write(epoch: int, logs: Any) -> None:
        if (epoch + 1) % every == 0:
            step = int(work.model.optimizer.iterations.numpy())
            with summary.unstopped("the projector"):
                projector.write(work.plan.run.projector, tables_of(work), step, layouts=False)

    return [keras.callbacks.LambdaCallback(on_epoch_end=write)]


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


def _peak_memory() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts kilobytes
