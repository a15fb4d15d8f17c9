"""The graph of a model of Keras 2, walked over again with layers of Keras 3."""

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import keras

from trainer.errors import Refusal
from trainer.layers import BagInput, SequenceFeatures, inputs
from trainer.migration.keras2.layers import columns_layer, keras3_layer
from trainer.migration.keras2.old import NEVER_CALLED, Node
from trainer.migration.keras2.operations import operation

_CONSTANT = "_CONSTANT_VALUE"
"""Stands in place of a layer's name where a call is not on a tensor."""


class Graph:
    """Layers of Keras 3 for those of a model, each made when it is first met.

    Args:
        columns: Our columns by the name of their layer.
        bags: Keys of features with any number of values an example, where the model does not say which are.
        layers: Layers of Keras 3 in place of the model's, by name.
    """

    def __init__(
        self, columns: Mapping[str, list[Any]], bags: Collection[str], layers: Mapping[str, keras.layers.Layer]
    ) -> None:
        self._columns, self._bags, self._replacements = columns, bags, layers
        self._made: dict[int, keras.layers.Layer] = {}
        self._names: set[str] = set()
        self._masks: dict[int, Any] = {}
        """Which steps are there, by the tensor of lengths."""

    def model(self, node: Node) -> keras.Model:
        """Returns the model of Keras 3; models inside it are a part of its graph."""
        if node.is_functional:
            made = {child.name: _input(child, node) for child in node.children if child.class_name == "InputLayer"}
            given = _mapped(node.config["input_layers"], lambda ref: made[ref[0]])
        elif node.is_sequential and not next(node.leaves).is_of_columns:
            shape = node.children[0].config.get("batch_input_shape", node.config.get("build_input_shape"))
            if shape is None:
                raise Refusal(NEVER_CALLED.format(node.name))
            given = keras.Input(batch_shape=(None, *shape[1:]), dtype=node.children[0].config["dtype"])
        else:
            given = inputs([column for columns in self._columns.values() for column in columns], self._bags)
        return keras.Model(_single(given), self.outputs(node, _single(given)), name=node.name.replace("/", "_"))

    def layers(self, leaves: Iterable[Node]) -> list[keras.layers.Layer]:
        """Returns those that were made for some layers of the model and have weights."""
        made = (self._made.get(id(leaf)) for leaf in leaves)
        return [layer for layer in made if layer is not None and layer.weights]

    def _layer(self, node: Node) -> keras.layers.Layer:
        if id(node) not in self._made:
            self._made[id(node)] = self._new(node)
        return self._made[id(node)]

    def _new(self, node: Node) -> keras.layers.Layer:
        if node.name in self._replacements:
            return self._replacements[node.name]
        plain = name = node.name.replace("/", "_")
        while name in self._names:  # a model inside another has names of its own
            name = f"{plain}_{len(self._names)}"
        self._names.add(name)
        if node.is_of_columns:
            return columns_layer(node, self._columns[node.name], name)
        return keras3_layer(node, name)

    def outputs(self, node: Node, given: Any, **arguments: Any) -> Any:
        """Returns what a layer or a model makes of tensors."""
        if node.is_functional:
            return self._functional(node, given, arguments)
        if node.is_sequential:
            for child in node.children:
                given = given if child.class_name == "InputLayer" else self.outputs(child, given, **arguments)
            return given
        if node.is_model:
            return self._wide_deep(node, given, arguments)
        return self._called(node, given, arguments)

    def _called(self, node: Node, given: Any, arguments: Mapping[str, Any]) -> Any:
        if node.config.get("function") == "sequence_mask" and id(given) in self._masks and not arguments:
            return self._masks[id(given)]
        if node.name not in self._replacements and (apply := operation(node, arguments)):
            return apply(given)
        if node.class_name == "LinearModel" and not keras.utils.is_keras_tensor(given):
            raise Refusal(
                f"layer '{node.name}' (LinearModel) is called on several tensors; give them to one Dense each."
            )
        layer = self._layer(node)
        if node.is_of_columns or "training" not in inspect.signature(layer.call).parameters:
            arguments = {key: value for key, value in arguments.items() if key != "training"}
        found = layer(given, **arguments)
        if not isinstance(layer, SequenceFeatures):
            return found
        values, lengths = found
        self._masks[id(lengths)] = values._keras_mask
        # The old layer's values carry no mask: layers that are given none go through what is padded too.
        return keras.ops.copy(values), lengths

    def _wide_deep(self, node: Node, given: Any, arguments: Mapping[str, Any]) -> Any:
        both = given if isinstance(given, (list, tuple)) and len(given) == 2 else (given, given)
        wide, deep = (self.outputs(*pair, **arguments) for pair in zip(node.children, both, strict=True))
        return keras.layers.Activation(node.config["activation"] or "linear")(keras.layers.Add()([wide, deep]))

    def _functional(self, node: Node, given: Any, arguments: Mapping[str, Any]) -> Any:
        found: dict[tuple[str, int], list[Any]] = {
            (name, 0): [tensor] for name, tensor in _by_input(node.config["input_layers"], given).items()
        }
        # A model inside counts the call in which it was made as its first.
        waiting = [
            (child, place, data)
            for child in node.children
            for place, data in enumerate(child.calls, 1 if child.is_functional or child.is_sequential else 0)
            if child.class_name != "InputLayer"
        ]
        while waiting:
            ready = [call for call in waiting if all((ref[0], ref[1]) in found for ref in _refs(call[2]))]
            if not ready:
                raise Refusal(
                    f"layer '{waiting[0][0].name}' is called on what no layer of the model makes; save the model again."
                )
            for child, place, data in ready:
                tensors = _mapped(data, lambda ref: found[ref[0], ref[1]][ref[2]])
                own = _mapped(_arguments(data), lambda ref: found[ref[0], ref[1]][ref[2]])
                result = self.outputs(child, _single(tensors), **{**arguments, **own})
                found[child.name, place] = keras.tree.flatten(result)
            waiting = [call for call in waiting if call not in ready]
        return _single(_mapped(node.config["output_layers"], lambda ref: found[ref[0], ref[1]][ref[2]]))


def _input(node: Node, model: Node) -> Any:
    """Returns the symbolic input for one of the model's; a bag is one whose size is not known, or that is sparse."""
    config = node.config
    shape = tuple(config["batch_input_shape"])
    is_bag = config.get("sparse") or config.get("ragged") or None in shape[1:]
    calls = [
        data for child in model.children for data in child.calls if any(ref[0] == node.name for ref in _refs(data))
    ]
    if is_bag and all(isinstance(data, Mapping) for data in calls):  # read by layers of columns
        shape = shape if None in shape[1:] else (shape[0], None)
        return BagInput(batch_shape=shape, dtype=config["dtype"], name=node.name).output
    arguments = {"sparse": True} if config.get("sparse") else {}
    return keras.Input(batch_shape=shape, dtype=config["dtype"], name=node.name, **arguments)


def _is_ref(value: Any) -> bool:
    """Tells whether something is a tensor as Keras 2 writes it: its layer, which call of it, which of the outputs."""
    return (
        isinstance(value, (list, tuple))
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and (value[0] == _CONSTANT or all(isinstance(number, int) for number in value[1:3]))
    )


def _mapped(structure: Any, tensor: Callable[[Any], Any]) -> Any:
    """Returns a structure with what a function returns in place of each tensor as Keras 2 writes it."""
    if _is_ref(structure):
        return structure[2] if structure[0] == _CONSTANT else tensor(structure)
    if isinstance(structure, Mapping):
        return {key: _mapped(value, tensor) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return [_mapped(value, tensor) for value in structure]
    return structure


def _refs(structure: Any) -> Iterator[Any]:
    """Yields the tensors in a structure, those among the arguments of a call too."""
    if _is_ref(structure):
        yield from () if structure[0] == _CONSTANT else (structure,)
        yield from _refs(structure[3] if len(structure) == 4 else {})
    elif isinstance(structure, (Mapping, list, tuple)):
        for value in structure.values() if isinstance(structure, Mapping) else structure:
            yield from _refs(value)


def _arguments(call: Any) -> dict[str, Any]:
    """Returns the keyword arguments of a call, which stand beside its first tensor."""
    while not _is_ref(call):
        call = next(iter(call.values() if isinstance(call, Mapping) else call))
    return {key: value for key, value in (call[3] if len(call) == 4 else {}).items() if value is not None}


def _single(given: Any) -> Any:
    return given[0] if isinstance(given, (list, tuple)) and len(given) == 1 else given


def _by_input(input_layers: Any, given: Any) -> dict[str, Any]:
    """Returns the tensors that a functional model is called on, by the names of its inputs."""
    if isinstance(input_layers, Mapping):
        given = given if isinstance(given, Mapping) else dict(zip(sorted(input_layers), _listed(given), strict=True))
        return {ref[0]: given[key] for key, ref in input_layers.items()}
    refs = list(_refs(input_layers))
    if isinstance(given, Mapping):
        return {ref[0]: given[ref[0]] for ref in refs}
    return dict(zip((ref[0] for ref in refs), _listed(given), strict=True))


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, (list, tuple)) else [given]
