"""How near a row lies to a query, in two ways: as one fast product in float32 for all, and exactly for a few."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trainer.errors import Refusal, nearest
from trainer.tables.table import Array

BLOCK = 8_192
"""Rows that are worked on at a time, so that they stay in the processor's cache."""

_SMALLEST, _LARGEST = 1e-30, 1e30
"""Lengths between which rows can be scaled in float32."""


@dataclass(frozen=True, eq=False)
class Rows:
    """A matrix with what every search needs of it, computed once.

    Args:
        matrix: `(rows, dimension)` float32.
    """

    matrix: Array

    @cached_property
    def norms(self) -> Array:
        """The length of each row, `(rows,)` float64; NaN or infinite where a value is."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.concatenate([np.zeros(0), *(_lengths(self._wide(part)) for part in self._parts)])

    @cached_property
    def finite(self) -> Array:
        """Tells for each row whether it has a length, `(rows,)`."""
        return np.isfinite(self.norms)

    @cached_property
    def largest(self) -> float:
        """The length of the longest row."""
        return float(self.norms[self.finite].max(initial=0)) or 1.0

    @cached_property
    def is_ordinary(self) -> bool:
        """Tells whether all lengths are such that float32 can hold one divided by them."""
        return not any(
            ((norms > _LARGEST) & (norms < np.inf)).any() or ((norms < _SMALLEST) & (norms > 0)).any()
            for norms in (self.norms[part] for part in blocks(len(self.norms)))
        )

    @cached_property
    def middle(self) -> Array:
        """The mean of the rows, `(dimension,)` float64."""
        total = np.zeros(self.matrix.shape[1])
        for part in self._parts:
            total += self._wide(part)[self.finite[part]].sum(axis=0)
        return total / max(1, int(self.finite.sum()))

    @cached_property
    def without_length(self) -> Array:
        """The numbers of the rows of zeros."""
        return np.flatnonzero(self.norms == 0)

    @cached_property
    def inverses(self) -> Array:
        """1 over the length of each row, 0 where there is none, `(rows,)` float32."""
        return np.concatenate(
            [np.zeros(0, np.float32), *(_inverse(self.norms[part]).astype(np.float32) for part in self._parts)]
        )

    @cached_property
    def reach(self) -> float:
        """A length that no row exceeds, from the middle of the rows."""
        return self.largest + float(np.linalg.norm(self.middle))

    @cached_property
    def squares(self) -> Array:
        """Half the squared distance of each row from the middle, in squares of the reach, `(rows,)` float32."""
        with np.errstate(over="ignore", invalid="ignore"):
            moved = ((self._wide(part) - self.middle) / self.reach for part in self._parts)
            return np.concatenate(
                [np.zeros(0, np.float32), *((_squares(rows) / 2).astype(np.float32) for rows in moved)]
            )

    @cached_property
    def is_centred(self) -> bool:
        """Tells whether the middle is no farther from zero than rows are from the middle; not where there is no row."""
        return bool(self.finite.any()) and bool(2 * (self.middle**2).sum() <= np.square(self.norms[self.finite]).mean())

    def products(self, part: slice, queries: Array) -> Array:
        """Returns some rows, as they are, times each query, `(rows, queries)` float32."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(self.matrix[part] @ queries.T)

    def scaled(self, part: slice, factors: Array) -> Array:
        """Returns some rows times a factor each, `(rows, dimension)` float32."""
        with np.errstate(over="ignore", invalid="ignore"):
            if self.is_ordinary:
                return np.asarray(self.matrix[part] * factors.astype(np.float32)[:, np.newaxis])
            return np.asarray(self._wide(part) * factors[:, np.newaxis], np.float32)

    @property
    def _parts(self) -> Iterator[slice]:
        return blocks(len(self.matrix))

    def _wide(self, part: slice) -> Array:
        return self.matrix[part].astype(np.float64)


class Metric(ABC):
    """Rows and queries prepared so that their product is the larger the nearer they lie.

    Args:
        rows: The rows.
        queries: `(queries, dimension)` float64, finite.
    """

    def __init__(self, rows: Rows, queries: Array) -> None:
        self.rows, self.queries = rows, queries
        self.lengths = _lengths(queries)  # (queries,)

    @property
    @abstractmethod
    def prepared(self) -> Array:
        """The queries as products take them, `(queries, width)` float32."""

    @abstractmethod
    def block(self, part: slice) -> tuple[Array, Array]:
        """Returns some rows as products take them, `(rows, width)` float32, and what products err by, `(queries,)`."""

    @property
    def is_quick(self) -> bool:
        """Tells whether `quick` tells enough: where products of rows as they are err little."""
        return self.rows.is_ordinary

    @abstractmethod
    def quick(self, part: slice) -> tuple[Array, Array]:
        """Returns what `block` times the prepared queries would be, `(rows, queries)`, and what that errs by.

        No row is copied, which for few queries takes the most time; what the rows are scaled by, the products are.
        """

    @abstractmethod
    def exact(self, queries: Array, rows: Array) -> tuple[Array, Array]:
        """Returns the score and the product of pairs, each `(pairs,)` float64, given by their numbers."""

    def shown(self, scores: Array) -> Array:
        """Returns what a person is told of scores."""
        return scores

    def _rounding(self) -> float:
        return 2.0**-23 * (self.queries.shape[1] + 16)

    def _dots(self, queries: Array, rows: Array) -> Array:
        # A row's sum does not depend on the rows beside it, as that of a matrix product does: equal rows tie.
        return np.asarray((self.rows.matrix[rows].astype(np.float64) * self.queries[queries]).sum(axis=1))


class Cosine(Metric):
    """The cosine of the angle; a row without a length is at a right angle to all."""

    @cached_property
    def prepared(self) -> Array:
        """The queries at length 1."""
        return np.asarray(self.queries * _inverse(self.lengths)[:, np.newaxis], np.float32)

    def block(self, part: slice) -> tuple[Array, Array]:
        """Returns rows at length 1."""
        return self.rows.scaled(part, _inverse(self.rows.norms[part])), np.full(len(self.queries), self._rounding())

    def quick(self, part: slice) -> tuple[Array, Array]:
        """Returns products over the rows' lengths."""
        found = self.rows.products(part, self.prepared)
        with np.errstate(invalid="ignore"):
            found *= self.rows.inverses[part, np.newaxis]
        return found, np.full(len(self.queries), self._rounding())

    def exact(self, queries: Array, rows: Array) -> tuple[Array, Array]:
        """Returns the cosine, twice."""
        found = self._dots(queries, rows) * _inverse(self.rows.norms[rows]) * _inverse(self.lengths[queries])
        return found, found


class Dot(Metric):
    """The dot product."""

    @cached_property
    def prepared(self) -> Array:
        """The queries at length 1."""
        return np.asarray(self.queries * _inverse(self.lengths)[:, np.newaxis], np.float32)

    def block(self, part: slice) -> tuple[Array, Array]:
        """Returns rows over the longest one's length."""
        factors = np.full(part.stop - part.start, 1 / self.rows.largest)
        return self.rows.scaled(part, factors), self._wrong(part)

    def quick(self, part: slice) -> tuple[Array, Array]:
        """Returns products over the longest row's length."""
        found = self.rows.products(part, self.prepared)
        found *= np.float32(1 / self.rows.largest)
        return found, self._wrong(part)

    def _wrong(self, part: slice) -> Array:
        longest = self.rows.norms[part][self.rows.finite[part]].max(initial=0) / self.rows.largest
        return np.full(len(self.queries), self._rounding() * longest + 1e-37)

    def exact(self, queries: Array, rows: Array) -> tuple[Array, Array]:
        """Returns the dot product, and the same over the lengths."""
        found = self._dots(queries, rows)
        return found, found * _inverse(self.lengths[queries]) / self.rows.largest


class Euclidean(Metric):
    """The distance, whose score is negative: `q · x - |x|² / 2` is the larger the nearer x lies to q."""

    @cached_property
    def prepared(self) -> Array:
        """The queries from the middle of the rows, over a length that none exceeds, and 1."""
        scaled = (self.queries - self.rows.middle) / self._scale  # (queries, dimension)
        return np.column_stack([scaled, np.ones(len(scaled))]).astype(np.float32)

    @cached_property
    def _scale(self) -> float:
        return self.rows.reach + max(0.0, float(self.lengths.max(initial=0)) - self.rows.largest)

    @cached_property
    def _from_middle(self) -> Array:
        return _lengths(self.queries - self.rows.middle)  # (queries,)

    def block(self, part: slice) -> tuple[Array, Array]:
        """Returns rows from their middle, and less half their squared length."""
        with np.errstate(over="ignore", invalid="ignore"):
            moved = (self.rows.matrix[part].astype(np.float64) - self.rows.middle) / self._scale  # (rows, dimension)
            squares = (moved * moved).sum(axis=1)
        longest = np.sqrt(squares[self.rows.finite[part]].max(initial=0))
        wrong = self._rounding() * (self._from_middle / self._scale + longest) ** 2 + 1e-37  # (queries,)
        return np.column_stack([moved, -squares / 2]).astype(np.float32), wrong

    @property
    def is_quick(self) -> bool:
        """Where the middle is far from zero, products of rows as they are are nearly all alike."""
        return self.rows.is_ordinary and self.rows.is_centred

    def quick(self, part: slice) -> tuple[Array, Array]:
        """Returns products less those of the middle, and less half the rows' squared length from there."""
        scale, middle = self._scale, self.rows.middle
        moved = (self.queries - middle) / scale  # (queries, dimension)
        found = self.rows.products(part, self.prepared[:, :-1])
        found *= np.float32(1 / scale)
        found -= (moved @ middle / scale).astype(np.float32)
        with np.errstate(invalid="ignore"):
            found -= self.rows.squares[part, np.newaxis] * np.float32((self.rows.reach / scale) ** 2)
        return found, self._rounding() * ((self._from_middle + self.rows.reach) / scale) ** 2 + 1e-37

    def exact(self, queries: Array, rows: Array) -> tuple[Array, Array]:
        """Returns the distance below 0, and what the product would be."""
        squares = ((self.rows.matrix[rows].astype(np.float64) - self.queries[queries]) ** 2).sum(axis=1)
        return -np.sqrt(squares), (self._from_middle[queries] ** 2 - squares) / (2 * self._scale**2)

    def shown(self, scores: Array) -> Array:
        """Returns distances."""
        return np.abs(scores)


METRICS: Mapping[str, type[Metric]] = {"cosine": Cosine, "dot": Dot, "euclidean": Euclidean}


def metric_of(name: str, who: str) -> type[Metric]:
    """Returns a metric by its name.

    Raises:
        Refusal: There is none of that name.
    """
    if name not in METRICS:
        raise Refusal(f"{who}: metric is one of {', '.join(METRICS)}, not {name!r}{nearest(str(name), METRICS) or '.'}")
    return METRICS[name]


def blocks(rows: int, size: int | None = None) -> Iterator[slice]:
    """Yields so many rows in blocks."""
    size = size or BLOCK
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))


def _lengths(values: Array) -> Array:
    return np.asarray(np.sqrt(_squares(values)))


def _squares(values: Array) -> Array:
    return np.asarray((values * values).sum(axis=1))


def _inverse(lengths: Array) -> Array:
    """Returns 1 over each length, and 0 where there is none."""
    return np.divide(1.0, lengths, out=np.zeros_like(lengths), where=np.isfinite(lengths) & (lengths > 0))
