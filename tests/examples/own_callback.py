"""Even and odd numbers, with a callback of one's own that ends the training when it is good enough."""

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from trainer import feature_column as fc
from trainer.problem import Problem

NUMBER = fc.embedding_column(fc.categorical_column_with_identity("number", 100), 4, name="number")


def numbers(split: str) -> tf.data.Dataset:
    """Made-up rows, each with the number's parity as its label."""
    number = np.random.default_rng({"train": 1, "test": 2}[split]).integers(100, size=20_000)
    return tf.data.Dataset.from_tensor_slices(({"number": number}, number % 2)).batch(1000)


class GoodEnough(keras.callbacks.Callback):
    """Ends the training after the first epoch in which 99 of 100 validation rows are right."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        if (logs or {})["val_accuracy"] >= 0.99:
            self.model.stop_training = True


# The job calls each of these once a run; it may as well be `lambda: keras.callbacks.EarlyStopping("val_loss")`.
PROBLEM = Problem(numbers, [NUMBER], dnn_hidden_units=[16], callbacks=[GoodEnough], train_batch_size=128, num_epochs=20)
