"""Columns of `tf.feature_column` as ours, both sides held against each other, and the page about moving."""

import contextlib
import io
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tensorflow.python.feature_column import feature_column as v1
from tensorflow.python.feature_column import feature_column_v2 as v2
from tensorflow.python.feature_column import sequence_feature_column

from tests.estimators import page
from tests.parity import test_differences
from trainer import feature_column as fc
from trainer import layers
from trainer.errors import Refusal
from trainer.migration import Comparison, Parity, check_parity, columns, differences, from_feature_columns
from trainer.migration.initializers import keras_initializer

TF = tf.feature_column
README = (Path(columns.__file__).parent / "README.md").read_text(encoding="utf-8")


def doubled(numbers: Any) -> Any:
    return numbers * 2.0


def less_one(numbers: Any) -> Any:
    return numbers - 1.0


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A vocabulary file of four words."""
    file = tmp_path_factory.mktemp("words") / "words.txt"
    file.write_text("a\nb\nc\nd\n", encoding="utf-8")
    return str(file)


def shared(inner: Any, **arguments: Any) -> Any:
    """TensorFlow declares these in a graph only."""
    with tf.Graph().as_default():
        return TF.shared_embeddings(inner, **arguments)


def pairs(words: str) -> list[tuple[Any, fc.FeatureColumn]]:
    """TensorFlow's columns, of every kind, and what they are here."""
    day, our_day = (
        module.categorical_column_with_vocabulary_list("day", ["Mon", "Tue"], num_oov_buckets=2) for module in (TF, fc)
    )
    hour, our_hour = (module.categorical_column_with_identity("hour", 24, 0) for module in (TF, fc))
    miles, our_miles = (module.numeric_column("miles", (2,), [1.0, 2.0], normalizer_fn=doubled) for module in (TF, fc))
    ranges, our_ranges = TF.bucketized_column(miles, [0.5, 1]), fc.bucketized_column(our_miles, [0.5, 1])
    cross = TF.crossed_column([TF.crossed_column(["word", day], 10), ranges, "tail"], 1000, 7)
    our_cross = fc.crossed_column([fc.crossed_column(["word", our_day], 10), our_ranges, "tail"], 1000, 7)
    file, our_file = (
        module.categorical_column_with_vocabulary_file("word", words, 3, default_value=1) for module in (TF, fc)
    )
    weighted, our_weighted = (
        TF.weighted_categorical_column(day, "weight", tf.int64),
        fc.weighted_categorical_column(our_day, "weight", "int64"),
    )
    numbers: dict[str, Any] = {"shape": 2, "default_value": -1.0, "normalizer_fn": doubled}
    steps = [
        ("hash_bucket", ("tail", 10)),
        ("identity", ("hour", 24, 3)),
        ("vocabulary_list", ("n", [5, 6], None, 1)),
        ("vocabulary_file", ("word", words, 3)),
    ]
    arguments: dict[str, Any] = {"combiner": "sqrtn", "max_norm": 2.0, "trainable": False}
    source: dict[str, Any] = {"ckpt_to_load_from": "runs/x", "tensor_name_in_ckpt": "day"}
    return [
        (miles, our_miles),
        (ranges, our_ranges),
        (day, our_day),
        (file, our_file),
        (hour, our_hour),
        (TF.categorical_column_with_hash_bucket("n", 10, tf.int32), fc.HashBucketColumn("n", 10, "int32")),
        (cross, our_cross),
        (weighted, our_weighted),
        (TF.indicator_column(cross), fc.indicator_column(our_cross)),
        (TF.embedding_column(day, 3, **arguments), fc.embedding_column(our_day, 3, **arguments)),
        (
            TF.embedding_column(hour, 4, use_safe_embedding_lookup=False, **source),
            fc.embedding_column(our_hour, 4, use_safe_embedding_lookup=False, **source),
        ),
        *zip(
            shared([day, weighted], dimension=3, **arguments),
            fc.shared_embeddings([our_day, our_weighted], 3, **arguments),
            strict=True,
        ),
        *(
            (
                getattr(TF, f"sequence_categorical_column_with_{kind}")(*given),
                getattr(fc, f"sequence_categorical_column_with_{kind}")(*given),
            )
            for kind, given in steps
        ),
        (TF.sequence_numeric_column("degrees", **numbers), fc.sequence_numeric_column("degrees", **numbers)),
    ]


# from_feature_columns


def test_columns_of_every_kind_become_ours(words: str) -> None:
    both = pairs(words)
    assert from_feature_columns([theirs for theirs, _ in both]) == [ours for _, ours in both]


def test_a_converted_column_keeps_its_name_and_its_size(words: str) -> None:
    for theirs, _ in pairs(words):
        ours = from_feature_columns(theirs)
        assert ours.name == theirs.name
        if isinstance(theirs, v2.CategoricalColumn):
            assert ours.num_buckets == theirs.num_buckets
        else:
            assert ours.width == theirs.variable_shape.num_elements()


def test_the_battery_has_every_kind_of_tensorflow_and_every_kind_of_ours(words: str) -> None:
    made = {name for name in dir(TF) if name.endswith(("_column", "_embeddings")) or "_column_with_" in name}
    assert len(made) == 16  # and make_parse_example_spec
    kinds = {type(theirs) for theirs, _ in pairs(words)}
    assert kinds == {*columns.CONVERSIONS, v2.SharedEmbeddingColumn}
    registered = {
        kind
        for module in (v2, sequence_feature_column)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, v2.fc_types.FeatureColumn) and hasattr(kind, "_fields")
    }
    assert kinds == registered
    ours = {kind for kind in vars(fc).values() if isinstance(kind, type) and issubclass(kind, fc.FeatureColumn)}
    assert {type(column) for _, column in pairs(words)} == ours - {
        fc.FeatureColumn,
        fc.DenseColumn,
        fc.CategoricalColumn,
    }


def test_one_column_gives_one_and_any_iterable_a_list() -> None:
    hour, miles = TF.categorical_column_with_identity("hour", 24), TF.numeric_column("miles")
    assert from_feature_columns(hour) == fc.categorical_column_with_identity("hour", 24)
    wanted = [fc.numeric_column("miles"), fc.categorical_column_with_identity("hour", 24)]
    for given in ([miles, hour], (miles, hour), iter([miles, hour])):
        assert from_feature_columns(given) == wanted
    assert from_feature_columns([]) == []


def test_columns_that_share_a_table_share_one_here_whatever_stands_between_them() -> None:
    start, end = (TF.categorical_column_with_identity(key, 9) for key in ("start", "end"))
    one, two = shared([start, end], dimension=2, shared_embedding_collection_name="stations")
    alone = shared([start], dimension=2)[0]
    found = from_feature_columns([one, alone, TF.numeric_column("miles"), two, one])
    assert found[0] == found[4]
    assert [column.table for column in (found[0], found[3], found[1])] == [
        "stations",
        "stations",
        "start_shared_embedding",
    ]
    assert found[0].shared_by == found[3].shared_by == tuple(from_feature_columns([start, end]))
    assert len(layers.DenseFeatures([found[0], found[3]]).tables) == 1


def test_shared_columns_of_tensorflow_1_share_a_table_too() -> None:
    inner = [TF.categorical_column_with_identity(key, 9) for key in ("start", "end")]
    with tf.Graph().as_default():
        old = tf.compat.v1.feature_column.shared_embedding_columns(inner, 2, combiner="sum")
    assert type(old[0]) is v1._SharedEmbeddingColumn
    assert from_feature_columns(old) == fc.shared_embeddings(from_feature_columns(inner), 2, "sum")


def test_a_vocabulary_of_bytes_is_one_of_strings() -> None:
    theirs = TF.categorical_column_with_vocabulary_list("day", [b"Mon", b"Tue"])
    assert from_feature_columns(theirs) == fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue"])


class Mine(v2.NumericColumn):
    """A column of one's own."""


class MyEmbedding(v2.EmbeddingColumn):
    """As the embeddings of TPUs are."""


NO_FUNCTION = (
    "which no function of tf.feature_column returns; declare it with one of them, or with trainer.feature_column."
)
HOUR = TF.categorical_column_with_identity("hour", 24)
OTHERS: list[tuple[Any, str]] = [
    (Mine("miles", (1,), None, tf.float32, None), f"from_feature_columns: column 'miles' is a Mine, {NO_FUNCTION}"),
    (
        MyEmbedding(HOUR, 2, "mean", None, None, None, None, True),
        f"from_feature_columns: column 'hour_embedding' is a MyEmbedding, {NO_FUNCTION}",
    ),
    (
        TF.indicator_column(v1._categorical_column_with_identity("hour", 24)),
        f"from_feature_columns: column 'hour' is a _IdentityCategoricalColumn, {NO_FUNCTION}",
    ),
    (
        fc.numeric_column("miles"),
        "from_feature_columns: columns of tf.feature_column are wanted, and 'miles' is one of trainer.feature_column "
        "already; leave it out.",
    ),
    (
        [HOUR, "hour"],
        "from_feature_columns: columns of tf.feature_column are wanted, one or a list of them, not 'hour'; give what "
        "tf.feature_column.numeric_column and its like return.",
    ),
    (
        3,
        "from_feature_columns: columns of tf.feature_column are wanted, one or a list of them, not 3; give what "
        "tf.feature_column.numeric_column and its like return.",
    ),
]


@pytest.mark.parametrize(("given", "sentence"), OTHERS)
def test_what_is_no_column_of_tensorflow_is_refused(given: Any, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        from_feature_columns(given)
    assert str(refusal.value) == sentence


# Initializers


INITIALIZERS: list[tuple[Any, Any]] = [
    (tf.compat.v1.truncated_normal_initializer(stddev=0.5), None),
    (tf.compat.v1.truncated_normal_initializer(stddev=0.1), keras.initializers.TruncatedNormal(0.0, 0.1)),
    (tf.compat.v1.zeros_initializer(), keras.initializers.Zeros()),
    (tf.ones_initializer(), keras.initializers.Ones()),
    (tf.constant_initializer(2.5), keras.initializers.Constant(2.5)),
    (tf.compat.v1.random_uniform_initializer(-0.1, 0.1, seed=3), keras.initializers.RandomUniform(-0.1, 0.1, seed=3)),
    (tf.compat.v1.random_uniform_initializer(), keras.initializers.RandomUniform(0.0, 1.0)),
    (tf.random_normal_initializer(1.0, 0.1), keras.initializers.RandomNormal(1.0, 0.1)),
    (tf.compat.v1.glorot_uniform_initializer(), keras.initializers.GlorotUniform()),
    (tf.compat.v1.glorot_normal_initializer(5), keras.initializers.GlorotNormal(5)),
    (
        tf.compat.v1.variance_scaling_initializer(2.0, distribution="normal"),
        keras.initializers.VarianceScaling(2.0, distribution="truncated_normal"),
    ),
    (tf.compat.v1.orthogonal_initializer(2.0), keras.initializers.Orthogonal(2.0)),
    (tf_keras.initializers.HeNormal(), keras.initializers.HeNormal()),
    (tf_keras.initializers.LecunUniform(), keras.initializers.LecunUniform()),
]


@pytest.mark.parametrize(("theirs", "wanted"), INITIALIZERS, ids=[type(theirs).__name__ for theirs, _ in INITIALIZERS])
def test_an_initializer_becomes_that_of_keras_with_the_same_meaning(theirs: Any, wanted: Any) -> None:
    found: Any = keras_initializer(theirs, 4)
    assert type(found) is type(wanted)
    assert found is None or found.get_config() == wanted.get_config()


@pytest.mark.parametrize("theirs", [theirs for theirs, wanted in INITIALIZERS if wanted is not None])
def test_an_initializer_fills_a_table_with_the_same_spread(theirs: Any) -> None:
    found: Any = keras_initializer(theirs, 64)
    one, two = (np.asarray(initializer((500, 64), dtype="float32")) for initializer in (theirs, found))
    assert np.mean(one) == pytest.approx(np.mean(two), abs=0.02)
    assert np.std(one) == pytest.approx(np.std(two), rel=0.05)
    assert np.max(np.abs(one)) == pytest.approx(np.max(np.abs(two)), rel=0.25)


@pytest.mark.parametrize(
    "theirs",
    [
        tf.constant_initializer([[1.0, 2.0, 3.0, 4.0]] * 24),
        tf.compat.v1.initializers.uniform_unit_scaling(),
        keras.initializers.HeUniform(),
        lambda shape, dtype=None: tf.ones(shape, dtype or tf.float32),
    ],
    ids=["a list", "unit scaling", "Keras 3", "a function"],
)
def test_another_initializer_stays_and_fills_the_table(theirs: Any) -> None:
    column = from_feature_columns(TF.embedding_column(HOUR, 4, initializer=theirs))
    assert column.initializer is theirs
    assert np.abs(layers.DenseFeatures([column])({"hour": tf.constant([3])})).sum() > 0


# check_parity


def rows(examples: int = 50) -> dict[str, Any]:
    """Rows that the battery's columns read, without what the sides differ in on purpose."""
    chance = np.random.default_rng(examples)
    return {
        "day": chance.choice(["Mon", "Tue", "Sat", "Sun"], (examples, 2)),
        "hour": chance.integers(0, 30, (examples, 3)),
        "miles": chance.uniform(-1, 1, (examples, 2)).astype(np.float32),
        "word": chance.choice(["a", "b", "c", "z"], (examples, 2)),
        "tail": chance.choice(["N1", "N2"], examples),
        "n": chance.integers(4, 8, (examples, 2)).astype(np.int32),
        "weight": chance.integers(1, 5, (examples, 2)),
        "degrees": tf.sparse.from_dense(chance.uniform(1, 2, (examples, 4)).astype(np.float32)),
    }


def test_columns_of_every_kind_are_equal_on_rows_that_both_sides_take(words: str) -> None:
    tested = [replace_normalizer(theirs) for theirs, _ in pairs(words)]
    tested += [TF.indicator_column(column) for column in tested if isinstance(column, v2.SequenceCategoricalColumn)]
    tested += [TF.embedding_column(column, 2) for column in tested if isinstance(column, v2.SequenceCategoricalColumn)]
    tested = [column for column in tested if getattr(column, "use_safe_embedding_lookup", True)]
    report = check_parity(tested, rows())
    assert report.equal, str(report)
    assert [comparison.column for comparison in report] == [column.name for column in tested]


def replace_normalizer(column: Any) -> Any:
    """A sequence's gets a SparseTensor there, which multiplies as a dense one does not."""
    sparse = isinstance(column, sequence_feature_column.SequenceNumericColumn)
    return column._replace(normalizer_fn=None) if sparse else column


def test_a_report_says_what_differs_and_prints_as_a_table() -> None:
    cross = TF.crossed_column(["word", "hour"], 100)
    report = check_parity([HOUR, cross], {"hour": [8, 9, 10], "word": ["a", "", ""]})
    assert (report.rows, len(report), report.equal) == (3, 2, False)
    hour, word = report
    assert hour == Comparison("hour", True)
    assert (word.row, word.raw, word.ours) == (1, {"word": "", "hour": 9}, [])
    (id,) = word.theirs
    assert repr(report) == str(report)
    assert str(report).splitlines() == [
        "1 of 2 columns equal on 3 rows.",
        "",
        "column       result",
        "hour         equal",
        "hour_X_word  differs, first in row 1",
        "",
        "hour_X_word, row 1",
        "  raw     word='', hour=9",
        f"  theirs  [{id}]",
        "  ours    []",
        "  why     Where a raw key of a cross is missing there is no combination here; TensorFlow crosses '' and -1 as "
        "values.",
    ]


def test_a_long_output_is_shown_by_the_first_place_that_differs() -> None:
    one, two = np.zeros(20), np.zeros(20)
    two[7] = 0.5
    text = str(Parity(1, (Comparison("x", False, 0, {"x": 1}, one.tolist(), two.tolist(), "So."),)))
    assert "  theirs  0 at [7] of [20]\n  ours    0.5 at [7] of [20]" in text


def test_the_same_tables_are_looked_up_on_both_sides_and_a_checkpoint_is_not_asked_for() -> None:
    warm = TF.embedding_column(HOUR, 3, ckpt_to_load_from="nowhere", tensor_name_in_ckpt="x", max_norm=0.5)
    zeros = TF.embedding_column(HOUR, 3, initializer=tf.zeros_initializer())
    report = check_parity([warm, zeros], {"hour": tf.ragged.constant([[1, 2], [], [3]])})
    assert report.equal, str(report)


@pytest.mark.parametrize("convert", [list, np.asarray, tf.constant])
def test_rows_may_be_lists_arrays_and_tensors(convert: Any) -> None:
    day = TF.categorical_column_with_vocabulary_list("day", ["Mon", "Tue"])
    assert check_parity([day, HOUR], {"day": convert(["Mon", "x"]), "hour": convert([1, 2]), "else": object()}).equal


def test_lists_of_several_lengths_are_bags() -> None:
    assert check_parity(TF.indicator_column(HOUR), {"hour": [[1, 2], [], [3]]}).equal


def test_the_first_row_that_a_side_refuses_is_found() -> None:
    hours = [3] * 40
    hours[17] = 30
    (comparison,) = check_parity(HOUR, {"hour": hours})
    assert (comparison.row, comparison.raw, comparison.theirs) == (17, {"hour": 30}, [30])
    assert comparison.ours == (
        "Refusal: categorical_column_with_identity: key 'hour' takes ids from 0 to 23; give default_value, or a larger "
        "num_buckets; the data have 30 in row 17."
    )


def sparse(values: list[Any]) -> tf.SparseTensor:
    return test_differences.sparse(values)


DAY = TF.categorical_column_with_vocabulary_list("day", ["Mon", "Tue"])
WEIGHTED = TF.weighted_categorical_column(DAY, "weight")
EXPLAINED: list[tuple[Any, Mapping[str, Any], str]] = [
    (TF.crossed_column([WEIGHTED, HOUR], 9), {"day": ["Mon"], "weight": [1.0], "hour": [1]}, "cannot be declared here"),
    (TF.embedding_column(HOUR, 2), {"hour": [30]}, "Neither side takes these rows"),
    (TF.indicator_column(HOUR), {"hour": [30]}, "An id out of range is refused here"),
    (TF.sequence_numeric_column("n", 2), {"n": sparse([[1.0, 2.0, 3.0]])}, "A step of a sequence that was begun"),
    (TF.crossed_column(["n", "word"], 9), {"n": [1.5], "word": ["a"]}, "A raw key of a cross is strings or whole"),
    (
        TF.embedding_column(HOUR, 2, use_safe_embedding_lookup=False),
        {"hour": [1, -1]},
        "A row without values gets zeros here",
    ),
    (TF.sequence_numeric_column("n"), {"n": [[1.0, 2.0]]}, "A dense sequence is taken here"),
    (TF.sequence_numeric_column("n", normalizer_fn=less_one), {"n": sparse([[1.0]])}, "normalizer_fn gets the numbers"),
    (
        TF.sequence_numeric_column("n", normalizer_fn=partial(tf.sparse.map_values, less_one)),
        {"n": sparse([[1.0]])},
        "normalizer_fn gets the numbers",
    ),
    (WEIGHTED, {"day": ["Mon"], "weight": [1]}, "Weights of another dtype"),
    (WEIGHTED, {"day": [["Mon", "Tue"]], "weight": [[0.0, 1.0]]}, "A weight of 0 keeps its place"),
    (TF.embedding_column(WEIGHTED, 2), {"day": [["", "Tue"]], "weight": [[2.0, 1.0]]}, "The weight of a missing value"),
    (TF.crossed_column(["day", "word"], 9), {"day": ["Mon"], "word": [""]}, "Where a raw key of a cross is missing"),
    (TF.categorical_column_with_hash_bucket("word", 9), {"word": sparse([["a"], [""]])}, "'' and -1 are missing here"),
    (
        TF.crossed_column(["word", DAY], 1000),
        {"word": sparse([["a"]]), "day": sparse([["Mon"]])},
        "The raw keys of a cross are hashed after its columns here",
    ),
]


@pytest.mark.parametrize(("theirs", "features", "why"), EXPLAINED, ids=[why for _, _, why in EXPLAINED])
def test_a_difference_is_explained(theirs: Any, features: Mapping[str, Any], why: str) -> None:
    (comparison,) = check_parity(theirs, features)
    assert not comparison.equal
    assert why in comparison.why
    assert why in str(comparison)


def test_every_explanation_has_its_case_and_the_last_is_to_report_it() -> None:
    for _, sentence in differences._REASONS:
        assert [why for _, _, why in EXPLAINED if why in sentence], sentence
    assert differences.reason(HOUR, {"hour": tf.constant([1])}, {"hour": 1}, [1], [2]) == (
        "No deliberate difference explains this; please report it with this row."
    )


def test_what_differs_without_a_reason_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = replace(fc.categorical_column_with_vocabulary_list("day", ["Tue", "Mon"]))
    monkeypatch.setitem(columns.CONVERSIONS, v2.VocabularyListCategoricalColumn, lambda _: wrong)
    ids, indicator = check_parity([DAY, TF.indicator_column(DAY)], {"day": ["x", "Tue"]})
    assert (ids.row, ids.theirs, ids.ours) == (1, [1], [0])
    assert (indicator.row, indicator.theirs, indicator.ours) == (1, [0.0, 1.0], [1.0, 0.0])
    assert ids.why == "No deliberate difference explains this; please report it with this row."


REFUSED: list[tuple[Any, Any, str]] = [
    (
        fc.numeric_column("miles"),
        {},
        "check_parity: columns of tf.feature_column are wanted, and 'miles' is one of trainer.feature_column already; "
        "leave it out.",
    ),
    (HOUR, [1, 2], "check_parity: features by key are wanted, such as {'hour': [8, 17]}, not list."),
    (
        TF.indicator_column(HOUR),
        {"hours": [1]},
        "check_parity: feature 'hour' is wanted by column 'hour_indicator' and is not there; did you mean 'hours'?",
    ),
    (
        HOUR,
        {"x": [1]},
        "check_parity: feature 'hour' is wanted by column 'hour' and is not there; give rows that have it.",
    ),
    (HOUR, {"hour": 8}, "check_parity: feature 'hour' is a single value; give a list of rows."),
    (HOUR, {"hour": tf.zeros([0], tf.int64)}, "check_parity: there are no rows in the features; give at least one."),
    (
        TF.crossed_column([HOUR, "day"], 9),
        {"hour": [1], "day": ["a", "b"]},
        "check_parity: as many rows of each feature are wanted; 'hour' has 1, 'day' has 2.",
    ),
]


@pytest.mark.parametrize(("given", "features", "sentence"), REFUSED)
def test_what_cannot_be_compared_is_refused(given: Any, features: Any, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        check_parity(given, features)
    assert str(refusal.value) == sentence


def test_something_that_is_no_tensor_is_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        check_parity(HOUR, {"hour": [object()]})
    sentence = (
        "check_parity: feature 'hour' should be a tensor, an array or a list of values, one or several a row, not"
    )
    assert str(refusal.value).startswith(f"{sentence} list (")


def test_without_keras_2_the_sentence_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tf_keras", None)
    with pytest.raises(Refusal) as refusal:
        check_parity(HOUR, {"hour": [1]})
    assert str(refusal.value) == (
        "check_parity: tf_keras is wanted, the Keras 2 that runs TensorFlow's columns; pip install tf-keras."
    )


# The page


def blocks(language: str) -> list[str]:
    """The blocks of a language that are no side of a pair of calls, which tests/test_migration_page.py runs."""
    return [code for _, found, side, code in page.blocks(README) if found == language and not side]


def table(heading: str) -> list[list[str]]:
    """The rows of the table whose first heading is given."""
    _, _, after = README.partition(f"\n| {heading} |")
    lines = after.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def test_the_examples_of_the_page_run_and_print_what_it_says() -> None:
    names: dict[str, Any] = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for block in blocks("python"):
            exec(block, names)
    assert [printed.getvalue()] == blocks("")
    assert layers.DenseFeatures([names["columns"][0]]).tables.keys() == {"day_hour"}


def test_the_imports_before_and_after_are_of_this_world() -> None:
    (diff,) = blocks("diff")
    after = [line[1:] for line in diff.splitlines() if line[:1] in "+ "]
    before = [line[1:] for line in diff.splitlines() if line[:1] in "- "]
    names: dict[str, Any] = {}
    exec("\n".join(after), names)
    assert isinstance(names["layer"], layers.DenseFeatures)
    exec("\n".join(before).replace("from tensorflow.keras", "from tf_keras"), names)
    assert isinstance(names["layer"], tf_keras.layers.DenseFeatures)


def test_the_page_names_every_function_of_tensorflow_and_nothing_that_is_not_here() -> None:
    rows = table("`tf.feature_column`")
    functions = [name for name in dir(TF) if not name.startswith("_")]
    assert [row[0].strip("`") for row in rows] == functions
    for row in rows:
        assert row[1] == f"`fc.{row[0].strip('`')}`"
    for name in re.findall(r"`(fc|layers)\.(\w+)", README):
        assert hasattr({"fc": fc, "layers": layers}[name[0]], name[1]), name
    old = {row[0].strip("`") for row in table("`tf.contrib.layers` of TensorFlow 1")}
    assert old >= {
        "sparse_column_with_keys",
        "sparse_column_with_hash_bucket",
        "sparse_column_with_integerized_feature",
        "real_valued_column",
        "bucketized_column",
        "crossed_column",
        "embedding_column",
        "one_hot_column",
        "weighted_sparse_column",
        "create_feature_spec_for_parsing",
    }


def test_every_difference_on_the_page_has_its_test_and_every_test_its_row() -> None:
    told = [re.findall(r"`(test_\w+)`", row[-1]) for row in table("TensorFlow")]
    assert all(len(names) == 1 for names in told)
    assert [name for (name,) in told if told.count([name]) > 1] == []
    assert {name for (name,) in told} == {name for name in vars(test_differences) if name.startswith("test_")}
