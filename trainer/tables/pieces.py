"""Checkpoints written in pieces: each machine writes its own rows, some at a time, so that none is in memory twice."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.tables.sharded import Part

PIECE_BYTES = 1 << 26
"""About how many bytes are written at a time, so that saving a table takes no second one of memory."""

SERVER_BYTES = 1 << 26
"""The same on a parameter server, whose memory is small for what it holds."""

MOST_PIECES = 32
"""Of a part on a server; each is a file."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A tensor, or some rows of one, that is written at a time.

    Args:
        name: Of the tensor.
        read: Returns the values.
        size: Their bytes.
        slice: Which rows of which shape these are, as TensorFlow writes it; "" is the whole.
        device: The parameter server that they lie on and that writes them; "" is this process.
    """

    name: str
    read: Callable[[], Any]
    size: int
    slice: str = ""
    device: str = ""


def cut(name: str, shape: Sequence[int], part: Part, device: str = "") -> Iterator[Piece]:
    """Yields the pieces of some rows of a tensor.

    Args:
        name: Of the tensor.
        shape: Of the whole tensor.
        part: The rows.
        device: The parameter server that they lie on; "" is this process.
    """
    row = max(1, math.prod(shape[1:]) * part.variable.dtype.size)
    rows = max(1, PIECE_BYTES // row)
    if device:
        rows = max(1, SERVER_BYTES // row, -(-(part.last - part.first) // MOST_PIECES))
    for first in range(part.first, part.last, rows):
        count = min(rows, part.last - first)
        read = _reader(part.variable, first - part.first, count)
        yield Piece(name, read, count * row, slice_of(shape, first, count), device)


def slice_of(shape: Sequence[int], first: int, count: int) -> str:
    """Returns which rows of which shape are meant, as TensorFlow writes it.

    Example:
        >>> slice_of((10, 2), 5, 3)
        '10 2 5,3:0,2'
    """
    return f"{' '.join(map(str, shape))} {':'.join([f'{first},{count}', *(f'0,{width}' for width in shape[1:])])}"


def write(
    prefix: str,
    pieces: Iterable[Piece],
    check: Callable[[str, Any], object] = lambda name, values: None,
    together: float | None = None,
) -> None:
    """Writes a checkpoint, in which each tensor is one whatever pieces it was written in.

    Args:
        prefix: Of the checkpoint, in a folder that all machines see.
        pieces: At least one.
        check: Is given the name and the values of each piece before it is written.
        together: How many bytes of this process's are written at a time; None is `PIECE_BYTES`.

    Raises:
        tf.errors.OpError: It cannot be written.
    """
    import tensorflow as tf

    prefixes = []
    for number, group in enumerate(_gathered(pieces, PIECE_BYTES if together is None else together)):
        prefixes.append(f"{prefix}-part-{number:05d}")
        with tf.device(group[0].device or "CPU"):  # the op has no other kernel
            _save(prefixes[-1], group, check)
    with tf.device("CPU"):
        tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=prefixes, destination_prefix=prefix, delete_old_dirs=False)


def _save(prefix: str, pieces: Sequence[Piece], check: Callable[[str, Any], object]) -> None:
    import tensorflow as tf

    values = []
    for piece in pieces:
        values.append(piece.read())
        check(piece.name, values[-1])
    names, slices = [piece.name for piece in pieces], [piece.slice for piece in pieces]
    tf.raw_ops.SaveV2(prefix=prefix, tensor_names=names, shape_and_slices=slices, tensors=values)


def _gathered(pieces: Iterable[Piece], together: float) -> Iterator[list[Piece]]:
    """Yields pieces of one machine, as many together as are not too large."""
    held: list[Piece] = []
    for piece in pieces:
        total = sum(each.size for each in held) + piece.size
        if held and (total > (SERVER_BYTES if piece.device else together) or piece.device != held[0].device):
            yield held
            held = []
        held.append(piece)
    yield held


def _reader(variable: Any, first: int, count: int) -> Callable[[], Any]:
    import tensorflow as tf

    # Rows are gathered, which copies them alone: to read a table that is updated by rows copies all of it.
    return lambda: variable.sparse_read(tf.range(first, first + count, dtype=tf.int64))
