import ast
import operator
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
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
from trainer.feature_column.serialization import encoded_key

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
@settings(derandomize=True, deadline=None, max_examples=25)
def test_rows_are_combined_as_the_combiner_says_and_an_example_without_ids_gets_zeros(combiner: str, ids: Any) -> None:
    values = np.arange(1, 11, dtype=np.float64).reshape(5, 2)
    kept = [[id for id in bag if id >= 0] for bag in ids]
    expected = [COMBINED[combiner](values[bag]) if bag else np.zeros(2) for bag in kept]
    combined = table(combiner=combiner)(np.array(ids))
    np.testing.assert_allclose(combined, expected, rtol=1e-6)


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


def test_training_on_missing_ids_changes_nothing() -> None:
    made = table()
    before = made.table.numpy()
    optimizer = optimizers.SGD(1.0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(made(tf.constant([[-1, -1], [-1, -1]])))
    optimizer.apply([tape.gradient(loss, made.table.value)], [made.table])
    assert np.array_equal(made.table, before)


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
        return np.full((4, 3), 7.0)

    made = layers.EmbeddingTable(4, 3, initial_values=read)
    step = tf.function(lambda ids: made(ids))
    assert step(tf.constant([2])).numpy().tolist() == [[7, 7, 7]]
    made.table.assign(np.zeros((4, 3)))
    assert step(tf.constant([2, 1])).numpy().tolist() == [[0, 0, 0]] * 2
    assert calls == [1]
    assert layers.EmbeddingTable.from_config(made.get_config()).initial_values is None


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


# DenseFeatures


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
    assert sorted(weights.indices.numpy().tolist()) == [3, 5, 5]
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
        assert half.encoder is None
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


LOADING = """
import sys
import keras, numpy as np
import trainer.layers
model = keras.models.load_model(sys.argv[1])
given = {name: keras.ops.convert_to_tensor(values) for name, values in np.load(sys.argv[2]).items()}
assert model.optimizer.iterations.numpy() == 48
np.save(sys.argv[3], model.predict(given, verbose=0))
"""


# Keras asks a variable for an array as NumPy 2 no longer wants to be asked.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
def test_a_model_is_fitted_saved_and_loaded_elsewhere_after_importing_the_layers(tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    model, given = functional_model(), features(256)
    del given["place"]
    late = (given["hour"].numpy() > 11).astype(np.float32)[:, None]
    data = tf.data.Dataset.from_tensor_slices((given, late)).batch(32)
    losses = model.fit(data, epochs=6, shuffle=False, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    outputs = model.predict(given, verbose=0)
    assert np.std(outputs) > 0.1
    model.save(tmp_path / "model.keras")
    arrays = {key: values.numpy() for key, values in given.items()}
    strings = {key: values.astype(str) for key, values in arrays.items() if values.dtype == object}
    np.savez(tmp_path / "features.npz", **{**arrays, **strings})
    files = [str(tmp_path / name) for name in ("model.keras", "features.npz", "outputs.npy")]
    root = str(Path(__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", LOADING, *files],
        cwd=root,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(files[2]), outputs, rtol=1e-6, atol=1e-6)


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


def times(factor: float) -> Callable[[Any], Any]:
    return lambda values: factor * values


REFUSALS: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: layers.EmbeddingTable(4, 2, "max"),
        "EmbeddingTable: combiner must be one of mean, sum, sqrtn, not 'max'.",
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
        "LinearModel: categorical and numeric columns are wanted, not EmbeddingColumn 'hour_embedding'; give the "
        "categorical column itself.",
    ),
    (
        lambda: layers.LinearModel(["hour"]),  # type: ignore[list-item]  # the mistake under test
        "LinearModel: categorical and numeric columns are wanted, not str 'hour'; give the categorical column itself.",
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
def test_a_mistake_is_refused_in_one_sentence(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        make()
    assert str(refusal.value) == sentence


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
    assert len(layers.Encoder(columns).encodings) == 1
