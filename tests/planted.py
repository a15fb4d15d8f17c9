"""A small problem with a planted answer: the chance of a yes depends on the pair of day and hour alone."""

import dataclasses
from typing import Any

import numpy as np

from trainer import feature_column as fc
from trainer.heads import BinaryHead
from trainer.problem import Problem

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
day = fc.categorical_column_with_vocabulary_list("day", DAYS)
hour = fc.categorical_column_with_identity("hour", 24)
day_hour = fc.crossed_column([day, hour])


def chances() -> np.ndarray[Any, Any]:
    """The planted chance of a yes for each day and hour, `(7, 24)`."""
    return np.random.default_rng(7).uniform(0.05, 0.95, (7, 24))


def rows(split: str, count: int = 20_000) -> tuple[dict[str, Any], Any]:
    """Returns features and labels as arrays."""
    draw = np.random.default_rng({"train": 1, "test": 2}[split])
    days, hours = draw.integers(0, 7, count), draw.integers(0, 24, count)
    late = (draw.uniform(size=count) < chances()[days, hours]).astype(np.int64)
    features = {
        "day": np.asarray(DAYS, dtype=object)[days],
        "hour": hours,
        "distance": draw.uniform(100, 2000, count).astype(np.float32),
    }
    return features, late


def dataset(split: str) -> Any:
    """The rows as an Estimator's input_fn would give them: batches of `(features, label)`."""
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(rows(split)).batch(512)


PROBLEM = Problem(
    dataset=dataset,
    dnn_feature_columns=(
        fc.embedding_column(day_hour, 4, name="day_hour"),
        fc.numeric_column("distance", normalizer_fn=lambda miles: miles / 1000),
    ),
    linear_feature_columns=(day, hour),
    dnn_hidden_units=(16,),
    head=BinaryHead(),
    num_epochs=4,
    train_batch_size=128,
    learning_rate=0.02,
    name="planted",
    description="A planted answer.",
)


def problem(**changes: Any) -> Problem:
    """The problem with some of its fields changed."""
    return dataclasses.replace(PROBLEM, **changes)
