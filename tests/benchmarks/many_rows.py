"""A table of as many rows as asked for, whose rows are used alike: what `server_memory` trains."""

import keras
import numpy as np
import tensorflow as tf

from trainer import feature_column as fc
from trainer.heads import BinaryHead
from trainer.problem import Problem


def problem(*, rows: int = 20_000_000, width: int = 32, examples: int = 200_000) -> Problem:
    """Returns a problem of one key of so many values."""

    def drawn(split: str) -> tf.data.Dataset:
        draw = np.random.default_rng(len(split))
        keys = draw.integers(rows, size=examples if split == "train" else 10_000)
        return tf.data.Dataset.from_tensor_slices(({"key": keys}, (keys % 2).astype(np.float32)))

    key = fc.categorical_column_with_identity("key", rows)
    uniform = keras.initializers.RandomUniform(-0.05, 0.05)
    return Problem(
        dataset=drawn,
        dnn_feature_columns=[fc.embedding_column(key, width, initializer=uniform, name="key")],
        dnn_hidden_units=[16],
        head=BinaryHead(),
        learning_rate=0.05,
        num_epochs=1,
        train_batch_size=4096,
    )
