"""Arrays as np.save (.npy) and np.savez (.npz) write them; they are only read, and never unpickled.

A file is known by its first bytes, not by its name. The arrays of a .npz file have the names that they were saved
under; the one array of a .npy file has the empty name. Arrays of Python objects are listed, with the dtype `object`,
and refused when they are read. NumPy's format has no name for bfloat16: np.save writes its two bytes as `<V2`, and
`|V2` when they are read and saved again, which nothing else that is a number is written as.
"""

import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import ml_dtypes
import numpy as np
from numpy.lib import format as npy

from trainer.errors import Refusal, nearest

_NPY = b"\x93NUMPY"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # one with members, and an empty one
_PICKLES = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
_SUFFIX = ".npy"
_BFLOAT16 = np.dtype("V2")
# What zipfile and NumPy raise for bytes that are not as they should be (RuntimeError: a password, or a compression that
# Python has not); an OSError too, as a place outside the file, once the file itself could be opened.
_DAMAGES = (ValueError, EOFError, OSError, RuntimeError, tokenize.TokenError, zipfile.BadZipFile, zlib.error)
_Array = np.ndarray[Any, np.dtype[Any]]


def shapes(path: str) -> dict[str, tuple[tuple[int, ...], str]]:
    """Returns the shape and the name of the dtype of each array of a local file, by its name; values are not read.

    Raises:
        Refusal: The file is damaged, is a pickle, or is neither a .npy nor a .npz file.
        OSError: The file is not there.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        ...     np.savez(file, days=np.eye(7, 3, dtype=np.float32), hours=np.zeros(24))
        ...     shapes(file.name)
        {'days': ((7, 3), 'float32'), 'hours': ((24,), 'float64')}
    """
    return {name: (shape, _restored(dtype).name) for name, (shape, dtype) in _headers(path).items()}


def read(path: str, name: str = "") -> np.ndarray[Any, np.dtype[Any]]:
    """Returns one array of a local file, in its own dtype.

    The array of a .npy file is mapped, not read: its bytes come from the disk when they are looked at, and it cannot
    be written to.

    Args:
        path: The file.
        name: One of the names in `shapes`.

    Raises:
        Refusal: There is no such array, it holds Python objects or values of a kind that the format does not name, or
            the file is damaged.
        OSError: The file is not there.
    """
    headers = _headers(path)
    if name not in headers:
        end = nearest(name, headers) or f"; it has {', '.join(map(repr, list(headers)[:10]))}."
        raise Refusal(f"npz: {path} has no array '{name}'{end}")
    dtype = headers[name][1]
    who = f"'{name}' in {path}" if name else path
    if dtype.hasobject:
        raise Refusal(_pickled(who))
    if dtype == np.dtype("V1"):
        raise Refusal(
            f"npz: {who} has one-byte values that NumPy's format does not name; save it as float16 or float32."
        )
    return _values(path, name).view(_restored(dtype))


def _restored(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(ml_dtypes.bfloat16) if dtype == _BFLOAT16 else dtype


def _headers(path: str) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Returns the shape and the dtype in the file of each array, by name."""
    with open(path, "rb") as file:
        start = file.read(len(_NPY))
        if start == _NPY:
            file.seek(0)
            with _whole(path):
                return {"": _header(file)}
    if start.startswith(_ZIP):
        return _members(path)
    if start.startswith(_PICKLES):
        raise Refusal(_pickled(path))
    raise Refusal(f"npz: {path} is neither a .npy nor a .npz file; np.save and np.savez write them.")


def _members(path: str) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    headers = {}
    with _whole(path), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        for name in names:
            if name.endswith(_SUFFIX):
                with archive.open(name) as file:
                    headers[name.removesuffix(_SUFFIX)] = _header(file)
    if not headers and any(name.endswith(".pkl") for name in names):  # torch.save writes such a file
        raise Refusal(_pickled(path))
    if not headers:
        raise Refusal(f"npz: {path} is a zip file without arrays; np.savez writes one with them.")
    return headers


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(file)
    # Version 3 differs from 2 in the encoding of the names of fields only.
    shape, _, dtype = npy.read_array_header_1_0(file) if version == (1, 0) else npy.read_array_header_2_0(file)
    return shape, dtype


def _values(path: str, name: str) -> _Array:
    with _whole(path):
        if not name:
            return np.asarray(npy.open_memmap(path, mode="r"))
        with zipfile.ZipFile(path) as archive, archive.open(name + _SUFFIX) as file:
            return npy.read_array(file, allow_pickle=False)


@contextmanager
def _whole(path: str) -> Iterator[None]:
    """Refuses a file that the block cannot read."""
    try:
        yield
    except _DAMAGES:
        raise Refusal(
            f"npz: {path} is damaged, or has values that NumPy cannot read, as 8-bit floats; save it again, as floats."
        ) from None


def _pickled(who: str) -> str:
    return (
        f"npz: {who} holds Python objects (a pickle), which could run code when it is read; save the matrix with "
        "np.save(…) as floats."
    )
