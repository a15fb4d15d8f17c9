"""Link prediction: at which place vectors put the true end of an edge among all nodes, and edges before other pairs."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.tables.table import Array

_SCORES = 1 << 24
"""Scores that are held at once, of 4 bytes each."""

_DRAWS = 100
"""How often pairs are drawn anew in place of those that are edges."""


@dataclass(frozen=True)
class Facts:
    """What is asked of a graph and what is true: nodes that a question leads to from a node.

    Args:
        nodes: Those that are asked about, `(facts,)`.
        codes: What is asked of each, a whole number from 0 up: a relation, in one of its directions.
        answers: The nodes that are true, `(facts,)`.
    """

    nodes: Array
    codes: Array
    answers: Array

    def __len__(self) -> int:
        return len(self.nodes)

    def at(self, places: Array) -> "Facts":
        """Returns the facts at some places, or where a mask is true."""
        return Facts(self.nodes[places], self.codes[places], self.answers[places])

    def others(self, known: "Facts") -> tuple[Array, Array]:
        """Returns what known facts answer to each question.

        Returns:
            How many answers there are to each, `(facts,)`; and these one after the other.

        Example:
            >>> known = Facts(np.array([0, 1, 0]), np.array([0, 0, 0]), np.array([5, 6, 7]))
            >>> [each.tolist() for each in Facts(np.array([1, 0]), np.array([0, 0]), np.array([6, 5])).others(known)]
            [[1, 2], [6, 5, 7]]
        """
        width = 1 + int(max(self.codes.max(initial=0), known.codes.max(initial=0)))
        keys, asked = (each.nodes.astype(np.int64) * width + each.codes for each in (known, self))
        order = np.argsort(keys, kind="stable")
        keys, answers = keys[order], known.answers[order]
        starts, ends = (np.searchsorted(keys, asked, side) for side in ("left", "right"))
        counts = ends - starts
        inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return counts, answers[np.repeat(starts, counts) + inside]


def joined(*facts: Facts) -> Facts:
    """Returns facts one after the other."""
    parts: Any = [[getattr(each, name) for each in facts] for name in ("nodes", "codes", "answers")]
    return Facts(*map(np.concatenate, parts))


def ranks(queries: Array, candidates: Array, answers: Array, others: tuple[Array, Array]) -> Array:
    """Returns the place of each true answer among the candidates, the best first, from 1 on, `(questions,)`.

    Other true answers do not count ("filtered"), and of several alike the mean of their places is told.

    Args:
        queries: A vector each question, `(questions, dimension)`.
        candidates: A vector each candidate, `(candidates, dimension)`; a score is the product of the two.
        answers: The candidate that is asked for, `(questions,)`.
        others: Of `Facts.others`: the candidates that are true.

    Source:
        Antoine Bordes and others, "Translating embeddings for modeling multi-relational data", 2013.

    Example:
        >>> vectors = np.array([[4.0], [3.0], [2.0], [2.0], [1.0]], np.float32)
        >>> ranks(vectors[:1], vectors, np.array([3]), (np.array([2]), np.array([0, 3]))).tolist()
        [2.5]
    """
    counts, true = others
    ends, found = np.cumsum(counts), np.empty(len(queries))
    size = max(1, _SCORES // max(1, len(candidates)))
    for start in range(0, len(queries), size):
        part = slice(start, start + size)
        scores = queries[part] @ candidates.T  # (questions, candidates)
        rows = np.arange(len(scores))
        wanted = scores[rows, answers[part]]
        first = ends[start] - counts[start]
        scores[np.repeat(rows, counts[part]), true[first : ends[start + len(rows) - 1]]] = -np.inf
        scores[rows, answers[part]] = wanted
        above = (scores > wanted[:, np.newaxis]).sum(axis=1)
        alike = (scores == wanted[:, np.newaxis]).sum(axis=1) - 1
        found[part] = 1 + above + alike / 2
    return found


def mean_reciprocal_rank(places: Array) -> float:
    """Returns the mean of 1 / place.

    Example:
        >>> mean_reciprocal_rank(np.array([1.0, 4.0]))
        0.625
    """
    return float(np.mean(1 / places))


def hits(places: Array, k: int) -> float:
    """Returns the share of places that are not after the k-th.

    Example:
        >>> hits(np.array([1.0, 10.5, 10.0, 11.0]), 10)
        0.5
    """
    return float(np.mean(places <= k))


def area_under_curve(edges: Array, others: Array) -> float:
    """Returns how often the score of an edge is above that of a pair that is none, those alike counted half.

    Args:
        edges: The scores of edges.
        others: Those of other pairs.

    Example:
        >>> area_under_curve(np.array([1.0, 3.0]), np.array([0.0, 1.0]))
        0.875
    """
    others = np.sort(others)
    below = np.searchsorted(others, edges, "left") + np.searchsorted(others, edges, "right")
    return float(np.mean(below) / 2 / len(others))


def pairs_without_edge(nodes: Array, edges: tuple[Array, Array], count: int, seed: int) -> tuple[Array, Array]:
    """Returns pairs of two nodes that no edge leads from one to the other, drawn at random, perhaps several times.

    Args:
        nodes: Those that are drawn from.
        edges: The sources and the targets of all edges, of a graph without direction those of both.
        count: How many are drawn; fewer come where hardly a pair is without an edge.
        seed: Of what is drawn.
    """
    draws, width = np.random.default_rng(seed), 1 + int(max(nodes.max(), edges[0].max(), edges[1].max()))
    known = np.unique(edges[0].astype(np.int64) * width + edges[1])
    found = np.zeros((2, 0), np.int64)
    for _ in range(_DRAWS):
        pairs = nodes[draws.integers(len(nodes), size=(2, count - found.shape[1]))].astype(np.int64)
        keys = pairs[0] * width + pairs[1]
        places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        found = np.concatenate([found, pairs[:, (known[places] != keys) & (pairs[0] != pairs[1])]], axis=1)
        if found.shape[1] == count:
            break
    return found[0], found[1]
