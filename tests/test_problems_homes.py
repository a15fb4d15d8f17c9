"""What homes cost: planted ones, files with columns of any names, and the homes of New York."""

import contextlib
import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import served, shown
from tests.benchmarks import homes as measured
from tests.senses import SENSES
from trainer import problem as problems
from trainer.__main__ import main
from trainer.errors import Refusal
from trainer.inputs.examples import Source
from trainer.job.learning import learned
from trainer.job.plan import planned
from trainer.job.steps import opened
from trainer.job.tables import tables_of
from trainer.problem import Problem
from trainer.problems import homes
from trainer.rows import Limit
from trainer.settings import Settings

OWN = '''"""What a flat costs."""
from trainer.problems import homes

PROBLEM = homes.problem(text="description", label="rent", categories="city, kind")
'''


def write_flats(path: Path, count: int = 1500, free: int = 0) -> str:
    """Writes flats of other columns than those of New York, the first of which cost nothing."""
    rows = homes.planted("train", text="description", label="rent", categories=["city", "kind"])
    rents = np.where(np.arange(len(rows["rent"])) < free, 0, rows["rent"])
    lines = zip(rows["description"], rows["city"], rows["kind"], rents, strict=True)
    text = "\n".join(f"{words},{city},{kind},{rent:g}" for words, city, kind, rent in [*lines][:count])
    path.write_text(f"description,city,kind,rent\n{text}\n")
    return str(path)


def test_the_columns_are_those_that_the_flags_name() -> None:
    problem = problems.load("homes", {"text": "description", "label": "rent", "categories": "city, kind"})
    assert list(problem.raw_features) == ["description", "city", "kind"]
    assert (problem.label, next(iter(problem.embeddings))) == ("rent", "word")
    (word,) = problem.embeddings["word"]
    assert (word.dimension, word.categorical_column.tokenize.ngrams) == (3, 2)  # type: ignore[attr-defined]  # of texts
    assert list(problems.load("homes", {"words_only": True}).embeddings) == ["word"]
    assert list(problems.load("homes").raw_features) == ["name", "neighbourhood_group", "neighbourhood", "room_type"]


def test_planted_homes_are_the_same_each_time_and_cost_what_their_words_are_worth() -> None:
    train, test = (homes.planted(split, "name", "price", ["place"]) for split in ("train", "test"))
    assert homes.planted("train", "name", "price", ["place"])["name"].tolist() == train["name"].tolist()
    assert (len(train["name"]), len(test["name"])) == (4000, 1000)
    assert train["name"][:9].tolist() != test["name"][:9].tolist()
    assert train["price"].min() > 0
    words = [text.lower().split() for text in train["name"]]
    matrix = np.array([[word in each for word in homes.WORTH] for each in words], float)
    places = np.array([int(place.split()[1]) for place in train["place"]], float)
    wide = np.column_stack([matrix, places, np.ones(len(words))])
    found, *_ = np.linalg.lstsq(wide, np.log(train["price"]), rcond=None)
    np.testing.assert_allclose(found, [*homes.WORTH.values(), 0.1, 4.5], atol=0.05)


def test_homes_runs_by_its_name_alone_and_finds_what_was_planted(tmp_path: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        work, metrics = learned(opened(planned(Settings("homes", num_epochs=6, job_dir=str(tmp_path / "run")))), {})
    assert (work.source.name, work.source.absent) == (
        "planted",
        "problem homes has no data of its own; give --train-files.",
    )
    assert metrics["r2"] > 0.8  # the noise is all but 0.92
    table = next(each for each in tables_of(work) if each.name == "word")
    assert {"luxury", "shared", "shared luxury"} <= {*table.labels}


def test_without_files_and_without_planted_rows_there_is_nothing_to_learn_from() -> None:
    problem = Problem(None, model=lambda: None, name="mine")
    with pytest.raises(Refusal) as refusal:
        Source(problem, {}, "")
    assert str(refusal.value) == "--train-files: problem mine has no data of its own; give files."


def test_a_problem_says_how_many_rows_may_be_set_aside_and_the_flag_says_otherwise() -> None:
    assert problems.load("homes").bad_rows == Limit(None, 0.01)
    assert Problem(None, model=lambda: None).bad_rows == Limit(0)
    assert planned(Settings("homes", max_bad_rows="3")).settings.bad_rows == Limit(3)
    with pytest.raises(Refusal) as refusal:
        Problem(None, model=lambda: None, max_bad_rows="few")
    assert str(refusal.value).endswith("as 1%, is wanted, not 'few'.")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flats")
    return served.trained(
        folder, OWN, write_flats(folder / "flats.csv", free=3), num_epochs=8, train_batch_size=64, baselines=True
    )


def test_homes_that_cost_nothing_are_set_aside_and_all_others_are_used(run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["bad_rows"] == 3
    assert sum(metrics[name] for name in ("train_examples", "validation_examples", "examples")) == 1497
    bad = [json.loads(line) for line in (run / "bad_rows.jsonl").read_text().splitlines()]
    assert [row["column"] for row in bad] == ["rent"] * 3
    mean, ridge, own = json.loads((run / "baselines.json").read_text())["results"]
    assert ridge["r2"] > 0.8 > 0.1 > mean["r2"]
    assert own["median_absolute_error"] < mean["median_absolute_error"]


def test_a_run_is_judged_and_predicts_in_dollars(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = json.loads((run / "metrics.json").read_text())
    assert main(["evaluate", str(run)]) == 0
    shown = capsys.readouterr().out.splitlines()[0]
    assert f"r2 {left['r2']:.4f}" in shown
    assert f"median_absolute_error {left['median_absolute_error']:.4f}" in shown
    file, out = write_flats(tmp_path / "new.csv", 300), tmp_path / "predictions.csv"
    assert main(["predict", str(run), "--files", file, "--out", str(out)]) == 0
    found = np.array([float(row["predictions"]) for row in csv.DictReader(out.read_text().splitlines())])
    prices = np.array([float(row["rent"]) for row in csv.DictReader(Path(file).read_text().splitlines())])
    assert np.corrcoef(np.log(found), np.log(prices))[0, 1] > 0.7
    assert 0.8 < np.median(found) / np.median(prices) < 1.25


def test_the_senses_are_written_down_with_each_word_once() -> None:
    words = [word for each in SENSES.values() for word in each]
    assert list(SENSES) == ["size", "comfort", "place", "smallness"]
    assert len(words) == len({*words}) >= 40


def of_new_york(folder: Path, words_only: bool, **given: Any) -> dict[str, Any]:
    """What is found of one split of the homes of New York."""
    data = os.environ.get("TRAINER_TEST_DATA")
    if data is None:
        pytest.skip("TRAINER_TEST_DATA names no folder with homes/nyc_listings_min.csv.gz")
    file = str(Path(data, "homes", "nyc_listings_min.csv.gz"))
    return measured.trained(file, str(folder / "run"), 0, words_only, **given)


@pytest.mark.slow
def test_words_alone_tell_prices_in_new_york_and_are_near_words_of_their_sense(tmp_path: Path) -> None:
    found = of_new_york(tmp_path, words_only=True)
    # The bars of a single seed; `python -m tests.benchmarks.homes` has the means of three.
    assert found["homes"]["r2"] > 0.455
    assert found["homes"]["r2"] > found["ridge"]["r2"] > 0.4 > 0.01 > found["mean"]["r2"]
    assert found["homes"]["median_absolute_error"] < found["ridge"]["median_absolute_error"]
    assert found["senses"]["nearest"] > 1.7 * found["senses"]["any"]
    assert found["senses"]["nearest"] > 1.5 * found["senses"]["untrained"]


@pytest.mark.slow
def test_places_and_rooms_tell_more_than_words_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = of_new_york(tmp_path, words_only=False)
    table = shown.after("python -m trainer.task --problem homes")
    assert [line.split()[0] for line in table] == ["rmse", "mean", "ridge,", "homes"]
    assert "\n".join(table) in "\n".join(shown.shape(capsys.readouterr().out))
    assert found["homes"]["r2"] > 0.61
    assert found["homes"]["r2"] > found["ridge"]["r2"] > 0.59
