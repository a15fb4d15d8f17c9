import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainer import encoding as room
from trainer import feature_column as fc
from trainer.encoding import encoding
from trainer.errors import Refusal

DAY = fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue", "Wed"])
HOUR = fc.categorical_column_with_identity("hour", 24)
MILES = fc.numeric_column("miles")

Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A column, four examples of one value each, and what they become.

    Hashes are those of tf.feature_column 2.21.0, but for -1 and '' as a raw key of a cross, which it hashes too.
    """

    column: fc.CategoricalColumn | fc.NumericColumn
    features: Mapping[str, list[Any]]
    expected: list[Any]


CASES = {
    "vocabulary": Case(DAY, {"day": ["Wed", "Sun", "", "Mon"]}, [2, -1, -1, 0]),
    "vocabulary with a default": Case(
        fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue"], default_value=1),
        {"day": ["Mon", "Sun", "", "Tue"]},
        [0, 1, -1, 1],
    ),
    "vocabulary with buckets": Case(
        fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue"], num_oov_buckets=3),
        {"day": ["Tue", "Sun", "", "Lun"]},
        [1, 2, -1, 3],
    ),
    "vocabulary of numbers": Case(
        fc.categorical_column_with_vocabulary_list("year", [2013, 2012], num_oov_buckets=3),
        {"year": [2012, 1999, -1, 2013]},
        [1, 4, -1, 0],
    ),
    "identity": Case(HOUR, {"hour": [0, 23, -1, 8]}, [0, 23, -1, 8]),
    "identity with a default": Case(
        fc.categorical_column_with_identity("hour", 24, default_value=7), {"hour": [24, 23, -1, -5]}, [7, 23, -1, 7]
    ),
    "hash": Case(
        fc.categorical_column_with_hash_bucket("tail", 1000),
        {"tail": ["N14228", "é", "", "N24211"]},
        [647, 25, -1, 655],
    ),
    "hash of numbers": Case(
        fc.categorical_column_with_hash_bucket("tail", 1000, "int64"), {"tail": [14228, 0, -1, -2]}, [558, 735, -1, 205]
    ),
    "exact cross": Case(
        fc.crossed_column([DAY, HOUR]),
        {"day": ["Tue", "Sun", "", "Mon"], "hour": [8, 8, 8, -1]},
        [24 + 8, -1, -1, -1],
    ),
    "hashed cross": Case(
        fc.crossed_column([DAY, "hour", "tail"], 1000),
        {"day": ["Tue", "Sun", "", "Mon"], "hour": [8, 8, 8, -1], "tail": ["N1", "N1", "N1", "N1"]},
        [354, 872, -1, -1],
    ),
    "ranges": Case(fc.bucketized_column(MILES, [0, 100.5]), {"miles": [-1.0, 0.0, 100.25, 100.5]}, [0, 1, 1, 2]),
    "numbers": Case(MILES, {"miles": [-1.0, 0.0, 0.5, 2.0]}, [-1.0, 0.0, 0.5, 2.0]),
    "whole numbers": Case(
        fc.numeric_column("miles", dtype="int64", normalizer_fn=operator.neg), {"miles": [-1, 0, 5, 2]}, [1, 0, -5, -2]
    ),
}


def tensors(features: Raw) -> dict[str, Any]:
    return {key: tf.constant(values) for key, values in features.items()}


def column_vectors(features: Raw) -> dict[str, Any]:
    return {key: tf.constant(values)[:, tf.newaxis] for key, values in features.items()}


def in_data(column: fc.FeatureColumn, features: Raw) -> Any:
    batches = tf.data.Dataset.from_tensor_slices(tensors(features)).batch(2).map(encoding(column))
    return tf.concat(list(batches), axis=0)


def in_a_function(column: fc.FeatureColumn, features: Raw) -> Any:
    # Made where it is first called, as a layer's may be; and called again.
    made: list[Any] = []

    @tf.function
    def encode(features: Raw) -> Any:
        if not made:
            made.append(encoding(column))
        return made[0](features)

    encode(tensors(features))
    return encode(tensors(features))


def ragged(values: list[Any]) -> Any:
    """Returns a bag of one value for each example that has one, of none for the others."""
    return tf.RaggedTensor.from_row_lengths(
        [value for value in values if value not in ("", -1)], [value not in ("", -1) for value in values]
    )


WAYS: dict[str, Callable[[fc.FeatureColumn, Raw], Any]] = {
    "tensors (batch,)": lambda column, features: encoding(column)(tensors(features)),
    "tensors (batch, 1)": lambda column, features: encoding(column)(column_vectors(features)),
    "lists": lambda column, features: encoding(column)(features),
    "NumPy": lambda column, features: encoding(column)({key: np.array(values) for key, values in features.items()}),
    "tf.data": in_data,
    "tf.function": in_a_function,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", CASES)
def test_four_values_become_four_ids_or_numbers(kind: str, way: str) -> None:
    case = CASES[kind]
    encoded = WAYS[way](case.column, case.features)
    assert encoded.dtype == ("int64" if isinstance(case.column, fc.CategoricalColumn) else "float32")
    assert encoded.numpy().tolist() == [[value] for value in case.expected]


@pytest.mark.parametrize("kind", [kind for kind, case in CASES.items() if -1 in case.expected])
def test_ragged_and_sparse_values_become_the_same_ids(kind: str) -> None:
    case = CASES[kind]
    bags = {key: ragged(values) for key, values in case.features.items()}
    assert encoding(case.column)(bags).numpy().tolist() == [[value] for value in case.expected]
    sparse = {key: bag.to_sparse() for key, bag in bags.items()}
    assert encoding(case.column)(sparse).numpy().tolist() == [[value] for value in case.expected]


def test_the_battery_has_every_kind_that_can_be_encoded() -> None:
    registered = set(encoding.registry) - {object, fc.FeatureColumn}
    assert {type(case.column) for case in CASES.values()} == registered
    assert registered == {
        value
        for value in vars(fc).values()
        if isinstance(value, type)
        and issubclass(value, (fc.CategoricalColumn, fc.NumericColumn))
        and value is not fc.CategoricalColumn
    }


# Bags


@pytest.mark.parametrize(
    ("column", "features", "expected"),
    [
        (DAY, {"day": [["Wed", "Sun", "Mon"], ["Tue", "", ""], ["", "", ""]]}, [[2, -1, 0], [1, -1, -1], [-1, -1, -1]]),
        (HOUR, {"hour": [[0, 23], [8, -1]]}, [[0, 23], [8, -1]]),
        (
            fc.categorical_column_with_hash_bucket("tail", 1000),
            {"tail": [["N14228", "N24211"], ["", "N14228"]]},
            [[647, 655], [-1, 647]],
        ),
        (
            fc.crossed_column([DAY, HOUR]),
            {"day": [["Mon", "Tue"], ["Wed", ""]], "hour": [[0, 1, 2], [5, -1, 6]]},
            [[0, 1, 2, 24, 25, 26], [53, -1, 54, -1, -1, -1]],
        ),
        (
            fc.crossed_column([DAY, HOUR, fc.categorical_column_with_identity("half", 2)]),
            {"day": [["Mon", "Tue"]], "hour": [[3]], "half": [[0, 1]]},
            [[6, 7, 54, 55]],
        ),
        (
            fc.bucketized_column(fc.numeric_column("place", 2), [0.0]),
            {"place": [[-1.0, -1.0], [1.0, 1.0]]},
            [[0, 2], [1, 3]],
        ),
        (
            fc.crossed_column([HOUR, fc.bucketized_column(fc.numeric_column("place", 2), [0.0])]),
            {"hour": [1, -1], "place": [[-1.0, 1.0], [1.0, 1.0]]},
            [[4, 7], [-1, -1]],
        ),
        (
            fc.numeric_column("place", (2, 2), normalizer_fn=tf.linalg.matrix_transpose),
            {"place": [[[1.0, 2.0], [3.0, 4.0]]]},
            [[1.0, 3.0, 2.0, 4.0]],
        ),
    ],
)
def test_a_bag_keeps_its_order_and_its_padding(column: Any, features: Raw, expected: list[Any]) -> None:
    assert encoding(column)(tensors(features)).numpy().tolist() == expected
    assert in_data(column, features).numpy().tolist() == expected


def test_an_encoding_that_is_made_inside_a_function_works_outside_it() -> None:
    made: list[Any] = []

    @tf.function
    def encode(days: Any) -> Any:
        if not made:
            made.append(encoding(DAY))
        return made[0]({"day": days})

    days = tf.constant(["Wed", "Mon"])
    assert encode(days).numpy().tolist() == made[0]({"day": days}).numpy().tolist() == [[2], [0]]


def test_the_number_of_values_may_change_from_batch_to_batch() -> None:
    cross = encoding(fc.crossed_column([DAY, HOUR]))
    spec = {"day": tf.TensorSpec([None, None], tf.string), "hour": tf.TensorSpec([None, None], tf.int64)}
    encode = tf.function(cross, input_signature=[spec])
    for days, hours in [(["Mon"], [1, 2]), (["Tue", "Wed"], [1]), (["Tue", "Wed"], [3, 4])]:
        expected = [DAY.vocabulary_list.index(day) * 24 + hour for day in days for hour in hours]
        assert encode({"day": tf.constant([days]), "hour": tf.constant([hours], tf.int64)}).numpy().tolist() == [
            expected
        ]


def test_labels_of_a_cross_tell_what_was_crossed() -> None:
    cross = fc.crossed_column([DAY, HOUR])
    ids = encoding(cross)({"day": ["Tue", "Wed"], "hour": [8, 9]}).numpy().reshape(-1)
    assert [cross.label(int(id)) for id in ids] == ["Tue 08", "Wed 09"]


def test_a_whole_number_of_any_width_has_one_hash() -> None:
    column = fc.categorical_column_with_hash_bucket("tail", 1000, "int32")
    ids = {encoding(column)({"tail": tf.constant([77], dtype)}).numpy().item() for dtype in ("int8", "int32", "int64")}
    assert len(ids) == 1


def test_a_normalizer_sees_the_declared_dtype_and_shape() -> None:
    seen = []

    def halved(values: Any) -> Any:
        seen.append((values.dtype.name, values.shape.as_list()))
        return values / 2

    column = fc.numeric_column("place", (2, 3), dtype="float64", normalizer_fn=halved)
    numbers = encoding(column)({"place": tf.fill([4, 2, 3], 2**24 + 1)})
    assert seen == [("float64", [4, 2, 3])]
    assert (numbers.dtype, numbers.shape) == ("float32", (4, 6))
    assert encoding(fc.numeric_column("n", normalizer_fn=halved))({"n": tf.constant([3])}).numpy().tolist() == [[1.5]]
    assert seen[1] == ("float32", [1, 1])


def test_a_normalizer_comes_before_the_boundaries() -> None:
    column = fc.bucketized_column(fc.numeric_column("miles", normalizer_fn=operator.neg), [-2, 0])
    assert encoding(column)({"miles": tf.constant([3.0, 1.0, -1.0])}).numpy().tolist() == [[0], [1], [2]]


# Refusals

REFUSALS: list[tuple[Any, Raw, str]] = [
    (
        fc.indicator_column(HOUR),
        {"hour": [1]},
        "encoding: a categorical or numeric column is wanted, not IndicatorColumn(categorical_column=IdentityColumn("
        "key='hour', num_buckets=24, default_value=None)).",
    ),
    (HOUR, {"hours": [1]}, "features: 'hour' is wanted by a column and is not there; did you mean 'hours'?"),
    (HOUR, {"day": ["Mon"]}, "features: 'hour' is wanted by a column and is not there."),
    (
        DAY,
        {"day": [1]},
        "categorical_column_with_vocabulary_list: feature 'day' should be strings, not int32; declare the column's "
        "dtype.",
    ),
    (
        fc.categorical_column_with_vocabulary_list("year", [2012]),
        {"year": ["2012"]},
        "categorical_column_with_vocabulary_list: feature 'year' should be whole numbers, not string; declare the "
        "column's dtype.",
    ),
    (
        HOUR,
        {"hour": [8.0]},
        "categorical_column_with_identity: feature 'hour' should be whole numbers, not float32; declare the column's "
        "dtype.",
    ),
    (
        fc.categorical_column_with_hash_bucket("tail", 10),
        {"tail": [8]},
        "categorical_column_with_hash_bucket: feature 'tail' should be strings, not int32; declare the column's dtype.",
    ),
    (
        fc.crossed_column(["miles", "day"], 10),
        {"miles": [8.5], "day": ["Mon"]},
        "crossed_column: feature 'miles' should be whole numbers, not float32; declare the column's dtype.",
    ),
    (
        fc.bucketized_column(MILES, [1]),
        {"miles": ["8"]},
        "numeric_column: feature 'miles' should be numbers, not strings; convert it first.",
    ),
    (
        fc.numeric_column("place", (2, 2)),
        {"place": [[1.0, 2.0]]},
        "numeric_column: feature 'place' should have 4 numbers an example, not 2; declare the column's shape.",
    ),
    (
        MILES,
        {"miles": [[1.0, 2.0], [3.0, 4.0]]},
        "numeric_column: feature 'miles' should have 1 numbers an example, not 2; declare the column's shape.",
    ),
]


@pytest.mark.parametrize(("column", "features", "sentence"), REFUSALS, ids=[case[2][:60] for case in REFUSALS])
def test_features_that_do_not_fit_are_refused_in_one_sentence(column: Any, features: Raw, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        encoding(column)(features)
    assert str(refusal.value) == sentence


def test_every_refusal_of_the_room_is_among_those_tested() -> None:
    sites = {
        (path.name, node.lineno)
        for path in Path(room.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Raise) and "Refusal" in ast.unparse(node)
    }
    told = set()
    for column, features, _ in REFUSALS:
        with pytest.raises(Refusal) as refusal:
            encoding(column)(features)
        last = refusal.traceback[-1]
        told.add((Path(last.path).name, last.lineno + 1))
    assert sites == told


@pytest.mark.parametrize("value", [24, -2, 10**12])
@pytest.mark.parametrize("way", WAYS)
def test_an_id_outside_its_range_stops_the_reading_and_is_shown(way: str, value: int) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        WAYS[way](HOUR, {"hour": [3, value]})
    message = str(error.value).replace("\\'", "'")
    assert (
        "categorical_column_with_identity: key 'hour' takes ids from 0 to 23; give default_value, or a larger "
        "num_buckets; the data have"
    ) in message
    assert str(value) in message
