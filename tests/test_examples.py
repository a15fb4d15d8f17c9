"""The files that a person copies to put code of their own in: each runs, and learns what is planted in its data."""

import functools
import importlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainer import problem as problems
from trainer import projector, task
from trainer.formats import tsv
from trainer.inputs import split
from trainer.inputs.examples import Source
from trainer.inputs.memory import Examples
from trainer.job.plan import with_settings
from trainer.job.reading import dtypes_of
from trainer.settings import Settings

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


def test_every_example_is_run_here_or_beside_the_verb_that_it_is_for() -> None:
    texts = [
        Path(__file__).with_name(name).read_text("utf-8") for name in ("test_examples.py", "test_job_migrating.py")
    ]
    assert {file.stem for file in FILES if not any(file.stem in text for text in texts)} == set()


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


# Files of real rows


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with files of real rows; their tables are not laid out for the projector, which takes minutes."""
    folder = os.environ.get("TRAINER_TEST_DATA")
    if folder is None:
        pytest.skip("TRAINER_TEST_DATA names no folder with adult/, movielens/ and homes/")
    monkeypatch.setattr(projector, "write", functools.partial(projector.write, layouts=False))
    return Path(folder)


def sets_of(name: str, **settings: Any) -> tuple[Examples, Examples]:
    """The training and the validation rows of an example, raw."""
    problem = with_settings(problems.load(str(FOLDER / f"{name}.py")), Settings(**settings))
    data = split.read(Source(problem, dtypes_of(problem), ""), None)
    return data.train.in_memory(), data.validation.in_memory()


def rmse(labels: Any, answers: Any) -> float:
    return float(np.sqrt(np.mean((labels - answers) ** 2)))


@pytest.mark.slow
def test_incomes_are_learned_from_a_file_without_a_header_as_uci_has_it(real: Path, tmp_path: Path) -> None:
    file = str(real / "adult" / "adult.data.gz")
    metrics = trained("own_adult", tmp_path / "run", "--train-files", file)
    assert sum(metrics[name] for name in ("train_examples", "validation_examples", "examples")) == 32_561
    assert metrics["validation_accuracy"] >= 0.84
    _, validation = sets_of("own_adult", train_files=file)
    assert len(validation) == metrics["validation_examples"]
    assert metrics["validation_accuracy"] > 0.05 + 1 - validation.labels.mean()  # who says no to all
    manifest = json.loads((tmp_path / "run" / "tables" / "manifest.json").read_text())["tables"]
    assert manifest["marital_status"]["rows"] == 8  # of which one is for a status that no training row has


@pytest.mark.slow
@pytest.mark.parametrize("split_by", [None, "userId"])
def test_stars_are_learned_better_than_their_mean_for_known_people_and_others(
    real: Path, tmp_path: Path, split_by: str | None
) -> None:
    file = str(real / "movielens" / "ratings.csv")
    flags = [] if split_by is None else ["--split-by", split_by]
    metrics = trained("own_ratings", tmp_path / "run", "--train-files", file, *flags)
    train, validation = sets_of("own_ratings", train_files=file, split_by=split_by)
    assert (len(train), len(validation)) == (metrics["train_examples"], metrics["validation_examples"])
    by_mean = rmse(validation.labels, train.labels.mean())
    assert metrics["validation_rmse"] < by_mean * (0.88 if split_by is None else 0.98)
    people = [{*examples.features["userId"].tolist()} for examples in (train, validation)]
    assert bool(people[0] & people[1]) == (split_by is None)


@pytest.mark.slow
def test_prices_are_learned_better_than_the_means_of_neighbourhoods(real: Path, tmp_path: Path) -> None:
    file = str(real / "homes" / "nyc_listings_min.csv.gz")
    metrics = trained("own_homes", tmp_path / "run", "--train-files", file)
    train, validation = sets_of("own_homes", train_files=file)
    assert (metrics["bad_rows"], len(validation)) == (11, metrics["validation_examples"])  # homes that cost nothing
    learned, judged = np.log(train.labels), np.log(validation.labels)
    means = dict.fromkeys({*validation.features["neighbourhood"]}, 0.0)
    for place in means:
        there = learned[train.features["neighbourhood"] == place]
        means[place] = float(there.mean() if len(there) else learned.mean())
    by_place = rmse(judged[:, 0], [means[place] for place in validation.features["neighbourhood"]])
    assert metrics["validation_rmse"] < 0.8 * by_place
    assert metrics["validation_rmse"] ** 2 < 0.5 * judged.var()
    lines = (tmp_path / "run" / "tables" / "name.tsv").read_text(encoding="utf-8").splitlines()
    assert "cozy" in {line.split("\t")[0] for line in lines}
