import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests import estimators
from tests.estimators import migrated, rows
from tests.estimators.models import MODELS
from trainer import feature_column as fc
from trainer.migration import from_feature_columns

NAMES = [model.name for model in MODELS]


def test_the_archive_is_under_500_kilobytes() -> None:
    assert estimators.ARCHIVE.stat().st_size < 500_000


def test_each_class_is_there_in_both_generations_and_two_of_two_numbers(old_estimators: Path) -> None:
    assert {
        path.parent.relative_to(old_estimators).as_posix() for path in old_estimators.glob("*/*/arguments.json")
    } == {
        f"{generation}/{part}{task}"
        for generation in ("v1", "v2")
        for part in ("Linear", "DNN", "DNNLinearCombined")
        for task in ("Classifier", "Regressor")
    } | {"v1/DNNRegressorOf2", "v2/LinearRegressorOf2"}


def test_the_rows_in_the_archive_are_those_of_the_seed(old_estimators: Path) -> None:
    kept, anew = rows.read(old_estimators / "rows.csv"), rows.draw(15)
    assert list(kept) == list(anew)
    for key, values in anew.items():
        np.testing.assert_array_equal(kept[key], values, err_msg=key)


@pytest.mark.parametrize("name", NAMES)
def test_columns_are_the_same_by_either_module(old_estimators: Path, name: str) -> None:
    theirs, ours = (migrated.drawn(old_estimators, name, module) for module in (tf.feature_column, fc))
    for part in ("linear", "dnn"):
        assert [str(column) for column in from_feature_columns(getattr(theirs, part))] == [
            str(column) for column in getattr(ours, part)
        ]


@pytest.mark.parametrize("name", NAMES)
def test_a_model_was_trained_on_and_has_other_logits_then(old_estimators: Path, name: str) -> None:
    expected = migrated.expected(old_estimators, name)
    assert expected["logits"].shape == expected["later"].shape
    assert len(expected["logits"]) == rows.COUNT
    assert np.abs(expected["later"] - expected["logits"]).max() > 0.01


def test_every_kind_of_column_is_among_those_of_a_model(old_estimators: Path) -> None:
    found = migrated.drawn(old_estimators, "v1/DNNLinearCombinedClassifier")
    kinds = {type(column) for part in (found.linear, found.dnn) for column in part}
    kinds |= {type(column.categorical_column) for column in found.dnn if isinstance(column, fc.EmbeddingColumn)}
    wanted = {kind for kind in vars(fc).values() if isinstance(kind, type) and issubclass(kind, fc.FeatureColumn)}
    abstract = {fc.FeatureColumn, fc.CategoricalColumn, fc.DenseColumn}
    sequences = {fc.SequenceCategoricalColumn, fc.SequenceNumericColumn}
    assert kinds == wanted - abstract - sequences
    assert any(column.shared_by for column in found.dnn if isinstance(column, fc.EmbeddingColumn))


@pytest.mark.parametrize(
    ("name", "slot"),
    [
        ("v1/LinearClassifier", "linear/linear_model/city_X_day_X_hour/weights/part_2/Ftrl_1"),
        ("v1/LinearRegressor", "linear/linear_model/city_X_day_X_hour/weights/part_2/Adagrad"),
        ("v1/DNNClassifier", "dnn/input_from_feature_columns/input_layer/city_embedding/embedding_weights/t_2/Adagrad"),
    ],
)
def test_tables_lie_in_three_parts_and_the_slots_of_each_by_itself(old_estimators: Path, name: str, slot: str) -> None:
    assert tf.train.load_checkpoint(str(old_estimators / name)).has_tensor(slot)


def test_the_same_files_are_packed_into_the_same_bytes_at_any_time(old_estimators: Path, tmp_path: Path) -> None:
    model = shutil.copytree(old_estimators / "v2" / "LinearRegressor", tmp_path / "model")
    first = estimators.pack(model, tmp_path / "first.tar.xz").read_bytes()
    os.utime(model / "arguments.json", (0, 0))
    assert estimators.pack(model, tmp_path / "second.tar.xz").read_bytes() == first
