"""Busy hours of a shop, with the columns as a layer of one's own Keras model: `model.fit`, and no job."""

import keras
import numpy as np
import tensorflow as tf

from trainer import feature_column as fc
from trainer import layers, optimizers

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def visits() -> tf.data.Dataset:
    """Made-up visits: busy on weekends by day, else in the evening."""
    draw = np.random.default_rng(0)
    day, hour = draw.integers(7, size=20_000), draw.integers(24, size=20_000)
    busy = np.where(day > 4, (hour > 9) & (hour < 18), hour > 17)
    return tf.data.Dataset.from_tensor_slices(({"day": np.array(DAYS)[day], "hour": hour}, busy)).batch(100)


def main() -> float:
    """Trains, and returns the share of visits that the model gets right."""
    day = fc.categorical_column_with_vocabulary_list("day", DAYS)
    hour = fc.categorical_column_with_identity("hour", 24)
    columns = [fc.embedding_column(fc.crossed_column([day, hour]), 4, name="day_hour"), fc.indicator_column(day)]
    raw = layers.inputs(columns)
    features = layers.DenseFeatures(columns)
    hidden = keras.layers.Dense(16, "relu")(features(raw))  # features(raw): (batch, 4 + 7)
    model = keras.Model(raw, keras.layers.Dense(1, "sigmoid")(hidden))
    model.compile(optimizers.LazyAdam(0.01), "binary_crossentropy", metrics=["accuracy"])
    accuracy = model.fit(visits(), epochs=3, shuffle=False, verbose=0).history["accuracy"][-1]
    week = features.tables["day_hour"].table.numpy()  # (168, 4)
    print(f"accuracy {accuracy:.3f}, Sunday noon is {week[6 * 24 + 12].round(2)}")
    return float(accuracy)


if __name__ == "__main__":
    main()
