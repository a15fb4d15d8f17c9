"""Every canned Estimator, of both generations, as a Keras 3 model, held against what the Estimator itself had done."""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.estimators import migrated
from tests.estimators.models import MODELS
from trainer import feature_column, optimizers
from trainer.migration import from_feature_columns
from trainer.models import WIDE

NAMES = [model.name for model in MODELS]


@pytest.mark.parametrize("name", NAMES)
def test_columns_of_tensorflow_become_those_that_are_declared_here(old_estimators: Path, name: str) -> None:
    theirs, ours = (migrated.drawn(old_estimators, name, fc) for fc in (tf.feature_column, feature_column))
    assert repr(from_feature_columns([*theirs.linear, *theirs.dnn])) == repr([*ours.linear, *ours.dnn])


@pytest.mark.parametrize("name", ["v1/DNNLinearCombinedClassifier", "v2/DNNRegressor", "v2/LinearClassifier"])
def test_columns_of_tensorflow_give_the_logits_of_the_estimator(old_estimators: Path, name: str) -> None:
    model = migrated.model(old_estimators, name, tf.feature_column)
    found = migrated.logits(model, old_estimators, name)
    np.testing.assert_allclose(found, migrated.expected(old_estimators, name)["logits"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_our_columns_give_its_logits_and_those_after_100_more_steps(old_estimators: Path, name: str) -> None:
    model, expected = migrated.model(old_estimators, name), migrated.expected(old_estimators, name)
    check_learning_rates(model, migrated.known(old_estimators, name)["learning_rates"])
    found = migrated.logits(model, old_estimators, name)
    np.testing.assert_allclose(found, expected["logits"], rtol=0, atol=1e-5)
    model.fit(migrated.batches(old_estimators, name), shuffle=False, verbose=0)
    later = migrated.logits(model, old_estimators, name)
    np.testing.assert_allclose(later, expected["later"], rtol=0, atol=1e-4)


def check_learning_rates(model: keras.Model, wanted: Mapping[str, float]) -> None:
    biases = {"dnn_optimizer": "logits", "linear_optimizer": WIDE}
    for part, rate in wanted.items():
        found = optimizers.of(model.optimizer, model.get_layer(biases[part]).bias).learning_rate
        assert float(found) == pytest.approx(rate), part
