"""Models and weights of Keras 2 in HDF5: `.h5`, whole or weights alone, `.weights.h5`, and `.keras`."""

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]  # it comes without types

from trainer.errors import Refusal
from trainer.migration.keras2.old import WIDE_DEEP, Node, OldLayer, OldModel, node_of, snake_names
from trainer.warm_start.files import TemporaryFolder
from trainer.warm_start.source import Tensor, plain

_WEIGHTS = "model.weights.h5"
_LAYERS = ("layers", "_layer_checkpoint_dependencies")
_OF_KERAS_3 = "{} is of Keras 3 already; keras.models.load_model reads it."
_OF_TRAINING = ("optimizer", "metrics", "compiled_metrics", "compiled_loss")


def opened_hdf5(place: str, path: str, like: Node | None, copy: Any = None) -> OldModel:
    """Returns what an HDF5 file holds.

    Args:
        place: What a refusal calls it.
        path: Of the file.
        like: The layers of the model that the weights are for, where the file may not say what its own are.
        copy: Kept as long as a tensor can be read, where `path` is a temporary copy.

    Raises:
        Refusal: It is of Keras 3 already.
    """
    with h5py.File(path) as file:
        if str(file.attrs.get("keras_version", "2")) >= "3":
            raise Refusal(_OF_KERAS_3.format(place))
        if "model_config" in file.attrs:
            node = node_of(json.loads(file.attrs["model_config"]))
            layers = _by_name(path, file["model_weights"], copy)
            return OldModel(place, tuple(_apart(layers, node)), node if node.is_model else None)
        if "layer_names" in file.attrs:
            return OldModel(place, _by_name(path, file, copy))
        return OldModel(place, _by_class(path, file, like, copy))


def opened_keras(place: str, path: str) -> OldModel:
    """Returns what a `.keras` file holds.

    Raises:
        Refusal: It is of Keras 3 already.
    """
    copy = TemporaryFolder()
    with zipfile.ZipFile(path) as archive:
        if json.loads(archive.read("metadata.json"))["keras_version"] >= "3":
            raise Refusal(_OF_KERAS_3.format(place))
        node = node_of(json.loads(archive.read("config.json")))
        weights = archive.extract(_WEIGHTS, copy.name)
    with h5py.File(weights) as file:
        layers = _by_class(weights, file, node, copy)
    return OldModel(place, layers, node if node.is_model else None)


def _by_name(path: str, group: Any, copy: Any) -> tuple[OldLayer, ...]:
    """Returns the layers of a file that says what they and their weights are called."""
    groups = [name for name in (*_texts(group.attrs["layer_names"]), "top_level_model_weights") if name in group]
    found = []
    for name in groups:
        within = group[name]
        tensors = [
            _tensor(path, within[weight], plain(weight), copy) for weight in _texts(within.attrs["weight_names"])
        ]
        found.append(OldLayer(name, tuple(tensors)))
    return tuple(layer for layer in found if layer.tensors)


def _apart(layers: Iterable[OldLayer], node: Node) -> Iterator[OldLayer]:
    """Yields layers with those inside a model in its place: the file has all their weights under the model's name."""
    models = {child.name: child for child in node.children if child.is_model}
    for layer in layers:
        names = [leaf.name for leaf in models[layer.name].leaves] if layer.name in models else []
        groups: dict[str, list[Tensor]] = {name: [] for name in [*names, layer.name]}
        for tensor in layer.tensors:
            owner = next((part for part in tensor.name.split("/")[:-1] if part in names), layer.name)
            groups[owner].append(tensor)
        yield from (OldLayer(name, tuple(tensors)) for name, tensors in groups.items() if tensors)


def _texts(values: Iterable[Any]) -> list[str]:
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]


def _by_class(path: str, file: Any, like: Node | None, copy: Any) -> tuple[OldLayer, ...]:
    """Returns the layers of a file in which they stand under the names of their classes."""
    datasets: dict[str, Any] = {}
    file.visititems(lambda name, found: datasets.update({name: found}) if isinstance(found, h5py.Dataset) else None)
    datasets = {name: found for name, found in datasets.items() if name.split("/")[0] not in _OF_TRAINING}
    leaves = {place: leaf.name for leaf, place in _places(like, "")} if like else {}
    groups: dict[str, dict[str, Any]] = {place: {} for place in leaves}
    for name, found in datasets.items():
        name = name.replace(_LAYERS[1], _LAYERS[0])
        place = max(
            (place for place in leaves if name.startswith(f"{place}/")), key=len, default=name.split("/vars/")[0]
        )
        groups.setdefault(place, {})[name.removeprefix(f"{place}/")] = found
    return tuple(
        OldLayer(leaves.get(place, place), tuple(_in_order(path, tensors, copy)))
        for place, tensors in groups.items()
        if tensors
    )


def _in_order(path: str, tensors: Mapping[str, Any], copy: Any) -> Iterator[Tensor]:
    """Yields tensors that are numbered in the order of their numbers, which is not that of their names."""

    def key(name: str) -> tuple[str, int]:
        above, _, number = name.rpartition("/")
        return above, int(number)

    for name in sorted(tensors, key=key):
        yield _tensor(path, tensors[name], name, copy)


def _places(node: Node, above: str) -> Iterator[tuple[Node, str]]:
    """Yields each layer in a model with the group in which its tensors stand."""
    if not node.is_model:
        yield node, above
        return
    if node.class_name == WIDE_DEEP:
        # Attributes are gone through from the last letter to the first, and `layers` stands between the two.
        wide, deep = node.children
        yield from _places(wide, f"{above}linear_model/" if wide.is_model else f"{above}linear_model")
        (name,) = snake_names([deep.class_name])
        yield from _places(deep, f"{above}layers/{name}/" if deep.is_model else f"{above}layers/{name}")
        return
    children = [child for child in node.children if not (node.is_sequential and child.class_name == "InputLayer")]
    for child, name in zip(children, snake_names(child.class_name for child in children), strict=True):
        yield from _places(child, f"{above}layers/{name}{'/' if child.is_model else ''}")


def _tensor(path: str, found: Any, name: str, copy: Any) -> Tensor:
    read = partial(_read, path, found.name, copy)
    return Tensor(name, tuple(found.shape), found.dtype.name, read, rows=read)


def _read(path: str, name: str, copy: Any, rows: Any = ()) -> Any:
    del copy  # what the file was unpacked to is there until this is let go
    with h5py.File(Path(path)) as file:
        return file[name][rows]
