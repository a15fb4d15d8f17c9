"""The loss and the metrics of a model on some examples, many steps a Python call."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.inputs.cache import AnyExamples
from trainer.inputs.memory import telling
from trainer.models import Halves, is_summed
from trainer.optimizers.averages import averaged
from trainer.training.machines import replicas
from trainer.training.pace import Pace
from trainer.training.running import RunningLoss

LONG_BYTES = 1 << 10
"""Bytes beyond which an example is long."""

STEP_BYTES = 1 << 18
"""Bytes of long examples that are judged in a step; what a model makes of them may be hundreds of times as many."""


def answers(
    examples: AnyExamples,
    logits: Callable[[Mapping[str, Any], bool], Any],
    made: Callable[[Any], Mapping[str, Any]],
    batch_size: int = 4096,
) -> dict[str, Any]:
    """Returns what is made of the logits of examples: arrays of a row an example, by name.

    Args:
        examples: Encoded as the logits want them.
        logits: Those of `Halves`.
        made: What is made of logits `(batch, units)`, a row of each array an example.
        batch_size: Examples at a time.
    """

    @tf.function(autograph=False, reduce_retracing=True)
    def answer(features: Mapping[str, Any]) -> dict[str, Any]:
        return dict(made(logits(features, False)))

    with telling():
        parts = [answer(features) for features, _, _ in examples.batches(batch_size)]
    return {name: np.concatenate([part[name].numpy() for part in parts]) for name in parts[0]}


def rows_at_once(examples: AnyExamples, batch_size: int) -> int:
    """Returns how many examples are judged in a step: fewer where they are long, as passages of texts are.

    Args:
        examples: Encoded.
        batch_size: Where they are not.
    """
    row_bytes = examples.nbytes // max(len(examples), 1)
    return batch_size if row_bytes <= LONG_BYTES else max(1, min(batch_size, STEP_BYTES // row_bytes))


class Evaluation:
    """The loss and the compiled metrics of a model; traced once for all examples that it is called with.

    Several replicas take the batches in turns, and what they count is summed, the variables of the metrics too, as
    `tf.distribute` does.

    Args:
        model: A compiled model.
        halves: The same model, taken apart where features are encoded.
    """

    def __init__(self, model: keras.Model, halves: Halves) -> None:
        self.model, self.halves, self.loss, self.pace = model, halves, RunningLoss(), Pace()
        self.replicas = replicas.current()
        self._run = tf.function(self._steps, reduce_retracing=True, autograph=False)

    def __call__(
        self, examples: AnyExamples, batch_size: int = 4096, turn: Callable[[int], int] = lambda steps: steps
    ) -> dict[str, float]:
        """Returns the loss, the metrics and how many examples they are of.

        Args:
            examples: Encoded as the halves want them.
            batch_size: Examples a step; of long ones there are fewer.
            turn: Returns how many of some steps come next, alike on all replicas; what it raises ends the evaluation.
        """
        self.model.reset_metrics()
        self.loss.restore(0.0, 0.0)
        batch_size = rows_at_once(examples, batch_size)
        shard, every = self.replicas.shard, -(-len(examples) // batch_size)
        batches = iter(examples.batches(batch_size, shard))
        with averaged(self.model.optimizer):
            self._through(batches, -(-every // shard.count), len(range(shard.index, every, shard.count)), turn)
        self._sum()
        results = {name: float(value) for name, value in self.model.get_metrics_result().items() if name != "loss"}
        self.model.reset_metrics()
        return {"loss": self.loss.mean, **results, "examples": len(examples)}

    def _through(self, batches: Iterator[Any], left: int, own: int, turn: Callable[[int], int]) -> None:
        """Judges batches: so many steps of all replicas, of which some have one of this replica's own."""
        while left:
            steps, start = turn(min(self.pace.steps, left)), time.perf_counter()
            with telling():
                self._run(batches, tf.constant(min(steps, own)))
            self.pace.follow(steps, time.perf_counter() - start)
            left, own = left - steps, max(0, own - steps)

    def _sum(self) -> None:
        """Sums what the replicas have counted."""
        if self.replicas.count == 1:
            return
        variables = [variable for metric in self.model.metrics for variable in metric.variables]
        sizes = [int(np.prod(variable.shape)) for variable in variables]
        own = [np.asarray(self.loss.sums), *(np.asarray(variable, np.float64).reshape(-1) for variable in variables)]
        sums, *found = np.split(self.replicas.summed(np.concatenate(own)), np.cumsum([2, *sizes])[:-1])
        self.loss.restore(*sums)
        for variable, values in zip(variables, found, strict=True):
            variable.assign(values.reshape(variable.shape))

    def _steps(self, batches: Iterator[Any], steps: Any) -> None:
        def body(done: Any) -> Any:
            features, labels, weights = next(batches)
            self.judge(self.halves.logits(features, False), labels, weights)
            return [done + 1]

        tf.while_loop(lambda done: done < steps, body, [tf.constant(0)])

    def judge(self, logits: Any, labels: Any, weights: Any) -> None:
        """Counts a step's logits in the loss and in the metrics."""
        value = self.model.compute_loss(y=labels, y_pred=logits, sample_weight=weights, training=False)
        examples = tf.shape(weights)[0]
        value = value / tf.cast(examples, value.dtype) if is_summed(self.model) else value
        # Within a strategy Keras divides each loss by the number of replicas.
        self.loss.add(value * self.replicas.copies, examples)
        self.model.compute_metrics(None, labels, logits, weights)
