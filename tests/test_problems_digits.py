"""Problem `digits`: how well it does, and what its pixels and its test images look like."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import digits, shown
from tests.servers import tensorboard as serving
from tests.test_projector import get, runs_of, served
from trainer import ink, tables
from trainer import problem as problems
from trainer.datasets import builder
from trainer.inputs.tfds import read
from trainer.job import run
from trainer.settings import Settings


def test_the_pixels_of_an_image_are_one_column_of_its_size() -> None:
    for side in (8, 28):
        problem = problems.load("digits", {"side": side})
        (columns,) = problem.embeddings.values()
        assert columns[0].categorical_column.num_buckets == side * side
        assert problem.raw_features.keys() == {"pixel", "darkness"}


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that `--problem digits` leaves."""
    folder = tmp_path_factory.mktemp("digits")
    run(Settings("digits", data_dir=str(folder / "data"), job_dir=str(folder / "runs" / "digits")))
    return folder


@pytest.mark.slow
def test_digits_of_scikit_learn_are_told_apart(left: Path) -> None:
    metrics = json.loads((left / "runs" / "digits" / "metrics.json").read_text())
    # A bar for one seed; `python -m tests.benchmarks.digits` has the mean of three.
    assert metrics["accuracy"] >= 0.97
    assert (metrics["data"], metrics["examples"]) == ("sklearn_digits", 360)
    assert metrics["train_examples"] + metrics["validation_examples"] == 1437
    (told,) = re.findall(r"^test +360 rows  loss \S+  accuracy (\S+)$", shown.README, re.MULTILINE)
    assert metrics["accuracy"] == pytest.approx(float(told), abs=0.015)


@pytest.mark.slow
def test_tensorboard_serves_the_plane_of_pixels_and_the_test_images_with_their_sprite(left: Path) -> None:
    folder = str(left / "runs" / "digits")
    with serving(left / "runs") as address:
        (name,) = runs_of(address, 1)
        found = served(address, name)
        sprite = Image.open(io.BytesIO(get(address, "sprite_image", run=name, name="examples")))
        header = get(address, "metadata", run=name, name="pixel").decode().partition("\n")[0].split("\t")
    assert header == ["label", "pixel", "row", "column", "frequency", "count"]
    assert [line.split("\t")[:4] for line in found["pixel"][1]][29] == ["row 3, column 5", "29", "3", "5"]
    assert {"PCA by row", "PCA by column", "t-SNE by row"} <= {view["label"] for view in found["pixel"][2]}
    values, lines, views = found["examples"]
    stored = tables.read(f"{folder}/examples", "examples")
    np.testing.assert_array_equal(values, stored.values)
    assert values.shape == (360, 128)
    images = [batch["image"].numpy() for batch in read(builder("sklearn_digits", str(left / "data")), "test")]
    rows, across = 19, 19  # the least that hold 360
    cells = np.asarray(sprite).reshape(rows, 8, across, 8).swapaxes(1, 2).reshape(-1, 8, 8)
    np.testing.assert_array_equal(cells[:360], np.concatenate(images))
    assert [line.split("\t")[0] for line in lines] == list(stored.details["label"])
    assert views[0]["label"] == "t-SNE by label"


@pytest.mark.slow
def test_images_that_the_last_hidden_layer_puts_side_by_side_are_of_one_digit(left: Path) -> None:
    stored = tables.read(str(left / "runs" / "digits" / "examples"), "examples")
    unit = stored.values / np.linalg.norm(stored.values, axis=1, keepdims=True)
    near = unit @ unit.T
    np.fill_diagonal(near, -1)
    labels = np.array(stored.details["label"])
    assert np.mean(labels[near.argmax(axis=1)] == labels) > 0.95


@pytest.mark.slow
def test_pixels_side_by_side_have_rows_that_are_more_alike_than_any_two(left: Path) -> None:
    stored = tables.read(str(left / "runs" / "digits"), "pixel")
    shown = np.flatnonzero(stored.trained)
    unit = stored.values / np.linalg.norm(stored.values, axis=1, keepdims=True)
    alike = unit @ unit.T
    places = np.array([divmod(pixel, 8) for pixel in range(64)])
    apart = np.abs(places[:, np.newaxis] - places).sum(axis=2)
    there = np.isin(np.arange(64), shown)
    both = there[:, np.newaxis] & there & ~np.eye(64, dtype=bool)
    assert alike[both & (apart == 1)].mean() > alike[both & (apart > 3)].mean()


@pytest.mark.slow
def test_mnist_is_learned_from_its_files(tmp_path: Path) -> None:
    digits.write(tmp_path, 4000, 1000)
    settings = Settings(
        "digits",
        problem_arguments={"side": 28},
        dataset="mnist_files",
        data_dir=str(tmp_path),
        job_dir=str(tmp_path / "run"),
        num_epochs=4,
        projector_examples=0,
    )
    run(settings)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert (metrics["examples"], metrics["data"]) == (1000, "mnist_files")
    assert metrics["accuracy"] >= 0.87
    assert np.sum(json.loads((tmp_path / "run" / "confusion.json").read_text())["counts"]) == 1000
    assert not (tmp_path / "run" / "examples").exists()
    assert len(ink.plane((28, 28)).keys) == tables.read(str(tmp_path / "run"), "pixel").rows
