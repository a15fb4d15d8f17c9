"""The nearest rows to many queries, exactly, by blocks: never rows by rows, nor all queries by all rows.

A block of queries times a block of rows, in float32, tells which rows could be among the nearest: those whose product
is within rounding of the best found so far. Only they are scored again, in float64, one by one, so that what is found
does not hang on how the product was computed: equal rows have equal scores, and the first of them comes first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from trainer.tables.table import Array
from trainer.vectors.metrics import BLOCK, Metric, Rows, blocks

_QUERIES = 256
_FEW, _LONGER = 16, 128
"""Queries that are compared with rows as they are, and how many blocks of rows at a time."""

_PAIRS = 8_192
"""Pairs that are scored at a time."""

_SORTED = 32
"""Queries whose products are sorted at a time."""

_LOWEST = float(np.finfo(np.float32).min)


def nearest(metric: type[Metric], rows: Rows, queries: Array, topn: int) -> tuple[Array, Array]:
    """Returns the nearest rows to each query, the nearest first; of equally near ones the first of the matrix.

    Args:
        metric: What nearness is.
        rows: The rows; those with a value that is not finite are never found.
        queries: `(queries, dimension)` finite floats.
        topn: How many are wanted of each.

    Returns:
        Their numbers, -1 where there are no more rows, and their scores rounded to float32, each `(queries, topn)` or
        as many as there are rows.

    Example:
        >>> from trainer.vectors.metrics import Cosine
        >>> found, scores = nearest(Cosine, Rows(np.eye(3, dtype=np.float32)), np.array([[3.0, 4.0, 0.0]]), 2)
        >>> found.tolist(), scores.round(3).tolist()
        ([[1, 0]], [[0.800000011920929, 0.6000000238418579]])
    """
    measured = metric(rows, np.asarray(queries, np.float64))
    best = _Best(measured, min(topn, len(rows.matrix)))
    hidden = ~rows.finite
    hidden[rows.without_length[best.most :]] = True  # as near as the first ones, and after them
    made = _quick if len(queries) <= _FEW and measured.is_quick else _scaled
    for first, part, products, wrong in made(measured, hidden) if best.most else ():
        some = slice(first, first + products.shape[1])
        possible = _possible(products, best.least[some], wrong, best.most)
        row, query = np.divmod(np.flatnonzero(possible), products.shape[1])
        best.add(query + first, row + part.start)
    return best.rows, measured.shown(best.scores)


def _quick(measured: Metric, hidden: Array) -> Iterator[tuple[int, slice, Array, Array]]:
    """Yields products of few queries as `_scaled` does, from rows as they are."""
    # Products of few queries are so quick that threads would wait for each other at every block.
    for many in blocks(len(hidden), BLOCK * _LONGER):
        found, wrong = measured.quick(many)
        # By blocks all the same: once some rows are found, most others need no more than a comparison.
        for some in blocks(len(found)):
            part, products = slice(many.start + some.start, many.start + some.stop), found[some]
            products[np.flatnonzero(hidden[part])] = -np.inf
            yield 0, part, products, wrong


def _scaled(measured: Metric, hidden: Array) -> Iterator[tuple[int, slice, Array, Array]]:
    """Yields the products of blocks of rows and queries.

    Returns:
        The number of the first query, the rows, `(rows, queries)` products, and what they err by, `(queries,)`.
    """
    queries = len(measured.queries)
    room = np.empty(min(_QUERIES, queries) * min(BLOCK, len(hidden)), np.float32)
    for part in blocks(len(hidden)):
        block, wrong = measured.block(part)  # (rows, width), (queries,)
        no_rows = np.flatnonzero(hidden[part])
        block[no_rows] = 0
        for some in blocks(queries, _QUERIES):
            products = room[: (some.stop - some.start) * len(block)].reshape(len(block), -1)  # (rows, queries)
            np.matmul(block, measured.prepared[some].T, out=products)
            products[no_rows] = -np.inf
            yield some.start, part, products, wrong[some]


def scores(metric: type[Metric], rows: Rows, query: Array) -> Array:
    """Returns the score of every row for one query, rounded to float32, `(rows,)`; NaN for one that is not finite."""
    measured = metric(rows, np.asarray(query, np.float64)[np.newaxis])
    found = np.empty(len(rows.matrix), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for part in blocks(len(found)):
            numbers = np.arange(part.start, part.stop)
            found[part] = measured.exact(np.zeros_like(numbers), numbers)[0]
    found[~rows.finite] = np.nan
    return found


def best_of(found: Array, topn: int) -> Array:
    """Returns the places of the largest of some numbers, `(topn,)` or fewer; of equal ones the first.

    Example:
        >>> best_of(np.array([1.0, 3.0, np.nan, 3.0, 2.0]), 3).tolist()
        [1, 3, 4]
    """
    places = np.flatnonzero(~np.isnan(found))
    if 0 < topn < len(places):
        known = found[places]
        places = places[known >= np.partition(known, -topn)[-topn]]
    return places[np.argsort(-found[places], kind="stable")][:topn]


@dataclass(eq=False)
class _Best:
    """The best rows found so far of each query, `(queries, most)`.

    Args:
        measured: What scores a pair.
        most: How many are kept.
    """

    measured: Metric
    most: int
    rows: Array = field(init=False)
    scores: Array = field(init=False)
    products: Array = field(init=False)
    least: Array = field(init=False)

    def __post_init__(self) -> None:
        shape = (len(self.measured.queries), self.most)
        self.rows, self.scores = np.full(shape, -1), np.full(shape, -np.inf, np.float32)
        self.products = np.full(shape, -np.inf)
        self.least = np.full(shape[0], -np.inf)  # the product that another row must reach

    def add(self, queries: Array, rows: Array) -> None:
        """Takes pairs of a query and a row among the best where they belong."""
        for start in range(0, len(rows), _PAIRS):
            query, row = queries[start : start + _PAIRS], rows[start : start + _PAIRS]
            with np.errstate(over="ignore"):
                score, product = self.measured.exact(query, row)
                self._merge(query, row, score.astype(np.float32), product)

    def _merge(self, query: Array, row: Array, score: Array, product: Array) -> None:
        touched = np.unique(query)
        query = np.concatenate([np.repeat(touched, self.most), query])
        row, score, product = (
            np.concatenate([kept[touched].reshape(-1), new])
            for kept, new in ((self.rows, row), (self.scores, score), (self.products, product))
        )
        order = np.lexsort((row, row < 0, -score, query))  # what is no row yet comes last
        firsts = np.searchsorted(query[order], touched)
        chosen = order[firsts[:, np.newaxis] + np.arange(self.most)]  # (queries touched, most)
        self.rows[touched], self.scores[touched], self.products[touched] = row[chosen], score[chosen], product[chosen]
        self.least[touched] = product[chosen].min(axis=1)


def _possible(products: Array, least: Array, wrong: Array, most: int) -> Array:
    """Tells which rows of a block could be among the best of a query, `(rows, queries)`."""
    bounds = np.maximum(least - wrong, _LOWEST).astype(np.float32)  # hidden rows are at minus infinity
    found: Array = products >= bounds
    if most < len(products) and np.count_nonzero(found) > 4 * most + 64:
        many = np.flatnonzero(np.count_nonzero(found, axis=0) > 4 * most + 64)
        for start in range(0, len(many), _SORTED):
            some = many[start : start + _SORTED]
            last = np.partition(products[:, some], -most, axis=0)[-most]  # (some,)
            found[:, some] &= products[:, some] >= (last - 2 * wrong[some]).astype(np.float32)
    return found
