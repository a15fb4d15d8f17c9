"""What a model has made of an example just before it answers."""

from typing import Any

import keras


def last_hidden(model: keras.Model) -> keras.Model | None:
    """Returns a model of the same inputs and layers that ends with what the last dense layer reads.

    Args:
        model: Raw features to logits.

    Returns:
        A model of raw features to `(batch, width)`, what the last hidden layer gives, or the columns where there is
        none; None where no dense layer makes the logits, as in a wide model, or where the model does not tell.

    Example:
        >>> layers = [keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)]
        >>> last_hidden(keras.Sequential(layers)).output.shape
        (None, 3)
    """
    outputs = getattr(model, "outputs", None) or []  # a class of one's own has none
    if len(outputs) != 1:
        return None
    last = _maker(outputs[0])
    parts = keras.tree.flatten(last.input) if isinstance(last, keras.layers.Add) else outputs
    dense = [layer for layer in map(_maker, parts) if isinstance(layer, keras.layers.Dense)]
    if len(dense) != 1 or len(dense[0].input.shape) != 2:
        return None
    return keras.Model(model.inputs, dense[0].input)


def _maker(tensor: Any) -> Any:
    """Returns the layer that makes a symbolic tensor."""
    return tensor._keras_history.operation
