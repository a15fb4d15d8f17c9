"""Step time against the rows of one table: `python -m tests.benchmarks.table_size`.

The model is the smallest that has a table: 64 columns on one id an example, one hidden layer of 64, logistic loss.
Ids are drawn from Zipf(1.1), each with a planted weight, and all sides of a row take the same batches in the same
order, start from the same values and have the same learning rate. Ours is measured as our loop,
`trainer.training.train`, and as `model.fit` with our layer and optimizer; the peers are stock Keras 3 and tf_keras with
their `Embedding` and `fit`, PyTorch with `Embedding(sparse=True)`, and a TensorFlow loop of raw operations written by
hand. Each `fit` takes 20 steps a call. The seconds a step leave out the first eighth of every round, so nothing is
traced in them; to make the model, and its first step with all that is traced, stand apart. Losses are compared after
the last round. Keep steps multiples of 20, or a `fit` ends with less than a whole call.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.benchmarks.pairs import Bar, Row, labels_of, parser, planted, run, scattered, zipf
from tests.benchmarks.sides import (
    ACCUMULATOR,
    EPSILON,
    Array,
    Data,
    Fit,
    OldFit,
    OurLoop,
    Side,
    Torch,
    dense_start,
    keras_tower,
    peer,
    table_start,
    timed,
)
from trainer import optimizers
from trainer.inputs.memory import Examples
from trainer.layers import EmbeddingTable

HIDDEN, STEPS_PER_CALL = (64,), 20
EXAMPLES = 2**20  # an epoch of 1,024 steps
RATES = {"Adagrad": 0.1, "RowWiseAdagrad": 0.1, "LazyAdam": 0.01, "Adam": 0.01}


@lru_cache(maxsize=3)
def drawn(rows: int, batch_size: int, examples: int) -> Data:
    """Returns ids of a table and labels drawn from the planted weight of each."""
    draw = np.random.default_rng(0)

    def some(count: int) -> Examples:
        ids = scattered(zipf(draw, rows, count), rows)
        labels = labels_of(draw, 4 * planted(ids))
        return Examples({"id": ids[:, np.newaxis]}, labels, np.ones_like(labels))

    return Data(some(examples), some(50_000), batch_size)


def model_on(table: EmbeddingTable, optimizer: str, steps_per_execution: int = 1) -> keras.Model:
    """Returns our layer and optimizer in a compiled Keras model."""
    ids = keras.Input((1,), dtype="int64", name="id")
    model = keras.Model({"id": ids}, keras_tower(keras, table(ids), HIDDEN))
    made = optimizers.get(optimizer, RATES[optimizer])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(made, loss, steps_per_execution=steps_per_execution, jit_compile=False)
    return model


def stock(backend: Any, optimizer: str, rows: int, dimension: int) -> Any:
    """Returns the same model with a stock layer and optimizer, of Keras 3 or tf_keras."""
    ids = backend.Input((1,), dtype="int64", name="id")
    found = backend.layers.Flatten()(backend.layers.Embedding(rows, dimension, table_start)(ids))
    model = backend.Model({"id": ids}, keras_tower(backend, found, HIDDEN))
    made = getattr(backend.optimizers, optimizer)(learning_rate=RATES[optimizer])
    loss = backend.losses.BinaryCrossentropy(from_logits=True)
    model.compile(made, loss, steps_per_execution=STEPS_PER_CALL, jit_compile=False)
    return model


class Model:
    """What a side is made with."""

    def __init__(self, data: Data, optimizer: str, rows: int, dimension: int = 64) -> None:
        super().__init__(data)  # type: ignore[call-arg]  # a side comes after this class in those below
        self.optimizer, self.rows, self.dimension = optimizer, rows, dimension

    def table_like_others(self) -> EmbeddingTable:
        """Returns our layer, which starts from the values that every side starts from."""
        shape = self.rows, self.dimension
        return EmbeddingTable(*shape, initializer=lambda shape, dtype=None: table_start(shape))


class Loop(Model, OurLoop):
    """Our model in our loop."""

    def compiled(self) -> keras.Model:
        return model_on(self.table_like_others(), self.optimizer)


class OurFit(Model, Fit):
    """Our model in `model.fit`."""

    def compiled(self) -> keras.Model:
        return model_on(self.table_like_others(), self.optimizer, STEPS_PER_CALL)


class Keras3(Model, Fit):
    """Stock Keras 3."""

    def compiled(self) -> keras.Model:
        return stock(keras, self.optimizer, self.rows, self.dimension)


class TfKeras(Model, OldFit):
    """Stock tf_keras."""

    def compiled(self) -> Any:
        return stock(peer("tf_keras"), self.optimizer, self.rows, self.dimension)


class RawLoop(Model, Side):
    """Adagrad and the model as TensorFlow operations written by hand, many steps a call, on the input of our loop."""

    def prepare(self) -> None:
        self.table = tf.Variable(table_start((self.rows, self.dimension)))
        start = dense_start([self.dimension, *HIDDEN, 1])
        self.dense = [tf.Variable(values) for layer in start for values in layer]
        accumulators = [tf.Variable(tf.fill(each.shape, ACCUMULATOR)) for each in (self.table, *self.dense)]
        self.accumulator, self.accumulators = accumulators[0], accumulators[1:]
        self.run_steps = tf.function(self.steps, autograph=False)

    def above(self, rows: Any) -> Any:
        """Returns the logits of embedded rows, `(batch, 1)`."""
        weights, bias, last_weights, last_bias = self.dense
        return tf.nn.relu(rows @ weights + bias) @ last_weights + last_bias

    def steps(self, batches: Any, steps: Any) -> None:
        """Trains on some batches."""

        def body(done: Any) -> Any:
            features, labels = next(batches)
            self.step(tf.squeeze(features["id"], 1), labels)
            return (done + 1,)

        tf.while_loop(lambda done: done < steps, body, (tf.constant(0),))

    def step(self, ids: Any, labels: Any) -> None:
        """Trains on one batch."""
        rows = tf.gather(self.table, ids)
        with tf.GradientTape() as tape:
            tape.watch(rows)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, self.above(rows)))
        of_rows, *of_dense = tape.gradient(loss, [rows, *self.dense])
        options = {"lr": RATES["Adagrad"], "epsilon": EPSILON, "update_slots": True}
        unique, places = tf.unique(ids)
        summed = tf.math.unsorted_segment_sum(of_rows, places, tf.size(unique))
        tf.raw_ops.ResourceSparseApplyAdagradV2(
            var=self.table.handle, accum=self.accumulator.handle, grad=summed, indices=unique, **options
        )
        for variable, accumulator, gradient in zip(self.dense, self.accumulators, of_dense, strict=True):
            tf.raw_ops.ResourceApplyAdagradV2(var=variable.handle, accum=accumulator.handle, grad=gradient, **options)

    def advance(self, steps: int) -> float:
        batches, skipped = iter(self.data.batches(self.done, steps)), steps // 8
        self.run_steps(batches, tf.constant(skipped))
        return timed(lambda left: self.run_steps(batches, left), [tf.constant(steps - skipped)], steps - skipped)

    def logits(self, features: Mapping[str, Any]) -> Array:
        return np.asarray(self.above(tf.gather(self.table, tf.squeeze(features["id"], 1))))


def torch(data: Data, optimizer: str, rows: int, dimension: int = 64) -> Torch:
    """Returns the same model in PyTorch, whose one optimizer here is Adagrad."""
    return Torch(data, {"id": rows}, dimension, HIDDEN, RATES[optimizer])


Limits = Mapping[tuple[int, int], float]

SIDES: dict[str, Callable[..., Side]] = {
    "our loop": Loop,
    "our fit": OurFit,
    "Keras 3": Keras3,
    "tf_keras": TfKeras,
    "PyTorch": torch,
    "raw loop": RawLoop,
}


@dataclass(frozen=True)
class Rows:
    """Makes rows that have the same number of examples."""

    examples: int

    def side(self, name_and_optimizer: str, rows: int, batch_size: int) -> Side:
        """Returns a side, "name, optimizer", on a table of some rows."""
        name, optimizer = name_and_optimizer.split(", ")
        return SIDES[name](drawn(rows, batch_size, self.examples), optimizer, rows)

    def growth(self, name: str, optimizer: str, sizes: list[int], steps: int, limits: Limits | None = None) -> Row:
        """Returns the row of one side at several sizes; a limit is for the ratio of two of them."""
        names = {size: f"{name} {optimizer}, {size:,} rows" for size in sizes}
        sides = {names[size]: partial(self.side, f"{name}, {optimizer}", size, 1024) for size in sizes}
        bars = [Bar(names[a], names[b], limit, at_least=False) for (a, b), limit in (limits or {}).items()]
        return Row(f"growth of {name} {optimizer}", 1024, steps, sides, bars)

    def pair(self, over: str, under: str, rows: int, steps: int, limit: float, batch_size: int = 1024) -> Row:
        """Returns the row of two sides, each "side, optimizer", at one size."""
        sides = {both: partial(self.side, both, rows, batch_size) for both in (over, under)}
        return Row(f"{under} against {over}, {rows:,} rows", batch_size, steps, sides, [Bar(over, under, limit)])


def rows_of(flags: argparse.Namespace) -> Iterator[Row]:
    """Yields the rows, for three sizes of the table; stock optimizers that write it whole get fewer steps."""
    rows, small, middle, large = Rows(flags.examples), flags.small, flags.middle, flags.large
    limits = {(middle, small): 2.2, (large, small): 2.5, (large, middle): 1.3}
    for optimizer in ("Adagrad", "RowWiseAdagrad", "LazyAdam"):
        yield rows.growth("our loop", optimizer, [small, middle, large], flags.steps, limits)
    yield rows.growth("PyTorch", "Adagrad", [small, middle, large], flags.steps)
    for name in ("Keras 3", "tf_keras"):
        for optimizer in ("Adam", "Adagrad"):
            yield rows.growth(name, optimizer, [small, middle // 10, middle], flags.slow_steps)
    yield rows.pair("Keras 3, Adam", "our loop, LazyAdam", middle, flags.slow_steps, 100)
    yield rows.pair("Keras 3, Adam", "our fit, LazyAdam", middle, flags.slow_steps, 60)
    yield rows.pair("PyTorch, Adagrad", "our loop, Adagrad", middle, flags.steps, 1.1)
    yield rows.pair("PyTorch, Adagrad", "our loop, Adagrad", middle, flags.steps // 4, 0.9, batch_size=8192)
    for size in (small, middle, large):
        yield rows.pair("raw loop, Adagrad", "our loop, Adagrad", size, flags.steps, 0.9)
    yield rows.pair("our loop, Adagrad", "our fit, Adagrad", middle, flags.steps, 0.7)


def main() -> None:
    defaults = {"small": 1000, "middle": 1_000_000, "large": 10_000_000, "examples": EXAMPLES}
    flags = parser(__doc__, **defaults, steps=400, slow_steps=100).parse_args()
    if flags.quick:
        flags.middle, flags.large, flags.examples = 20_000, 30_000, 2**16
        flags.steps, flags.slow_steps, flags.rounds, flags.torch_threads = 40, 40, 1, 1
    run(rows_of(flags), flags, ("tf_keras", "torch"))


if __name__ == "__main__":
    main()
