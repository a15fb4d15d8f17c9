"""Data sets of HDF5 files, as Keras writes its weights (`.weights.h5`, `.h5`); they are only read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h5py  # type: ignore[import-untyped]  # it comes without types
import ml_dtypes
import numpy as np

from trainer.errors import Refusal, nearest

_BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
_TWO_BYTES = np.dtype("V2")
_EMBEDDINGS = ("embeddings", "embeddings:0")
"""What Keras calls the table of an Embedding layer."""

_OF_OPTIMIZER = "optimizer_weights"
"""Where `.h5` holds slots, under the names of the weights that they are for."""


def shapes(path: str) -> dict[str, tuple[tuple[int, ...], str]]:
    """Returns the shape and the name of the dtype of each data set of a local file, by its path; values are not read.

    A path is that inside the file without a slash at its start, as `layers/embedding/vars/0`. Strings and references
    are listed as `object`. Links to other files are not followed.

    Raises:
        Refusal: The file is damaged or of another format.
        OSError: The file is not there.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile(suffix=".h5") as file:
        ...     with h5py.File(file.name, "w") as written:
        ...         written["tables/day"] = np.eye(7, 3)
        ...     shapes(file.name)
        {'tables/day': ((7, 3), 'float64')}
    """
    with _opened(path) as file:
        return {name: (_shape(found), _dtype(found).name) for name, found in _datasets(file).items()}


def read(path: str, name: str) -> np.ndarray[Any, np.dtype[Any]]:
    """Returns one data set of a local file, in its own dtype.

    Args:
        path: The file.
        name: One of the names in `shapes`; a slash before it is allowed.

    Raises:
        Refusal: There is no such data set, or the file is damaged or of another format.
        OSError: The file is not there.
    """
    with _opened(path) as file:
        datasets = _datasets(file)
        found = datasets.get(name.removeprefix("/"))
        if found is not None:
            return _values(found)
    end = nearest(name, datasets) or f"; it has {', '.join(map(repr, list(datasets)[:10])) or 'none at all'}."
    raise Refusal(f"hdf5: {path} has no data set '{name}'{end}")


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        # The operating system numbers its errors; those of the HDF5 library are OSErrors too and have no number.
        if getattr(error, "errno", None) is not None:
            raise
        raise Refusal(f"hdf5: {path} is damaged or no HDF5 file; fetch or save it again.") from None


def _datasets(file: Any) -> dict[str, Any]:
    """Returns the data sets in all groups of an open file, by path."""
    found: dict[str, Any] = {}

    def note(name: str, member: Any) -> None:
        if isinstance(member, h5py.Dataset):
            found[name] = member

    file.visititems(note)
    return found


def _shape(dataset: Any) -> tuple[int, ...]:
    return (0,) if dataset.shape is None else dataset.shape  # None: it was made without a place for values


def _dtype(dataset: Any) -> np.dtype[Any]:
    # HDF5 has no bfloat16: h5py writes two opaque bytes, as nothing else that is a number. Keras 3 writes the dtype's
    # name beside them in .weights.h5, Keras 2 and .h5 do not.
    is_bfloat16 = dataset.attrs.get("dtype") == "bfloat16" or dataset.dtype == _TWO_BYTES
    return _BFLOAT16 if is_bfloat16 else dataset.dtype


def _values(dataset: Any) -> np.ndarray[Any, np.dtype[Any]]:
    dtype = _dtype(dataset)
    if dataset.shape is None:
        return np.empty(0, dtype)
    values = np.asarray(dataset[()])
    return values.view(dtype) if values.dtype.kind == "V" else values.astype(dtype, copy=False)


def names(path: str) -> dict[str, str]:
    """Returns the names of layers by the path of the group that holds their weights, where Keras keeps them.

    Keras 3 writes them in `.weights.h5`. Keras 2, and `.h5` of Keras 3, have them in the paths: of embeddings, where no
    two are called so; what an optimizer keeps beside them has their names too and counts for nothing.

    Raises:
        Refusal: The file is damaged or of another format.
        OSError: The file is not there.
    """
    found: dict[str, str] = {}
    in_paths: list[str] = []

    def note(path: str, member: Any) -> None:
        if not isinstance(member, h5py.Group) or path.partition("/")[0] == _OF_OPTIMIZER:
            return
        if isinstance(name := member.attrs.get("name"), str):
            found[path] = name
        for weight in map(_text, member.attrs.get("weight_names", ())):
            group, _, last = f"{path}/{weight}".rpartition("/")
            if last in _EMBEDDINGS:
                in_paths.append(group)

    with _opened(path) as file:
        file.visititems(note)
    layers = [group.rpartition("/")[2] for group in in_paths]
    own = {group: layer for group, layer in zip(in_paths, layers, strict=True) if layers.count(layer) == 1}
    return {**own, **found}


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
