"""Tensors by name as the library safetensors writes them; and vectors by key among them.

Vectors are saved as the tensor `vectors`, which any program finds by its name. A file's metadata is read whole by
whoever opens it, so keys are tensors too: `keys.bytes`, UTF-8 texts end to end, and `keys.ends`, where each of them
ends. `fields.bytes` and `fields.ends` are the names of the fields, `field_0.bytes` and so on their texts.

The library writes and lists a file, and checks that its header fits it. The values are taken from the file by the place
that the header gives them, as the format's page says: eight bytes with the length of the header, little-endian, the
header in JSON, the data. The library itself cannot give NumPy arrays of 8-bit floats, and of bfloat16 only in its newer
versions. Taken so, a tensor is mapped, not copied.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from trainer import paths
from trainer.errors import Refusal, nearest
from trainer.formats import texts, vectors

SUFFIXES = (".safetensors",)

_DTYPES = {
    "BF16": ml_dtypes.bfloat16,
    "BOOL": np.bool_,
    "C64": np.complex64,
    "F16": np.float16,
    "F32": np.float32,
    "F64": np.float64,
    "F8_E4M3": ml_dtypes.float8_e4m3fn,
    "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
    "F8_E5M2": ml_dtypes.float8_e5m2,
    "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
    "F8_E8M0": ml_dtypes.float8_e8m0fnu,
    "I16": np.int16,
    "I32": np.int32,
    "I64": np.int64,
    "I8": np.int8,
    "U16": np.uint16,
    "U32": np.uint32,
    "U64": np.uint64,
    "U8": np.uint8,
}


def shapes(path: str) -> dict[str, tuple[tuple[int, ...], str]]:
    """Returns the shape and the name of the dtype of each tensor of a local file, by its name; values are not read.

    A dtype that NumPy has no name for keeps the file's, as `F4`; it cannot be read.

    Raises:
        Refusal: The library is not installed, or the file is damaged or of another format.
        OSError: The file is not there.
    """
    listed = _listed(path)
    return {
        name: (shape, np.dtype(_DTYPES[code]).name if code in _DTYPES else code)
        for name, (shape, code) in listed.items()
    }


def read(path: str, name: str) -> np.ndarray[Any, np.dtype[Any]]:
    """Returns one tensor of a local file, in its own dtype; it is mapped from the disk and cannot be written to.

    Args:
        path: The file.
        name: One of the names in `shapes`.

    Raises:
        Refusal: There is no such tensor, NumPy has no dtype for it, the library is not installed, or the file is
            damaged or of another format.
        OSError: The file is not there.
    """
    listed = _listed(path)
    if name not in listed:
        end = nearest(name, listed) or f"; it has {', '.join(map(repr, list(listed)[:10])) or 'none at all'}."
        raise Refusal(f"safetensors: {path} has no tensor '{name}'{end}")
    shape, code = listed[name]
    if code not in _DTYPES:
        raise Refusal(
            f"safetensors: '{name}' in {path} is of dtype {code}, which NumPy cannot read; save it as F16 or F32."
        )
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        start, _ = json.loads(file.read(length))[name]["data_offsets"]
    return np.asarray(np.memmap(path, _DTYPES[code], "r", 8 + length + start, shape))


def save(path: str, keys: Sequence[str], values: Any, fields: Mapping[str, Sequence[str]] | None = None) -> None:
    """Writes vectors by key whole or not at all.

    Args:
        path: Where to, local or remote.
        keys: A text for each row.
        values: Floats, `(rows, dimension)`, kept as float32.
        fields: More texts for each row, by name.

    Raises:
        Refusal: The library is not installed, there are not as many keys or texts of a field as rows, or the values are
            no matrix of floats.
    """
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import save_file
    except ImportError:
        raise Refusal(_missing(path)) from None
    given = vectors.given("safetensors", path, keys, values, fields)
    columns = {"keys": given.keys, "fields": list(given.fields)}
    columns |= {f"field_{number}": column for number, column in enumerate(given.fields.values())}
    packed = {name: texts.packed(column) for name, column in columns.items()}
    tensors = {f"{name}.bytes": content for name, (content, _) in packed.items()}
    tensors |= {f"{name}.ends": ends for name, (_, ends) in packed.items()}
    with paths.written_whole(path) as whole:
        try:
            save_file({"vectors": given.values, **tensors}, whole, {"format": "np"})
        except SafetensorError as error:  # the library's word for what the operating system says
            raise OSError(f"{path} cannot be written: {error}") from None


def load(path: str) -> vectors.Vectors:
    """Returns what `save` wrote.

    Raises:
        Refusal: The file holds no vectors by key or is damaged, or the library is not installed.
        OSError: The file is not there.
    """
    with vectors.local(path) as here:
        names, found = shapes(here), keys(here)
        if found is None:
            raise Refusal(
                f"safetensors: {path} has no 'vectors' with 'keys.bytes'; it has "
                f"{', '.join(map(repr, list(names)[:10])) or 'no tensor'}, so name the tensor you want where one is "
                "taken."
            )
        fields = _texts(here, "fields") if "fields.bytes" in names else []
        columns = {name: _texts(here, f"field_{number}") for number, name in enumerate(fields)}
        values = read(here, "vectors").astype(np.float32)  # a copy, which outlives the file
        return vectors.found("safetensors", here, vectors.Vectors(found, values, columns))


def keys(path: str) -> list[str] | None:
    """Returns the keys of the tensor `vectors` of a local file, or None where it holds none.

    Raises:
        Refusal: The library is not installed, or the file is damaged or of another format.
        OSError: The file is not there.
    """
    return _texts(path, "keys") if {"vectors", "keys.bytes"} <= set(shapes(path)) else None


def _texts(path: str, name: str) -> list[str]:
    content, ends = read(path, f"{name}.bytes"), read(path, f"{name}.ends")
    try:
        return texts.unpacked(content, ends)
    except ValueError:
        raise Refusal(_damaged(path)) from None


def _missing(path: str) -> str:
    return f"safetensors: {path} takes the package safetensors; pip install 'embedding-columns[safetensors]'."


def _damaged(path: str) -> str:
    return f"safetensors: {path} is damaged or no safetensors file; fetch or save it again."


def _listed(path: str) -> dict[str, tuple[tuple[int, ...], str]]:
    """Returns the shape and the file's word for the dtype of each tensor, by name."""
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError:
        raise Refusal(_missing(path)) from None
    try:
        with safe_open(path, "numpy") as file:
            tensors = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118  # it is no dictionary
            return {name: (tuple(tensor.get_shape()), tensor.get_dtype()) for name, tensor in tensors.items()}
    except SafetensorError:
        raise Refusal(_damaged(path)) from None
