"""The loss and the metrics of a model on some examples, many steps a Python call."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from trainer.inputs.cache import AnyExamples
from trainer.inputs.memory import telling
from trainer.models import Halves
from trainer.training.pace import Pace
from trainer.training.running import RunningLoss


class Evaluation:
    """The loss and the compiled metrics of a model; traced once for all examples that it is called with.

    Args:
        model: A compiled model.
        halves: The same model, taken apart where features are encoded.
    """

    def __init__(self, model: keras.Model, halves: Halves) -> None:
        self.model, self.halves, self.loss, self.pace = model, halves, RunningLoss(), Pace()
        self._run = tf.function(self._steps, reduce_retracing=True, autograph=False)

    def __call__(
        self, examples: AnyExamples, batch_size: int = 4096, between: Callable[[], object] = lambda: None
    ) -> dict[str, float]:
        """Returns the loss, the metrics and how many examples they are of.

        Args:
            examples: Encoded as the halves want them.
            batch_size: Examples a step.
            between: Called between groups of steps; what it raises ends the evaluation.
        """
        self.model.reset_metrics()
        self.loss.restore(0.0, 0.0)
        batches, left = iter(examples.batches(batch_size)), -(-len(examples) // batch_size)
        while left:
            between()
            steps, start = min(self.pace.steps, left), time.perf_counter()
            with telling():
                self._run(batches, tf.constant(steps))
            self.pace.follow(steps, time.perf_counter() - start)
            left -= steps
        results = {name: float(value) for name, value in self.model.get_metrics_result().items() if name != "loss"}
        self.model.reset_metrics()
        return {"loss": self.loss.mean, **results, "examples": len(examples)}

    def _steps(self, batches: Iterator[Any], steps: Any) -> None:
        def body(done: Any) -> Any:
            features, labels, weights = next(batches)
            logits = self.halves.logits(features, False)
            value = self.model.compute_loss(y=labels, y_pred=logits, sample_weight=weights, training=False)
            self.loss.add(value, tf.shape(labels)[0])
            self.model.compute_metrics(None, labels, logits, weights)
            return [done + 1]

        tf.while_loop(lambda done: done < steps, body, [tf.constant(0)])
