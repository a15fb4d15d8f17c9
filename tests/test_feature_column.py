import ast
import atexit
import dataclasses
import functools
import inspect
import itertools
import json
import math
import operator
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import parity, test_feature_column_tokens
from trainer import feature_column as fc
from trainer.errors import Refusal
from trainer.feature_column.collection import check_apart, embeddings_by_table, raw_features_of
from trainer.feature_column.nested import is_learned, needs_data, nested, rebuilt
from trainer.feature_column.serialization import digest, encoded_key, from_dict, to_dict, with_values, without_values
from trainer.feature_column.vocabulary import check_unchanged, digest_of

TEMPORARY = tempfile.TemporaryDirectory()
atexit.register(TEMPORARY.cleanup)
FOLDER = Path(TEMPORARY.name)


def written(name: str, content: bytes) -> Path:
    """A file in a folder that is gone when the tests end."""
    path = FOLDER / name
    path.write_bytes(content)
    return path


def records(name: str, values: Iterable[bytes]) -> Path:
    path = FOLDER / name
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for value in values:
            writer.write(value)
    return path


STATES = written("states.txt", b"NY\nNJ\nCT\n")
YEARS = written("years.txt", b"2012\n2013\n2014\n")
PLANES = records("planes.tfrecord.gz", [b"N1", b"N2", b"N3"])
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
    fc.categorical_column_with_vocabulary_file("state", STATES),
    fc.categorical_column_with_vocabulary_file("state", STATES, 2, default_value=0),
    fc.categorical_column_with_vocabulary_file("state", STATES, num_oov_buckets=2),
    fc.categorical_column_with_vocabulary_file("year", YEARS, dtype="int64"),
    fc.categorical_column_with_vocabulary_file("tail", PLANES),
    fc.weighted_categorical_column(TAIL, "frequency"),
    fc.weighted_categorical_column(TAIL, "frequency", "int64"),
    fc.weighted_categorical_column(fc.crossed_column(["day", HOUR], 50), "share"),
    fc.sequence_categorical_column_with_identity("hour", 24),
    fc.sequence_categorical_column_with_hash_bucket("tail", 500),
    fc.sequence_categorical_column_with_vocabulary_list("day", ["Mon", "Tue", "Wed"]),
    fc.sequence_categorical_column_with_vocabulary_file("state", STATES, num_oov_buckets=1),
    fc.sequence_numeric_column("miles"),
    fc.sequence_numeric_column("miles", (2, 3), -1.5, "int64", operator.neg),
    fc.embedding_column(fc.weighted_categorical_column(TAIL, "frequency"), 3),
    fc.indicator_column(fc.weighted_categorical_column(TAIL, "frequency")),
    fc.embedding_column(fc.sequence_categorical_column_with_identity("hour", 24), 4),
    fc.indicator_column(fc.sequence_categorical_column_with_identity("hour", 24)),
    *fc.shared_embeddings([fc.categorical_column_with_identity(key, 700) for key in ("start", "end")], 8),
    *fc.shared_embeddings(
        [fc.sequence_categorical_column_with_hash_bucket("seen", 500), fc.weighted_categorical_column(TAIL, "share")], 8
    ),
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
        assert (feature.dtype or "string") == (
            "string" if theirs == tf.string else "int64" if theirs.is_integer else "float32"
        )


@pytest.mark.parametrize("column", [c for c in COLUMNS if isinstance(c, fc.CategoricalColumn)])
def test_a_categorical_column_has_as_many_ids_as_tensorflow_says(column: Any) -> None:
    assert column.num_buckets == parity.theirs(column).num_buckets


@pytest.mark.parametrize("column", [c for c in COLUMNS if isinstance(c, (fc.DenseColumn, fc.SequenceNumericColumn))])
def test_a_dense_column_is_as_wide_as_tensorflow_says(column: Any) -> None:
    assert column.width == parity.theirs(column).variable_shape.num_elements()


# Arguments

ADDITIONS = {
    "crossed_column": {"hash_bucket_size": None},
    "embedding_column": {"dimension": None},
    "shared_embeddings": {"dimension": None},
}
OF_TABLES = {"storage_dtype", "old_vocabulary", "on_missing_rows"}
OF_TEXTS = ("vocabulary_list", "vocabulary_file", "hash_bucket")
KEYWORDS = {
    "embedding_column": {"name", "unit_norm", *OF_TABLES},
    "shared_embeddings": OF_TABLES,
    **{f"{kind}categorical_column_with_{name}": {"tokenize"} for kind in ("", "sequence_") for name in OF_TEXTS},
}
OURS_ALONE = {"from_data", "quantiles"}
FUNCTIONS = sorted(name for name in dir(tf.feature_column) if name.islower() and not name.startswith("_"))


def test_every_function_of_tensorflows_is_here_and_two_more() -> None:
    assert len(FUNCTIONS) == 17
    assert {name for name in fc.__all__ if name.islower()} == {*FUNCTIONS, *OURS_ALONE}


@pytest.mark.parametrize("name", FUNCTIONS)
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


@pytest.mark.parametrize("dtype", ["int32", np.int32, np.dtype("int32"), tf.int32])
@pytest.mark.parametrize(
    "declare",
    [
        lambda dtype: fc.numeric_column("n", dtype=dtype),
        lambda dtype: fc.sequence_numeric_column("n", dtype=dtype),
        lambda dtype: fc.weighted_categorical_column(TAIL, "n", dtype),
        lambda dtype: fc.categorical_column_with_vocabulary_list("n", [1, 2], dtype),
        lambda dtype: fc.categorical_column_with_vocabulary_list("n", fc.from_data(), dtype),
        lambda dtype: fc.categorical_column_with_vocabulary_file("n", YEARS, dtype=dtype),
        lambda dtype: fc.categorical_column_with_hash_bucket("n", 5, dtype),
        lambda dtype: fc.sequence_categorical_column_with_vocabulary_list("n", [1, 2], dtype).categorical_column,
        lambda dtype: fc.sequence_categorical_column_with_vocabulary_file("n", YEARS, dtype=dtype).categorical_column,
        lambda dtype: fc.sequence_categorical_column_with_hash_bucket("n", 5, dtype).categorical_column,
    ],
)
def test_every_dtype_may_be_a_string_or_tensorflows_or_numpys(declare: Callable[[Any], Any], dtype: Any) -> None:
    assert declare(dtype).dtype == "int32"


TENSORFLOWS: dict[str, list[tuple[Any, ...]]] = {
    "categorical_column_with_identity": [("hour", 24), ("hour", 24, 3)],
    "categorical_column_with_hash_bucket": [("tail", 500), ("tail", 500, tf.int64)],
    "categorical_column_with_vocabulary_list": [("day", ("Mon", "Tue")), ("year", (1, 2), tf.int64, -1, 3)],
    "categorical_column_with_vocabulary_file": [
        ("state", str(STATES)),
        ("state", str(STATES), 2, tf.string, 1),
        ("year", str(YEARS), None, tf.int64, None, 2),
        ("tail", str(PLANES), 2),
        ("tail", str(PLANES), None, tf.string, None, 0, "tfrecord_gzip"),
    ],
    "sequence_categorical_column_with_identity": [("hour", 24), ("hour", 24, 3)],
    "sequence_categorical_column_with_hash_bucket": [("tail", 500), ("tail", 500, tf.int64)],
    "sequence_categorical_column_with_vocabulary_list": [("day", ("Mon", "Tue")), ("year", (1, 2), tf.int64, -1, 3)],
    "sequence_categorical_column_with_vocabulary_file": [
        ("state", str(STATES)),
        ("state", str(STATES), 2, 3),
        ("year", str(YEARS), None, 0, 1, tf.int64),
    ],
    "sequence_numeric_column": [("miles",), ("miles", 2, 1.5, tf.int64, operator.neg)],
    "numeric_column": [("miles",), ("miles", 2, 1.5), ("miles", (2, 1), [[1], [2]], tf.int64, operator.neg)],
    "crossed_column": [(("day", "hour"), 100), (("day", "hour"), 100, 5)],
}
"""Arguments that our functions and TensorFlow's take in the same places."""


@pytest.mark.parametrize("name", TENSORFLOWS)
def test_arguments_mean_what_they_mean_to_tensorflow(name: str) -> None:
    for arguments in TENSORFLOWS[name]:
        expected = getattr(tf.feature_column, name)(*arguments)
        assert parity.theirs(getattr(fc, name)(*arguments)) == expected


def test_a_path_may_be_a_path_object() -> None:
    by_text = fc.categorical_column_with_vocabulary_file("state", str(STATES))
    assert fc.categorical_column_with_vocabulary_file("state", STATES) == by_text
    sequence = fc.sequence_categorical_column_with_vocabulary_file("state", STATES)
    assert sequence.categorical_column == by_text
    assert fc.embedding_column(HOUR, 4, ckpt_to_load_from=FOLDER / "run").ckpt_to_load_from == f"{FOLDER}/run"
    shared = fc.shared_embeddings([HOUR, HOUR], 4, ckpt_to_load_from=FOLDER / "run")
    assert [column.ckpt_to_load_from for column in shared] == [f"{FOLDER}/run"] * 2


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
        (
            fc.categorical_column_with_vocabulary_file("state", STATES, num_oov_buckets=2),
            ["NY", "NJ", "CT", "(unseen 1)", "(unseen 2)"],
        ),
        (fc.categorical_column_with_vocabulary_file("year", YEARS, 2, "int64"), ["2012", "2013"]),
        (fc.weighted_categorical_column(DAY, "share"), ["Mon", "Tue", "Wed"]),
        (fc.sequence_categorical_column_with_hash_bucket("tail", 3), ["bucket 0", "bucket 1", "bucket 2"]),
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
    assert fc.weighted_categorical_column(cross, "share").fields(0) == cross.fields(0)
    assert fc.sequence_categorical_column_with_identity("hour", 24).fields(3) == {"hour": "03"}


@pytest.mark.parametrize("id", [-1, 72])
def test_a_label_of_no_id_is_refused(id: int) -> None:
    assert (
        refused(lambda: fc.crossed_column([DAY, HOUR]).label(id))
        == f"day_X_hour: an id from 0 to 71 is wanted, not {id}."
    )


@given(st.one_of(st.sampled_from(RANGES.edges), st.floats(-2000, 2000)))
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
    assert not fc.weighted_categorical_column(TAIL, "share").is_bounded
    assert fc.weighted_categorical_column(DAY, "share").is_bounded
    assert not fc.sequence_categorical_column_with_hash_bucket("tail", 3).is_bounded
    assert fc.sequence_categorical_column_with_identity("hour", 24).is_bounded


@pytest.mark.parametrize("hour", [8, np.int64(8), "08"])
def test_a_whole_number_of_any_kind_finds_its_row(hour: Any) -> None:
    assert fc.crossed_column([DAY, HOUR]).id("Tue", hour) == 32


# Vocabularies

DAYS = [b"Mon", b"Tue", b"Wed"]

FILES: dict[str, tuple[Path, dict[str, Any], Sequence[bytes | int]]] = {
    "one value a line": (written("lines", b"Mon\nTue\nWed\n"), {}, DAYS),
    "without a final newline": (written("no_end", b"Mon\nTue\nWed"), {}, DAYS),
    "the ends of lines of Windows": (written("crlf", b"Mon\r\nTue\r\nWed\r\n"), {}, DAYS),
    "a carriage return at the end": (written("final_cr", b"Mon\nTue\r\r\nWed\r"), {}, [b"Mon", b"Tue\r", b"Wed"]),
    "carriage returns alone": (written("cr", b"Mon\rTue\n"), {}, [b"Mon\rTue"]),
    "spaces and tabs": (written("spaces", b" Mon\nT\tue\n  \n"), {}, [b" Mon", b"T\tue", b"  "]),
    "a byte order mark": (written("bom", b"\xef\xbb\xbfMon\nTue\n"), {}, [b"\xef\xbb\xbfMon", b"Tue"]),
    "bytes that are no UTF-8": (written("latin", b"\xe9t\xe9\n\xff\nMon\n"), {}, [b"\xe9t\xe9", b"\xff", b"Mon"]),
    "fewer than there are": (written("first", b"Mon\nTue\nWed\n"), {"vocabulary_size": 2}, DAYS[:2]),
    "repeated after the last": (written("later", b"Mon\nTue\nMon\n"), {"vocabulary_size": 2}, DAYS[:2]),
    "empty after the last": (written("empty", b"Mon\nTue\n\n"), {"vocabulary_size": 2}, DAYS[:2]),
    "out-of-vocabulary buckets": (STATES, {"num_oov_buckets": 4}, [b"NY", b"NJ", b"CT"]),
    "a default": (STATES, {"default_value": 2}, [b"NY", b"NJ", b"CT"]),
    "whole numbers": (written("numbers", b"30\r\n+1\n -2\n007"), {"dtype": tf.int64}, [30, 1, -2, 7]),
    "whole numbers of 64 bits": (
        written("long", b"%d\n%d" % (-(2**63), 2**63 - 1)),
        {"dtype": tf.int64},
        [-(2**63), 2**63 - 1],
    ),
    "whole numbers and buckets": (YEARS, {"dtype": tf.int64, "num_oov_buckets": 3}, [2012, 2013, 2014]),
    "records": (records("days", DAYS), {"file_format": "tfrecord_gzip"}, DAYS),
    "records by their name": (PLANES, {}, [b"N1", b"N2", b"N3"]),
    "fewer records": (PLANES, {"vocabulary_size": 2, "num_oov_buckets": 2}, [b"N1", b"N2"]),
    "records with ends of lines": (
        records("ends.tfrecord.gz", [b"Mon\n", b"T\nue", b"Wed\r"]),
        {},
        [b"Mon\n", b"T\nue", b"Wed\r"],
    ),
    "records of whole numbers": (records("years.tfrecord.gz", [b"7", b"3"]), {"dtype": tf.int64}, [7, 3]),
    "text in spite of its name": (written("text.tfrecord.gz", b"Mon\nTue\n"), {"file_format": "text"}, DAYS[:2]),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_vocabulary_file_is_read_as_tensorflow_reads_it(kind: str) -> None:
    path, arguments, values = FILES[kind]
    column = fc.categorical_column_with_vocabulary_file("key", path, **arguments)
    theirs = tf.feature_column.categorical_column_with_vocabulary_file("key", str(path), **arguments)
    found = [
        value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value for value in column.vocabulary
    ]
    assert found == values
    assert (column.vocabulary_size, column.num_buckets) == (theirs.vocabulary_size, theirs.num_buckets)
    ids = [[id] for id in range(len(values))]
    assert parity.their_ids(column, {"key": tf.constant([[value] for value in values])}) == ids


@pytest.mark.parametrize(
    ("content", "arguments"),
    [
        (b"Mon\n\nTue\n", {}),
        (b"Mon\nTue\n\n", {}),
        (b"Mon\n\r\nTue\n", {}),
        (b"Mon\nTue\nMon\n", {}),
        (b"Mon\r\nMon\n", {}),
        (b"Mon\n", {"vocabulary_size": 2}),
        (b"", {}),
        *((content, {"dtype": tf.int64}) for content in (b"1.0", b"1_0", b"- 5", b"0x10", b"%d" % 2**63, b"5\n05")),
        ("\u0663\n".encode(), {"dtype": tf.int64}),  # a digit, but none of ASCII's
    ],
)
def test_a_vocabulary_file_that_tensorflow_fails_on_is_refused_when_it_is_declared(
    content: bytes, arguments: Any
) -> None:
    path = written("bad", content)
    refused(lambda: fc.categorical_column_with_vocabulary_file("key", path, **arguments))
    with pytest.raises((tf.errors.InvalidArgumentError, tf.errors.FailedPreconditionError, ValueError)):
        parity.ids_made_by(
            tf.feature_column.categorical_column_with_vocabulary_file("key", str(path), **arguments),
            {"key": tf.constant([[5]], tf.int64) if "dtype" in arguments else tf.constant([["Mon"]])},
        )


def test_an_empty_record_is_a_row_that_no_value_finds_as_in_tensorflow() -> None:
    column = fc.categorical_column_with_vocabulary_file("key", records("gap.tfrecord.gz", [b"Mon", b"", b"Tue"]))
    assert column.vocabulary == ("Mon", "", "Tue")
    assert parity.their_ids(column, {"key": tf.constant([["Mon"], [""], ["Tue"]])}) == [[0], [], [2]]


lines = st.lists(
    st.text(min_size=1, max_size=5).filter(lambda text: "\n" not in text and not text.endswith("\r")),
    min_size=1,
    max_size=6,
    unique=True,
)


@given(lines)
@settings(derandomize=True, max_examples=50)
def test_a_file_and_a_list_of_the_same_values_have_one_digest(values: list[str]) -> None:
    path = written("same", "\n".join(values).encode())
    by_file = fc.categorical_column_with_vocabulary_file("key", path)
    by_list = fc.categorical_column_with_vocabulary_list("key", values)
    assert by_file.vocabulary == by_list.vocabulary
    assert by_file.vocabulary_digest == by_list.vocabulary_digest
    assert digest(by_file) == digest(by_list)
    assert encoded_key(by_file) == encoded_key(by_list)


@given(lines, lines)
@settings(derandomize=True, max_examples=50)
def test_other_values_or_another_order_have_another_digest(one: list[str], two: list[str]) -> None:
    assert (digest_of(one) == digest_of(two)) == (one == two)
    assert (digest_of(one) == digest_of(one[::-1])) == (len(one) == 1)


def test_a_value_with_the_end_of_a_line_in_it_is_no_two_values() -> None:
    assert digest_of(["a\nb", "c"]) != digest_of(["a", "b\nc"])
    assert digest_of(["1", "12"]) != digest_of(["11", "2"])
    assert digest_of([b"\xff"]) == digest_of(["\udcff"])
    assert digest_of([7]) == digest_of(["7"])


def test_a_file_is_read_when_its_values_are_asked_for_and_must_be_the_same() -> None:
    path = written("moving", b"Mon\nTue\n")
    column = fc.categorical_column_with_vocabulary_file("day", path)
    assert check_unchanged(cast(Any, column.vocabulary_list)) == [b"Mon", b"Tue"]
    path.write_bytes(b"Mon\r\nTue\r\n")  # the same values
    assert column.vocabulary == ("Mon", "Tue")
    path.unlink()
    assert (column.num_buckets, column.name) == (2, "day")
    assert "is gone or was changed" in refused(lambda: check_unchanged(cast(Any, column.vocabulary_list)))


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_file_may_be_local_or_remote(scheme: str) -> None:
    column = fc.categorical_column_with_vocabulary_file("state", f"{scheme}{STATES}")
    assert column.vocabulary == ("NY", "NJ", "CT")
    gone = f"{scheme}{FOLDER}/gone"
    assert refused(lambda: fc.categorical_column_with_vocabulary_file("state", gone)) == (
        f"categorical_column_with_vocabulary_file: key 'state': the file {gone} cannot be read (there is no such "
        "file); give the path of a vocabulary."
    )


def test_what_data_will_say_is_declared_by_values() -> None:
    words = fc.categorical_column_with_vocabulary_list("word", fc.from_data(10, 2), num_oov_buckets=1)
    assert words.vocabulary_list == fc.FromData(top_k=10, frequency_threshold=2)
    assert (words.dtype, fc.categorical_column_with_vocabulary_list("n", fc.from_data(), int).dtype) == (
        "string",
        "int64",
    )
    assert not words.has_values
    assert fc.categorical_column_with_vocabulary_file("state", STATES).has_values
    ranges = fc.bucketized_column(MILES, fc.quantiles(4))
    assert (ranges.boundaries, ranges.name) == (fc.Quantiles(4), "miles_bucketized")
    assert fc.embedding_column(words).dimension is None
    filled = dataclasses.replace(words, vocabulary_list=tuple(f"word {n}" for n in range(80)))
    assert fc.embedding_column(filled).dimension == 3
    assert dataclasses.replace(fc.embedding_column(words), categorical_column=filled).width == 3


# Columns inside columns


def test_a_column_is_gone_through_with_every_column_inside_it() -> None:
    cross = fc.crossed_column(["tail", fc.crossed_column([DAY, RANGES], 10)], 20)
    column = fc.embedding_column(fc.weighted_categorical_column(cross, "share"), 2)
    assert list(nested(column)) == [column, column.categorical_column, cross, cross.keys[1], DAY, RANGES, MILES]


def test_a_column_is_made_anew_from_the_innermost_out() -> None:
    words = fc.categorical_column_with_vocabulary_list("word", fc.from_data())
    cross = fc.crossed_column([words, fc.bucketized_column(MILES, fc.quantiles(3))], 10)
    column = fc.embedding_column(fc.weighted_categorical_column(cross, "share"), 2)

    def learned(part: Any) -> Any:
        if isinstance(part, fc.VocabularyListColumn):
            return dataclasses.replace(part, vocabulary_list=("a", "b"))
        return dataclasses.replace(part, boundaries=(1.0, 2.0)) if isinstance(part, fc.BucketizedColumn) else part

    assert [needs_data(part) for part in nested(column)] == [False, False, False, True, True, False]
    assert not is_learned(column)
    again = rebuilt(column, learned)
    assert is_learned(again)
    full = fc.categorical_column_with_vocabulary_list("word", ["a", "b"])
    cross = fc.crossed_column([full, fc.bucketized_column(MILES, [1, 2])], 10)
    assert again == fc.embedding_column(fc.weighted_categorical_column(cross, "share"), 2)
    assert rebuilt(column, lambda part: part) == column


def test_what_is_learned_for_one_column_of_a_shared_table_is_learned_for_all() -> None:
    keys = ("start", "end")
    shared = fc.shared_embeddings([fc.categorical_column_with_vocabulary_list(key, fc.from_data()) for key in keys], 2)
    again = [
        rebuilt(
            column,
            lambda part: (
                dataclasses.replace(part, vocabulary_list=("a",)) if isinstance(part, fc.VocabularyListColumn) else part
            ),
        )
        for column in shared
    ]
    full = [fc.categorical_column_with_vocabulary_list(key, ["a"]) for key in keys]
    assert again == fc.shared_embeddings(full, 2)


@pytest.mark.parametrize("column", COLUMNS, ids=IDS)
def test_every_column_of_the_battery_needs_no_data(column: Any) -> None:
    assert is_learned(column)
    assert rebuilt(column, lambda part: part) == column


# Tables


def test_two_equal_columns_share_a_table() -> None:
    twice = [fc.embedding_column(HOUR, 4), fc.embedding_column(fc.categorical_column_with_identity("hour", 24), 4)]
    assert embeddings_by_table(twice) == {"hour": (twice[0],)}


def test_columns_that_share_a_table_are_found_under_its_name() -> None:
    start, end = (fc.categorical_column_with_identity(key, 700) for key in ("start", "end"))
    shared = fc.shared_embeddings([start, end], 8, shared_embedding_collection_name="station")
    alone = fc.embedding_column(HOUR, 4)
    assert embeddings_by_table([shared[1], alone, MILES, *shared]) == {
        "station": (shared[1], shared[0]),
        "hour": (alone,),
    }
    assert [column.owner for column in shared] == [shared[0]] * 2
    assert alone.owner is alone


def test_a_shared_table_is_named_as_tensorflow_names_it() -> None:
    columns = [fc.categorical_column_with_identity(key, 700) for key in ("start", "end", "home base")]
    shared = fc.shared_embeddings(columns, 8)
    assert [column.name for column in shared] == [f"{column.name}_shared_embedding" for column in columns]
    creator = parity.theirs(shared[0]).shared_embedding_column_creator
    assert creator._name == "end_home base_start_shared_embedding"
    assert {column.table for column in shared} == {"end_home_base_start_shared_embedding"}
    (named,) = {column.table for column in fc.shared_embeddings(columns, 8, shared_embedding_collection_name="place")}
    assert named == "place"


def test_columns_that_share_a_table_are_declared_with_the_same_arguments() -> None:
    columns = [fc.categorical_column_with_identity(key, 700) for key in ("start", "end")]
    one, two = fc.shared_embeddings(columns, None, "sum", "ones", "stations", "runs/a", "b", 2.0, False, False)
    assert one == fc.EmbeddingColumn(
        columns[0], 6, "sum", "ones", "runs/a", "b", 2.0, False, False, "stations", tuple(columns)
    )
    assert two == dataclasses.replace(one, categorical_column=columns[1])


def test_what_weights_and_orders_are_laid_over_may_share_a_table() -> None:
    columns = [
        DAY,
        fc.weighted_categorical_column(dataclasses.replace(DAY, key="days"), "share"),
        fc.sequence_categorical_column_with_vocabulary_list("history", ["Mon", "Tue", "Wed"]),
        fc.categorical_column_with_vocabulary_file("from_file", written("shared", b"Mon\nTue\nWed\n")),
    ]
    assert {column.table for column in fc.shared_embeddings(columns, 2, shared_embedding_collection_name="d")} == {"d"}
    numbers = [
        fc.categorical_column_with_vocabulary_list("a", [5, 6]),
        fc.categorical_column_with_vocabulary_file("b", written("zeros", b"05\n06\n"), dtype="int64"),
    ]
    assert len(fc.shared_embeddings(numbers, 2)) == 2


def test_a_table_is_named_by_its_column_with_what_no_file_name_has_replaced() -> None:
    column = fc.embedding_column(fc.categorical_column_with_identity("native country/é", 3), 2)
    assert column.table == "native_country__"
    assert fc.embedding_column(HOUR, 2, name="Hour.of-day_1").table == "Hour.of-day_1"


def test_a_feature_read_as_whole_numbers_and_as_floats_is_read_as_floats() -> None:
    columns: list[fc.FeatureColumn] = [fc.categorical_column_with_identity("miles", 5000), MILES]
    assert raw_features_of(columns) == {"miles": fc.RawFeature("float32")}
    assert raw_features_of(columns[::-1]) == {"miles": fc.RawFeature("float32")}
    for keys in itertools.permutations([fc.categorical_column_with_identity("miles", 5000), RANGES]):
        assert fc.crossed_column(keys, 10).raw_features == {"miles": fc.RawFeature("float32")}


def test_a_key_crossed_by_its_name_is_read_as_other_columns_read_it() -> None:
    cross = fc.crossed_column(["hour", "tail"], 100)
    assert cross.raw_features == {"hour": fc.RawFeature(None), "tail": fc.RawFeature(None)}
    expected = {"hour": fc.RawFeature("int64"), "tail": fc.RawFeature("string")}
    for columns in itertools.permutations([cross, HOUR]):
        assert raw_features_of(columns) == expected
    named: list[str | fc.CategoricalColumn] = ["hour", HOUR, "tail"]
    for keys in itertools.permutations(named):
        assert raw_features_of([fc.crossed_column(keys, 100)]) == expected


def test_a_bag_has_any_number_of_values() -> None:
    whole, text = fc.RawFeature("int64", (None,)), fc.RawFeature("string", (None,))
    cross = fc.crossed_column(["day", HOUR], 100)
    assert raw_features_of([cross], bags=["day"]) == {"day": text, "hour": fc.RawFeature("int64")}
    weighted = fc.weighted_categorical_column(cross, "share")
    assert weighted.raw_features["day"] == fc.RawFeature(None, (None,))
    for columns in itertools.permutations([weighted, DAY, HOUR]):
        found = raw_features_of(columns, bags=["hour"])
        assert found == {"day": text, "hour": whole, "share": fc.RawFeature("float32", (None,))}
    assert fc.weighted_categorical_column(TAIL, "n", "int32").raw_features["n"] == whole
    sequence = fc.sequence_categorical_column_with_identity("hour", 24)
    assert raw_features_of([HOUR, sequence]) == {"hour": whole}
    numbers = fc.sequence_numeric_column("miles", 2)
    assert raw_features_of([numbers], bags=["miles"]) == {"miles": fc.RawFeature("float32", (None,))}


# Examples


@pytest.mark.parametrize("column", COLUMNS, ids=IDS)
def test_examples_are_parsed_as_tensorflow_parses_them(column: Any) -> None:
    expected = tf.feature_column.make_parse_example_spec([parity.theirs(column)])
    assert fc.make_parse_example_spec([column]) == expected


def test_the_features_of_several_columns_are_parsed_together() -> None:
    columns = [
        DAY,
        fc.embedding_column(fc.crossed_column(["day", HOUR], 50), 2),
        fc.numeric_column("place", (1, 2), [[0.5, 2]]),
        fc.numeric_column("miles", dtype="int64"),
        fc.weighted_categorical_column(TAIL, "frequency"),
        fc.sequence_numeric_column("speed"),
        fc.indicator_column(fc.categorical_column_with_vocabulary_file("year", YEARS, dtype="int64")),
    ]
    spec = fc.make_parse_example_spec(columns)
    assert spec == tf.feature_column.make_parse_example_spec([parity.theirs(column) for column in columns])

    def of(**features: Any) -> bytes:
        kinds = {str: ("bytes_list", tf.train.BytesList), int: ("int64_list", tf.train.Int64List)}
        made = {}
        for key, values in features.items():
            kind, holder = kinds.get(type(values[0]), ("float_list", tf.train.FloatList))
            made[key] = tf.train.Feature(
                **{kind: holder(value=[v.encode() if isinstance(v, str) else v for v in values])}
            )
        return bytes(tf.train.Example(features=tf.train.Features(feature=made)).SerializeToString())

    parsed = tf.io.parse_example(
        [
            of(day=["Mon"], hour=[8], miles=[200], tail=["N1", "N2"], frequency=[0.5, 1.5], speed=[1.0], year=[2013]),
            of(place=[3.0, 4.0], miles=[300], speed=[2.0, 3.0]),
        ],
        spec,
    )
    assert {key: value.shape[0] for key, value in parsed.items()} == dict.fromkeys(spec, 2)
    assert parsed["place"].numpy().tolist() == [[[0.5, 2.0]], [[3.0, 4.0]]]
    assert parsed["miles"].numpy().tolist() == [[200], [300]]
    assert parsed["tail"].values.numpy().tolist() == [b"N1", b"N2"]
    assert parsed["frequency"].indices.numpy().tolist() == [[0, 0], [0, 1]]
    assert tf.sparse.to_dense(parsed["speed"]).numpy().tolist() == [[1.0, 0.0], [2.0, 3.0]]


def test_a_key_crossed_by_its_name_is_parsed_as_other_columns_parse_it() -> None:
    cross = fc.crossed_column(["hour", "tail"], 100)
    for columns in itertools.permutations([cross, HOUR]):
        spec = fc.make_parse_example_spec(columns)
        assert spec == {"hour": tf.io.VarLenFeature(tf.int64), "tail": tf.io.VarLenFeature(tf.string)}


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
    digests = {digest(column): column for column in COLUMNS}
    assert len(digests) == len(COLUMNS)
    assert len({encoded_key(column) for column in COLUMNS}) == len(COLUMNS)


@pytest.mark.parametrize("column", COLUMNS, ids=IDS)
def test_a_column_without_its_values_is_the_same_column_and_gets_them_back(column: Any) -> None:
    bare = without_values(column)
    assert digest(bare) == digest(column)
    assert not any(part.has_values for part in nested(bare) if isinstance(part, fc.VocabularyListColumn))
    kept = [part for part in nested(column) if isinstance(part, fc.VocabularyListColumn)]
    values = {part.vocabulary_digest: part.vocabulary_list for part in kept}
    assert with_values(bare, values) == column
    assert with_values(bare, {}) == bare


@pytest.mark.parametrize(
    "value",
    [
        fc.FromData(5, 2),
        fc.Quantiles(4),
        fc.VocabularyFile("gs://bucket/words", 3, "0123456789abcdef", "tfrecord_gzip"),
        fc.SavedVocabulary(3, "0123456789abcdef"),
    ],
)
def test_where_values_are_comes_back_from_json(value: Any) -> None:
    column: Any = fc.BucketizedColumn(MILES, value)
    if not isinstance(value, fc.Quantiles):
        column = fc.VocabularyListColumn("word", value)
    assert from_dict(json.loads(json.dumps(to_dict(column)))) == column


def test_columns_that_are_declared_alike_have_one_digest() -> None:
    again = fc.crossed_column((DAY, fc.categorical_column_with_identity("hour", 24)))
    assert digest(again) == digest(fc.crossed_column([DAY, HOUR]))
    assert encoded_key(again) == f"day_X_hour.{digest(again)}"


# Refusals


def moved_away() -> fc.VocabularyListColumn:
    path = written("away", b"Mon\nTue\n")
    column = fc.categorical_column_with_vocabulary_file("day", path)
    path.write_bytes(b"Tue\nMon\n")
    return column


BY_LIST, BY_FILE = (f"categorical_column_with_vocabulary_{kind}: key 'day':" for kind in ("list", "file"))
WORDS = fc.categorical_column_with_vocabulary_list("word", fc.from_data())
SHARES = fc.weighted_categorical_column(TAIL, "share")
HISTORY = fc.sequence_categorical_column_with_identity("history", 24)
NOT_READ_YET = (
    "come{s} from data that were not read yet; call adapt(dataset) on the layer, or vocabulary.learned(columns, "
    "batches) first."
)


def by_file(content: bytes, **arguments: Any) -> Callable[[], Any]:
    return lambda: fc.categorical_column_with_vocabulary_file("day", written("refused", content), **arguments)


REFUSALS: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: check_apart([fc.embedding_column(HOUR, 2, name="hour")], [fc.embedding_column(HOUR, 2, name="hour")]),
        "Problem: table 'hour' is in dnn_feature_columns and in linear_feature_columns; give one of the two embedding "
        "columns another name=.",
    ),
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
        lambda: fc.embedding_column(fc.weighted_categorical_column(HOUR, "share"), 4, "max"),
        "embedding_column: column 'hour_weighted_by_share': combiner 'max' takes rows as they are, and the column has "
        "weights; give the column inside it, or combiner='mean' or 'sum' or 'sqrtn'.",
    ),
    (
        lambda: fc.embedding_column(HOUR, 4, "median"),
        "embedding_column: column 'hour': combiner must be one of mean, sum, sqrtn, max, first, not 'median'.",
    ),
    (
        lambda: fc.embedding_column(HOUR, storage_dtype="float16"),
        "embedding_column: column 'hour': storage_dtype must be float32 or bfloat16, not 'float16'.",
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
        lambda: fc.embedding_column(HOUR, 4, old_vocabulary=["1", "2"]),
        "embedding_column: column 'hour': old_vocabulary is of no use without ckpt_to_load_from.",
    ),
    (
        lambda: fc.embedding_column(HOUR, 4, ckpt_to_load_from="runs/x", on_missing_rows="zeros"),
        "embedding_column: column 'hour': on_missing_rows must be one of initializer, mean, out_of_vocabulary, not "
        "'zeros'.",
    ),
    (
        lambda: fc.embedding_column(HOUR, 4, max_norm=0),
        "embedding_column: column 'hour': max_norm must be a number above 0, not 0.",
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
        lambda: fc.numeric_column("place", "two"),  # type: ignore[arg-type]  # the mistake under test
        "numeric_column: key 'place': shape must be a whole number or a list of them, not 'two'.",
    ),
    (
        lambda: fc.sequence_numeric_column("place", 2.5),  # type: ignore[arg-type]  # the mistake under test
        "sequence_numeric_column: key 'place': shape must be a whole number or a list of them, not 2.5.",
    ),
    (
        lambda: fc.numeric_column("place", 2, ["north", 2]),
        "numeric_column: key 'place': default_value must be a number or a list of numbers, not 'north'.",
    ),
    (
        lambda: fc.numeric_column("place", 2, [1, 2.5], "int64"),
        "numeric_column: key 'place': dtype int64 wants a whole default_value, not [1, 2.5].",
    ),
    (
        lambda: fc.sequence_numeric_column("speed", default_value="fast"),  # type: ignore[arg-type]  # the mistake
        "sequence_numeric_column: key 'speed': default_value must be a number, not 'fast'.",
    ),
    (
        lambda: fc.sequence_numeric_column("speed", normalizer_fn=2),  # type: ignore[arg-type]  # the mistake under test
        "sequence_numeric_column: key 'speed': normalizer_fn must be a function of a tensor, not 2.",
    ),
    (
        lambda: fc.bucketized_column(MILES, "123"),  # type: ignore[arg-type]  # the mistake under test
        "bucketized_column: source 'miles': boundaries must be a list of numbers, or fc.quantiles(n), not '123'.",
    ),
    (
        lambda: fc.bucketized_column(MILES, 5),  # type: ignore[arg-type]  # the mistake under test
        "bucketized_column: source 'miles': boundaries must be a list of numbers, or fc.quantiles(n), not 5.",
    ),
    (
        lambda: fc.indicator_column(fc.bucketized_column(MILES, fc.quantiles(4))).width,
        f"bucketized_column: source 'miles': the boundaries {NOT_READ_YET.format(s='')}",
    ),
    (
        lambda: fc.quantiles(1),
        "quantiles: n must be a whole number of at least 2, not 1.",
    ),
    (
        lambda: fc.from_data(top_k=0),
        "from_data: top_k must be a whole number of at least 1, not 0.",
    ),
    (
        lambda: fc.from_data(frequency_threshold=0.5),  # type: ignore[arg-type]  # the mistake under test
        "from_data: frequency_threshold must be a whole number of at least 0, not 0.5.",
    ),
    (
        lambda: WORDS.num_buckets,
        f"categorical_column_with_vocabulary_list: key 'word': the vocabulary {NOT_READ_YET.format(s='s')}",
    ),
    (
        lambda: fc.embedding_column(WORDS).width,
        f"categorical_column_with_vocabulary_list: key 'word': the vocabulary {NOT_READ_YET.format(s='s')}",
    ),
    (
        lambda: without_values(DAY).label(0),
        f"{BY_LIST} the vocabulary lies in a saved model; load the whole model first.",
    ),
    (
        lambda: fc.categorical_column_with_vocabulary_list("word", fc.from_data(), default_value=-2),
        "categorical_column_with_vocabulary_list: key 'word': default_value must be -1 or an id, not -2.",
    ),
    (
        lambda: fc.categorical_column_with_vocabulary_list("day", "Mon"),
        f"{BY_LIST} vocabulary_list must be a list of values, or fc.from_data(), not 'Mon'; for a file there is "
        "categorical_column_with_vocabulary_file.",
    ),
    (
        lambda: fc.categorical_column_with_vocabulary_list("day", 7),  # type: ignore[arg-type]  # the mistake under test
        f"{BY_LIST} vocabulary_list must be a list of values, or fc.from_data(), not 7; for a file there is "
        "categorical_column_with_vocabulary_file.",
    ),
    (
        lambda: fc.categorical_column_with_vocabulary_list("day", [True, False]),
        f"{BY_LIST} vocabulary_list must be all strings or all whole numbers, not bool.",
    ),
    (
        by_file(b"Mon\n", file_format="csv"),
        f"{BY_FILE} file_format must be None, 'text' or 'tfrecord_gzip', not 'csv'.",
    ),
    (
        lambda: fc.categorical_column_with_vocabulary_file("day", ""),
        f"{BY_FILE} vocabulary_file must be the path of a file, not ''.",
    ),
    (
        lambda: fc.categorical_column_with_vocabulary_file("day", ["Mon"]),  # type: ignore[arg-type]  # the mistake
        f"{BY_FILE} vocabulary_file must be the path of a file, not ['Mon'].",
    ),
    (
        lambda: fc.categorical_column_with_vocabulary_file("day", FOLDER / "gone"),
        f"{BY_FILE} the file {FOLDER}/gone cannot be read (there is no such file); give the path of a vocabulary.",
    ),
    (
        lambda: fc.categorical_column_with_vocabulary_file("day", FOLDER),
        f"{BY_FILE} the file {FOLDER} cannot be read ([Errno 21] Is a directory: '{FOLDER}'); give the path of a "
        "vocabulary.",
    ),
    (
        by_file(b"Mon\nTue\n", file_format="tfrecord_gzip"),
        f"{BY_FILE} the file {FOLDER}/refused cannot be read (it is no TFRecord file compressed "
        "with gzip); give the path of a vocabulary.",
    ),
    (
        by_file(b""),
        f"{BY_FILE} the file {FOLDER}/refused is empty; one value a line is wanted.",
    ),
    (
        by_file(b"Mon\nTue\n", vocabulary_size=3),
        f"{BY_FILE} vocabulary_size is 3, but {FOLDER}/refused has 2 lines; give at most that.",
    ),
    (
        by_file(b"Mon\n", vocabulary_size=0),
        f"{BY_FILE} vocabulary_size must be a whole number of at least 1, not 0.",
    ),
    (
        by_file(b"Mon\n\r\nTue\n"),
        f"{BY_FILE} line 2 of {FOLDER}/refused is empty, and an empty value is a missing one; take the line out.",
    ),
    (
        by_file(b"Mon\n\xff\nTue\n\xff\n"),
        f"{BY_FILE} {FOLDER}/refused has '\\udcff' in line 4 and before; each value needs one id.",
    ),
    (
        by_file(b"7\n1_000\n", dtype="int64"),
        f"{BY_FILE} {FOLDER}/refused has '1_000' in line 2, which is no whole number of 64 bits; give dtype='string'.",
    ),
    (
        by_file(b"7\n%d\n" % 2**63, dtype="int64"),
        f"{BY_FILE} {FOLDER}/refused has '9223372036854775808' in line 2, which is no whole number of 64 bits; give "
        "dtype='string'.",
    ),
    (
        by_file(b"7\n8\n07\n", dtype="int64"),
        f"{BY_FILE} {FOLDER}/refused has 7 in line 3 and before; each value needs one id.",
    ),
    (
        by_file(b"Mon\n", dtype="float32"),
        f"{BY_FILE} dtype must be one of string, int8, int16, int32, int64, not 'float32'.",
    ),
    (
        by_file(b"Mon\n", default_value=1),
        f"{BY_FILE} default_value must be an id from -1 to 0, not 1.",
    ),
    (
        by_file(b"Mon\n", default_value=0, num_oov_buckets=1),
        f"{BY_FILE} give num_oov_buckets or default_value, not both.",
    ),
    (
        lambda: moved_away().vocabulary,
        f"vocabulary: {FOLDER}/away is gone or was changed since it was declared; put it back.",
    ),
    (
        lambda: fc.weighted_categorical_column(MILES, "share"),  # type: ignore[arg-type]  # the mistake under test
        "weighted_categorical_column: a categorical column is wanted, such as categorical_column_with_identity('hour', "
        "24), not NumericColumn(key='miles', shape=(1,), default_value=None, dtype='float32', normalizer_fn=None).",
    ),
    (
        lambda: fc.weighted_categorical_column(TAIL, ""),
        "weighted_categorical_column: the key of a feature is wanted, a string such as 'day', not ''.",
    ),
    (
        lambda: fc.weighted_categorical_column(TAIL, "share", "string"),
        "weighted_categorical_column: key 'share': dtype must be one of float16, bfloat16, float32, float64, int8, "
        "int16, int32, int64, uint8, uint16, uint32, not 'string'.",
    ),
    (
        lambda: fc.weighted_categorical_column(TAIL, "tail"),
        "weighted_categorical_column: column 'tail' reads feature 'tail' itself; give the key of another feature, of "
        "the weights.",
    ),
    (
        lambda: fc.weighted_categorical_column(HISTORY, "share"),
        "weighted_categorical_column: column 'history' is a sequence, which takes no weights; give the column of a "
        "bag.",
    ),
    (
        lambda: fc.weighted_categorical_column(SHARES, "share"),
        "weighted_categorical_column: column 'tail_weighted_by_share' has weights already; give the column inside it.",
    ),
    (
        lambda: fc.crossed_column([SHARES, "day"], 10),
        "crossed_column: key 'tail_weighted_by_share' has weights, which a cross cannot keep; give the column inside "
        "it.",
    ),
    (
        lambda: fc.crossed_column([HISTORY, "day"], 10),
        "crossed_column: key 'history' is a sequence, which a cross cannot keep; give the column inside it.",
    ),
    (
        lambda: fc.crossed_column([DAY, fc.categorical_column_with_identity("day", 7)], 10),
        "crossed_column: feature 'day' is read as string () and, by 'day', as int64 (); give both columns one dtype "
        "and shape.",
    ),
    (
        lambda: fc.crossed_column([fc.bucketized_column(fc.numeric_column("place", 2), [0]), "place"], 10),
        "crossed_column: feature 'place' is read as float32 (2,) and, by 'place', as anything (); give both columns "
        "one dtype and shape.",
    ),
    (
        lambda: fc.embedding_column(HOUR, 4, max_norm="2"),  # type: ignore[arg-type]  # the mistake under test
        "embedding_column: column 'hour': max_norm must be a number above 0, not '2'.",
    ),
    (
        lambda: fc.embedding_column(HOUR, 4, name=5),  # type: ignore[arg-type]  # the mistake under test
        "embedding_column: column 'hour': a table's name has letters, digits, '_', '.' and '-' only, not 5.",
    ),
    (
        lambda: fc.shared_embeddings(HOUR, 4),  # type: ignore[arg-type]  # the mistake under test
        "shared_embeddings: a list of categorical columns is wanted; for one, use embedding_column.",
    ),
    (
        lambda: fc.shared_embeddings([], 4),
        "shared_embeddings: a list of categorical columns is wanted; for one, use embedding_column.",
    ),
    (
        lambda: fc.shared_embeddings([HOUR, "dest"], 4),  # type: ignore[list-item]  # the mistake under test
        "shared_embeddings: a categorical column is wanted, such as categorical_column_with_identity('hour', 24), not "
        "'dest'.",
    ),
    (
        lambda: fc.shared_embeddings([HOUR, DAY], 4),
        "shared_embeddings: columns 'hour' and 'day' are of two kinds, IdentityColumn and VocabularyListColumn; "
        "columns of one kind can share a table.",
    ),
    (
        lambda: fc.shared_embeddings([HOUR, fc.categorical_column_with_identity("minute", 1440)], 4),
        "shared_embeddings: columns 'hour' and 'minute' have 24 and 1,440 ids; as many are wanted to share a table.",
    ),
    (
        lambda: fc.shared_embeddings([DAY, fc.categorical_column_with_vocabulary_list("to", ["Mon", "Wed", "Tue"])], 4),
        "shared_embeddings: columns 'day' and 'to' do not mean the same by an id: 1 is 'Tue' and 'Wed'; give both one "
        "vocabulary.",
    ),
    (
        lambda: fc.shared_embeddings(
            [DAY, fc.categorical_column_with_vocabulary_list("to", ["Mon", "Tue"], None, -1, 1)]
        ),
        "shared_embeddings: columns 'day' and 'to' do not mean the same by an id: 2 is 'Wed' and '(unseen 1)'; give "
        "both one vocabulary.",
    ),
    (
        lambda: raw_features_of([HOUR, DAY], bags=["hours"]),
        "bags: no column reads a feature 'hours'; did you mean 'hour'?",
    ),
    (
        lambda: raw_features_of([HOUR, DAY], bags=["zebra"]),
        "bags: no column reads a feature 'zebra'; the columns read day, hour.",
    ),
    (
        lambda: raw_features_of([HOUR, RANGES], bags={"miles": "|"}),
        "bags: feature 'miles' is read by a numeric_column, which has as many values in each example; leave it out of "
        "the bags.",
    ),
    (
        lambda: fc.make_parse_example_spec(HOUR),  # type: ignore[arg-type]  # the mistake under test
        "make_parse_example_spec: a list of columns is wanted, not the column 'hour'.",
    ),
    (
        lambda: fc.make_parse_example_spec([HOUR, "day"]),  # type: ignore[list-item]  # the mistake under test
        "make_parse_example_spec: columns are wanted, not 'day'.",
    ),
    (
        lambda: fc.make_parse_example_spec([HOUR, fc.categorical_column_with_hash_bucket("hour", 10)]),
        "make_parse_example_spec: feature 'hour' is read as VarLenFeature(dtype=tf.int64) and, by 'hour', as "
        "VarLenFeature(dtype=tf.string); give both columns one dtype and shape.",
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


# Each worker has a folder of its own, and tests run by several need the same names.
IDS = [sentence.replace(str(FOLDER), "…")[:60] for _, sentence in REFUSALS]


@pytest.mark.parametrize(("make", "sentence"), REFUSALS, ids=IDS)
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
    for make, _ in [*REFUSALS, *test_feature_column_tokens.REFUSALS]:
        with pytest.raises(Refusal) as refusal:
            make()
        told.add((refusal.traceback[-1].path.name, refusal.traceback[-1].lineno + 1))  # type: ignore[union-attr]  # a file
    assert sites == told
