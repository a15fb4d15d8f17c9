import contextlib
import dataclasses
import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import yaml

from tests import planted, planted_bags
from trainer import feature_column as fc
from trainer import job, models, prediction, settings, tables, task
from trainer.catalogue import Beside, Catalogue
from trainer.commands import submit
from trainer.errors import Refusal, TrainingFailure
from trainer.feature_column.serialization import from_dict
from trainer.heads import PoissonRegressionHead
from trainer.inputs import dealing
from trainer.job import dry_run, summary, survey
from trainer.job.plan import Plan, planned, with_settings
from trainer.job.steps import carry_out, steps_of
from trainer.job.tables import known_of
from trainer.problem import Problem, load
from trainer.run import Run
from trainer.settings import Settings

FILE = "from tests.planted import PROBLEM\n"


@pytest.fixture
def problem_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(FILE)
    return "mine.py"


def refused(settings: Settings) -> str:
    with pytest.raises(Refusal) as refusal:
        planned(settings)
    return str(refusal.value)


def test_a_feature_to_split_by_that_would_split_nothing_is_refused() -> None:
    assert refused(Settings(split_by="carrier")) == (
        "--split-by: problem flights holds its validation rows out by EveryNthBlock(key='day', n=10); give "
        "--validation-share too, or leave it out."
    )


def test_settings_come_before_the_problem_s_own() -> None:
    settings = Settings(dataset="nyc_flights/JFK", num_epochs=7, train_batch_size=3, learning_rate=0.5, optimizer="SGD")
    problem = with_settings(planted.PROBLEM, settings)
    assert (problem.dataset, problem.num_epochs, problem.train_batch_size) == ("nyc_flights/JFK", 7, 3)
    assert (problem.learning_rate, problem.dnn_optimizer) == (0.5, "SGD")
    assert with_settings(planted.PROBLEM, Settings()) == planted.PROBLEM


def test_planted_rows_stand_in_where_nobody_has_said_where_the_data_are_or_where_they_are_asked_for() -> None:
    def stand_in(**changes: Any) -> bool:
        return with_settings(planted_bikes, Settings(**changes)).planted is not None

    planted_bikes = load("bikes")
    assert stand_in()
    assert not stand_in(data_dir="/d")
    assert not stand_in(planted=False)
    assert stand_in(data_dir="/d", planted=True)
    assert not stand_in(dataset="bike_hires/dc", planted=True)


def test_a_frozen_table_is_no_longer_trainable() -> None:
    problem = with_settings(planted.PROBLEM, Settings(freeze=("day_hour",)))
    assert not problem.embeddings["day_hour"][0].trainable


def test_all_columns_of_a_table_have_the_dimension_that_is_asked_for() -> None:
    ends = fc.categorical_column_with_identity("end", 24)
    shared = fc.shared_embeddings([planted.hour, ends], 8, shared_embedding_collection_name="hours")
    problem = planted.problem(dnn_feature_columns=[*shared, *planted.PROBLEM.dnn_feature_columns])
    changed = with_settings(problem, Settings(dimension=("hours=1",)))
    assert [column.dimension for column in changed.embeddings["hours"]] == [1, 1]
    assert changed.embeddings["day_hour"] == problem.embeddings["day_hour"]


def test_a_dimension_may_be_that_of_the_rule_of_thumb() -> None:
    learned = fc.categorical_column_with_vocabulary_list("day", fc.from_data())
    columns = [fc.embedding_column(planted.day_hour, 9), fc.embedding_column(learned, 9, name="day", unit_norm=True)]
    problem = planted.problem(dnn_feature_columns=columns, linear_feature_columns=())
    names = [*problem.embeddings]
    changed = with_settings(problem, Settings(dimension=tuple(f"{name}=auto" for name in names)))
    assert [changed.embeddings[name][0].dimension for name in names] == [4, None]
    assert changed.embeddings["day"][0].unit_norm


def test_hidden_layers_have_the_widths_that_are_asked_for_where_a_problem_has_them() -> None:
    assert with_settings(planted.PROBLEM, Settings(hidden_units="8,4")).dnn_hidden_units == (8, 4)
    for changes, why in (
        ({"dnn_hidden_units": (), "tower": lambda inputs: inputs}, "makes its tower itself"),
        ({"model": lambda: None}, "makes its model itself"),
        ({"dnn_feature_columns": ()}, "has no dnn_feature_columns, which go into hidden layers"),
    ):
        with pytest.raises(Refusal) as refusal:
            with_settings(planted.problem(**changes), Settings(hidden_units="8"))
        assert str(refusal.value) == f"--hidden-units: problem planted {why}; leave it out."


def test_a_table_that_the_problem_has_not_is_refused(problem_file: str) -> None:
    assert refused(Settings(problem=problem_file, dimension=("day_huor=2",))) == (
        "--dimension: problem planted has no table 'day_huor'; did you mean 'day_hour'?"
    )
    assert refused(Settings(problem=problem_file, freeze=("day_huor",))) == (
        "--freeze: problem planted has no table 'day_huor'; did you mean 'day_hour'?"
    )
    assert refused(Settings(problem=problem_file, warm_start=("x=runs/y",))) == (
        "--warm-start: problem planted has no table 'x'; it has day_hour."
    )


def test_a_table_that_is_trained_later_must_be_frozen_and_later_must_come(problem_file: str) -> None:
    assert refused(Settings(problem=problem_file, unfreeze_after=1)) == (
        "--unfreeze-after: problem planted has no frozen table; give --freeze TABLE too, or trainable=False to its "
        "embedding_column."
    )
    frozen = Settings(problem=problem_file, unfreeze_after=4, freeze=("day_hour",))
    too_late = (
        "--unfreeze-after: the training ends after 4 epochs, so a table that is frozen for 4 would never be trained; "
        "give a smaller number, or a larger --num-epochs."
    )
    assert refused(frozen) == too_late
    assert refused(dataclasses.replace(frozen, num_epochs=4, train_steps=9999)) == too_late
    planned(dataclasses.replace(frozen, num_epochs=5))
    planned(dataclasses.replace(frozen, train_steps=9999))  # how many epochs these are, the data tell


def test_a_table_that_a_declaration_freezes_may_be_trained_later(problem_file: str) -> None:
    Path(problem_file).write_text(
        "import dataclasses\nfrom tests import planted\n"
        "PROBLEM = planted.PROBLEM.replacing(lambda column: dataclasses.replace(column, trainable=False))\n"
    )
    planned(Settings(problem=problem_file, unfreeze_after=1))


def test_a_table_that_would_never_be_trained_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    settings = Settings(freeze=("day_hour",), unfreeze_after=2, train_steps=282)
    with pytest.raises(Refusal) as refusal:
        carry_out(Plan(settings, with_settings(planted.PROBLEM, settings), Run(str(tmp_path / "run"))))
    assert str(refusal.value) == (
        "--unfreeze-after: the training ends with step 282, and epochs have 141, so a table that is frozen for 2 of "
        "them would never be trained; give a smaller number, or more --train-steps."
    )
    own = planted.problem(model=lambda: models.build(planted.PROBLEM))
    with pytest.raises(Refusal) as refusal:
        carry_out(Plan(Settings(unfreeze_after=1), own, Run(str(tmp_path / "run"))))
    assert str(refusal.value) == (
        "--unfreeze-after: the model of problem planted has no frozen table; give trainable=False to its "
        "embedding_column or EmbeddingTable."
    )
    assert list(tmp_path.iterdir()) == []


class Interrupts(keras.callbacks.Callback):
    """Is Ctrl-C once some steps are done."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if int(self.model.optimizer.iterations) >= self.steps:
            raise KeyboardInterrupt


LATER = Settings(freeze=("day_hour",), unfreeze_after=1, num_epochs=2, train_batch_size=2048)  # nine steps an epoch
UNFREEZES = dataclasses.replace(with_settings(planted.PROBLEM, LATER), table_optimizers={"day_hour": "Adagrad"})


@pytest.fixture(scope="module")
def unfrozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, left alone, that trains its table in the second epoch only."""
    path = tmp_path_factory.mktemp("unfrozen") / "run"
    carry_out(Plan(LATER, UNFREEZES, Run(str(path))))
    return path


@pytest.mark.parametrize("steps", [pytest.param(5, marks=pytest.mark.slow), 13])
def test_a_job_that_unfreezes_a_table_ends_alike_when_it_was_interrupted(
    steps: int, unfrozen: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, stopped = Run(str(tmp_path / "run")), dataclasses.replace(UNFREEZES, callbacks=[lambda: Interrupts(steps)])
    with pytest.raises(KeyboardInterrupt):
        carry_out(Plan(LATER, stopped, run))
    before = capsys.readouterr().out.splitlines()
    resumed = dataclasses.replace(LATER, resume=True, allow_changed=True)
    carry_out(Plan(resumed, UNFREEZES, run))
    printed = [*before, *capsys.readouterr().out.splitlines()]
    (place,) = [place for place, line in enumerate(printed) if "trained from" in line]
    assert printed[place] == "epoch 2: day_hour is trained from here on"
    assert (place < len(before)) == (steps > 9)
    whole = tables.read(str(unfrozen / "tables"), "day_hour")
    np.testing.assert_array_equal(tables.read(run.tables, "day_hour").values, whole.values)
    assert run.read_json("settings.json")["settings"]["unfreeze_after"] == 1
    with pytest.raises(Refusal, match="the run was started with unfreeze_after 1, not None; give the same, go on"):
        carry_out(Plan(dataclasses.replace(LATER, resume=True, unfreeze_after=None), UNFREEZES, run))


def test_steps_are_epochs_or_what_was_asked_for_whichever_is_said() -> None:
    def steps(**settings: Any) -> int:
        chosen = Settings(**settings)
        return steps_of(Plan(chosen, with_settings(planted.PROBLEM, chosen), Run("")), 1000)

    assert steps() == 4 * 8
    assert steps(num_epochs=2) == 16
    assert steps(train_steps=50) == 50
    assert steps(train_steps=5, num_epochs=2) == 5
    assert steps(train_steps=50, num_epochs=2) == 16


def test_a_job_leaves_a_whole_run_and_goes_on_with_it(problem_file: str, tmp_path: Path) -> None:
    assert job.run(Settings(problem=problem_file, train_steps=60), ["--train-steps", "60"]) == 0
    run = Run(str(tmp_path / "runs/planted"))
    assert sorted(os.listdir(run.path)) == [
        "checkpoints",
        "export",
        "history.jsonl",
        "logs",
        "metrics.json",
        "pictures",
        "problem.json",
        "report.html",
        "settings.json",
        "tables",
    ]
    assert run.read_json("settings.json")["command"] == "python -m trainer.task --train-steps 60"
    assert run.read_json("metrics.json")["steps"] == 60
    stored = tables.read(run.tables, "day_hour")
    np.testing.assert_array_equal(stored.values, tf.train.load_checkpoint(run.tables).get_tensor("day_hour"))
    assert stored.labels[:2] == ["Mon 00", "Mon 01"]
    train_rows = run.read_json("metrics.json")["train_examples"]
    assert stored.counts is not None
    assert int(stored.counts.sum()) == train_rows
    with pytest.raises(Refusal) as refusal:
        job.run(Settings(problem=problem_file, train_steps=60, resume=True, seed=1))
    assert str(refusal.value) == (
        "--resume: the run was started with seed 0, not 1; give the same, go on with --allow-changed, or start "
        "anew with --overwrite."
    )
    before = run.read_json("metrics.json")
    job.run(Settings(problem=problem_file, train_steps=60, resume=True))
    assert run.read_json("metrics.json")["steps"] == 60
    assert before["examples_per_second"] > 0
    for name in ("seconds", "examples_per_second"):  # no step was done that could tell of another speed
        assert run.read_json("metrics.json")[name] == before[name]


@pytest.mark.slow
def test_the_same_seed_leaves_the_same_metrics(tmp_path: Path) -> None:
    def metrics(name: str, seed: int) -> dict[str, Any]:
        return carry_out(Plan(Settings(seed=seed, train_steps=40), planted.PROBLEM, Run(str(tmp_path / name))))

    first, second, other = metrics("a", 3), metrics("b", 3), metrics("c", 4)
    for name in ("loss", "auc", "validation_loss"):
        assert first[name] == pytest.approx(second[name], abs=1e-6)
        assert first[name] != pytest.approx(other[name], abs=1e-6)


@pytest.mark.slow
def test_metrics_are_one_flat_object_of_numbers(tmp_path: Path) -> None:
    carry_out(Plan(Settings(train_steps=10), planted.PROBLEM, Run(str(tmp_path))))
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics.pop("data") == "dataset"
    assert all(isinstance(value, (int, float)) for value in metrics.values())
    assert {name for name in metrics if not name.startswith("tables/day_hour/")} == {
        *("loss", "auc", "accuracy", "examples"),
        *("validation_loss", "validation_auc", "validation_accuracy", "validation_examples"),
        *("train_examples", "steps", "seconds", "examples_per_second", "peak_memory_bytes", "total_seconds"),
    }


def test_a_dry_run_writes_nothing(problem_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(tmp_path.rglob("*"))
    job.run(Settings(problem=problem_file, dry_run=True))
    assert sorted(tmp_path.rglob("*")) == before
    printed = capsys.readouterr().out
    assert "table day_hour                168 rows × 4 = 2.7 kB" in printed
    assert printed.count("label [") == 3


def test_a_feature_of_another_kind_than_the_columns_read_is_refused(tmp_path: Path) -> None:
    def dataset(split: str) -> Any:
        features, labels = planted.rows(split, 100)
        return tf.data.Dataset.from_tensor_slices(({**features, "hour": features["hour"].astype(str)}, labels)).batch(
            10
        )

    problem = dataclasses.replace(planted.PROBLEM, dataset=dataset)
    with pytest.raises(Refusal) as refusal:
        carry_out(Plan(Settings(), problem, Run(str(tmp_path / "run"))))
    assert str(refusal.value) == (
        "Problem: data set dataset holds string as 'hour', and the columns read it as int64; declare the column with "
        "the data's dtype."
    )
    assert not (tmp_path / "run").exists()


def test_a_value_that_its_column_does_not_take_is_refused_with_its_row(tmp_path: Path) -> None:
    def dataset(split: str) -> Any:
        features = {"day": ["Mon"] * 90, "hour": [*[3] * 70, 24, 25, *[4] * 18], "distance": [1.0] * 90}
        return tf.data.Dataset.from_tensor_slices((features, [0, 1] * 45)).batch(60)

    with pytest.raises(Refusal) as refusal:
        carry_out(Plan(Settings(job_dir=str(tmp_path / "run")), planted.problem(dataset=dataset), Run(str(tmp_path))))
    assert str(refusal.value) == (
        "categorical_column_with_identity: key 'hour' takes ids from 0 to 23; give default_value, or a larger "
        "num_buckets; the data have 24, 25 in row 10, 11, counted from row 60 of the data set."
    )
    assert list(tmp_path.iterdir()) == []


# Bags, and what columns learn from the training rows


@pytest.fixture(scope="module")
def bags(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A run of the problem of bags, and its metrics."""
    path = tmp_path_factory.mktemp("bags") / "run"
    settings = Settings(problem="planted_bags", job_dir=str(path))
    return path, carry_out(Plan(settings, planted_bags.PROBLEM, Run(str(path))))


def test_a_job_learns_from_bags_what_was_planted(bags: tuple[Path, dict[str, Any]]) -> None:
    _, metrics = bags
    assert metrics["auc"] > 0.97
    assert metrics["validation_auc"] > 0.97


def test_vocabularies_and_boundaries_of_the_training_rows_are_saved_with_the_run(
    bags: tuple[Path, dict[str, Any]],
) -> None:
    path, _ = bags
    columns = [from_dict(column) for column in json.loads((path / "problem.json").read_text())["dnn_feature_columns"]]
    by_table = {getattr(column, "table", None): column for column in columns}
    words = by_table["words"].categorical_column
    assert words.vocabulary_list == tuple(planted_bags.WORTH)  # the frequent first, and none of validation alone
    assert by_table["words"].dimension == 2  # of six rows
    miles = planted_bags.rows("train")[0]["miles"]
    years = planted_bags.rows("train")[0]["year"]
    edges = by_table["words_miles"].categorical_column.keys[1].boundaries
    np.testing.assert_allclose(edges, np.quantile(miles[years != 9], [0.25, 0.5, 0.75]), rtol=0.02)


def test_a_table_of_bags_counts_the_values_of_the_training_rows(bags: tuple[Path, dict[str, Any]]) -> None:
    path, _ = bags
    features, _ = planted_bags.rows("train")
    kept = [bag for bag, year in zip(features["words"], features["year"], strict=True) if year != 9]
    expected = [sum(bag.count(word) for bag in kept) for word in planted_bags.WORTH]
    for name in ("words", "weighted"):
        stored = tables.read(str(path / "tables"), name)
        assert stored.labels == [*planted_bags.WORTH, "(unseen 1)"]
        assert stored.counts is not None
        assert stored.counts.tolist() == [*expected, 0]
    stored = tables.read(str(path / "tables"), "text")  # of the same words, in a text
    assert stored.labels == [*planted_bags.WORTH]
    assert stored.counts is not None
    assert stored.counts.tolist() == expected


def test_the_exported_model_takes_bags_padded(bags: tuple[Path, dict[str, Any]]) -> None:
    path, _ = bags
    features, liked = planted_bags.rows("test", 200)
    served = tf.saved_model.load(str(path / "export")).signatures["serving_default"]
    inputs = {
        "words": tf.ragged.constant(features["words"], tf.string).to_tensor(""),
        "times": tf.ragged.constant(features["times"], tf.float32).to_tensor(0.0),
        "text": tf.constant(features["text"]),
        "miles": tf.constant(features["miles"]),
        "street": tf.constant(features["street"]),
    }
    (chances,) = (value for name, value in served(**inputs).items() if name == "probabilities")
    assert np.mean((np.reshape(chances, -1) > 0.5) == liked) > 0.9


@pytest.mark.slow
def test_the_same_rows_give_the_same_ids(bags: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    path, metrics = bags
    settings = Settings(problem="planted_bags", job_dir=str(tmp_path / "again"))
    again = carry_out(Plan(settings, planted_bags.PROBLEM, Run(str(tmp_path / "again"))))
    problems = [json.loads((run / "problem.json").read_text()) for run in (path, tmp_path / "again")]
    assert problems[0] == problems[1]
    assert again["loss"] == pytest.approx(metrics["loss"], abs=1e-6)


def met(problem: Problem, batches: Iterable[Any]) -> survey.Met:
    meeting = survey.Meeting(problem)
    for batch in batches:
        meeting.look(batch)
    return meeting.met()


def test_a_job_says_which_hashed_columns_share_buckets(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    columns = (planted_bags.street, fc.categorical_column_with_hash_bucket("street", 2**40))
    changed = planted_bags.problem(bags=(), dnn_feature_columns=(), linear_feature_columns=columns[:1], num_epochs=1)
    settings = Settings(problem="planted_bags", job_dir=str(tmp_path / "run"))
    carry_out(Plan(settings, changed, Run(str(tmp_path / "run"))))
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("street: ")]
    buckets = set(tf.strings.to_hash_bucket_fast([f"S{number}" for number in range(60)], 60).numpy())
    assert f"of the rows share a bucket with other keys (60 keys in {len(buckets)} of 60 buckets)" in line
    few = planted_bags.problem(linear_feature_columns=columns[1:])
    assert met(few, [{"street": ["S1", "S2"]}]).sharing == []


def test_a_hashed_column_without_any_value_stops_no_job() -> None:
    problem = planted_bags.problem(bags=(), dnn_feature_columns=(), linear_feature_columns=(planted_bags.street,))
    assert met(problem, [{"street": ["", ""]}]).sharing == []


# What is known of the rows of tables


STREETS = fc.categorical_column_with_hash_bucket("street", 60)


def test_a_table_on_a_hashed_column_knows_its_keys_in_one_pass_though_too_few_share_for_a_notice() -> None:
    both = fc.shared_embeddings([STREETS, fc.categorical_column_with_hash_bucket("lane", 60)], 2)
    alone = fc.embedding_column(fc.weighted_categorical_column(STREETS, "share"), 2, name="alone")
    cross = fc.embedding_column(fc.crossed_column(["street", planted.hour], 900), 2, name="cross")
    exact = fc.embedding_column(fc.crossed_column([planted.hour, planted.day]), 2, name="exact")
    batch = {"street": ["S1", "S1", "S2"], "lane": ["", "S2", "L3"], "hour": np.array([8, 8, 9])}
    passes = iter([[batch, batch]])
    problem = planted_bags.problem(
        bags=("street",), dnn_feature_columns=(*both, alone, cross, exact), linear_feature_columns=(STREETS,)
    )
    found = met(problem, (part for part in next(passes)))
    assert found.sharing == []
    (shared,) = {*found.keys} - {"alone", "cross", "exact"}
    assert {name: len(keys) for name, keys in found.keys.items()} == {"alone": 60, shared: 60, "cross": 900}
    told = {name: sorted(filter(None, keys)) for name, keys in found.keys.items()}
    assert told["alone"] == ["S1", "S2"]
    assert told[shared] == ["L3", "S1", "S2"]
    assert told["cross"] == ["S1 08", "S2 09"]
    (bucket,) = tf.strings.to_hash_bucket_fast(["L3"], 60).numpy()
    assert (found.keys[shared][bucket], found.keys["alone"][bucket]) == ("L3", "")


def test_a_column_that_shares_a_table_and_is_not_used_is_not_counted() -> None:
    (used, _) = fc.shared_embeddings([STREETS, fc.categorical_column_with_hash_bucket("lane", 60)], 2)
    problem = planted_bags.problem(bags=(), dnn_feature_columns=(used,), linear_feature_columns=())
    (keys,) = met(problem, [{"street": ["S1"]}]).keys.values()
    assert "S1" in keys


def test_nothing_is_counted_for_a_model_of_one_s_own_which_may_make_other_features_of_the_data() -> None:
    own = planted_bags.problem(
        bags=(),
        dnn_feature_columns=(fc.embedding_column(STREETS, 2),),
        linear_feature_columns=(),
        model=lambda: models.build(planted.PROBLEM),
    )
    for problem in (own, planted.PROBLEM):  # which hashes nothing
        assert (survey.Meeting(problem).features, dict(met(problem, []).keys)) == ([], {})


MOVIE = fc.categorical_column_with_vocabulary_list("movie", [7, 3, 9], num_oov_buckets=1)
MOVIES = Catalogue(
    [3, 7, 8],
    {"title": ["Heat (1995)", "Sabrina (1995)", "Grumpier\t東京"], "year": [1995, 1995.0, None]},
    "title",
    np.arange(1, 13, dtype=np.uint8).reshape(3, 2, 2),
)
USERS = Catalogue([f"{number}" for number in range(12)], {"title": [f"user {number}" for number in range(12)]})
USER = fc.categorical_column_with_identity("user", 12)


def test_a_table_on_one_key_has_the_fields_the_title_and_the_pictures_of_its_catalogue() -> None:
    weighted = fc.weighted_categorical_column(MOVIE, "share")
    for column in (MOVIE, weighted, fc.sequence_categorical_column_with_vocabulary_list("movie", [7, 3, 9])):
        known = known_of([column], {"movie": MOVIES, "user": USERS})
        unseen = [""] * (column.num_buckets - 3)
        assert known.details == {
            "title": ["Sabrina (1995)", "Heat (1995)", "", *unseen],
            "year": ["1995", "1995", "", *unseen],
        }
        assert known.title == "title"
        assert known.pictures is not None
        assert known.pictures.dtype == np.uint8
        assert known.pictures.tolist()[:3] == [[[5, 6], [7, 8]], [[1, 2], [3, 4]], [[0, 0], [0, 0]]]
        assert not known.pictures[2:].any()


def test_whole_numbers_are_keys_though_labels_write_them_with_zeros() -> None:
    known = known_of([USER], {"user": USERS})
    assert known.details == {"title": [f"user {number}" for number in range(12)]}
    assert (known.title, known.pictures) == (None, None)


def test_a_cross_has_the_fields_of_each_key_under_names_of_their_own_and_neither_title_nor_pictures() -> None:
    cross = fc.crossed_column([MOVIE, fc.crossed_column([planted.hour, USER])])
    known = known_of([cross], {"movie": MOVIES, "user": USERS})
    assert list(known.details) == ["movie title", "year", "user title"]
    assert (known.title, known.pictures) == (None, None)
    row = 1 * 24 * 12 + 8 * 12 + 11
    assert cross.label(row) == "3 08 11"
    assert [texts[row] for texts in known.details.values()] == ["Heat (1995)", "1995", "user 11"]
    half = known_of([cross], {"movie": MOVIES})
    assert list(half.details) == ["title", "year"]
    assert (half.title, half.pictures) == (None, None)


def test_a_detail_takes_no_name_that_a_key_the_label_or_the_count_has() -> None:
    fields = {name: ["x"] for name in ("movie", "label", "count", "movie label", "own")}
    known = known_of([MOVIE], {"movie": Catalogue([7], fields, "label")})
    assert list(known.details) == ["movie movie", "movie label", "movie count", "movie label 2", "own"]
    assert known.title == "movie label"
    twice = fc.crossed_column([MOVIE, fc.categorical_column_with_vocabulary_list("movie", [9, 7])])
    found = known_of([twice], {"movie": Catalogue([9], {"name": ["nine"]})}).details
    assert {name: [row for row, text in enumerate(texts) if text] for name, texts in found.items()} == {
        "movie name": [4, 5],
        "movie name 2": [0, 2, 4, 6],
    }


def test_a_table_that_columns_share_is_known_by_the_catalogue_of_any_of_them() -> None:
    other = fc.categorical_column_with_vocabulary_list("sequel", [7, 3, 9], num_oov_buckets=1)
    assert known_of([MOVIE, other], {"sequel": MOVIES}).details == known_of([MOVIE], {"movie": MOVIES}).details
    assert list(known_of([MOVIE, other], {"movie": MOVIES, "sequel": MOVIES}).details) == ["title", "year"]


def test_rows_of_a_hash_are_known_by_their_keys_and_ranges_by_nothing() -> None:
    known = known_of([fc.weighted_categorical_column(STREETS, "share")], {"street": USERS}, ["S1", "", "S2, S3"])
    assert (known.details, known.title) == ({"street keys": ["S1", "", "S2, S3"]}, "street keys")
    ranges = fc.bucketized_column(fc.numeric_column("miles"), [10])
    known = known_of([ranges], {"miles": Catalogue([10], {"name": ["ten"]}, pictures=np.ones((1, 1, 1), np.uint8))})
    assert (known.details, known.pictures) == ({}, None)
    assert known_of([STREETS], {"street": USERS}).details == {}
    assert known_of([], {"street": USERS}).details == {}


def of_sizes(**sizes: int) -> Any:
    return fc.crossed_column([fc.categorical_column_with_identity(key, size) for key, size in sizes.items()])


def test_crosses_of_other_sizes_that_share_a_table_are_known_by_the_first_alone() -> None:
    named = {key: Catalogue(range(6), {f"of {key}": [f"{key}{number}" for number in range(6)]}) for key in "abcdz"}
    first, alike, turned, three = of_sizes(a=2, b=6), of_sizes(c=2, d=6), of_sizes(c=3, d=4), of_sizes(x=2, y=2, z=3)
    for other in (turned, three):
        assert known_of([first, other], {key: named[key] for key in "cdz"}).details == {}
        assert known_of([first, other], named).details == known_of([first], named).details
    found = known_of([first, three, alike], {key: named[key] for key in "adz"}).details
    assert list(found) == ["of a", "of d"]
    assert (found["of a"][7], found["of d"][7]) == ("a1", "d1")


def test_a_catalogue_that_has_none_of_a_table_s_keys_is_left_out_and_its_title_too() -> None:
    others = Catalogue(["x"], {"name": ["other"]}, "name", np.ones((1, 2, 2), np.uint8))
    known = known_of([USER], {"user": others})
    assert (known.details, known.title, known.pictures, known.unmatched) == ({}, None, None, ("user",))
    sequel = fc.categorical_column_with_vocabulary_list("sequel", [7, 3, 9], num_oov_buckets=1)
    known = known_of([MOVIE, sequel], {"movie": others, "sequel": MOVIES})
    assert (list(known.details), known.title, known.unmatched) == (["title", "year"], "title", ("movie",))
    assert known_of([fc.crossed_column([MOVIE, USER])], {"movie": MOVIES, "user": others}).unmatched == ("user",)


def test_pictures_are_made_small_before_they_are_placed() -> None:
    column = fc.categorical_column_with_identity("film", 100_000)
    pictures = np.full((3, 400, 300, 3), 9, np.uint8)
    posters = Catalogue([0, 7, 99_999], {}, pictures=pictures)
    known = known_of([column], {"film": posters})
    assert known.pictures is not None
    assert known.pictures.shape == (100_000, 25, 18, 3)
    assert np.flatnonzero(known.pictures.any(axis=(1, 2, 3))).tolist() == [0, 7, 99_999]
    wider = fc.categorical_column_with_identity("film", 100_001)
    assert known_of([wider], {"film": posters}).pictures is None


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, str]:
    """A run of a problem with a catalogue of its films and hashed users, and what it printed."""
    folder = tmp_path_factory.mktemp("films")
    (folder / "movies.csv").write_text('movieId,title\n7,"Sabrina (1995)"\n3,"City of\tLost Children, The"\n')
    (folder / "mine.py").write_text(FILMS)
    run = Run(str(folder / "run"))
    settings = Settings(problem=str(folder / "mine.py"), job_dir=run.path, data_dir=str(folder), verbose=True)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        job.run(settings)
    return run, printed.getvalue()


FILMS = '''"""Ratings."""
import numpy as np

from trainer import feature_column as fc
from trainer.catalogue import Catalogue
from trainer.problem import Problem


def dataset(split):
    import tensorflow as tf

    films, users = np.tile([7, 3, 9], 30), np.repeat(["Ann", "Bo", "Cy"], 30)
    return tf.data.Dataset.from_tensor_slices(({"movie": films, "user": users}, films % 2)).batch(40)


def movies(beside):
    told = Catalogue.from_file(beside.find("movies.csv"), "movieId", ["title"])
    return Catalogue(told.keys, told.fields, "title", np.full((2, 4, 4), 9, np.uint8))


movie = fc.categorical_column_with_vocabulary_list("movie", fc.from_data(), "int64")
few = fc.categorical_column_with_vocabulary_list("movie", [9], "int64")
user = fc.categorical_column_with_hash_bucket("user", 1000)
PROBLEM = Problem(
    dataset=dataset,
    dnn_feature_columns=[
        fc.embedding_column(movie, 3, name="movie"),
        fc.embedding_column(few, 3, name="few"),
        fc.embedding_column(user, 3, name="user"),
        fc.embedding_column(fc.crossed_column(["user", "movie"], 2), 3, name="pair"),
    ],
    dnn_hidden_units=[4],
    catalogues={"movie": movies},
    num_epochs=1,
)
'''


def test_a_job_leaves_what_is_known_of_the_rows_of_its_tables(films: tuple[Run, str]) -> None:
    run, printed = films
    manifest = run.read_json("tables/manifest.json")["tables"]
    told = {name: (entry["details"], entry["title"], entry["pictures"]) for name, entry in manifest.items()}
    assert told == {
        "movie": (["title"], "title", {"file": "movie.png", "height": 4, "width": 4}),
        "few": ([], None, None),
        "user": (["user keys"], "user keys", None),
        "pair": (["movie_X_user keys"], "movie_X_user keys", None),
    }
    assert printed.count("catalogue of 'movie' has none of the keys of table ") == 1
    assert "\ncatalogue of 'movie' has none of the keys of table 'few'\n" in printed
    header, *lines = Path(run.tables, "movie.tsv").read_text().splitlines()
    assert header == "movie\tlabel\tcount\ttitle"
    assert {tuple(line.split("\t"))[::3] for line in lines} == {
        ("7", "Sabrina (1995)"),
        ("3", "City of\\tLost Children, The"),
        ("9", ""),
    }
    users = tables.read(run.tables, "user")
    assert users.counts is not None
    assert {users.details["user keys"][row] for row in np.flatnonzero(users.counts)} == {"Ann", "Bo", "Cy"}
    assert sorted(filter(None, users.details["user keys"])) == ["Ann", "Bo", "Cy"]
    (row,) = tf.strings.to_hash_bucket_fast(["Bo"], 1000).numpy()
    assert users.titles_of([row]) == ["Bo"]
    assert "\nuser: " not in printed  # no two of a thousand buckets' keys share one
    pairs = tables.read(run.tables, "pair").details["movie_X_user keys"]
    assert sum(text.count(", ") + 1 + (int(text[-2]) - 1 if "+" in text else 0) for text in pairs if text) == 9
    stored = tables.read(run.tables, "movie")
    assert stored.pictures is not None
    assert {
        title: int(picture.max()) for title, picture in zip(stored.titles_of(range(3)), stored.pictures, strict=True)
    } == {
        "Sabrina (1995)": 9,
        "City of\tLost Children, The": 9,
        "9": 0,
    }


def test_a_table_of_more_rows_starts_from_one_of_which_more_is_known(films: tuple[Run, str], tmp_path: Path) -> None:
    run, _ = films
    stored = tables.read(run.tables, "movie")
    column = fc.categorical_column_with_vocabulary_list("hour", [3, 5, 7])
    day = fc.embedding_column(column, 3, ckpt_to_load_from=run.path, tensor_name_in_ckpt="movie", trainable=False)
    carry_out(Plan(Settings(train_steps=1), planted.problem(dnn_feature_columns=(day,)), Run(str(tmp_path / "run"))))
    values = tables.read(str(tmp_path / "run"), "hour").values
    for row, key in ((0, "3"), (2, "7")):
        np.testing.assert_array_equal(values[row], stored.values[stored.labels.index(key)])


def test_a_catalogue_that_cannot_be_made_costs_no_training(tmp_path: Path) -> None:
    def lost(beside: Beside) -> Catalogue:
        raise FileNotFoundError(beside.data_dir)

    plan = Plan(Settings(data_dir="there"), planted.problem(catalogues={"hour": lost}), Run(str(tmp_path / "run")))
    with pytest.raises(FileNotFoundError, match="there"):
        carry_out(plan)
    own = planted.problem(model=lambda: models.build(planted.PROBLEM), catalogues={"huor": USERS})
    with pytest.raises(Refusal) as refusal:
        carry_out(dataclasses.replace(plan, problem=own))
    assert str(refusal.value) == "Problem: catalogues has 'huor', which no column reads; did you mean 'hour'?"
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_opens_catalogues_too(tmp_path: Path) -> None:
    plan = Plan(
        Settings(data_dir="there", job_dir=str(tmp_path / "run"), dry_run=True),
        planted.problem(catalogues={"hour": lambda beside: {"hour": beside}}),
        Run(str(tmp_path / "run")),
    )
    with pytest.raises(Refusal) as refusal:
        dry_run.show(plan)
    assert str(refusal.value) == (
        "Problem: the function of catalogues for 'hour' returns dict; return a Catalogue, or None where there is none."
    )
    own = planted.problem(model=lambda: models.build(planted.PROBLEM), catalogues={"huor": USERS})
    with pytest.raises(Refusal) as refusal:
        dry_run.show(dataclasses.replace(plan, problem=own))
    assert str(refusal.value) == "Problem: catalogues has 'huor', which no column reads; did you mean 'hour'?"


def test_a_dry_run_learns_from_the_first_rows(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    settings = Settings(problem="planted_bags", job_dir=str(tmp_path / "run"), dry_run=True)
    dry_run.show(Plan(settings, planted_bags.PROBLEM, Run(str(tmp_path / "run"))))
    printed = capsys.readouterr().out
    assert printed.startswith("Vocabularies and boundaries are those of the first 1,000 rows.\n")
    assert "table words" in printed
    assert "wide  VocabularyListColumn   text                                     5 ids, words by [a-z0-9]+" in printed
    assert list(tmp_path.iterdir()) == []


def test_columns_that_need_data_are_refused_where_a_model_is_built_without_any() -> None:
    with pytest.raises(Refusal) as refusal:
        models.build(planted_bags.PROBLEM)
    assert str(refusal.value) == (
        "build: column 'words_embedding' takes its vocabulary or boundaries from data; run the job, or give "
        "problem.with_columns(vocabulary.learned(problem.columns, batches))."
    )


def test_an_optimizer_that_does_not_exist_is_refused_before_anything_is_learned(tmp_path: Path) -> None:
    def unread(split: str) -> Any:
        raise AssertionError(split)

    changed = planted_bags.problem(dataset=unread, dnn_optimizer="LazyAdm")
    with pytest.raises(Refusal, match=r"did you mean 'LazyAdam'\?"):
        carry_out(Plan(Settings(job_dir=str(tmp_path / "run")), changed, Run(str(tmp_path / "run"))))


STOCK = """
import keras

def stock():
    return keras.optimizers.SGD(0.1)
"""


def test_a_job_says_which_tables_an_optimizer_writes_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "stock.py").write_text(STOCK)
    large = fc.embedding_column(fc.categorical_column_with_hash_bucket("day", 100_001), 1, name="large")
    problem = planted.problem(dnn_feature_columns=(*planted.PROBLEM.dnn_feature_columns, large), learning_rate=None)

    def said(optimizer: str) -> str:
        summary.show_densified(models.build(dataclasses.replace(problem, dnn_optimizer=optimizer)))
        return capsys.readouterr().out

    assert said(f"{tmp_path / 'stock.py'}:stock") == (
        "SGD reads and writes every row of large (100,001 rows) at every step; --optimizer LazyAdam only those of the "
        "batch\n"
    )
    assert said("SGD") == ""
    problem = dataclasses.replace(problem, table_optimizers={"large": f"{tmp_path / 'stock.py'}:stock"})
    assert said("LazyAdam").startswith("SGD reads and writes every row of large (100,001 rows) at every step;")
    problem = dataclasses.replace(problem, table_optimizers={"large": "SGD"})
    assert said(f"{tmp_path / 'stock.py'}:stock") == ""  # the rest is small


# A problem with arguments of its own, data of files, and planted data


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def trained(*argv: str) -> Run:
    assert task.main([*argv, "--job-dir", "run", "--num-epochs", "1"]) == 0
    return Run(os.path.abspath("run"))


def said_of(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert task.main(argv) == 2
    return capsys.readouterr().err.splitlines()[-1]


MISSING = (
    "{}: there is no {}_hourly_counts.csv.gz in data/manual; make it from the cycle hire counts of Transport for "
    "London (cycling.data.tfl.gov.uk) or, for dc, from hour.csv of UCI 275 Bike Sharing "
    "(archive.ics.uci.edu/dataset/275: dteday and hr are timestamp, holiday is is_holiday), with the header "
    "timestamp,cnt,is_holiday and rows like 2015-01-04 00:00:00,182,0."
)


def test_planted_data_are_announced_next_to_the_path_and_in_the_metrics(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("--problem", "bikes", "--first-days", "7")
    lines = capsys.readouterr().out.splitlines()
    announced = f"planted data, not real: {MISSING.format('bike_hires/london', 'london')}"
    assert (lines[:2], lines[-2:]) == ([run.path, announced], [announced, run.path])
    metrics = run.read_json("metrics.json")
    assert (metrics["data"], metrics["examples"]) == ("planted", 56 * 24)
    assert metrics["train_examples"] + metrics["validation_examples"] == 7 * 24
    stored = run.read_json("settings.json")
    assert stored["data"]["name"] == "planted"
    assert stored["settings"]["problem_arguments"] == {"first_days": 7, "start_date": None}
    assert task.main(["--problem", "bikes", "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == announced


def test_arguments_are_repeated_by_settings_and_compared_by_resume(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained("--problem", "bikes", "--first-days", "7")
    assert task.main(["--settings", "run/settings.json", "--dry-run"]) == 0
    assert "; 168 rows less those held out" in capsys.readouterr().out
    resumed = ["--problem", "bikes", "--num-epochs", "1", "--job-dir", "run", "--resume"]
    assert said_of(capsys, *resumed, "--first-days", "8") == (
        "--resume: the run was started with first_days 7, not 8, and other training data; give the same, go on "
        "with --allow-changed, or start anew with --overwrite."
    )
    assert task.main([*resumed, "--first-days", "7"]) == 0


def test_a_data_set_given_by_its_name_is_never_planted(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, city in (("bike_hires/dc", "dc"), ("bike_hires/london", "london"), ("bike_hires", "london")):
        title = f"bike_hires/{city}"
        for more in ([], ["--dry-run"]):
            assert said_of(capsys, "--problem", "bikes", "--dataset", name, *more) == MISSING.format(title, city)
    assert list(place.iterdir()) == []


def test_planted_data_do_not_stand_in_where_a_person_said_where_the_data_are(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = MISSING.format("bike_hires/london", "london").replace("data/manual", "mine/manual")
    for more in ([], ["--dry-run"]):
        assert said_of(capsys, "--problem", "bikes", "--data-dir", "mine", *more) == missing
    assert list(place.iterdir()) == []


def test_files_take_the_place_of_a_problem_s_data_set(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hours = [f"2015-01-{day:02} {hour:02}:00:00,{day + hour}" for day in range(1, 31) for hour in range(24)]
    for name, part in (("a", hours[:480]), ("b", hours[480:])):
        (place / f"{name}.csv").write_text("timestamp,cnt\n" + "\n".join(part) + "\n")
    run = trained("--problem", "bikes", "--train-files", "*.csv")
    lines = capsys.readouterr().out.splitlines()
    assert (lines[0], lines[-1]) == (run.path, run.path)
    metrics = run.read_json("metrics.json")
    assert metrics["data"] == "*.csv"
    assert sum(metrics[name] for name in ("train_examples", "validation_examples", "examples")) == 720
    (place / "a.csv").write_text("timestamp,cnt\n2015-01-01 00:00:00,1\n")
    resumed = ("--problem", "bikes", "--num-epochs", "1", "--job-dir", "run", "--resume", "--train-files")
    assert said_of(capsys, *resumed, "*.csv") == (
        "--resume: the run was started with other training data; give the same, go on with --allow-changed, or start "
        "anew with --overwrite."
    )
    assert said_of(capsys, "--problem", "bikes", "--train-files", "a.tsv") == (
        "--train-files: no file matches a.tsv; near it there are a.csv, b.csv."
    )
    assert said_of(capsys, "--train-files", "b.csv") == ("b.csv: there is no column 'carrier'; it has cnt, timestamp.")


def test_submit_passes_the_flags_of_a_problem_on(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "a.csv").touch()
    flags = ["--problem", "bikes", "--first_days", "7", "--train-files", "*.csv"]
    assert submit.main(["--dry-run", "--", *flags]) == 0
    words = shlex.split(capsys.readouterr().out)
    assert words[words.index("trainer.task") + 1 :][:4] == ["--problem", "bikes", "--first_days", "7"]
    assert f"--train-files={place}/*.csv" in words
    vertex = ["--backend", "vertex", "--project", "p", "--region", "us-central1", "--staging-bucket", "gs://b"]
    assert submit.main([*vertex, "--dry-run", "--", *flags[:-1], "gs://b/*.csv"]) == 0
    (pool,) = yaml.safe_load(capsys.readouterr().out)["jobSpec"]["workerPoolSpecs"]
    assert pool["containerSpec"]["args"] == [*flags[:-1], "gs://b/*.csv"]
    with pytest.raises(Refusal) as refusal:
        submit.main(["--dry-run", "--", "--first-days", "7"])
    assert str(refusal.value) == (
        "python -m trainer.task: --first-days is a flag of --problem bikes, not of flights; leave it out or give "
        "--problem bikes."
    )


def test_help_of_a_problem_of_the_package_does_without_tensorflow(place: Path) -> None:
    script = "import sys; from trainer import task\ntry: task.main(['--problem', 'bikes', '--help'])\nfinally: "
    script += "print({'tensorflow', 'keras', 'numpy', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("\nset()\n")
    assert "\nproblem bikes:\n  --first-days N" in done.stdout


def test_help_of_a_problem_file_shows_its_flags_without_the_chatter_of_tensorflow(place: Path) -> None:
    (place / "mine.py").write_text(
        "import tensorflow as tf\nfrom tests import planted\n\n"
        "def problem(*, width: int = 3):\n    return planted.problem(dnn_hidden_units=(width,))\n"
    )
    command = [sys.executable, "-m", "trainer.task", "--problem", "mine.py", "--help"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stderr == ""
    assert done.stdout.endswith("problem mine:\n  --width N             (default 3)\n")


# Counts

RATES = 20 + 180 * np.exp(-(((np.arange(24) - 17) / 3) ** 2))
"""The planted mean of each hour."""


def count_rows(split: str) -> tuple[dict[str, Any], Any]:
    """Every second row weighs three times as much as the others, whose counts are twice as many as planted."""
    draw = np.random.default_rng({"train": 1, "test": 2}[split])
    hour, heavy = draw.integers(24, size=6000), np.arange(6000) % 2
    features = {"hour": hour, "heavy": np.where(heavy, 3, 1).astype(np.float32)}
    return features, draw.poisson(np.where(heavy, 1, 2) * RATES[hour])


def hires(split: str) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(count_rows(split)).batch(500)


COUNTS = Problem(
    dataset=hires,
    linear_feature_columns=(fc.categorical_column_with_identity("hour", 24),),
    head=PoissonRegressionHead(),
    weight_column="heavy",
    dnn_optimizer="LazyAdam",
    learning_rate=0.1,
    learning_rate_decay="linear",
    num_epochs=20,
    train_batch_size=500,
    name="counts",
    description="Planted counts.",
)


@pytest.fixture(scope="module")
def counts(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that learns counts."""
    run = Run(str(tmp_path_factory.mktemp("counts") / "run"))
    carry_out(Plan(Settings(), COUNTS, run))
    return run


def predicted(run: Run, hours: Any) -> Any:
    served = tf.saved_model.load(run.export).signatures["serving_default"]
    return served(hour=tf.constant(hours, tf.int64))["predictions"].numpy()[:, 0]


def test_a_job_recovers_the_planted_rates_of_weighted_counts(counts: Run) -> None:
    # Of four parts of weight, three are of the rate and one is of twice the rate; an hour has some 225 training rows.
    np.testing.assert_allclose(predicted(counts, np.arange(24)), 1.25 * RATES, rtol=0.1)
    features, labels = count_rows("train")
    kept = ~dealing.HoldOut(COUNTS.validation)({}, len(labels))
    hour, weight = features["hour"][kept], features["heavy"][kept]
    best = np.bincount(hour, weight * labels[kept]) / np.bincount(hour, weight)  # where the likelihood is highest
    np.testing.assert_allclose(predicted(counts, np.arange(24)), best, rtol=0.02)


def test_a_job_judges_counts_by_weighted_errors_in_their_unit(counts: Run) -> None:
    metrics = counts.read_json("metrics.json")
    features, labels = count_rows("test")
    weights, answers = features["heavy"], predicted(counts, features["hour"])

    def error(expected: Any, answered: Any) -> float:
        return float(np.sqrt(np.average((expected - answered) ** 2, weights=weights)))

    rmse = error(labels, answers)
    assert metrics["rmse"] == pytest.approx(rmse, rel=1e-4)
    assert metrics["rmse_over_mean"] == pytest.approx(rmse / np.average(labels, weights=weights), rel=1e-4)
    assert metrics["rmsle"] == pytest.approx(error(np.log1p(labels), np.log1p(answers)), rel=1e-4)
    for name in ("rmse", "rmse_over_mean", "rmsle"):
        assert metrics[f"validation_{name}"] == pytest.approx(metrics[name], rel=0.2)


def test_the_mean_of_the_training_counts_is_saved_with_the_run(counts: Run) -> None:
    features, labels = count_rows("train")
    held_out = dealing.HoldOut(COUNTS.validation)({}, len(labels))
    mean = np.average(labels[~held_out], weights=features["heavy"][~held_out])
    head = counts.read_json("problem.json")["head"]
    assert head == {"kind": "PoissonRegressionHead", "mean": pytest.approx(mean, rel=1e-12)}


def test_a_job_of_counts_goes_on_with_the_mean_that_it_began_with(counts: Run, tmp_path: Path) -> None:
    run, settings = Run(str(tmp_path / "run")), Settings(resume=True, allow_changed=True)
    stopped = dataclasses.replace(COUNTS, callbacks=[lambda: Interrupts(150)])
    with pytest.raises(KeyboardInterrupt):
        carry_out(Plan(Settings(), stopped, run))
    carry_out(Plan(settings, COUNTS, run))
    assert run.read_json("problem.json") == counts.read_json("problem.json")
    np.testing.assert_array_equal(predicted(run, np.arange(24)), predicted(counts, np.arange(24)))


def test_a_count_below_0_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    def dataset(part: str) -> Any:
        features, labels = count_rows(part)
        return tf.data.Dataset.from_tensor_slices((features, labels - 30)).batch(500)

    with pytest.raises(Refusal) as refusal:
        carry_out(Plan(Settings(), dataclasses.replace(COUNTS, dataset=dataset), Run(str(tmp_path / "run"))))
    held_out = dealing.HoldOut(COUNTS.validation)({}, 6000)
    labels = count_rows("train")[1][~held_out] - 30
    assert str(refusal.value) == (
        f"PoissonRegressionHead: a label is a count or a rate of at least 0; of {len(labels):,} training labels "
        f"{(labels < 0).sum():,} are below 0 and 0 not finite, the smallest is {labels.min()}; leave such rows out, or "
        "give RegressionHead()."
    )
    assert list(tmp_path.iterdir()) == []


def test_a_logit_of_counts_that_runs_away_ends_the_job(tmp_path: Path) -> None:
    runaway = dataclasses.replace(COUNTS, dnn_optimizer="SGD", learning_rate=1e4)
    with pytest.raises(TrainingFailure, match=r"the loss became (inf|nan) in step \d+, whose update was not applied"):
        carry_out(Plan(Settings(), runaway, Run(str(tmp_path / "run"))))


def test_keras_fits_counts_as_the_data_set_gives_them(counts: Run) -> None:
    head = PoissonRegressionHead(counts.read_json("problem.json")["head"]["mean"])
    model = models.build(dataclasses.replace(COUNTS, head=head, learning_rate_decay=None))
    features, labels = count_rows("train")
    weighted = tf.data.Dataset.from_tensor_slices((features, labels, features["heavy"])).batch(500)
    model.fit(weighted, epochs=10, shuffle=False, verbose=0)
    (answers,) = head.predictions(model({"hour": np.arange(24)})).values()
    np.testing.assert_allclose(np.reshape(answers, -1), predicted(counts, np.arange(24)), rtol=0.1)
    results = model.evaluate(weighted, verbose=0, return_dict=True)
    assert results["rmse_over_mean"] == pytest.approx(
        results["rmse"] / np.average(labels, weights=features["heavy"]), rel=1e-4
    )


def test_a_dry_run_of_counts_needs_no_mean(capsys: pytest.CaptureFixture[str]) -> None:
    dry_run.show(Plan(Settings(), COUNTS, Run("runs/counts")))
    assert "three examples, encoded" in capsys.readouterr().out


def old_week(folder: Path) -> fc.EmbeddingColumn:
    """Leaves a table of six days in another order, and returns its column."""
    day = fc.categorical_column_with_vocabulary_list("day", planted.DAYS[5::-1])
    column = fc.embedding_column(fc.crossed_column([planted.hour, day]), 4, name="week")
    tables.write(str(folder), [tables.Table("week", np.random.default_rng(0).normal(size=(144, 4)), column)])
    return column


def test_a_warm_start_is_reported_and_a_resumed_run_does_without_its_source(
    problem_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = old_week(tmp_path / "old")
    words = ["--problem", problem_file, "--job-dir", "runs/x", "--train-steps", "3", "--freeze", "day_hour"]
    carried = ["--warm-start", "day_hour=old#week", "--on-missing-rows", "day_hour=mean"]
    assert task.main([*words, *carried]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warm start")]
    report = json.loads(Path("runs/x/warm_start.json").read_text())["day_hour"]
    share = report.pop("matched_share_of_training_rows")
    assert line == (
        f"warm start of 'day_hour' from 'week' in {tmp_path}/old: 144 of 168 rows matched by key, 24 new (24 from the "
        f"mean), 0 dropped; {100 * share:.2f} % of the training rows have a matched key"
    )
    assert report == {
        "source": str(tmp_path / "old"),
        "tensor": "week",
        "by": "key",
        "rows": 168,
        "matched": 144,
        "new": 24,
        "unseen": 0,
        "dropped": 0,
        "on_missing_rows": "mean",
    }
    days = planted.rows("train")[0]["day"]
    assert share == pytest.approx(np.mean(days != "Sun"), abs=0.01)
    old, new = tables.read("old", "week"), tables.read("runs/x", "day_hour")
    assert there.categorical_column.label(1) == "00 Fri"
    rows = [old.labels.index(" ".join(reversed(label.split()))) for label in new.labels[:144]]
    np.testing.assert_array_equal(new.values[:144], old.values[rows].astype(np.float32))

    (tmp_path / "old" / "tables.index").unlink()
    assert task.main([*words, *carried, "--resume"]) == 0
    np.testing.assert_array_equal(tables.read("runs/x", "day_hour").values, new.values)
    assert "warm start" not in capsys.readouterr().out


def test_a_table_of_another_dimension_is_shown_trained_read_again_and_gone_on_with(
    problem_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--problem", problem_file, "--job-dir", "runs/x", "--train-steps", "3"]
    small = [*words, "--dimension", "day_hour=2", "--hidden-units", "3"]
    words += ["--hidden-units", "3"]
    assert task.main([*small, "--dry-run"]) == 0
    assert "\ntable day_hour                168 rows × 2 = 1.3 kB\n" in capsys.readouterr().out
    assert task.main(small) == 0
    assert tables.read("runs/x", "day_hour").values.shape == (168, 2)
    loaded = prediction.load("runs/x").problem
    assert (loaded.embeddings["day_hour"][0].dimension, loaded.dnn_hidden_units) == (2, (3,))
    assert task.main([*small, "--resume"]) == 0
    capsys.readouterr()
    assert task.main([*words, "--resume"]) == 2
    started = "the run was started with dimension ('day_hour=2',), not (), and other columns"
    assert capsys.readouterr().err == (
        f"--resume: {started}; give the same, go on with --allow-changed, or start anew with --overwrite.\n"
    )
    assert task.main([*words, "--resume", "--allow-changed"]) == 2
    assert capsys.readouterr().err == (
        f"--allow-changed: {started}, and the rows of a table are of use to no table of another dimension; give the "
        "same, or start anew with --overwrite.\n"
    )
    assert task.main([*small, "--hidden-units", "5", "--resume", "--allow-changed"]) == 2
    assert capsys.readouterr().err == (
        "--allow-changed: the run was started with hidden_units (3,), not (5,), and what layers have learned is of no "
        "use to layers of other widths; give the same, or start anew with --overwrite.\n"
    )


def test_what_is_said_of_a_source_needs_one(problem_file: str) -> None:
    del problem_file
    with pytest.raises(Refusal) as refusal:
        settings.from_argv(["--old-vocabulary", "day_hour=old.txt"])
    assert str(refusal.value) == (
        "--old-vocabulary: table 'day_hour' has no source; give --warm-start day_hour=SOURCE too."
    )
    with pytest.raises(Refusal) as refusal:
        settings.from_argv(["--on-missing-rows", "mean"])
    assert str(refusal.value) == "--on-missing-rows: TABLE=HOW is wanted, not 'mean'."


def test_an_unknown_start_of_missing_rows_is_refused(problem_file: str) -> None:
    given = Settings(problem=problem_file, warm_start=("day_hour=old",), on_missing_rows=("day_hour=zeros",))
    assert refused(given) == (
        "--on-missing-rows: on_missing_rows must be one of initializer, mean, out_of_vocabulary, not 'zeros'."
    )


def test_the_values_of_an_old_vocabulary_are_not_copied_into_the_run(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
    from_memory = fc.embedding_column(
        planted.day, 2, ckpt_to_load_from=vectors, old_vocabulary=planted.DAYS[::-1], trainable=False
    )
    np.save(tmp_path / "hours.npy", vectors)
    (tmp_path / "hours.txt").write_text("\n".join(map(str, range(7))))
    from_files = fc.embedding_column(
        planted.hour, 2, ckpt_to_load_from=tmp_path / "hours.npy", old_vocabulary=tmp_path / "hours.txt"
    )
    problem = planted.problem(dnn_feature_columns=(from_memory, from_files))
    run = Run(str(tmp_path / "run"))
    carry_out(Plan(Settings(train_steps=2), problem, run))
    np.testing.assert_array_equal(tables.read(run.tables, "day").values, vectors[::-1])
    day, hour = run.read_json("problem.json")["dnn_feature_columns"]
    assert (day["old_vocabulary"], hour["old_vocabulary"]) == (None, str(tmp_path / "hours.txt"))
    assert day["ckpt_to_load_from"].startswith("ndarray in memory")
    assert hex(id(vectors))[2:] not in json.dumps(day)
    report = run.read_json("warm_start.json")
    assert (report["day"]["source"], report["hour"]["source"]) == ("the ndarray", str(tmp_path / "hours.npy"))


def test_a_resumed_run_does_without_the_source_that_its_own_model_declares(tmp_path: Path) -> None:
    old_week(tmp_path / "old")
    column = fc.embedding_column(
        planted.day_hour, 4, ckpt_to_load_from=tmp_path / "old", name="day_hour", trainable=False
    )
    inner = planted.problem(dnn_feature_columns=(column,))
    own, run = planted.problem(model=lambda: models.build(inner)), Run(str(tmp_path / "run"))
    carry_out(Plan(Settings(train_steps=2), own, run))
    before = tables.read(run.tables, "day_hour").values
    (tmp_path / "old").rename(tmp_path / "gone")
    with pytest.raises(Refusal) as refusal:
        carry_out(Plan(Settings(train_steps=2), own, Run(str(tmp_path / "another"))))
    assert str(refusal.value) == (
        f"warm start of 'day_hour': there is no {tmp_path}/old; give a run's job dir, a TensorFlow checkpoint or the "
        "folder of one, a SavedModel, .keras, .h5, .npz, .npy, .parquet, .safetensors, .tsv, word2vec or GloVe."
    )
    carry_out(Plan(Settings(train_steps=2, resume=True), own, run))
    np.testing.assert_array_equal(tables.read(run.tables, "day_hour").values, before)
