"""Data sets of handwritten digits, and how a problem makes other features of those of a data set."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_digits

from tests import digits
from trainer import datasets, ink
from trainer import problem as problems
from trainer.datasets.mnist_files import IMAGES, LABELS
from trainer.errors import Refusal
from trainer.formats import idx
from trainer.inputs.examples import Source
from trainer.inputs.memory import elements
from trainer.inputs.tfds import read

FEATURES = {"pixel": "int64", "darkness": "float32"}


def columns(builder: Any, split: str) -> dict[str, np.ndarray]:
    batches = list(read(builder, split).as_numpy_iterator())
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


@pytest.fixture(scope="module")
def small_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data_dir in which the digits of scikit-learn are prepared."""
    folder = str(tmp_path_factory.mktemp("digits"))
    datasets.prepare(datasets.builder("sklearn_digits", folder), download=False)
    return folder


def test_the_digits_of_scikit_learn_are_all_there_a_fifth_of_each_to_test_on(small_dir: str) -> None:
    builder = datasets.builder("sklearn_digits", small_dir)
    train, test = columns(builder, "train"), columns(builder, "test")
    assert (len(train["label"]), len(test["label"])) == (1437, 360)
    images, labels = load_digits(return_X_y=True)
    found = np.concatenate([train["image"], test["image"]]).reshape(-1, 64)
    assert sorted(map(bytes, found)) == sorted(map(bytes, np.rint(images / 16 * 255).astype(np.uint8)))
    whole, tested = np.bincount(labels), np.bincount(test["label"])
    assert np.abs(tested - whole / 5).max() < 1


def test_the_page_of_data_tells_their_file_and_how_many_they_are(small_dir: str) -> None:
    named = Path(__file__).parents[1].joinpath("data", "README.md").read_text(encoding="utf-8")
    file = Path(str(sklearn.__file__)).parent / "datasets" / "data" / "digits.csv.gz"
    assert f"`{hashlib.sha256(file.read_bytes()).hexdigest()}`" in named
    splits = datasets.builder("sklearn_digits", small_dir).info.splits
    assert f"{splits['train'].num_examples:,} in `train`, {splits['test'].num_examples} in `test`" in named


def test_the_page_of_data_tells_the_test_images_of_mnist_that_the_tests_use(tmp_path: Path) -> None:
    named = Path(__file__).parents[1].joinpath("data", "README.md").read_text(encoding="utf-8")
    for array in digits.mnist():
        idx.write(str(tmp_path / "any"), array)
        assert f"unpacked `{hashlib.sha256((tmp_path / 'any').read_bytes()).hexdigest()}`" in named


def test_their_ink_is_what_the_problem_reads(small_dir: str) -> None:
    source = Source(problems.load("digits"), FEATURES, small_dir)
    source.prepare(download=False)
    features, labels, weights = next(elements(source.batches("test")))
    images = columns(datasets.builder("sklearn_digits", small_dir), "test")
    assert ink.pictures(features, (8, 8)).tolist() == images["image"].tolist()
    assert labels.numpy()[:, 0].tolist() == images["label"].tolist()
    assert weights.shape == (360, 1)


def test_images_of_another_size_than_the_problem_has_are_refused_with_the_flag(small_dir: str) -> None:
    source = Source(problems.load("digits", {"side": 28}), FEATURES, small_dir)
    with pytest.raises(Refusal) as refusal:
        source.batches("train")
    assert str(refusal.value) == (
        "digits: the images have 8 × 8 pixels, and the problem reads 28 × 28; give --side 8, or another data set."
    )


def test_a_feature_that_the_function_wants_and_the_data_set_lacks_is_refused(small_dir: str) -> None:
    problem = dataclasses.replace(problems.load("digits"), from_batch=lambda batch: {"pixel": batch["imgae"]})
    with pytest.raises(Refusal) as refusal:
        Source(problem, FEATURES, small_dir).batches("train")
    assert str(refusal.value) == ("Problem: data set sklearn_digits has no feature 'imgae'; did you mean 'image'?")


def test_a_feature_that_the_problem_reads_and_the_function_does_not_make_is_refused(small_dir: str) -> None:
    problem = dataclasses.replace(problems.load("digits"), from_batch=lambda batch: {"label": batch["label"]})
    with pytest.raises(Refusal) as refusal:
        Source(problem, FEATURES, small_dir).batches("train")
    assert str(refusal.value) == "Problem: data set sklearn_digits has no feature 'darkness'; it has label."


@pytest.mark.parametrize("packed", [True, False])
def test_mnist_comes_from_its_files_packed_or_not(tmp_path: Path, packed: bool) -> None:
    digits.write(tmp_path, 300, 100, packed)
    builder = datasets.builder("mnist_files", str(tmp_path))
    datasets.prepare(builder, download=False)
    images, labels = digits.mnist()
    for split, rows in (("train", slice(0, 300)), ("test", slice(300, 400))):
        found = columns(builder, split)
        assert found["label"].tolist() == labels[rows].tolist()
        np.testing.assert_array_equal(found["image"], images[rows])


@pytest.mark.parametrize("left_out", ["train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"])
def test_without_one_of_its_files_the_refusal_says_which_and_from_where(tmp_path: Path, left_out: str) -> None:
    write_planted(tmp_path)
    (tmp_path / "manual" / left_out).unlink()
    builder = datasets.builder("mnist_files", str(tmp_path))
    with pytest.raises(datasets.Absent) as refusal:
        datasets.prepare(builder, download=True)
    assert str(refusal.value) == (
        f"mnist_files: there is no {left_out} in {tmp_path}/manual; fetch train-images-idx3-ubyte.gz, "
        "train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz of the MNIST database, as "
        "from storage.googleapis.com/cvdf-datasets/mnist, or give --dataset mnist, which is fetched by itself."
    )


def write_planted(data_dir: Path, **changes: Any) -> None:
    """Four files of a few images without ink; changes take the place of an array, by the start of its file's name."""
    (data_dir / "manual").mkdir()
    for start in ("train", "t10k"):
        images = changes.get(f"{start}_images", np.zeros((4, 28, 28), np.uint8))
        labels = changes.get(f"{start}_labels", np.arange(4, dtype=np.uint8))
        idx.write(str(data_dir / "manual" / f"{start}-{IMAGES}"), images)
        idx.write(str(data_dir / "manual" / f"{start}-{LABELS}"), labels)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"train_images": np.zeros((4, 8, 8), np.uint8)},
            "train-images-idx3-ubyte.gz should hold images of 28 × 28 bytes, not 4 × 8 × 8 uint8.",
        ),
        (
            {"t10k_labels": np.zeros(3, np.uint8)},
            "t10k-labels-idx1-ubyte.gz should hold 4 digits from 0 to 9, one for each image; fetch both from one "
            "place.",
        ),
        (
            {"train_labels": np.full(4, 10, np.uint8)},
            "train-labels-idx1-ubyte.gz should hold 4 digits from 0 to 9, one for each image; fetch both from one "
            "place.",
        ),
    ],
)
def test_files_that_do_not_hold_digits_are_refused(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    write_planted(tmp_path, **changes)
    with pytest.raises(Refusal) as refusal:
        datasets.prepare(datasets.builder("mnist_files", str(tmp_path)), download=False)
    assert str(refusal.value) == f"mnist_files: {tmp_path}/manual/{sentence}"


def test_an_image_of_tfds_has_the_same_ink() -> None:
    """TFDS's own mnist has images `(28, 28, 1)`, which the problem is given batch by batch."""
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1)).astype(np.uint8)
    problem: Any = problems.load("digits", {"side": 28})
    found = problem.from_batch({"image": images, "label": np.arange(3)})
    assert ink.pictures(found, (28, 28)).tolist() == images[..., 0].tolist()
