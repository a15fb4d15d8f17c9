"""What lies beside a problem's data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_datasets as tfds

from tests import trips
from trainer import datasets
from trainer import feature_column as fc
from trainer.inputs.beside import beside
from trainer.inputs.examples import Source
from trainer.problem import Files, Problem

FILM = fc.embedding_column(fc.categorical_column_with_identity("film_id", 10), 2)
WATCHED = [(7, "Heat", ["Action", "Drama"], 1), (3, "Amélie", [], 0), (7, "Heat again", ["Drama"], 1)]


class WatchedFilms(tfds.core.GeneratorBasedBuilder):
    """Ratings whose rows have the film's title, its kinds and the person's sex, as those of movielens do."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "film_id": np.int64,
            "title": tfds.features.Text(),
            "kinds": tfds.features.Sequence(tfds.features.ClassLabel(names=["Action", "Drama"])),
            "sex": tfds.features.ClassLabel(names=["f", "m"]),
        }
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict(features), disable_shuffling=True
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[Any]]:
        return {"train": self._generate_examples(), "test": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, row in enumerate(WATCHED):
            yield number, dict(zip(("film_id", "title", "kinds", "sex"), row, strict=True))


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Source:
    folder = str(tmp_path_factory.mktemp("data"))
    datasets.prepare(datasets.builder("watched_films", folder), download=True)
    return Source(Problem("watched_films", [FILM], label="sex"), {"film_id": "int64"}, folder)


def test_features_of_a_data_set_that_no_column_reads_are_told_as_texts(watched: Source) -> None:
    found = beside(watched, "data").values("film_id", "title", "kinds", "sex")
    assert found == {
        "film_id": ["7", "3"],
        "title": ["Heat", "Amélie"],
        "kinds": ["Action|Drama", ""],
        "sex": ["m", "f"],
    }


def test_a_data_set_without_a_feature_tells_nothing(watched: Source) -> None:
    assert beside(watched, "data").values("film_id", "year") is None


def test_the_files_to_train_on_are_told_in_full(tmp_path: Path) -> None:
    for name in ("a", "b", "test"):
        trips.write(tmp_path / f"{name}.csv")
    files = Files(f"{tmp_path}/[ab].csv", test=f"{tmp_path}/test.csv")
    found = beside(
        Source(Problem(files, trips.PROBLEM.dnn_feature_columns, label=trips.PROBLEM.label), {}, "x"), "data"
    )
    assert (found.data_dir, found.files) == ("data", (f"{tmp_path}/a.csv", f"{tmp_path}/b.csv"))
    assert found.values("hour") is None
