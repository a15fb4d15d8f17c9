"""Ids equal bit for bit, and dense features to 1e-6, those of the real `tf.feature_column`."""

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.parity import present, their_ids, theirs
from trainer import feature_column as fc
from trainer.encoding import encoding
from trainer.layers import DenseFeatures

moderately = settings(derandomize=True, deadline=None, max_examples=25)

DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
DAY = fc.categorical_column_with_vocabulary_list("day", DAYS)
HOUR = fc.categorical_column_with_identity("hour", 24)
MILES = fc.numeric_column("miles")
RANGES = fc.bucketized_column(MILES, [-10, 0, 0.1, 1000])

words = st.text(min_size=1, max_size=6)
days = st.sampled_from([*DAYS, "Montag"])
numbers = st.one_of(st.integers(0, 30), st.integers(-(2**40), 2**40).filter(lambda number: number != -1))
floats = st.one_of(st.sampled_from([-10.0, 0.0, -0.0, 0.1, 1000.0]), st.floats(-2000, 2000, width=32))


def equal(column: fc.CategoricalColumn, features: Mapping[str, Any]) -> None:
    given = {key: tf.constant(values) for key, values in features.items()}
    assert present(encoding(column)(given)) == their_ids(column, given)


def bags(values: st.SearchStrategy[Any], missing: Any, longest: int = 3) -> st.SearchStrategy[Any]:
    """Returns lists of as many values an example, some of them missing."""
    value = st.one_of(values, st.just(missing))
    return st.integers(1, longest).flatmap(
        lambda length: st.lists(st.lists(value, min_size=length, max_size=length), min_size=1, max_size=4)
    )


@given(bags(days, ""), st.integers(0, 3), st.integers(-1, 6))
@moderately
def test_ids_of_a_vocabulary(values: Any, num_oov_buckets: int, default_value: int) -> None:
    default = -1 if num_oov_buckets else default_value
    equal(
        fc.categorical_column_with_vocabulary_list("day", DAYS, default_value=default, num_oov_buckets=num_oov_buckets),
        {"day": values},
    )


@given(bags(numbers, -1), st.lists(numbers, min_size=1, max_size=5, unique=True), st.integers(0, 3))
@moderately
def test_ids_of_a_vocabulary_of_numbers(values: Any, vocabulary: list[int], num_oov_buckets: int) -> None:
    column = fc.categorical_column_with_vocabulary_list("n", vocabulary, num_oov_buckets=num_oov_buckets)
    equal(column, {"n": np.array(values, np.int64)})


@given(bags(numbers, -1), st.integers(1, 40), st.data())
@moderately
def test_ids_that_are_whole_numbers_already(values: Any, num_buckets: int, data: st.DataObject) -> None:
    default = data.draw(st.integers(0, num_buckets - 1))
    equal(fc.categorical_column_with_identity("n", num_buckets, default), {"n": np.array(values, np.int64)})


@given(bags(st.integers(0, 23), -1))
@moderately
def test_ids_that_are_whole_numbers_in_their_range(values: Any) -> None:
    equal(HOUR, {"hour": np.array(values, np.int64)})


@given(bags(words, ""), st.integers(1, 2**40))
@moderately
def test_ids_of_hashed_strings(values: Any, size: int) -> None:
    equal(fc.categorical_column_with_hash_bucket("tail", size), {"tail": values})


@given(bags(numbers, -1), st.integers(1, 2**40), st.sampled_from(["int32", "int64"]))
@moderately
def test_ids_of_hashed_whole_numbers(values: Any, size: int, dtype: str) -> None:
    numbers = np.array(values, np.int64) if dtype == "int64" else np.array(values, np.int64).astype(np.int32)
    numbers = np.where(np.array(values) == -1, -1, np.where(numbers == -1, 0, numbers))
    equal(fc.categorical_column_with_hash_bucket("tail", size, dtype), {"tail": numbers.astype(dtype)})


@given(st.lists(floats, min_size=1, max_size=20))
@moderately
def test_ids_of_ranges(values: list[float]) -> None:
    equal(RANGES, {"miles": np.array(values, np.float32)})


@given(st.lists(st.tuples(floats, floats, floats), min_size=1, max_size=5))
@moderately
def test_ids_of_ranges_of_several_numbers(values: list[Any]) -> None:
    column = fc.bucketized_column(fc.numeric_column("place", 3), [-1, 0, 0.1])
    equal(column, {"place": np.array(values, np.float32)})


@given(st.lists(floats, min_size=1, max_size=20), st.lists(floats, min_size=1, max_size=5, unique=True))
@moderately
def test_ids_of_ranges_of_normalized_numbers(values: list[float], edges: list[float]) -> None:
    edges = sorted({float(np.float32(edge)) for edge in edges})
    column = fc.bucketized_column(fc.numeric_column("miles", normalizer_fn=operator.neg), edges)
    equal(column, {"miles": np.array(values, np.float32)})


# Each key of a cross, and values of it; a raw key has no missing ones, for TensorFlow would cross '' and -1.
KEYS: dict[str, tuple[Any, Any]] = {
    "raw strings": ("word", bags(words, "x", 2)),
    "raw numbers": ("number", bags(numbers, 5, 2).map(np.array)),
    "vocabulary": (DAY, bags(days, "", 2)),
    "identity": (HOUR, bags(st.integers(0, 23), -1, 2).map(np.array)),
    "ranges": (RANGES, st.lists(floats, min_size=1, max_size=4).map(lambda values: np.array(values, np.float32))),
}


@given(
    st.lists(st.sampled_from(list(KEYS)), min_size=2, max_size=3, unique=True),
    st.sampled_from([1, 13, 1000, 2**31, 2**40]),
    st.sampled_from([None, 0, 7, 0xDECAFCAFFE]),
    st.data(),
)
@settings(moderately, max_examples=80)
def test_ids_of_hashed_crosses(kinds: list[str], size: int, hash_key: int | None, data: st.DataObject) -> None:
    keys = [KEYS[kind][0] for kind in kinds]
    drawn = {
        (key if isinstance(key, str) else next(iter(key.raw_features))): kind
        for key, kind in zip(keys, kinds, strict=True)
    }
    features = {key: data.draw(KEYS[kind][1]) for key, kind in drawn.items()}
    examples = min(len(values) for values in features.values())
    equal(fc.crossed_column(keys, size, hash_key), {key: values[:examples] for key, values in features.items()})


@given(st.permutations([DAY, HOUR, RANGES, "word"]), st.integers(1, 2))
@moderately
def test_ids_of_nested_crosses(keys: list[Any], nested: int) -> None:
    inner = fc.crossed_column(keys[:2], 100)
    cross = fc.crossed_column([inner, *keys[2:]] if nested == 1 else [keys[3], inner, keys[2]], 1000)
    features = {"day": ["Mon", "Montag"], "hour": [3, 23], "miles": [0.05, 9.0], "word": ["a", "b"]}
    equal(cross, features)


def test_a_raw_key_is_hashed_after_the_columns_wherever_it_stands() -> None:
    features = {"day": ["Mon", "Tue"], "word": ["a", "b"]}
    equal(fc.crossed_column(["word", DAY], 1000), features)
    equal(fc.crossed_column([DAY, "word"], 1000), features)


def test_a_value_of_no_vocabulary_is_crossed_by_a_hash_as_tensorflow_does() -> None:
    cross = fc.crossed_column([DAY, "word"], 100)
    features = {"day": ["Mon", "Montag", ""], "word": ["a", "a", "a"]}
    equal(cross, features)
    assert [len(ids) for ids in present(encoding(cross)({key: tf.constant(v) for key, v in features.items()}))] == [
        1,
        1,
        0,
    ]


def test_a_missing_raw_key_is_crossed_by_tensorflow_and_left_out_by_us() -> None:
    cross = fc.crossed_column(["word", "number"], 100)
    features = {"word": tf.constant(["a", "", "a"]), "number": tf.constant([1, 1, -1])}
    ours = present(encoding(cross)(features))
    assert [len(ids) for ids in their_ids(cross, features)] == [1, 1, 1]
    assert ours == [their_ids(cross, features)[0], [], []]


# Dense features

CROSS = fc.crossed_column([DAY, HOUR], 50)
TAIL = fc.categorical_column_with_hash_bucket("tail", 20)
DENSE: list[fc.DenseColumn] = [
    fc.embedding_column(TAIL, 3, combiner="sum"),
    fc.numeric_column("place", (2, 2)),
    fc.embedding_column(CROSS, 5),
    fc.indicator_column(DAY),
    fc.embedding_column(DAY, 2, combiner="sqrtn", max_norm=0.7),
    RANGES,
    fc.indicator_column(RANGES),
    fc.embedding_column(HOUR, 4, combiner="mean"),
    fc.indicator_column(TAIL),
    fc.embedding_column(RANGES, 3, max_norm=100.0),
    fc.numeric_column("altitude", normalizer_fn=operator.neg),
]


def rows(examples: int, seed: int) -> dict[str, Any]:
    chance = np.random.default_rng(seed)
    return {
        "day": tf.constant(chance.choice([*DAYS, "Montag", ""], (examples, 3))),
        "hour": tf.constant(chance.integers(-1, 24, (examples, 2))),
        "tail": tf.constant(chance.choice(["N1", "N2", "N3", "", ""], (examples, 4))),
        "miles": tf.constant(chance.uniform(-20, 1100, examples).astype(np.float32)),
        "place": tf.constant(chance.normal(size=(examples, 2, 2)).astype(np.float32)),
        "altitude": tf.constant(chance.normal(size=(examples, 1)).astype(np.float32)),
    }


@pytest.mark.parametrize("examples", [1, 200])
@pytest.mark.parametrize("order", [1, -1])
def test_dense_features_of_the_same_tables(examples: int, order: int) -> None:
    columns = DENSE[::order]
    features = rows(examples, seed=examples)
    our_layer, their_layer = DenseFeatures(columns), tf_keras.layers.DenseFeatures([theirs(c) for c in columns])
    their_layer(features)
    our_layer(features)
    assert len(their_layer.weights) == len(our_layer.tables)
    for name, table in our_layer.tables.items():
        (weight,) = (weight for weight in their_layer.weights if f"/{name}_embedding/" in weight.name)
        table.table.assign(weight)
    np.testing.assert_allclose(our_layer(features), their_layer(features), atol=1e-6, rtol=1e-6)


def test_the_columns_of_the_battery_are_of_every_dense_kind() -> None:
    kinds = {value for value in vars(fc).values() if isinstance(value, type) and issubclass(value, fc.DenseColumn)}
    assert {type(column) for column in DENSE} == kinds - {fc.DenseColumn}


def test_our_tables_start_with_the_spread_of_theirs() -> None:
    column = fc.embedding_column(fc.categorical_column_with_identity("n", 5000), 16)
    features = {"n": tf.constant([1])}
    their_layer, our_layer = tf_keras.layers.DenseFeatures([theirs(column)]), DenseFeatures([column])
    their_layer(features)
    our_layer(features)
    (weight,), (table,) = their_layer.weights, our_layer.tables.values()
    assert np.std(table.table) == pytest.approx(np.std(weight), rel=0.02)
    assert np.abs(table.table).max() < 0.51  # two standard deviations of 1 / sqrt(16)
    assert np.abs(weight).max() < 0.51


def test_the_week_hashed_into_as_many_buckets_as_it_has_hours_shares_them() -> None:
    features = {"day": np.repeat(DAYS, 24).tolist(), "hour": list(range(24)) * 7}
    hashed, exact = fc.crossed_column([DAY, HOUR], 24 * 7), fc.crossed_column([DAY, HOUR])
    equal(hashed, features)
    assert len(np.unique(encoding(hashed)(features))) == 107
    assert len(np.unique(encoding(exact)(features))) == 168
