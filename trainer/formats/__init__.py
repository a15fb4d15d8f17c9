"""Formats that tables, labels and vectors are kept in: one format a file, with what writes it and what reads it.

Those of vectors by key are all used alike: `npz.save(path, keys, values, fields)` and `npz.load(path)`, or `save` and
`load` of this package, which take the format from the file's name and from its content.
"""

import importlib
import os
import pkgutil
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from trainer.errors import Refusal
from trainer.formats.vectors import Vectors, local

__all__ = ["Vectors", "endings", "load", "save"]


def endings() -> dict[str, ModuleType]:
    """Returns the format of vectors by what a file's name ends in: `.parquet`, `.npz` and so on.

    Example:
        >>> sorted(endings())
        ['.bin', '.npz', '.parquet', '.pq', '.safetensors', '.tsv', '.txt', '.vec']
    """
    names = [found.name for found in pkgutil.walk_packages(__path__, f"{__name__}.")]
    modules = map(importlib.import_module, names)
    return {suffix: module for module in modules for suffix in getattr(module, "SUFFIXES", ())}


def save(path: str, keys: Sequence[str], values: Any, fields: Mapping[str, Sequence[str]] | None = None) -> None:
    """Writes vectors by key whole or not at all, in the format that the file's name ends in.

    Args:
        path: Where to, local or remote. `.bin` is word2vec binary, `.txt` and `.vec` are its text; they hold no fields.
        keys: A text for each row.
        values: Floats, `(rows, dimension)`, kept as float32.
        fields: More texts for each row, by name.

    Raises:
        Refusal: The name ends in none of the formats, there are not as many keys or texts of a field as rows, or the
            values are no matrix of floats.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(f"{folder}/days.parquet", ["Mon", "Tue"], np.eye(2), {"kind": ["work", "work"]})
        ...     load(f"{folder}/days.parquet").fields
        {'kind': ['work', 'work']}
    """
    formats = endings()
    for suffix, module in formats.items():
        if path.lower().endswith(suffix):
            module.save(path, keys, values, fields)
            return
    raise Refusal(f"formats: {path} ends in none of {', '.join(sorted(formats))}; name it as one of them.")


def load(path: str) -> Vectors:
    """Returns the vectors by key of a file of any of the formats, told by its content.

    Raises:
        Refusal: The file holds none, or is damaged.
        OSError: The file is not there.
    """
    with local(path) as here:
        module = importlib.import_module(f"{__name__}.{_name(here)}")
        if not getattr(module, "is_vectors", lambda _: True)(here):
            raise Refusal(
                f"formats: {path} holds no vectors by key; a file as {', '.join(sorted(endings()))} is wanted."
            )
        found: Vectors = module.load(here)
        return found


def _name(path: str) -> str:
    """Returns the name of the module that reads a local file."""
    with open(path, "rb") as file:
        start = file.read(16)
    if start.startswith((b"PK", b"\x93NUMPY")):
        return "npz"
    if start.startswith(b"PAR1"):
        return "parquet"
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < os.path.getsize(path):
        return "safetensors"
    return "tsv" if start.startswith(b"key\t") else "word2vec"
