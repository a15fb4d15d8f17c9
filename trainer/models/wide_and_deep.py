"""Wide and deep: hidden layers on dense columns, beside one weight an id."""

from typing import Any

import keras

from trainer import layers
from trainer.problem import Problem


def wide_and_deep(problem: Problem) -> keras.Model:
    """Returns the model of a problem's columns, from raw features to logits `(batch, units)`; wide, deep, or both.

    Source:
        Cheng and others, "Wide & deep learning for recommender systems", 2016.
    """
    raw = layers.inputs(problem.columns, problem.bags)
    encoded = layers.Encoder(problem.columns, name="encoder")(raw)
    logits = []
    if problem.dnn_feature_columns:
        features = layers.DenseFeatures(problem.dnn_feature_columns, encoded=True, name="dense_features")(encoded)
        hidden = problem.tower(features) if problem.tower is not None else _hidden_layers(problem, features)
        logits.append(keras.layers.Dense(problem.head.units, name="logits")(hidden))
    if problem.linear_feature_columns:
        linear = layers.LinearModel(
            problem.linear_feature_columns,
            problem.head.units,
            problem.linear_sparse_combiner,
            encoded=True,
            name="linear",
        )
        logits.append(linear(encoded))
    # Inputs as a list: Keras then takes a dictionary with more features than the model reads.
    outputs = keras.layers.Add(name="wide_and_deep")(logits) if len(logits) > 1 else logits[0]
    return keras.Model(list(raw.values()), outputs, name=problem.name or "model")


def _hidden_layers(problem: Problem, features: Any) -> Any:
    for place, width in enumerate(problem.dnn_hidden_units):
        features = keras.layers.Dense(width, name=f"hidden_{place}")(features)
        if problem.batch_norm:
            features = keras.layers.BatchNormalization(name=f"batch_norm_{place}")(features)
        features = keras.layers.Activation(problem.dnn_activation_fn, name=f"activation_{place}")(features)
        if problem.dnn_dropout:
            features = keras.layers.Dropout(problem.dnn_dropout, name=f"dropout_{place}")(features)
    return features
