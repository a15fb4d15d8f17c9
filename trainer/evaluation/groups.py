"""Rows by the values that they have of a feature."""

from itertools import pairwise
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.encoding.coded import decoded
from trainer.terminal import shown

MISSING = "(missing)"
MOST_NUMBERS, RANGES = 24, 10
"""Up to how many different floats each is a value; of more, how many ranges of about as many rows each."""

Array = np.ndarray[Any, Any]


class Groups:
    """The rows of each value of a feature, as they come batch by batch; a row with several values is in each of them.

    Example:
        >>> groups = Groups()
        >>> groups.add(np.array([b"UA", b"AA", b"UA"]))
        >>> {name: rows.tolist() for name, rows in groups.rows().items()}
        {'AA': [1], 'UA': [0, 2]}
    """

    def __init__(self) -> None:
        self._count = 0
        self._rows: list[Array] = []
        self._codes: list[Array] = []
        self._floats: list[Array] = []
        self._names: dict[str, int] = {}

    def add(self, values: Any) -> None:
        """Takes the values of the next rows: a tensor, dense, ragged or sparse, an array, or coded values."""
        values = decoded(values)
        values = tf.RaggedTensor.from_sparse(values) if isinstance(values, tf.SparseTensor) else values
        if isinstance(values, tf.RaggedTensor):
            lengths = values.row_lengths().numpy()
            flat, empty = values.flat_values.numpy(), np.flatnonzero(lengths == 0)
            self._take(flat, np.repeat(np.arange(len(lengths)), lengths))
            self._take(
                np.full(len(empty), np.nan) if flat.dtype.kind == "f" else np.full(len(empty), b"", object), empty
            )
            self._count += len(lengths)
            return
        array = np.asarray(values)
        each = array.size // max(len(array), 1)
        self._take(array.reshape(-1), np.repeat(np.arange(len(array)), each))
        self._count += len(array)

    def rows(self) -> dict[str, Array]:
        """Returns the places of the rows that have each value, by the value as a person reads it."""
        if not self._rows:
            return {}
        rows = np.concatenate(self._rows)
        names, codes = (self._names, np.concatenate(self._codes)) if not self._floats else self._ranges()
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(np.bincount(codes, minlength=len(names)))
        parts = np.split(rows[order], ends[:-1])
        found = {name: np.unique(parts[code]) for name, code in names.items()}
        return dict(sorted((name, places) for name, places in found.items() if len(places)))

    def _take(self, flat: Array, rows: Array) -> None:
        self._rows.append(rows + self._count)
        if flat.dtype.kind == "f":
            self._floats.append(flat.astype(np.float64))
            return
        different, codes = np.unique(flat, return_inverse=True)
        numbers = [self._names.setdefault(_text(value), len(self._names)) for value in different.tolist()]
        self._codes.append(np.array(numbers, np.int64)[codes.reshape(-1)])

    def _ranges(self) -> tuple[dict[str, int], Array]:
        """Returns floats as values where they are few, else as ranges."""
        floats = np.concatenate(self._floats)
        there = np.isfinite(floats)
        different = np.unique(floats[there])
        if len(different) <= MOST_NUMBERS:
            names, codes = [f"{value:g}" for value in different], np.searchsorted(different, floats)
        else:
            edges = np.unique(np.quantile(floats[there], np.linspace(0, 1, RANGES + 1)))
            names = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
            codes = np.clip(np.searchsorted(edges, floats, "right") - 1, 0, len(names) - 1)
        codes = np.where(there, codes, len(names))
        return {name: code for code, name in enumerate([*names, MISSING])}, codes


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    return MISSING if value in ("", -1) else shown(str(value))
