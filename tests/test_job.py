import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests import planted
from trainer import job, tables
from trainer.errors import Refusal
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
    assert not problem.embeddings["day_hour"].trainable


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
