"""Examples a second of a table with 26 columns of strings and 13 of numbers: `python -m tests.benchmarks.tabular`.

The rows are made up in the shape of Criteo's: strings of 8 hexadecimal digits with 10 to 5,000,000 different values a
column, drawn from Zipf(1.1), and lognormal numbers; the label is drawn from planted weights of the strings. Strings are
hashed over as many buckets as the column has values, `--largest-table` at most: with 100,000, optimizers that write
tables whole have less to write. Each table has 16 columns, the hidden layers 64 and 32. All sides take the same batches
in the same order, start from the same values and train with Adagrad at the same rate. A round is three epochs, and
losses are compared after the first:

    raw strings   ours encodes all rows once and trains from the ids, and the time to encode counts; tf.feature_column
                  reads strings in the `DenseFeatures` of a tf_keras model, FeatureSpace in `dataset.map`, every epoch
    cached ids    ours and PyTorch, with one `Embedding(sparse=True)` a column, train from ids that are there
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.benchmarks.pairs import Bar, Row, labels_of, parser, planted, run, zipf
from tests.benchmarks.sides import Array, Data, Fit, OldFit, OurLoop, Side, Torch, keras_tower, peer, table_start
from trainer import feature_column as fc
from trainer import layers, optimizers
from trainer.feature_column.serialization import encoded_key
from trainer.inputs.memory import Examples, collect, encoded, joined

NUMBERS = [f"I{place:02}" for place in range(1, 14)]
DIMENSION, HIDDEN, RATE, EPOCHS, STEPS_PER_CALL = 16, (64, 32), 0.05, 3, 20

Buckets = dict[str, int]


def values_of(columns: int) -> dict[str, int]:
    """Returns how many different values each column of strings has."""
    values = np.geomspace(10, 5_000_000, columns).astype(int).tolist()
    return {f"C{place:02}": count for place, count in enumerate(values, start=1)}


def drawn(values_of_columns: Mapping[str, int], rows: int, seed: int) -> Examples:
    """Returns raw rows with planted labels."""
    draw = np.random.default_rng(seed)
    features: dict[str, Array] = {}
    logits = np.zeros(rows)
    for place, (key, values) in enumerate(values_of_columns.items()):
        unique, places = np.unique(zipf(draw, values, rows), return_inverse=True)
        strings = np.char.mod("%08x", (unique * 2654435761 + place * 40503) % 2**32).astype(object)
        features[key] = strings[places]
        logits += 0.8 * planted(unique, place)[places]
    for key in NUMBERS:
        features[key] = draw.lognormal(size=rows).astype(np.float32)
    logits += 0.5 * np.log(features["I01"])
    labels = labels_of(draw, logits)
    return Examples(features, labels, np.ones_like(labels))


def columns_of(buckets: Buckets) -> list[Any]:
    """Returns our columns."""
    hashed = [fc.categorical_column_with_hash_bucket(key, size) for key, size in buckets.items()]
    numeric = [fc.numeric_column(key) for key in NUMBERS]
    return [*(fc.embedding_column(column, DIMENSION, initializer=table_start) for column in hashed), *numeric]


def ids_of(raw: Data, buckets: Buckets) -> Data:
    """Returns the same data as ids and numbers, by the keys of the raw ones."""
    columns = columns_of(buckets)
    keys = {encoded_key(layers.encodable(column)): layers.encodable(column).name for column in columns}
    encoder = layers.Encoder(columns)

    def renamed(examples: Examples) -> Examples:
        found = collect(examples.batches(8192), encoder)
        features = {key: found.features[name] for name, key in keys.items()}
        return Examples(features, found.labels, found.weights)

    return Data(renamed(raw.train), renamed(raw.validation), raw.batch_size)


class Tabular:
    """What a side is made with."""

    def __init__(self, data: Data, buckets: Buckets) -> None:
        super().__init__(data)  # type: ignore[call-arg]  # a side comes after this class in those below
        self.buckets = buckets


class FromStrings(Tabular, OurLoop):
    """Ours: all rows are encoded once a round, and its seconds are spread over the steps of the round."""

    def compiled(self) -> keras.Model:
        columns = columns_of(self.buckets)
        raw = layers.inputs(columns)
        features = layers.DenseFeatures(columns, encoded=True)(layers.Encoder(columns)(raw))
        model = keras.Model(list(raw.values()), keras_tower(keras, features, HIDDEN))
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        model.compile(optimizers.Adagrad(RATE), loss, jit_compile=False)
        return model

    def advance(self, steps: int) -> float:
        seconds = self.encode()
        return seconds / steps + super().advance(steps)

    def encode(self) -> float:
        """Encodes all rows and returns the seconds, without those of tracing, which the first batch has."""
        parts = encoded(self.data.train.batches(8192), self.halves.encode)
        first, _ = next(parts)
        start = time.perf_counter()
        self.examples = joined([first, *(part for part, _ in parts)])
        left = len(self.examples) - len(first)
        return (time.perf_counter() - start) * len(self.examples) / max(1, left)


class FromIds(FromStrings):
    """Ours, from ids."""

    def encode(self) -> float:
        """Names the ids as the model does."""
        self.examples = self.named(self.data.train)
        return 0.0

    def named(self, examples: Examples) -> Examples:
        """Returns examples by the keys of our encoder."""
        return Examples(self.keyed(examples.features), examples.labels, examples.weights)

    def keyed(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """Returns features by the keys of our encoder."""
        parts = [layers.encodable(column) for column in columns_of(self.buckets)]
        return {encoded_key(part): features[part.name] for part in parts}

    def logits(self, features: Mapping[str, Any]) -> Array:
        return np.asarray(self.halves.logits(self.keyed(features), False))


class FeatureColumns(Tabular, OldFit):
    """tf.feature_column in the `DenseFeatures` of a tf_keras model."""

    def compiled(self) -> Any:
        old, columns = peer("tf_keras"), []
        for key, size in self.buckets.items():
            hashed = tf.feature_column.categorical_column_with_hash_bucket(key, size)
            columns.append(tf.feature_column.embedding_column(hashed, DIMENSION, initializer=table_start))
        columns += [tf.feature_column.numeric_column(key) for key in NUMBERS]
        raw = {key: old.Input((), name=key, dtype="string") for key in self.buckets}
        raw |= {key: old.Input((), name=key, dtype="float32") for key in NUMBERS}
        model = old.Model(raw, keras_tower(old, old.layers.DenseFeatures(columns)(raw), HIDDEN))
        loss = old.losses.BinaryCrossentropy(from_logits=True)
        model.compile(old.optimizers.Adagrad(RATE), loss, steps_per_execution=STEPS_PER_CALL, jit_compile=False)
        return model


class FeatureSpace(Tabular, Fit):
    """FeatureSpace in `dataset.map`, and a stock `Embedding` a column."""

    def compiled(self) -> keras.Model:
        space = keras.utils.FeatureSpace
        kinds = {key: space.string_hashed(num_bins=size, output_mode="int") for key, size in self.buckets.items()}
        self.space = space({**kinds, **{key: space.float() for key in NUMBERS}}, output_mode="dict")
        self.space.adapt(self.data.train.batches(8192).take(1).map(lambda features, labels, weights: features))
        raw = {key: keras.Input((1,), name=key, dtype="int64") for key in self.buckets}
        raw |= {key: keras.Input((1,), name=key) for key in NUMBERS}
        rows = {key: keras.layers.Embedding(size, DIMENSION, table_start) for key, size in self.buckets.items()}
        parts = [keras.layers.Flatten()(rows[key](raw[key])) for key in rows] + [raw[key] for key in NUMBERS]
        model = keras.Model(raw, keras_tower(keras, keras.layers.Concatenate()(parts), HIDDEN))
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        adagrad = keras.optimizers.Adagrad(RATE)
        model.compile(adagrad, loss, steps_per_execution=STEPS_PER_CALL, jit_compile=False)
        return model

    def batches(self, steps: int) -> tf.data.Dataset:
        found = super().batches(steps)
        return found.map(lambda features, labels: (self.space(features), labels), tf.data.AUTOTUNE).prefetch(4)

    def logits(self, features: Mapping[str, Any]) -> Array:
        return super().logits(self.space(dict(features)))


def torch(data: Data, buckets: Buckets) -> Torch:
    """Returns the same model in PyTorch."""
    return Torch(data, buckets, DIMENSION, HIDDEN, RATE)


def rows_of(raw: Data, buckets: Buckets) -> Iterator[Row]:
    """Yields the rows."""

    def row(name: str, data: Data, over: str, theirs: Any, ours: Any, limit: float) -> Row:
        sides: dict[str, Callable[[], Side]] = {
            over: partial(theirs, data, buckets),
            "ours": partial(ours, data, buckets),
        }
        return Row(
            f"{name} against {over}",
            raw.batch_size,
            EPOCHS * raw.epoch_steps,
            sides,
            [Bar(over, "ours", limit)],
            judged=0,
        )

    yield row("raw strings", raw, "tf.feature_column, tf_keras", FeatureColumns, FromStrings, 1.2)
    yield row("raw strings", raw, "FeatureSpace, Keras 3", FeatureSpace, FromStrings, 3)
    yield row("cached ids", ids_of(raw, buckets), "PyTorch", torch, FromIds, 1.4)


def main() -> None:
    defaults = {"rows": 200_000, "strings": 26, "batch_size": 4096, "largest_table": 5_000_000}
    flags = parser(__doc__, **defaults).parse_args()
    if flags.quick:
        flags.rows, flags.strings, flags.largest_table, flags.rounds = 20_000, 6, 1000, 1
        flags.torch_threads = 1  # two that wait for each other are slow where the machine is busy
    values = values_of(flags.strings)
    buckets = {key: min(count, flags.largest_table) for key, count in values.items()}
    raw = Data(drawn(values, flags.rows, 0), drawn(values, max(1000, flags.rows // 5), 1), flags.batch_size)
    print(f"tables of {min(buckets.values()):,} to {max(buckets.values()):,} rows, {sum(buckets.values()):,} together")
    run(rows_of(raw, buckets), flags, ("tf_keras", "torch"))


if __name__ == "__main__":
    main()
