"""What is found of the hidden part of people's bags: by popularity, by who knows all that is planted, by a model."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tests.benchmarks.million_movies.planted import CLUSTER, OWN_CLUSTERS, OWN_SHARE, Array, People, Planted

K, INPUT_SHARE, BATCH = 100, 0.8, 250
_BEST_OF_ALL = 300
"""The most popular movies of all that are ranked beside those of a person's clusters: 100 and all that she may have."""


@dataclass(frozen=True)
class Parted:
    """People whose bags are in two parts.

    Args:
        clusters: `(people, 3)`.
        given: The movies that go in.
        wanted: Those that are to be found.
    """

    clusters: Array
    given: Sequence[Array]
    wanted: Sequence[Array]

    @classmethod
    def of(cls, people: People, seed: int = 0) -> "Parted":
        """Returns people with four fifths of each bag going in, drawn at random."""
        draw = np.random.default_rng(seed)
        bags = [draw.permutation(bag) for bag in people.bags()]
        ends = [int(np.clip(round(INPUT_SHARE * len(bag)), 1, len(bag) - 1)) for bag in bags]
        given = [bag[:end] for bag, end in zip(bags, ends, strict=True)]
        return cls(people.clusters, given, [bag[end:] for bag, end in zip(bags, ends, strict=True)])

    def batches(self) -> Iterator["Parted"]:
        """Yields some people after the other."""
        for start in range(0, len(self.given), BATCH):
            part = slice(start, start + BATCH)
            yield Parted(self.clusters[part], self.given[part], self.wanted[part])


Rank = Callable[[Parted], Sequence[Array]]
"""Returns the best movies of each person, best first; 100 at most count."""


@dataclass(frozen=True)
class Judged:
    """Means over people of what is among the first 100 of a rank.

    Args:
        recall: The share of what was to be found, of 100 at most.
        ndcg: What was found, each by how far ahead it is, over what that could be.
    """

    recall: float
    ndcg: float


def judged(people: Parted, rank: Rank) -> Judged:
    """Returns how good a rank is."""
    gains = 1 / np.log2(np.arange(2, K + 2))
    recalls, ndcgs = [], []
    for part in people.batches():
        for best, wanted in zip(rank(part), part.wanted, strict=True):
            hits, most = np.isin(best[:K], wanted), min(K, len(wanted))
            recalls.append(hits.sum() / most)
            ndcgs.append(gains[: len(hits)][hits].sum() / gains[:most].sum())
    return Judged(float(np.mean(recalls)), float(np.mean(ndcgs)))


def by_popularity(counts: Array) -> Rank:
    """Returns the rank by counts, `(movies,)`, without what went in."""
    best = np.argsort(-counts, kind="stable")[:_BEST_OF_ALL]
    return lambda people: [best[~np.isin(best, given)] for given in people.given]


def by_oracle(planted: Planted) -> Rank:
    """Returns the best rank there can be: by the planted chances of the three clusters of each person."""
    overall = planted.overall_chances
    best = np.argsort(-overall, kind="stable")[:_BEST_OF_ALL]

    def ranked(clusters: Array, given: Array) -> Array:
        movies = np.union1d(planted.members[clusters].ravel(), best)
        cluster, place = np.divmod(planted.place[movies], CLUSTER)
        own = np.isin(cluster, clusters) * planted.own_chances[place] / OWN_CLUSTERS
        chances = OWN_SHARE * own + (1 - OWN_SHARE) * overall[movies]
        chances[np.isin(movies, given)] = -1
        return movies[np.argsort(-chances, kind="stable")][:K]

    return lambda people: [ranked(*each) for each in zip(people.clusters, people.given, strict=True)]
