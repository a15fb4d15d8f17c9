"""Rows of raw features in every form that a column takes them in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

BOTH = frozenset({"dense", "sparse"})

Features = dict[str, Any]


@dataclass(frozen=True)
class Rows:
    """The values of one feature.

    Args:
        values: Nested lists, `(batch, k)` or `(batch, time, k)`, None where a value is missing; of numbers that are
            dense in every form, `(batch, *shape)` without None.
        dtype: Of the tensors.
        forms: In which TensorFlow and we mean the same by them, of "dense" and "sparse"; none for numbers, which are
            always dense.
        flat: Whether the dense form of one value an example is `(batch,)`.
        padding: What is missing in the dense form; None is '' or -1.
    """

    values: Any
    dtype: tf.DType
    forms: frozenset[str] = BOTH
    flat: bool = False
    padding: Any = None

    @property
    def cells(self) -> Any:
        """The values as an array of Python's objects."""
        return np.array(self.values, dtype=object)

    @property
    def is_gapless(self) -> bool:
        """Tells whether no value comes after a missing one of its example."""
        there = np.array([[value is not None for value in row] for row in self.cells.reshape(len(self.values), -1)])
        return bool((np.sort(there, axis=1)[:, ::-1] == there).all())

    def dense(self) -> Any:
        """Returns a tensor in which what is missing is padding."""
        padding = self.padding if self.padding is not None else "" if self.dtype == tf.string else -1
        cells = np.where(self.cells == None, padding, self.cells)  # noqa: E711  # of each cell
        flat = self.flat and cells.shape[1:] == (1,)
        return tf.constant((cells[:, 0] if flat else cells).tolist(), self.dtype)

    def sparse(self) -> tf.SparseTensor:
        """Returns a sparse tensor in which what is missing is not there."""
        places = np.argwhere(self.cells != None).reshape([-1, self.cells.ndim])  # noqa: E711  # of each cell
        values = [self.cells[tuple(place)] for place in places]
        return tf.SparseTensor(places, tf.constant(values, self.dtype), self.cells.shape)

    def ragged(self) -> Any:
        """Returns a ragged tensor, padded up to the last value of an example as the dense one is."""
        dense = Rows(self.values, self.dtype, padding=self.padding).dense()
        if dense.shape.rank > 2:
            return tf.RaggedTensor.from_tensor(dense, ragged_rank=2)
        lengths = [
            max((place + 1 for place, value in enumerate(row) if value is not None), default=0) for row in self.cells
        ]
        return tf.RaggedTensor.from_tensor(dense, lengths=lengths)


def formed(rows: Mapping[str, Rows], form: str) -> Features:
    """Returns features in a form.

    Args:
        rows: By key.
        form: "dense", "sparse", "ragged"; "mixed", dense and sparse in turn; "own", each in a form that it has.
    """
    found = {}
    for place, (key, given) in enumerate(sorted(rows.items())):
        one = {"mixed": ("dense", "sparse")[place % 2], "own": min(given.forms, default="")}.get(form, form)
        found[key] = getattr(given, one if given.forms else "dense")()
    return found


def forms(rows: Mapping[str, Rows]) -> list[tuple[str, str]]:
    """Returns the forms to compare in: TensorFlow's, and ours."""
    bags = [given for given in rows.values() if given.forms]
    alike = sorted(BOTH.intersection(*(given.forms for given in bags)))
    if not bags:
        return [("dense", "dense")]
    found = [(form, form) for form in alike or ["own"]]
    found.append((found[-1][0], "ragged"))
    if len(bags) > 1 and len(alike) > 1:
        found.append(("mixed", "mixed"))
    return found


def as_examples(rows: Mapping[str, Rows]) -> list[bytes]:
    """Returns features as serialized `tf.train.Example`s, without what is missing."""
    found = []
    for place in range(len(next(iter(rows.values())).values)):
        features = {key: _feature(given, place) for key, given in rows.items()}
        found.append(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    return found


def _feature(given: Rows, place: int) -> Any:
    values = [value for value in given.cells[place].ravel() if value is not None]
    if given.dtype == tf.string:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode() for value in values]))
    if given.dtype.is_integer:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))
