"""The hidden layers of a problem."""

from typing import Any

import keras

from trainer.problem import Problem

_MOMENTUM = 0.95
"""What a step leaves of the mean and variance that a trained layer goes by; Keras's own 0.99 is half wrong after 70."""


def hidden_layers(problem: Problem, features: Any) -> Any:
    """Returns features after the problem's hidden layers, `(batch, width of the last)`.

    Args:
        problem: Says how wide they are, and what is between them.
        features: `(batch, width)`.
    """
    for place, width in enumerate(problem.dnn_hidden_units):
        features = keras.layers.Dense(width, name=f"hidden_{place}")(features)
        if problem.batch_norm:
            layer = keras.layers.BatchNormalization(momentum=_MOMENTUM, name=f"batch_norm_{place}")
            features = layer(features)
        features = keras.layers.Activation(problem.dnn_activation_fn, name=f"activation_{place}")(features)
        if problem.dnn_dropout:
            features = keras.layers.Dropout(problem.dnn_dropout, name=f"dropout_{place}")(features)
    return features
