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
from trainer.encoding import Coded, Lengths, Weights, encoding, outside
from trainer.encoding.encoding import padded
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

    column: fc.FeatureColumn
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
    "weighted": Case(fc.weighted_categorical_column(DAY, "share"), {"day": ["Wed", "Sun", "", "Mon"]}, [2, -1, -1, 0]),
    "sequence": Case(
        fc.sequence_categorical_column_with_vocabulary_list("day", ["Mon", "Tue", "Wed"], num_oov_buckets=1),
        {"day": ["Wed", "Sun", "", "Mon"]},
        [2, 3, -1, 0],
    ),
    "sequence of numbers": Case(
        fc.sequence_numeric_column("miles", normalizer_fn=operator.neg),
        {"miles": [-1.0, 0.0, 0.5, 2.0]},
        [1, 0, -0.5, -2],
    ),
}
BAGS = [kind for kind, case in CASES.items() if -1 in case.expected and isinstance(case.column, fc.CategoricalColumn)]


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


def rows(values: list[Any]) -> list[list[Any]]:
    """Returns a bag of one value for each example that has one, of none for the others."""
    return [[value] if value not in ("", -1) else [] for value in values]


def objects(values: list[Any]) -> Any:
    """Returns an array of lists of different lengths, as pandas and Parquet give it."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def coded(values: Any) -> Any:
    """Returns strings, dense or ragged, with each different one once; other values as they are."""
    values = tf.constant(values) if isinstance(values, list) else values
    if values.dtype != tf.string:
        return values
    flat = values.flat_values if isinstance(values, tf.RaggedTensor) else tf.reshape(values, [-1])
    different, codes = tf.unique(flat)
    if isinstance(values, tf.RaggedTensor):
        return Coded(different, values.with_flat_values(codes))
    return Coded(different, tf.reshape(codes, tf.shape(values)))


LAYOUTS: dict[str, Callable[[list[list[Any]]], Any]] = {
    "ragged": tf.ragged.constant,
    "ragged with splits of 32 bits": lambda bags: tf.ragged.constant(bags, row_splits_dtype=tf.int32),
    "sparse": lambda bags: tf.ragged.constant(bags).to_sparse(),
    "dense": lambda bags: padded(tf.ragged.constant(bags)),
    "lists": lambda bags: bags,
    "an array of lists": objects,
    "coded": lambda bags: coded(tf.ragged.constant(bags)),
}
"""From lists of different lengths."""


WAYS: dict[str, Callable[[fc.FeatureColumn, Raw], Any]] = {
    "tensors (batch,)": lambda column, features: encoding(column)(tensors(features)),
    "tensors (batch, 1)": lambda column, features: encoding(column)(column_vectors(features)),
    "lists": lambda column, features: encoding(column)(features),
    "NumPy": lambda column, features: encoding(column)({key: np.array(values) for key, values in features.items()}),
    "coded": lambda column, features: encoding(column)({key: coded(values) for key, values in features.items()}),
    "tf.data": in_data,
    "tf.function": in_a_function,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", CASES)
def test_four_values_become_four_ids_or_numbers(kind: str, way: str) -> None:
    case = CASES[kind]
    encoded = WAYS[way](case.column, case.features)
    assert encoded.dtype == ("int64" if isinstance(case.column, fc.CategoricalColumn) else "float32")
    assert encoded.shape == ((4, 1, 1) if isinstance(case.column, fc.SequenceNumericColumn) else (4, 1))
    assert encoded.numpy().reshape(-1).tolist() == case.expected


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", BAGS)
def test_bags_of_one_value_or_none_become_the_same_ids(kind: str, layout: str) -> None:
    case = CASES[kind]
    bags = {key: LAYOUTS[layout](rows(values)) for key, values in case.features.items()}
    ids = encoding(case.column)(bags)
    assert isinstance(ids, tf.RaggedTensor) == (layout != "dense" and kind != "sequence")
    assert padded(ids).numpy().tolist() == [[value] for value in case.expected]


def test_the_battery_has_every_kind_that_can_be_encoded() -> None:
    registered = set(encoding.registry) - {object, fc.FeatureColumn}
    assert {type(case.column) for case in CASES.values()} == registered
    assert {type(CASES[kind].column) for kind in BAGS} == registered - {
        fc.BucketizedColumn,
        fc.NumericColumn,
        fc.SequenceNumericColumn,
    }
    assert registered == {
        value
        for value in vars(fc).values()
        if isinstance(value, type)
        and issubclass(value, (fc.CategoricalColumn, fc.NumericColumn, fc.SequenceNumericColumn))
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
        expected = [DAY.vocabulary.index(day) * 24 + hour for day in days for hour in hours]
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


BAG_CASES: dict[str, tuple[Any, dict[str, list[list[Any]]], Any]] = {
    "vocabulary": (DAY, {"day": [["Wed", "Sun", "Mon"], [], ["Tue", "", "Tue"]]}, [[2, -1, 0], [], [1, -1, 1]]),
    "identity": (HOUR, {"hour": [[0, 23], [], [8, -1, 8]]}, [[0, 23], [], [8, -1, 8]]),
    "hash": (
        fc.categorical_column_with_hash_bucket("tail", 1000),
        {"tail": [["N14228", "N24211"], [], ["", "N14228"]]},
        [[647, 655], [], [-1, 647]],
    ),
    # Neither the padding of the days nor that of the hours has a combination.
    "exact cross": (
        fc.crossed_column([DAY, HOUR]),
        {"day": [["Mon"], [], ["Tue", "Wed"]], "hour": [[1, 2], [3], [-1]]},
        [[1, 2], [], [-1, -1]],
    ),
    "hashed cross": (
        fc.crossed_column([DAY, "hour"], 50),
        {"day": [["Mon"], [], ["Tue", "Wed"]], "hour": [[1, 2], [3], [4]]},
        None,
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", BAG_CASES)
def test_a_bag_has_the_same_ids_in_every_layout(kind: str, layout: str) -> None:
    column, bags, expected = BAG_CASES[kind]
    ids = encoding(column)({key: LAYOUTS[layout](values) for key, values in bags.items()})
    if expected is None:
        singles = encoding(column)({"day": ["Mon", "Mon", "Tue", "Wed"], "hour": [1, 2, 4, 4]}).numpy().reshape(-1)
        expected = [singles[:2].tolist(), [], singles[2:].tolist()]
    if layout == "dense":
        present = [[id for id in row if id >= 0] for row in ids.numpy().tolist()]
        assert present == [[id for id in row if id >= 0] for row in expected]
    else:
        assert ids.to_list() == expected


@pytest.mark.parametrize("column", [DAY, HOUR, fc.categorical_column_with_hash_bucket("day", 9)])
@pytest.mark.parametrize("empty", [[[], []], [], tf.zeros([3, 0]), tf.constant([], tf.float32)])
def test_a_batch_without_any_value_is_of_any_dtype(column: Any, empty: Any) -> None:
    assert encoding(column)({column.name: empty}).shape.num_elements() == 0


def test_an_array_of_numbers_as_objects_is_read_as_numbers() -> None:
    assert encoding(HOUR)({"hour": objects([3, -1])}).numpy().tolist() == [[3], [-1]]


# Vocabularies in files


def records(path: Path) -> None:
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions("GZIP")) as writer:
        for value in ("Mon", "Tue", "Wed"):
            writer.write(value)


@pytest.mark.parametrize(("name", "write"), [("days.txt", None), ("days.tfrecord.gz", records)])
def test_a_vocabulary_in_a_file_gives_the_ids_of_its_list(
    name: str, write: Callable[[Path], None] | None, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(b"Mon\nTue\r\nWed\n") if write is None else write(path)
    column = fc.categorical_column_with_vocabulary_file("day", path, vocabulary_size=2, num_oov_buckets=3)
    listed = fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue"], num_oov_buckets=3)
    values = {"day": ["Tue", "Wed", "", "Mon", "Lun"]}
    for way in ("lists", "tf.data", "tf.function"):
        assert WAYS[way](column, values).numpy().tolist() == encoding(listed)(values).numpy().tolist()


def test_a_file_of_whole_numbers_is_a_vocabulary_of_them(tmp_path: Path) -> None:
    path = tmp_path / "years.txt"
    path.write_text("2013\n2012\n")
    column = fc.categorical_column_with_vocabulary_file("year", path, dtype="int64")
    assert encoding(column)({"year": [2012, 1999, -1, 2013]}).numpy().tolist() == [[1], [-1], [-1], [0]]


def test_a_file_that_changed_since_it_was_declared_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "days.txt"
    path.write_text("Mon\nTue\n")
    column = fc.categorical_column_with_vocabulary_file("day", path)
    path.write_text("Tue\nMon\n")
    with pytest.raises(Refusal) as refusal:
        encoding(column)
    assert str(refusal.value) == f"vocabulary: {path} is gone or was changed since it was declared; put it back."


@pytest.mark.parametrize(
    ("column", "features", "sentence"),
    [
        (
            fc.categorical_column_with_vocabulary_list("day", fc.from_data()),
            {"day": ["Mon"]},
            "categorical_column_with_vocabulary_list: key 'day': the vocabulary comes from data that were not read "
            "yet; call adapt(dataset) on the layer, or vocabulary.learned(columns, batches) first.",
        ),
        (
            fc.bucketized_column(MILES, fc.quantiles(4)),
            {"miles": [1.0]},
            "bucketized_column: source 'miles': the boundaries come from data that were not read yet; call "
            "adapt(dataset) on the layer, or vocabulary.learned(columns, batches) first.",
        ),
    ],
)
def test_what_is_still_in_the_data_cannot_be_encoded(column: Any, features: Raw, sentence: str) -> None:
    encode = encoding(column)
    with pytest.raises(Refusal) as refusal:
        encode(features)
    assert str(refusal.value) == sentence


# Weights

WEIGHTED: dict[str, tuple[fc.CategoricalColumn, dict[str, list[list[Any]]]]] = {
    "vocabulary": (DAY, {"day": [["Wed", "Sun", "Mon"], [], ["Tue", "", "Tue"]]}),
    "identity": (HOUR, {"hour": [[0, -1, 23], [], [8, 8, 1]]}),
    "hash": (fc.categorical_column_with_hash_bucket("tail", 1000), {"tail": [["a", "b", "c"], [], ["", "b", "b"]]}),
    "cross": (
        fc.crossed_column([DAY, HOUR]),
        {"day": [["Mon"], [], ["Tue", "Wed", ""]], "hour": [[1, 2, 3], [3], [4]]},
    ),
    "hashed cross": (
        fc.crossed_column(["day", "hour"], 30),
        {"day": [["Mon"], [], ["Tue", "Wed", ""]], "hour": [[1, 2, 3], [3], [4]]},
    ),
}
SHARES = [[0.5, -2.0, 3.0], [], [1.0, 0.0, 4.0]]


def pairs(ids: Any, weights: Any) -> list[list[tuple[int, float]]]:
    """Returns the ids that are there with their weights."""
    ids, weights = padded(ids).numpy(), (weights if isinstance(weights, tf.Tensor) else weights.to_tensor()).numpy()
    return [
        [(int(id), float(weight)) for id, weight in zip(*row, strict=True) if id >= 0]
        for row in zip(ids, weights, strict=True)
    ]


@pytest.mark.parametrize("shares", LAYOUTS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", WEIGHTED)
def test_weights_lie_beside_their_ids_in_every_layout(kind: str, layout: str, shares: str) -> None:
    inner, bags = WEIGHTED[kind]
    if "cross" in kind and layout == "dense":
        bags = {"day": [["Mon"], [""], ["Tue"]], "hour": [[1, 2, 3], [-1, -1, -1], [4, 5, 6]]}
    column = fc.weighted_categorical_column(inner, "share")
    weights = tf.ragged.constant(SHARES).to_tensor() if shares == "dense" else LAYOUTS[shares](SHARES)
    features = {**{key: LAYOUTS[layout](values) for key, values in bags.items()}, "share": weights}
    ids = encoding(column)(features)
    found = Weights(column)(features, ids)
    assert isinstance(found, tf.RaggedTensor) == isinstance(ids, tf.RaggedTensor)
    assert found.dtype == "float32"
    # The ids of each bag in their order, one example a value.
    flat = padded(encoding(inner)({key: LAYOUTS[layout](values) for key, values in bags.items()})).numpy()
    expected = [
        [(int(id), weight) for id, weight in zip(row, padding, strict=False) if id >= 0]
        for row, padding in zip(flat, [share or [0.0] * 3 for share in SHARES], strict=True)
    ]
    assert pairs(ids, found) == expected
    assert sum(map(len, expected)) >= 4


@pytest.mark.parametrize("dtype", ["int64", "float64", "bfloat16"])
def test_weights_of_any_dtype_become_float32(dtype: str) -> None:
    features = {"day": ["Mon", "Tue"], "share": tf.constant([3, -1], dtype)}
    column = fc.weighted_categorical_column(DAY, "share", dtype)
    weights = Weights(column)(features, encoding(column)(features))
    assert (weights.dtype, weights.numpy().tolist()) == ("float32", [[3], [-1]])


@pytest.mark.parametrize(
    ("days", "shares"),
    [
        (tf.ragged.constant([["Mon"], ["Tue"]]), tf.ragged.constant([[1.0, 2.0], []])),
        (tf.ragged.constant([["Mon", "Mon"], ["Tue"]]), tf.constant([[1.0], [1.0]])),
        (tf.constant([["Mon", ""], ["Tue", ""]]), tf.ragged.constant([[1.0, 2.0, 3.0], []])),
    ],
    ids=["both ragged", "padded weights", "padded ids"],
)
def test_weights_that_are_more_or_fewer_than_the_ids_stop_the_reading(days: Any, shares: Any) -> None:
    column = fc.weighted_categorical_column(DAY, "share")
    sentence = (
        "weighted_categorical_column: weights 'share' of column 'day': an example has more values than weights, or "
        "fewer; give one weight a value."
    )
    with pytest.raises(Refusal) as refusal:
        read(column, {"day": days, "share": shares})
    assert str(refusal.value) == sentence
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        tf.function(lambda features: read(column, features))({"day": days, "share": shares})
    assert sentence in str(error.value).replace("\\'", "'")


# Sequences

STEPS: dict[str, tuple[Any, dict[str, list[list[Any]]], list[Any], list[int]]] = {
    "vocabulary": (
        fc.sequence_categorical_column_with_vocabulary_list("day", ["Mon", "Tue"]),
        # A gap; a value of no vocabulary, which is a step at the end too; a missing value at the end, which is none.
        {"day": [["Mon", "", "Tue", "Sun"], ["Tue", ""], []]},
        [[0, -1, 1, -1], [1, -1, -1, -1], [-1] * 4],
        [4, 1, 0],
    ),
    "vocabulary with buckets": (
        fc.sequence_categorical_column_with_vocabulary_list("day", ["Mon", "Tue"], num_oov_buckets=1),
        {"day": [["Mon", "Sun"], ["Tue"], []]},
        [[0, 2], [1, -1], [-1, -1]],
        [2, 1, 0],
    ),
    "identity": (
        fc.sequence_categorical_column_with_identity("hour", 24),
        {"hour": [[3, -1, 5], [-1, 4], [-1]]},
        [[3, -1, 5], [-1, 4, -1], [-1, -1, -1]],
        [3, 2, 0],
    ),
    "hash": (
        fc.sequence_categorical_column_with_hash_bucket("tail", 1000),
        {"tail": [["N14228"], ["", "N24211"], []]},
        [[647, -1], [-1, 655], [-1, -1]],
        [1, 2, 0],
    ),
    "numbers": (
        fc.sequence_numeric_column("n", default_value=9, normalizer_fn=operator.neg),
        {"n": [[1.0, 2.0], [3.0], []]},
        [[[-1], [-2]], [[-3], [9]], [[9], [9]]],
        [2, 1, 0],
    ),
    # The second step of the first example is begun, and filled up.
    "pairs of numbers": (
        fc.sequence_numeric_column("n", 2, default_value=9),
        {"n": [[1.0, 2.0, 3.0], [4.0, 5.0], []]},
        [[[1, 2], [3, 9]], [[4, 5], [9, 9]], [[9, 9], [9, 9]]],
        [2, 1, 0],
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", STEPS)
def test_a_sequence_has_the_same_steps_in_every_layout(kind: str, layout: str) -> None:
    column, bags, expected, lengths = STEPS[kind]
    ((key, values),) = bags.items()
    steps = LAYOUTS[layout](values)
    if layout == "dense" and key == "n":
        steps = tf.ragged.constant(values).to_tensor(np.nan)
    encode, measure = encoding(column), Lengths(column)
    for found, counted in (
        (encode({key: steps}), measure({key: steps})),
        tf.function(lambda: (encode({key: steps}), measure({key: steps})))(),
    ):
        assert found.numpy().tolist() == expected
        assert counted.numpy().tolist() == lengths
    assert Lengths(column)({key: steps}).dtype == "int64"


@pytest.mark.parametrize("layout", ["ragged", "sparse", "dense", "lists"])
def test_a_step_may_have_several_values(layout: str) -> None:
    words = fc.sequence_categorical_column_with_vocabulary_list("day", ["Mon", "Tue"])
    days = {"day": LAYOUTS[layout]([[["Mon"], ["Sun", "Tue"], []], [[]], [["", ""], ["Tue", "Mon"]]])}
    assert encoding(words)(days).numpy().tolist() == [
        [[0, -1], [-1, 1], [-1, -1]],
        [[-1, -1], [-1, -1], [-1, -1]],
        [[-1, -1], [1, 0], [-1, -1]],
    ]
    assert Lengths(words)(days).numpy().tolist() == [2, 0, 2]


@pytest.mark.parametrize("layout", ["ragged", "sparse", "dense", "lists"])
def test_the_numbers_of_a_step_may_have_a_dimension(layout: str) -> None:
    places = fc.sequence_numeric_column("n", 2, default_value=-1.0)
    values = [[[1.0, 2.0], [3.0, 4.0]], [], [[5.0, 6.0]]]
    given = tf.ragged.constant(values).to_tensor(np.nan) if layout == "dense" else LAYOUTS[layout](values)
    assert encoding(places)({"n": given}).numpy().tolist() == [[[1, 2], [3, 4]], [[-1, -1]] * 2, [[5, 6], [-1, -1]]]
    assert Lengths(places)({"n": given}).numpy().tolist() == [2, 0, 1]


@pytest.mark.parametrize("given", [tf.constant([[1.0, np.nan, 3.0]]), tf.ragged.constant([[1.0, np.nan, 3.0]])])
def test_a_normalizer_sees_the_numbers_of_a_sequence_that_are_there_in_the_declared_dtype(given: Any) -> None:
    seen = []

    def centred(values: Any) -> Any:
        seen.append((values.dtype.name, values.numpy().tolist()))
        return values - tf.reduce_mean(values)

    column = fc.sequence_numeric_column("n", default_value=7, dtype="float64", normalizer_fn=centred)
    assert encoding(column)({"n": given}).numpy().tolist() == [[[-1], [7], [1]]]
    assert Lengths(column)({"n": given}).numpy().tolist() == [3]
    assert seen == [("float64", [1, 3])]


def test_whole_numbers_in_a_sequence_are_all_there() -> None:
    column = fc.sequence_numeric_column("n", dtype="int64")
    assert encoding(column)({"n": [[-1, 0]]}).numpy().tolist() == [[[-1], [0]]]
    assert Lengths(column)({"n": [[-1, 0]]}).numpy().tolist() == [2]


def test_more_numbers_in_a_step_than_declared_stop_the_reading() -> None:
    column = fc.sequence_numeric_column("n", 2)
    with pytest.raises(Refusal) as refusal:
        encoding(column)({"n": tf.ragged.constant([[[1.0, 2.0, 3.0]], [[1.0, 2.0]]])})
    assert str(refusal.value) == (
        "sequence_numeric_column: feature 'n' should have 2 numbers a step, not more; declare the column's shape."
    )


# Refusals


def read(column: Any, features: Raw) -> None:
    ids = encoding(column)(features)
    if isinstance(column, fc.WeightedCategoricalColumn):
        Weights(column)(features, ids)


REFUSALS: list[tuple[Any, Raw, str]] = [
    (
        fc.indicator_column(HOUR),
        {"hour": [1]},
        "encoding: a categorical or numeric column is wanted, not IndicatorColumn(categorical_column=IdentityColumn("
        "key='hour', num_buckets=24, default_value=None)).",
    ),
    (
        HOUR,
        {"hour": tf.constant([24, 1, -7, 25, 26])},
        "categorical_column_with_identity: key 'hour' takes ids from 0 to 23; give default_value, or a larger "
        "num_buckets; the data have 24, -7, 25 and 1 more in row 0, 2, 3 and 1 more.",
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
    (
        MILES,
        {"miles": [[1.0, 2.0], [3.0]]},
        "numeric_column: feature 'miles' is a RaggedTensor, of any number of values an example, and 1 are wanted; give "
        "a dense tensor, or declare a sequence_numeric_column.",
    ),
    (
        DAY,
        {"day": ["Mon", None]},
        "features: 'day' should be a tensor, an array or a list of values, one or several an example, with '' or -1 "
        "for what is missing (Can't convert Python sequence with mixed types to Tensor.).",
    ),
    (
        DAY,
        {"day": [[["Mon"]]]},
        "features: 'day' has shape (1, 1, 1); (batch,) or (batch, values of an example) is wanted; give a sequence "
        "column what has a dimension of time.",
    ),
    (
        fc.weighted_categorical_column(DAY, "share"),
        {"day": ["Mon"], "share": ["much"]},
        "weighted_categorical_column: weights 'share' of column 'day' should be numbers, not strings; convert them "
        "first.",
    ),
    (
        fc.weighted_categorical_column(DAY, "share"),
        {"day": [["Mon", "Tue", ""]], "share": [[1.0, 2.0]]},
        "weighted_categorical_column: weights 'share' of column 'day': an example has 3 values and 2 weights; give one "
        "weight a value.",
    ),
    (
        fc.sequence_categorical_column_with_identity("hour", 24),
        {"hour": [[[[1]]]]},
        "SequenceFeatures: feature 'hour' has shape (1, 1, 1, 1); (batch, time) or (batch, time, values of a step) is "
        "wanted.",
    ),
    (
        fc.sequence_numeric_column("n"),
        {"n": [["1"]]},
        "sequence_numeric_column: feature 'n' should be numbers, not strings; convert it first.",
    ),
    (
        fc.sequence_numeric_column("n", 2),
        {"n": [[[1.0], [2.0]]]},
        "sequence_numeric_column: feature 'n' should have 2 numbers a step, not 1; declare the column's shape.",
    ),
]


@pytest.mark.parametrize(("column", "features", "sentence"), REFUSALS, ids=[case[2][:60] for case in REFUSALS])
def test_features_that_do_not_fit_are_refused_in_one_sentence(column: Any, features: Raw, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read(column, features)
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
            read(column, features)
        last = refusal.traceback[-1]
        told.add((Path(last.path).name, last.lineno + 1))
    assert sites == told


@pytest.mark.parametrize("value", [24, -2, 10**12])
@pytest.mark.parametrize("way", WAYS)
def test_an_id_outside_its_range_stops_the_reading_and_is_shown(way: str, value: int) -> None:
    sentence = (
        "categorical_column_with_identity: key 'hour' takes ids from 0 to 23; give default_value, or a larger "
        "num_buckets; the data have"
    )
    with pytest.raises((Refusal, tf.errors.InvalidArgumentError)) as error:
        WAYS[way](HOUR, {"hour": [3, value]})
    if isinstance(error.value, Refusal):
        assert str(error.value) == f"{sentence} {value} in row 1."
        return
    message = str(error.value).replace("\\'", "'")
    assert sentence in message
    assert f"\n{value}\n" in message.replace("'", "").replace("[", "\n").replace("]", "\n")


# Out of vocabulary


def outside_of(column: fc.FeatureColumn, features: Raw) -> list[bool] | None:
    told = outside({"table": [encoding(column)]}, features)
    return told["table"].numpy().tolist() if told else None


WITH_DEFAULT = fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue"], default_value=1)
CLOCK = fc.categorical_column_with_identity("hour", 24, default_value=7)


@pytest.mark.parametrize(
    ("column", "features", "expected"),
    [
        (DAY, {"day": ["Wed", "Sun", "", "Mon"]}, [False, True, False, False]),
        (WITH_DEFAULT, {"day": ["Tue", "Sun", "", "Mon"]}, [False, True, False, False]),
        (
            fc.categorical_column_with_vocabulary_list("year", [2013, 2012], num_oov_buckets=3),
            {"year": np.array([2012, 1999, -1, 2013], np.int32)},
            [False, True, False, False],
        ),
        (CLOCK, {"hour": [24, 23, -1, -5]}, [True, False, False, True]),
        (HOUR, {"hour": [0, 23, -1, 8]}, None),
        (fc.categorical_column_with_hash_bucket("tail", 10), {"tail": ["a", "b", "", "c"]}, None),
        (
            fc.crossed_column([DAY, CLOCK]),
            {"day": ["Wed", "Sun", "", ""], "hour": [24, 23, 8, 99]},
            [True, True, False, True],
        ),
        (fc.crossed_column([DAY, "tail"], 10), {"day": ["Wed", "Sun"], "tail": ["a", "b"]}, [False, True]),
        (fc.weighted_categorical_column(DAY, "share"), {"day": ["Wed", "Sun"], "share": [1.0, 1.0]}, [False, True]),
        (
            fc.sequence_categorical_column_with_vocabulary_list("day", ["Mon", "Tue"]),
            {"day": [["Mon", "Tue"], ["Tue", "Sun"], ["", ""]]},
            [False, True, False],
        ),
        (DAY, {"day": tf.ragged.constant([["Mon", "Tue"], [], ["Lun", "Mon"]])}, [False, False, True]),
        (DAY, {"day": coded(["Wed", "Sun", "", "Mon"])}, [False, True, False, False]),
        (DAY, {"day": coded(tf.ragged.constant([["Mon", "Tue"], [], ["Lun", "Mon"]]))}, [False, False, True]),
        (
            DAY,
            {"day": tf.sparse.from_dense([["Mon", ""], ["", ""], ["", "Lun"]])},
            [False, False, True],
        ),
        (
            DAY,  # in no order
            {"day": tf.SparseTensor([[2, 1], [0, 1], [0, 0]], ["Mon", "Lun", "Tue"], [3, 2])},
            [True, False, False],
        ),
    ],
    ids=str,
)
def test_examples_with_values_in_no_vocabulary_are_told(
    column: fc.FeatureColumn, features: Raw, expected: list[bool] | None
) -> None:
    assert outside_of(column, features) == expected


def test_columns_that_share_a_table_tell_of_it_together() -> None:
    start, end = (fc.categorical_column_with_vocabulary_list(key, ["A", "B"]) for key in ("start", "end"))
    told = outside(
        {"stop": [encoding(start), encoding(end)], "start": [encoding(start)]},
        {"start": ["A", "C", "A"], "end": ["B", "B", "D"]},
    )
    assert {name: mask.numpy().tolist() for name, mask in told.items()} == {
        "stop": [False, True, True],
        "start": [False, True, False],
    }
