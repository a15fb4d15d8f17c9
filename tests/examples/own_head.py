"""Customers an hour, with a head of one's own: the logit is the logarithm of a count's mean."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer import feature_column as fc
from trainer.heads import Head
from trainer.problem import Problem


class CountHead(Head):
    """A count, by Poisson regression; metric `error`, in customers."""

    units = 1

    def loss(self) -> Any:
        return lambda counts, logits: keras.losses.poisson(counts, keras.ops.exp(logits))

    def metrics(self) -> list[Any]:
        error = keras.losses.mean_absolute_error
        return [keras.metrics.MeanMetricWrapper(lambda counts, logits: error(counts, keras.ops.exp(logits)), "error")]

    def predictions(self, logits: Any) -> dict[str, Any]:
        return {"mean": keras.ops.exp(logits)}


def customers(split: str) -> tf.data.Dataset:
    """Made-up counts: two customers in an hour of the night, up to twelve at noon."""
    draw = np.random.default_rng({"train": 1, "test": 2}[split])
    hour = draw.integers(24, size=20_000)
    mean = 2 + 10 * np.exp(-(((hour - 12) / 3) ** 2))
    return tf.data.Dataset.from_tensor_slices(({"hour": hour}, draw.poisson(mean))).batch(1000)


HOUR = fc.embedding_column(fc.categorical_column_with_identity("hour", 24), 4, name="hour")
PROBLEM = Problem(customers, [HOUR], dnn_hidden_units=[16], head=CountHead(), learning_rate=0.02, train_batch_size=256)
