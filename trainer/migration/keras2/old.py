"""What is known of a model of Keras 2: its layers as their configurations tell, and its tensors layer by layer."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from trainer.errors import Refusal
from trainer.warm_start.source import Tensor

WHO = "from_keras2"
COLUMN_LAYERS = ("DenseFeatures", "SequenceFeatures")
WIDE_DEEP = "WideDeepModel"
NEVER_CALLED = "model '{}' was never called, and has no weights; call it once, on a row."
_IN_ORDER = "Sequential"


@dataclass(frozen=True, eq=False)
class Node:
    """A layer, or a model of layers, as its configuration describes it.

    Args:
        name: Of the layer.
        class_name: Of the layer.
        config: The arguments that it was made with, and for a model its inputs and outputs.
        calls: What it is called on, one for each time, as Keras 2 writes it; of a layer in a functional model.
        children: The layers of a model.
    """

    name: str
    class_name: str
    config: Mapping[str, Any]
    calls: tuple[Any, ...] = ()
    children: tuple["Node", ...] = ()

    @property
    def is_functional(self) -> bool:
        """Whether it is a model whose layers say what they are called on."""
        return "input_layers" in self.config

    @property
    def is_sequential(self) -> bool:
        """Whether it is a model whose layers are called one on the other."""
        return self.class_name == _IN_ORDER

    @property
    def is_model(self) -> bool:
        """Whether its layers are known one by one."""
        return self.is_functional or self.is_sequential or self.class_name == WIDE_DEEP

    @property
    def is_of_columns(self) -> bool:
        """Whether it is a layer of columns."""
        return self.class_name in COLUMN_LAYERS

    @property
    def leaves(self) -> Iterator["Node"]:
        """The layers in it that are no models, and no inputs."""
        if not self.is_model:
            yield self
        for child in self.children:
            if child.class_name != "InputLayer":
                yield from child.leaves


@dataclass(frozen=True, eq=False)
class OldLayer:
    """The tensors of one layer.

    Args:
        name: Of the layer; where nothing tells it, its place in the file, which has a slash or a number.
        tensors: By their names in the layer, such as `kernel`, `forward_layer/cell/kernel` or `vars/0`.
    """

    name: str
    tensors: tuple[Tensor, ...]


@dataclass(frozen=True, eq=False)
class OldModel:
    """A model of Keras 2.

    Args:
        place: What a refusal calls it.
        layers: Those that have tensors, in the order of the model.
        node: Its architecture; None where only weights are known.
        columns: Columns of TensorFlow's by the name of their layer, where they are at hand.
    """

    place: str
    layers: tuple[OldLayer, ...]
    node: Node | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)


def node_of(serialized: Any) -> Node:
    """Returns a layer from what Keras 2 writes of it."""
    serialized = plain(serialized)
    config = serialized["config"]
    if serialized["class_name"] == WIDE_DEEP:
        children = tuple(node_of(config[part]) for part in ("linear_model", "dnn_model"))
    elif "input_layers" in config or serialized["class_name"] == _IN_ORDER:
        children = tuple(map(node_of, config["layers"]))
    else:
        children = ()
    # A nested model's own name is that of the layer; a registered class is written `package>Name`.
    name = serialized.get("name") or config.get("name") or _snake_case(serialized["class_name"])
    class_name = serialized.get("registered_name") or serialized["class_name"]
    if not str(serialized.get("module", "keras")).startswith(("keras", "tf_keras")):
        class_name = f"{serialized['module']}>{class_name}"
    return Node(name, class_name, config, tuple(serialized.get("inbound_nodes", ())), children)


def plain(value: Any) -> Any:
    """Returns what Keras 2 writes as JSON with its tuples as tuples.

    Example:
        >>> plain({"shape": {"class_name": "__tuple__", "items": [None, 3]}})
        {'shape': (None, 3)}
    """
    if isinstance(value, dict):
        if value.get("class_name") in ("__tuple__", "TensorShape") and "items" in value:
            return tuple(map(plain, value["items"]))
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(plain, value)) if type(value) in (list, tuple) else list(map(plain, value))
    return value


def snake_names(class_names: Any) -> list[str]:
    """Returns the names under which Keras 2 archives layers of some classes.

    Example:
        >>> snake_names(["DenseFeatures", "Dense", "Dense"])
        ['dense_features', 'dense', 'dense_1']
    """
    counts: dict[str, int] = {}
    found = []
    for name in map(_snake_case, class_names):
        counts[name] = counts.get(name, -1) + 1
        found.append(f"{name}_{counts[name]}" if counts[name] else name)
    return found


def _snake_case(class_name: str) -> str:
    words = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", class_name.split(">")[-1])
    return re.sub("([a-z])([A-Z])", r"\1_\2", words).lower()


def import_tf_keras() -> Any:
    """Returns `tf_keras`.

    Raises:
        Refusal: It is not installed.
    """
    try:
        import tf_keras
    except ImportError:
        raise Refusal(f"{WHO}: tf_keras is wanted, the Keras 2 that wrote this; pip install tf-keras.") from None
    return tf_keras
