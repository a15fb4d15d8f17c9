"""The weights of the layers of Keras 2 laid into those of Keras 3: by name and shape, and none may be left."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.errors import Refusal
from trainer.feature_column import EmbeddingColumn
from trainer.layers import DenseFeatures, SequenceFeatures
from trainer.migration.keras2.old import OldLayer, OldModel, snake_names
from trainer.warm_start.source import Tensor

BLOCK = 65_536
"""Rows of a table that are copied at a time."""


def layers_with_weights(model: Any) -> list[keras.layers.Layer]:
    """Returns the layers of a model that have weights, those of models inside it in their place."""
    found = []
    for layer in model.layers:
        found += layers_with_weights(layer) if isinstance(layer, keras.Model) else [layer] if layer.weights else []
    return found


def carry(old: OldModel, layers: Sequence[keras.layers.Layer], are_new: bool) -> None:
    """Gives layers the weights of those of Keras 2.

    Args:
        old: The model of Keras 2.
        layers: Those of Keras 3 that have weights, in the same order; where names are known on both sides and are the
            same, they decide.
        are_new: Whether nothing was written into them yet.

    Raises:
        Refusal: A tensor has no weight that it could be for, or a weight no tensor; nothing was changed.
    """
    pairs: list[tuple[Tensor, Any]] = []
    left, without = [], []
    for theirs, ours in _paired(old, layers):
        found = _matched(theirs.tensors, ours) if theirs and ours else []
        pairs += found
        taken, filled = {id(tensor) for tensor, _ in found}, {id(variable) for _, variable in found}
        left += [_told(theirs, tensor) for tensor in theirs.tensors if id(tensor) not in taken] if theirs else []
        without += [_named(ours, each) for each in ours.weights if id(each) not in filled] if ours else []
    if left or without:
        raise Refusal(
            f"{old.place} and the new model have not the same weights: left over there {_list(left)}, without a tensor "
            f"here {_list(without)}; give the columns and layers that the model was made of."
        )
    for tensor, variable in pairs:
        _copy(tensor, variable, are_new)
    for layer in layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def _paired(old: OldModel, layers: Sequence[keras.layers.Layer]) -> Iterator[tuple[OldLayer | None, Any]]:
    names, old_names = ([layer.name for layer in some] for some in (layers, old.layers))
    are_the_same = len(set(names)) == len(names) and sorted(names) == sorted(old_names)
    if len(names) == len(old_names) and not are_the_same:
        yield from zip(old.layers, layers, strict=True)
        return
    ours = dict(zip(names, layers, strict=True))
    for layer in old.layers:
        yield layer, ours.pop(layer.name, None)
    yield from ((None, layer) for layer in ours.values())


def _matched(tensors: Sequence[Tensor], layer: Any) -> list[tuple[Tensor, Any]]:
    """Returns tensors with the weights that they are for: by their place in the layer, or else in their order."""
    if isinstance(layer, (DenseFeatures, SequenceFeatures)):
        return _matched_tables(tensors, layer)
    free = list(layer.weights)
    found: list[tuple[Tensor, Any]] = []
    for matches in (_by_place, _by_name, _by_shape):
        for tensor in tensors:
            if any(tensor is one for one, _ in found):
                continue
            variable = matches(layer, tensor, free)
            if variable is not None and tuple(variable.shape) == tensor.shape:
                found.append((tensor, variable))
                free = [other for other in free if other is not variable]
    return found


def _by_place(layer: Any, tensor: Tensor, free: list[Any]) -> Any:
    """Returns the weight at a path of attributes, as `forward_layer/cell/kernel` or `cell/vars/0`."""
    *path, last = tensor.name.split("/")
    if path and path[-1] == "vars":
        path.pop()
    owner = layer
    for part in path:
        owner = _below(owner, part)
    if not isinstance(owner, keras.layers.Layer):
        return None
    own = owner._trainable_variables + owner._non_trainable_variables  # as Keras numbers them in its own files
    if last.isdigit():
        found = own[int(last)] if int(last) < len(own) else None
    else:
        found = next((variable for variable in own if variable.name == last), None)
    return found if any(found is other for other in free) else None


def _below(owner: Any, part: str) -> Any:
    if isinstance(owner, (list, tuple)):
        names = snake_names(type(each).__name__ for each in owner)
        return next((each for each, name in zip(owner, names, strict=True) if name == part), None)
    return getattr(owner, part, None)


def _by_name(layer: Any, tensor: Tensor, free: list[Any]) -> Any:
    del layer
    last = tensor.name.split("/")[-1]
    return next((v for v in free if v.name == last and tuple(v.shape) == tensor.shape), None)


def _by_shape(layer: Any, tensor: Tensor, free: list[Any]) -> Any:
    """Returns the weight of a tensor that has a number for a name, where there is one of its shape."""
    del layer
    fitting = [v for v in free if tuple(v.shape) == tensor.shape]
    return fitting[0] if len(fitting) == 1 and tensor.name.split("/")[-1].isdigit() else None


def _matched_tables(tensors: Sequence[Tensor], layer: Any) -> list[tuple[Tensor, Any]]:
    columns = [column for column in layer.columns if isinstance(column, EmbeddingColumn)]
    # Keras 2 numbers the variables that are trained before the others.
    ordered = sorted(columns, key=lambda column: not column.trainable)
    named = {_scope(f"{column.name}/embedding_weights"): column for column in columns}
    found: dict[str, tuple[Tensor, Any]] = {}
    for tensor in tensors:
        *_, above, last = ["", *tensor.name.split("/")]
        if above == "vars":
            column = ordered[int(last)] if int(last) < len(ordered) else None
        else:
            column = named.get(_scope(f"{above}/{last}"))
        if column is None or column.table in found:
            continue
        variable = layer.tables[column.table].table
        if tuple(variable.shape) == tensor.shape:
            found[column.table] = tensor, variable
    return list(found.values())


def _scope(name: str) -> str:
    """Returns a name as TensorFlow writes it in a variable's."""
    return re.sub(r"[^A-Za-z0-9_.\-/]", "_", name)


def _copy(tensor: Tensor, variable: Any, is_new: bool) -> None:
    """Gives a variable the values of a tensor; of a large one, no more than two are in memory."""
    is_large = len(tensor.shape) == 2 and tensor.shape[0] > BLOCK
    if not is_large or (is_new and tensor.rows is None):
        variable.assign(tf.cast(tensor.read(), variable.dtype))  # which a variable that is new takes without a copy
        return
    rows = tensor.rows or tensor.read().__getitem__
    for first in range(0, tensor.shape[0], BLOCK):
        part = slice(first, min(first + BLOCK, tensor.shape[0]))
        values = tf.cast(rows(part), variable.dtype)
        variable.value.scatter_update(tf.IndexedSlices(values, np.arange(part.start, part.stop)))


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _told(layer: OldLayer, tensor: Tensor) -> str:
    name = tensor.name if tensor.name.startswith(f"{layer.name}/") else f"{layer.name}/{tensor.name}"
    return f"{name} ({_by(tensor.shape)})"


def _named(layer: Any, variable: Any) -> str:
    if isinstance(layer, (DenseFeatures, SequenceFeatures)):
        name = next(name for name, table in layer.tables.items() if table.table is variable)
        return f"{layer.name}/{name} ({_by(variable.shape)})"
    return f"{layer.name}/{variable.name} ({_by(variable.shape)})"


def _by(shape: Any) -> str:
    return " by ".join(f"{size:,}" for size in shape) or "a number"
