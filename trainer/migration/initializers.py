"""TensorFlow's initializers as those of Keras 3."""

import math
from collections.abc import Callable
from typing import Any

import keras

# The classes of init_ops (v1), init_ops_v2 and tf_keras have these names, and configurations of these arguments.
_SAME_MEANING: dict[str, tuple[str, ...]] = {
    "Zeros": (),
    "Ones": (),
    "Constant": ("value",),
    "RandomUniform": ("minval", "maxval", "seed"),
    "RandomNormal": ("mean", "stddev", "seed"),
    "TruncatedNormal": ("mean", "stddev", "seed"),
    "VarianceScaling": ("scale", "mode", "distribution", "seed"),
    "GlorotNormal": ("seed",),
    "GlorotUniform": ("seed",),
    "HeNormal": ("seed",),
    "HeUniform": ("seed",),
    "LecunNormal": ("seed",),
    "LecunUniform": ("seed",),
    "Orthogonal": ("gain", "seed"),
}
_PLACES = ("tensorflow.python.ops.init_ops", "tensorflow.python.ops.init_ops_v2", "tf_keras.")


def keras_initializer(initializer: Any, dimension: int) -> Callable[..., Any] | None:
    """Returns what starts a table as an initializer of TensorFlow does.

    Args:
        initializer: Of TensorFlow 1 or 2, of Keras 2 or 3, or a function of shape and dtype.
        dimension: The floats of a row.

    Returns:
        None for what an embedding column does by itself, `truncated_normal(0, 1 / sqrt(dimension))`; a Keras
        initializer of the same meaning, or, where there is none, the same function of shape and dtype.

    Example:
        >>> import tensorflow as tf
        >>> type(keras_initializer(tf.compat.v1.zeros_initializer(), 4)).__name__
        'Zeros'
        >>> keras_initializer(tf.compat.v1.truncated_normal_initializer(stddev=0.5), 4)
    """
    name, place = type(initializer).__name__, type(initializer).__module__
    if name not in _SAME_MEANING or not place.startswith(_PLACES):
        return initializer
    config = initializer.get_config()
    if name == "TruncatedNormal" and _is_default(config, dimension):
        return None
    if name == "Constant" and not isinstance(config["value"], (int, float)):
        return initializer  # TensorFlow lays a list out over the table, Keras does not
    arguments = {argument: config[argument] for argument in _SAME_MEANING[name]}
    if arguments.get("distribution") == "normal":  # TensorFlow 1's word for it
        arguments["distribution"] = "truncated_normal"
    if name == "RandomUniform" and arguments["maxval"] is None:  # TensorFlow 1's way to say 1
        arguments["maxval"] = 1.0
    found: Callable[..., Any] = getattr(keras.initializers, name)(**arguments)
    return found


def _is_default(config: dict[str, Any], dimension: int) -> bool:
    spread = math.isclose(config["stddev"], 1 / math.sqrt(dimension), rel_tol=1e-6)
    return bool(spread and config["mean"] == 0 and config["seed"] is None)
