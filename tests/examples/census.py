"""Incomes of the 1994 census, wide and deep, as people wrote it for `tf.feature_column` and Keras.

The columns are those of `census_dataset.py` in TensorFlow's `wide_deep` sample. Of the old program three imports are
changed; with these in their place it is the old one again:

    import tf_keras as keras
    from tensorflow import feature_column as fc
    from tf_keras.layers import DenseFeatures

Run as `python census.py FOLDER`, where FOLDER has `adult.data.gz` and `adult.test.gz`, the files of UCI data set 2.
"""

import csv
import gzip
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer import feature_column as fc
from trainer.layers import DenseFeatures

CSV_COLUMNS = [
    *("age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship"),
    *("race", "gender", "capital_gain", "capital_loss", "hours_per_week", "native_country", "income_bracket"),
]
NUMBERS = ("age", "education_num", "capital_gain", "capital_loss", "hours_per_week")
WORDS = ("workclass", "education", "marital_status", "occupation", "relationship")
HASH_BUCKET_SIZE = 1000


def read(file: Path) -> tuple[dict[str, Any], Any]:
    """Returns the raw features and the labels of a file; '?', a missing value, is a word like any other."""
    with gzip.open(file, "rt") as lines:
        # The test file starts with a line that is no row, both end with an empty one.
        rows = [row for row in csv.reader(lines, skipinitialspace=True) if len(row) == len(CSV_COLUMNS)]
    values = dict(zip(CSV_COLUMNS, np.array(rows).T, strict=True))
    features = {key: values[key].astype(np.float32) for key in NUMBERS} | {key: values[key] for key in WORDS}
    return features, np.char.startswith(values["income_bracket"], ">50K").astype(np.float32)  # or ">50K." in test


def build_model_columns() -> tuple[list[Any], list[Any]]:
    """Returns the wide and the deep columns."""
    age = fc.numeric_column("age")
    education_num = fc.numeric_column("education_num", normalizer_fn=lambda years: (years - 10) / 2.5)
    capital_gain = fc.numeric_column("capital_gain", normalizer_fn=lambda dollars: tf.minimum(dollars / 1000, 20))
    capital_loss = fc.numeric_column("capital_loss", normalizer_fn=lambda dollars: dollars / 1000)
    hours_per_week = fc.numeric_column("hours_per_week", normalizer_fn=lambda hours: (hours - 40) / 12)
    normal_age = fc.numeric_column("age", normalizer_fn=lambda years: (years - 40) / 14)

    education = fc.categorical_column_with_vocabulary_list(
        "education",
        [
            *("Bachelors", "HS-grad", "11th", "Masters", "9th", "Some-college", "Assoc-acdm", "Assoc-voc"),
            *("7th-8th", "Doctorate", "Prof-school", "5th-6th", "10th", "1st-4th", "Preschool", "12th"),
        ],
    )
    marital_status = fc.categorical_column_with_vocabulary_list(
        "marital_status",
        [
            *("Married-civ-spouse", "Divorced", "Married-spouse-absent", "Never-married", "Separated"),
            *("Married-AF-spouse", "Widowed"),
        ],
    )
    relationship = fc.categorical_column_with_vocabulary_list(
        "relationship", ["Husband", "Not-in-family", "Wife", "Own-child", "Unmarried", "Other-relative"]
    )
    workclass = fc.categorical_column_with_vocabulary_list(
        "workclass",
        [
            *("Self-emp-not-inc", "Private", "State-gov", "Federal-gov", "Local-gov", "?", "Self-emp-inc"),
            *("Without-pay", "Never-worked"),
        ],
    )
    occupation = fc.categorical_column_with_hash_bucket("occupation", hash_bucket_size=HASH_BUCKET_SIZE)
    age_buckets = fc.bucketized_column(age, boundaries=[18, 25, 30, 35, 40, 45, 50, 55, 60, 65])

    base_columns = [education, marital_status, relationship, workclass, occupation, age_buckets]
    crossed_columns = [
        fc.crossed_column(["education", "occupation"], hash_bucket_size=HASH_BUCKET_SIZE),
        fc.crossed_column([age_buckets, "education", "occupation"], hash_bucket_size=HASH_BUCKET_SIZE),
    ]
    wide_columns = [fc.indicator_column(column) for column in base_columns + crossed_columns]
    deep_columns = [
        *(normal_age, education_num, capital_gain, capital_loss, hours_per_week),
        fc.indicator_column(workclass),
        fc.indicator_column(education),
        fc.indicator_column(marital_status),
        fc.indicator_column(relationship),
        fc.embedding_column(occupation, dimension=8),
    ]
    return wide_columns, deep_columns


def build_model(steps: int) -> keras.Model:
    """Returns the model, from raw features to the probability of more than 50,000 dollars."""
    wide_columns, deep_columns = build_model_columns()
    inputs = {key: keras.layers.Input(name=key, shape=(), dtype="float32") for key in NUMBERS}
    inputs.update({key: keras.layers.Input(name=key, shape=(), dtype="string") for key in WORDS})
    deep = DenseFeatures(deep_columns)(inputs)  # (batch, 51)
    for units in (64, 32):
        deep = keras.layers.Dropout(0.1)(keras.layers.Dense(units, activation="relu")(deep))
    wide = DenseFeatures(wide_columns)(inputs)  # (batch, 3049)
    logits = keras.layers.Add()([keras.layers.Dense(1)(wide), keras.layers.Dense(1)(deep)])
    model = keras.Model(inputs, keras.layers.Activation("sigmoid")(logits))
    learning_rate = keras.optimizers.schedules.CosineDecay(0.002, steps)
    model.compile(keras.optimizers.Adam(learning_rate), loss="binary_crossentropy", metrics=["accuracy"])
    return model


def input_fn(features: dict[str, Any], labels: Any) -> tf.data.Dataset:
    """Returns the rows of a file one by one."""
    return tf.data.Dataset.from_tensor_slices((features, labels))


def main(folder: str, seed: int = 0, epochs: int = 12) -> float:
    """Trains on all training rows, and returns the test accuracy.

    The settings were chosen on tenths of the training rows that were held out for it.
    """
    features, labels = read(Path(folder) / "adult.data.gz")
    keras.utils.set_random_seed(seed)
    train = input_fn(features, labels).shuffle(len(labels)).batch(256)
    model = build_model(steps=epochs * len(train))
    model.fit(train, epochs=epochs, shuffle=False, verbose=0)  # the data set shuffles
    test = input_fn(*read(Path(folder) / "adult.test.gz")).batch(2048)
    _, accuracy = model.evaluate(test, verbose=0)
    return float(accuracy)


if __name__ == "__main__":
    print(f"test accuracy {main(sys.argv[1]):.4f}")
