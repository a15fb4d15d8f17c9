"""Sides of a comparison: a model, its optimizer and what trains it, all with one interface so that they take turns."""

import importlib
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.inputs.memory import Examples
from trainer.models import halves
from trainer.training import Position, train

SEED, SCALE, ACCUMULATOR, EPSILON = 0, 0.05, 0.1, 1e-7
"""Of the order; of the uniform start of every table; what Keras's Adagrad starts and divides with, given to all."""

Array = np.ndarray[Any, Any]


def peer(name: str) -> Any:
    """Returns a package that only benchmarks use, as one without types: torch's would be read for minutes.

    Raises:
        SystemExit: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        sys.exit(f"benchmarks: {name} is missing; pip install '.[test,bench]' brings it.")


def timed(step: Callable[[Any], Any], given: Iterable[Any], steps: int) -> float:
    """Returns the seconds a step of calls for each thing given, which are so many steps together."""
    start = time.perf_counter()
    for each in given:
        step(each)
    return (time.perf_counter() - start) / steps


def table_start(shape: Sequence[int], dtype: Any = None, **_: Any) -> Array:
    """Returns what a table starts from, the same on every side; it is an initializer of Keras, too."""
    del dtype
    found = np.random.default_rng(shape[0]).random(tuple(shape), np.float32)
    found *= 2 * SCALE
    found -= SCALE
    return found


def dense_start(widths: Sequence[int]) -> list[tuple[Array, Array]]:
    """Returns the weights and biases that the dense layers of every side start from, as Keras draws them."""
    draw, found = np.random.default_rng(SEED), []
    for before, after in pairwise(widths):
        limit = np.sqrt(6 / (before + after))
        weights = draw.uniform(-limit, limit, (before, after)).astype(np.float32)
        found.append((weights, np.zeros(after, np.float32)))
    return found


def keras_tower(backend: Any, found: Any, hidden: Sequence[int]) -> Any:
    """Returns the logits of hidden layers on a matrix, in Keras 3 or tf_keras."""
    start = dense_start([found.shape[1], *hidden, 1])
    for place, values in enumerate(start):
        layer = backend.layers.Dense(len(values[1]), "relu" if place < len(hidden) else None)
        found = layer(found)
        layer.set_weights(list(values))
    return found


def log_loss(logits: Array, labels: Array) -> float:
    """Returns the mean log loss, in nats."""
    logits, labels = logits.reshape(-1).astype(np.float64), labels.reshape(-1)
    return float(np.mean(np.logaddexp(0, logits) - logits * labels))


@dataclass(frozen=True)
class Data:
    """What all sides of a row train on and are judged by."""

    train: Examples
    validation: Examples
    batch_size: int

    @property
    def epoch_steps(self) -> int:
        return -(-len(self.train) // self.batch_size)

    def batches(self, start: int, steps: int) -> tf.data.Dataset:
        """Returns the batches of some steps, `(features, labels)`, in the order in which our loop takes them."""
        # Keras 3 rounds steps_per_epoch up to whole calls, so there must not be more.
        found = self.train.shuffled(self.batch_size, SEED, 0, start, steps)
        return found.map(lambda features, labels, weights: (features, labels)).prefetch(4)

    def places(self, start: int, steps: int) -> Iterable[Array]:
        """Yields the places of the examples of some steps: the same order, for a peer without tf.data."""
        for step in range(start, start + steps):
            epoch, place = divmod(step, self.epoch_steps)
            if place == 0 or step == start:
                seeds = tf.constant([SEED, epoch], tf.uint32)
                places = tf.range(len(self.train))
                order = tf.random.experimental.index_shuffle(places, seeds, len(self.train) - 1).numpy()
            yield order[place * self.batch_size : (place + 1) * self.batch_size]


class Side(ABC):
    """One of those that are compared. It trains on where it stopped, so that sides can take turns."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self.done = 0

    @abstractmethod
    def prepare(self) -> None:
        """Makes the model and its optimizer."""

    @abstractmethod
    def advance(self, steps: int) -> float:
        """Trains for some steps and returns the seconds a step, without what one call costs once."""

    @abstractmethod
    def logits(self, features: Mapping[str, Any]) -> Array:
        """Returns the logits of a batch."""

    def train(self, steps: int) -> float:
        """Trains for some steps more and returns the seconds a step."""
        seconds = self.advance(steps)
        self.done += steps
        return seconds

    def loss(self) -> float:
        """Returns the loss on validation."""
        of = self.data.validation
        pairs = [(self.logits(features), labels.numpy()) for features, labels, _ in of.batches(8192)]
        logits, labels = (np.concatenate(column) for column in zip(*pairs, strict=True))
        return log_loss(logits, labels)


class Clock(keras.callbacks.Callback):
    """Notes when how many steps were done, and leaves out the first: a call is traced then and groups grow.

    Args:
        steps: The steps of the call.
        done: Returns how many of them are done; None believes the number that Keras gives.
    """

    def __init__(self, steps: int, done: Callable[[], int] | None = None) -> None:
        super().__init__()
        self.steps, self.skipped, self.done = steps, steps // 8, done
        self.notes: list[tuple[int, float]] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        # Keras counts the last call of a `fit` as whole, even where batches ran out in it.
        done = min(batch + 1, self.steps) if self.done is None else self.done()
        if done > self.skipped:
            self.notes.append((done, time.perf_counter()))

    @property
    def seconds_per_step(self) -> float:
        (first, start), (last, end) = self.notes[0], self.notes[-1]
        return (end - start) / (last - first) if last > first else float("nan")


class OurLoop(Side):
    """A Keras model with our layers and optimizer, trained by `trainer.training.train`."""

    def prepare(self) -> None:
        self.model = self.compiled()
        self.halves, self.position, self.examples = halves(self.model), Position(), self.data.train

    def compiled(self) -> keras.Model:
        """Returns the compiled model."""
        raise NotImplementedError

    def advance(self, steps: int) -> float:
        start = self.position.steps
        clock = Clock(steps, lambda: self.position.steps - start)
        train(
            self.model,
            self.halves,
            self.examples,
            self.data.batch_size,
            SEED,
            last_step=start + steps,
            callbacks=[clock],
            position=self.position,
        )
        return clock.seconds_per_step

    def logits(self, features: Mapping[str, Any]) -> Array:
        return np.asarray(self.model(features, training=False))


class Fit(Side):
    """A Keras model trained by `model.fit`, many steps a call."""

    def prepare(self) -> None:
        self.model = self.compiled()

    def compiled(self) -> Any:
        """Returns the compiled model."""
        raise NotImplementedError

    def batches(self, steps: int) -> tf.data.Dataset:
        """Returns the batches of the next steps."""
        return self.data.batches(self.done, steps)

    def clock(self, steps: int) -> tuple[Clock, Any]:
        """Returns a clock, and the callback that keeps it."""
        clock = Clock(steps)
        return clock, clock

    def advance(self, steps: int) -> float:
        clock, callback = self.clock(steps)
        self.model.fit(self.batches(steps), steps_per_epoch=steps, verbose=0, callbacks=[callback])
        return clock.seconds_per_step

    def logits(self, features: Mapping[str, Any]) -> Array:
        return np.asarray(self.model(features, training=False))


class OldFit(Fit):
    """A tf_keras model trained by its `fit`."""

    def clock(self, steps: int) -> tuple[Clock, Any]:
        clock = Clock(steps)
        return clock, peer("tf_keras").callbacks.LambdaCallback(on_batch_end=clock.on_train_batch_end)


class Torch(Side):
    """PyTorch with an `Embedding(sparse=True)` a feature, and its Adagrad, which takes sparse gradients and dense ones.

    Args:
        data: Ids `(examples, 1)` and numbers `(examples, width)`.
        tables: The rows of the table of each feature that is an id; the other features are numbers.
        dimension: The floats of a row.
        hidden: The widths of the hidden layers.
        rate: The learning rate.
    """

    def __init__(self, data: Data, tables: Mapping[str, int], dimension: int, hidden: Sequence[int], rate: float):
        super().__init__(data)
        self.rows, self.dimension, self.hidden, self.rate = tables, dimension, hidden, rate

    def prepare(self) -> None:
        torch = peer("torch")
        features = {key: torch.from_numpy(values) for key, values in self.data.train.features.items()}
        self.features, self.labels = features, torch.from_numpy(self.data.train.labels)
        self.tables = {key: self.table(rows) for key, rows in self.rows.items()}
        numbers = sum(values.shape[1] for key, values in features.items() if key not in self.rows)
        self.tower = torch_tower([len(self.tables) * self.dimension + numbers, *self.hidden, 1])
        parameters = [*(table.weight for table in self.tables.values()), *self.tower.parameters()]
        options = {"initial_accumulator_value": ACCUMULATOR, "eps": EPSILON}
        self.adagrad = torch.optim.Adagrad(parameters, lr=self.rate, **options)

    def table(self, rows: int) -> Any:
        """Returns a new table."""
        start = peer("torch").from_numpy(table_start((rows, self.dimension)))
        return peer("torch").nn.Embedding(rows, self.dimension, sparse=True, _weight=start)

    def forward(self, features: Mapping[str, Any]) -> Any:
        """Returns the logits of a batch of tensors, `(batch, 1)`."""
        found = {key: self.tables[key](features[key].squeeze(1)) for key in self.tables}
        return self.tower(peer("torch").cat([found.get(key, features[key]) for key in features], 1))

    def advance(self, steps: int) -> float:
        loss = peer("torch").nn.BCEWithLogitsLoss()

        def step(places: Array) -> None:
            batch = {key: values[places] for key, values in self.features.items()}
            self.adagrad.zero_grad()
            loss(self.forward(batch), self.labels[places]).backward()
            self.adagrad.step()

        return timed(step, self.data.places(self.done, steps), steps)

    def logits(self, features: Mapping[str, Any]) -> Array:
        torch = peer("torch")
        with torch.no_grad():
            found = self.forward({key: torch.from_numpy(values.numpy()) for key, values in features.items()})
        return np.asarray(found)


def torch_tower(widths: Sequence[int]) -> Any:
    """Returns PyTorch's dense layers of some widths."""
    torch, layers = peer("torch"), []
    for weights, bias in dense_start(widths):
        layer = torch.nn.Linear(*weights.shape)
        layer.load_state_dict({"weight": torch.from_numpy(weights.T.copy()), "bias": torch.from_numpy(bias)})
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])
