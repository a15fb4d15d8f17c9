"""Steps of training as one TensorFlow function, many a call, which stops before the update of a loss not finite."""

import re
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from trainer.models import Halves, is_summed
from trainer.training.machines import replicas
from trainer.training.running import ONCE, RunningLoss

_CHECK = "the loss of a step"


class NotFinite(Exception):
    """The loss of a step is not finite.

    Args:
        steps: The steps that the call had done before it.
        value: "nan", "inf" or "-inf".
    """

    def __init__(self, steps: int, value: str) -> None:
        super().__init__(f"{value} after {steps} steps")
        self.steps, self.value = steps, value


class Steps:
    """Steps of training, many a call; `loss` is the mean of those since it was last restored.

    Args:
        model: A compiled model.
        halves: The same model, taken apart where features are encoded.
        batch_size: Examples a step of all replicas; of several, a table with fewer rows than one of them has examples
            is sent whole.
    """

    def __init__(self, model: keras.Model, halves: Halves, batch_size: int = 0) -> None:
        self.model, self.halves, self.loss = model, halves, RunningLoss()
        self.replicas, self.batch_size = replicas.current(), batch_size
        self.done = tf.Variable(0, dtype=tf.int64, trainable=False, aggregation=ONCE)
        self._take(model.trainable_variables)

    def follow(self) -> None:
        """Trains what the model trains now, which a callback may have changed; the steps are then traced anew."""
        variables = self.model.trainable_variables
        if list(map(id, variables)) != list(map(id, self.variables)):
            self._take(variables)

    def __call__(self, batches: Iterator[Any], steps: int) -> None:
        """Takes some steps.

        Raises:
            NotFinite: The loss of a step is not finite; it and those after it have changed no trained weight.
        """
        before = int(self.done.numpy())
        try:
            with self.replicas.limited():
                self._run(batches, tf.constant(steps))
        except tf.errors.InvalidArgumentError as error:
            found = re.search(f"{_CHECK} : Tensor had ([-+]Inf|NaN) values", str(error))
            if found is None:
                raise
            raise NotFinite(int(self.done.numpy()) - before, found[1].strip("+").lower()) from None

    def _take(self, variables: list[Any]) -> None:
        self.variables = variables
        self._run = tf.function(self._steps, reduce_retracing=True, autograph=False)

    def _steps(self, batches: Any, steps: Any) -> None:
        def body(done: Any) -> Any:
            self.replicas.taken(self._step, next(batches), self.model.optimizer)
            return [done + 1]

        tf.while_loop(lambda done: done < steps, body, [tf.constant(0)])

    def _step(self, features: Any, labels: Any, weights: Any, examples: Any = None) -> None:
        with tf.GradientTape() as tape:
            logits = self.halves.logits(features, True)
            value = self.model.compute_loss(y=labels, y_pred=logits, sample_weight=weights, training=True)
            scaled = self.model.optimizer.scale_loss(value)
        value = tf.cast(value, tf.float32)
        value = value / tf.cast(tf.shape(weights)[0], value.dtype) if is_summed(self.model) else value
        if examples is not None:
            self._together(tape.gradient(scaled, self.variables), value, tf.cast(examples, tf.float32))
            return
        # Nothing is written before the loss is seen to be finite.
        with tf.control_dependencies([tf.raw_ops.CheckNumericsV2(tensor=value, message=_CHECK)]):
            ones = tf.ones_like(scaled)
            self.done.assign_add(1)
            self.loss.add(value, tf.shape(weights)[0])
        gradients = tape.gradient(scaled, self.variables, output_gradients=ones)
        with tf.control_dependencies([ones]):
            self.model.optimizer.apply(gradients, self.variables)

    def _together(self, gradients: list[Any], value: Any, examples: Any) -> None:
        """Applies the gradients of all replicas, given those of this one."""
        layers = self.model._flatten_layers()  # of each its own alone: weights that are frozen are no means
        own = [each for layer in layers for each in layer._non_trainable_variables]
        averaged = [each for each in own if each.value.dtype.is_floating]
        means = [value, *(each.value for each in averaged)]
        small = self.batch_size // (self.replicas.count * self.replicas.copies)
        found = self.replicas.exchanged(gradients, means, examples, small)
        value, *means = found.means
        # All see the same loss, so that all stop at the same step.
        with tf.control_dependencies([tf.raw_ops.CheckNumericsV2(tensor=value, message=_CHECK)]):
            self.done.assign_add(1)
            self.loss.add(value, found.examples)
            for variable, mean in zip(averaged, means, strict=True):
                variable.assign(mean)
            self.model.optimizer.apply(found.gradients, self.variables)
