"""Ratings of films, with a Keras model of one's own: a user's and a film's vector, multiplied."""

import keras
import numpy as np
import tensorflow as tf

from trainer import feature_column as fc
from trainer import layers
from trainer.heads import RegressionHead
from trainer.problem import Problem

USER = fc.embedding_column(fc.categorical_column_with_identity("user", 300), 4, name="user")
FILM = fc.embedding_column(fc.categorical_column_with_identity("film", 100), 4, name="film")


def ratings(split: str) -> tf.data.Dataset:
    """Made-up ratings: how well two tastes of a user and of a film agree, and a little noise."""
    tastes = np.random.default_rng(0).normal(size=(400, 2))
    draw = np.random.default_rng({"train": 1, "test": 2}[split])
    user, film = draw.integers(300, size=20_000), draw.integers(100, size=20_000)
    stars = (tastes[user] * tastes[300 + film]).sum(axis=1) + draw.normal(0, 0.1, 20_000)
    return tf.data.Dataset.from_tensor_slices(({"user": user, "film": film}, stars.astype(np.float32))).batch(1000)


def model() -> keras.Model:
    """Raw features to logits `(batch, 1)`."""
    raw = layers.inputs([USER, FILM])
    encoded = layers.Encoder([USER, FILM])(raw)
    user = layers.DenseFeatures([USER], encoded=True)(encoded)  # (batch, 4)
    film = layers.DenseFeatures([FILM], encoded=True)(encoded)  # (batch, 4)
    return keras.Model(raw, keras.layers.Dot(axes=1)([user, film]))


PROBLEM = Problem(ratings, model=model, head=RegressionHead(), learning_rate=0.03, num_epochs=5, train_batch_size=256)
