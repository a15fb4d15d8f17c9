"""Wide and deep: hidden layers on dense columns, beside one weight an id."""

import keras

from trainer import layers
from trainer.models.hidden_layers import hidden_layers
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
        hidden = problem.tower(features) if problem.tower is not None else hidden_layers(problem, features)
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
