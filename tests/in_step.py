"""A problem for processes that train in step: tables that are sent whole or by row, a bag, learned columns."""

import os
import time
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import trips
from trainer import feature_column as fc
from trainer.problem import Problem

WORDS, DAYS, EXAMPLES = 400, 7, 6_000


def clicks(split: str) -> tf.data.Dataset:
    """Returns planted examples: each word and each day has a weight."""
    random = np.random.default_rng(["train", "test"].index(split))
    count = EXAMPLES if split == "train" else 1_000
    words, days = random.integers(0, WORDS, count), random.integers(0, DAYS, count)
    weights = np.random.default_rng(7).normal(size=WORDS + DAYS)
    lengths = random.integers(0, 4, count)
    tags = tf.RaggedTensor.from_row_lengths(
        np.char.add("t", random.integers(0, 30, lengths.sum()).astype(str)), lengths
    )
    logits = weights[words] + weights[WORDS + days] + random.normal(size=count)
    features: dict[str, Any] = {
        "word": np.char.add("w", words.astype(str)),
        "day": days,
        "minutes": random.exponential(30, count).astype(np.float32),
        "tags": tags,
        "weight": random.uniform(0.5, 2, count).astype(np.float32),
    }
    return tf.data.Dataset.from_tensor_slices((features, (logits > 0).astype(np.int64))).ragged_batch(500)


def waiting() -> keras.callbacks.Callback:
    """Returns what makes a training last long enough for a signal to come while it lasts, where a test asks for it."""
    seconds = float(os.environ.get("IN_STEP_SECONDS", "0"))
    return keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(seconds))


_word = fc.categorical_column_with_vocabulary_list("word", fc.from_data(frequency_threshold=2))
_day = fc.categorical_column_with_identity("day", DAYS)
_tags = fc.categorical_column_with_hash_bucket("tags", 16)
_minutes = fc.bucketized_column(fc.numeric_column("minutes"), fc.quantiles(5))

PROBLEM = Problem(
    dataset=clicks,
    dnn_feature_columns=[
        fc.embedding_column(_word, 8, name="word"),
        fc.embedding_column(_day, 4, name="day"),
        fc.embedding_column(_tags, 3, name="tags"),
        fc.indicator_column(_minutes),
    ],
    linear_feature_columns=[_word, _tags],
    bags=["tags"],
    weight_column="weight",
    dnn_hidden_units=[8],
    train_batch_size=128,
    callbacks=[waiting],
)

if "QUICK_JOBS" in os.environ:  # what a process leaves for people to look at takes longer than its training
    trips.are_quick(pytest.MonkeyPatch())
