"""A run that is judged again: on its own test rows, on files, by the values of a feature, and by its calibration."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

import trainer
from tests import planted, served, stars, trips
from trainer import evaluation, training
from trainer.encoding.coded import Coded
from trainer.errors import Refusal
from trainer.evaluation import Groups, Judge, Results, calibration, source_of
from trainer.inputs.memory import collect
from trainer.models import halves
from trainer.prediction import Trained
from trainer.rows import Limit
from trainer.run import Run

ROOT = Path(__file__).parents[1]
PLANTED = '"""A planted answer."""\nfrom tests import planted\n\nPROBLEM = planted.PROBLEM\n'


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A run of trips whose test rows were drawn from its own file."""
    folder = tmp_path_factory.mktemp("late")
    file = trips.write(folder / "trips.csv", trips.rows(3000))
    return trainer.load(str(served.trained(folder, served.TRIPS, file, eval_share=0.3)))


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A run of three kinds, with weights, whose test rows are a file of their own."""
    folder = tmp_path_factory.mktemp("kinds")
    test = served.write_kinds(folder / "test.parquet", served.kinds(400, seed=5))
    train = served.write_kinds(folder / "kinds.parquet")
    return trainer.load(str(served.trained(folder, served.KINDS, train, eval_files=test)))


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A run of a data set that is a function."""
    return trainer.load(str(served.trained(tmp_path_factory.mktemp("days"), PLANTED, None, num_epochs=1)))


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A run whose head hides part of what people like, with other people to test on than by default."""
    folder = tmp_path_factory.mktemp("films")
    text = '"""Stars."""\nfrom tests import stars\n\nPROBLEM = stars.PROBLEM\n'
    file = stars.write(folder / "stars.csv", stars.rows(200))
    return trainer.load(str(served.trained(folder, text, file, eval_share=0.3, split_seed=3)))


def judged(trained: Trained, files: str | None = None, by: str | None = None, **how: Any) -> Judge:
    return Judge(trained, source_of(trained, files, by, **how), files is not None, by)


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("late", None),
        ("late", "hour"),
        ("late", "late"),
        ("kinds", None),
        ("kinds", "place"),
        ("days", None),
        ("days", "day"),
        ("films", None),
    ],
)
def test_the_metrics_on_a_runs_own_test_rows_are_those_that_it_has_left(
    name: str, by: str | None, request: pytest.FixtureRequest
) -> None:
    trained = request.getfixturevalue(name)
    metrics, left = judged(trained, by=by).metrics(), trained.run.read_json("metrics.json")
    assert {name: left[name] for name in metrics} == pytest.approx(metrics, abs=1e-6)
    assert metrics["examples"] == left["examples"]


def test_what_is_hidden_of_somebody_is_the_same_among_all_and_among_a_few(films: Trained, tmp_path: Path) -> None:
    judge = judged(films, by="age")
    parts, whole = judge.slices(1), judge.metrics()
    assert sum(part.metrics["examples"] for part in parts) == whole["examples"] == 60
    together = sum(part.metrics["loss"] * part.metrics["examples"] for part in parts)
    assert together == pytest.approx(whole["loss"] * whole["examples"], rel=1e-5)
    others = stars.write(tmp_path / "others.csv", stars.rows(50, seed=4))
    assert judged(films, others).metrics()["examples"] == 50


def test_a_feature_that_is_read_beside_the_others_leaves_every_row_on_its_side(tmp_path: Path) -> None:
    things = served.write_kinds(tmp_path / "kinds.parquet")
    trained = trainer.load(str(served.trained(tmp_path, served.KINDS, things, eval_share=0.3)))
    metrics, left = judged(trained, by="place").metrics(), trained.run.read_json("metrics.json")
    assert {name: left[name] for name in metrics} == pytest.approx(metrics, abs=1e-6)


def test_the_metrics_of_files_are_those_of_the_loop_of_the_training(kinds: Trained, tmp_path: Path) -> None:
    file = served.write_kinds(tmp_path / "new.parquet", served.kinds(300, seed=8))
    judge, parts = judged(kinds, file), halves(kinds.model)
    examples = collect(source_of(kinds, file).batches("train"), parts.encode)
    expected = training.evaluate(kinds.model, parts, examples)
    assert judge.metrics() == pytest.approx(expected, abs=1e-6)


def test_slices_are_what_their_rows_alone_would_be(kinds: Trained, tmp_path: Path) -> None:
    things = served.kinds(300, seed=8)
    file = served.write_kinds(tmp_path / "new.parquet", things)
    slices = judged(kinds, file, "place").slices(1)
    assert sorted(part.value for part in slices) == ["north", "south"]
    for part in slices:
        own = [thing for thing in things if thing["place"] == part.value]
        alone = judged(kinds, served.write_kinds(tmp_path / f"{part.value}.parquet", own)).metrics()
        assert part.metrics == pytest.approx(alone, abs=1e-6)
        assert part.metrics["examples"] == len(own)
        probabilities = kinds.predict({key: [thing[key] for thing in own] for key in own[0]})["probabilities"]
        losses = -np.log(
            [row[["red", "green", "blue"].index(t["kind"])] for row, t in zip(probabilities, own, strict=True)]
        )
        expected = float(np.mean(losses * np.array([thing["times"] for thing in own])))
        assert part.metrics["loss"] == pytest.approx(expected, abs=1e-5)
    assert [part.metrics["loss"] for part in slices] == sorted((part.metrics["loss"] for part in slices), reverse=True)


def test_values_with_few_rows_are_taken_together_as_the_last(late: Trained, tmp_path: Path) -> None:
    rows = trips.rows(500, seed=2)
    for row, city in zip(rows, ["rare", "rarer", "rarer"], strict=False):
        row["city"] = city
    file = trips.write(tmp_path / "trips.jsonl", rows)
    *many, few = judged(late, file, "city").slices(10)
    assert (few.value, few.values, few.metrics["examples"]) == ("2 others, under 10 rows each", 2, 3)
    assert "(missing)" in [part.value for part in many]
    assert sum(part.metrics["examples"] for part in [*many, few]) == 500


def test_a_row_is_in_the_slice_of_each_of_its_values(late: Trained, tmp_path: Path) -> None:
    rows = trips.rows(400, seed=2)
    file = trips.write(tmp_path / "trips.parquet", rows)
    found = {part.value: part.metrics["examples"] for part in judged(late, file, "tags").slices(1)}
    expected = {tag: sum(tag in row["tags"] for row in rows) for tag in ("fast", "clean", "loud")}
    assert found == {**expected, "(missing)": sum(not row["tags"] for row in rows)}


@pytest.mark.parametrize("by", ["late", "fare"])
def test_rows_are_told_apart_by_their_label_and_by_ranges_of_numbers(by: str, late: Trained, tmp_path: Path) -> None:
    rows = trips.rows(400, seed=2)
    slices = judged(late, trips.write(tmp_path / "trips.parquet", rows), by).slices(1)
    assert sum(part.metrics["examples"] for part in slices) == 400
    assert {part.value for part in slices} == {"0", "1"} if by == "late" else len(slices) in (10, 11)


def test_groups_are_the_rows_of_each_value_batch_after_batch() -> None:
    groups = Groups()
    groups.add(Coded(tf.constant(["a", "b", "c"]), tf.constant([1, 0, 1])))
    groups.add(np.array([[b"a"], [b""]], object))
    groups.add(tf.ragged.constant([["a", "b", "a"], []], dtype=tf.string))
    groups.add(tf.sparse.from_dense([["b"], ["c"]]))
    found = {value: rows.tolist() for value, rows in groups.rows().items()}
    assert found == {"(missing)": [4, 6], "a": [1, 3, 5], "b": [0, 2, 5, 7], "c": [8]}
    assert Groups().rows() == {}


def test_few_floats_are_values_and_many_are_ranges_of_about_as_many_rows() -> None:
    few, many = Groups(), Groups()
    few.add(np.array([0.5, np.nan, 2.0, 0.5]))
    assert {value: rows.tolist() for value, rows in few.rows().items()} == {"0.5": [0, 3], "2": [2], "(missing)": [1]}
    many.add(np.random.default_rng(0).uniform(size=1000))
    assert sorted(map(len, many.rows().values())) == [100] * 10


@pytest.mark.parametrize(
    ("files", "by", "sentence"),
    [
        ("trips.csv", "citi", "there is no column 'citi'; did you mean 'city'?"),
        (None, "hou", "Problem: data set dataset has no feature 'hou'; did you mean 'hour'?"),
    ],
)
def test_an_unknown_feature_is_told_with_the_nearest(
    files: str | None, by: str, sentence: str, late: Trained, days: Trained, tmp_path: Path
) -> None:
    path = None if files is None else trips.write(tmp_path / files)
    with pytest.raises(Refusal) as refusal:
        judged(days if path is None else late, path, by)
    assert str(refusal.value).removeprefix(f"{path}: ") == sentence


def test_files_that_are_not_there_or_have_bad_rows_are_refused(late: Trained, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refusal:
        judged(late, str(tmp_path / "*.csv"))
    assert str(refusal.value).startswith(f"--files: no file matches {tmp_path}/*.csv")
    (tmp_path / "trips.csv").write_text("city,user,hour,fare,tags,late\nOslo,1,3,1.5,,yes\nOslo,1,3,1.5,,1\n")
    with pytest.raises(Refusal) as refusal:
        judged(late, str(tmp_path / "trips.csv"))
    assert "line 2 has 'yes' as 'late', and a whole number from 0 to 1 is wanted" in str(refusal.value)
    assert judged(late, str(tmp_path / "trips.csv"), limit=Limit(1)).metrics()["examples"] == 1


# Calibration


def test_the_calibration_is_that_of_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    predicted = draw.uniform(size=5000) ** 2
    labels = (draw.uniform(size=5000) < predicted**1.3).astype(int)
    found = calibration(predicted, labels, np.ones(5000))
    observed, mean = calibration_curve(labels, predicted, n_bins=10, strategy="quantile")
    np.testing.assert_allclose([each.observed for each in found.bins], observed, atol=1e-9)
    np.testing.assert_allclose([each.predicted for each in found.bins], mean, atol=1e-9)
    assert [each.examples for each in found.bins] == [500] * 10
    assert found.error == pytest.approx(np.mean(np.abs(observed - mean)))
    errors = np.sqrt(observed * (1 - observed) / 500)
    np.testing.assert_allclose([each.error for each in found.bins], errors, atol=1e-9)


def test_weights_count_as_rows_would_and_equal_probabilities_stay_together() -> None:
    draw = np.random.default_rng(1)
    predicted, labels = draw.choice([0.1, 0.1, 0.7], 300), draw.integers(0, 2, 300)
    weights = draw.integers(0, 3, 300)
    weighted = calibration(predicted, labels, weights, 4)
    repeated = calibration(np.repeat(predicted, weights), np.repeat(labels, weights), np.ones(weights.sum()), 4)
    assert [each.predicted for each in weighted.bins] == pytest.approx([0.1, 0.7])
    assert [each.observed for each in weighted.bins] == pytest.approx([each.observed for each in repeated.bins])
    assert weighted.error == pytest.approx(repeated.error)


def test_only_answers_of_yes_or_no_have_a_calibration(late: Trained, kinds: Trained) -> None:
    found = judged(late).calibration()
    assert found is not None
    assert sum(each.examples for each in found.bins) == judged(late).metrics()["examples"]
    assert judged(kinds).calibration() is None


# Results


def test_results_are_left_as_json_and_as_a_picture(late: Trained, tmp_path: Path) -> None:
    judge = judged(late, by="hour")
    run = Run(str(tmp_path))
    results = evaluation.results_of(judge, run, "trips", "hour", 20)
    written = evaluation.write(results)
    assert written == [f"{tmp_path}/evaluation/evaluation.json", f"{tmp_path}/evaluation/calibration.png"]
    found = json.loads(Path(written[0]).read_text())
    assert {name: found[name] for name in judge.metrics()} == judge.metrics()
    assert (found["by"], found["data"], found["bad_rows"]) == ("hour", "trips", 0)
    assert found["slices"][0].keys() >= {"value", "values", "loss", "auc", "accuracy", "examples"}
    assert found["calibration"].keys() == {"expected_calibration_error", "bins"}
    assert Path(written[1]).read_bytes().startswith(b"\x89PNG")
    elsewhere = evaluation.write(results, str(tmp_path / "mine.json"))
    assert elsewhere == [f"{tmp_path}/mine.json", f"{tmp_path}/mine.calibration.png"]
    assert evaluation.write(results, str(tmp_path / "mine.json"), str(tmp_path / "a.png"))[1] == f"{tmp_path}/a.png"


def test_what_is_not_finite_is_null_in_the_file(tmp_path: Path) -> None:
    (path,) = evaluation.write(Results(str(tmp_path), "trips", {"loss": float("nan"), "examples": 3}))
    assert json.loads(Path(path).read_text())["loss"] is None


def test_results_that_cannot_be_written_are_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "evaluation").write_text("a file")
    with pytest.raises(Refusal) as refusal:
        evaluation.write(Results(str(tmp_path), "trips", {"loss": 1.0, "examples": 3}))
    assert str(refusal.value).startswith(
        f"{tmp_path}/evaluation/evaluation.json: the results cannot be written there ("
    )


def test_the_numbers_of_predictions_are_those_of_the_evaluation(days: Trained) -> None:
    raw, labels = planted.rows("test")
    probabilities = days.predict(raw)["probabilities"][:, 0].astype(np.float64)
    assert judged(days).metrics()["loss"] == pytest.approx(log_loss(labels, probabilities), abs=1e-6)


def test_data_that_the_run_was_not_trained_on_are_no_test_data_of_it(late: Trained, tmp_path: Path) -> None:
    stored = late.run.read_json("settings.json")
    other = Run(str(tmp_path))
    other.write_json("settings.json", {**stored, "data": {"name": "taxis"}})
    moved = Trained(other, late.settings, late.problem, late.model)
    with pytest.raises(Refusal) as refusal:
        source_of(moved)
    assert str(refusal.value).startswith(f"{tmp_path}: it was trained on taxis, which is not here, and ")


def test_a_column_of_any_type_tells_rows_apart(days: Trained, tmp_path: Path) -> None:
    raw, labels = planted.rows("test", 40)
    table = pa.table(
        {
            **{key: pa.array(values) for key, values in raw.items()},
            "label": labels,
            "share": pa.array([0.25, None] * 20),
            "is_new": pa.array([True, False] * 20),
            "when": pa.array([10, 20] * 20, pa.date32()),
        }
    )
    pq.write_table(table, tmp_path / "days.parquet")
    named = Trained(days.run, days.settings, planted.problem(label="label"), days.model)
    values = {
        by: sorted(part.value for part in judged(named, str(tmp_path / "days.parquet"), by).slices(1))
        for by in ("share", "is_new", "when")
    }
    assert values == {"share": ["(missing)", "0.25"], "is_new": ["0", "1"], "when": ["1970-01-11", "1970-01-21"]}
