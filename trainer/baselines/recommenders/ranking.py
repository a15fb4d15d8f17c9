"""Bags as sparse matrices, and what is ranked of a catalogue for each of some people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
import tensorflow as tf

from trainer.baselines.recommenders.ease import Array, Scoring
from trainer.inputs.cache import AnyExamples
from trainer.segments import entries

_BLOCK_BYTES = 1 << 28
"""About how many bytes the scores of the people take that are judged at once."""


def matrix(ids: Any, items: int) -> Any:
    """Returns what each of some people has as a sparse matrix `(people, items)` of ones.

    Args:
        ids: Whole numbers `(people, None)`, ragged or filled up with -1; those that come twice count once.
        items: Of the catalogue.

    Example:
        >>> matrix(tf.ragged.constant([[2, 0, 2], [-1]], tf.int64), items=3).toarray().tolist()
        [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """
    people, found, count = (np.asarray(each) for each in entries(ids))
    made = scipy.sparse.csr_array((np.ones(len(found)), (people, found)), shape=(int(count), items))
    made.sum_duplicates()
    made.data[:] = 1.0
    return made


def of_examples(examples: AnyExamples, key: str, items: int) -> Any:
    """Returns what the people of some examples have, all of it, as `matrix` does.

    Args:
        examples: One a person.
        key: Of the encoded bag.
        items: Of the catalogue.
    """
    return scipy.sparse.vstack([matrix(part.features[key], items) for part in examples.parts()], format="csr")


def ranked(scores: Array, given: Any, k: int) -> Array:
    """Returns the `k` items of the highest scores for each of some people, best first and without what they have.

    Args:
        scores: `(people, items)`; what is given is overwritten.
        given: What each has, a sparse matrix of that shape.
        k: How many are wanted.

    Returns:
        `(people, k)`, of equal scores the lower id first; -1 where there are no more items.

    Example:
        >>> ranked(np.array([[0.1, 0.9, 0.5]]), scipy.sparse.csr_array([[0.0, 1.0, 0.0]]), k=3).tolist()
        [[2, 0, -1]]
    """
    scores[given.nonzero()] = -np.inf
    found, ids = tf.math.top_k(scores, min(k, scores.shape[1]))
    best = np.where(np.isneginf(found), -1, ids)
    return np.pad(best, [(0, 0), (0, k - best.shape[1])], constant_values=-1)


@dataclass(frozen=True)
class People:
    """Some people to judge a recommender by.

    Args:
        given: What goes in of each, a sparse matrix `(people, items)`.
        hidden: What is to be found, ids `(people, None)`, ragged or filled up with -1.
        weights: `(people, 1)`.
    """

    given: Any
    hidden: Any
    weights: Any


def people_of(examples: AnyExamples, key: str, items: int, most: int) -> list[People]:
    """Returns the people of some examples, as many together as may be judged at once.

    Args:
        examples: One a person; what is hidden of each is the label.
        key: Of the encoded bag.
        items: Of the catalogue.
        most: The most that may be.
    """
    batches = examples.batches(max(1, min(most, _BLOCK_BYTES // (8 * items))))
    return [People(matrix(features[key], items), hidden, weights) for features, hidden, weights in batches]


def judged(scoring: Scoring, people: Iterable[People], metrics: Sequence[Any]) -> dict[str, float]:
    """Returns metrics of what is ranked for some people by what goes in, against what was hidden.

    Args:
        scoring: Returns scores `(people, items)` of what goes in.
        people: From `people_of`.
        metrics: New metrics of what was hidden and of ranked ids, each with its `k`.
    """
    k = max(metric.k for metric in metrics)
    for some in people:
        best = tf.constant(ranked(scoring(some.given), some.given, k))
        for metric in metrics:
            metric.update_state(some.hidden, best, some.weights)
    return {metric.name: float(metric.result()) for metric in metrics}
