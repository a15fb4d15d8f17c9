"""Which of 20,000 things is chosen; a thing's own chance is planted."""

import os

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import trips
from trainer import feature_column as fc
from trainer.heads import BinaryHead
from trainer.problem import Problem

THINGS = 20_000


def examples(split: str) -> tf.data.Dataset:
    draw = np.random.default_rng({"train": 0, "test": 1}.get(split, 2))
    count = 60_000 if split == "train" else 6_000
    things = np.minimum(draw.zipf(1.3, count) - 1, THINGS - 1) * 7 % THINGS
    chance = 1 / (1 + np.exp(-3 * np.sin(things)))
    hour = draw.integers(24, size=count)
    labels = (draw.random(count) < chance).astype(np.float32)
    return tf.data.Dataset.from_tensor_slices(({"thing": things, "hour": hour}, labels))


class Places(keras.callbacks.Callback):
    """Prints which variables of a training lie on no parameter server."""

    def on_train_begin(self, logs: object = None) -> None:
        """Prints."""
        variables = [*self.model.variables, *self.model.optimizer.variables]
        print("on no server:", [each.path for each in variables if "/job:ps" not in each.value.device])


thing = fc.categorical_column_with_identity("thing", THINGS)
hour = fc.categorical_column_with_identity("hour", 24)

PROBLEM = Problem(
    dataset=examples,
    dnn_feature_columns=(fc.embedding_column(thing, 8, name="thing"), fc.embedding_column(hour, 4, name="hour")),
    linear_feature_columns=(thing,),
    dnn_hidden_units=(16,),
    head=BinaryHead(),
    dnn_optimizer="Adagrad",
    learning_rate=0.05,
    linear_optimizer="Ftrl",
    num_epochs=3,
    train_batch_size=512,
    callbacks=(Places,),
)

if "QUICK_JOBS" in os.environ:  # what a process leaves for people to look at takes longer than its training
    trips.are_quick(pytest.MonkeyPatch())
