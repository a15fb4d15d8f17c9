"""A model of Keras 2 on columns becomes one of Keras 3."""

from collections.abc import Collection, Mapping
from typing import Any

import keras

from trainer.errors import Refusal, nearest, refusing
from trainer.migration.keras2 import sources
from trainer.migration.keras2.declared import columns_of_layers
from trainer.migration.keras2.models import Graph
from trainer.migration.keras2.old import WHO, Node, OldModel
from trainer.migration.keras2.weights import carry, layers_with_weights


def from_keras2(
    model_or_path: Any,
    columns: Any = None,
    *,
    into: keras.Model | None = None,
    bags: Collection[str] = (),
    layers: Mapping[str, keras.layers.Layer] | None = None,
) -> keras.Model:
    """Returns a model of Keras 2 on `DenseFeatures` or `SequenceFeatures` as one of Keras 3 on ours.

    Its layers are those of Keras 3 of the same names and arguments, its weights are copied, and it gives the same
    outputs. A tensor that no weight is for, and a weight without a tensor, is an error. The model is not compiled, and
    the slots of the old optimizer stay behind.

    Args:
        model_or_path: A model of `tf_keras`; or the path of a SavedModel, of a file `.h5`, `.keras` or `.weights.h5`,
            or of a checkpoint that a model of Keras 2 wrote.
        columns: The declarations, of `tf.feature_column` or ours; where there are several layers of columns, a
            dictionary from the layer's name to them. None takes the model's own, which a file holds unless they have
            functions in them.
        into: A built model of Keras 3 that gets the weights: for a checkpoint, which has no architecture, and for a
            model whose forward pass is code of one's own. Its layers have the names of the old ones, or their order.
        bags: Keys of features with any number of values an example, where the model was made without inputs, as a
            `Sequential` is; inputs say it themselves.
        layers: Layers of Keras 3 in place of those that cannot be translated, by the name of the old one.

    Returns:
        `into`, or a functional model with the inputs of the old one, or with those of its columns.

    Raises:
        Refusal: It is no model of Keras 2, has no architecture and there is no `into`, a layer of it cannot be
            translated, the columns are not its own, or a weight or tensor is left over.

    Example:
        >>> import tensorflow as tf
        >>> import tf_keras
        >>> hour = tf.feature_column.categorical_column_with_identity("hour", 24)
        >>> layer = tf_keras.layers.DenseFeatures([tf.feature_column.embedding_column(hour, 3)])
        >>> old = tf_keras.Sequential([layer, tf_keras.layers.Dense(1)])
        >>> rows = {"hour": tf.constant([8, 17])}
        >>> expected = old(rows)
        >>> bool(tf.reduce_all(tf.abs(from_keras2(old)(rows) - expected) < 1e-5))
        True
    """
    with refusing(WHO):
        if into is not None:
            _check_into(into, {"columns": columns, "bags": bags, "layers": layers})
            carry(sources.opened(model_or_path, _like(into)), layers_with_weights(into), are_new=False)
            return into
        old = sources.opened(model_or_path, None)
        node = _architecture(old)
        leaves = list({id(leaf): leaf for leaf in node.leaves}.values())
        _check_layers(layers or {}, leaves)
        ours = columns_of_layers(columns, old, [leaf for leaf in leaves if leaf.is_of_columns])
        graph = Graph(ours, bags, layers or {})
        model = graph.model(node)
        carry(old, graph.layers(leaves), are_new=True)
        return model


def _check_into(into: Any, others: Mapping[str, Any]) -> None:
    for name, given in others.items():
        if given is not None and given != ():
            raise Refusal(f"into= is a model with layers and columns of its own; leave {name} out.")
    if not isinstance(into, keras.Model):
        raise Refusal(f"into: a model of Keras 3 is wanted, not {type(into).__name__} of {_package(into)}.")
    if not into.built:
        raise Refusal("into: the model has no weights yet; call it once, on a row.")


def _package(value: Any) -> str:
    return type(value).__module__.partition(".")[0]


def _like(model: Any) -> Node:
    """Returns the layers of a model of Keras 3 as those of an old one."""
    children = tuple(
        _like(layer) if isinstance(layer, keras.Model) else Node(layer.name, type(layer).__name__, {})
        for layer in model.layers
    )
    return Node(model.name, "Functional", {"input_layers": ()}, children=children)


def _architecture(old: OldModel) -> Node:
    if old.node is None:
        raise Refusal(
            f"{old.place} holds weights and not how its layers are called; make the model anew on trainer.layers and "
            "give it as into=."
        )
    return old.node


def _check_layers(layers: Mapping[str, Any], leaves: list[Node]) -> None:
    names = [leaf.name for leaf in leaves]
    for name, layer in layers.items():
        if name not in names:
            there = f"; the model has {', '.join(names)}."
            raise Refusal(f"layers: there is no layer '{name}'{nearest(name, names) or there}")
        if not isinstance(layer, keras.layers.Layer):
            kind = f"{type(layer).__name__} of {_package(layer)}"
            raise Refusal(f"layers: a layer of Keras 3 is wanted for '{name}', not {kind}.")
