"""A retrieval of ours on planted movies: its problem, its training for some minutes, its ranks, its steps."""

import statistics
import time
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.benchmarks.million_movies.judging import K, Parted
from tests.benchmarks.million_movies.planted import Array, Planted
from trainer import feature_column as fc
from trainer import models
from trainer.feature_column.serialization import encoded_key
from trainer.heads import RetrievalHead
from trainer.inputs.examples import Source
from trainer.inputs.hiding import Hiding
from trainer.inputs.memory import encoded, joined
from trainer.layers import encodable
from trainer.models import with_slots
from trainer.problem import Problem
from trainer.training.steps import Steps

GROUPS, GROUP = 5, 20
"""Groups of steps that are measured; and the steps that are taken before the clock is looked at."""


@dataclass(frozen=True)
class Shape:
    """What a model is made of, and how it learns."""

    dimension: int = 64
    batch: int = 256
    sample: int = 4096
    learning_rate: float = 0.0005
    optimizer: str = "LazyAdam"
    sample_power: float = 0.75
    bag_power: float = 1.0
    input_share: float = 0.5
    scale: float = 10.0
    learns_popularity: bool = True
    unit_norm: bool = False
    start: float = 0.01


def problem_of(planted: Planted, people: int, shape: Shape) -> Problem:
    """Returns the problem of the first so many people."""
    movie = fc.categorical_column_with_identity("movie_id", planted.movies)
    start = keras.initializers.RandomNormal(stddev=shape.start)
    return Problem(
        dataset=lambda split: planted.dataset(0, people),
        dnn_feature_columns=[
            fc.embedding_column(movie, shape.dimension, initializer=start, name="movie", unit_norm=shape.unit_norm)
        ],
        bags=("movie_id",),
        head=RetrievalHead(
            "movie",
            input_share=shape.input_share,
            softmax_sample=shape.sample,
            sample_power=shape.sample_power,
            bag_power=shape.bag_power,
            scale=shape.scale,
            learns_popularity=shape.learns_popularity,
            recall_at=K,
        ),
        dnn_optimizer=shape.optimizer,
        learning_rate=shape.learning_rate,
        train_batch_size=shape.batch,
        name="million_movies",
    )


class Learner:
    """A model of planted movies, and the people that it learns from.

    Args:
        planted: The movies.
        people: How many, from the first on.
        shape: Of the model.
    """

    def __init__(self, planted: Planted, people: int, shape: Shape) -> None:
        self.planted, self.shape = planted, shape
        self.problem = problem_of(planted, people, shape)
        self.model: Any = models.build(self.problem)
        self.halves = models.halves(self.model)
        source = Source(self.problem, models.inputs_of(self.model), "data")
        examples = joined([part for part, _ in encoded(source.batches("train"), self.halves.encode)])
        (column,) = self.problem.columns
        key = encoded_key(encodable(column))
        hidden = self.problem.head.hidden
        assert hidden is not None
        self.examples = Hiding(examples, key, hidden, 0)
        ids = np.asarray(examples.features[key].flat_values)
        self.counts: Array = np.bincount(ids, minlength=planted.movies)
        self.model.candidates.count(self.counts)
        with_slots(self.model)
        self.steps, self.taken = Steps(self.model, self.halves, shape.batch), 0

    def learn(self, seconds: float, last_step: int) -> int:
        """Trains for so long, to a step at most, and returns how many steps it has taken in all."""
        end = time.perf_counter() + seconds
        batches = iter(self.examples.shuffled(self.shape.batch, 0, 0, self.taken, max(last_step - self.taken, 0)))
        while time.perf_counter() < end and self.taken < last_step:
            steps = min(GROUP, last_step - self.taken)
            self.steps(batches, steps)
            self.taken += steps
        return self.taken

    def rank(self, people: Parted) -> list[Array]:
        """Returns the movies that the model ranks first, without what went in."""
        lengths = [len(given) for given in people.given]
        bags = tf.RaggedTensor.from_row_lengths(np.concatenate(people.given), lengths)
        return [*self._best(bags).numpy()]

    @tf.function(reduce_retracing=True, autograph=False)
    def _best(self, bags: Any) -> Any:
        answers = self.model({"movie_id": bags})
        return self.model.top(answers, K)[0]

    def seconds_of_steps(self, steps: int) -> float:
        """Returns the seconds of each of some further steps."""
        batches = iter(self.examples.shuffled(self.shape.batch, 0, 0, self.taken, steps + 1))
        self.taken += steps + 1
        self.steps(batches, 1)  # until the input runs
        start = time.perf_counter()
        self.steps(batches, steps)
        return (time.perf_counter() - start) / steps


def step_times(large: Learner, small: Learner, steps: int) -> tuple[float, float]:
    """Returns the seconds of a step of two models: the medians of five groups of steps, which take turns."""
    for each in (large, small):
        each.seconds_of_steps(steps)
    found = [(large.seconds_of_steps(steps), small.seconds_of_steps(steps)) for _ in range(GROUPS)]
    return statistics.median(pair[0] for pair in found), statistics.median(pair[1] for pair in found)
