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
from trainer.models.variables import Divided
from trainer.optimizers.copies import is_copied
from trainer.tables import pieces
from trainer.tables.pieces import Piece
from trainer.tables.sharded import Part

STATE = "state.json"
PREFIX = "tensors"
"""The prefix of the tensors' files in a folder, as `tf.train.load_checkpoint` wants it."""


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
        variables: TensorFlow variables by the names of their tensors; the parts of a `Divided` are written by the
            machines that they lie on.
        state: What JSON can hold.
        check: Is given the name and the values of each tensor before these are written, a large one's in pieces.

    Raises:
        OSError: It cannot be written; what there is of it is torn.
    """
    paths.make_folder(folder)
    with _telling():
        found = (piece for name, variable in variables.items() for piece in _pieces(name, variable))
        pieces.write(paths.join(folder, PREFIX), found, check)
    names = paths.names_in(folder)
    for name in names:
        paths.sync(paths.join(folder, name))
    files = {name: paths.size(paths.join(folder, name)) for name in names}
    told = {name: _told(name, each) for name, each in variables.items()}
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
    for name, told in state["tensors"].items():
        for part in told.get("parts", [""]):  # as they were written, so that a large one is not read whole
            _read(folder, name, told, part)
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
    return _read(folder, name, state["tensors"][name], "")


def restore(folder: str, name: str, state: Mapping[str, Any], variable: Any) -> None:
    """Sets a variable as a folder has it; each machine reads the rows that it holds of a `Divided`.

    Args:
        folder: A checkpoint's.
        name: Of the tensor.
        state: Of the folder, as `read` has returned it.
        variable: TensorFlow's, or a `Divided`; how many machines it lay on when it was written does not matter.

    Raises:
        Torn: It is not as it was written.
    """
    told = state["tensors"][name]
    if isinstance(variable, Divided):
        parts = variable.parts
    elif len(told.get("parts", [])) > 1 and not is_copied(variable):  # so that no second table is in memory
        parts = [Part(0, variable)]
    else:
        variable.assign(tensor(folder, name, state))
        return
    for part in parts:
        for text in told.get("parts", [""]):
            start, count = map(int, text.split()[-1].split(":")[0].split(",")) if text else (0, told["shape"][0])
            first, last = max(start, part.first), min(start + count, part.last)
            if first < last:
                with tf.device(part.variable.device):
                    values = _read(folder, name, told, text)[first - start : last - start]
                    rows = tf.range(first - part.first, last - part.first)
                    part.variable.scatter_update(tf.IndexedSlices(values, rows))


def _read(folder: str, name: str, told: Mapping[str, Any], part: str) -> Any:
    try:
        with _telling():
            (found,) = tf.raw_ops.RestoreV2(
                prefix=paths.join(folder, PREFIX),
                tensor_names=[name],
                shape_and_slices=[part],
                dtypes=[tf.as_dtype(told["dtype"])],
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


def _told(name: str, variable: Any) -> dict[str, Any]:
    parts = [piece.slice for piece in _pieces(name, variable)]
    told = {"shape": [*variable.shape], "dtype": variable.dtype.name}
    return {**told, "parts": parts} if parts[0] else told


def _pieces(name: str, variable: Any) -> Iterator[Piece]:
    """Yields a variable as a whole, or, where it is large or in parts, so many of its rows at a time."""
    shape = [*variable.shape]
    size = math.prod(shape) * variable.dtype.size
    if isinstance(variable, Divided):
        for part in variable.parts:
            yield from pieces.cut(name, shape, part, part.variable.device)
    elif size <= pieces.PIECE_BYTES or shape[0] == 1:
        yield Piece(name, variable.read_value, size)
    else:
        yield from pieces.cut(name, shape, Part(0, variable))
