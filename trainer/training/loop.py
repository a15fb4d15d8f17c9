"""Our own loop over a compiled Keras model: many steps a Python call, metrics on the device, Keras callbacks."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from trainer.errors import TrainingFailure
from trainer.inputs.cache import AnyExamples
from trainer.inputs.memory import telling
from trainer.models import Halves, tables_of
from trainer.training import interrupts
from trainer.training.steps import NotFinite, Steps

CALL_SECONDS = 0.2
"""How long one Python call should last: signals wait for it, and progress shows after it."""


@dataclass
class Position:
    """How far a training has come; with the seed it says which examples come next.

    Args:
        epoch: Whole epochs done.
        step: Steps done in the epoch after them.
        steps: Steps done in all.
    """

    epoch: int = 0
    step: int = 0
    steps: int = 0


@dataclass
class _Pace:
    """How many steps one Python call takes: more until it lasts as long as it should, which changes no result."""

    steps: int = 1

    def follow(self, steps: int, seconds: float) -> None:
        """Takes the time of a call into account, unless the end of an epoch cut it short."""
        if steps == self.steps:
            self.steps = max(1, min(2 * steps, int(steps * CALL_SECONDS / max(seconds, 1e-6))))


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

    Raises:
        TrainingFailure: The loss is not finite; the trained weights are as they were before that step.
    """
    position = Position() if position is None else position
    epoch_steps = -(-len(examples) // batch_size)
    listeners = _listeners(model, callbacks, -(-last_step // epoch_steps), epoch_steps)
    if not model.optimizer.built:  # a loss scale that is built twice forgets what was restored
        model.optimizer.build(model.trainable_variables)
    # These are made once: to trace them anew each epoch would take as long as a hundred steps.
    run_steps = Steps(model, halves)
    evaluation = _evaluation(model, halves)
    batches = iter(examples.shuffled(batch_size, seed, position.steps, last_step))
    pace = _Pace()
    listeners.on_train_begin()
    with interrupts.held() as let_through:
        while position.steps < last_step and not model.stop_training:
            listeners.on_epoch_begin(position.epoch)
            run_steps.follow()
            last = min(epoch_steps, position.step + last_step - position.steps)
            logs = {"loss": _epoch(model, run_steps, batches, position, last, listeners, let_through, pace)}
            if validation is not None:
                results = _evaluated(model, evaluation, validation, eval_batch_size)
                logs.update({f"val_{name}": value for name, value in results.items()})
            epoch = position.epoch
            if position.step == epoch_steps:
                position.epoch, position.step = position.epoch + 1, 0
            listeners.on_epoch_end(epoch, logs)
            let_through()
    listeners.on_train_end()
    return position


def _listeners(model: keras.Model, callbacks: Sequence[Any], epochs: int, steps: int) -> Any:
    model.stop_training = False
    return keras.callbacks.CallbackList(list(callbacks), model=model, epochs=epochs, steps=steps, add_history=False)


def _epoch(
    model: keras.Model,
    run_steps: Steps,
    batches: Iterator[Any],
    position: Position,
    last: int,
    listeners: Any,
    let_through: Callable[[], None],
    pace: "_Pace",
) -> float:
    """Trains to a step of the epoch and returns the mean loss of the examples."""
    total, examples = 0.0, 0.0
    while position.step < last:
        let_through()
        steps = min(pace.steps, last - position.step)
        listeners.on_train_batch_begin(position.step)
        start = time.perf_counter()
        try:
            with telling():
                taken = run_steps(batches, steps)
        except NotFinite as found:
            position.step, position.steps = position.step + found.steps, position.steps + found.steps
            raise TrainingFailure(_failure(model, position.steps + 1, found.value)) from None
        seconds = time.perf_counter() - start
        position.step, position.steps = position.step + steps, position.steps + steps
        total, examples = total + taken[0], examples + taken[1]
        listeners.on_train_batch_end(position.step - 1, {"loss": total / examples})
        pace.follow(steps, seconds)
    return total / max(examples, 1.0)


def _failure(model: keras.Model, step: int, value: str) -> str:
    return f"training: the loss became {value} in step {step}, whose update was not applied; {blame(model)}"


def blame(model: keras.Model) -> str:
    """Returns the end of a sentence: which tables of a model have values that are not finite, and what to do."""
    wrong = [
        f"{name} ({', '.join(column.name for column in columns) or 'no column'})"
        for name, (table, columns) in tables_of(model).items()
        if not tf.reduce_all(tf.math.is_finite(table.table.value))
    ]
    found = f"tables with values that are not finite: {', '.join(wrong)}" if wrong else "all tables are finite"
    return f"{found}; try a smaller --learning-rate, or look for such values in the data."


def evaluate(model: keras.Model, halves: Halves, examples: AnyExamples, batch_size: int = 4096) -> dict[str, float]:
    """Returns the loss and the compiled metrics of encoded examples, and how many they are."""
    return evaluator(model, halves)(examples, batch_size)


def evaluator(model: keras.Model, halves: Halves) -> Callable[[AnyExamples, int], dict[str, float]]:
    """Returns `evaluate` of a model for several sets of examples, which is traced once for all of them."""
    evaluation = _evaluation(model, halves)
    return lambda examples, batch_size: _evaluated(model, evaluation, examples, batch_size)


def _evaluated(model: keras.Model, evaluation: Any, examples: AnyExamples, batch_size: int) -> dict[str, float]:
    model.reset_metrics()
    with telling():
        loss = float(evaluation(examples.batches(batch_size)))
    results = {name: float(value) for name, value in model.get_metrics_result().items() if name != "loss"}
    model.reset_metrics()
    return {"loss": loss, **results, "examples": len(examples)}


def _evaluation(model: keras.Model, halves: Halves) -> Any:
    loss = keras.metrics.Mean(name="loss")

    @tf.function(reduce_retracing=True)
    def evaluation(batches: tf.data.Dataset) -> Any:
        for features, labels, weights in batches:
            logits = halves.logits(features, False)
            value = model.compute_loss(y=labels, y_pred=logits, sample_weight=weights, training=False)
            loss.update_state(value, sample_weight=tf.shape(labels)[0])
            model.compute_metrics(None, labels, logits, weights)
        return loss.result()

    def evaluated(batches: tf.data.Dataset) -> Any:
        loss.reset_state()
        return evaluation(batches)

    return evaluated
