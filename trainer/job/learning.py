"""The training of a job, from where it stands to its end, and what is measured of the model."""

import dataclasses
import resource
import sys
from typing import Any

import keras

from trainer import models, projector
from trainer.errors import Terminated
from trainer.heads import goals
from trainer.job import summary
from trainer.job.changes import LEARNING_RATES
from trainer.job.tables import tables_of, trained_rows
from trainer.job.work import Work
from trainer.optimizers import averages
from trainer.training import Evaluation, Position, evaluation_for, interrupts, reports, train
from trainer.training.callbacks import History, Progress, TensorBoardScalars
from trainer.training.checkpoints import Checkpoints, When
from trainer.training.remembered import Remembered
from trainer.training.saving import Torn
from trainer.training.stopping import EarlyStopping
from trainer.training.unfreeze import Unfreeze, unfreeze


class _Training:
    """A training that can be interrupted: its position, its callbacks and its checkpoints."""

    def __init__(self, work: Work) -> None:
        settings, problem, run = work.plan.settings, work.plan.problem, work.plan.run
        self.work, self.position, own = work, Position(), [make() for make in problem.callbacks]
        when = When(settings.checkpoint_seconds, settings.checkpoint_steps, settings.checkpoints_kept)
        self.checkpoints = Checkpoints(run.checkpoints, work.model, self.position, when, tell=summary.tell)
        self.checkpoints.order = [work.data.digest, problem.train_batch_size, settings.seed, len(work.data.train)]
        self.stopping = _stopping(work, self.checkpoints)
        self.reports = None if work.plan.helps else reports.from_environment(self.position, summary.tell)
        self.checkpoints.parts = {"callbacks": Remembered(own)}
        if self.stopping is not None:
            self.checkpoints.parts["early_stopping"] = self.stopping
            own = [*own, self.stopping]
        self._listeners = [*own, self.checkpoints]

    def restore(self, changed: dict[str, str]) -> None:
        """Goes on from the last checkpoint, if there is one."""
        settings = self.work.plan.settings
        later = unfreeze if settings.unfreeze_after is not None else None
        if self.work.plan.restores:
            self.checkpoints.restore(later, any(name in changed for name in LEARNING_RATES))
        elif settings.resume and not self.work.plan.helps:
            summary.tell("there is no checkpoint to go on from yet, so the training begins with its first step")
        self.checkpoints.share(later)

    @property
    def last_step(self) -> int:
        """The steps in all; of a training by epochs these depend on how many steps those before had."""
        work, position = self.work, self.position
        if work.plan.settings.train_steps is not None:
            return work.last_step
        epoch_steps = -(-len(work.data.train) // work.plan.problem.train_batch_size)
        return position.steps - position.step + (work.plan.problem.num_epochs - position.epoch) * epoch_steps

    def run(self, evaluation: Evaluation) -> None:
        """Trains to the end; a signal leaves a checkpoint."""
        work = self.work
        settings, problem = work.plan.settings, work.plan.problem
        try:
            train(
                work.model,
                work.halves,
                work.data.train,
                problem.train_batch_size,
                settings.seed,
                self.last_step,
                work.data.validation,
                settings.eval_batch_size,
                [*_unfreezing(work), *self._shown(), *self._listeners],
                self.position,
                evaluation,
                settings.checkpoint_steps,
            )
        except (KeyboardInterrupt, Terminated):
            with interrupts.held():
                self._save()
            raise

    def best(self) -> dict[str, int]:
        """Sets the model to the best weights, where they were looked for, and returns when they were reached."""
        best = None if self.stopping is None else self.stopping.best
        if self.stopping is None or best is None:
            return {}
        try:
            steps = self.checkpoints.restore_best()
        except Torn as torn:
            summary.tell(f"the best weights, of epoch {best.epoch}, cannot be read ({torn}); the last ones are taken")
            return {}
        if steps != best.step:  # a kill came between them and the checkpoint that would have told of them
            summary.tell(f"the best weights are those after step {steps:,}, written after the last checkpoint")
            return {"best_step": steps}
        summary.tell(
            f"the model is that of epoch {best.epoch}, step {best.step:,}: validation_{self.stopping.metric} "
            f"{best.value:.4f}"
        )
        return {"best_epoch": best.epoch, "best_step": best.step}

    def report(self, metrics: dict[str, float]) -> None:
        """Tells a tuning service what the model that is left is worth, which may not be that of the last epoch.

        It is told as of the last step, not as of the best one, so that a service that goes by the steps takes it too.
        """
        if self.reports is not None:
            self.reports.report(metrics, self.position.steps)

    def _shown(self) -> list[keras.callbacks.Callback]:
        """Returns what shows how a training goes, and leaves it in the run, which the chief alone does."""
        work, run = self.work, self.work.plan.run
        if work.plan.helps:
            return []
        return [
            Progress(len(work.data.train), work.plan.problem.train_batch_size, self.last_step),
            History(run.file("history.jsonl"), self.position),
            TensorBoardScalars(run.logs, self.position),
            *([] if self.reports is None else [self.reports]),
            *_projecting(work),
        ]

    def _save(self) -> None:
        try:
            self.checkpoints.save_unless_done()
        except OSError as error:
            summary.tell(f"\nno checkpoint could be written ({error.strerror or error})")


def learned(work: Work, changed: dict[str, str]) -> tuple[Work, dict[str, Any]]:
    """Trains, and returns the metrics of the run beside the work, with what was seen of the test examples.

    These are read once, after the last step.

    Args:
        work: Of the job.
        changed: What has changed since the run was started, by name.
    """
    settings, training = work.plan.settings, _Training(work)
    training.restore(changed)
    evaluation = evaluation_for(work.model, work.halves)
    training.run(evaluation)
    averages.settle(work.model.optimizer)
    best = training.best()
    found = evaluation(work.data.validation, settings.eval_batch_size)
    validation = {f"validation_{name}": value for name, value in found.items()}
    training.report(validation)
    test_examples = work.data.test()
    test = evaluation(test_examples, settings.eval_batch_size)
    metrics = {**test, **validation, **best}
    work = dataclasses.replace(work.counting("test", test_examples), test=test_examples)
    return work, {**metrics, **_of_training(work, training.position.steps, training.checkpoints.seconds)}


def _of_training(work: Work, steps: int, seconds: float) -> dict[str, Any]:
    problem = work.plan.problem
    trained = min(steps * problem.train_batch_size, problem.num_epochs * len(work.data.train))
    return {
        "train_examples": len(work.data.train),
        "steps": steps,
        "seconds": round(seconds, 3),
        "examples_per_second": round(trained / seconds, 1),
        "peak_memory_bytes": _peak_memory(),
        **_of_sequences(work, trained / seconds),
        **({} if work.bad_rows is None else {"bad_rows": len(work.bad_rows)}),
        "data": work.source.name,
    }


def _of_sequences(work: Work, examples_per_second: float) -> dict[str, float]:
    """Returns how many ids of sequences were learned from in a second, where examples are sequences."""
    if not isinstance(work.model, models.SkipGram):
        return {}
    counts = trained_rows(work.model.centres, [work.model.column], work.data.train)
    return {"ids_per_second": round(examples_per_second * float(counts.sum()) / len(work.data.train), 1)}


def _stopping(work: Work, checkpoints: Checkpoints) -> EarlyStopping | None:
    problem = work.plan.problem
    if problem.early_stopping is None:
        return None
    name, is_up = goals.goal("--early-stopping", problem.early_stopping, problem.head)

    def keep() -> None:
        with averages.averaged(work.model.optimizer):  # the weights that were judged
            checkpoints.save_best()

    return EarlyStopping(name, is_up, problem.patience, keep, summary.tell)


def _unfreezing(work: Work) -> list[keras.callbacks.Callback]:
    after = work.plan.settings.unfreeze_after
    return [] if after is None else [Unfreeze(after)]


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


def _peak_memory() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts kilobytes
