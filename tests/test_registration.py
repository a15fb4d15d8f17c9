import subprocess
import sys
from pathlib import Path

import keras
import pytest

from trainer import feature_column as fc
from trainer import layers, optimizers, registration
from trainer.registration import CLASSES, PACKAGE

LOAD = """
import sys
{imports}
assert "trainer.layers" not in sys.modules
print(keras.models.load_model(sys.argv[1]).layers[-1].__class__.__module__)
"""


def test_every_class_that_keras_registers_for_the_package_is_listed() -> None:
    known = [name for name in keras.saving.get_custom_objects() if name.startswith(f"{PACKAGE}>")]
    assert sorted(known) == sorted(f"{PACKAGE}>{name}" for name in CLASSES)
    for name, module in CLASSES.items():
        assert hasattr({"trainer.layers": layers, "trainer.optimizers": optimizers}[module], name)


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


def test_import_trainer_loads_neither_keras_nor_tensorflow() -> None:
    code = "import sys, trainer; print([name for name in ('keras', 'tensorflow') if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
