"""The files that a person copies to put code of their own in: each runs, and learns what is planted in its data."""

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainer import task
from trainer.formats import tsv

FOLDER = Path(__file__).parent / "examples"
FILES = sorted(FOLDER.glob("own_*.py"))


def trained(name: str, job_dir: Path, *flags: str) -> dict[str, Any]:
    """Runs an example as `python -m trainer.task` does, and returns its metrics."""
    words = ["--problem", str(FOLDER / f"{name}.py"), "--job-dir", str(job_dir), *flags]
    assert task.main(words) == 0
    metrics: dict[str, Any] = json.loads((job_dir / "metrics.json").read_text())
    return metrics


def answers(job_dir: Path, **features: Any) -> dict[str, Any]:
    """Returns what the exported model of a run answers; whole numbers are int64 there."""
    exported = tf.saved_model.load(str(job_dir / "export")).signatures["serving_default"]
    found = exported(**{name: tf.constant(np.array(values)) for name, values in features.items()})
    return {name: value.numpy() for name, value in found.items()}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_is_shorter_than_40_lines_and_says_what_it_is(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    assert len(lines) < 40
    assert lines[0].startswith('"""')


def test_every_example_is_run_here() -> None:
    own = Path(__file__).read_text(encoding="utf-8")
    assert {file.stem for file in FILES if own.count(file.stem) == 0} == set()


def test_a_tower_of_ones_own_takes_the_place_of_the_hidden_layers(tmp_path: Path) -> None:
    metrics = trained("own_tower", tmp_path / "run")
    # One label in ten is wrong, so nine in ten is the most that can be right.
    assert metrics["accuracy"] == pytest.approx(0.9, abs=0.01)
    found = answers(tmp_path / "run", day=["Sat", "Sat", "Mon"], hour=[12, 20, 20])["probabilities"][:, 0]
    np.testing.assert_allclose(found, [0.9, 0.1, 0.9], atol=0.1)
    table = tf.train.load_checkpoint(str(tmp_path / "run" / "tables")).get_tensor("day_hour")
    assert table.shape == (168, 8)


def test_a_head_of_ones_own_has_its_own_loss_metric_and_prediction(tmp_path: Path) -> None:
    metrics = trained("own_head", tmp_path / "run")
    hours = np.array([0, 3, 9, 12])
    means = 2 + 10 * np.exp(-(((hours - 12) / 3) ** 2))
    found = answers(tmp_path / "run", hour=hours)
    assert set(found) == {"mean"}
    np.testing.assert_allclose(found["mean"][:, 0], means, rtol=0.1)
    # The mean error of the planted means themselves is 1.53 customers.
    assert 1.4 < metrics["error"] < 1.65
    assert 1.4 < metrics["validation_error"] < 1.7


def test_a_model_of_ones_own_is_trained_evaluated_and_exported(tmp_path: Path) -> None:
    metrics = trained("own_model", tmp_path / "run")
    assert 0.1 < metrics["rmse"] < 0.13  # the planted noise is 0.1
    assert answers(tmp_path / "run", user=[1, 2], film=[3, 4])["predictions"].shape == (2, 1)
    manifest = json.loads((tmp_path / "run" / "tables" / "manifest.json").read_text())
    assert sorted(manifest["tables"]) == ["film", "user"]


def test_a_callback_and_an_optimizer_of_ones_own_take_part(tmp_path: Path) -> None:
    optimizer = f"{FOLDER / 'own_optimizer.py'}:warm"
    metrics = trained("own_callback", tmp_path / "run", "--optimizer", optimizer)
    epochs = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    right = [epoch["validation_accuracy"] for epoch in epochs]
    assert right[-1] >= 0.99 > max(right[:-1], default=0)
    assert len(right) < 20
    assert metrics["accuracy"] >= 0.98
    assert json.loads((tmp_path / "run" / "settings.json").read_text())["settings"]["optimizer"] == optimizer


def test_a_catalogue_of_ones_own_is_what_the_projector_shows(tmp_path: Path) -> None:
    assert trained("own_catalogue", tmp_path / "run", "--projector-every-epochs", "3")["rmse"] < 0.1
    (step,) = (tmp_path / "run" / "logs" / "projector").glob("step-*")  # of five epochs the third
    for folder in (step, step.parent):
        header, rows = tsv.read(str(folder / "film.metadata.tsv"))
        assert header == ["label", "film", "genres", "year", "film title (decade)", "count"]
        assert rows[7][:4] == ["Film of 1957 (1957)", "7", "Crime|made up", "1957"]
        assert (folder / "film.sprite.png").exists()
    values = [tf.train.load_checkpoint(str(folder)).get_tensor("film.raw") for folder in (step, step.parent)]
    assert not np.array_equal(*values)


def test_columns_are_a_layer_of_ones_own_model_without_any_job(capsys: pytest.CaptureFixture[str]) -> None:
    assert importlib.import_module("tests.examples.own_fit").main() > 0.99
    assert "Sunday noon is [" in capsys.readouterr().out
