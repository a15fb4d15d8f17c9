"""Single files that hold vectors or weights, each kind told by its first bytes rather than by its name."""

import json
import os
import re
import shutil
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

from trainer.errors import Refusal
from trainer.formats import hdf5, npz, parquet, safetensors, tsv, word2vec
from trainer.warm_start.keys import LABELS, Values
from trainer.warm_start.source import Source, Tensor, plain, with_slots

_WEIGHTS = "model.weights.h5"
_SSTABLE = bytes.fromhex("57fb808b247547db")
"""The last bytes of a TensorFlow table, which an index file and a checkpoint of the first version are."""
_OF_OPTIMIZERS = ("optimizer", "optimizer_weights", "_optimizer")

Shapes = Mapping[str, tuple[tuple[int, ...], str]]


class TemporaryFolder:
    """A folder at `name`, removed when nothing refers to this any longer; `tempfile.TemporaryDirectory` would warn."""

    def __init__(self) -> None:
        self.name = tempfile.mkdtemp()
        weakref.finalize(self, shutil.rmtree, self.name, ignore_errors=True)


def is_old_checkpoint(path: str) -> bool:
    """Tells whether a file is a checkpoint of TensorFlow's first version, which is one file and no index."""
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - len(_SSTABLE)))
        return file.read() == _SSTABLE


def opened(place: str, path: str, copy: Any = None) -> Source:
    """Returns what a file holds.

    Args:
        place: What errors call it.
        path: Where it can be read, locally.
        copy: Kept as long as a tensor can be read, where `path` is a temporary copy.

    Raises:
        Refusal: It is of no kind that can be read, or a pickle.
    """
    with open(path, "rb") as file:
        start = file.read(16)
    if start.startswith(b"\x93NUMPY"):
        return _plain(place, path, copy, npz, ".npy")
    if start.startswith(b"\x89HDF"):
        return _hdf5(place, path, copy, ".h5")
    if start.startswith(b"PAR1"):
        return _plain(place, path, copy, parquet, "Parquet")
    if start.startswith(b"PK"):
        return _zip(place, path, copy)
    # Before pickles: the length of a header can begin as one does.
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < os.path.getsize(path):
        return _plain(place, path, copy, safetensors, "safetensors")
    if (start[:1] == b"\x80" and start[1:2] <= b"\x05") or path.endswith((".pkl", ".pickle")):
        raise Refusal(_pickle(place))
    for format, kind in ((tsv, ".tsv"), (word2vec, "word2vec")):
        if _read(place, copy, format.is_vectors, path):
            return _vectors(place, path, copy, format, kind)
    raise Refusal(
        f"{place} is of no kind that can be read: a TensorFlow checkpoint, SavedModel, .keras, .h5, .npz, .npy, "
        ".parquet, .safetensors, .tsv, word2vec or GloVe file is wanted"
    )


def _pickle(place: str) -> str:
    return (
        f"{place} is a pickle, which could run code when it is read; save the matrix with numpy.save, "
        "save_word2vec_format or safetensors"
    )


def _plain(place: str, path: str, copy: Any, format: ModuleType, kind: str) -> Source:
    shapes: Shapes = _read(place, copy, format.shapes, path)
    if kind == ".npy" and shapes[""][1] == "object":
        raise Refusal(_pickle(place))
    # The one matrix of a .npy file has no name but the file's.
    tensors = (
        Tensor(
            name or Path(place).stem,
            *shape,
            partial(_read, place, copy, format.read, path, name),
            keys=_keys(place, path, copy, format, name, shape[0]),
        )
        for name, shape in shapes.items()
    )
    return Source(place, with_slots(tensors), kind)


def _keys(
    place: str, path: str, copy: Any, format: ModuleType, name: str, shape: tuple[int, ...]
) -> Callable[[], Values | None]:
    """Returns what returns the keys that `trainer.formats` saves beside vectors, or None where there are none."""

    def keys() -> Values | None:
        # Of Parquet every column has the keys of its rows; elsewhere only the one that is called so.
        if len(shape) != 2 or (format is not parquet and name != "vectors"):
            return None
        found = _read(place, copy, format.keys, path)
        return Values("key", LABELS, len(found), lambda: found) if found and len(found) == shape[0] else None

    return _once(keys)


def _read(place: str, copy: Any, read: Callable[..., Any], path: str, *name: str) -> Any:
    """Returns what is read of a file, which a refusal calls by its place; its copy is there until this is let go."""
    del copy
    try:
        return read(path, *name)
    except Refusal as refusal:
        raise Refusal(str(refusal).replace(path, place)) from None


def _vectors(place: str, path: str, copy: Any, format: ModuleType, kind: str) -> Source:
    content = _once(partial(_read, place, copy, format.load, path))
    shape = _read(place, copy, format.shape, path)
    keys = Values("key", LABELS, shape[0], lambda: content().keys)
    return Source(place, (Tensor("vectors", shape, "float32", lambda: content().values, keys=lambda: keys),), kind)


def _once(read: Callable[[], Any]) -> Callable[[], Any]:
    """Returns what reads a file when it is first asked for, and once where two threads ask."""
    found: list[Any] = []
    lock = Lock()

    def content() -> Any:
        with lock:
            if not found:
                found.append(read())
        return found[0]

    return content


def _zip(place: str, path: str, copy: Any) -> Source:
    with _whole(place), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if _WEIGHTS not in names:
            if any(name.endswith((".pkl", ".pickle")) for name in names):
                raise Refusal(_pickle(place))
            return _plain(place, path, copy, npz, ".npz")
        folder = TemporaryFolder()
        archive.extract(_WEIGHTS, folder.name)
        config = json.loads(archive.read("config.json")) if "config.json" in names else {}
    return _hdf5(place, str(Path(folder.name, _WEIGHTS)), folder, ".keras", _layers(config))


@contextmanager
def _whole(place: str) -> Iterator[None]:
    """Refuses a zip file that the block cannot read."""
    try:
        yield
    except Refusal:
        raise
    # What is raised for bytes that are not as they should be; RuntimeError: with a password.
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError):
        raise Refusal(f"{place} is damaged: it cannot be unpacked; fetch or save it again") from None


def _hdf5(place: str, path: str, copy: Any, kind: str, layers: Mapping[str, str] | None = None) -> Source:
    named = {**(layers or {}), **_read(place, copy, hdf5.names, path)}
    shapes: Shapes = _read(place, copy, hdf5.shapes, path)
    tensors = [
        Tensor(
            plain(name),
            *shape,
            partial(_read, place, copy, hdf5.read, path, name),
            _others(name, named),
            name.partition("/")[0] in _OF_OPTIMIZERS,
        )
        for name, shape in shapes.items()
    ]
    return Source(place, with_slots(tensors), kind)


def _others(name: str, layers: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the name of a dataset under its layer's own, `dayhr_embed/0` for `layers/embedding/vars/0`."""
    group, _, last = name.rpartition("/")
    layer = layers.get(group) or layers.get(group.removesuffix("/vars"))
    return (f"{layer}/{plain(last)}",) if layer else ()


def _layers(config: Mapping[str, Any], above: str = "") -> dict[str, str]:
    """Returns the layers' own names by their groups, as Keras numbers the layers of one class in a model's order."""
    found: dict[str, str] = {}
    counts: dict[str, int] = {}
    inner = config.get("config")
    for layer in inner.get("layers", []) if isinstance(inner, dict) else []:
        kind = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", layer["class_name"])
        kind = re.sub("([a-z])([A-Z])", r"\1_\2", kind).lower()
        count = counts.get(kind, 0)
        counts[kind] = count + 1
        place = f"{above}layers/{kind}{f'_{count}' if count else ''}"
        found |= {place: (layer["config"] or {}).get("name", ""), **_layers(layer, f"{place}/")}
    return found
