import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests import planted, planted_bags
from trainer import feature_column as fc
from trainer import job, models, tables
from trainer.errors import Refusal
from trainer.feature_column.serialization import from_dict
from trainer.job import dry_run, summary, survey
from trainer.job.plan import Plan, planned, with_settings
from trainer.job.steps import carry_out, steps_of
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


def test_settings_come_before_the_problem_s_own() -> None:
    settings = Settings(dataset="nyc_flights/JFK", num_epochs=7, train_batch_size=3, learning_rate=0.5, optimizer="SGD")
    problem = with_settings(planted.PROBLEM, settings)
    assert (problem.dataset, problem.num_epochs, problem.train_batch_size) == ("nyc_flights/JFK", 7, 3)
    assert (problem.learning_rate, problem.dnn_optimizer) == (0.5, "SGD")
    assert with_settings(planted.PROBLEM, Settings()) == planted.PROBLEM


def test_a_frozen_table_is_no_longer_trainable() -> None:
    problem = with_settings(planted.PROBLEM, Settings(freeze=("day_hour",)))
    assert not problem.embeddings["day_hour"][0].trainable


def test_a_table_that_the_problem_has_not_is_refused(problem_file: str) -> None:
    assert refused(Settings(problem=problem_file, freeze=("day_huor",))) == (
        "--freeze: problem planted has no table 'day_huor'; did you mean 'day_hour'?"
    )
    assert refused(Settings(problem=problem_file, warm_start=("x=runs/y",))) == (
        "--warm-start: problem planted has no table 'x'; it has day_hour."
    )


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
        "--resume: the run was started with seed 0, not 1; give the same settings, or start anew with --overwrite."
    )
    job.run(Settings(problem=problem_file, train_steps=60, resume=True))
    assert run.read_json("metrics.json")["steps"] == 60


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
    assert all(isinstance(value, (int, float)) for value in metrics.values())
    assert set(metrics) == {
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


def test_the_exported_model_takes_bags_padded(bags: tuple[Path, dict[str, Any]]) -> None:
    path, _ = bags
    features, liked = planted_bags.rows("test", 200)
    served = tf.saved_model.load(str(path / "export")).signatures["serving_default"]
    inputs = {
        "words": tf.ragged.constant(features["words"], tf.string).to_tensor(""),
        "times": tf.ragged.constant(features["times"], tf.float32).to_tensor(0.0),
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


def test_a_job_says_which_hashed_columns_share_buckets(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    columns = (planted_bags.street, fc.categorical_column_with_hash_bucket("street", 2**40))
    changed = planted_bags.problem(bags=(), dnn_feature_columns=(), linear_feature_columns=columns[:1], num_epochs=1)
    settings = Settings(problem="planted_bags", job_dir=str(tmp_path / "run"))
    carry_out(Plan(settings, changed, Run(str(tmp_path / "run"))))
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("street: ")]
    buckets = set(tf.strings.to_hash_bucket_fast([f"S{number}" for number in range(60)], 60).numpy())
    assert f"of the rows share a bucket with other keys (60 keys in {len(buckets)} of 60 buckets)" in line
    assert survey.shared(planted_bags.problem(linear_feature_columns=columns[1:]), [{"street": ["S1", "S2"]}]) == []


def test_a_hashed_column_without_any_value_stops_no_job() -> None:
    problem = planted_bags.problem(bags=(), dnn_feature_columns=(), linear_feature_columns=(planted_bags.street,))
    assert survey.shared(problem, [{"street": ["", ""]}]) == []


def test_a_dry_run_learns_from_the_first_rows(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    settings = Settings(problem="planted_bags", job_dir=str(tmp_path / "run"), dry_run=True)
    dry_run.show(Plan(settings, planted_bags.PROBLEM, Run(str(tmp_path / "run"))))
    printed = capsys.readouterr().out
    assert printed.startswith("Vocabularies and boundaries are those of the first 1,000 rows.\n")
    assert "table words" in printed
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
