"""The hidden layers of a problem."""

from typing import Any

import keras

from trainer.problem import AFTER_ACTIVATION, Problem


def hidden_layers(problem: Problem, features: Any) -> Any:
    """Returns features after the problem's hidden layers, `(batch, width of the last)`.

    Args:
        problem: Says how wide they are, and what is between them.
        features: `(batch, width)`.
    """
    for place, width in enumerate(problem.dnn_hidden_units):
        features = keras.layers.Dense(width, name=f"hidden_{place}")(features)
        normalized = keras.layers.BatchNormalization(momentum=problem.batch_norm_momentum, name=f"batch_norm_{place}")
        if problem.batch_norm is True:
            features = normalized(features)
        features = keras.layers.Activation(problem.dnn_activation_fn, name=f"activation_{place}")(features)
        if problem.dnn_dropout:
            features = keras.layers.Dropout(problem.dnn_dropout, name=f"dropout_{place}")(features)
        if problem.batch_norm == AFTER_ACTIVATION:
            features = normalized(features)
    return features
