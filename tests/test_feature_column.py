import ast
import functools
import inspect
import itertools
import json
import math
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import parity
from trainer import feature_column as fc
from trainer.errors import Refusal
from trainer.feature_column.collection import embeddings_by_table, raw_features_of
from trainer.feature_column.serialization import digest, encoded_key, from_dict, to_dict

DAY = fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue", "Wed"])
HOUR = fc.categorical_column_with_identity("hour", 24)
TAIL = fc.categorical_column_with_hash_bucket("tail", 500)
MILES = fc.numeric_column("miles")
HALVED = lambda miles: miles / 2  # noqa: E731  # a function without a name of its own is what is tested
RANGES = fc.bucketized_column(MILES, [250, 500.5, 1000])

COLUMNS: list[fc.FeatureColumn] = [
    DAY,
    fc.categorical_column_with_vocabulary_list("day", ["Tue", "Mon", "Wed"]),
    fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue", "Wed"], default_value=2),
    fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue", "Wed"], num_oov_buckets=2),
    fc.categorical_column_with_vocabulary_list("year", [2012, 2013], dtype="int32"),
    HOUR,
    fc.categorical_column_with_identity("hour", 25),
    fc.categorical_column_with_identity("hour", 24, default_value=0),
    TAIL,
    fc.categorical_column_with_hash_bucket("tail", 501),
    fc.categorical_column_with_hash_bucket("tail", 500, dtype="int64"),
    fc.crossed_column([DAY, HOUR]),
    fc.crossed_column([HOUR, DAY]),
    fc.crossed_column([DAY, HOUR], 24 * 7),
    fc.crossed_column([DAY, HOUR], 24 * 7, hash_key=5),
    fc.crossed_column(["tail", fc.crossed_column([RANGES, "day"], 100)], 1000),
    MILES,
    fc.numeric_column("place", shape=(2, 3), default_value=[[1, 2, 3], [4, 5, 6.5]]),
    fc.numeric_column("miles", dtype="int64", normalizer_fn=operator.neg),
    fc.numeric_column("miles", normalizer_fn=functools.partial(operator.mul, 0.001)),
    fc.numeric_column("miles", normalizer_fn=functools.partial(operator.mul, 0.002)),
    RANGES,
    fc.bucketized_column(MILES, [250, 500.5, 1001]),
    fc.bucketized_column(fc.numeric_column("miles", shape=2), [250, 500.5, 1000]),
    fc.bucketized_column(fc.numeric_column("miles", normalizer_fn=operator.neg), [250, 500.5, 1000]),
    fc.indicator_column(DAY),
    fc.embedding_column(fc.crossed_column([DAY, HOUR]), 4, name="day_hour"),
    fc.embedding_column(HOUR, 4, "sqrtn", "ones", "runs/flights", "day_hour", 2.0, False, False),
]
IDS = [f"{place}-{type(column).__name__}" for place, column in enumerate(COLUMNS)]


def kinds() -> set[str]:
    exported = {name: getattr(fc, name) for name in fc.__all__}
    return {
        name
        for name, value in exported.items()
        if isinstance(value, type) and issubclass(value, fc.FeatureColumn) and not inspect.isabstract(value)
    } - {"CategoricalColumn", "DenseColumn", "FeatureColumn"}


def refused(make: Callable[[], Any]) -> str:
    with pytest.raises(Refusal) as refusal:
        make()
    return str(refusal.value)


def test_the_battery_has_a_column_of_every_kind() -> None:
    assert {type(column).__name__ for column in COLUMNS} == kinds()


# Names


@pytest.mark.parametrize("column", COLUMNS, ids=IDS)
def test_a_column_has_the_name_that_tensorflow_gives_it(column: Any) -> None:
    assert column.name == parity.theirs(column).name


@pytest.mark.parametrize("column", COLUMNS, ids=IDS)
def test_a_column_reads_the_raw_features_that_tensorflow_parses(column: Any) -> None:
    spec = parity.theirs(column).parse_example_spec
    assert set(column.raw_features) == set(spec)
    for key, feature in column.raw_features.items():
        theirs = spec[key].dtype
        assert feature.dtype == ("string" if theirs == tf.string else "int64" if theirs.is_integer else "float32")


@pytest.mark.parametrize("column", [c for c in COLUMNS if isinstance(c, fc.CategoricalColumn)])
def test_a_categorical_column_has_as_many_ids_as_tensorflow_says(column: Any) -> None:
    assert column.num_buckets == parity.theirs(column).num_buckets


@pytest.mark.parametrize("column", [c for c in COLUMNS if isinstance(c, fc.DenseColumn)])
def test_a_dense_column_is_as_wide_as_tensorflow_says(column: Any) -> None:
    assert column.width == parity.theirs(column).variable_shape.num_elements()


# Arguments

ADDITIONS = {"crossed_column": {"hash_bucket_size": None}, "embedding_column": {"dimension": None}}
KEYWORDS = {"embedding_column": {"name"}}


@pytest.mark.parametrize("name", [name for name in fc.__all__ if name.islower()])
def test_a_function_takes_the_arguments_of_tensorflows_in_their_order_with_their_defaults(name: str) -> None:
    ours = inspect.signature(getattr(fc, name)).parameters
    theirs = inspect.signature(getattr(tf.feature_column, name)).parameters
    positional = {key: value for key, value in ours.items() if value.kind == value.POSITIONAL_OR_KEYWORD}
    assert list(positional) == list(theirs)
    assert set(ours) - set(theirs) == KEYWORDS.get(name, set())
    defaults = {key: getattr(value.default, "name", value.default) for key, value in theirs.items()}
    assert {key: value.default for key, value in positional.items()} == defaults | ADDITIONS.get(name, {})


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (tf.int32, "int32"),
        (np.int32, "int32"),
        (np.dtype("int64"), "int64"),
        (int, "int64"),
        (str, "string"),
        (np.str_, "string"),
        (tf.string, "string"),
    ],
)
def test_a_dtype_may_be_tensorflows_numpys_or_pythons(dtype: Any, name: str) -> None:
    assert fc.categorical_column_with_hash_bucket("tail", 10, dtype).dtype == name


def test_numpys_numbers_are_taken_as_pythons() -> None:
    whole, real, array = (cast(Any, kind) for kind in (np.int64, np.float32, np.array))
    columns = [
        fc.categorical_column_with_identity("hour", whole(24), whole(3)),
        fc.categorical_column_with_vocabulary_list("year", array([2012, 2013]), default_value=whole(1)),
        fc.categorical_column_with_vocabulary_list("day", array(["Mon", "Tue"]), num_oov_buckets=whole(1)),
        fc.categorical_column_with_hash_bucket("tail", whole(500)),
        fc.crossed_column([DAY, HOUR], whole(100)),
        fc.embedding_column(HOUR, whole(4), max_norm=real(2)),
        fc.numeric_column("miles", whole(2), real(0.5)),
        fc.bucketized_column(MILES, array([1.0, 2.0], np.float32)),
    ]
    for column in columns:
        assert from_dict(json.loads(json.dumps(to_dict(column)))) == column
    assert columns[1] == fc.categorical_column_with_vocabulary_list("year", [2012, 2013], default_value=1)


def test_an_embedding_without_a_dimension_gets_the_fourth_root_of_its_rows() -> None:
    assert [fc.embedding_column(fc.categorical_column_with_identity("n", n)).dimension for n in (1, 16, 17, 10**6)] == [
        1,
        2,
        3,
        32,
    ]


def test_a_default_value_is_one_number_for_all_or_one_for_each() -> None:
    assert fc.numeric_column("place", (2, 2), 0.5).default_value == (0.5, 0.5, 0.5, 0.5)
    assert fc.numeric_column("place", (2, 2), [[1, 2], [3, 4]]).default_value == (1.0, 2.0, 3.0, 4.0)
    assert fc.numeric_column("place", 2, (1, 2)).default_value == (1.0, 2.0)
    assert fc.numeric_column("place").default_value is None


# Labels


@pytest.mark.parametrize(
    ("column", "labels"),
    [
        (DAY, ["Mon", "Tue", "Wed"]),
        (
            fc.categorical_column_with_vocabulary_list("year", [2012, 7], num_oov_buckets=2),
            ["2012", "7", "(unseen 1)", "(unseen 2)"],
        ),
        (fc.categorical_column_with_identity("n", 11), ["00", *(f"{n:02d}" for n in range(1, 11))]),
        (fc.categorical_column_with_hash_bucket("tail", 3), ["bucket 0", "bucket 1", "bucket 2"]),
        (RANGES, ["(-inf, 250)", "[250, 500.5)", "[500.5, 1000)", "[1000, inf)"]),
        (fc.bucketized_column(MILES, [1000001, 1000002]), ["(-inf, 1000001)", "[1000001, 1000002)", "[1000002, inf)"]),
        (
            fc.bucketized_column(fc.numeric_column("place", 2), [0.1]),
            ["0: (-inf, 0.1)", "0: [0.1, inf)", "1: (-inf, 0.1)", "1: [0.1, inf)"],
        ),
        (
            fc.crossed_column([fc.categorical_column_with_identity("n", 2), DAY]),
            ["0 Mon", "0 Tue", "0 Wed", "1 Mon", "1 Tue", "1 Wed"],
        ),
        (fc.crossed_column(["day", "hour"], 11), [f"bucket {n:02d}" for n in range(11)]),
    ],
)
def test_labels_are_in_the_order_of_ids(column: Any, labels: list[str]) -> None:
    assert [column.label(id) for id in range(column.num_buckets)] == labels
    assert len(set(labels)) == len(labels)


def test_the_battery_of_labels_has_every_categorical_kind() -> None:
    (mark,) = [m for m in test_labels_are_in_the_order_of_ids.pytestmark if m.name == "parametrize"]
    tested = {type(column).__name__ for column, _ in mark.args[1]}
    assert tested == {name for name in kinds() if issubclass(getattr(fc, name), fc.CategoricalColumn)}


def test_fields_are_named_by_the_raw_features_in_the_order_of_the_keys() -> None:
    cross = fc.crossed_column([HOUR, DAY, RANGES])
    fields = cross.fields(8 * 12 + 2 * 4 + 3)
    assert list(fields.items()) == [("hour", "08"), ("day", "Wed"), ("miles", "[1000, inf)")]


@pytest.mark.parametrize("id", [-1, 72])
def test_a_label_of_no_id_is_refused(id: int) -> None:
    assert (
        refused(lambda: fc.crossed_column([DAY, HOUR]).label(id))
        == f"day_X_hour: an id from 0 to 71 is wanted, not {id}."
    )


@given(st.one_of(st.sampled_from(RANGES.boundaries), st.floats(-2000, 2000)))
@settings(derandomize=True, max_examples=50)
def test_a_value_lies_in_the_range_that_its_bucket_is_labelled_with(value: float) -> None:
    low, high = RANGES.label(RANGES.bucket(value))[1:-1].split(", ")
    assert float(low) <= value < float(high)


# Crosses

LEAVES = {
    "vocabulary": st.lists(st.text(min_size=1), min_size=1, max_size=5, unique=True).map(
        lambda values: functools.partial(fc.categorical_column_with_vocabulary_list, vocabulary_list=values)
    ),
    "numbers": st.lists(st.integers(0, 99), min_size=1, max_size=5, unique=True).map(
        lambda values: functools.partial(
            fc.categorical_column_with_vocabulary_list, vocabulary_list=values, num_oov_buckets=2
        )
    ),
    "identity": st.integers(1, 120).map(
        lambda size: functools.partial(fc.categorical_column_with_identity, num_buckets=size)
    ),
    "ranges": st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=4, unique=True).map(
        lambda edges: lambda key: fc.bucketized_column(fc.numeric_column(key), sorted(edges))
    ),
}


@st.composite
def exact_crosses(draw: st.DrawFn) -> fc.CrossedColumn:
    made = draw(st.lists(st.one_of(*LEAVES.values()), min_size=2, max_size=4))
    return fc.crossed_column([make(f"key{place}") for place, make in enumerate(made)])


@given(exact_crosses(), st.data())
@settings(derandomize=True, max_examples=100)
def test_the_values_of_an_id_of_an_exact_cross_lead_back_to_it(cross: fc.CrossedColumn, data: st.DataObject) -> None:
    id = data.draw(st.integers(0, cross.num_buckets - 1))
    assert cross.num_buckets == math.prod(leaf.num_buckets for leaf in cross.bounded_leaves)
    assert cross.id(*cross.fields(id).values()) == id
    assert cross.label(id) == " ".join(cross.fields(id).values())


def test_the_ids_of_an_exact_cross_run_through_all_pairs_the_last_key_fastest() -> None:
    pairs = itertools.product(("Mon", "Tue", "Wed"), range(24))
    assert [fc.crossed_column([DAY, HOUR]).id(*pair) for pair in pairs] == list(range(72))


def test_a_nested_cross_is_the_cross_of_its_keys() -> None:
    nested = fc.crossed_column([fc.crossed_column([DAY, HOUR]), RANGES])
    flat = fc.crossed_column([DAY, HOUR, RANGES])
    assert nested.leaves == flat.leaves == (DAY, HOUR, RANGES)
    assert (nested.name, nested.num_buckets) == (flat.name, flat.num_buckets) == ("day_X_hour_X_miles_bucketized", 288)
    assert [nested.label(id) for id in range(288)] == [flat.label(id) for id in range(288)]
    assert nested.id("Tue", 8, "[1000, inf)") == flat.id("Tue", 8, "[1000, inf)") == (24 + 8) * 4 + 3
    assert dict(nested.raw_features) == dict(flat.raw_features)


def test_an_exact_cross_is_bounded_and_a_hashed_one_is_not() -> None:
    assert fc.crossed_column([DAY, HOUR]).is_bounded
    assert not fc.crossed_column([DAY, HOUR], 100).is_bounded
    assert not TAIL.is_bounded


# Tables


def test_two_equal_columns_share_a_table() -> None:
    twice = [fc.embedding_column(HOUR, 4), fc.embedding_column(fc.categorical_column_with_identity("hour", 24), 4)]
    assert embeddings_by_table(twice) == {"hour": twice[0]}


def test_a_table_is_named_by_its_column_with_what_no_file_name_has_replaced() -> None:
    column = fc.embedding_column(fc.categorical_column_with_identity("native country/é", 3), 2)
    assert column.table == "native_country__"
    assert fc.embedding_column(HOUR, 2, name="Hour.of-day_1").table == "Hour.of-day_1"


def test_a_feature_read_as_whole_numbers_and_as_floats_is_read_as_floats() -> None:
    columns = [fc.categorical_column_with_identity("miles", 5000), MILES]
    assert raw_features_of(columns) == {"miles": fc.RawFeature("float32")}
    assert raw_features_of(columns[::-1]) == {"miles": fc.RawFeature("float32")}


# Serialization


@pytest.mark.parametrize("column", COLUMNS, ids=IDS)
def test_a_column_comes_back_from_json(column: Any) -> None:
    again = from_dict(json.loads(json.dumps(to_dict(column))))
    assert type(again) is type(column)
    assert to_dict(again) == to_dict(column)
    assert digest(again) == digest(column)
    function = getattr(column, "normalizer_fn", None)
    if isinstance(function, functools.partial):  # equal to itself alone
        assert again.normalizer_fn(3.0) == function(3.0)
    else:
        assert again == column


def test_an_initializer_comes_back_with_its_arguments() -> None:
    column = fc.embedding_column(HOUR, 4, initializer=keras.initializers.RandomUniform(-0.25, 0.5, seed=3))
    again = from_dict(json.loads(json.dumps(to_dict(column)))).initializer
    assert type(again) is keras.initializers.RandomUniform
    assert (again.minval, again.maxval, again.seed) == (-0.25, 0.5, 3)
    by_class = fc.embedding_column(HOUR, 4, initializer=keras.initializers.Ones)
    assert from_dict(to_dict(by_class)) == by_class


def test_columns_that_make_ids_or_numbers_differently_have_different_digests() -> None:
    for left, right in itertools.combinations(COLUMNS, 2):
        assert digest(left) != digest(right), (left, right)
        assert encoded_key(left) != encoded_key(right)


def test_columns_that_are_declared_alike_have_one_digest() -> None:
    again = fc.crossed_column((DAY, fc.categorical_column_with_identity("hour", 24)))
    assert digest(again) == digest(fc.crossed_column([DAY, HOUR]))
    assert encoded_key(again) == f"day_X_hour.{digest(again)}"


# Refusals

REFUSALS: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: HOUR.label(24),
        "hour: an id from 0 to 23 is wanted, not 24.",
    ),
    (
        lambda: fc.categorical_column_with_identity("", 3),
        "categorical_column_with_identity: the key of a feature is wanted, a string such as 'day', not ''.",
    ),
    (
        lambda: fc.categorical_column_with_hash_bucket(5, 3),  # type: ignore[arg-type]  # the mistake under test
        "categorical_column_with_hash_bucket: the key of a feature is wanted, a string such as 'day', not 5.",
    ),
    (
        lambda: fc.categorical_column_with_identity("hour", 0),
        "categorical_column_with_identity: key 'hour': num_buckets must be a whole number of at least 1, not 0.",
    ),
    (
        lambda: fc.categorical_column_with_identity("hour", True),
        "categorical_column_with_identity: key 'hour': num_buckets must be a whole number of at least 1, not True.",
    ),
    (
        lambda: fc.categorical_column_with_hash_bucket("tail", 10, "float32"),
        "categorical_column_with_hash_bucket: key 'tail': dtype must be one of string, int8, int16, int32, int64, "
        "uint8, uint16, uint32, not 'float32'.",
    ),
    (
        lambda: fc.embedding_column(MILES, 4),  # type: ignore[arg-type]  # the mistake under test
        "embedding_column: a categorical column is wanted, such as categorical_column_with_identity('hour', 24), not "
        "NumericColumn(key='miles', shape=(1,), default_value=None, dtype='float32', normalizer_fn=None).",
    ),
    (
        lambda: fc.indicator_column("hour"),  # type: ignore[arg-type]  # the mistake under test
        "indicator_column: a categorical column is wanted, such as categorical_column_with_identity('hour', 24), not "
        "'hour'.",
    ),
    (
        lambda: fc.categorical_column_with_identity("hour", 24, 24),
        "categorical_column_with_identity: key 'hour': default_value must be an id from 0 to 23, not 24.",
    ),
    (
        lambda: fc.categorical_column_with_identity("hour", 24, "0"),  # type: ignore[arg-type]  # the mistake under test
        "categorical_column_with_identity: key 'hour': default_value must be an id from 0 to 23, not '0'.",
    ),
    (
        lambda: fc.categorical_column_with_vocabulary_list("day", []),
        "categorical_column_with_vocabulary_list: key 'day': vocabulary_list is empty; give at least one value.",
    ),
    (
        lambda: fc.categorical_column_with_vocabulary_list("day", ["Mon", 2]),  # type: ignore[arg-type]  # the mistake
        "categorical_column_with_vocabulary_list: key 'day': vocabulary_list must be all strings or all whole numbers, "
        "not int, str.",
    ),
    (
        lambda: fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue", "Mon"]),
        "categorical_column_with_vocabulary_list: key 'day': vocabulary_list has 'Mon' more than once; each value "
        "needs one id.",
    ),
    (
        lambda: fc.categorical_column_with_vocabulary_list("day", ["Mon"], dtype=tf.int64),
        "categorical_column_with_vocabulary_list: key 'day': dtype int64 does not fit a vocabulary_list of string.",
    ),
    (
        lambda: fc.categorical_column_with_vocabulary_list("day", ["Mon"], default_value=0, num_oov_buckets=1),
        "categorical_column_with_vocabulary_list: key 'day': give num_oov_buckets or default_value, not both.",
    ),
    (
        lambda: fc.categorical_column_with_vocabulary_list("day", ["Mon"], default_value=1),
        "categorical_column_with_vocabulary_list: key 'day': default_value must be an id from -1 to 0, not 1.",
    ),
    (
        lambda: fc.categorical_column_with_vocabulary_list("day", ["Mon"], num_oov_buckets=-1),
        "categorical_column_with_vocabulary_list: key 'day': num_oov_buckets must be a whole number of at least 0, "
        "not -1.",
    ),
    (
        lambda: fc.numeric_column("place", (2, 0)),
        "numeric_column: key 'place': each size in shape must be a whole number of at least 1, not 0.",
    ),
    (
        lambda: fc.numeric_column("place", (2,), (1.0, 2.0, 3.0)),
        "numeric_column: key 'place': one default_value or 2 are wanted, not 3.",
    ),
    (
        lambda: fc.numeric_column("miles", normalizer_fn=1000),  # type: ignore[arg-type]  # the mistake under test
        "numeric_column: key 'miles': normalizer_fn must be a function of a tensor, not 1000.",
    ),
    (
        lambda: fc.bucketized_column(HOUR, [1]),  # type: ignore[arg-type]  # the mistake under test
        "bucketized_column: a numeric_column is wanted as source, not "
        "IdentityColumn(key='hour', num_buckets=24, default_value=None).",
    ),
    (
        lambda: fc.bucketized_column(fc.numeric_column("place", (2, 3)), [1]),
        "bucketized_column: source 'place' has shape (2, 3); one dimension is wanted.",
    ),
    (
        lambda: fc.bucketized_column(MILES, [1, 3, 3]),
        "bucketized_column: source 'miles': boundaries must be increasing numbers, at least one, not [1, 3, 3].",
    ),
    (
        lambda: fc.bucketized_column(MILES, []),
        "bucketized_column: source 'miles': boundaries must be increasing numbers, at least one, not [].",
    ),
    (
        lambda: fc.bucketized_column(MILES, [1, "far"]),  # type: ignore[list-item]  # the mistake under test
        "bucketized_column: source 'miles': boundaries must be numbers, not 'far'.",
    ),
    (
        lambda: fc.bucketized_column(MILES, [1, math.nan]),
        "bucketized_column: source 'miles': boundaries must be numbers, not nan.",
    ),
    (
        lambda: fc.crossed_column([DAY, HOUR], 100).id("Tue", 8),
        "day_X_hour: a hashed cross keeps no values; leave hash_bucket_size out for an exact one.",
    ),
    (
        lambda: fc.crossed_column([DAY, HOUR]).id("Tue"),
        "day_X_hour: 2 values are wanted, not 1.",
    ),
    (
        lambda: fc.crossed_column([DAY, HOUR]).id("Sun", 8),
        "day: there is no value 'Sun'; the first is 'Mon', the last 'Wed'.",
    ),
    (
        lambda: fc.crossed_column(["day", MILES], 10),  # type: ignore[list-item]  # the mistake under test
        "crossed_column: a key is a feature's name or a categorical column, not "
        "NumericColumn(key='miles', shape=(1,), default_value=None, dtype='float32', normalizer_fn=None).",
    ),
    (
        lambda: fc.crossed_column(["day", TAIL], 10),
        "crossed_column: key 'tail' is hashed already; give its name 'tail' instead.",
    ),
    (
        lambda: fc.crossed_column(["day"], 10),
        "crossed_column: two keys or more are wanted, not ['day'].",
    ),
    (
        lambda: fc.crossed_column("day", 10),
        "crossed_column: two keys or more are wanted, not 'day'.",
    ),
    (
        lambda: fc.crossed_column(["day", "hour"], 0),
        "crossed_column: hash_bucket_size must be a whole number of at least 1, not 0.",
    ),
    (
        lambda: fc.crossed_column([DAY, HOUR], hash_key=5),
        "crossed_column: hash_key goes with hash_bucket_size; an exact cross hashes nothing.",
    ),
    (
        lambda: fc.crossed_column([DAY, "tail"]),
        "crossed_column: key 'tail' is a raw string, so an exact cross has no bound; give hash_bucket_size, or cross a "
        "vocabulary.",
    ),
    (
        lambda: fc.crossed_column([fc.crossed_column([DAY, HOUR], 100), RANGES]),
        "crossed_column: key 'day_X_hour' is a hashed cross, so an exact cross has no bound; give hash_bucket_size, or "
        "make the inner cross exact.",
    ),
    (
        lambda: fc.crossed_column([fc.categorical_column_with_identity(key, 10_001) for key in "ab"]),
        "crossed_column: an exact cross of 'a_X_b' has 100,020,001 rows, over the limit of 100,000,000; give "
        "hash_bucket_size for a hashed one.",
    ),
    (
        lambda: fc.embedding_column(HOUR, 0),
        "embedding_column: column 'hour': dimension must be a whole number of at least 1, not 0.",
    ),
    (
        lambda: fc.embedding_column(HOUR, 4, "max"),
        "embedding_column: column 'hour': combiner must be one of mean, sum, sqrtn, not 'max'.",
    ),
    (
        lambda: fc.embedding_column(HOUR, 4, initializer=0.5),  # type: ignore[arg-type]  # the mistake under test
        "embedding_column: column 'hour': initializer must be a function or a name, not 0.5.",
    ),
    (
        lambda: fc.embedding_column(HOUR, 4, tensor_name_in_ckpt="hour"),
        "embedding_column: column 'hour': tensor_name_in_ckpt is of no use without ckpt_to_load_from.",
    ),
    (
        lambda: fc.embedding_column(HOUR, 4, max_norm=0),
        "embedding_column: column 'hour': max_norm must be above 0, not 0.",
    ),
    (
        lambda: fc.embedding_column(HOUR, 4, name="day/hour"),
        "embedding_column: column 'hour': a table's name has letters, digits, '_', '.' and '-' only, not 'day/hour'.",
    ),
    (
        lambda: fc.embedding_column(HOUR, 4, name="été"),
        "embedding_column: column 'hour': a table's name has letters, digits, '_', '.' and '-' only, not 'été'.",
    ),
    (
        lambda: embeddings_by_table([fc.embedding_column(HOUR, 4), fc.embedding_column(HOUR, 8)]),
        "embedding_column: two different tables are named 'hour'; give one of them another name=.",
    ),
    (
        lambda: raw_features_of([HOUR, fc.categorical_column_with_hash_bucket("hour", 10)]),
        "columns: feature 'hour' is read as int64 () and, by 'hour', as string (); give both columns one dtype and "
        "shape.",
    ),
    (
        lambda: raw_features_of([MILES, fc.bucketized_column(fc.numeric_column("miles", 2), [1])]),
        "columns: feature 'miles' is read as float32 () and, by 'miles_bucketized', as float32 (2,); give both columns "
        "one dtype and shape.",
    ),
    (
        lambda: to_dict(fc.numeric_column("miles", normalizer_fn=operator.itemgetter(0))),
        "to_dict: operator.itemgetter(0) has no name to import it by; give a function at the top of a module.",
    ),
    (
        lambda: from_dict({"kind": "Identity"}),
        "from_dict: a kind of column is wanted, not 'Identity'.",
    ),
    (
        lambda: from_dict({"function": "operator:halve"}),
        "from_dict: the function halve of operator cannot be imported; define it at the top of a module.",
    ),
    (
        lambda: from_dict(to_dict(fc.numeric_column("miles", normalizer_fn=HALVED))),
        f"from_dict: the function <lambda> of {__name__} cannot be imported; define it at the top of a module.",
    ),
]


@pytest.mark.parametrize(("make", "sentence"), REFUSALS, ids=[sentence[:60] for _, sentence in REFUSALS])
def test_a_mistake_is_refused_in_one_sentence(make: Callable[[], Any], sentence: str) -> None:
    assert refused(make) == sentence


def test_every_refusal_of_the_room_is_among_those_tested() -> None:
    folder = Path(fc.__file__).parent
    sites = {
        (path.name, node.lineno)
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Raise) and "Refusal" in ast.unparse(node)
    }
    told = set()
    for make, _ in REFUSALS:
        with pytest.raises(Refusal) as refusal:
            make()
        told.add((refusal.traceback[-1].path.name, refusal.traceback[-1].lineno + 1))  # type: ignore[union-attr]  # a file
    assert sites == told
