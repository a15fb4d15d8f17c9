"""Numbers that tensorflow 2.21.0 made with tf.feature_column, which both sides still make: one test a line.

The literals were printed by that version; each test runs it as well, and our declaration of the same words.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tests.parity import ids_made_by, present
from trainer import feature_column as fc
from trainer.encoding import encoding
from trainer.layers import DenseFeatures, SequenceFeatures

TF = tf.feature_column
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
FLIGHTS = {
    "day": ["Mon", "Tue", "Montag"],
    "hour": [0, 8, 23],
    "miles": [200.0, 500.0, 2000.0],
    "word": ["a", "b", "c"],
    "number": [1, 2, 3],
}

Declare = Callable[[Any], Any]
"""A column, or several, of the module that it is given."""


def day(module: Any) -> Any:
    return module.categorical_column_with_vocabulary_list("day", DAYS)


def hour(module: Any) -> Any:
    return module.categorical_column_with_identity("hour", 24)


def miles(module: Any) -> Any:
    return module.bucketized_column(module.numeric_column("miles"), [500, 1000])


def genre(module: Any) -> Any:
    return module.categorical_column_with_identity("genre", 4)


def weighted(module: Any) -> Any:
    return module.weighted_categorical_column(genre(module), "share")


def ids(declare: Declare, features: Mapping[str, Any]) -> list[list[int]]:
    """Returns the ids of both sides, which are the same."""
    given = {key: tf.constant(values) for key, values in features.items()}
    theirs = ids_made_by(declare(TF), given)
    assert present(encoding(declare(fc))(given)) == theirs
    return theirs


def numbers(declare: Declare, features: Mapping[str, Any], **tables: Any) -> Any:
    """Returns the numbers of both sides, which are the same, to four places.

    Args:
        declare: A column, or several for one layer.
        features: Raw features by key.
        tables: The rows of each table, by its name.
    """
    given = {key: v if isinstance(v, tf.SparseTensor) else tf.constant(v) for key, v in features.items()}
    theirs, ours = (made if isinstance(made, list) else [made] for made in (declare(TF), declare(fc)))
    their_layer, our_layer = tf_keras.layers.DenseFeatures(theirs), DenseFeatures(ours)
    their_layer(given)
    our_layer.build()
    for name, table in our_layer.tables.items():
        (weight,) = (weight for weight in their_layer.weights if f"/{name}_embedding/" in weight.name)
        for variable in (weight, table.table):
            variable.assign(tables[name])
    found = their_layer(given).numpy()
    np.testing.assert_allclose(our_layer(given), found, rtol=1e-6, atol=1e-6)
    for name, table in our_layer.tables.items():
        assert np.asarray(table.table).tolist() == np.asarray(tables[name], np.float32).tolist()
    return np.round(found.astype(float), 4).tolist()


def cross(*keys: str | Declare, size: int = 1000, hash_key: int | None = None) -> Declare:
    return lambda module: module.crossed_column(
        [key if isinstance(key, str) else key(module) for key in keys], size, hash_key
    )


# Ids


def test_strings_are_hashed() -> None:
    tails = {"tail": ["N14228", "N24211", "Zürich", "a b"]}

    def declare(module: Any) -> Any:
        return module.categorical_column_with_hash_bucket("tail", 1000)

    assert ids(declare, tails) == [[647], [655], [643], [877]]


def test_whole_numbers_are_hashed_as_their_digits() -> None:
    tails = np.array([0, 7, -2, 123456789012])
    for dtype, given in ((tf.int64, tails), (tf.string, tails.astype(str).tolist())):

        def declare(module: Any, dtype: Any = dtype) -> Any:
            return module.categorical_column_with_hash_bucket("tail", 1000, dtype)

        assert ids(declare, {"tail": given}) == [[735], [88], [205], [427]]


def test_two_raw_keys_are_crossed() -> None:
    assert ids(cross("word", "number"), FLIGHTS) == [[485], [357], [694]]


def test_three_keys_are_crossed() -> None:
    assert ids(cross("word", day, hour), FLIGHTS) == [[483], [859], [464]]


def test_five_keys_are_crossed() -> None:
    assert ids(cross("word", day, hour, miles, "number"), FLIGHTS) == [[406], [520], [708]]


def test_members_of_a_vocabulary_are_crossed() -> None:
    assert ids(cross(day, hour, size=168), FLIGHTS) == [[64], [122], [32]]


def test_ranges_are_crossed() -> None:
    assert ids(cross(day, miles), FLIGHTS) == [[304], [641], [873]]


def test_nested_crosses_are_flattened() -> None:
    found = [[447], [373], [295]]
    assert ids(cross(cross(day, hour, size=10), miles), FLIGHTS) == found
    assert ids(cross(day, hour, miles), FLIGHTS) == found


def test_a_hash_key_changes_the_ids_of_a_cross() -> None:
    assert ids(cross(day, hour, size=168, hash_key=7), FLIGHTS) == [[80], [88], [52]]
    assert ids(cross(day, hour, size=168, hash_key=0xDECAFCAFFE), FLIGHTS) == ids(cross(day, hour, size=168), FLIGHTS)


def test_all_values_of_an_example_are_crossed_with_each_other() -> None:
    bags = {"day": [["Mon", "Tue"], ["Wed", ""]], "hour": [[1, 2], [3, 4]]}
    assert ids(cross(day, hour), bags) == [[963, 414, 641, 357], [584, 547]]


def test_the_week_hashed_into_as_many_buckets_as_it_has_hours_shares_them() -> None:
    week = {"day": np.repeat(DAYS, 24).tolist(), "hour": list(range(24)) * 7}
    found = ids(lambda module: module.crossed_column([day(module), hour(module)], 24 * 7), week)
    assert len({id for (id,) in found}) == 107
    exact = encoding(fc.crossed_column([day(fc), hour(fc)]))({key: tf.constant(v) for key, v in week.items()})
    assert exact.numpy().ravel().tolist() == list(range(168))


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({}, [[1], [], [], [], []]),
        ({"default_value": 0}, [[1], [0], [0], [0], []]),
        ({"num_oov_buckets": 1}, [[1], [2], [2], [2], []]),
        ({"num_oov_buckets": 3}, [[1], [4], [4], [3], []]),
    ],
)
def test_values_out_of_the_vocabulary_are_left_out_or_get_an_id(arguments: dict[str, int], found: Any) -> None:
    def declare(module: Any) -> Any:
        return module.categorical_column_with_vocabulary_list("word", ["a", "b"], **arguments)

    assert ids(declare, {"word": ["b", "x", "y", "z", ""]}) == found


def test_out_of_vocabulary_buckets_are_fingerprints_after_the_vocabulary() -> None:
    words = [f"word {number}" for number in range(50)]

    def declare(module: Any) -> Any:
        return module.categorical_column_with_vocabulary_list("word", ["a", "b"], num_oov_buckets=7)

    fingerprints = tf.strings.to_hash_bucket_fast(words, 7).numpy()
    assert ids(declare, {"word": words}) == [[2 + fingerprint] for fingerprint in fingerprints]


def test_a_range_has_its_left_boundary() -> None:
    values = {"miles": [499.0, 500.0, 501.0, 999.0, 1000.0]}
    assert ids(miles, values) == [[0], [1], [1], [1], [2]]


def test_each_of_several_numbers_has_ranges_of_its_own() -> None:
    def declare(module: Any) -> Any:
        return module.bucketized_column(module.numeric_column("n", 2), [0.0, 1.0])

    features = {"n": [[-0.5, 0.0], [1.0, 0.5], [0.5, 2.0]]}
    assert ids(declare, features) == [[0, 4], [2, 4], [1, 5]]
    assert numbers(declare, features) == [[1, 0, 0, 0, 1, 0], [0, 0, 1, 0, 1, 0], [0, 1, 0, 0, 0, 1]]


def test_not_a_number_is_in_the_last_range() -> None:
    def declare(module: Any) -> Any:
        return module.bucketized_column(module.numeric_column("n"), [0.0, 1.0])

    assert ids(declare, {"n": [float("nan"), float("inf"), -float("inf"), -0.0]}) == [[2], [2], [0], [1]]


# Numbers

ROWS = [[1.0, 0.0], [2.0, 10.0], [4.0, 20.0], [8.0, 30.0]]
BAGS = {"genre": [[0, 1, -1], [3, 3, 0], [-1, -1, -1]], "share": [[1.0, 3.0, 0.0], [0.5, 0.5, 2.0], [0.0, 0.0, 0.0]]}


@pytest.mark.parametrize(
    ("combiner", "found"),
    [
        ("sum", [[3.0, 10.0], [17.0, 60.0], [0.0, 0.0]]),
        ("mean", [[1.5, 5.0], [5.6667, 20.0], [0.0, 0.0]]),
        ("sqrtn", [[2.1213, 7.0711], [9.815, 34.641], [0.0, 0.0]]),
    ],
)
def test_rows_are_combined_and_a_repeated_id_counts_each_time(combiner: str, found: Any) -> None:
    def declare(module: Any) -> Any:
        return module.embedding_column(genre(module), 2, combiner)

    assert numbers(declare, {"genre": BAGS["genre"]}, genre=ROWS) == found


@pytest.mark.parametrize(
    ("combiner", "found"),
    [
        ("sum", [[7.0, 30.0], [10.0, 30.0], [0.0, 0.0]]),
        ("mean", [[1.75, 7.5], [3.3333, 10.0], [0.0, 0.0]]),
        ("sqrtn", [[2.2136, 9.4868], [4.714, 14.1421], [0.0, 0.0]]),
    ],
)
def test_rows_are_combined_by_their_weights(combiner: str, found: Any) -> None:
    def declare(module: Any) -> Any:
        return module.embedding_column(weighted(module), 2, combiner)

    assert numbers(declare, BAGS, genre_weighted_by_share=ROWS) == found


def test_an_example_without_values_gets_zeros_wherever_it_stands() -> None:
    def declare(module: Any) -> Any:
        return module.embedding_column(genre(module), 2)

    found = [[0.0, 0.0], [2.0, 10.0], [0.0, 0.0], [4.0, 20.0], [0.0, 0.0]]
    assert numbers(declare, {"genre": [-1, 1, -1, 2, -1]}, genre=ROWS) == found


def test_the_row_that_is_looked_up_is_clipped_and_not_the_table() -> None:
    def declare(module: Any) -> Any:
        return module.embedding_column(genre(module), 2, "sum", max_norm=5.0)

    table = [[3.0, 4.0], [6.0, 8.0], [0.3, 0.4], [0.0, -10.0]]
    found = [[3.0, 4.0], [3.0, 4.0], [0.3, 0.4], [3.0, -1.0]]
    assert numbers(declare, {"genre": [[0, -1], [1, -1], [2, -1], [1, 3]]}, genre=table) == found


def test_an_indicator_counts() -> None:
    found = [[1, 1, 0, 0], [1, 0, 0, 2], [0, 0, 0, 0]]
    assert numbers(lambda module: module.indicator_column(genre(module)), {"genre": BAGS["genre"]}) == found


def test_an_indicator_sums_weights() -> None:
    found = [[1, 3, 0, 0], [2, 0, 0, 1], [0, 0, 0, 0]]
    assert numbers(lambda module: module.indicator_column(weighted(module)), BAGS) == found


def test_columns_stand_in_the_order_of_their_names() -> None:
    def declare(module: Any) -> Any:
        one, other = (module.categorical_column_with_identity(key, 2) for key in ("b", "B"))
        return [
            module.indicator_column(one),
            module.numeric_column("a_"),
            module.embedding_column(other, 1),
            module.numeric_column("a"),
            module.embedding_column(one, 1),
        ]

    features = {"a": [1.0], "a_": [2.0], "b": [1], "B": [0]}
    assert numbers(declare, features, b=[[3.0], [4.0]], B=[[5.0], [6.0]]) == [[5.0, 1.0, 2.0, 4.0, 0.0, 1.0]]


def test_tables_start_as_a_truncated_normal_of_the_root_of_the_dimension() -> None:
    def declare(module: Any) -> Any:
        return module.embedding_column(module.categorical_column_with_identity("n", 5000), 16)

    theirs, ours = tf_keras.layers.DenseFeatures([declare(TF)]), DenseFeatures([declare(fc)])
    for layer in (theirs, ours):
        layer({"n": tf.constant([1])})
        (table,) = (np.asarray(weight) for weight in layer.weights)
        assert table.mean() == pytest.approx(0, abs=0.003)
        assert np.abs(table).max() == pytest.approx(0.5, abs=0.01)  # two standard deviations of 1 / sqrt(16)
        assert table.std() == pytest.approx(0.25 * 0.8796, rel=0.01)  # of a normal cut off there


# Sequences and shared tables


def test_a_sequence_has_a_row_a_step_and_the_examples_have_lengths() -> None:
    def declare(module: Any) -> Any:
        watched = module.sequence_categorical_column_with_identity("watched", 4)
        return [
            module.sequence_numeric_column("minutes", default_value=-1.0),
            module.embedding_column(watched, 2),
            module.indicator_column(watched),
        ]

    minutes = tf.sparse.from_dense([[5.0, 6.0, 0.0], [7.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    features = {"watched": tf.constant([[1, 3, -1], [2, -1, -1], [-1, -1, -1]]), "minutes": minutes}
    theirs, ours = tf_keras.experimental.SequenceFeatures(declare(TF)), SequenceFeatures(declare(fc))
    theirs(features)
    ours.build()
    for variable in (*theirs.weights, *(table.table for table in ours.tables.values())):
        variable.assign(ROWS)
    none = [-1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    for layer in (theirs, ours):
        values, lengths = layer(features)
        assert lengths.numpy().tolist() == [2, 1, 0]
        assert values.numpy().tolist() == [
            [[5.0, 2.0, 10.0, 0.0, 1.0, 0.0, 0.0], [6.0, 8.0, 30.0, 0.0, 0.0, 0.0, 1.0], none],
            [[7.0, 4.0, 20.0, 0.0, 0.0, 1.0, 0.0], none, none],
            [none, none, none],
        ]


def test_columns_share_a_table() -> None:
    def declare(module: Any) -> Any:
        stations = [module.categorical_column_with_identity(key, 4) for key in ("start", "end")]
        return module.shared_embeddings(stations, 2, "sum")

    features = {"start": [[0, 1], [3, -1]], "end": [[1, 1], [-1, -1]]}
    found = [[4.0, 20.0, 3.0, 10.0], [0.0, 0.0, 8.0, 30.0]]  # the end first, by its name
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        theirs = declare(TF)
        output = tf_keras.layers.DenseFeatures(theirs)({key: tf.constant(values) for key, values in features.items()})
        table = theirs[0].shared_embedding_column_creator.embedding_weights
        session.run(table.initializer)
        session.run(tf.compat.v1.assign(table, ROWS))
        assert session.run(output).tolist() == found
    layer = DenseFeatures(declare(fc))
    layer.build()
    (shared,) = layer.tables.values()
    shared.table.assign(ROWS)
    assert layer({key: tf.constant(values) for key, values in features.items()}).numpy().tolist() == found
