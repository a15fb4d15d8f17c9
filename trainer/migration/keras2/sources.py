"""What a person gives as a model of Keras 2, found: an object, a file or a folder, of a kind told by its content."""

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from trainer import paths
from trainer.errors import Refusal, nearest
from trainer.migration.keras2 import archives, checkpoints, in_memory
from trainer.migration.keras2.old import Node, OldModel
from trainer.warm_start import checkpoint
from trainer.warm_start.places import local

_KINDS = "the folder of a SavedModel, an .h5, .keras or .weights.h5 file, or a TensorFlow checkpoint"


def opened(given: Any, like: Node | None) -> OldModel:
    """Returns what a model of Keras 2 holds; its weights are not read yet.

    Args:
        given: A model of `tf_keras`, or a path.
        like: The layers of the model that weights without an architecture are for.

    Raises:
        Refusal: It is no model of Keras 2, nothing is there, or it is damaged.
    """
    if isinstance(given, (str, os.PathLike)):
        path = os.fspath(given)
        path = path if paths.is_remote(path) else os.path.expanduser(path)
        with _read(path):
            return _at(path, like)
    if in_memory.is_keras2(given):
        return in_memory.opened(given)
    raise Refusal(
        f"a model of Keras 2 is wanted, an object of tf_keras or the path of one, not {type(given).__name__} of "
        f"{type(given).__module__.partition('.')[0]}."
    )


@contextmanager
def _read(path: str) -> Iterator[None]:
    """Refuses what cannot be read."""
    try:
        yield
    except Refusal:
        raise
    # What is raised for half a file depends on where it ends.
    except (OSError, ValueError, KeyError, IndexError, RuntimeError, zipfile.BadZipFile, tf.errors.OpError):
        raise Refusal(f"{path} is damaged: it cannot be read; copy it, or save it, again.") from None


def _at(path: str, like: Node | None) -> OldModel:
    if prefix := checkpoint.prefix_of(path):
        return checkpoints.opened(prefix, path)
    if not paths.exists(path):
        folder, name = os.path.split(path.rstrip("/"))
        there = paths.names_in(folder or ".") if paths.is_folder(folder or ".") else []
        raise Refusal(f"there is no {path}{nearest(name, there) or f'; give {_KINDS}.'}")
    if paths.is_folder(path):
        return _in_folder(path)
    file, copy = local(path)
    with open(file, "rb") as beginning:
        start = beginning.read(4)
    if start == b"\x89HDF":
        return archives.opened_hdf5(path, file, like, copy)
    if start.startswith(b"PK") and "config.json" in zipfile.ZipFile(file).namelist():
        return archives.opened_keras(path, file)
    raise Refusal(f"{path} is no model of Keras 2; give {_KINDS}.")


def _in_folder(path: str) -> OldModel:
    if paths.exists(paths.join(path, "saved_model.pb")):
        return checkpoints.opened_saved_model(path)
    if prefix := checkpoint.latest(path):
        return checkpoints.opened(prefix, prefix)
    raise Refusal(f"in {path} is no model of Keras 2; give {_KINDS}.")
