"""A checkpoint as a folder: tensors under names in TensorFlow's own format, and `state.json` with everything else.

`state.json` is written last, with the sizes of the other files, so that a folder that is not whole is known as such
wherever it lies. It knows nothing of models: what is saved under which name is said by who writes.
"""

import errno
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from trainer import paths

STATE = "state.json"
PREFIX = "tensors"
"""The prefix of the tensors' files in a folder, as `tf.train.load_checkpoint` wants it."""

PIECE_BYTES = 1 << 28
"""About how many bytes are read and written at a time, so that saving a table takes no second one of memory."""


class Torn(OSError):
    """A checkpoint is not as it was written."""


def write(
    folder: str,
    variables: Mapping[str, Any],
    state: Mapping[str, Any],
    check: Callable[[str, Any], object] = lambda name, values: None,
) -> None:
    """Writes a folder, which is whole when this returns, and on the disk.

    Args:
        folder: A new one.
        variables: TensorFlow variables by the names of their tensors.
        state: What JSON can hold.
        check: Is given the name and the values of each tensor before these are written, a large one's in pieces.

    Raises:
        OSError: It cannot be written; what there is of it is torn.
    """
    paths.make_folder(folder)
    prefixes = []
    with _telling():
        for number, pieces in enumerate(_gathered(variables)):
            prefixes.append(paths.join(folder, f"part-{number:05d}"))
            _save(prefixes[-1], pieces, check)
        tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=prefixes, destination_prefix=paths.join(folder, PREFIX))
    names = paths.names_in(folder)
    for name in names:
        paths.sync(paths.join(folder, name))
    files = {name: paths.size(paths.join(folder, name)) for name in names}
    told = {name: {"shape": [*each.shape], "dtype": each.dtype.name} for name, each in variables.items()}
    paths.write_text(paths.join(folder, STATE), json.dumps({**state, "tensors": told, "files": files}, indent=1))
    paths.sync(paths.join(folder, STATE))
    paths.sync(folder)


def read(folder: str) -> dict[str, Any]:
    """Returns the state of a folder whose files have the sizes that they were written with.

    Raises:
        Torn: It is not as it was written.
    """
    try:
        state: dict[str, Any] = json.loads(paths.read_text(paths.join(folder, STATE)))
        sizes = {name: paths.size(paths.join(folder, name)) for name in state["files"]}
        for name, wanted in state["files"].items():
            if sizes[name] != wanted:
                raise Torn(f"{name} has {sizes[name]:,} bytes, and {wanted:,} were written")
    except Torn:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Torn(_short(error)) from None
    return state


def check(folder: str) -> dict[str, Any]:
    """Returns the state of a folder that is whole: all of its tensors have been read, by which TensorFlow checks them.

    Raises:
        Torn: It is not as it was written.
    """
    state = read(folder)
    for name in state["tensors"]:
        tensor(folder, name, state)
    return state


def tensor(folder: str, name: str, state: Mapping[str, Any]) -> Any:
    """Returns a tensor of a folder.

    Args:
        folder: A checkpoint's.
        name: Of the tensor.
        state: Of the folder, as `read` has returned it.

    Raises:
        Torn: It is not as it was written.
    """
    dtype = tf.as_dtype(state["tensors"][name]["dtype"])
    try:
        with _telling():
            (found,) = tf.raw_ops.RestoreV2(
                prefix=paths.join(folder, PREFIX), tensor_names=[name], shape_and_slices=[""], dtypes=[dtype]
            )
    except OSError as error:
        raise Torn(error.strerror) from None
    return found


@contextmanager
def _telling() -> Iterator[None]:
    """Makes an `OSError` of what TensorFlow says of a file."""
    try:
        yield
    except (tf.errors.ResourceExhaustedError, tf.errors.OutOfRangeError) as error:  # a full disk, or a file's limit
        raise OSError(errno.ENOSPC, _short(error)) from None
    except tf.errors.OpError as error:
        raise OSError(errno.EIO, _short(error)) from None


def _short(error: Exception) -> str:
    message = error.message if isinstance(error, tf.errors.OpError) else str(error)
    message = re.sub(r"\{\{.*?\}\}", "", message.partition(" [Op:")[0])
    return " ".join(message.split()).removesuffix(".") or type(error).__name__


_Piece = tuple[str, str, Callable[[], Any]]
"""The name of a tensor, which part of it this is, and what reads it."""


def _save(prefix: str, pieces: list[_Piece], check: Callable[[str, Any], object]) -> None:
    values = []
    for name, _, read in pieces:
        values.append(read())
        check(name, values[-1])
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=[name for name, *_ in pieces],
        shape_and_slices=[part for _, part, _ in pieces],
        tensors=values,
    )


def _gathered(variables: Mapping[str, Any]) -> Iterator[list[_Piece]]:
    """Yields pieces, as many together as are not too large."""
    held: list[_Piece] = []
    total = 0
    for name, variable in variables.items():
        for piece, size in _pieces(name, variable):
            if held and total + size > PIECE_BYTES:
                yield held
                held, total = [], 0
            held.append(piece)
            total += size
    yield held


def _pieces(name: str, variable: Any) -> Iterator[tuple[_Piece, int]]:
    """Yields a variable as a whole, or, where it is large, so many of its rows at a time."""
    shape, row = [*variable.shape], math.prod(variable.shape[1:]) * variable.dtype.size
    size = row * shape[0] if shape else variable.dtype.size
    if size <= PIECE_BYTES or shape[0] == 1:
        yield (name, "", variable.read_value), size
        return
    rows = max(1, PIECE_BYTES // row)
    for first in range(0, shape[0], rows):
        count = min(rows, shape[0] - first)
        whole = ":".join([f"{first},{count}", *(f"0,{width}" for width in shape[1:])])
        yield (name, f"{' '.join(map(str, shape))} {whole}", _rows(variable, first, count)), count * row


def _rows(variable: Any, first: int, count: int) -> Callable[[], Any]:
    # Rows are gathered, which copies them alone: to read a table that is updated by rows copies all of it.
    return lambda: variable.sparse_read(tf.range(first, first + count, dtype=tf.int64))
