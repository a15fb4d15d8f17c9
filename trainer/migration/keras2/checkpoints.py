"""Weights of Keras 2 in checkpoints of TensorFlow, as they stand or in a SavedModel."""

import json
from collections.abc import Iterator
from functools import partial

from trainer import paths
from trainer.errors import Refusal
from trainer.migration.keras2.old import WIDE_DEEP, Node, OldLayer, OldModel, import_tf_keras, node_of
from trainer.warm_start import checkpoint
from trainer.warm_start.source import Tensor

_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_BESIDE = {
    *("root", "optimizer", "save_counter", "keras_api", "signatures", "metrics", "layer_metrics", "layers"),
    *("variables", "trainable_variables", "non_trainable_variables", "regularization_losses"),
}
"""What stands beside the layers of a model and in them, and is none, or is one under another name."""


def opened_saved_model(place: str) -> OldModel:
    """Returns what the folder of a SavedModel holds; its architecture is None where its forward pass is one's own."""
    node = _described(place)
    return opened(paths.join(place, "variables", "variables"), place, node if node and node.is_model else None)


def opened(prefix: str, place: str, node: Node | None = None) -> OldModel:
    """Returns the layers of a checkpoint.

    Args:
        prefix: Of the checkpoint.
        place: What a refusal calls it.
        node: The architecture, where it is known.

    Raises:
        Refusal: It was written by name, as Estimators write theirs.
    """
    graph = _Graph(prefix, place)
    if node is None:
        layers = [OldLayer(name, tuple(graph.tensors(at))) for name, at in graph.layers(graph.model)]
    else:
        layers = [OldLayer(leaf.name, tuple(graph.tensors(at))) for leaf, at in graph.places(node, graph.model)]
    return OldModel(place, tuple(layer for layer in layers if layer.tensors), node)


class _Graph:
    """The objects that a checkpoint was written of."""

    def __init__(self, prefix: str, place: str) -> None:
        import tensorflow as tf
        from tensorflow.core.protobuf import trackable_object_graph_pb2

        reader = tf.compat.v1.train.NewCheckpointReader(prefix)
        self.prefix, self.shapes = prefix, reader.get_variable_to_shape_map()
        self.dtypes = reader.get_variable_to_dtype_map()
        if _GRAPH not in self.shapes:
            raise Refusal(
                f"{place} was written by name, not by a model of Keras 2; from_estimator reads an Estimator's"
            )
        graph = trackable_object_graph_pb2.TrackableObjectGraph()
        graph.ParseFromString(reader.get_tensor(_GRAPH))
        self.nodes = graph.nodes

    @property
    def model(self) -> int:
        """The object that is the model: the one that was saved, or what it calls its model."""
        children = self.children(0)
        numbered = [child for child in children.values() if self._is_numbered(child)]
        if self._is_numbered(0) or not children:
            return 0
        return children.get("model", numbered[0] if len(numbered) == len(children) == 1 else 0)

    def _is_numbered(self, at: int) -> bool:
        return bool({"layer-0", "linear_model"} & set(self.children(at)))

    def children(self, at: int) -> dict[str, int]:
        """Returns the objects below one, by name."""
        return {child.local_name: child.node_id for child in self.nodes[at].children if child.local_name not in _BESIDE}

    def places(self, node: Node, at: int) -> Iterator[tuple[Node, int]]:
        """Yields each layer of an architecture with its object."""
        if not node.is_model:
            yield node, at
            return
        below = {child.local_name: child.node_id for child in self.nodes[at].children}
        children = [child for child in node.children if not (node.is_sequential and child.class_name == "InputLayer")]
        names = [f"layer-{number}" for number in range(len(children))]
        names = ["linear_model", "dnn_model"] if node.class_name == WIDE_DEEP else names
        for child, name in zip(children, names, strict=True):
            if name in below:
                yield from self.places(child, below[name])

    def layers(self, at: int, above: str = "") -> Iterator[tuple[str, int]]:
        """Yields the objects that are layers where no architecture tells which: in order, by their places."""
        children = self.children(at)
        numbered = {name: child for name, child in children.items() if name.startswith("layer_with_weights-")}
        is_list = bool(children) and all(map(str.isdigit, children))
        if not numbered and (is_list or not above):
            numbered = children
        if not numbered:
            yield above, at
        for name in sorted(numbered, key=lambda name: int(number) if (number := name.split("-")[-1]).isdigit() else 0):
            yield from self.layers(numbered[name], f"{above}/{name}".lstrip("/"))

    def tensors(self, at: int, above: str = "", seen: set[int] | None = None) -> Iterator[Tensor]:
        """Yields the tensors of an object and of all below it, by their paths."""
        seen = set() if seen is None else seen
        if at in seen:
            return
        seen.add(at)
        for attribute in self.nodes[at].attributes:
            if (key := attribute.checkpoint_key) in self.shapes and attribute.name == "VARIABLE_VALUE":
                read = partial(checkpoint.values, self.prefix, key, self.dtypes[key])
                yield Tensor(above, tuple(self.shapes[key]), self.dtypes[key].name, read)
        for name, child in self.children(at).items():
            yield from self.tensors(child, f"{above}/{name}".lstrip("/"), seen)


def _described(place: str) -> Node | None:
    """Returns what a SavedModel says of its architecture; None where Keras did not write it."""
    metadata = paths.join(place, "keras_metadata.pb")
    if not paths.exists(metadata):
        return None
    import_tf_keras()
    from tf_keras.protobuf import saved_metadata_pb2

    found = saved_metadata_pb2.SavedMetadata()
    found.ParseFromString(paths.read_bytes(metadata))
    root = next(json.loads(node.metadata) for node in found.nodes if node.node_path == "root")
    return node_of(root) if root.get("config") else None
