"""A model of Keras 2 that is an object."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import tensorflow as tf

from trainer.errors import Refusal
from trainer.migration.keras2.old import COLUMN_LAYERS, NEVER_CALLED, Node, OldLayer, OldModel, node_of
from trainer.warm_start.source import Tensor, plain

_MODULE = "tf_keras."
_WHOLE = ("LinearModel",)
"""Models that are taken for one layer."""


def is_keras2(value: Any) -> bool:
    """Tells whether an object is a model of Keras 2."""
    modules = [kind.__module__ for kind in type(value).__mro__]
    return any(module.startswith(_MODULE) for module in modules) and hasattr(value, "layers")


def opened(model: Any) -> OldModel:
    """Returns what a model holds; its variables are read when they are asked for.

    Raises:
        Refusal: It was never called, so it has no weights.
    """
    if not model.built:
        raise Refusal(NEVER_CALLED.format(model.name))
    leaves = list(_leaves(model))
    layers = [OldLayer(layer.name, tuple(map(_tensor, _weights(layer)))) for layer in leaves]
    in_layers = {id(weight) for layer in leaves for weight in layer.weights}
    own = [weight for weight in _weights(model) if id(weight) not in in_layers]
    columns = {layer.name: layer._feature_columns for layer in leaves if type(layer).__name__ in COLUMN_LAYERS}
    if own:
        layers.append(OldLayer(model.name, tuple(map(_tensor, own))))
    found = tuple(layer for layer in layers if layer.tensors)
    # A class of one's own may have the name of one of Keras, which its configuration does not tell apart.
    of_ones_own = {layer.name for layer in leaves if not type(layer).__module__.startswith(_MODULE)}
    return OldModel(f"model '{model.name}'", found, _node(model, of_ones_own), columns)


def _leaves(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        if hasattr(layer, "layers") and hasattr(layer, "compile") and type(layer).__name__ not in _WHOLE:
            yield from _leaves(layer)
        else:
            yield layer


def _weights(layer: Any) -> list[Any]:
    """Returns the variables of a layer; a learned vocabulary, which stands among them, is none."""
    return [weight for weight in layer.weights if isinstance(weight, tf.Variable)]


def _tensor(weight: Any) -> Tensor:
    name = plain(weight.name)
    return Tensor(name, tuple(weight.shape), weight.dtype.name, weight.read_value, rows=partial(_rows, weight))


def _rows(weight: Any, rows: slice) -> Any:
    return weight[rows]


def _node(model: Any, of_ones_own: Collection[str]) -> Node | None:
    """Returns the architecture, or None of a model whose forward pass is code of one's own."""
    if getattr(model, "_is_graph_network", False) and not type(model).__module__.startswith(_MODULE):
        from tf_keras.src.engine.functional import get_network_config  # a subclass has no configuration of its own

        node = node_of({"class_name": "Functional", "config": get_network_config(model), "name": model.name})
        return _marked(node, of_ones_own)
    try:
        config = model.get_config()
    except NotImplementedError:
        return None
    node = node_of({"class_name": type(model).__name__, "config": config, "name": model.name})
    return _marked(node, of_ones_own) if node.is_model else None


def _marked(node: Node, of_ones_own: Collection[str]) -> Node:
    if not node.is_model and node.name in of_ones_own:
        return replace(node, class_name=f"own>{node.class_name}")
    return replace(node, children=tuple(_marked(child, of_ones_own) for child in node.children))
