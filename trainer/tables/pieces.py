"""Checkpoints of what lies on several machines: each writes its own rows, some at a time."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer import paths

PIECE_BYTES = 1 << 26
MOST_PIECES = 32
"""A variable is written in pieces of at least so many bytes, and in at most so many: each is one more file, and takes
its size in memory once more."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows of a tensor that are written by the machine which they lie on.

    Args:
        name: Of the whole tensor.
        shape: Of the whole tensor.
        first: The first of the rows in the whole tensor.
        variable: TensorFlow's, which holds them.
        start: The first of them in the variable.
        rows: How many they are.
    """

    name: str
    shape: tuple[int, ...]
    first: int
    variable: Any
    start: int
    rows: int

    @property
    def slice(self) -> str:
        """Which rows of which shape these are, as TensorFlow writes it.

        Example:
            >>> Piece("table", (10, 2), 5, None, 0, 3).slice
            '10 2 5,3:0,2'
        """
        others = "".join(f":0,{size}" for size in self.shape[1:])
        return f"{' '.join(map(str, self.shape))} {self.first},{self.rows}{others}"


def pieces(name: str, rows: int, first: int, variable: Any) -> Iterator[Piece]:
    """Yields the pieces of a variable that holds rows of a tensor.

    Args:
        name: Of the tensor.
        rows: Of the whole tensor.
        first: The row of it that is the variable's first.
        variable: TensorFlow's, `(own rows, …)`.
    """
    own, *others = (int(size) for size in variable.shape)
    row_bytes = max(1, math.prod(others) * variable.dtype.size)
    step = max(PIECE_BYTES // row_bytes, -(-own // MOST_PIECES), 1)
    for start in range(0, own, step):
        yield Piece(name, (rows, *others), first + start, variable, start, min(step, own - start))


def save(prefix: str, written: Sequence[Piece], tensors: Mapping[str, Any], dtype: Any = None) -> None:
    """Writes a checkpoint of tensors and of pieces of others, each piece by the machine that it lies on.

    Args:
        prefix: Of the checkpoint, in a folder that all machines see.
        written: The pieces.
        tensors: What this process writes, by name.
        dtype: What pieces are written as; None is what they are.
    """
    import tensorflow as tf

    if not written:
        with tf.device("CPU"):  # the op has no other kernel
            _save(prefix, list(tensors), [""] * len(tensors), list(tensors.values()))
        return
    folder = f"{prefix}.parts"
    paths.make_folder(folder)
    parts = []
    for place, piece in enumerate(written):
        parts.append(paths.join(folder, f"{place:05d}"))
        with tf.device(piece.variable.device):
            # To read a variable that is updated by rows copies all of it; to gather rows copies them alone.
            value = piece.variable.sparse_read(tf.range(piece.start, piece.start + piece.rows))
            _save(parts[-1], [piece.name], [piece.slice], [value if dtype is None else tf.cast(value, dtype)])
    with tf.device("CPU"):
        if tensors:
            parts.append(paths.join(folder, "own"))
            _save(parts[-1], list(tensors), [""] * len(tensors), list(tensors.values()))
        tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=parts, destination_prefix=prefix, delete_old_dirs=False)
    paths.remove_folder(folder)


def _save(prefix: str, names: list[str], slices: list[str], tensors: list[Any]) -> None:
    import tensorflow as tf

    tf.raw_ops.SaveV2(prefix=prefix, tensor_names=names, shape_and_slices=slices, tensors=tensors)
