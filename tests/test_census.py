"""A program for `tf.feature_column` and the old Keras runs here with its imports changed, and learns as well."""

import importlib
import os
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).parent / "examples" / "census.py"
OLD_IMPORTS = {
    "import keras\n": "import tf_keras as keras\n",
    "from trainer import feature_column as fc\n": "from tensorflow import feature_column as fc\n",
    "from trainer.layers import DenseFeatures\n": "from tf_keras.layers import DenseFeatures\n",
}


@pytest.fixture
def adult() -> str:
    """The folder with the census files."""
    data = os.environ.get("TRAINER_TEST_DATA")
    if data is None:
        pytest.skip("TRAINER_TEST_DATA names no folder with adult/adult.data.gz and adult/adult.test.gz")
    return str(Path(data) / "adult")


def old_program() -> ModuleType:
    """The same text with the old imports."""
    text = FILE.read_text(encoding="utf-8")
    for new, old in OLD_IMPORTS.items():
        assert text.count(new) == 1
        text = text.replace(new, old)
    assert "trainer" not in text
    module = ModuleType("old_census")
    exec(compile(text, str(FILE), "exec"), vars(module))
    return module


@pytest.mark.slow
def test_the_census_program_of_the_old_columns_learns_with_only_its_imports_changed(adult: str) -> None:
    assert importlib.import_module("tests.examples.census").main(adult) >= 0.853


@pytest.mark.slow
def test_the_census_program_with_its_old_imports_is_the_old_program(adult: str) -> None:
    new = importlib.import_module("tests.examples.census")
    old = old_program()
    assert type(old.build_model(steps=1)).__module__.startswith("tf_keras")
    before, after = (program.main(adult, epochs=2) for program in (old, new))
    assert before > 0.84
    assert after == pytest.approx(before, abs=0.01)
