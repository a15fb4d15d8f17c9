"""Our own loop over a compiled Keras model: many steps a Python call, metrics on the device, Keras callbacks."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from trainer.errors import TrainingFailure
from trainer.inputs.cache import AnyExamples
from trainer.inputs.memory import telling
from trainer.models import Halves, tables_of, with_slots
from trainer.training import interrupts
from trainer.training.allocation import keep_freed_memory
from trainer.training.evaluating import Evaluation
from trainer.training.interrupts import Held
from trainer.training.machines import replicas
from trainer.training.machines.parameter_servers import evaluation_for, steps_for
from trainer.training.machines.replicas import Replicas
from trainer.training.pace import Pace
from trainer.training.steps import NotFinite, Steps


@dataclass
class Position:
    """How far a training has come; with the seed it says which examples come next.

    Args:
        epoch: Whole epochs done.
        step: Steps done in the epoch after them.
        steps: Steps done in all.
        loss: The sum of the losses of the examples of these steps of the epoch, and how many examples they are.
        under_way: Whether the end of that epoch is still to come: its evaluation, and what callbacks do then.
        seconds: What the training took before it was gone on with; the loop does not count.
    """

    epoch: int = 0
    step: int = 0
    steps: int = 0
    loss: tuple[float, float] = field(default=(0.0, 0.0), compare=False)
    under_way: bool = field(default=False, compare=False)
    seconds: float = field(default=0.0, compare=False)


def train(
    model: keras.Model,
    halves: Halves,
    examples: AnyExamples,
    batch_size: int,
    seed: int,
    last_step: int,
    validation: AnyExamples | None = None,
    eval_batch_size: int = 4096,
    callbacks: Sequence[Any] = (),
    position: Position | None = None,
    evaluation: Evaluation | None = None,
    group_steps: int | None = None,
) -> Position:
    """Trains a compiled model on encoded examples and returns how far it came.

    The order of the examples is a function of (seed, epoch) alone. Keras callbacks are called as `fit` calls them,
    with `on_train_batch_end` after each group of steps that one Python call takes. Ctrl-C ends the training between
    groups, and after the callbacks of an epoch that has ended, so that what is saved then is as `position` says.

    Args:
        model: A compiled model; its optimizer, loss and metrics are used.
        halves: The same model, taken apart where features are encoded.
        examples: Encoded as `halves` wants them.
        batch_size: Examples a step; the last batch of an epoch may have fewer.
        seed: Of the order.
        last_step: Steps in all after which training stops, within an epoch if need be.
        validation: What is evaluated after each epoch.
        eval_batch_size: Examples a step of evaluation.
        callbacks: Keras callbacks.
        position: Where to start, and kept up to date in place; None is the beginning.
        evaluation: Of the model, where there is one already; what it has traced is not traced again.
        group_steps: At whose multiples, of the steps in all, a group of steps ends.

    Raises:
        TrainingFailure: The loss is not finite; the trained weights are as they were before that step.
    """
    position = Position() if position is None else position
    epoch_steps = -(-len(examples) // batch_size)
    listeners = _listeners(model, callbacks, -(-last_step // epoch_steps), epoch_steps)
    with_slots(model)
    # These are made once: to trace them anew each epoch would take as long as a hundred steps.
    run_steps, evaluation = steps_for(model, halves, batch_size), evaluation or evaluation_for(model, halves)
    steps, shard = last_step - position.steps, replicas.current().shard
    batches = iter(examples.shuffled(batch_size, seed, position.epoch, position.step, steps, shard))
    keep_freed_memory()  # whatever the reading of the data has set
    listeners.on_train_begin()
    with interrupts.held() as signals:
        loop = _Loop(model, run_steps, batches, position, listeners, signals, group_steps)
        while (position.steps < last_step or position.under_way) and not model.stop_training:
            listeners.on_epoch_begin(position.epoch)
            logs = {"loss": loop.run(min(epoch_steps, position.step + last_step - position.steps))}
            if validation is not None:
                results = evaluation(validation, eval_batch_size, loop.turn)
                logs.update({f"val_{name}": value for name, value in results.items()})
            epoch = position.epoch
            loop.end(epoch_steps)
            listeners.on_epoch_end(epoch, logs)
            loop.turn(0)
    listeners.on_train_end()
    return position


def _listeners(model: keras.Model, callbacks: Sequence[Any], epochs: int, steps: int) -> Any:
    model.stop_training = False
    return keras.callbacks.CallbackList(list(callbacks), model=model, epochs=epochs, steps=steps, add_history=False)


@dataclass
class _Loop:
    """What goes through the steps of an epoch, in groups of as many as one Python call takes."""

    model: keras.Model
    run_steps: Steps
    batches: Iterator[Any]
    position: Position
    listeners: Any
    signals: Held
    group_steps: int | None
    pace: Pace = field(default_factory=Pace)
    replicas: Replicas = field(default_factory=replicas.current)

    def run(self, last: int) -> float:
        """Trains to a step of the epoch and returns the mean loss of the examples."""
        position = self.position
        self.run_steps.follow()
        self.run_steps.loss.restore(*position.loss)
        while position.step < last:
            steps = self.turn(self._next(last))
            self.listeners.on_train_batch_begin(position.step)
            start = time.perf_counter()
            self._take(steps)
            self.pace.follow(steps, time.perf_counter() - start)
            position.step, position.steps = position.step + steps, position.steps + steps
            position.loss, position.under_way = self.run_steps.loss.sums, True
            self.listeners.on_train_batch_end(position.step - 1, {"loss": self.run_steps.loss.mean})
        return self.run_steps.loss.mean

    def turn(self, steps: int) -> int:
        """Returns how many of some steps come next, or lets a signal through, in either case alike on all replicas."""
        steps, asked, self.model.stop_training = self.replicas.agreed(
            steps, self.signals.asked, self.model.stop_training
        )
        if asked is not None:
            self.replicas.leave()
            self.signals.let_through(asked)
        return steps

    def _next(self, last: int) -> int:
        """Returns how many steps the next group takes."""
        steps = min(self.pace.steps, last - self.position.step)
        return (
            steps if self.group_steps is None else min(steps, self.group_steps - self.position.steps % self.group_steps)
        )

    def end(self, epoch_steps: int) -> None:
        """Counts the epoch, if it is whole."""
        position = self.position
        position.under_way = False
        if position.step == epoch_steps:
            position.epoch, position.step, position.loss = position.epoch + 1, 0, (0.0, 0.0)

    def _take(self, steps: int) -> None:
        position = self.position
        try:
            with telling():
                self.run_steps(self.batches, steps)
        except NotFinite as found:
            position.step, position.steps = position.step + found.steps, position.steps + found.steps
            raise TrainingFailure(_failure(self.model, position.steps + 1, found.value)) from None


def _failure(model: keras.Model, step: int, value: str) -> str:
    return f"training: the loss became {value} in step {step}, whose update was not applied; {blame(model)}"


def blame(model: keras.Model) -> str:
    """Returns the end of a sentence: which tables of a model have values that are not finite, and what to do."""
    wrong = [
        f"{name} ({', '.join(column.name for column in columns) or 'no column'})"
        for name, (table, columns) in tables_of(model).items()
        if not table.is_finite
    ]
    found = f"tables with values that are not finite: {', '.join(wrong)}" if wrong else "all tables are finite"
    return f"{found}; try a smaller --learning-rate, or look for such values in the data."


def evaluate(model: keras.Model, halves: Halves, examples: AnyExamples, batch_size: int = 4096) -> dict[str, float]:
    """Returns the loss and the compiled metrics of encoded examples, and how many they are."""
    return evaluation_for(model, halves)(examples, batch_size)
