"""Arrays as np.save (.npy) and np.savez (.npz) write them, never pickled; and vectors by key among them.

Vectors are saved as the array `vectors`, and their keys as `keys`: an array of text, or, where one key is far longer
than the others or ends in a NUL, which NumPy would cut off, as `keys.bytes` and `keys.ends` (UTF-8 texts end to end,
and where each of them ends). `fields` are the names of the fields, and `field_0`, `field_1` and so on their texts.

A file is known by its first bytes, not by its name. The arrays of a .npz file have the names that they were saved
under; the one array of a .npy file has the empty name. Arrays of Python objects are listed, with the dtype `object`,
and refused when they are read. NumPy's format has no name for bfloat16: np.save writes its two bytes as `<V2`, and
`|V2` when they are read and saved again, which nothing else that is a number is written as.
"""

import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

import ml_dtypes
import numpy as np
from numpy.lib import format as npy

from trainer import paths
from trainer.errors import Refusal, nearest
from trainer.formats import texts, vectors

SUFFIXES = (".npz",)

_NPY = b"\x93NUMPY"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # one with members, and an empty one
_LOCAL = 30  # bytes before a member's name, of which the last are the lengths of that and of what follows it
_PICKLES = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
_SUFFIX = ".npy"
_BFLOAT16 = np.dtype("V2")
_SHORT = 64
"""Letters up to which every key may be as wide as the longest; above, they must fill a quarter of that."""
# What zipfile and NumPy raise for bytes that are not as they should be (RuntimeError: a password, or a compression that
# Python has not); an OSError too, as a place outside the file, once the file itself could be opened.
_DAMAGES: tuple[type[Exception], ...] = (ValueError, EOFError, OSError, RuntimeError)
_DAMAGES += (struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error)
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


def save(path: str, keys: Sequence[str], values: Any, fields: Mapping[str, Sequence[str]] | None = None) -> None:
    """Writes vectors by key whole or not at all; `np.load` opens them.

    Args:
        path: Where to, local or remote.
        keys: A text for each row.
        values: Floats, `(rows, dimension)`, kept as float32.
        fields: More texts for each row, by name.

    Raises:
        Refusal: There are not as many keys or texts of a field as rows, or the values are no matrix of floats.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(f"{folder}/days.npz", ["Mon", "Tue"], np.eye(2))
        ...     np.load(f"{folder}/days.npz")["keys"].tolist(), load(f"{folder}/days.npz").keys
        (['Mon', 'Tue'], ['Mon', 'Tue'])
    """
    given = vectors.given("npz", path, keys, values, fields)
    arrays: dict[str, _Array] = {"vectors": given.values, **_arrays("keys", given.keys)}
    if given.fields:
        arrays |= _arrays("fields", list(given.fields))
    for number, column in enumerate(given.fields.values()):
        arrays |= _arrays(f"field_{number}", column)
    with paths.written_whole(path) as whole, open(whole, "wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _arrays(name: str, column: Sequence[str]) -> dict[str, _Array]:
    longest, total = max(map(len, column), default=0), sum(map(len, column))
    # As wide as the longest, four bytes a letter.
    if (longest <= _SHORT or longest * len(column) <= 4 * total) and not any(text[-1:] == "\0" for text in column):
        return {name: np.array(column, f"<U{max(longest, 1)}")}
    content, ends = texts.packed(column)
    return {f"{name}.bytes": content, f"{name}.ends": ends}


def load(path: str) -> vectors.Vectors:
    """Returns what `save` wrote.

    Raises:
        Refusal: The file holds no vectors by key, or is damaged.
        OSError: The file is not there.
    """
    with vectors.local(path) as here:
        names, found = shapes(here), keys(here)
        if found is None:
            raise Refusal(
                f"npz: {path} has no 'vectors' with 'keys'; it has {', '.join(map(repr, list(names)[:10]))}, "
                "so name the array you want where one is taken."
            )
        values = read(here, "vectors").astype(np.float32, copy=False)
        fields = _texts(here, names, "fields") if {"fields", "fields.bytes"} & set(names) else []
        columns = {name: _texts(here, names, f"field_{number}") for number, name in enumerate(fields)}
        return vectors.found("npz", here, vectors.Vectors(found, values, columns))


def keys(path: str) -> list[str] | None:
    """Returns the keys of the array `vectors` of a local file, or None where it holds none.

    Raises:
        Refusal: The file is damaged, or neither a .npy nor a .npz file.
        OSError: The file is not there.
    """
    names = shapes(path)
    shape, dtype = names.get("keys", ((), ""))
    is_text = len(shape) == 1 and dtype.startswith(("str", "int", "uint"))
    return _texts(path, names, "keys") if "vectors" in names and (is_text or "keys.bytes" in names) else None


def _texts(path: str, names: Container[str], name: str) -> list[str]:
    if name not in names:
        content, ends = read(path, f"{name}.bytes"), read(path, f"{name}.ends")
        with _whole(path):
            return texts.unpacked(content, ends)
    content = read(path, name)
    with _whole(path):
        found: list[str] = content.astype(np.str_, copy=False).tolist()
        return found


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
        with zipfile.ZipFile(path) as archive:
            member = archive.getinfo(name + _SUFFIX)
            if member.compress_type != zipfile.ZIP_STORED:
                with archive.open(member) as file:
                    return npy.read_array(file, allow_pickle=False)
        return _stored(path, member)


def _stored(path: str, member: zipfile.ZipInfo) -> _Array:
    """Returns an array that is not compressed, read at once: through `zipfile` it would be copied twice."""
    with open(path, "rb") as file:
        file.seek(member.header_offset)
        before = file.read(_LOCAL)
        name, extra = struct.unpack("<HH", before[-4:])
        start = file.seek(name + extra, os.SEEK_CUR)
        values = npy.read_array(file, allow_pickle=False)
        if file.tell() != start + member.file_size or not before.startswith(_ZIP):
            raise zipfile.BadZipFile
        file.seek(start)
        header = file.read(member.file_size - values.nbytes)
    if zlib.crc32(values.ravel("K").view(np.uint8).data, zlib.crc32(header)) != member.CRC:
        raise zipfile.BadZipFile
    return values


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
