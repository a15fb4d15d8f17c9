"""Estimators that TensorFlow 2.15 trains now, of another seed than those in the archive."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.estimators import migrated

ROOT = Path(__file__).parents[1]
NAMES = ["v1/DNNClassifier", "v2/DNNLinearCombinedClassifier"]
"""As many as time allows: both generations; deep, and wide and deep; in parts and not; a shared table and none."""


@pytest.mark.slow
def test_estimators_trained_now_have_the_logits_of_their_keras_3_models(old_tensorflow: Path, tmp_path: Path) -> None:
    folder = tmp_path / "estimators"
    command = [str(old_tensorflow), "-m", "tests.estimators.make", str(folder), "--seed", "2015", "--short"]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    subprocess.run([*command, "--models", *NAMES], check=True, cwd=ROOT, env=environment)
    for name in NAMES:
        found = migrated.logits(migrated.model(folder, name), folder, name)
        wanted = migrated.expected(folder, name)["logits"]
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5, err_msg=name)
