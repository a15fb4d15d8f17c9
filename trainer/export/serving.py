"""Writing the model to serve, with its two signatures."""

import json
import keyword
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from trainer import paths
from trainer.errors import Refusal
from trainer.export.examples import parsed
from trainer.feature_column import FeatureColumn
from trainer.heads import Head
from trainer.layers.columns_layer import ColumnsLayer
from trainer.models.retrieval import by_title
from trainer.models.variables import Divided, by_place

TRAINED = "trained"
"""The name under which the variables of a model lie in its export, by their places; a part of one has its first row
after that."""

_RESOURCE = tf.saved_model.experimental.TrackableResource


def signature_names(keys: Iterable[str]) -> dict[str, str]:
    """Returns the name of each raw feature in the exported signature, `[A-Za-z0-9_]` only, by feature key.

    A name that does not begin with a letter comes after `feature_`, and one that is a word of Python's before a `_`.

    Raises:
        Refusal: Two keys would get one name.

    Example:
        >>> signature_names(["hour", "capital-gain"])
        {'hour': 'hour', 'capital-gain': 'capital_gain'}
        >>> signature_names(["class", "2nd"])
        {'class': 'class_', '2nd': 'feature_2nd'}
    """
    names: dict[str, str] = {}
    for key in keys:
        name = re.sub(r"[^A-Za-z0-9_]", "_", key)
        name = name if name[:1].isalpha() else f"feature_{name}"
        name = f"{name}_" if keyword.iskeyword(name) or name == "self" else name
        other = next((other for other, taken in names.items() if taken == name), None)
        if other is not None:
            raise Refusal(
                f"export: features '{other}' and '{key}' would both be named '{name}' in the exported model; "
                "rename one."
            )
        names[key] = name
    return names


def check(model: keras.Model) -> None:
    """Refuses a model that could not be exported once it is trained.

    Raises:
        Refusal: Two of its features would get one name.
    """
    signature_names(tensor.name for tensor in model.inputs)


def write(folder: str, model: keras.Model, head: Head) -> None:
    """Writes the model with its head's predictions, and beside it the features' names.

    The signature `serving_default` takes a tensor `(batch,)` for each raw feature, under the names of
    `signature_names`, and a bag `(batch, values)`; `parse_examples` takes serialized `tf.train.Example`s, `examples`
    `(batch,)`. Both return the head's predictions by name, and so does `by_title` of a model that retrieves rows with
    titles, from `titles` `(batch, titles)`.

    Args:
        folder: Where the SavedModel goes.
        model: A model of raw features to logits.
        head: What turns logits into predictions.
    """
    names, answering = signature_names(tensor.name for tensor in model.inputs), head.on(model)
    columns = [column for layer in model._flatten_layers() for column in _columns_of(layer)]

    def answers(features: Mapping[str, Any]) -> dict[str, Any]:
        # Keras runs a dictionary through the model by the names of its inputs.
        return answering.predictions(model(features, training=False))

    def serve(**features: Any) -> dict[str, Any]:
        return answers({key: features[name] for key, name in names.items()})

    def parse(examples: Any) -> dict[str, Any]:
        return answers(parsed(examples, model.inputs, columns))

    specs = {
        names[tensor.name]: tf.TensorSpec(tensor.shape, tensor.dtype, name=names[tensor.name])
        for tensor in model.inputs
    }
    module = tf.Module()
    module.resources = _resources(model)
    setattr(module, TRAINED, dict(_trained(model)))
    module.serve = tf.function(serve, autograph=False)
    module.parse = tf.function(parse, autograph=False)
    signatures = {
        "serving_default": module.serve.get_concrete_function(**specs),
        "parse_examples": module.parse.get_concrete_function(tf.TensorSpec([None], tf.string, name="examples")),
    }
    module.by_title = by_title(model)
    if module.by_title is not None:
        found = tf.function(lambda titles: answers(module.by_title(titles)), autograph=False)
        titles = tf.TensorSpec([None, None], tf.string, name="titles")
        signatures["by_title"] = found.get_concrete_function(titles=titles)
    tf.saved_model.save(module, folder, signatures=signatures)
    paths.write_text(paths.join(folder, "features.json"), json.dumps(names, indent=2) + "\n")


def _resources(model: keras.Model) -> list[Any]:
    """Returns the lookup tables of a model; with the model itself all variables would be saved a second time, and what
    its optimizer has noted of them."""
    return [each for each in tf.train.TrackableView(model).descendants() if isinstance(each, _RESOURCE)]


def _trained(model: keras.Model) -> Iterator[tuple[str, Any]]:
    for place, variable in by_place(model.variables).items():
        if isinstance(variable, Divided):
            yield from ((f"{place}_{part.first:015d}", part.variable) for part in variable.parts)
        else:
            yield place, variable.value


def _columns_of(layer: keras.layers.Layer) -> Sequence[FeatureColumn]:
    return layer.columns if isinstance(layer, ColumnsLayer) else ()
