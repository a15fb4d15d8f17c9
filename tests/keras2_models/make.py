"""Writes models.tar.xz: `python -m tests.keras2_models.make`, by a Python that has TensorFlow 2.15 and its Keras."""

import os
import tarfile
import tempfile
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

from tests.keras2_models import models

SEED = 2015


def main() -> None:
    """Trains and saves each, with what it says of rows that it has not seen."""
    with tempfile.TemporaryDirectory() as folder:
        expected = {}
        for name, save in SAVED.items():
            made = getattr(models, name)(tf.keras, SEED)
            expected[name] = made(models.features(models.rows(SEED)), training=False).numpy()
            save(made, f"{folder}/{name}")
        np.savez(f"{folder}/expected.npz", **expected)
        with tarfile.open(Path(__file__).with_name("models.tar.xz"), "w:xz", preset=9) as archive:
            archive.add(folder, ".", filter=lambda found: None if found.name.endswith("fingerprint.pb") else found)


def _in_all_formats(model: Any, path: str) -> None:
    model.save(path, save_traces=False)  # of recurrent layers they would take megabytes
    model.save(f"{path}.h5")
    model.save(f"{path}.keras")
    model.save_weights(f"{path}.weights.h5")
    model.save_weights(f"{path}_checkpoint/weights")


def _as_a_checkpoint(model: Any, path: str) -> None:
    tf.train.Checkpoint(model=model, optimizer=model.optimizer).save(f"{path}_checkpoint/ckpt")


SAVED = {
    "functional": _in_all_formats,
    "sequential": lambda model, path: model.save(path),
    "premade": lambda model, path: model.save(f"{path}.keras"),
    "subclassed": _as_a_checkpoint,
}

if __name__ == "__main__":
    main()
