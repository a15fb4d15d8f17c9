"""Bags of movies with planted tastes, made in chunks: a person likes three clusters of movies, and what all like.

Movies are in clusters of 500, and a person has three of them. Four of five draws are from one of the three, where
popularity falls by a Zipf law of the places in the cluster; the others are from all movies. Those fall by a Zipf law of
a ranking of all movies, which hangs on no cluster ("zipf"), or are as popular as in their clusters, so that the first
of each cluster are the most popular of all ("mixture"). A movie that a person has already is drawn anew.

How many times popularity's recall there can be hangs on that. With "zipf", the 100 most popular of a million movies
have 36 % of the draws from all, 7 % of all draws, and who knows all finds 49 %: 6.5 times as much, and nobody more.
With "mixture" popularity finds 0.6 %.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

CLUSTER, OWN_CLUSTERS, OWN_SHARE = 500, 3, 0.8
MEAN, LEAST, MOST = 20, 2, 40
CHUNK = 5_000
"""People that are made at a time."""
_DRAWS = 64
"""Of a person, movies that she has already among them: enough for as many different ones as she wants."""

OVERALL = ("zipf", "mixture")


@dataclass(frozen=True)
class People:
    """Some people.

    Args:
        clusters: `(people, 3)`: those that each likes.
        movies: The movies of one after the other.
        lengths: `(people,)`: how many each has.
    """

    clusters: Array
    movies: Array
    lengths: Array

    def __len__(self) -> int:
        return len(self.lengths)

    def bags(self) -> list[Array]:
        """Returns the movies of each."""
        return np.split(self.movies, np.cumsum(self.lengths)[:-1])


@dataclass(frozen=True, eq=False)
class Planted:
    """Movies with planted tastes.

    Args:
        movies: How many, a multiple of 500.
        overall: How popular movies are among the draws from all: "zipf" or "mixture".
        seed: Of all that is drawn.
    """

    movies: int
    overall: str = OVERALL[0]
    seed: int = 0

    @property
    def clusters(self) -> int:
        """How many there are."""
        return self.movies // CLUSTER

    @cached_property
    def members(self) -> Array:
        """The movies of each cluster, the most popular first, `(clusters, 500)`."""
        return np.random.default_rng((self.seed, 1)).permutation(self.movies).reshape(self.clusters, CLUSTER)

    @cached_property
    def place(self) -> Array:
        """Where each movie stands in its cluster, and before that the cluster: `cluster * 500 + place`, `(movies,)`."""
        found = np.empty(self.movies, np.int64)
        found[self.members.ravel()] = np.arange(self.movies)
        return found

    @cached_property
    def own_chances(self) -> Array:
        """The chances of the places of a cluster, `(500,)`."""
        return zipf(CLUSTER)

    @cached_property
    def overall_chances(self) -> Array:
        """The chance of each movie among the draws from all, `(movies,)`."""
        found = np.empty(self.movies)
        if self.overall == OVERALL[0]:
            found[np.random.default_rng((self.seed, 2)).permutation(self.movies)] = zipf(self.movies)
        else:
            found[self.members] = self.own_chances / self.clusters
        return found

    @cached_property
    def _sums(self) -> tuple[Array, Array]:
        return np.cumsum(self.own_chances), np.cumsum(self.overall_chances)

    def chunk(self, number: int) -> People:
        """Returns the 5,000 people of a chunk, who hang on the seed and the number alone."""
        draw = np.random.default_rng((self.seed, 3, number))
        clusters = _different(draw, CHUNK, self.clusters)
        own, overall = self._sums
        chosen = np.take_along_axis(clusters, draw.integers(0, OWN_CLUSTERS, (CHUNK, _DRAWS)), axis=1)
        places = np.minimum(np.searchsorted(own, draw.random((CHUNK, _DRAWS))), CLUSTER - 1)
        others = np.minimum(np.searchsorted(overall, draw.random((CHUNK, _DRAWS))), self.movies - 1)
        movies = np.where(draw.random((CHUNK, _DRAWS)) < OWN_SHARE, self.members[chosen, places], others)
        wanted = np.clip(draw.poisson(MEAN, CHUNK), LEAST, MOST)
        new = _first_ones(movies)
        kept = new & (np.cumsum(new, axis=1) <= wanted[:, np.newaxis])  # (people, draws)
        return People(clusters, movies[kept], kept.sum(axis=1))

    def chunks(self, first: int, people: int) -> Iterator[People]:
        """Yields so many people in chunks, the last of them cut, from a chunk on."""
        for number in range(-(-people // CHUNK)):
            made, left = self.chunk(first + number), people - number * CHUNK
            if left < CHUNK:
                lengths = made.lengths[:left]
                made = People(made.clusters[:left], made.movies[: lengths.sum()], lengths)
            yield made

    def dataset(self, first: int, people: int) -> Any:
        """Returns so many people as a `tf.data.Dataset` of `{"user_id": (batch,), "movie_id": (batch, None)}`."""
        import tensorflow as tf

        def batches() -> Iterator[dict[str, Any]]:
            start = first * CHUNK
            for made in self.chunks(first, people):
                ids = tf.range(start, start + len(made), dtype=tf.int64)
                yield {"user_id": ids, "movie_id": tf.RaggedTensor.from_row_lengths(made.movies, made.lengths)}
                start += len(made)

        spec = {"user_id": tf.TensorSpec([None], tf.int64), "movie_id": tf.RaggedTensorSpec([None, None], tf.int64)}
        return tf.data.Dataset.from_generator(batches, output_signature=spec)


def zipf(count: int) -> Array:
    """Returns the chances of the ranks of a Zipf law with exponent 1, `(count,)`."""
    found = 1 / np.arange(1.0, count + 1)
    return found / found.sum()


def _different(draw: np.random.Generator, people: int, clusters: int) -> Array:
    """Returns three different clusters of each person, `(people, 3)`."""
    found = draw.integers(0, clusters, (people, OWN_CLUSTERS))
    while (again := np.flatnonzero(~_first_ones(found).all(axis=1))).size:
        found[again] = draw.integers(0, clusters, (len(again), OWN_CLUSTERS))
    return found


def _first_ones(values: Array) -> Array:
    """Tells for each value of a row whether it is the first of its like there, of the shape of the values."""
    order = np.argsort(values, axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=1)
    first = np.ones(values.shape, bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    found = np.empty(values.shape, bool)
    np.put_along_axis(found, order, first, axis=1)
    return found
