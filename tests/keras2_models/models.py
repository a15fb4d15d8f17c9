"""Models of Keras 2 on random columns of every kind, trained for a few steps; it needs TensorFlow and Keras 2 alone."""

from typing import Any

import numpy as np
import tensorflow as tf

WORDS = ("Mon", "Tue", "Wed", "Thu", "Fri")
BAGS = ("tags", "weights", "watched", "degrees")
TF = tf.feature_column


def rows(seed: int, count: int = 24) -> dict[str, Any]:
    """Raw features, dense; those of BAGS are padded with '', 0, -1 and NaN."""
    random = np.random.default_rng(seed)
    lengths = random.integers(0, 4, count)
    lengths[:2] = 1, 3
    there = np.arange(3) < lengths[:, None]
    return {
        "day": random.choice([*WORDS, "Sat", "?"], (count, 1)),
        "hour": random.integers(0, 24, count),
        "miles": random.normal(0, 2, (count, 2)).astype(np.float32),
        "tags": np.where(there, random.choice(["a", "b", "c", "d"], (count, 3)), ""),
        "weights": np.where(there, random.uniform(0.1, 2, (count, 3)), 0).astype(np.float32),
        "watched": np.where(there, random.integers(0, 9, (count, 3)), -1),
        "degrees": np.where(there, random.normal(0, 1, (count, 3)), np.nan).astype(np.float32),
    }


def features(raw: dict[str, Any]) -> dict[str, Any]:
    """What models take: bags as sparse tensors."""
    there = np.argwhere(raw["watched"] >= 0)
    shape = raw["watched"].shape
    return {
        key: tf.SparseTensor(there, values[tuple(there.T)], shape) if key in BAGS else tf.constant(values)
        for key, values in raw.items()
    }


def deep_columns(seed: int) -> list[Any]:
    """Columns of every kind that `DenseFeatures` takes, drawn."""
    random = np.random.default_rng(seed)

    def drawn() -> dict[str, Any]:
        combiner = str(random.choice(["mean", "sum", "sqrtn"]))
        return {"dimension": int(random.integers(1, 4)), "combiner": combiner}

    oov = int(random.integers(0, 3))
    day = TF.categorical_column_with_vocabulary_list("day", WORDS, num_oov_buckets=oov)
    hour = TF.categorical_column_with_identity("hour", 24)
    tags = TF.categorical_column_with_hash_bucket("tags", int(random.integers(3, 9)))
    miles = TF.numeric_column("miles", (2,))
    ranges = TF.bucketized_column(miles, [-1.0, 0.0, 1.5])
    cross = TF.crossed_column([day, hour], int(random.integers(20, 40)))
    return [
        miles,
        ranges,
        TF.embedding_column(day, **drawn()),
        TF.embedding_column(hour, **drawn(), trainable=False),
        TF.embedding_column(TF.weighted_categorical_column(tags, "weights"), **drawn(), max_norm=0.7),
        TF.embedding_column(tags, **drawn()),
        TF.embedding_column(cross, **drawn()),
        TF.indicator_column(hour),
    ]


def wide_columns(seed: int) -> list[Any]:
    """One-hots."""
    day = TF.categorical_column_with_vocabulary_list("day", WORDS, default_value=1)
    size = int(np.random.default_rng(seed).integers(20, 40))
    crossed = TF.crossed_column([day, TF.categorical_column_with_identity("hour", 24)], size)
    return [TF.indicator_column(day), TF.indicator_column(crossed)]


def sequence_columns(seed: int) -> list[Any]:
    """Columns of both kinds that `SequenceFeatures` takes."""
    watched = TF.sequence_categorical_column_with_identity("watched", 9)
    dimension = int(np.random.default_rng(seed).integers(1, 4))
    embedding = TF.embedding_column(watched, dimension)
    return [embedding, TF.indicator_column(watched), TF.sequence_numeric_column("degrees")]


def functional(keras: Any, seed: int) -> Any:
    """Wide, deep and in time, with inputs by name."""
    inputs = {
        "day": keras.Input((1,), name="day", dtype="string"),
        "hour": keras.Input((), name="hour", dtype="int64"),
        "miles": keras.Input((2,), name="miles"),
        "tags": keras.Input((None,), name="tags", dtype="string", sparse=True),
        "weights": keras.Input((None,), name="weights", sparse=True),
        "watched": keras.Input((None,), name="watched", dtype="int64", sparse=True),
        "degrees": keras.Input((None,), name="degrees", sparse=True),
    }
    wide = keras.layers.DenseFeatures(wide_columns(seed), name="wide")({key: inputs[key] for key in ("day", "hour")})
    deep = keras.layers.DenseFeatures(deep_columns(seed), name="deep")(inputs)
    steps, lengths = keras.experimental.SequenceFeatures(sequence_columns(seed), name="in_time")(inputs)
    both = keras.layers.Bidirectional(keras.layers.LSTM(2))(steps)
    last = keras.layers.GRU(2, name="last")(steps, mask=tf.sequence_mask(lengths))
    hidden = keras.layers.Concatenate()([deep, both, last])
    hidden = keras.layers.Dense(4, "relu", kernel_regularizer="l2")(hidden)
    hidden = keras.layers.Dropout(0.1)(keras.layers.BatchNormalization()(hidden))
    logits = keras.layers.Add()([keras.layers.Dense(1)(hidden), keras.layers.Dense(1, use_bias=False)(wide)])
    return trained(keras.Model(inputs, keras.layers.Activation("sigmoid")(logits), name="wide_deep_time"), seed)


def sequential(keras: Any, seed: int) -> Any:
    """The columns first, without inputs."""
    features = keras.layers.DenseFeatures(deep_columns(seed)[3:5], name="features")
    layers = [features, keras.layers.Dense(3), keras.layers.LeakyReLU(0.2), keras.layers.Dense(1, name="out")]
    return trained(keras.Sequential(layers, name="in_order"), seed)


def premade(keras: Any, seed: int) -> Any:
    """Keras's own wide and deep model."""
    linear = keras.Sequential([keras.layers.DenseFeatures(wide_columns(seed)), keras.experimental.LinearModel()])
    deep = keras.Sequential([keras.layers.DenseFeatures(deep_columns(seed)), keras.layers.Dense(1)])
    return trained(keras.experimental.WideDeepModel(linear, deep, "sigmoid"), seed)


def subclassed(keras: Any, seed: int) -> Any:
    """A forward pass of one's own."""

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="own")
            self.features = keras.layers.DenseFeatures(deep_columns(seed))
            self.hidden = keras.layers.Dense(3, "tanh")
            self.out = keras.layers.Dense(1)

        def call(self, features: Any) -> Any:
            return self.out(self.hidden(self.features(features)))

    return trained(Own(), seed)


def trained(model: Any, seed: int) -> Any:
    """The model after three steps."""
    model.compile("adagrad", "binary_crossentropy")
    raw = rows(seed + 1)
    read = set(model.input) if isinstance(getattr(model, "input_names", None), list) and model.inputs else set(raw)
    batch = {key: values for key, values in features(raw).items() if key in read}
    labels = np.random.default_rng(seed).integers(0, 2, (24, 1)).astype(np.float32)
    model.fit(tf.data.Dataset.from_tensors((batch, labels)).repeat(3), verbose=0)
    return model
