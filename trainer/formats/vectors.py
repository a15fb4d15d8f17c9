"""Vectors by key as a file holds them: what each format saves and loads, and what it is given and finds is held to."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from trainer import paths
from trainer.errors import Refusal

_Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Vectors:
    """Keys, each with a vector and its fields.

    Args:
        keys: The texts that the vectors are known by; they may repeat.
        values: Float32, `(keys, dimension)`.
        fields: More texts of each key, by the name of the field, such as the airline of a route.
    """

    keys: list[str]
    values: np.ndarray[Any, np.dtype[np.float32]]
    fields: dict[str, list[str]] = field(default_factory=dict)


def given(who: str, path: str, keys: Sequence[str], values: Any, fields: Mapping[str, Sequence[str]] | None) -> Vectors:
    """Returns what a person wants to save, with float32 values.

    Args:
        who: The format, which a refusal begins with.
        path: Where to.
        keys: A text for each row.
        values: Floats, `(rows, dimension)`; those of other widths are rounded to float32.
        fields: More texts for each row, by name.

    Raises:
        Refusal: The values are no matrix of a column at least, or there are not as many keys or fields as rows.
    """
    matrix = np.asarray(values)
    if matrix.ndim != 2 or matrix.shape[1] < 1 or matrix.dtype.kind not in "fV":
        raise Refusal(
            f"{who}: {path} takes a matrix of floats with a column at least, not {matrix.dtype} of shape "
            f"{matrix.shape}; give (keys, dimension)."
        )
    found = Vectors(
        list(keys),
        np.ascontiguousarray(matrix, np.float32),
        {name: list(texts) for name, texts in (fields or {}).items()},
    )
    if wrong := _other_length(found):
        raise Refusal(f"{who}: {path} takes {len(matrix):,} rows, and there are {wrong}; give one a row.")
    return found


def found(who: str, path: str, vectors: Vectors) -> Vectors:
    """Returns what a file holds, where it fits together.

    Raises:
        Refusal: The vectors are no matrix, or there are not as many keys or fields as rows.
    """
    if vectors.values.ndim != 2:
        raise Refusal(
            f"{who}: {path} is damaged: its vectors are of shape {vectors.values.shape}; fetch or save it again."
        )
    if wrong := _other_length(vectors):
        rows = len(vectors.values)
        raise Refusal(f"{who}: {path} is damaged: it holds {wrong} for {rows:,} rows; fetch or save it again.")
    return vectors


def _other_length(vectors: Vectors) -> str:
    """Returns what there is another number of than of rows, or the empty string."""
    rows = len(vectors.values)
    if len(vectors.keys) != rows:
        return f"{len(vectors.keys):,} keys"
    wrong = (f"{len(texts):,} of field '{name}'" for name, texts in vectors.fields.items() if len(texts) != rows)
    return next(wrong, "")


@contextmanager
def local(path: str) -> Iterator[str]:
    """Yields a local path to a file, that of a copy where it is remote; a refusal inside calls the file by its own.

    Raises:
        OSError: The remote file is not there.
    """
    if not paths.is_remote(path):
        yield path
        return
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        copy = str(Path(folder, os.path.basename(path) or "file"))
        try:
            tf.io.gfile.copy(path, copy)
        except tf.errors.OpError as error:
            raise OSError(error.message or f"{path} cannot be read") from None
        try:
            yield copy
        except Refusal as refusal:
            raise Refusal(str(refusal).replace(copy, path)) from None
