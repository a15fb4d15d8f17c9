"""Trains models by the Keras of TensorFlow 2.15, and saves them as people have them.

Without a folder `python -m tests.keras2_models.make` writes models.tar.xz. It needs a Python that has TensorFlow 2.15,
and nothing else.
"""

import argparse
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
    """Saves each model, with what it says of rows that it has not seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    if given.folder:
        save(given.folder, given.seed)
        return
    with tempfile.TemporaryDirectory() as folder:
        save(folder, given.seed)
        with tarfile.open(Path(__file__).with_name("models.tar.xz"), "w:xz", preset=9) as archive:
            archive.add(folder, ".", filter=lambda found: None if found.name.endswith("fingerprint.pb") else found)


def save(folder: str, seed: int) -> None:
    """Trains and saves the models."""
    expected = {}
    for name, saved in SAVED.items():
        made = getattr(models, name)(tf.keras, seed)
        expected[name] = made(models.features(models.rows(seed)), training=False).numpy()
        saved(made, f"{folder}/{name}")
    np.savez(f"{folder}/expected.npz", **expected)


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
