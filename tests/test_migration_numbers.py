"""Estimators with a `label_dimension` above 1: what is learned of several numbers, and what is left of it."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import planted
from tests.estimators import migrated
from trainer import export, models
from trainer import feature_column as fc
from trainer.errors import Refusal
from trainer.heads import goals
from trainer.job import migrating
from trainer.migration import NumbersHead, from_estimator
from trainer.problem import Problem
from trainer.settings import Settings

HOUR = fc.categorical_column_with_identity("hour", 3)
LABELS = np.array([[1.0, 2.0], [0.0, 4.0], [3.0, -1.0]], np.float32)
LOGITS = np.array([[0.0, 0.0], [1.0, 1.0], [3.0, 1.0]], np.float32)
SQUARES = np.array([[1.0, 4.0], [1.0, 9.0], [0.0, 4.0]])
WEIGHTS = np.array([0.5, 2.0, 0.0], np.float32)


def model(reduction: str = "mean") -> keras.Model:
    declared = Problem(
        planted.dataset, linear_feature_columns=[HOUR], head=NumbersHead(2), loss_reduction=reduction, name="two"
    )
    return models.with_slots(models.build(declared))


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_the_loss_is_the_mean_over_all_numbers_or_their_sum_and_weights_are_of_examples(shape: Any) -> None:
    loss, weights = NumbersHead(2).loss(), WEIGHTS.reshape(shape)
    weighted = SQUARES * WEIGHTS[:, None]
    assert float(loss(LABELS, LOGITS)) == pytest.approx(SQUARES.mean())
    assert float(loss(LABELS, LOGITS, weights)) == pytest.approx(weighted.mean())
    loss.reduction = "sum"
    assert float(loss(LABELS, LOGITS)) == pytest.approx(SQUARES.sum())
    assert float(loss(LABELS, LOGITS, weights)) == pytest.approx(weighted.sum())


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_the_error_is_over_all_numbers_of_weighted_examples(shape: Any) -> None:
    (metric,) = NumbersHead(2).metrics()
    for part in (slice(0, 1), slice(1, 3)):
        metric.update_state(LABELS[part], LOGITS[part], WEIGHTS.reshape(shape)[part])
    expected = (SQUARES * WEIGHTS[:, None]).sum() / (2 * WEIGHTS.sum())
    assert float(metric.result()) == pytest.approx(np.sqrt(expected))
    assert goals.known(NumbersHead(2)) == {"loss": False, "rmse": False}


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # Keras's own
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_saved_model_loads_with_its_loss_its_metric_and_its_sums(reduction: str, tmp_path: Path) -> None:
    made = model(reduction)
    made.fit(np.array([0, 1, 1]), LABELS, sample_weight=WEIGHTS, verbose=0)
    made.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for each in (made, again):
        each.fit(np.array([2, 1, 0]), LABELS, sample_weight=WEIGHTS, verbose=0)
    measured = [each.evaluate(np.array([0, 1, 1]), LABELS, verbose=0, return_dict=True) for each in (made, again)]
    assert set(measured[0]) == {"loss", "rmse"}
    assert measured[0] == measured[1]
    assert measured[0]["loss"] == pytest.approx(measured[0]["rmse"] ** 2 * (6 if reduction == "sum" else 1), rel=1e-5)


def test_an_export_answers_with_all_numbers(tmp_path: Path) -> None:
    made = model()
    made.get_layer("linear").bias.assign([1.0, -2.0])
    export.write(str(tmp_path / "export"), made, NumbersHead(2))
    served = tf.saved_model.load(str(tmp_path / "export")).signatures["serving_default"]
    answers = served(hour=tf.constant([0, 1], tf.int64))
    assert answers["predictions"].numpy().tolist() == [[1.0, -2.0], [1.0, -2.0]]


@pytest.mark.parametrize(("labels", "count"), [(LABELS[:, 0], 1), (LABELS[:, :1], 1), (np.ones((3, 3)), 3)])
def test_labels_of_another_count_are_refused_and_not_repeated(labels: Any, count: int) -> None:
    with pytest.raises(Refusal) as refusal:
        model().fit(np.array([0, 1, 1]), labels, verbose=0)
    assert str(refusal.value) == (
        f"NumbersHead: a label has 2 numbers here, and one that came has {count}; give labels of shape (batch, 2) in "
        "your own fit, as a job reads one label a row."
    )


@pytest.mark.parametrize("given", [0, 1.5, True, "2"])
def test_a_count_of_numbers_is_a_whole_one_above_0(given: Any) -> None:
    with pytest.raises(Refusal) as refusal:
        NumbersHead(given)
    assert str(refusal.value) == (
        f"NumbersHead: label_dimension is how many numbers a label has, a whole number above 0, not {given!r}."
    )


def test_another_dimension_than_that_of_the_checkpoint_is_refused(old_estimators: Path) -> None:
    folder = old_estimators / "v1/DNNRegressorOf2"
    given = migrated.arguments(old_estimators, "v1/DNNRegressorOf2") | {"label_dimension": 3}
    with pytest.raises(Refusal) as refusal:
        from_estimator(str(folder), "DNNRegressor", **given)
    assert str(refusal.value) == (
        f"from_estimator: the model and the checkpoint {folder}/model.ckpt-30 do not fit: of other shapes are kernel "
        "of logits is 5 by 3 and 'dnn/logits/kernel' 5 by 2, bias of logits is 3 and 'dnn/logits/bias' 2; declare the "
        "columns and layers as the Estimator had them."
    )


TWO = """
from trainer import feature_column as fc
from trainer.migration import NumbersHead
from trainer.problem import Problem

HOUR = fc.categorical_column_with_identity("hour", 24)
PROBLEM = Problem(None, linear_feature_columns=[HOUR], label="delay", head=NumbersHead(2), name="two")
"""


def test_the_command_line_says_that_a_job_reads_one_label_a_row(tmp_path: Path) -> None:
    (tmp_path / "two.py").write_text(TWO, encoding="utf-8")
    with pytest.raises(Refusal) as refusal:
        migrating.planned(Settings(problem=str(tmp_path / "two.py"), job_dir=str(tmp_path / "run")), [])
    assert str(refusal.value) == (
        "migrate: problem two has a NumbersHead(2), and a job reads one label a row; bring the model over with "
        "trainer.migration.from_estimator and train it by its own fit, or export it with trainer.export.write."
    )
