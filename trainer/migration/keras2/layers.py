"""A layer of Keras 2 as the layer of Keras 3 of the same name and meaning."""

import inspect
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from trainer.errors import Refusal
from trainer.layers import DenseFeatures, SequenceFeatures
from trainer.migration.keras2.old import Node

_RENAMED = {"LeakyReLU": {"alpha": "negative_slope"}}
_OF_EVERY_LAYER = {"name", "dtype", "trainable", "activity_regularizer"}
_WITHOUT_MEANING = {
    *("trainable", "batch_input_shape", "build_input_shape", "implementation", "input_length", "dynamic"),
    *("query_shape", "key_shape", "value_shape", "vocabulary_size"),
}
"""What Keras 2 writes of a layer that changes nothing of what it computes."""
_OTHER_FUNCTION = "hard_sigmoid"
"""Of the functions that have a name in both, the one whose slope was 1/5 and is 1/6."""
_OF_VOCABULARIES = ("StringLookup", "IntegerLookup", "TextVectorization")
_CODE = ("Lambda", "TFOpLambda", "SlicingOpLambda", "ClassMethod")
_PLACES = ("initializers", "regularizers", "constraints")


def columns_layer(node: Node, columns: list[Any], name: str) -> keras.layers.Layer:
    """Returns our layer of columns for one of Keras 2, with tables that hold nothing yet, and take no memory."""
    kind = DenseFeatures if node.class_name == "DenseFeatures" else SequenceFeatures
    trainable, dtype = node.config.get("trainable", True), _dtype(node.config.get("dtype"))
    layer = kind(columns, name=name, trainable=trainable, dtype=dtype)
    initializers = {name: table.initializer for name, table in layer.tables.items()}
    for table in layer.tables.values():
        table.initializer = _unset
    layer.build()
    for name, table in layer.tables.items():
        table.initializer = initializers[name]
    return layer


def _unset(shape: Any, dtype: Any = None) -> Any:
    return tf.raw_ops.Empty(shape=shape, dtype=dtype, init=False)


def keras3_layer(node: Node, name: str) -> keras.layers.Layer:
    """Returns the layer of Keras 3, not built.

    Args:
        node: The layer as Keras 2 describes it.
        name: The name that it gets.

    Raises:
        Refusal: There is no such layer in Keras 3, or it cannot do the same.
    """
    if node.class_name == "LinearModel":  # of one tensor, it is this
        kept = ("units", "activation", "use_bias", "kernel_regularizer", "bias_regularizer", "trainable", "dtype")
        config = {key: node.config[key] for key in kept if key in node.config}
        node = Node(node.name, "Dense", config)
    if node.class_name in _CODE or not _is_layer(node.class_name):
        what = "is code, not a layer" if node.class_name in _CODE else "is no layer of Keras"
        raise Refusal(
            f"layer '{node.name}' ({node.class_name.split('>')[-1]}) {what}, and cannot be translated; give "
            f"layers={{'{node.name}': a Keras 3 layer that does the same}}."
        )
    if node.class_name in _OF_VOCABULARIES and node.config.get("vocabulary") is None:
        raise Refusal(
            f"layer '{node.name}' ({node.class_name}) learned its vocabulary from data, and comes over without it; "
            f"give layers={{'{node.name}': a Keras 3 layer that has it}}."
        )
    config = {**_translated(node.class_name, node.config, node.name), "name": name}
    trainable = config.pop("trainable", True)
    try:
        layer = getattr(keras.layers, node.class_name).from_config(config)
    except (TypeError, ValueError) as error:
        text = str(error).partition("Exception encountered: ")[2] or str(error)  # Keras puts all arguments before it
        why = text.strip().partition("\n")[0]
        raise Refusal(
            f"layer '{node.name}' ({node.class_name}) cannot be made in Keras 3 ({why}); give "
            f"layers={{'{node.name}': a Keras 3 layer that does the same}}."
        ) from None
    if not trainable:
        layer.trainable = False
    return layer


def _is_layer(class_name: str) -> bool:
    found = getattr(keras.layers, class_name, None)
    return inspect.isclass(found) and issubclass(found, keras.layers.Layer)


def _translated(class_name: str, config: Mapping[str, Any], layer: str) -> dict[str, Any]:
    """Returns the arguments for Keras 3, without those that it has not."""
    taken, found = _arguments(getattr(keras.layers, class_name)), {}
    for key, value in config.items():
        key = _RENAMED.get(class_name, {}).get(key, key)
        value = _dtype(value) if key == "dtype" else _value(value, layer)
        without_meaning = key in _WITHOUT_MEANING or value in (None, False) or (key, value) == ("groups", 1)
        if value == _OTHER_FUNCTION or (key not in taken and not without_meaning):
            why = "is another function in Keras 3" if value == _OTHER_FUNCTION else "Keras 3 has not"
            raise Refusal(
                f"layer '{layer}' ({class_name}) has {key}={value!r}, which {why}; give layers={{'{layer}': a Keras 3 "
                "layer that does the same}."
            )
        if key in taken:
            found[key] = value
    if class_name == "BatchNormalization" and isinstance(found.get("axis"), (list, tuple)):
        (found["axis"],) = found["axis"]
    return found


def _arguments(kind: type) -> set[str]:
    """Returns the arguments that a class takes, and hands on to the classes that it is made of."""
    found: set[str] = set()
    for base in kind.__mro__:
        if base is keras.layers.Layer:
            return found | _OF_EVERY_LAYER
        if "__init__" in vars(base):
            parameters = inspect.signature(vars(base)["__init__"]).parameters
            found.update(parameters)
            if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
                break
    return found


def _dtype(value: Any) -> Any:
    """Returns the name of a dtype or of a policy."""
    return value["config"]["name"] if isinstance(value, Mapping) else value


def _value(value: Any, layer: str) -> Any:
    """Returns an argument in which layers, initializers and their like are those of Keras 3."""
    if isinstance(value, (list, tuple)):
        return type(value)(_value(item, layer) for item in value)
    if not isinstance(value, Mapping) or "class_name" not in value:
        return value
    name = value["class_name"]
    if name == "function":
        return value["config"]
    if _is_layer(name):
        return {"module": "keras.layers", "class_name": name, "config": _translated(name, value["config"], layer)}
    module = next((place for place in _PLACES if hasattr(getattr(keras, place), name)), None)
    if module is None:
        raise Refusal(
            f"layer '{layer}' is made with {name}, which Keras 3 has not; give layers={{'{layer}': a Keras 3 layer "
            "that does the same}."
        )
    return {"module": f"keras.{module}", "class_name": name, "config": value["config"], "registered_name": None}
