import ast
import json
import operator
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer import feature_column as fc
from trainer import layers, optimizers
from trainer.errors import Refusal
from trainer.feature_column.nested import nested
from trainer.feature_column.serialization import encoded_key
from trainer.layers import columns as shared
from trainer.optimizers.rows import summed
from trainer.warm_start import Report, Start

pytestmark = [
    # Keras asks a variable for an array as NumPy 2 no longer wants to be asked.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
    # It also tells that what was asked for is turned off, before the layers refuse it.
    pytest.mark.filterwarnings("ignore:Model doesn't support `jit_compile=True`:UserWarning"),
]

DAYS = ["Mon", "Tue", "Wed"]
DAY = fc.categorical_column_with_vocabulary_list("day", DAYS)
HOUR = fc.categorical_column_with_identity("hour", 24)
TAIL = fc.categorical_column_with_hash_bucket("tail number", 20)
MILES = fc.numeric_column("miles", normalizer_fn=operator.neg)
RANGES = fc.bucketized_column(fc.numeric_column("miles"), [100, 500])
PLACE = fc.numeric_column("place", 2)
DAY_HOUR = fc.crossed_column([DAY, HOUR])
HOUR_DAY = fc.crossed_column([HOUR, DAY], 30)

DEEP: list[fc.DenseColumn] = [
    fc.embedding_column(DAY_HOUR, 4, name="day_hour"),
    fc.embedding_column(TAIL, 3, combiner="sqrtn", max_norm=0.5),
    fc.indicator_column(DAY),
    RANGES,
    MILES,
    PLACE,
]
WIDE: list[fc.FeatureColumn] = [DAY, HOUR_DAY, fc.crossed_column([DAY, HOUR], 30), RANGES, MILES, PLACE, TAIL]


def features(examples: int = 32, seed: int = 0) -> dict[str, Any]:
    draw = np.random.default_rng(seed)
    return {
        "day": tf.constant(draw.choice([*DAYS, "Sun", ""], examples)),
        "hour": tf.constant(draw.integers(0, 24, examples)),
        "tail number": tf.constant(draw.choice(["N1", "N2", "N3"], examples)),
        "miles": tf.constant(draw.uniform(0, 900, examples).astype(np.float32)),
        "place": tf.constant(draw.normal(size=(examples, 2)).astype(np.float32)),
    }


def table(rows: int = 5, dimension: int = 2, **arguments: Any) -> layers.EmbeddingTable:
    made = layers.EmbeddingTable(rows, dimension, **arguments)
    made.build()
    made.table.assign(np.arange(1, rows * dimension + 1, dtype=np.float32).reshape(rows, dimension))
    return made


# Every kind of column, with three examples: several values, none, one.

MINUTE = fc.categorical_column_with_identity("minute", 3)
TAILS = fc.categorical_column_with_hash_bucket("tail", 20)

Declared = Callable[[Path], list[fc.FeatureColumn]]


def weighted() -> fc.WeightedCategoricalColumn:
    return fc.weighted_categorical_column(DAY, "share")


DENSE_KINDS: dict[str, Declared] = {
    "numbers": lambda folder: [MILES],
    "ranges": lambda folder: [RANGES],
    "indicator of a vocabulary": lambda folder: [fc.indicator_column(DAY)],
    "embedding of ids, mean": lambda folder: [fc.embedding_column(HOUR, 2)],
    "embedding of a hash, sqrtn": lambda folder: [fc.embedding_column(TAILS, 3, "sqrtn", max_norm=0.5)],
    "embedding of a file": lambda folder: [
        fc.embedding_column(fc.categorical_column_with_vocabulary_file("day", vocabulary(folder), num_oov_buckets=2), 2)
    ],
    "embedding of ranges": lambda folder: [fc.embedding_column(RANGES, 2)],
    "exact cross": lambda folder: [fc.embedding_column(DAY_HOUR, 2, "sum", name="day_hour")],
    "hashed cross": lambda folder: [fc.indicator_column(HOUR_DAY)],
    "weighted, mean": lambda folder: [fc.embedding_column(weighted(), 2)],
    "weighted, sqrtn": lambda folder: [fc.embedding_column(weighted(), 2, "sqrtn")],
    "weighted, sum": lambda folder: [fc.embedding_column(weighted(), 2, "sum")],
    "weighted indicator": lambda folder: [fc.indicator_column(weighted())],
    "weighted cross": lambda folder: [
        fc.embedding_column(fc.weighted_categorical_column(fc.crossed_column([DAY, MINUTE]), "share"), 2, name="w")
    ],
    "shared": lambda folder: [*fc.shared_embeddings([HOUR, fc.categorical_column_with_identity("other", 24)], 2)],
}
SEQUENCE_KINDS: dict[str, Declared] = {
    "sequence of a vocabulary": lambda folder: [
        fc.embedding_column(fc.sequence_categorical_column_with_vocabulary_list("day", DAYS, num_oov_buckets=1), 2)
    ],
    "sequence of a file": lambda folder: [
        fc.embedding_column(fc.sequence_categorical_column_with_vocabulary_file("day", vocabulary(folder)), 2)
    ],
    "sequence of ids": lambda folder: [
        fc.embedding_column(fc.sequence_categorical_column_with_identity("hour", 24), 2)
    ],
    "sequence as an indicator": lambda folder: [
        fc.indicator_column(fc.sequence_categorical_column_with_hash_bucket("tail", 5))
    ],
    "sequence of numbers": lambda folder: [
        fc.sequence_numeric_column("share", default_value=7, normalizer_fn=operator.neg)
    ],
    "sequence of shared ids": lambda folder: [
        *fc.shared_embeddings([fc.sequence_categorical_column_with_identity(key, 24) for key in ("hour", "other")], 2)
    ],
}
BAGS: dict[str, list[list[Any]]] = {
    "day": [["Mon", "Sun"], [], ["Wed"]],
    "hour": [[3, 3], [], [5]],
    "other": [[4, 3], [], [23]],
    "tail": [["N1", "N2"], [], ["N1"]],
    "share": [[0.5, 2.0], [], [-1.0]],
}
NUMBERS: dict[str, list[Any]] = {"miles": [1.0, 200.0, 600.0], "minute": [[1], [0], [2]]}


def vocabulary(folder: Path) -> Path:
    path = folder / "days.txt"
    path.write_text("Mon\nTue\nWed\n")
    return path


def padded(key: str, values: list[list[Any]], sequence: bool) -> tf.Tensor:
    padding: Any = "" if isinstance(values[0][0], str) else -1
    if key == "share":
        padding = np.nan if sequence else 0.0
    return tf.ragged.constant(values).to_tensor(padding)


LAYOUTS: dict[str, Callable[[str, list[list[Any]], bool], Any]] = {
    "lists": lambda key, values, sequence: values,
    "ragged": lambda key, values, sequence: tf.ragged.constant(values),
    "splits of 32 bits": lambda key, values, sequence: tf.ragged.constant(values, row_splits_dtype=tf.int32),
    "sparse": lambda key, values, sequence: tf.ragged.constant(values).to_sparse(),
    "dense": padded,
    "arrays": lambda key, values, sequence: padded(key, values, sequence).numpy(),
}


def bags_of(layout: str, sequence: bool = False) -> dict[str, Any]:
    """Returns the three examples; whole numbers of any width, but int64 where Keras compares with its inputs."""
    numbers = {key: np.array(values, np.int64 if key == "minute" else np.float32) for key, values in NUMBERS.items()}
    return {**numbers, **{key: LAYOUTS[layout](key, values, sequence) for key, values in BAGS.items()}}


def filled(layer: Any) -> Any:
    """Returns a layer with other weights than zeros, the same for one kind of layer."""
    layer.set_weights([np.sin(1 + np.arange(weights.size)).reshape(weights.shape) for weights in layer.get_weights()])
    return layer


def layers_of(kind: str, folder: Path) -> list[Any]:
    """Returns the layers that take the columns of a kind, which were not called yet."""
    if kind in SEQUENCE_KINDS:
        return [layers.SequenceFeatures(SEQUENCE_KINDS[kind](folder))]
    columns: list[Any] = DENSE_KINDS[kind](folder)
    wide = [getattr(column, "categorical_column", column) for column in columns]
    return [layers.DenseFeatures(columns), layers.LinearModel(wide, 2, "mean"), layers.Encoder(columns)]


def flat(outputs: Any) -> list[Any]:
    return [
        np.asarray(part.to_tensor(-1) if isinstance(part, tf.RaggedTensor) else part)
        for part in tf.nest.flatten(outputs)
    ]


KINDS = [*DENSE_KINDS, *SEQUENCE_KINDS]


def test_the_battery_has_every_kind_of_column(tmp_path: Path) -> None:
    declared = [column for make in (*DENSE_KINDS.values(), *SEQUENCE_KINDS.values()) for column in make(tmp_path)]
    kinds = {type(part) for column in declared for part in nested(column)}
    abstract = {fc.FeatureColumn, fc.CategoricalColumn, fc.DenseColumn}
    every = {value for value in vars(fc).values() if isinstance(value, type) and issubclass(value, fc.FeatureColumn)}
    assert kinds == every - abstract
    inside = {
        (type(column), type(column.categorical_column))
        for column in declared
        if isinstance(column, (fc.EmbeddingColumn, fc.IndicatorColumn))
    }
    assert len(inside) >= 9


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_in_every_layout(kind: str, tmp_path: Path) -> None:
    sequence = kind in SEQUENCE_KINDS
    for layer in layers_of(kind, tmp_path):
        layer(bags_of("lists", sequence))
        filled(layer)
        if isinstance(layer, layers.Encoder):
            continue
        expected = flat(layer(bags_of("lists", sequence)))
        assert all(np.isfinite(part).all() for part in expected)
        assert np.ptp(expected[0]) > 0
        for layout in LAYOUTS:
            for found, wanted in zip(flat(layer(bags_of(layout, sequence))), expected, strict=True):
                np.testing.assert_allclose(found, wanted, rtol=1e-6, err_msg=layout)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_comes_back_from_its_config(kind: str, tmp_path: Path) -> None:
    given = bags_of("ragged", kind in SEQUENCE_KINDS)
    for layer in layers_of(kind, tmp_path):
        expected = flat(filled_after(layer, given))
        config = json.loads(json.dumps(layer.get_config()))
        again = type(layer).from_config(config)
        assert (again.columns, again.name) == (layer.columns, layer.name)
        assert json.loads(json.dumps(again.get_config())) == config
        for found, wanted in zip(flat(filled_after(again, given)), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


def filled_after(layer: Any, given: Any) -> Any:
    layer(given)
    return filled(layer)(given)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_from_what_an_encoder_made(kind: str, tmp_path: Path) -> None:
    given = bags_of("ragged", kind in SEQUENCE_KINDS)
    for layer in layers_of(kind, tmp_path):
        if not isinstance(layer, layers.Encoder):
            encoded = layers.Encoder(layer.columns)(given)
            half = type(layer).from_config({**layer.get_config(), "encoded": True})
            for found, wanted in zip(flat(filled_after(half, encoded)), flat(filled_after(layer, given)), strict=True):
                np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("layout", ["ragged", "sparse", "dense"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_encoder_tells_what_it_makes_of_every_kind(kind: str, layout: str, tmp_path: Path) -> None:
    columns = layers_of(kind, tmp_path)[0].columns
    encoder = layers.Encoder(columns)
    given = bags_of(layout, kind in SEQUENCE_KINDS)
    raw = {
        key: keras.KerasTensor(
            [None, *([None] * (len(given[key].shape) - 1))],
            feature.dtype,
            sparse=isinstance(given[key], tf.SparseTensor),
            ragged=isinstance(given[key], tf.RaggedTensor),
        )
        for column in columns
        for key, feature in column.raw_features.items()
    }
    told, made = encoder.compute_output_spec(raw), encoder(given)
    assert set(told) == set(made)
    for key, spec in told.items():
        assert (spec.dtype, len(spec.shape)) == (made[key].dtype.name, len(made[key].shape))
        assert spec.ragged == isinstance(made[key], tf.RaggedTensor)


@pytest.fixture
def mixed_bfloat16() -> Iterator[None]:
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


# EmbeddingTable

COMBINED: dict[str, Callable[[Any], Any]] = {
    "sum": lambda rows: rows.sum(axis=0),
    "mean": lambda rows: rows.mean(axis=0),
    "sqrtn": lambda rows: rows.sum(axis=0) / np.sqrt(len(rows)),
}

bags = st.integers(1, 4).flatmap(
    lambda length: st.lists(st.lists(st.integers(-1, 4), min_size=length, max_size=length), min_size=1, max_size=5)
)


@pytest.mark.parametrize("combiner", COMBINED)
@given(ids=bags)
@settings(derandomize=True, max_examples=25)
def test_rows_are_combined_as_the_combiner_says_and_an_example_without_ids_gets_zeros(combiner: str, ids: Any) -> None:
    values = np.arange(1, 11, dtype=np.float64).reshape(5, 2)
    kept = [[id for id in bag if id >= 0] for bag in ids]
    expected = [COMBINED[combiner](values[bag]) if bag else np.zeros(2) for bag in kept]
    combined = table(combiner=combiner)(np.array(ids))
    np.testing.assert_allclose(combined, expected, rtol=1e-6)


WEIGHTED: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda rows, weights: weights @ rows,
    "mean": lambda rows, weights: weights @ rows / weights.sum(),
    "sqrtn": lambda rows, weights: weights @ rows / np.sqrt((weights**2).sum()),
}
weighed = st.integers(1, 4).flatmap(
    lambda length: st.lists(
        st.lists(
            st.tuples(st.integers(-1, 4), st.sampled_from([-2.0, -0.5, 0.0, 0.25, 1.0, 3.0])),
            min_size=length,
            max_size=length,
        ),
        min_size=1,
        max_size=5,
    )
)


@pytest.mark.parametrize("combiner", WEIGHTED)
@given(bags=weighed)
@settings(derandomize=True, max_examples=25)
def test_weights_weigh_rows_as_plain_numpy_does(combiner: str, bags: Any) -> None:
    values = np.arange(1, 11, dtype=np.float64).reshape(5, 2)
    # The mean and sqrtn leave out weights of 0 or less; a sum takes all.
    kept = [[(id, w) for id, w in bag if id >= 0 and (w > 0 or combiner == "sum")] for bag in bags]
    expected = [
        WEIGHTED[combiner](values[[id for id, _ in bag]], np.array([w for _, w in bag])) if bag else np.zeros(2)
        for bag in kept
    ]
    ids, weights = ([[pair[part] for pair in bag] for bag in bags] for part in (0, 1))
    made = table(combiner=combiner)
    np.testing.assert_allclose(made(np.array(ids), np.array(weights)), expected, rtol=1e-5, atol=1e-5)
    # Without the missing ids, the rows are of different lengths.
    there = [[(id, w) for id, w in bag if id >= 0] for bag in bags]
    lengths = [len(bag) for bag in there]
    pairs = [pair for bag in there for pair in bag]
    ragged = tf.RaggedTensor.from_row_lengths(tf.constant([id for id, _ in pairs], tf.int64), lengths)
    beside = ragged.with_flat_values(tf.constant([w for _, w in pairs], tf.float32))
    for some in (beside, beside.to_tensor(9.0), beside.to_sparse()):
        np.testing.assert_allclose(made(ragged, some), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(made(ragged.to_tensor(-1), beside), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(made(ragged.to_sparse(), beside), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("combiner", COMBINED)
def test_an_id_that_an_example_has_twice_counts_twice(combiner: str) -> None:
    rows = np.array([[1.0, 2], [1, 2], [5, 6]])
    np.testing.assert_allclose(table(combiner=combiner)([[0, 0, 2]]), [COMBINED[combiner](rows)], rtol=1e-6)
    weights = np.array([1.0, 2, 4])
    found = table(combiner=combiner)([[0, 0, 2]], [weights])
    np.testing.assert_allclose(found, [WEIGHTED[combiner](rows, weights)], rtol=1e-6)


def test_ids_and_weights_may_be_lists_of_different_lengths() -> None:
    made = table(combiner="sum")
    assert made([[0, 3], [], [1]]).numpy().tolist() == [[8, 10], [0, 0], [3, 4]]
    assert made([[0, 3], [], [1]], [[1, 2], [], [0.5]]).numpy().tolist() == [[15, 18], [0, 0], [1.5, 2]]
    assert made([0, 3], [1.0, 2.0]).numpy().tolist() == [[1, 2], [14, 16]]


@pytest.mark.parametrize("combiner", COMBINED)
def test_the_gradient_of_a_weighted_row_is_its_weight(combiner: str) -> None:
    made = table(combiner=combiner)
    ids = tf.ragged.constant([[2, 4], [], [1]], dtype=tf.int64)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(made(ids, tf.ragged.constant([[1.0, 3.0], [], [-1.0]])))
    gradient = tape.gradient(loss, made.table.value)
    found = dict(zip(gradient.indices.numpy().tolist(), gradient.values.numpy()[:, 0].tolist(), strict=True))
    divisor = {"sum": 1, "mean": 4, "sqrtn": np.sqrt(10)}[combiner]
    expected = {2: 1 / divisor, 4: 3 / divisor} | ({1: -1.0} if combiner == "sum" else {})
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("ids", [[[0, 5]], tf.ragged.constant([[0], [5]]), [5]])
def test_an_id_past_the_end_is_an_error_on_a_cpu(ids: Any) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="5 is not in"):
        table()(ids)


@pytest.mark.parametrize(
    ("ids", "weights"),
    [
        (tf.ragged.constant([[1], [2]]), tf.ragged.constant([[1.0, 2.0], []])),
        (tf.ragged.constant([[1, 1], [2]]), tf.constant([[1.0], [1.0]])),
        (tf.constant([[1], [2]]), tf.constant([[1.0]])),
    ],
)
def test_weights_that_do_not_fit_their_ids_stop_a_lookup(ids: Any, weights: Any) -> None:
    with pytest.raises(Refusal) as refusal:
        table()(ids, weights)
    sentence = "EmbeddingTable: an example has more values than weights, or fewer; give one weight a value."
    assert sentence in str(refusal.value)


@pytest.mark.parametrize("ids", [[0, 3, -1], [[0], [3], [-1]]])
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_one_id_an_example_gets_its_row(ids: Any, dtype: str) -> None:
    assert table()(tf.constant(ids, dtype)).numpy().tolist() == [[1, 2], [7, 8], [0, 0]]


@pytest.mark.parametrize("combiner", COMBINED)
def test_a_missing_id_reads_no_row_and_its_gradient_touches_none(combiner: str) -> None:
    made = table(combiner=combiner)
    made.table.assign([[np.nan] * 2, *[[1.0] * 2] * 4])
    with tf.GradientTape() as tape:
        combined = made(tf.constant([[2, -1, 4], [-1, -1, -1], [2, 2, -1]]))
        loss = tf.reduce_sum(combined)
    gradient = tape.gradient(loss, made.table.value)
    assert isinstance(gradient, tf.IndexedSlices)
    assert sorted(gradient.indices.numpy().tolist()) == [2, 2, 2, 4]
    assert np.isfinite(combined).all()
    assert combined.numpy()[1].tolist() == [0, 0]


@pytest.mark.parametrize("name", optimizers.names())
def test_a_missing_single_id_reads_zeros_and_changes_no_row(name: str) -> None:
    ids = tf.constant([[3], [-1], [1], [3], [-1]])
    trained, alike = table(), table()
    before = trained.table.numpy()
    for made, batch in ((trained, ids), (alike, tf.gather(ids, [0, 2, 3]))):
        with tf.GradientTape() as tape:
            rows = made(batch)
            loss = tf.reduce_sum(rows**2)
        gradient = tape.gradient(loss, made.table.value)
        assert set(gradient.indices.numpy().tolist()) == {1, 3}
        optimizers.get(name, 0.1).apply([gradient], [made.table])
        assert rows.numpy()[0].tolist() == before[3].tolist()
    assert trained(ids).numpy()[[1, 4]].tolist() == [[0, 0]] * 2
    assert np.array_equal(trained.table, alike.table)
    assert np.flatnonzero((trained.table.numpy() != before).any(axis=1)).tolist() == [1, 3]


@pytest.mark.parametrize("shape", [(0,), (0, 1), (2, 1), (2,)])
def test_a_batch_without_any_id_reads_nothing(shape: tuple[int, ...]) -> None:
    made = table()
    made.table.assign(np.full((5, 2), np.nan))
    with tf.GradientTape() as tape:
        rows = made(tf.fill(shape, tf.constant(-1, tf.int64)))
    assert rows.numpy().tolist() == [[0, 0]] * shape[0]
    assert tape.gradient(rows, made.table.value).indices.numpy().tolist() == []


def test_training_on_missing_ids_changes_nothing() -> None:
    made = table()
    before = made.table.numpy()
    optimizer = optimizers.SGD(1.0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(made(tf.constant([[-1, -1], [-1, -1]])))
    optimizer.apply([tape.gradient(loss, made.table.value)], [made.table])
    assert np.array_equal(made.table, before)


def test_a_table_in_bfloat16_takes_half_the_memory_and_gives_rows_of_float32() -> None:
    made = layers.EmbeddingTable(5, 2, storage_dtype="bfloat16", initializer=keras.initializers.Constant(1 / 3))
    rows = made(tf.constant([[1], [-1]]))
    assert (made.table.dtype, rows.dtype, made.values.dtype) == ("bfloat16", tf.float32, np.float32)
    assert rows.numpy().tolist() == [[0.333984375] * 2, [0, 0]]
    again = layers.EmbeddingTable.from_config(made.get_config())
    assert again.storage_dtype == "bfloat16"


@pytest.mark.parametrize("rows", [2000, 70_000])
def test_a_table_in_bfloat16_is_drawn_as_one_in_float32(rows: int) -> None:
    uniform = keras.initializers.RandomUniform(-1, 1, seed=1)
    made = layers.EmbeddingTable(rows, 4, initializer=uniform, storage_dtype="bfloat16")
    made.build()
    assert len(np.unique(made.values)) > 1000
    assert abs(made.values.mean()) < 5 * 0.58 / np.sqrt(4 * rows)
    own = layers.EmbeddingTable(5, 4, initializer="orthogonal", storage_dtype="bfloat16")
    own.build()
    np.testing.assert_allclose(own.values.T @ own.values, np.eye(4), atol=0.03)


def test_a_column_says_how_its_table_is_stored() -> None:
    columns = [fc.embedding_column(HOUR, 2, name="hours", storage_dtype="bfloat16")]
    columns += fc.shared_embeddings([HOUR], 2, storage_dtype="bfloat16")
    layer = layers.DenseFeatures(columns)
    assert layer({"hour": tf.constant([3])}).dtype == tf.float32
    assert {table.table.dtype for table in layer.tables.values()} == {"bfloat16"}


def test_only_rows_longer_than_max_norm_are_scaled_down_and_the_table_keeps_them() -> None:
    made = table(max_norm=5.0, combiner="sum")
    assert made(tf.constant([0])).numpy().tolist() == [[1, 2]]
    np.testing.assert_allclose(made(tf.constant([1])), [[3, 4]], rtol=1e-6)
    np.testing.assert_allclose(made(tf.constant([4])), 5 * np.array([[9, 10]]) / np.hypot(9, 10), rtol=1e-6)
    np.testing.assert_allclose(
        made(tf.constant([[0, 4]])), [[1, 2]] + 5 * np.array([[9, 10]]) / np.hypot(9, 10), rtol=1e-6
    )
    assert made.table.numpy()[4].tolist() == [9, 10]


def test_a_table_starts_from_a_truncated_normal_of_one_over_the_root_of_its_dimension() -> None:
    keras.utils.set_random_seed(3)
    made = layers.EmbeddingTable(20_000, 16)
    made.build()
    assert np.abs(made.table).max() <= 0.5
    assert np.std(made.table) == pytest.approx(0.88 * 0.25, rel=0.01)


MEMORY = """
import resource, sys
from trainer import layers
small = layers.EmbeddingTable(100_000, 16)
small.build()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
table = layers.EmbeddingTable(8_000_000, 16)
table.build()
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(grown * 1024 / (8_000_000 * 16 * 4))
"""


@pytest.mark.slow
def test_a_large_table_is_built_in_its_own_memory() -> None:
    ran = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    assert float(ran.stdout) < 1.1


@pytest.mark.parametrize(
    ("initializer", "spread"),
    [
        (None, 0.88 * 0.25),
        ("uniform", 0.05 / 3**0.5),
        (keras.initializers.RandomNormal(stddev=2.0, seed=7), 2.0),
        ("glorot_uniform", (2 / (20_000 + 16)) ** 0.5),
        ("ones", 0.0),
    ],
)
def test_a_large_table_is_drawn_block_by_block(
    monkeypatch: pytest.MonkeyPatch, initializer: Any, spread: float
) -> None:
    monkeypatch.setattr("trainer.layers.embedding_table.BLOCK", 7_000)
    tables = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        tables.append(layers.EmbeddingTable(20_000, 16, initializer=initializer))
        tables[-1].build()
    first, again = (made.table.numpy() for made in tables)
    np.testing.assert_array_equal(first, again)
    assert np.std(first) == pytest.approx(spread, rel=0.01)
    assert len(np.unique(first[:, 0])) > 19_000 or spread == 0  # no block repeats another


@pytest.mark.parametrize(
    ("initializer", "value"),
    [
        ("ones", 1.0),
        (keras.initializers.Constant(0.25), 0.25),
        (lambda shape, dtype: tf.fill(shape, tf.constant(0.5, dtype)), 0.5),
    ],
)
def test_a_table_starts_from_what_its_initializer_gives(initializer: Any, value: float) -> None:
    made = layers.EmbeddingTable(4, 3, initializer=initializer)
    made.build()
    assert made.table.numpy().tolist() == [[value] * 3] * 4


@pytest.mark.parametrize("initializer", [None, "ones", keras.initializers.RandomUniform(-0.5, 0.5, seed=1)])
def test_a_table_comes_back_from_its_config(initializer: Any) -> None:
    made = layers.EmbeddingTable(4, 3, "sqrtn", initializer, 2.0, name="hours", trainable=False)
    again = layers.EmbeddingTable.from_config(made.get_config())
    assert again.get_config() == made.get_config()
    assert (again.rows, again.dimension, again.combiner, again.max_norm) == (4, 3, "sqrtn", 2.0)
    assert (again.name, again.trainable) == ("hours", False)
    again.build()
    if isinstance(initializer, keras.initializers.RandomUniform):
        made.build()
        assert np.array_equal(made.table, again.table)


def test_what_a_table_starts_from_is_read_once_and_not_kept_in_its_config() -> None:
    calls = []

    def read() -> Any:
        calls.append(1)
        report = Report("table", "there", "table", "key", 4, 4, 0, 0, 0, "initializer", np.ones(4, bool))
        return Start(np.full((4, 3), 7.0), (), np.zeros(0, np.int64), report)

    made = layers.EmbeddingTable(4, 3, warm_start=read)
    step = tf.function(lambda ids: made(ids))
    assert step(tf.constant([2])).numpy().tolist() == [[7, 7, 7]]
    made.table.assign(np.zeros((4, 3)))
    assert step(tf.constant([2, 1])).numpy().tolist() == [[0, 0, 0]] * 2
    assert calls == [1]
    assert layers.EmbeddingTable.from_config(made.get_config()).warm_start is None


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("arguments", [{}, {"combiner": "sum"}, {"combiner": "sqrtn", "max_norm": 1.0}])
def test_a_lookup_of_ragged_ids_reads_rows_and_never_the_table(arguments: dict[str, Any], weighted: bool) -> None:
    made = layers.EmbeddingTable(1000, 4, **arguments)
    made.build()

    @tf.function
    def step(ids: Any, weights: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(made(ids, weights if weighted else None))
        return tape.gradient(loss, made.table.value).values

    specs = [tf.RaggedTensorSpec([None, None], dtype) for dtype in (tf.int64, tf.float32)]
    function = step.get_concrete_function(*specs)
    graphs = [function.graph, *(part.graph for part in function.graph._functions.values() if hasattr(part, "graph"))]
    kinds = {operation.type for graph in graphs for operation in graph.get_operations()}
    assert "ResourceGather" in kinds
    assert "ReadVariableOp" not in kinds
    ids, weights = tf.ragged.constant([[1, -1, 1], []], dtype=tf.int64), tf.ragged.constant([[1.0, 2.0, 3.0], []])
    assert function(ids, weights).shape == (2, 4)


@pytest.mark.parametrize("arguments", [{}, {"combiner": "sum"}, {"max_norm": 1.0}])
def test_a_lookup_reads_rows_and_never_the_table(arguments: dict[str, Any], mixed_bfloat16: None) -> None:
    made = layers.EmbeddingTable(1000, 4, **arguments)

    @tf.function
    def step(ids: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.cast(made(ids), tf.float32))
        return tape.gradient(loss, made.table.value).values

    made.build()
    function = step.get_concrete_function(tf.TensorSpec([None, None], tf.int64))
    kinds = {operation.type for operation in function.graph.get_operations()}
    assert "ResourceGather" in kinds
    assert "ReadVariableOp" not in kinds
    assert function(tf.constant([[1, -1]], tf.int64)).shape == (1, 4)


def test_a_frozen_table_gets_no_gradient_and_can_be_unfrozen() -> None:
    frozen = fc.embedding_column(HOUR, 2, trainable=False)
    layer = layers.DenseFeatures([frozen, fc.embedding_column(DAY, 2)])
    values = features()
    layer(values)
    before = {name: made.table.numpy() for name, made in layer.tables.items()}
    assert [variable.path for variable in layer.trainable_variables] == [layer.tables["day"].table.path]
    assert [variable.path for variable in layer.non_trainable_variables] == [layer.tables["hour"].table.path]
    model = keras.Sequential([layer, keras.layers.Dense(1)])
    model.compile(optimizers.SGD(0.5), "mse", jit_compile=False)
    data = tf.data.Dataset.from_tensors((values, np.ones((32, 1))))
    model.fit(data, shuffle=False, verbose=0)
    assert np.array_equal(layer.tables["hour"].table, before["hour"])
    assert not np.array_equal(layer.tables["day"].table, before["day"])
    layer.tables["hour"].trainable = True
    model.compile(optimizers.SGD(0.5), "mse", jit_compile=False)
    model.fit(data, shuffle=False, verbose=0)
    assert not np.array_equal(layer.tables["hour"].table, before["hour"])


# Mixed precision


def test_mixed_precision_leaves_ids_boundaries_and_tables_as_they_are(mixed_bfloat16: None) -> None:
    miles = fc.numeric_column("miles")
    flights = fc.categorical_column_with_identity("flight", 3000)
    columns: list[fc.DenseColumn] = [
        fc.bucketized_column(miles, [1002]),
        fc.embedding_column(flights, 2, initializer="ones"),
        fc.embedding_column(fc.crossed_column([fc.bucketized_column(miles, [1002]), flights]), 2, name="cross"),
    ]
    raw = layers.inputs(columns)
    layer = layers.DenseFeatures(columns)
    model = keras.Model(raw, layer(raw))
    values = {"miles": tf.constant([1001.0, 1003.0]), "flight": tf.constant([2999, 2998], tf.int64)}
    assert model.output.dtype == "bfloat16"
    cross, table = layer.tables["cross"].table, layer.tables["flight"].table
    assert (cross.dtype, table.dtype) == ("float32", "float32")
    outputs = np.array(model.predict(values, verbose=0), np.float32)
    assert outputs[:, 4:].tolist() == [[1, 1], [1, 1]] or outputs.shape[1] == 6
    by_name = dict(zip([column.name for column in layer.columns], np.split(outputs, [2, 4], axis=1), strict=True))
    assert by_name["miles_bucketized"].tolist() == [[1, 0], [0, 1]]
    assert by_name["flight_embedding"].tolist() == [[1, 1], [1, 1]]
    rows = cross.numpy()[[2999, 3000 + 2998]]
    np.testing.assert_array_equal(by_name["flight_X_miles_bucketized_embedding"], tf.cast(rows, "bfloat16"))
    encoder = layers.Encoder([miles])
    assert encoder(values)[encoded_key(miles)].numpy().tolist() == [[1001.0], [1003.0]]


def test_mixed_precision_leaves_weights_and_the_numbers_of_sequences_as_they_are(mixed_bfloat16: None) -> None:
    weighted_hour = fc.weighted_categorical_column(HOUR, "share")
    seen = []

    def less(values: Any) -> Any:
        seen.append(values.numpy().tolist())
        return values - 1000

    steps = fc.sequence_numeric_column("n", normalizer_fn=less)
    given = {"hour": [[3, 4]], "share": [[1001.0, -1003.0]], "n": [[1001.0, 1003.0]]}
    encoded = layers.Encoder([weighted_hour, steps])(given)
    assert encoded[encoded_key(weighted_hour)].numpy().tolist() == [[1001, -1003]]
    values, lengths = layers.SequenceFeatures([steps])(given)
    assert (values.dtype, lengths.dtype) == ("bfloat16", "int64")
    assert seen[-1] == [1001, 1003]
    assert np.array(values, np.float32).tolist() == [[[1], [3]]]
    table = fc.embedding_column(weighted_hour, 1, "sum", initializer="ones")
    assert np.array(layers.DenseFeatures([table])(given), np.float32).tolist() == [[-2]]
    linear = layers.LinearModel([weighted_hour])
    linear.build()
    linear.tables[encoded_key(weighted_hour)].table.assign(np.ones((24, 1)))
    assert np.array(linear(given), np.float32).tolist() == [[-2]]


# DenseFeatures


def test_an_indicator_sums_weights() -> None:
    layer = layers.DenseFeatures([fc.indicator_column(weighted())])
    given = {"day": [["Mon", "Mon", "Wed"], [], ["Sun", "Tue"]], "share": [[0.5, 2.0, -1.0], [], [9.0, 0.25]]}
    assert layer(given).numpy().tolist() == [[2.5, 0, -1], [0, 0, 0], [0, 0.25, 0]]


@pytest.mark.parametrize("layout", ["ragged", "dense"])
def test_shared_embeddings_are_one_table_that_learns_from_both_columns(layout: str) -> None:
    other = fc.categorical_column_with_identity("other", 24)
    columns = fc.shared_embeddings([HOUR, other], 2, shared_embedding_collection_name="hours")
    layer = layers.DenseFeatures(columns)
    given = bags_of(layout)
    with tf.GradientTape() as tape:
        layer(given)
        loss = tf.reduce_sum(layer(given))
    assert list(layer.tables) == ["hours"]
    assert [weights.path for weights in layer.weights] == [layer.tables["hours"].table.path]
    gradient = tape.gradient(loss, layer.trainable_variables[0].value)
    assert sorted(gradient.indices.numpy().tolist()) == [3, 3, 3, 4, 5, 23]
    rows = layer.tables["hours"].table.numpy()
    expected = [[*rows[3], *rows[[4, 3]].mean(axis=0)], [0] * 4, [*rows[5], *rows[23]]]
    np.testing.assert_allclose(layer(given), expected, rtol=1e-6)


@pytest.mark.parametrize("make", [layers.DenseFeatures, layers.Encoder])
def test_a_mistake_in_the_data_is_told_through_keras(make: Any) -> None:
    layer = make([fc.embedding_column(HOUR, 2)])
    with pytest.raises(Refusal) as refusal:
        layer({"hour": ["8"]})
    assert (
        "categorical_column_with_identity: feature 'hour' should be whole numbers, not string; declare the column's "
        "dtype."
    ) in str(refusal.value)
    with pytest.raises(Refusal) as refusal:
        layer({"hour": tf.ragged.constant([[1], [], [3, 99, 4]], dtype=tf.int64)})
    assert (
        "key 'hour' takes ids from 0 to 23; give default_value, or a larger num_buckets; the data have 99 in row 2."
    ) in str(refusal.value)


# SequenceFeatures


def test_the_steps_of_columns_lie_beside_each_other_in_the_order_of_their_names() -> None:
    days = fc.sequence_categorical_column_with_vocabulary_list("day", DAYS)
    hours = fc.sequence_categorical_column_with_identity("hour", 24)
    columns = [
        fc.sequence_numeric_column("n", default_value=-9),
        fc.indicator_column(days),
        fc.embedding_column(hours, 2),
    ]
    layer = layers.SequenceFeatures(columns)
    given = {
        "n": [[1.0, 2.0, 3.0], [4.0], []],
        # A gap in the middle, and at the end a value of no vocabulary, which is a step.
        "day": [["Tue", "", "Sun"], ["Mon"], []],
        "hour": [[3, -1, 5], [3], []],
    }
    values, lengths = layer(given)
    assert [column.name for column in layer.columns] == ["day_indicator", "hour_embedding", "n"]
    assert lengths.numpy().tolist() == [3, 1, 0]
    three, five = layer.tables["hour"].table.numpy()[[3, 5]]
    rest = [0, 0, 0, 0, 0, -9]
    np.testing.assert_allclose(
        values,
        [
            [[0, 1, 0, *three, 1], [0, 0, 0, 0, 0, 2], [0, 0, 0, *five, 3]],
            [[1, 0, 0, *three, 4], rest, rest],
            [rest, rest, rest],
        ],
        rtol=1e-6,
    )
    assert values._keras_mask.numpy().tolist() == [[True] * 3, [True, False, False], [False] * 3]


@pytest.mark.parametrize(("combiner", "sum_of"), [("sum", 1.0), ("mean", 0.5), ("sqrtn", 0.5**0.5)])
def test_the_ids_of_one_step_are_combined(combiner: str, sum_of: float) -> None:
    hours = fc.sequence_categorical_column_with_identity("hour", 24)
    layer = layers.SequenceFeatures([fc.embedding_column(hours, 1, combiner), fc.indicator_column(hours)])
    values, lengths = layer({"hour": tf.constant([[[3, 5], [7, -1], [-1, -1]]], tf.int64)})
    rows = layer.tables["hour"].table.numpy()[:, 0]
    np.testing.assert_allclose(values[0, :, 0], [(rows[3] + rows[5]) * sum_of, rows[7], 0], rtol=1e-6)
    assert values[0, :, 1:].numpy().sum(axis=1).tolist() == [2, 1, 0]
    assert lengths.numpy().tolist() == [2]


@pytest.mark.parametrize("call", [lambda layer: layer, tf.function])
def test_columns_of_other_lengths_fail_with_both_names(call: Any) -> None:
    layer = layers.SequenceFeatures(
        [fc.sequence_numeric_column("n"), fc.indicator_column(fc.sequence_categorical_column_with_identity("hour", 24))]
    )
    given = {"n": tf.ragged.constant([[1.0], [1.0]]), "hour": tf.ragged.constant([[1], [1, 2]], dtype=tf.int64)}
    with pytest.raises((Refusal, tf.errors.InvalidArgumentError)) as error:
        call(layer)(given)
    message = str(error.value).replace("\\'", "'")
    assert "SequenceFeatures: columns 'hour_indicator' and 'n' have other numbers of steps in row" in message


def sequence_model() -> keras.Model:
    keras.utils.set_random_seed(2)
    days = fc.sequence_categorical_column_with_vocabulary_list("day", DAYS, num_oov_buckets=1)
    columns: list[fc.FeatureColumn] = [fc.embedding_column(days, 3), fc.sequence_numeric_column("share")]
    raw = layers.inputs(columns)
    values, lengths = layers.SequenceFeatures(columns)(raw)
    steps = keras.layers.Reshape((1,))(keras.ops.cast(lengths, "float32"))
    outputs = keras.layers.Dense(1)(keras.layers.Concatenate()([keras.layers.SimpleRNN(4)(values), steps]))
    model = keras.Model(raw, outputs)
    model.compile(optimizers.Adagrad(0.1), "mse")
    return model


def test_a_recurrent_layer_leaves_the_padding_out() -> None:
    model = sequence_model()
    given = {key: values for key, values in bags_of("dense", sequence=True).items() if key in ("day", "share")}
    together = model.predict(given, verbose=0)
    longer = {
        "day": tf.pad(given["day"], [[0, 0], [0, 3]]),
        "share": tf.pad(given["share"], [[0, 0], [0, 3]], constant_values=np.nan),
    }
    np.testing.assert_allclose(model.predict(longer, verbose=0), together, rtol=1e-5)
    for row, size in ((0, 2), (2, 1)):
        alone = {key: values[row : row + 1, :size] for key, values in given.items()}
        np.testing.assert_allclose(model.predict(alone, verbose=0), together[row : row + 1], rtol=1e-5)
    again = keras.models.clone_model(model)
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(again.predict(longer, verbose=0), together, rtol=1e-5)


def test_columns_stand_beside_each_other_in_the_order_of_their_names() -> None:
    layer = layers.DenseFeatures(DEEP)
    given = features()
    names = [column.name for column in layer.columns]
    assert names == sorted(column.name for column in DEEP)
    assert layers.DenseFeatures(DEEP[::-1]).columns == layer.columns
    parts = np.split(layer(given).numpy(), np.cumsum([column.width for column in layer.columns])[:-1], axis=1)
    by_name = dict(zip(names, parts, strict=True))
    days, hours = given["day"].numpy().astype(str), given["hour"].numpy()
    np.testing.assert_array_equal(by_name["day_indicator"], [[day == one for one in DAYS] for day in days])
    np.testing.assert_array_equal(by_name["miles"][:, 0], -given["miles"])
    np.testing.assert_array_equal(by_name["place"], given["place"])
    buckets = np.digitize(given["miles"], [100, 500])
    np.testing.assert_array_equal(by_name["miles_bucketized"], np.eye(3)[buckets])
    table = layer.tables["day_hour"].table.numpy()
    pairs = zip(days, hours, strict=True)
    expected = [table[DAY_HOUR.id(day, int(hour))] if day in DAYS else np.zeros(4) for day, hour in pairs]
    np.testing.assert_array_equal(by_name["day_X_hour_embedding"], expected)


def test_an_indicator_counts_and_leaves_missing_values_out() -> None:
    layer = layers.DenseFeatures([fc.indicator_column(DAY)])
    bags = tf.constant([["Mon", "Mon", "Wed"], ["Sun", "", "Tue"], ["", "", ""]])
    assert layer({"day": bags}).numpy().tolist() == [[2, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_two_equal_embedding_columns_share_a_table() -> None:
    again = fc.embedding_column(fc.categorical_column_with_identity("hour", 24), 3)
    layer = layers.DenseFeatures([fc.embedding_column(HOUR, 3), again])
    values = layer({"hour": tf.constant([3, 4])}).numpy()
    assert len(layer.trainable_variables) == 1
    np.testing.assert_array_equal(values[:, :3], values[:, 3:])


@pytest.mark.parametrize(
    "given",
    [
        {"day": tf.constant([["Mon", ""], ["Wed", "Tue"]]), "hour": tf.constant([1, -1])},
        {"day": [["Mon", ""], ["Wed", "Tue"]], "hour": [1, -1]},
        {"day": np.array([["Mon", ""], ["Wed", "Tue"]]), "hour": np.array([1, -1])},
        {"day": tf.ragged.constant([["Mon"], ["Wed", "Tue"]]), "hour": tf.ragged.constant([[1], []], dtype="int64")},
        {
            "day": tf.RaggedTensor.from_row_lengths(["Mon", "Wed", "Tue"], [1, 2]).to_sparse(),
            "hour": tf.constant([[1], [-1]]),
        },
    ],
    ids=["tensors", "lists", "NumPy", "ragged", "sparse"],
)
def test_features_may_be_tensors_lists_arrays_ragged_or_sparse(given: Any) -> None:
    dense = layers.DenseFeatures([fc.indicator_column(DAY), fc.embedding_column(HOUR, 2, initializer="ones")])
    assert dense(given).numpy().tolist() == [[1, 0, 0, 1, 1], [0, 1, 1, 0, 0]]
    linear = layers.LinearModel([DAY, HOUR])
    linear.build()
    for made in linear.tables.values():
        made.table.assign(tf.ones_like(made.table))
    assert linear(given).numpy().tolist() == [[2], [2]]


# LinearModel


def test_a_linear_model_adds_the_rows_of_a_named_table_as_they_are() -> None:
    weights = fc.embedding_column(HOUR, 1, initializer="ones", name="hours")
    made = layers.LinearModel([weights, fc.numeric_column("miles")])
    features = {"hour": tf.constant([3, 4]), "miles": tf.constant([0.5, 2.0])}
    assert made(features).numpy().tolist() == [[1.0], [1.0]]
    made.named_tables["hours"].table.assign(np.arange(24.0)[:, np.newaxis])
    assert made.kernel is not None
    made.kernel.assign([[2.0]])
    assert made(features).numpy().tolist() == [[4.0], [8.0]]
    again = layers.LinearModel.from_config(made.get_config())
    assert again(features).numpy().tolist() == [[1.0], [1.0]]


def test_the_words_of_a_text_are_counted_weighed_and_embedded_in_a_model_that_is_exported(tmp_path: Path) -> None:
    words = fc.categorical_column_with_vocabulary_list("name", ["quiet", "room"], tokenize=fc.Tokens())
    other = fc.categorical_column_with_vocabulary_list("title", ["quiet", "room"], tokenize=fc.Tokens())
    dense = [fc.indicator_column(words), *fc.shared_embeddings([words, other], 2, "sum")]
    raw = layers.inputs(dense)
    features, linear = layers.DenseFeatures(dense), layers.LinearModel([words])
    model = keras.Model(raw, [features(raw), linear(raw)])
    (table_of_both,), (weights,) = features.tables.values(), linear.tables.values()
    table_of_both.table.assign([[1, 2], [10, 20]])
    weights.table.assign([[0.5], [2.0]])
    given = {"name": tf.constant(["Room, ROOM", "", "quiet place"]), "title": tf.constant(["", "quiet room", "b"])}
    expected = [[0, 2, 20, 40, 0, 0], [0, 0, 0, 0, 11, 22], [1, 0, 1, 2, 0, 0]]
    assert model(given)[0].numpy().tolist() == expected
    assert model(given)[1].numpy().tolist() == [[4.0], [0.0], [0.5]]
    model.export(str(tmp_path / "served"), verbose=False)
    served = tf.saved_model.load(str(tmp_path / "served"))
    assert served.serve(given)[0].numpy().tolist() == expected
    model.save(tmp_path / "model.keras")
    assert keras.models.load_model(tmp_path / "model.keras")(given)[0].numpy().tolist() == expected


@pytest.mark.parametrize("combiner", COMBINED)
def test_a_linear_model_sums_the_weights_of_ids_and_numbers_and_a_bias(combiner: str) -> None:
    layer = layers.LinearModel([DAY, HOUR, PLACE, MILES], 2, combiner)
    given = {**features(), "day": tf.constant([["Mon", "Wed", ""], ["Tue", "Tue", "Mon"], ["", "Sun", ""]])}
    given = {key: values[:3] for key, values in given.items()}
    assert layer(given).numpy().tolist() == [[0, 0]] * 3
    draw = np.random.default_rng(1)
    for variable in layer.trainable_variables:
        variable.assign(draw.normal(size=variable.shape))
    day, hour = layer.tables[encoded_key(DAY)].table.numpy(), layer.tables[encoded_key(HOUR)].table.numpy()
    days = [COMBINED[combiner](day[bag]) if bag else np.zeros(2) for bag in ([0, 2], [1, 1, 0], [])]
    kernel, bias = (variable.numpy() for variable in layer.weights if variable.name in ("kernel", "bias"))
    # Numbers come in the order of their columns' names: miles, place.
    numbers = np.concatenate([-given["miles"].numpy()[:, None], given["place"]], axis=1)
    expected = days + hour[given["hour"]] + numbers @ kernel + bias
    np.testing.assert_allclose(layer(given), expected, rtol=1e-4)


def test_the_weight_of_an_id_learns_only_from_its_examples() -> None:
    layer = layers.LinearModel([HOUR])
    given = {"hour": tf.constant([3, -1, 5, 5])}
    layer(given)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(given))
    table, bias = layer.tables[encoded_key(HOUR)].table.value, layer.bias.value
    weights, offset = tape.gradient(loss, [table, bias])
    rows = summed(weights)
    assert (rows.indices.numpy().tolist(), rows.values.numpy().tolist()) == ([3, 5], [[1.0], [2.0]])
    assert offset.numpy().tolist() == [4]


@pytest.mark.parametrize("key", ["native country", "capital-gain", "a/b", "é", "_"])
def test_a_feature_may_have_any_key(key: str) -> None:
    column = fc.categorical_column_with_identity(key, 4)
    dense, linear = layers.DenseFeatures([fc.embedding_column(column, 2)]), layers.LinearModel([column])
    step = tf.function(lambda ids: (dense({key: ids}), linear({key: ids})))
    assert [values.shape for values in step(tf.constant([3, -1]))] == [(2, 2), (2, 1)]


# Encoder and inputs


def test_an_encoder_encodes_each_distinct_column_once() -> None:
    encoder = layers.Encoder([*DEEP, *WIDE])
    encoded = encoder(features())
    parts = [DAY_HOUR, TAIL, DAY, RANGES, MILES, PLACE, HOUR_DAY, fc.crossed_column([DAY, HOUR], 30)]
    assert set(encoded) == {encoded_key(part) for part in parts}
    assert {key: values.dtype.name for key, values in encoded.items()} == {
        encoded_key(part): "float32" if isinstance(part, fc.NumericColumn) else "int64" for part in parts
    }


@pytest.mark.parametrize("length", [None, 1, 3])
def test_an_encoder_knows_the_shapes_of_what_it_returns(length: int | None) -> None:
    places = fc.bucketized_column(fc.numeric_column("place", 2), [0])
    columns = [DAY, DAY_HOUR, HOUR, places, fc.crossed_column([DAY, places]), PLACE]
    encoder = layers.Encoder(columns)
    raw = {
        "day": keras.Input((length,), dtype="string"),
        "hour": keras.Input((), dtype="int64"),
        "place": keras.Input((2,), dtype="float32"),
    }
    size = length or 5
    encoded = encoder({"day": tf.fill([4, size], "Mon"), "hour": tf.zeros([4], tf.int64), "place": tf.zeros([4, 2])})
    for key, spec in encoder(raw).items():
        assert spec.dtype == encoded[key].dtype.name
        assert [known for known in spec.shape if known is not None] == [
            size for size, known in zip(encoded[key].shape, spec.shape, strict=True) if known is not None
        ]
        assert spec.shape[0] is None
    shapes = {key.split(".")[0]: spec.shape[1] for key, spec in encoder(raw).items()}
    assert shapes["day"] == length
    assert shapes["day_X_place_bucketized"] == (2 * length if length else None)


def test_the_halves_equal_the_whole() -> None:
    given = features()
    encoded = layers.Encoder([*DEEP, *WIDE])(given)
    for layer, half in (
        (layers.DenseFeatures(DEEP), layers.DenseFeatures(DEEP, encoded=True)),
        (layers.LinearModel(WIDE, 2), layers.LinearModel(WIDE, 2, encoded=True)),
    ):
        layer(given)
        half(encoded)
        assert half.encodings is None
        draw = np.random.default_rng(5)
        layer.set_weights([draw.normal(size=weights.shape) for weights in layer.get_weights()])
        half.set_weights(layer.get_weights())
        np.testing.assert_array_equal(layer(given), half(encoded))


def test_an_encoder_runs_inside_tf_data() -> None:
    given, encoder = features(), layers.Encoder([*DEEP, *WIDE])
    (batch,) = tf.data.Dataset.from_tensor_slices(given).batch(32).map(encoder)
    for key, values in encoder(given).items():
        np.testing.assert_array_equal(batch[key], values)


def test_inputs_are_made_for_the_raw_features_of_columns() -> None:
    raw = layers.inputs([*DEEP, *WIDE])
    assert {key: (tensor.shape, tensor.dtype, tensor.name) for key, tensor in raw.items()} == {
        "day": ((None,), "string", "day"),
        "hour": ((None,), "int64", "hour"),
        "tail number": ((None,), "string", "tail number"),
        "miles": ((None,), "float32", "miles"),
        "place": ((None, 2), "float32", "place"),
    }


# In a model


def functional_model() -> keras.Model:
    # The two hashed crosses have one name, and so have the layers of their weights.
    deep, wide = [*DEEP[:3], MILES], [HOUR_DAY, fc.crossed_column([DAY, HOUR], 30), MILES]
    raw = layers.inputs([*deep, *wide])
    hidden = keras.layers.Dense(4, "relu")(layers.DenseFeatures(deep)(raw))
    logits = keras.layers.Add()([keras.layers.Dense(1)(hidden), layers.LinearModel(wide)(raw)])
    model = keras.Model(raw, logits)
    model.compile(optimizers.LazyAdam(0.01), keras.losses.BinaryCrossentropy(from_logits=True), jit_compile=False)
    return model


def model_of(deep: Sequence[Any], wide: Sequence[Any]) -> keras.Model:
    keras.utils.set_random_seed(2)
    bags = {"day", "hour", "other", "tail"} & {key for column in (*deep, *wide) for key in column.raw_features}
    raw = layers.inputs([*deep, *wide], bags)
    outputs = keras.layers.Dense(1)(layers.DenseFeatures(deep)(raw))
    model = keras.Model(raw, keras.layers.Add()([outputs, layers.LinearModel(wide)(raw)]))
    model.compile(optimizers.Adagrad(0.1), "mse")
    return model


def bags_model(folder: Path) -> keras.Model:
    deep = [
        column for kind in ("embedding of a file", "weighted, mean", "shared") for column in DENSE_KINDS[kind](folder)
    ]
    return model_of(deep, [weighted(), fc.indicator_column(HOUR)])


def every_kind_model(folder: Path) -> keras.Model:
    """Returns a model of columns of every kind but sequences, one of each name."""
    every = {column.name: column for make in DENSE_KINDS.values() for column in make(folder)}
    return model_of([*every.values()], [weighted(), HOUR, TAILS, fc.indicator_column(DAY), RANGES, MILES])


def tensors_for(model: keras.Model, layout: str, sequence: bool = False) -> dict[str, Any]:
    """Returns the three examples as tensors of the dtypes of a model's inputs."""
    given, found = bags_of(layout, sequence), {}
    for tensor in model.inputs:
        values = given[tensor.name]
        values = tf.constant(values) if isinstance(values, np.ndarray) else values
        found[tensor.name] = values if values.dtype == tf.string else tf.cast(values, tensor.dtype)
    return found


MODELS: dict[str, Callable[[Path], keras.Model]] = {
    "bags": bags_model,
    "sequences": lambda folder: sequence_model(),
    "every kind": every_kind_model,
}
some_models = pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.slow] if kind == "every kind" else []) for kind in MODELS]
)


@some_models
def test_a_model_gives_the_same_for_ragged_sparse_and_dense_bags(kind: str, tmp_path: Path) -> None:
    model = MODELS[kind](tmp_path)
    ragged, *others = (
        model(tensors_for(model, layout, kind == "sequences")) for layout in ("ragged", "sparse", "dense")
    )
    for other in others:
        np.testing.assert_allclose(other, ragged, rtol=1e-6)


@pytest.mark.slow  # each layout is traced for fit, evaluate and predict
@pytest.mark.parametrize("kind", MODELS)
def test_a_model_learns_the_same_from_ragged_sparse_and_dense_bags(kind: str, tmp_path: Path) -> None:
    found = []
    for layout in ("ragged", "sparse", "dense"):
        model = MODELS[kind](tmp_path)
        given = tensors_for(model, layout, kind == "sequences")
        data = tf.data.Dataset.from_tensors((given, np.ones((3, 1))))
        losses = model.fit(data, epochs=2, shuffle=False, verbose=0).history["loss"]
        assert losses[1] != losses[0]
        found.append([*losses, model.evaluate(data, verbose=0), *model.predict(given, verbose=0).ravel()])
    np.testing.assert_allclose(found[1:], [found[0]] * 2, rtol=1e-5)


@some_models
def test_a_model_is_cloned(kind: str, tmp_path: Path) -> None:
    model = MODELS[kind](tmp_path)
    given = tensors_for(model, "dense", kind == "sequences")
    again = keras.models.clone_model(model)
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(given, verbose=0), model.predict(given, verbose=0))
    assert {id(layer) for layer in model.layers}.isdisjoint(id(layer) for layer in again.layers)


def without_sparse(model: keras.Model) -> keras.Model:
    """Returns the model on dense inputs, since an export takes no others."""
    raw = {tensor.name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=tensor.name) for tensor in model.inputs}
    return keras.Model(raw, model(raw))


@some_models
@pytest.mark.parametrize("how", ["model.export", "tf.saved_model.save"])
def test_an_exported_model_takes_raw_features_and_holds_its_vocabulary_file(
    how: str, kind: str, tmp_path: Path
) -> None:
    model = without_sparse(MODELS[kind](tmp_path))
    given = tensors_for(model, "dense", kind == "sequences")
    expected = model.predict(given, verbose=0)
    folder = str(tmp_path / "export")
    if how == "model.export":
        model.export(folder, verbose=False)
    else:
        tf.saved_model.save(model, folder)
    (tmp_path / "days.txt").unlink(missing_ok=True)
    loaded = tf.saved_model.load(folder)
    if how == "model.export":
        np.testing.assert_allclose(loaded.serve(given), expected, rtol=1e-6)
        named = given
    else:  # TensorFlow names the inputs by the places of their sorted keys
        named = {f"inputs_{place}" if place else "inputs": given[key] for place, key in enumerate(sorted(given))}
    (served,) = loaded.signatures["serving_default"](**named).values()
    np.testing.assert_allclose(served, expected, rtol=1e-6)


LOADING = """
import json, pathlib, sys
import keras, numpy as np
import trainer.layers
for folder in sorted(path for path in pathlib.Path(sys.argv[1]).iterdir() if path.is_dir()):
    model = keras.models.load_model(folder / "model.keras")
    given = {name: keras.ops.convert_to_tensor(values) for name, values in np.load(folder / "features.npz").items()}
    np.save(folder / "outputs.npy", model.predict(given, verbose=0))
    (folder / "iterations.json").write_text(json.dumps(int(model.optimizer.iterations)))
    # What was loaded is saved again, and loaded again.
    model.save(folder / "again.keras")
    again = keras.models.load_model(folder / "again.keras")
    np.testing.assert_array_equal(again.predict(given, verbose=0), np.load(folder / "outputs.npy"))
"""
SIZE = 50_000


def big_model(folder: Path) -> keras.Model:
    words = fc.categorical_column_with_vocabulary_list("day", [f"word {place}" for place in range(SIZE - 1)] + ["Mon"])
    columns = [fc.embedding_column(words, 2)]
    raw = layers.inputs(columns)
    model = keras.Model(raw, layers.DenseFeatures(columns)(raw))
    model.compile(optimizers.Adagrad(0.1), "mse")
    return model


def fitted_model(folder: Path) -> keras.Model:
    keras.utils.set_random_seed(1)
    model, given = functional_model(), features(256)
    del given["place"]
    late = (given["hour"].numpy() > 11).astype(np.float32)[:, None]
    data = tf.data.Dataset.from_tensor_slices((given, late)).batch(32)
    losses = model.fit(data, epochs=6, shuffle=False, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    return model


SAVED: dict[str, Callable[[Path], keras.Model]] = {**MODELS, "big": big_model, "fitted": fitted_model}


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Any]]:
    """Models that were saved, and loaded in another process, which wrote their outputs; what they are here."""
    root = tmp_path_factory.mktemp("saved")
    made = {}
    for kind, make in SAVED.items():
        folder = root / kind
        folder.mkdir()
        model = make(root)
        words = {"day": tf.constant(["Mon", "word 7", "x"])}
        given = {"fitted": features(64), "big": words}.get(kind) or tensors_for(model, "dense", kind == "sequences")
        given = {tensor.name: given[tensor.name] for tensor in model.inputs}
        made[kind] = folder, model.predict(given, verbose=0)
        model.save(folder / "model.keras")
        arrays = {key: value.numpy() for key, value in given.items()}
        np.savez(
            folder / "features.npz",
            **{key: value.astype(str) if value.dtype == object else value for key, value in arrays.items()},
        )
    (root / "days.txt").unlink()
    done = subprocess.run(
        [sys.executable, "-c", LOADING, str(root)],
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return made


@pytest.mark.slow
@pytest.mark.parametrize("kind", SAVED)
def test_a_saved_model_is_loaded_elsewhere_after_importing_the_layers(
    kind: str, elsewhere: dict[str, tuple[Path, Any]]
) -> None:
    # The vocabulary file of "bags" is deleted before.
    folder, expected = elsewhere[kind]
    assert np.std(expected) > 0.01
    np.testing.assert_allclose(np.load(folder / "outputs.npy"), expected, rtol=1e-5, atol=1e-6)
    assert json.loads((folder / "iterations.json").read_text()) == (48 if kind == "fitted" else 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["model.keras", "again.keras"])
def test_a_big_vocabulary_is_in_the_assets_of_a_saved_model_and_not_in_its_config(
    name: str, elsewhere: dict[str, tuple[Path, Any]]
) -> None:
    folder, _ = elsewhere["big"]
    with zipfile.ZipFile(folder / name) as saved:
        sizes = {entry.filename: entry.file_size for entry in saved.infolist()}
        assets = [file for file in sizes if file.endswith("vocabularies.json")]
        (words,) = json.loads(saved.read(assets[0])).values()
    assert sizes["config.json"] < 5000
    assert len(assets) == 1
    assert (len(words), words[-1]) == (SIZE, "Mon")


def test_a_vocabulary_is_filled_in_where_this_process_does_not_know_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = bags_model(tmp_path)
    given = tensors_for(model, "sparse")
    expected = model.predict(given, verbose=0)
    model.save(tmp_path / "model.keras")
    monkeypatch.setattr(shared, "_known", {})
    again = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_allclose(again.predict(given, verbose=0), expected, rtol=1e-6)


def test_strings_that_are_no_utf_8_are_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(b"caf\xe9\nb\n")
    columns = [fc.indicator_column(fc.categorical_column_with_vocabulary_file("word", path))]
    raw = layers.inputs(columns)
    keras.Model(raw, layers.DenseFeatures(columns)(raw)).save(tmp_path / "model.keras")
    path.unlink()
    monkeypatch.setattr(shared, "_known", {})
    model = keras.models.load_model(tmp_path / "model.keras")
    words = {"word": tf.constant([b"caf\xe9", b"b", b"c"])}
    assert model.predict(words, verbose=0).tolist() == [[1, 0], [0, 1], [0, 0]]


# Learning from data

LEARNED_DAY = fc.categorical_column_with_vocabulary_list("day", fc.from_data(top_k=2))
LEARNED_RANGES = fc.bucketized_column(fc.numeric_column("miles"), fc.quantiles(2))
STEPS_OF_DAYS = fc.sequence_categorical_column_with_vocabulary_list("day", fc.from_data(top_k=2))
DATA: dict[str, list[Any]] = {
    "day": ["Tue", "Tue", "Mon", "Sun", "Mon", "Tue"],
    "miles": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
}
LEARNING: dict[str, Callable[[], Any]] = {
    "DenseFeatures": lambda: layers.DenseFeatures([fc.embedding_column(LEARNED_DAY), LEARNED_RANGES]),
    "LinearModel": lambda: layers.LinearModel([LEARNED_DAY, LEARNED_RANGES]),
    "SequenceFeatures": lambda: layers.SequenceFeatures([fc.indicator_column(STEPS_OF_DAYS)]),
    "Encoder": lambda: layers.Encoder([LEARNED_DAY, LEARNED_RANGES]),
}


def test_every_layer_of_columns_is_among_those_that_learn() -> None:
    assert set(LEARNING) == {kind.__name__ for kind in layers.columns_layer.ColumnsLayer.__subclasses__()}


@pytest.mark.parametrize(
    "dataset",
    [
        [DATA],
        [({key: values[start : start + 3] for key, values in DATA.items()}, 1) for start in (0, 3)],
        tf.data.Dataset.from_tensor_slices((DATA, range(6))).batch(4),
        tf.data.Dataset.from_tensor_slices(DATA).batch(2),
    ],
    ids=["a list", "pairs", "tf.data with labels", "tf.data"],
)
@pytest.mark.parametrize("kind", LEARNING)
def test_a_layer_learns_its_vocabulary_and_boundaries(kind: str, dataset: Any) -> None:
    layer = LEARNING[kind]()
    layer.adapt(dataset)
    parts = [part for column in layer.columns for part in nested(column)]
    assert {part.vocabulary_list for part in parts if isinstance(part, fc.VocabularyListColumn)} == {("Tue", "Mon")}
    assert all(part.boundaries == (4.0,) for part in parts if isinstance(part, fc.BucketizedColumn))
    given = {"day": tf.constant(["Mon", "Sun"]), "miles": tf.constant([1.0, 4.0])}
    outputs = layer(given)
    if kind == "SequenceFeatures":
        assert outputs[0].numpy().tolist() == [[[0, 1]], [[0, 0]]]
    if kind == "Encoder":
        assert [outputs[encoded_key(column)].numpy().tolist() for column in layer.columns] == [[[1], [-1]], [[0], [1]]]
    if kind == "DenseFeatures":
        assert layer.tables["day"].table.shape == (2, 2)
    again = type(layer).from_config(layer.get_config())
    assert again.columns == layer.columns


def test_a_layer_may_learn_anew_until_it_is_called() -> None:
    layer = LEARNING["Encoder"]()
    layer.adapt([DATA])
    layer.adapt([{"day": ["Fri"], "miles": [1.0, 9.0]}])
    assert layer.columns[0].vocabulary_list == ("Fri",)


def test_a_layer_that_waits_for_data_comes_back_from_its_config() -> None:
    for make in LEARNING.values():
        layer = make()
        again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
        assert again.columns == layer.columns
        again.adapt([DATA])


def test_a_learned_vocabulary_is_saved_and_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = LEARNING["DenseFeatures"]()
    layer.adapt([DATA])
    raw = layers.inputs(layer.columns)
    model = keras.Model(raw, layer(raw))
    given = {"day": tf.constant(["Mon", "Sun"]), "miles": tf.constant([1.0, 4.0])}
    model.save(tmp_path / "model.keras")
    monkeypatch.setattr(shared, "_known", {})
    again = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(again.predict(given, verbose=0), model.predict(given, verbose=0))


# What is given


@pytest.mark.parametrize("make", [layers.DenseFeatures, layers.Encoder])
def test_tensors_arrays_and_lists_may_be_mixed_and_other_features_stay_unread(make: Any) -> None:
    layer = make([fc.indicator_column(DAY), MILES, RANGES])
    given = {"day": tf.ragged.constant([["Mon"], []]), "miles": np.array([1.0, 900.0]), "note": object()}
    found = layer(given)
    expected = layer({"day": [["Mon"], []], "miles": [1.0, 900.0]})
    for one, two in zip(flat(found), flat(expected), strict=True):
        np.testing.assert_array_equal(one, two)


def test_inputs_of_bags_have_any_number_of_values() -> None:
    raw = layers.inputs([weighted(), HOUR, TAIL, MILES, fc.sequence_numeric_column("n")], bags=["hour"])
    assert {key: tensor.shape for key, tensor in raw.items()} == {
        "day": (None, None),
        "share": (None, None),
        "hour": (None, None),
        "n": (None, None),
        "tail number": (None,),
        "miles": (None,),
    }


# In a model without inputs of its own


def test_a_sequential_model_that_is_not_built_is_fitted() -> None:
    model = keras.Sequential([layers.DenseFeatures(DEEP), keras.layers.Dense(1)])
    model.compile(optimizers.Adagrad(0.1), "mse", jit_compile=False)
    data = tf.data.Dataset.from_tensor_slices((features(), np.ones((32, 1)))).batch(8)
    losses = model.fit(data, epochs=3, shuffle=False, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_layers_come_back_from_their_configs_without_what_tables_started_from() -> None:
    column = fc.embedding_column(HOUR, 2, ckpt_to_load_from="runs/flights", tensor_name_in_ckpt="hour")
    layer = layers.DenseFeatures([column, MILES], name="features")
    again = layers.DenseFeatures.from_config(layer.get_config())
    assert again.name == "features"
    assert [type(column) for column in again.columns] == [fc.EmbeddingColumn, fc.NumericColumn]
    assert again.columns == (fc.embedding_column(HOUR, 2), MILES)
    again.build()
    linear = layers.LinearModel(WIDE, 3, "mean", encoded=True, name="wide")
    assert layers.LinearModel.from_config(linear.get_config()).get_config() == linear.get_config()
    encoder = layers.Encoder(DEEP, name="encoder")
    assert layers.Encoder.from_config(encoder.get_config()).columns == tuple(DEEP)


# Refusals


@pytest.fixture
def plain_errors() -> Iterator[None]:
    """Keras puts the name of a layer before what its call raises."""
    keras.config.disable_traceback_filtering()
    yield
    keras.config.enable_traceback_filtering()


def times(factor: float) -> Callable[[Any], Any]:
    return lambda values: factor * values


def adapted_after_a_call() -> None:
    layer = LEARNING["DenseFeatures"]()
    layer.adapt([DATA])
    layer({"day": ["Mon"], "miles": [1.0]})
    layer.adapt([DATA])


def compiled_by_xla(layer: Any) -> None:
    model = keras.Sequential([layer])
    model.compile("sgd", "mse", jit_compile=True)
    model({"day": tf.constant(["Mon"])})


REFUSALS: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: layers.EmbeddingTable(4, 2, "median"),
        "EmbeddingTable: combiner must be one of mean, sum, sqrtn, max, first, not 'median'.",
    ),
    (
        lambda: layers.EmbeddingTable(4, 2, "max")([[1, 2]], [[0.5, 0.5]]),
        "EmbeddingTable: combiner 'max' takes rows as they are, without weights; give combiner='mean' or 'sum' or "
        "'sqrtn'.",
    ),
    (
        lambda: layers.LinearModel([HOUR], sparse_combiner="max"),
        "LinearModel: sparse_combiner must be one of mean, sum, sqrtn, not 'max'.",
    ),
    (
        lambda: layers.Pooling("median"),
        "Pooling: how must be one of mean, sum, sqrtn, max, first, not 'median'.",
    ),
    (
        lambda: layers.Pooling()(tf.zeros([2, 3])),
        "Pooling: values of shape (batch, time, width) are wanted, not (2, 3).",
    ),
    (
        lambda: layers.Pooling(segments=2)(keras.Input((3, 4))),
        "Pooling: segments, how many an example has, and segment_ids, that of each step, go together; give both, or "
        "none.",
    ),
    (
        lambda: layers.EmbeddingTable(5, 2, storage_dtype="float16"),
        "EmbeddingTable: storage_dtype must be float32 or bfloat16, not 'float16'.",
    ),
    (
        lambda: layers.DenseFeatures([]),
        "DenseFeatures: at least one column is wanted.",
    ),
    (
        lambda: layers.DenseFeatures([HOUR]),  # type: ignore[list-item]  # the mistake under test
        "DenseFeatures: dense columns are wanted, not IdentityColumn; wrap it in embedding_column or indicator_column.",
    ),
    (
        lambda: layers.LinearModel([fc.embedding_column(HOUR, 2)]),
        "LinearModel: embedding column 'hour_embedding' is added to sums of 1, and its dimension is 2; give it "
        "dimension=1, or give the categorical column itself.",
    ),
    (
        lambda: layers.LinearModel(["hour"]),  # type: ignore[list-item]  # the mistake under test
        "LinearModel: categorical and numeric columns are wanted, not str 'hour'; give the categorical column itself.",
    ),
    (
        lambda: table()([[1.0]]),
        "EmbeddingTable: ids should be whole numbers, not float32; cast them.",
    ),
    (
        lambda: layers.DenseFeatures([fc.indicator_column(fc.sequence_categorical_column_with_identity("hour", 24))]),
        "DenseFeatures: column 'hour_indicator' is a sequence; give it to SequenceFeatures.",
    ),
    (
        lambda: layers.LinearModel([fc.sequence_categorical_column_with_identity("hour", 24)]),
        "LinearModel: column 'hour' is a sequence; give the column of a bag.",
    ),
    (
        lambda: layers.SequenceFeatures([]),
        "SequenceFeatures: at least one column is wanted.",
    ),
    (
        lambda: layers.SequenceFeatures(fc.sequence_categorical_column_with_identity("hour", 24)),
        "SequenceFeatures: column 'hour' is ids; wrap it in embedding_column or indicator_column.",
    ),
    (
        lambda: layers.SequenceFeatures([fc.indicator_column(HOUR)]),
        "SequenceFeatures: column 'hour_indicator' is no sequence; declare it with sequence_numeric_column or one of "
        "sequence_categorical_column_with_…, or give it to DenseFeatures.",
    ),
    (
        adapted_after_a_call,
        "DenseFeatures: adapt(dataset) comes before the first call; make a new layer.",
    ),
    (
        lambda: compiled_by_xla(layers.DenseFeatures([fc.indicator_column(DAY)])),
        "DenseFeatures: feature 'day' is strings, which XLA cannot compile; give model.compile jit_compile=False, or "
        "encode in the tf.data pipeline with Encoder(columns).",
    ),
    *(
        (
            partial(lambda kind: LEARNING[kind]()({key: tf.constant(values) for key, values in DATA.items()}), kind),
            f"{kind}: column '{name}' takes its vocabulary or boundaries from data; call adapt(dataset) first.",
        )
        for kind, name in {
            "DenseFeatures": "day_embedding",
            "LinearModel": "day",
            "SequenceFeatures": "day_indicator",
            "Encoder": "day",
        }.items()
    ),
    (
        lambda: layers.Encoder([LEARNED_RANGES])({"miles": keras.Input(())}),
        "Encoder: column 'miles_bucketized' takes its vocabulary or boundaries from data; call adapt(dataset) first.",
    ),
    (
        lambda: layers.Encoder(["hour"]),  # type: ignore[list-item]  # the mistake under test
        "encodable: a column is wanted, not 'hour'.",
    ),
    (
        lambda: layers.Encoder([fc.numeric_column("n", normalizer_fn=times(factor)) for factor in (2, 3)]),
        "Encoder: 'n' is declared twice, with different functions of one name; define them at the top of a module "
        "under two names, or declare the column once.",
    ),
]


@pytest.mark.parametrize(("make", "sentence"), REFUSALS, ids=[sentence[:50] for _, sentence in REFUSALS])
@pytest.mark.usefixtures("plain_errors")
def test_a_mistake_is_refused_in_one_sentence(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        make()
    assert str(refusal.value) == sentence


@pytest.mark.usefixtures("plain_errors")
def test_every_refusal_of_the_room_is_among_those_tested() -> None:
    sites = {
        (path.name, node.lineno)
        for path in Path(layers.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Raise) and "Refusal" in ast.unparse(node)
    }
    told = set()
    for make, _ in REFUSALS:
        with pytest.raises(Refusal) as refusal:
            make()
        last = refusal.traceback[-1]
        told.add((Path(last.path).name, last.lineno + 1))
    assert sites == told


def test_a_partial_declared_twice_alike_is_one_column() -> None:
    columns = [fc.numeric_column("n", normalizer_fn=partial(operator.mul, 2)) for _ in range(2)]
    assert len(layers.Encoder(columns).keys) == 1


@pytest.mark.parametrize("make", [layers.DenseFeatures, layers.Encoder])
def test_a_config_says_nothing_of_where_a_table_started(make: Any) -> None:
    old = [f"old {number}" for number in range(1000)]
    column = fc.embedding_column(HOUR, 2, ckpt_to_load_from="old.npy", tensor_name_in_ckpt="hour", old_vocabulary=old)
    layer = make([column])
    config = json.dumps(layer.get_config())
    assert "old" not in config.replace("old_vocabulary", "")
    assert layer.columns == (column,)
    assert make.from_config(json.loads(config)).columns == (fc.embedding_column(HOUR, 2),)


def test_a_config_of_before_that_says_where_a_table_started_is_read_without_it() -> None:
    config = layers.DenseFeatures([fc.embedding_column(HOUR, 2), MILES]).get_config()
    (before,) = (column for column in config["columns"] if "combiner" in column)
    before |= {"ckpt_to_load_from": "runs/gone", "tensor_name_in_ckpt": "hour", "old_vocabulary": ["1", "2"]}
    assert layers.DenseFeatures.from_config(config).columns == (fc.embedding_column(HOUR, 2), MILES)
