import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tests import planted
from trainer import feature_column as fc
from trainer import layers, models, optimizers, registration
from trainer.heads import PoissonRegressionHead, RegressionHead, counts, metrics, ranking
from trainer.migration.estimator import numbers, rms_prop
from trainer.problem import Problem
from trainer.registration import CLASSES, PACKAGE

LOAD = """
import sys
{imports}
assert "trainer.layers" not in sys.modules
print(keras.models.load_model(sys.argv[1]).layers[-1].__class__.__module__)
"""
EVALUATE = """
import sys
{imports}
import numpy as np
assert "trainer.heads" not in sys.modules
model = keras.models.load_model(sys.argv[1])
answers = model.evaluate(np.array([0, 1, 1]), np.array([[1.0], [2.0], [5.0]]), verbose=0, return_dict=True)
print(type(model.loss).__module__, model.loss.mean, sorted(answers.items()))
"""


def test_every_class_that_keras_registers_for_the_package_is_listed() -> None:
    known = [name for name in keras.saving.get_custom_objects() if name.startswith(f"{PACKAGE}>")]
    assert sorted(known) == sorted(f"{PACKAGE}>{name}" for name in CLASSES)
    rooms = {
        "trainer.layers": layers,
        "trainer.optimizers": optimizers,
        "trainer.heads.counts": counts,
        "trainer.heads.metrics": metrics,
        "trainer.heads.ranking": ranking,
        "trainer.migration.estimator.numbers": numbers,
        "trainer.migration.estimator.rms_prop": rms_prop,
    }
    for name, module in CLASSES.items():
        assert hasattr(rooms[module], name)


def test_a_class_that_is_imported_already_keeps_its_place() -> None:
    registration.register()
    assert keras.saving.get_registered_object("trainer>DenseFeatures") is layers.DenseFeatures


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # Keras's own
@pytest.mark.parametrize(
    "imports", ["import trainer, keras", "import keras, trainer", "import trainer, tensorflow, keras"]
)
def test_a_saved_model_loads_after_import_trainer_alone(tmp_path: Path, imports: str) -> None:
    columns = [fc.embedding_column(fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue"]), 2)]
    raw = layers.inputs(columns)
    keras.Model(raw, layers.DenseFeatures(columns)(raw)).save(tmp_path / "model.keras")
    ran = subprocess.run(
        [sys.executable, "-c", LOAD.format(imports=imports), str(tmp_path / "model.keras")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.strip() == "trainer.layers.dense_features", ran.stderr


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # Keras's own
@pytest.mark.parametrize(
    "imports",
    [
        "import trainer, keras",
        pytest.param("import keras, trainer", marks=pytest.mark.slow),
        pytest.param("import trainer, tensorflow, keras", marks=pytest.mark.slow),
    ],
)
def test_a_saved_model_of_counts_loads_with_its_loss_and_metrics(tmp_path: Path, imports: str) -> None:
    hour = fc.categorical_column_with_identity("hour", 2)
    model = models.build(Problem(planted.dataset, linear_feature_columns=[hour], head=PoissonRegressionHead(2.5)))
    model.save(tmp_path / "model.keras")
    hours, counts = np.array([0, 1, 1]), np.array([[1.0], [2.0], [5.0]])
    expected = model.evaluate(hours, counts, verbose=0, return_dict=True)
    assert set(expected) == {"loss", "rmse", "rmse_over_mean", "rmsle"}
    ran = subprocess.run(
        [sys.executable, "-c", EVALUATE.format(imports=imports), str(tmp_path / "model.keras")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.strip() == f"trainer.heads.counts 2.5 {sorted(expected.items())}", ran.stderr


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # Keras's own
def test_a_saved_model_of_logarithms_loads_with_its_loss_and_metrics(tmp_path: Path) -> None:
    hour = fc.categorical_column_with_identity("hour", 2)
    head = RegressionHead(4.0, 0.5, log=True)
    model = models.build(Problem(planted.dataset, linear_feature_columns=[hour], head=head))
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    hours, prices = np.array([0, 1, 1]), np.array([[100.0], [20.0], [50.0]])
    expected = model.evaluate(hours, prices, verbose=0, return_dict=True)
    assert set(expected) == {"loss", "rmse", "r2", "median_absolute_error"}
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.evaluate(hours, prices, verbose=0, return_dict=True) == expected


def test_import_trainer_loads_neither_keras_nor_tensorflow() -> None:
    code = "import sys, trainer; print([name for name in ('keras', 'tensorflow') if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
