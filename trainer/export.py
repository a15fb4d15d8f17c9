"""The model to serve: a SavedModel that takes raw features and loads with TensorFlow alone."""

import json
import re
from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from trainer import paths
from trainer.errors import Refusal
from trainer.heads import Head


def signature_names(keys: Iterable[str]) -> dict[str, str]:
    """Returns the name of each raw feature in the exported signature, `[A-Za-z0-9_]` only, by feature key.

    Raises:
        Refusal: Two keys would get one name.

    Example:
        >>> signature_names(["hour", "capital-gain"])
        {'hour': 'hour', 'capital-gain': 'capital_gain'}
    """
    names: dict[str, str] = {}
    for key in keys:
        name = re.sub(r"[^A-Za-z0-9_]", "_", key)
        other = next((other for other, taken in names.items() if taken == name), None)
        if other is not None:
            raise Refusal(
                f"export: features '{other}' and '{key}' would both be named '{name}' in the exported model; "
                "rename one."
            )
        names[key] = name
    return names


def write(folder: str, model: keras.Model, head: Head) -> None:
    """Writes the model with its head's predictions, and beside it the features' names.

    The signature `serving_default` takes a tensor `(batch,)` for each raw feature, under the names of
    `signature_names`, and returns the head's predictions by name.

    Args:
        folder: Where the SavedModel goes.
        model: A model of raw features to logits.
        head: What turns logits into predictions.
    """
    names = signature_names(tensor.name for tensor in model.inputs)

    def serve(**features: Any) -> dict[str, Any]:
        # Keras runs a dictionary through the model by the names of its inputs.
        return head.predictions(model({key: features[name] for key, name in names.items()}, training=False))

    specs = {
        names[tensor.name]: tf.TensorSpec(tensor.shape, tensor.dtype, name=names[tensor.name])
        for tensor in model.inputs
    }
    module = tf.Module()
    module.model = model
    module.serve = tf.function(serve, autograph=False)
    tf.saved_model.save(module, folder, signatures={"serving_default": module.serve.get_concrete_function(**specs)})
    paths.write_text(paths.join(folder, "features.json"), json.dumps(names, indent=2) + "\n")
