import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import planted
from trainer import export, models
from trainer import feature_column as fc
from trainer.errors import Refusal
from trainer.heads import MultiClassHead, PoissonRegressionHead
from trainer.problem import Problem


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    return models.build(planted.PROBLEM)


@pytest.fixture(scope="module")
def folder(model: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    export.write(str(folder), model, planted.PROBLEM.head)
    return folder


def features(count: int = 50) -> dict[str, tf.Tensor]:
    raw, _ = planted.rows("test", count)
    return {key: tf.constant(values) for key, values in raw.items()}


def test_the_exported_model_answers_as_the_model_does(model: keras.Model, folder: Path) -> None:
    served = tf.saved_model.load(str(folder)).signatures["serving_default"](**features())
    logits = model(features()).numpy()
    np.testing.assert_allclose(served["logits"], logits, atol=1e-6)
    np.testing.assert_allclose(served["probabilities"], 1 / (1 + np.exp(-logits)), atol=1e-6)


def test_a_missing_and_an_unknown_value_are_answered_too(folder: Path) -> None:
    raw = {
        "day": tf.constant(["", "Caturday"]),
        "hour": tf.constant([-1, 3], tf.int64),
        "distance": tf.constant([1.0, 2.0]),
    }
    served = tf.saved_model.load(str(folder)).signatures["serving_default"](**raw)
    assert np.isfinite(served["logits"]).all()


def test_the_exported_model_loads_without_this_package(folder: Path) -> None:
    code = (
        "import sys; sys.modules['trainer'] = None; import tensorflow as tf\n"
        f"served = tf.saved_model.load({str(folder)!r}).signatures['serving_default']\n"
        "print(served(day=tf.constant(['Mon']), hour=tf.constant([8], tf.int64), distance=tf.constant([500.0])).keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "probabilities" in done.stdout


def test_names_that_a_signature_cannot_have_are_mapped_and_kept_beside_the_model(tmp_path: Path) -> None:
    column = fc.categorical_column_with_identity("native country", 4)
    problem = Problem(dataset=planted.dataset, linear_feature_columns=[column], head=MultiClassHead(3))
    export.write(str(tmp_path), models.build(problem), problem.head)
    assert json.loads((tmp_path / "features.json").read_text()) == {"native country": "native_country"}
    served = tf.saved_model.load(str(tmp_path)).signatures["serving_default"](native_country=tf.constant([2], tf.int64))
    assert served["classes"].shape == (1,)
    np.testing.assert_allclose(served["probabilities"], [[1 / 3] * 3], atol=1e-6)


def test_names_that_would_clash_are_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        export.signature_names(["a b", "a-b"])
    assert str(refusal.value) == (
        "export: features 'a b' and 'a-b' would both be named 'a_b' in the exported model; rename one."
    )


def test_a_model_of_counts_answers_the_mean_times_the_exponential_of_its_logits(
    model: keras.Model, tmp_path: Path
) -> None:
    export.write(str(tmp_path), model, PoissonRegressionHead(12.5))
    served = tf.saved_model.load(str(tmp_path)).signatures["serving_default"](**features())
    assert list(served) == ["predictions"]
    np.testing.assert_allclose(served["predictions"], 12.5 * np.exp(model(features())), rtol=1e-5)
