"""Steps that workers take and parameter servers keep: the chief reads the batches and hands them out."""

from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from trainer import optimizers
from trainer.errors import Refusal
from trainer.layers.placement import dealt_out
from trainer.models import Halves, tables_of
from trainer.training.evaluating import Evaluation
from trainer.training.machines import servers
from trainer.training.machines.servers import Servers
from trainer.training.steps import Steps


def steps_for(model: keras.Model, halves: Halves, batch_size: int) -> Steps:
    """Returns the steps of a training as this process takes them: by itself, in step, or on parameter servers."""
    found = servers.current()
    return Steps(model, halves, batch_size) if found is None else ServerSteps(model, halves, found)


def evaluation_for(model: keras.Model, halves: Halves) -> Evaluation:
    """Returns the evaluation of a model as this process makes it: by itself, or with workers."""
    found = servers.current()
    return Evaluation(model, halves) if found is None else ServerEvaluation(model, halves, found)


class ServerSteps(Steps):
    """Steps that workers take, each on a batch that the chief sends; a call ends when all are done.

    Workers do not wait for one another, so a step may begin with weights from before the end of the last ones. A step
    that a worker had begun when it was lost is taken again by another, and what it had already updated is updated
    twice.

    Args:
        model: A compiled model whose variables lie on the servers.
        halves: The same model, taken apart where features are encoded.
        found: The workers.

    Raises:
        Refusal: The model's optimizer makes a table dense that lies on several servers.
    """

    def __init__(self, model: keras.Model, halves: Halves, found: Servers) -> None:
        check(model)
        self._coordinator = found.coordinator
        with dealt_out():
            super().__init__(model, halves)

    def _take(self, variables: list[Any]) -> None:
        self.variables = variables
        self._traced: Any = None
        self._run = self._hand_out

    def _hand_out(self, batches: Iterator[Any], steps: Any) -> None:
        if self._traced is None:
            step = tf.function(lambda *batch: self._step(*batch), autograph=False)
            self._traced = step.get_concrete_function(*batches.element_spec)  # type: ignore[attr-defined]
        counts = [one.iterations for one in optimizers.whole(self.model.optimizer)]
        before = [int(count.numpy()) for count in counts]
        for _ in range(int(steps)):
            self._coordinator.schedule(self._traced, next(batches))
        self._coordinator.join()
        for count, was in zip(counts, before, strict=True):
            if int(count.numpy()) != was:  # Keras reads, adds and writes: of two workers at once, one would not count
                count.assign(was + int(steps))


class ServerEvaluation(Evaluation):
    """The loss and the metrics of a model, whose logits workers compute; the chief keeps the metrics.

    Args:
        model: A compiled model whose variables lie on the servers.
        halves: The same model, taken apart where features are encoded.
        found: The workers.
    """

    def __init__(self, model: keras.Model, halves: Halves, found: Servers) -> None:
        super().__init__(model, halves)
        self._coordinator, self._traced = found.coordinator, None
        self._judge = tf.function(self.judge, reduce_retracing=True, autograph=False)
        self._run = self._hand_out

    def _hand_out(self, batches: Iterator[Any], steps: Any) -> None:
        if self._traced is None:
            logits = tf.function(lambda features: self.halves.logits(features, False), autograph=False)
            self._traced = logits.get_concrete_function(batches.element_spec[0])  # type: ignore[attr-defined]
        handed = []
        for _ in range(int(steps)):
            features, labels, weights = next(batches)
            handed.append((self._coordinator.schedule(self._traced, (features,)), labels, weights))
        self._coordinator.join()
        for logits, labels, weights in handed:
            self._judge(tf.constant(logits.fetch()), labels, weights)


def check(model: keras.Model) -> None:
    """Refuses a model that cannot be trained on its servers.

    Raises:
        Refusal: Its optimizer makes a table dense that lies on several servers.
    """
    for name, (table, _) in tables_of(model).items():
        if table.table is None and table.trainable:
            of_table = optimizers.of(model.optimizer, table.variables[0])
            if optimizers.makes_dense(of_table):
                raise Refusal(
                    f"{type(of_table).__name__}: it reads and writes every row of '{name}' at every step, and these "
                    f"lie on several parameter servers; give --optimizer {' or '.join(optimizers.names())}."
                )
