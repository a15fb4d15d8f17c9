"""That the benchmarks run, small and short; nothing is measured here, and PyTorch, a peer, need not be there."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def quick(name: str, tmp_path: Path, *flags: str) -> Any:
    """What a benchmark writes that `python -m` would start; this process has TensorFlow already."""
    file = tmp_path / "found.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", [name, "--quick", "--json", str(file), *flags])
        patch.chdir(ROOT)
        runpy.run_module(f"tests.benchmarks.{name}", run_name="__main__", alter_sys=True)
    return json.loads(file.read_text())


def quick_alone(name: str, tmp_path: Path, *flags: str) -> Any:
    """What a benchmark writes in a process of its own, which is small, as one must be that measures what it starts."""
    file = tmp_path / "found.json"
    command = [sys.executable, "-m", f"tests.benchmarks.{name}", "--quick", "--json", str(file), *flags]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(file.read_text())


def losses(row: Any) -> list[float]:
    return [side["loss"] for side in row["sides"].values()]


@pytest.mark.slow
def test_the_benchmark_of_the_size_of_a_table_compares_models_that_learn_the_same(tmp_path: Path) -> None:
    found = quick("table_size", tmp_path, "--only", "raw loop, Adagrad, 20,000")
    (row,) = found["rows"]
    assert list(row["sides"]) == ["raw loop, Adagrad", "our loop, Adagrad"]
    assert losses(row)[0] == pytest.approx(losses(row)[1], rel=1e-4)
    assert losses(row)[0] < 0.69
    assert [bar["wanted"] for bar in row["bars"]] == ["at least 0.9"]


@pytest.mark.slow
def test_the_benchmark_of_a_wide_table_compares_models_that_learn_the_same(tmp_path: Path) -> None:
    (row,) = quick("tabular", tmp_path, "--only", "tf.feature_column")["rows"]
    assert losses(row)[0] == pytest.approx(losses(row)[1], rel=1e-3)


def test_the_benchmark_of_agreement_tells_how_far_an_estimator_and_its_model_are_apart(tmp_path: Path) -> None:
    found = quick("agreement", tmp_path)
    assert [*found["models"]] == ["v1/LinearClassifier"]
    assert found["largest"]["logits"] < 1e-5 < found["models"]["v1/LinearClassifier"]["moved"]


@pytest.mark.slow
def test_the_benchmark_of_migration_measures_the_memory_of_a_whole_run(tmp_path: Path) -> None:
    (turn,) = quick("migration", tmp_path)["rounds"]
    assert turn["run"]["memory"] > 0 < turn["run"]["seconds"]


@pytest.mark.slow
def test_the_benchmark_of_a_big_table_measures_its_memory(tmp_path: Path) -> None:
    (row,) = quick_alone("big_table", tmp_path, "--only", "ours")["rows"]
    assert row["bytes"] == 100_000 * (16 + 1) * 4
    assert row["peak"] > row["resident_before"]


@pytest.mark.slow
def test_the_benchmark_of_a_warm_start_keeps_the_vector_of_every_word(tmp_path: Path) -> None:
    (turn,) = quick("warm_start", tmp_path)["rounds"]
    assert turn["ours"]["seconds"] > 0
    assert turn["peer"]["memory"] > 0


@pytest.mark.slow
@pytest.mark.skipif("TRAINER_TEST_DATA" not in os.environ, reason="TRAINER_TEST_DATA names no folder with bikes/")
def test_the_study_of_transfer_finds_that_a_carried_week_is_worth_more_than_a_day_of_counts(tmp_path: Path) -> None:
    found = quick("transfer", tmp_path, "--only", "bikes")
    scores = {name: [sum(starts) for starts in rows] for name, rows in found["bikes"].items()}
    assert found["days"] == [1, 7]
    for name in ("table of 7 by 24 means", "from scratch, squared error", "from scratch, Poisson"):
        assert scores["warm-started and trained on"][0] < scores[name][0]


@pytest.mark.slow
def test_the_benchmark_of_texts_compares_them_with_what_is_split_at_spaces(tmp_path: Path) -> None:
    rows = quick("text", tmp_path)["rows"]
    assert [row["row"] for row in rows] == ["words", "a pattern", "runs of words", "without small"]
    assert all(row["ratio"] > 0 for row in rows)


@pytest.mark.slow
def test_the_benchmark_of_vocabularies_counts_and_suggests(tmp_path: Path) -> None:
    parquet, csv, suggest = quick("vocabulary", tmp_path)["rows"]
    assert (parquet["row"], csv["row"], suggest["row"]) == ("parquet", "csv", "suggest")
    assert all(row["memory"] > 1e8 and row["ratio"] > 0 for row in (parquet, csv, suggest))


@pytest.mark.slow
def test_the_benchmark_of_predictions_measures_their_rate_and_memory(tmp_path: Path) -> None:
    rate, memory = quick("predict", tmp_path)["rows"]
    assert (rate["rows"], rate["rows a second"] > 0, rate["training"] > 0) == (5000, True, True)
    assert memory["peak of 4 times as many"] > 100e6


@pytest.mark.slow
def test_the_benchmark_of_checkpoints_measures_what_they_cost(tmp_path: Path) -> None:
    overhead, speed = quick("checkpoints", tmp_path)["rows"]
    assert (overhead["checkpoints"] > 0, overhead["bytes of one"] > 1e5) == (True, True)
    assert speed["bytes"] == 2 * 10_000 * 64 * 4
    assert speed["bytes a second"] > 0


@pytest.mark.slow
def test_the_benchmark_of_several_processes_sends_the_bytes_that_the_plan_says(tmp_path: Path) -> None:
    found = quick_alone("scale", tmp_path, "--known", "--only", "a table", "--rounds", "2")
    rows = {row["row"].partition(", ")[2]: row for row in found["rows"]}
    sent = rows.pop("2 in step: MB a step on the network")
    is_alone = found["machine"]["alone_on_the_network"]  # else other tests' bytes are among them
    assert not is_alone or sent["measured"] == pytest.approx(sent["planned"], rel=0.3)
    assert all(row["measured"] > 0 for name, row in rows.items() if is_alone or "bytes" not in name)


@pytest.mark.slow
def test_the_constants_of_a_plan_can_be_measured(tmp_path: Path) -> None:
    found = quick("scale", tmp_path, "--constants-only")
    assert found["rows"] == []
    # Of few measurements one of these may come out as nothing.
    seconds = found["constants"]["computed"]["1"]["seconds"]
    assert any(value > 0 for value in seconds.values() if isinstance(value, float))
    assert found["constants"]["exchanged"]["hop"] > 0
    assert found["constants"]["served"]["dispatch"] > 0


@pytest.mark.slow
def test_the_benchmark_of_a_million_movies_finds_more_than_popularity(tmp_path: Path) -> None:
    (row,) = quick("million_movies", tmp_path)["rows"]
    assert row["oracle"] > row["ours"] > row["popularity"]
    assert row["step_ratio"] > 0


@pytest.mark.slow
@pytest.mark.skipif("TRAINER_TEST_DATA" not in os.environ, reason="TRAINER_TEST_DATA names no folder with mnist/")
def test_the_benchmark_of_digits_has_a_regression_beside_it_and_says_what_of_mnist_is_there(tmp_path: Path) -> None:
    found = quick("digits", tmp_path, "--mnist", os.path.join(os.environ["TRAINER_TEST_DATA"], "mnist"))
    (row,) = found["sklearn"]["rows"]
    # In scikit-learn 1.9.1: 348 of 360.
    assert row["regression"] == pytest.approx(348 / 360)
    assert [*found["mnist"]["parts"]] == ["2000", "4000", "8000"]
    assert found["mnist"]["as_many"]["steps"] == 15
