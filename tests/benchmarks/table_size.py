"""Step time against the rows of one table: `python -m tests.benchmarks.table_size`.

The model is the smallest that has a table: 64 columns on one id an example, one hidden layer of 64, logistic loss.
Ids are drawn from Zipf(1.1), each with a planted weight, and all sides of a row take the same batches in the same
order, start from the same values and have the same learning rate. Ours is measured as our loop,
`trainer.training.train`, and as `model.fit` with our layer and optimizer; the peers are stock Keras 3 and tf_keras with
their `Embedding` and `fit`, PyTorch with `Embedding(sparse=True)`, and a TensorFlow loop of raw operations written by
hand. Each `fit` takes 20 steps a call. The seconds a step leave out the first eighth of every round, so nothing is
traced in them; to make the model, and its first step with all that is traced, stand apart.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
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
RATES = {"Adagrad": 0.1, "RowWiseAdagrad": 0.1, "LazyAdam": 0.01, "Adam": 0.01}


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
        return EmbeddingTable(*shape, initial_values=lambda: table_start(shape))


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


SIDES: dict[str, Callable[..., Side]] = {
    "our loop": Loop,
    "our fit": OurFit,
    "Keras 3": Keras3,
    "tf_keras": TfKeras,
    "PyTorch": torch,
    "raw loop": RawLoop,
}


def growth(side: str, optimizer: str, sizes: list[int], steps: int, limits: Mapping[tuple[int, int], float]) -> Row:
    """Returns the row of one side at several sizes."""
    sides = {
        f"{side} {optimizer}, {size:,} rows": partial(
            lambda size: SIDES[side](drawn(size, 1024, 1024 * steps), optimizer, size), size
        )
        for size in sizes
    }
    names = dict(zip(sizes, sides, strict=True))
    bars = [Bar(names[a], names[b], limit, at_least=False) for (a, b), limit in limits.items()]
    return Row(f"growth of {side} {optimizer}", 1024, steps, sides, bars)


def pair(over: str, under: str, rows: int, steps: int, limit: float | None, batch_size: int = 1024) -> Row:
    """Returns the row of two sides, each "side, optimizer", at one size."""
    data: list[Data] = []

    def made(name: str) -> Side:
        side, optimizer = name.split(", ")
        if not data:
            data.append(drawn(rows, batch_size, min(batch_size * steps, 2**21)))
        return SIDES[side](data[0], optimizer, rows)

    sides = {name: partial(made, name) for name in (over, under)}
    bars = [] if limit is None else [Bar(over, under, limit)]
    return Row(f"{under} against {over}, {rows:,} rows", batch_size, steps, sides, bars)


def rows_of(small: int, middle: int, large: int, steps: int, slow_steps: int) -> Iterator[Row]:
    """Yields the rows, for three sizes of the table; stock optimizers that write it whole get fewer steps."""
    limits = {(middle, small): 2.2, (large, small): 2.5, (large, middle): 1.3}
    for optimizer in ("Adagrad", "RowWiseAdagrad", "LazyAdam"):
        if optimizer in optimizers.names():
            yield growth("our loop", optimizer, [small, middle, large], steps, limits)
    yield growth("PyTorch", "Adagrad", [small, middle, large], steps, {})
    for side in ("Keras 3", "tf_keras"):
        yield growth(side, "Adam", [small, middle // 10, middle], slow_steps, {})
        yield growth(side, "Adagrad", [small, middle // 10, middle], slow_steps, {})
    yield pair("Keras 3, Adam", "our loop, LazyAdam", middle, slow_steps, 100)
    yield pair("Keras 3, Adam", "our fit, LazyAdam", middle, slow_steps, 60)
    yield pair("PyTorch, Adagrad", "our loop, Adagrad", middle, steps, 1.1)
    yield pair("PyTorch, Adagrad", "our loop, Adagrad", middle, steps, 0.9, batch_size=8192)
    for size in (small, middle, large):
        yield pair("raw loop, Adagrad", "our loop, Adagrad", size, steps, 0.9)
    yield pair("our loop, Adagrad", "our fit, Adagrad", middle, steps, 0.7)


def main() -> None:
    flags = parser(__doc__, small=1000, middle=1_000_000, large=10_000_000, steps=400, slow_steps=60).parse_args()
    if flags.quick:
        flags.middle, flags.large, flags.steps, flags.slow_steps, flags.rounds = 20_000, 50_000, 60, 40, 1
    rows = rows_of(flags.small, flags.middle, flags.large, flags.steps, flags.slow_steps)
    run(rows, flags, ("tf_keras", "torch"))


if __name__ == "__main__":
    main()
