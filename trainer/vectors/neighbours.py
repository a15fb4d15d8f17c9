"""Answers about the rows of one table: which are near, and how near."""

import numbers
from collections.abc import Sequence, Set
from typing import Any, final

import numpy as np

from trainer.errors import Refusal
from trainer.tables.table import Array
from trainer.vectors import search
from trainer.vectors.keys import Keys
from trainer.vectors.metrics import Cosine, Metric, Rows, metric_of
from trainer.vectors.queries import Query, Similar, listed, query_of

_EPSILON = 1e-6
"""What gensim adds to a product of similarities before it divides by it."""


@final
class Neighbours:
    """The rows of a table, to be searched.

    Args:
        keys: What each row is called.
        rows: The rows.
        who: What a refusal begins with.
    """

    def __init__(self, keys: Keys, rows: Rows, who: str) -> None:
        self._keys, self.rows, self._who = keys, rows, who

    def query(self, given: Any, weight: float = 1.0) -> Query:
        """Returns what a person asks with."""
        return query_of(given, self._keys, self.rows.matrix, self._who, weight)

    def similarity(self, a: Any, b: Any, metric: str) -> float:
        """Returns the cosine or the dot product of two."""
        metric_of(metric, self._who)
        if metric == "euclidean":
            raise Refusal(f"{self._who}: 'euclidean' is a distance; ask distance(a, b, metric='euclidean').")
        left, right = self.query(a).vector, self.query(b).vector
        lengths = float(np.linalg.norm(left) * np.linalg.norm(right)) if metric == "cosine" else 1.0
        return float(left @ right) / lengths if lengths else 0.0

    def distance(self, a: Any, b: Any, metric: str) -> float:
        """Returns 1 less the cosine of two, or their Euclidean distance."""
        metric_of(metric, self._who)
        if metric == "dot":
            raise Refusal(f"{self._who}: 'dot' has no distance; ask similarity(a, b, metric='dot').")
        if metric == "euclidean":
            return float(np.linalg.norm(self.query(a).vector - self.query(b).vector))
        return 1 - self.similarity(a, b, metric)

    def of_mean(self, positive: Any, negative: Any, topn: Any, metric: str) -> list[Similar]:
        """Returns the keys nearest to the mean of some, less others."""
        kind, topn = metric_of(metric, self._who), self._checked(topn)
        terms = [*self._terms(positive, 1.0), *self._terms(negative, -1.0)]
        if not terms:
            raise Refusal(f"{self._who}: a key or a vector is wanted in positive or negative, and both are empty.")
        vectors = np.stack([term.unit if metric == "cosine" else term.vector for term in terms])  # (terms, dimension)
        weights = np.array([term.weight for term in terms])
        mean = weights @ vectors / (np.abs(weights).sum() or 1.0)  # (dimension,)
        return self._found(kind, mean[np.newaxis], topn, [_rows_of(terms)])[0]

    def of_each(self, queries: Any, topn: Any, metric: str) -> list[list[Similar]]:
        """Returns the keys nearest to each of many."""
        kind, topn = metric_of(metric, self._who), self._checked(topn)
        shape = (self.rows.matrix.shape[1],)
        if isinstance(queries, np.ndarray) and queries.shape[1:] == shape and np.isfinite(queries).all():
            return self._found(kind, queries, topn, [frozenset()] * len(queries))
        found = self._terms(queries, 1.0)
        vectors = np.reshape([query.vector for query in found], (len(found), *shape))
        return self._found(kind, vectors, topn, [_rows_of([query]) for query in found])

    def of_product(self, positive: Any, negative: Any, topn: Any) -> list[Similar]:
        """Returns the keys with the largest product of cosines to some over that to others."""
        topn, positive, negative = self._checked(topn), self._terms(positive, 1.0), self._terms(negative, -1.0)
        if not positive:
            raise Refusal(f"{self._who}: most_similar_cosmul wants a key or a vector in positive.")
        found = self._likeness(positive) / (self._likeness(negative) + _EPSILON)  # (rows,)
        known = _rows_of([*positive, *negative])
        rows = [row for row in search.best_of(found, topn + len(known)).tolist() if row not in known][:topn]
        return [(self._keys[row], float(found[row])) for row in rows]

    def odd_one(self, keys: Any) -> str:
        """Returns the key that is farthest from the mean of all given."""
        keys = [keys] if isinstance(keys, str) else list(keys)
        if not keys:
            raise Refusal(f"{self._who}: doesnt_match wants keys to choose from, and got none.")
        units = np.stack([self.query(key).unit for key in keys])  # (keys, dimension)
        found: str = keys[int((units @ units.mean(axis=0)).astype(np.float32).argmin())]
        return found

    def rank(self, a: Any, b: str, metric: str) -> int:
        """Returns the place of one key among the neighbours of another."""
        left, right = self.query(a), self._keys.row(b)
        self.query(b)  # refused where it is not finite, and so has no place
        scores = search.scores(metric_of(metric, self._who), self.rows, left.vector)
        nearer = scores > scores[right]
        nearer[list(_rows_of([left]))] = False
        return int(nearer.sum()) + 1

    def _terms(self, given: Any, weight: float) -> list[Query]:
        return [self.query(each, weight) for each in listed(given)]

    def _likeness(self, terms: Sequence[Query]) -> Array:
        """Returns the product over terms of each row's cosine, moved to between 0 and 1, `(rows,)`."""
        found = np.ones(len(self._keys))
        for term in terms:
            found *= (1 + search.scores(Cosine, self.rows, term.vector).astype(np.float64)) / 2
        return found

    def _found(
        self, kind: type[Metric], queries: Array, topn: int, left_out: Sequence[Set[int]]
    ) -> list[list[Similar]]:
        more = max(map(len, left_out), default=0)
        rows, scores = search.nearest(kind, self.rows, queries, topn + more if topn else 0)
        answers = []
        for own, near, out in zip(rows.tolist(), scores.tolist(), left_out, strict=True):
            chosen = [(row, score) for row, score in zip(own, near, strict=True) if row >= 0 and row not in out]
            answers.append([(self._keys[row], score) for row, score in chosen[:topn]])
        return answers

    def _checked(self, topn: Any) -> int:
        if not isinstance(topn, numbers.Integral) or isinstance(topn, bool) or topn < 0:
            raise Refusal(f"{self._who}: topn is a whole number of keys, not {topn!r}.")
        return int(topn)


def _rows_of(terms: Sequence[Query]) -> frozenset[int]:
    return frozenset(term.row for term in terms if term.row is not None)
