"""Old exports that Estimators of TensorFlow 2.15 wrote, and the logits of two models held against each other."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import estimators, trips
from tests.estimators import columns, models, rows, serving
from trainer import export
from trainer import feature_column as fc
from trainer.errors import Refusal
from trainer.heads import BinaryHead
from trainer.inputs import unlabelled
from trainer.migration import agreement, blame, exports, from_estimator
from trainer.migration.agreement import held_against
from trainer.migration.agreement_report import Agreement
from trainer.migration.examples import serialized
from trainer.migration.exports import OldExport
from trainer.models import inputs_of
from trainer.problem import Problem

Features = Mapping[str, Any]

WORDS = fc.weighted_categorical_column(fc.categorical_column_with_vocabulary_list("words", serving.WORDS), "amounts")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exports of one Estimator by several receivers."""
    return estimators.unpack(tmp_path_factory.mktemp("served"), serving.ARCHIVE)


@pytest.fixture(scope="module")
def old(served: Path) -> Callable[[str], OldExport]:
    """Opens one of these exports, once."""
    return cache(lambda name: exports.opened(str(served / name), [WORDS]))


@pytest.fixture(scope="module")
def raw(served: Path) -> dict[str, Any]:
    """The rows of these exports."""
    found = dict(np.load(served / "rows.npz"))
    del found["logits"]
    return found


@pytest.fixture(scope="module")
def expected(served: Path) -> Any:
    """What the Estimator made of the rows."""
    return np.load(served / "rows.npz")["logits"]


def migrated(folder: Path, **changed: Any) -> tuple[keras.Model, list[fc.FeatureColumn]]:
    """The model of the Estimator here, and its columns."""
    wide, deep = serving.declared(fc)
    arguments = {"linear_feature_columns": wide, "dnn_feature_columns": deep, **changed}
    model = from_estimator(str(folder), "DNNLinearCombinedClassifier", dnn_hidden_units=[4], **arguments)
    return model, [*arguments["linear_feature_columns"], *arguments["dnn_feature_columns"]]


def changed(features: Features, **values: Any) -> dict[str, Any]:
    return {**features, **values}


# What Estimators export


@pytest.mark.parametrize(
    "name", ["v1/DNNLinearCombinedClassifier", "v1/DNNRegressorOf2", "v2/LinearClassifier", "v2/DNNRegressor"]
)
def test_an_old_export_gives_the_logits_of_its_estimator(name: str, old_estimators: Path) -> None:
    model = next(model for model in models.MODELS if model.name == name)
    path = exports.find(str(old_estimators / name))
    assert path == str(old_estimators / name / "export" / "1700000000")
    drawn = columns.draw(fc, 0, old_estimators)
    found = exports.opened(path, drawn.linear)
    features, _ = rows.split(rows.read(old_estimators / "rows.csv"), model.label)
    logits = np.load(old_estimators / name / "expected.npz")["logits"]
    np.testing.assert_allclose(found.logits(features), logits, atol=1e-6)
    assert found.step == models.STEPS
    assert found.compared == ("predictions" if "Regressor" in name else "logits")


@pytest.mark.parametrize("name", serving.RECEIVERS)
def test_raw_features_are_given_as_any_receiver_takes_them(
    name: str, old: Callable[[str], OldExport], raw: Features, expected: Any
) -> None:
    np.testing.assert_allclose(old(name).logits(raw), expected, atol=1e-6)
    ragged = {
        key: tf.RaggedTensor.from_tensor(raw[key], lengths=(raw["words"] != "").sum(1)) for key in ("words", "amounts")
    }
    np.testing.assert_allclose(old(name).logits(changed(raw, **ragged)), expected, atol=1e-6)
    sparse = {key: values.to_sparse() for key, values in ragged.items()}
    np.testing.assert_allclose(old(name).logits(changed(raw, **sparse)), expected, atol=1e-6)


@pytest.mark.parametrize("name", serving.RECEIVERS)
def test_the_weight_of_a_value_that_is_missing_is_left_out_with_it(
    name: str, old: Callable[[str], OldExport], raw: Features
) -> None:
    words, amounts = np.array([["u", "", "w"]] * 2), np.array([[1.0, 2.0, 3.0]] * 2, np.float32)
    first = {key: values[:2] for key, values in raw.items()}
    within = old(name).logits(changed(first, words=words, amounts=amounts))
    after = old(name).logits(changed(first, words=words[:, [0, 2, 1]], amounts=amounts[:, [0, 2, 1]]))
    np.testing.assert_allclose(within, after, atol=1e-6)


def test_what_is_missing_is_not_in_an_example(old: Callable[[str], OldExport], raw: Features) -> None:
    first = {key: values[:2] for key, values in raw.items()}
    missing = changed(first, hour=np.array([-1, -1]), day=np.array(["", ""]))
    # An hour that is missing is 7 to the one, and no hour to the other.
    as_seven = old("parsed").logits(changed(missing, hour=np.array([7, 7])))
    np.testing.assert_allclose(old("parsed").logits(missing), as_seven, atol=1e-7)
    as_given = old("padded").logits(missing)
    np.testing.assert_allclose(old("first_version").logits(missing), as_given, atol=1e-6)
    assert np.abs(as_given - as_seven).min() > 1e-3


def test_more_rows_than_go_through_at_once_are_answered_in_their_order(
    old: Callable[[str], OldExport], raw: Features, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH", 7)
    np.testing.assert_allclose(old("parsed").logits(raw), expected, atol=1e-6)


def test_an_integer_is_written_as_a_float_where_that_is_parsed(old: Callable[[str], OldExport], raw: Features) -> None:
    whole = changed(raw, miles=raw["miles"].astype(int))
    np.testing.assert_array_equal(old("parsed").logits(whole), old("parsed").logits(raw))


# Which export


def test_the_newest_export_is_found_wherever_an_exporter_wrote_it(tmp_path: Path) -> None:
    def write(*names: str) -> str:
        folder = tmp_path.joinpath(*names)
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").touch()
        return str(folder)

    assert exports.find(str(tmp_path)) is None
    assert exports.find(str(tmp_path / "absent")) is None
    first = write("export", "999")
    assert exports.find(str(tmp_path)) == first
    newest = write("export", "best", "1700000001")
    write("export", "latest", "1700000000")
    write("export", "latest", "temp-1800000000")
    (tmp_path / "export" / "1900000000").mkdir()
    assert exports.find(str(tmp_path)) == newest
    assert exports.find(newest) == newest


def test_a_line_tells_which_export_it_is_and_of_which_step(old: Callable[[str], OldExport]) -> None:
    one = old("parsed")
    assert one.line(20) == f"held against {one.path}, step 20"
    assert one.line(1500) == (
        f"held against {one.path}, step 20; the model is of step 1,500, and what it learned between differs too"
    )


# Models of current TensorFlow


def saved(folder: Path, function: Any, **specs: Any) -> str:
    """A SavedModel of a function that returns a dictionary."""
    module = tf.Module()
    made = tf.function(function, autograph=False).get_concrete_function(**specs)
    tf.saved_model.save(module, str(folder), signatures={"serving_default": made})
    return str(folder)


def parsing(answer: Callable[[Any], dict[str, Any]]) -> Any:
    def serve(inputs: Any) -> dict[str, Any]:
        return answer(tf.io.parse_example(inputs, {"x": tf.io.FixedLenFeature([], tf.float32)})["x"])

    return serve


EXAMPLES = tf.TensorSpec([None], tf.string, name="inputs")
THREE = tf.constant([[1.0, -2.0, 5.0]])


@pytest.mark.parametrize(
    ("answer", "compared", "logits"),
    [
        (lambda x: {"scores": tf.nn.softmax(x[:, None] * THREE)}, "log-probabilities less their mean", THREE),
        (
            lambda x: {"scores": tf.nn.softmax(tf.stack([tf.zeros_like(x), 9 * x], 1))},
            "log-odds of the probabilities",
            [[9.0]],
        ),
        (lambda x: {"probabilities": tf.sigmoid(x)[:, None]}, "log-odds of the probabilities", [[1.0]]),
        (lambda x: {"outputs": 5000 * x}, "predictions", [[5000.0]]),
    ],
)
def test_logits_are_had_from_probabilities_and_predictions_too(
    answer: Any, compared: str, logits: Any, tmp_path: Path
) -> None:
    found = exports.opened(saved(tmp_path, parsing(answer), inputs=EXAMPLES))
    numbers = np.array([-1.0, 0.5, 1.25], np.float32)
    ours = numbers[:, None] * np.asarray(logits)
    assert (found.compared, found.line(7)) == (compared, f"held against {tmp_path}")
    np.testing.assert_allclose(found.logits({"x": numbers}), found.as_compared(ours), rtol=1e-5, atol=1e-6)


def test_features_of_every_form_are_written_as_they_are_parsed(tmp_path: Path) -> None:
    spec = {
        "ragged": tf.io.RaggedFeature(tf.int64),
        "sequence": tf.io.FixedLenSequenceFeature([], tf.string, allow_missing=True, default_value=""),
        "sparse": tf.io.VarLenFeature(tf.int64),
        "pair": tf.io.FixedLenFeature([2], tf.float32, default_value=[5.0, 5.0]),
    }

    def serve(inputs: Any) -> dict[str, Any]:
        found = tf.io.parse_example(inputs, spec)
        known = tf.cast(found["sequence"] == "a", tf.int64)
        whole = [tf.reduce_sum(found["ragged"], 1), tf.reduce_sum(known, 1), tf.sparse.reduce_sum(found["sparse"], 1)]
        return {"logits": tf.stack([*(tf.cast(one, tf.float32) for one in whole), tf.reduce_sum(found["pair"], 1)], 1)}

    features = {
        "ragged": tf.ragged.constant([[1, 2], [], [-1, 4]], dtype=tf.int64),
        "sequence": np.array([["a", "a"], ["b", ""], ["", ""]]),
        "sparse": np.array([[3, -1], [-1, -1], [1, 1]]),
        "pair": np.array([[1, 2], [np.nan, np.nan], [0, 0]], np.float32),
    }
    found = exports.opened(saved(tmp_path, serve, inputs=EXAMPLES)).logits(features)
    assert found.tolist() == [[3, 2, 3, 3], [0, 0, 0, 10], [4, 0, 2, 0]]


def test_a_single_text_that_is_no_example_is_a_raw_feature(tmp_path: Path) -> None:
    def serve(day: Any) -> dict[str, Any]:
        return {"logits": tf.cast(day == "Mon", tf.float32)}

    one = exports.opened(saved(tmp_path, serve, day=tf.TensorSpec([None], tf.string, name="day")))
    assert one.logits({"day": ["Mon", "Tue"], "hour": [1, 2]}).tolist() == [[1], [0]]


def test_our_own_export_is_held_against_an_old_one_on_the_same_examples(
    served: Path, old: Callable[[str], OldExport], raw: Features, expected: Any, tmp_path: Path
) -> None:
    model, own = migrated(served / "padded")
    export.write(str(tmp_path), model, BinaryHead())
    new = exports.opened(str(tmp_path), own)
    assert (new.signature, new.output) == ("parse_examples", "logits")
    examples = serialized({key: tf.constant(values) for key, values in raw.items()}, {}, {"amounts": "words"})
    theirs = old("first_version").model.signatures["predict"](examples=examples)["logits"]
    ours = new.model.signatures["parse_examples"](examples=examples)["logits"]
    np.testing.assert_allclose(theirs, expected, atol=1e-6)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert held_against(old("first_version").logits, new.logits, raw, own).equal


# Both models


def agreed(one: OldExport, model: keras.Model, own: list[fc.FeatureColumn], features: Features) -> Agreement:
    return held_against(one.logits, model, features, own, compared=one.compared)


def test_a_migrated_model_agrees_on_every_row_and_column(
    served: Path, old: Callable[[str], OldExport], raw: Features
) -> None:
    model, own = migrated(served / "padded")
    found = agreed(old("padded"), model, own, raw)
    assert found.equal
    assert (found.rows, found.blamed) == (serving.COUNT, ())
    assert found.differences.shape == (serving.COUNT,)
    assert found.quantile(0.5) <= found.quantile(0.99) <= found.largest < 1e-5
    assert [column.name for column in found.columns] == list(dict.fromkeys(column.name for column in own))
    assert max(column.difference for column in found.columns) < 1e-5
    assert str(found).startswith(f"60 rows: logits equal to {found.largest:.2g}.\n\nmedian ")


def test_a_vocabulary_in_another_order_is_blamed_on_its_columns(
    served: Path, old: Callable[[str], OldExport], raw: Features
) -> None:
    wide, deep = serving.declared(fc)
    day = fc.categorical_column_with_vocabulary_list("day", ["Tue", "Mon", "Wed"], num_oov_buckets=1)
    model, own = migrated(
        served / "padded",
        linear_feature_columns=[day, *wide[1:]],
        dnn_feature_columns=[fc.embedding_column(day, 2), *deep[1:]],
    )
    found = agreed(old("padded"), model, own, raw)
    assert not found.equal
    assert found.blamed == ("day", "day_embedding")
    assert found.over.tolist() == np.isin(raw["day"], ["Mon", "Tue"]).tolist()
    worst = found.worst
    assert worst.raw == {key: values[worst.row].tolist() for key, values in raw.items()}
    np.testing.assert_allclose(worst.theirs - worst.ours, found.largest * np.sign(worst.theirs - worst.ours))
    count = int(found.over.sum())
    assert str(found).startswith(
        f"60 rows: logits differ by up to {found.largest:.2g}, in {count} rows by more than 1e-05; to blame: columns "
        "day, day_embedding.\n"
    )
    assert str(found).endswith(f"row {worst.row}\n{str(worst).partition(chr(10))[2]}")


def test_weights_and_values_are_blamed_together(served: Path, old: Callable[[str], OldExport], raw: Features) -> None:
    wide, _ = serving.declared(fc)
    other = fc.categorical_column_with_vocabulary_list("words", serving.WORDS[::-1])
    weighted = fc.weighted_categorical_column(other, "amounts")
    model, own = migrated(served / "padded", linear_feature_columns=[*wide[:2], weighted])
    found = agreed(old("padded"), model, own, raw)
    assert set(found.blamed) == {"words_weighted_by_amounts", "words_weighted_by_amounts_embedding"}
    assert found.columns[2].keys == ("amounts", "words")


# Functions in place of models

DAY, HOUR, MILES = (fc.numeric_column(key) for key in ("day", "hour", "miles"))
RANGES = [fc.bucketized_column(column, [0.5]) for column in (DAY, HOUR)]
CROSS = fc.crossed_column(RANGES)
NUMBERS = {
    "day": np.array([0.0, 1, 0, 1, 2], np.float32),
    "hour": np.array([0.0, 0, 1, 1, 2], np.float32),
    "miles": np.array([0.0, 1, 2, 3, 4], np.float32),
}


def apart_by(make: Callable[[Features], Any], own: list[fc.FeatureColumn] | None = None) -> Agreement:
    """How far models are apart of which one gives more."""

    def ours(features: Features) -> Any:
        return tf.stack([features["day"] + features["hour"] + features["miles"]], axis=1)

    return held_against(
        lambda features: ours(features) + make(features), ours, NUMBERS, own or [DAY, HOUR, MILES, CROSS]
    )


def test_a_cross_is_blamed_before_the_columns_of_its_keys() -> None:
    found = apart_by(lambda features: (features["day"] * (features["hour"] + 1) + features["hour"])[:, None])
    assert found.blamed == ("day_bucketized_X_hour_bucketized", "day", "hour")


def test_a_column_is_blamed_before_its_cross_and_several_are_told() -> None:
    assert apart_by(lambda features: features["day"][:, None]).blamed == ("day",)
    assert apart_by(lambda features: (features["day"] + features["miles"])[:, None]).blamed == ("day", "miles")


def test_where_no_row_agrees_the_column_is_told_that_changes_most() -> None:
    found = apart_by(lambda features: ((features["day"] + 1) * (1 + features["miles"] / 100))[:, None])
    assert found.blamed == ("day",)
    assert str(found).splitlines()[0] == (
        "5 rows: logits differ by up to 3.1, in every row by more than 1e-05; it changes most with column day."
    )


def test_rows_that_agree_by_chance_do_not_tell_columns_apart() -> None:
    def hidden(features: Features) -> Any:
        return (features["day"] * np.sign(features["miles"]))[:, None]  # of no miles, a day makes no difference

    found = apart_by(hidden)
    assert found.over.tolist() == [False, True, False, True, True]
    assert found.blamed == ("day",)


def test_what_no_column_makes_is_told() -> None:
    found = apart_by(lambda features: tf.ones([len(features["day"]), 1]))
    assert str(found) == (
        "5 rows: logits differ by up to 1, in every row by more than 1e-05; no column changes it, so it may be a bias."
        "\n\n"
        "median  99 %  largest  rows over 1e-05\n"
        "1       1     1        5\n\n"
        "column                            difference\n"
        "day                               0\n"
        "hour                              0\n"
        "miles                             0\n"
        "day_bucketized_X_hour_bucketized  0\n\n"
        "row 0\n"
        "  raw     day=0.0, hour=0.0, miles=0.0\n"
        "  theirs  [1.]\n"
        "  ours    [0.]"
    )


def test_logits_that_are_the_same_are_equal_bit_for_bit() -> None:
    found = apart_by(lambda features: tf.zeros([len(features["day"]), 1]), [MILES])
    assert str(found) == (
        "5 rows: logits equal bit for bit.\n\n"
        "median  99 %  largest  rows over 1e-05\n"
        "0       0     0        0\n\n"
        "column  difference\n"
        "miles   0"
    )


def test_large_logits_are_equal_within_the_tolerance_of_their_size() -> None:
    rows = {"miles": np.array([0.5, 2.0])}

    def theirs(features: Features) -> Any:
        return features["miles"][:, None] * 1e6

    found = held_against(theirs, lambda features: theirs(features) + 1.0, rows, [MILES])
    assert str(found).splitlines()[0] == "2 rows: logits equal to 1, within 1e-05 of their size."
    assert not held_against(theirs, lambda features: theirs(features) + 1.0, rows, [MILES], tolerance=1e-7).equal


def test_one_side_that_is_no_number_differs_and_two_do_not() -> None:
    rows = {"miles": np.array([1.0, np.nan, np.inf, 4.0])}

    def theirs(features: Features) -> Any:
        return features["miles"][:, None]

    assert held_against(theirs, theirs, rows, [MILES]).equal
    found = held_against(theirs, lambda features: np.nan_to_num(theirs(features), posinf=7), rows, [MILES])
    assert found.differences.tolist() == [0, np.inf, np.inf, 0]
    assert found.blamed == ("miles",)
    assert str(found).splitlines()[0] == (
        "4 rows: logits differ by up to inf, in 2 rows by more than 1e-05; to blame: column miles."
    )


def test_rows_come_batch_after_batch_and_those_that_differ_most_tell_columns_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blame, "ROWS", 2)
    monkeypatch.setattr(agreement, "BATCH", 3)
    batches = [
        {"day": tf.zeros([4]), "tags": tf.ragged.constant([["a"], [], ["a", "b"], ["a"]])},
        {"day": tf.constant([0.0, 5.0]), "tags": tf.ragged.constant([["a"], ["b"]])},
        {"day": tf.zeros([1]), "tags": tf.ragged.constant([["b", "b"]])},
    ]
    tags = fc.categorical_column_with_vocabulary_list("tags", ["a", "b"])

    def ours(features: Features) -> Any:
        return features["day"][:, None]

    def theirs(features: Features) -> Any:
        counted = tf.reduce_sum(tf.cast(features["tags"] == "b", tf.float32), axis=1)
        return ours(features) + counted[:, None]

    found = held_against(theirs, ours, iter(batches), [DAY, tags])
    assert found.differences.tolist() == [0, 0, 1, 0, 0, 1, 2]
    assert (found.worst.row, found.worst.raw) == (6, {"day": 0.0, "tags": ["b", "b"]})
    assert [(column.difference, column.differs) for column in found.columns] == [(0, False), (2, True)]


def test_many_columns_and_logits_are_shown_in_part() -> None:
    own = [fc.numeric_column(f"n{number:02}") for number in range(23)]
    rows = {column.key: np.arange(2.0) for column in own}

    def theirs(features: Features) -> Any:
        return features["n00"][:, None] * np.arange(10.0)

    found = str(held_against(theirs, lambda features: 0 * theirs(features), rows, own))
    assert "\nn19     0\nand 3 more, 0 at most\n\nrow 1\n" in found
    assert found.endswith("\n  theirs  9 at 9 of 10\n  ours    0 at 9 of 10")


# Rows of files


@pytest.mark.parametrize("name", trips.WRITERS)
def test_rows_are_read_of_files_without_labels(name: str, tmp_path: Path) -> None:
    given = [{key: value for key, value in row.items() if key != "late"} for row in trips.rows(20)]
    city = fc.categorical_column_with_vocabulary_list("city", ["Oslo"])
    ids = [city, trips.user, trips.hour, trips.tags]
    own = [*(fc.indicator_column(column) for column in ids), trips.fare]
    problem = trips.PROBLEM.with_columns(own)
    model = keras.Model(*_trips(problem))
    path = trips.write(tmp_path / name, given)
    (found,) = unlabelled.batches(problem, inputs_of(model), path, "--check-files")
    report = held_against(lambda features: model(features), lambda features: model(features), [found], own)
    assert report.rows == 20
    assert report.worst.raw == {
        "city": (given[0]["city"] or ""),
        "user": given[0]["user"] or -1,
        "hour": given[0]["hour"],
        "tags": given[0]["tags"],
        "fare": pytest.approx(given[0]["fare"] or 0.0),
    }


def _trips(problem: Any) -> Any:
    from trainer import layers

    taken = layers.inputs(problem.columns, problem.bags)
    return taken, keras.layers.Dense(1)(layers.DenseFeatures(problem.columns)(taken))


# What is refused


def refused(call: Callable[..., Any], *given: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        call(*given)
    return str(refusal.value)


def test_a_feature_that_the_export_reads_and_the_rows_have_not_is_refused(
    old: Callable[[str], OldExport], raw: Features
) -> None:
    parsed, padded = old("parsed"), old("padded")
    less = {key: values for key, values in raw.items() if key != "miles"}
    assert refused(parsed.logits, less) == (
        f"{parsed.path}: the old export reads feature 'miles', and the rows have none; they have amounts, day, hour, "
        "words."
    )
    assert refused(padded.logits, changed(less, mile=raw["miles"])) == (
        f"{padded.path}: the old export reads feature 'miles', and the rows have none; did you mean 'mile'?"
    )


def test_a_feature_of_another_kind_is_refused(old: Callable[[str], OldExport], raw: Features) -> None:
    for name, kind in (("parsed", "int64"), ("sparse", "int32")):
        one = old(name)
        assert refused(one.logits, changed(raw, hour=raw["day"])) == (
            f"{one.path}: the old export reads feature 'hour' as {kind}, and the rows have it as string; declare its "
            "column with the dtype that the old model had."
        )
        assert "as float32; declare" in refused(one.logits, changed(raw, hour=raw["miles"]))


def test_rows_that_the_export_does_not_take_are_refused(old: Callable[[str], OldExport], raw: Features) -> None:
    one = old("parsed")
    assert refused(one.logits, changed(raw, miles=np.ones([serving.COUNT, 2], np.float32))) == (
        f"{one.path}: the old export does not take these rows (Name: <unknown>, Key: miles, Index: 0.  Number of "
        "float values != expected.  Values size: 2 but output shape: [1]); leave out what it was not made for."
    )


def test_a_folder_that_cannot_be_loaded_is_refused(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"no model")
    assert refused(exports.opened, str(tmp_path)) == (
        f"{tmp_path}: the old export cannot be loaded (Cannot parse file b'{tmp_path}/saved_model.pb': Error parsing "
        "message with type 'tensorflow.SavedModel': Wire format was corrupt); export the old model again with "
        "export_saved_model."
    )


def test_an_export_that_gives_no_logits_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, parsing(lambda x: {"classes": x, "hidden": x}), inputs=EXAMPLES)
    assert refused(exports.opened, path) == (
        f"{path}: a signature of the old export that gives logits, scores or predictions is wanted, and there is none "
        "(serving_default gives classes, hidden); export the old model again with export_saved_model."
    )


def test_models_that_cannot_be_compared_are_refused() -> None:
    def one(features: Features) -> Any:
        return features["miles"][:, None]

    def two(features: Features) -> Any:
        return tf.tile(one(features), [1, 2])

    assert refused(held_against, one, two, NUMBERS, [MILES]) == (
        "agreement: the old model gives logits of shape (5, 1) and the new one of (5, 2); hold models of the same head "
        "against each other."
    )
    none = {key: values[:0] for key, values in NUMBERS.items()}
    nothing: list[Any] = [none, {}, []]
    for empty in nothing:
        assert refused(held_against, one, one, empty, []) == (
            "agreement: there are no rows to compare; give at least one."
        )
    assert refused(held_against, one, one, NUMBERS, [fc.numeric_column("mile")]) == (
        "agreement: feature 'mile' is wanted by column 'mile' and is not there; did you mean 'miles'?"
    )


def test_files_without_a_row_that_can_be_used_are_refused(tmp_path: Path) -> None:
    problem, pattern = Problem(None, dnn_feature_columns=[trips.fare]), str(tmp_path / "*.csv")

    def read() -> Any:
        return list(unlabelled.batches(problem, {"fare": "float32"}, pattern, "--check-files"))

    (tmp_path / "rows.csv").write_text("fare\ndear\n")
    assert refused(read) == (
        f"{tmp_path}/rows.csv: line 2 has 'dear' as 'fare', and a number is wanted; correct it, or set such rows aside "
        "with --max-bad-rows."
    )
    (tmp_path / "rows.csv").write_text("fare\n")
    assert refused(read) == "--check-files: there is no row in them that can be used; at least one is wanted."
