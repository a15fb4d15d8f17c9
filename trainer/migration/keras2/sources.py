"""What a person gives as a model of Keras 2, found: an object, a file or a folder, of a kind told by its content."""

import os
import zipfile
from typing import Any

from trainer import paths
from trainer.errors import Refusal
from trainer.migration.keras2 import archives, checkpoints, in_memory
from trainer.migration.keras2.old import Node, OldModel
from trainer.warm_start import checkpoint
from trainer.warm_start.places import found, local

_KINDS = "the folder of a SavedModel, an .h5, .keras or .weights.h5 file, or a TensorFlow checkpoint"


def opened(given: Any, like: Node | None) -> OldModel:
    """Returns what a model of Keras 2 holds; its weights are not read yet.

    Args:
        given: A model of `tf_keras`, or a path.
        like: The layers of the model that weights without an architecture are for.

    Raises:
        Refusal: It is no model of Keras 2, or nothing is there.
    """
    if isinstance(given, (str, os.PathLike)):
        return _at(found(os.path.expanduser(os.fspath(given))), like)
    if in_memory.is_keras2(given):
        return in_memory.opened(given)
    raise Refusal(
        f"a model of tf_keras is wanted, or a path, not {type(given).__name__}; a model of Keras 3 needs no more"
    )


def _at(path: str, like: Node | None) -> OldModel:
    if prefix := checkpoint.prefix_of(path):
        return checkpoints.opened(prefix, path)
    if paths.is_folder(path):
        if paths.exists(paths.join(path, "saved_model.pb")):
            return checkpoints.opened_saved_model(path)
        if prefix := checkpoint.latest(path):
            return checkpoints.opened(prefix, prefix)
        raise Refusal(f"in {path} is no model of Keras 2; give {_KINDS}")
    file, copy = local(path)
    with open(file, "rb") as opened_file:
        start = opened_file.read(4)
    if start == b"\x89HDF":
        return archives.opened_hdf5(path, file, like, copy)
    if start.startswith(b"PK") and "config.json" in zipfile.ZipFile(file).namelist():
        return archives.opened_keras(path, file)
    raise Refusal(f"{path} is no model of Keras 2; give {_KINDS}")
