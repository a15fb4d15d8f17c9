"""Busy hours of a shop, with a tower of one's own in place of the hidden layers."""

import keras
import numpy as np
import tensorflow as tf

from trainer import feature_column as fc
from trainer.problem import Problem

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def visits(split: str) -> tf.data.Dataset:
    """Made-up visits: busy on weekends by day, else in the evening; one label in ten is wrong."""
    draw = np.random.default_rng({"train": 1, "test": 2}[split])
    day, hour = draw.integers(7, size=20_000), draw.integers(24, size=20_000)
    busy = np.where(day > 4, (hour > 9) & (hour < 18), hour > 17) ^ (draw.random(20_000) < 0.1)
    features = {"day": np.array(DAYS)[day], "hour": hour}
    return tf.data.Dataset.from_tensor_slices((features, busy.astype(np.int64))).batch(1000)


def tower(features: keras.KerasTensor) -> keras.KerasTensor:
    """Two residual blocks; takes and returns a tensor `(batch, width)`."""
    for _ in range(2):
        hidden = keras.layers.Dense(32, "gelu")(features)
        features = keras.layers.add([features, keras.layers.Dense(features.shape[-1])(hidden)])
    return keras.layers.LayerNormalization()(features)


day = fc.categorical_column_with_vocabulary_list("day", DAYS)
hour = fc.categorical_column_with_identity("hour", 24)
columns = [fc.embedding_column(fc.crossed_column([day, hour]), 8, name="day_hour")]
PROBLEM = Problem(visits, columns, tower=tower, learning_rate=0.005, num_epochs=2, train_batch_size=256)
