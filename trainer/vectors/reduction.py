"""Tables in fewer dimensions, and one table turned so that it lies on another."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from trainer import tables
from trainer.errors import Refusal
from trainer.html import html_table
from trainer.tables.table import Array
from trainer.vectors.metrics import blocks

if TYPE_CHECKING:
    from trainer.vectors.labelled import LabelledVectors

_NONE = 1e-12
"""The share of the variance below which a direction is rounding alone: values are float32."""


@dataclass(frozen=True, eq=False)
class Components:
    """Rows along the directions in which they differ most.

    Args:
        scores: `(rows, n)` float32: each row from the middle of the trained ones, along each direction.
        shares: `(n,)`: the share of the trained rows' variance that each explains, the largest first.
        directions: `(n, dimension)`, of length 1.
        middle: `(dimension,)`: the mean of the trained rows.
    """

    scores: Array
    shares: Array
    directions: Array
    middle: Array

    def _repr_html_(self) -> str:
        rows = [[str(place + 1), f"{share:.1%}"] for place, share in enumerate(self.shares)]
        return html_table(f"{len(rows)} principal components", ["component", "share of the variance"], rows)


def pca(matrix: Array, known: Array, n: int, who: str) -> Components:
    """Returns the rows of a matrix along their first principal components.

    The sign of a component is arbitrary, so the trained row that lies farthest out is made positive.

    Args:
        matrix: `(rows, dimension)` floats.
        known: `(rows,)`: which were trained and are finite; the others are moved along, and tell nothing.
        n: The number of components, from 1 to the dimension.
        who: What a refusal begins with.

    Raises:
        Refusal: There are not so many components, or fewer than two trained rows.

    Source:
        Harold Hotelling, "Analysis of a complex of statistical variables into principal components", 1933.
    """
    if not 1 <= n <= matrix.shape[1]:
        raise Refusal(f"{who}: pca wants from 1 to {matrix.shape[1]} components, not {n}.")
    if known.sum() < 2:
        raise Refusal(f"{who}: pca wants two trained rows at least, not {int(known.sum())}.")
    middle = _mean(matrix, known)
    scatter = sum(((part - middle).T @ (part - middle) for part in _parts(matrix, known)), np.zeros((len(middle),) * 2))
    variance, axes = np.linalg.eigh(scatter)  # (dimension,), (dimension, dimension), the largest last
    variance, directions = np.maximum(variance[::-1], 0), axes.T[::-1][:n]
    total = variance.sum()
    shares = variance[:n] / total if total else np.zeros(n)
    shares = np.where(shares > _NONE, shares, 0.0)
    scores = np.empty((len(matrix), n), np.float32)
    with np.errstate(invalid="ignore"):  # rows that are not finite stay so
        for part in blocks(len(matrix)):
            scores[part] = (matrix[part].astype(np.float64) - middle) @ directions.T
    signs = _signs(scores[known] if not known.all() else scores)
    return Components(scores * signs.astype(np.float32), shares, directions * signs[:, np.newaxis], middle)


def effective_rank(matrix: Array, known: Array) -> float | None:
    """Returns how many dimensions the known rows use, as `tables.effective_rank` says."""
    return tables.effective_rank(matrix if known.all() else matrix[known])


@dataclass(frozen=True, eq=False)
class Alignment:
    """One table turned so that it lies on another.

    Args:
        keys: The keys of both that are trained in both, in the order of the one that stays.
        rotation: `(dimension of the other, dimension)`: orthogonal, or as nearly so as one that is not square can be.
        scale: What the other is multiplied by.
        middle: `(dimension,)`: the mean of the common rows.
        other_middle: `(dimension of the other,)`: the same of the other.
        agreement: From 0 to 1; see `procrustes`.
        gaps: `(keys,)`: how far each key then lies from its counterpart, in root mean squares of the common rows'
            distance from their mean.
    """

    keys: list[str]
    rotation: Array
    scale: float
    middle: Array
    other_middle: Array
    agreement: float
    gaps: Array

    def turned(self, matrix: Array) -> Array:
        """Returns vectors of the other table as they lie in the one that stays, `(rows, dimension)` float32."""
        moved = (np.asarray(matrix, np.float64) - self.other_middle) @ self.rotation * self.scale + self.middle
        return np.asarray(moved, np.float32)

    def farthest(self, topn: int = 10) -> list[tuple[str, float]]:
        """Returns the keys that mean different things in the two tables, with their gaps, the widest first."""
        order = np.argsort(-self.gaps, kind="stable")[:topn]
        return [(self.keys[place], float(self.gaps[place])) for place in order.tolist()]

    def _repr_html_(self) -> str:
        caption = f"agreement {self.agreement:.3f} on {len(self.keys):,} common keys; those farthest apart"
        rows = [[key, f"{gap:.3f}"] for key, gap in self.farthest()]
        return html_table(caption, ["key", "gap"], rows, len(self.keys))


def procrustes(here: "LabelledVectors", other: "LabelledVectors", known: Array, other_known: Array) -> Alignment:
    """Returns the rotation, or reflection, after which another table lies nearest to this one on their common keys.

    Both are first moved to the mean of their common rows: what reads a table, as a dense layer with a bias, can undo a
    shift as it can a turn. The agreement is the sum of the singular values of `AᵀB` over `|A| |B|` (Frobenius), A and B
    the common rows from their means: 1 where the tables are alike up to a turn, a shift and a scale, and its square is
    the share of A's variance that the turned B explains. Of tables that have nothing in common it is about
    `0.85 * sqrt(dimension / keys)`, so that it says little where there are few keys.

    Args:
        here: The table that stays.
        other: The one that is turned.
        known: `(rows,)`: which rows here were trained and are finite.
        other_known: The same of the other.

    Raises:
        Refusal: Fewer than two keys are trained in both, or their rows are all alike in one of them.

    Source:
        Peter Schönemann, "A generalized solution of the orthogonal Procrustes problem", 1966; John Gower,
        "Generalized Procrustes analysis", 1975, for the shift and the scale.
    """
    who = f"vectors '{here.name}'"
    there = other.keys.rows(here.keys)  # (rows here,)
    rows = np.flatnonzero(known & (there >= 0))
    rows = rows[other_known[there[rows]]]
    if len(rows) < 2:
        found = "one" if len(rows) else "none"
        raise Refusal(
            f"{who}: procrustes wants two keys that are trained in both tables at least, and there is {found}."
        )
    ours, theirs = _Common(here.matrix, rows), _Common(other.matrix, there[rows])
    for table, common in ((here, ours), (other, theirs)):
        if not common.differ:
            raise Refusal(f"{who}: procrustes wants rows that differ, and the common ones of '{table.name}' are alike.")
    product = np.zeros((other.dimension, here.dimension))
    for left, right in zip(theirs.parts(), ours.parts(), strict=True):
        product += left.T @ right
    left, singular, right = np.linalg.svd(product, full_matrices=False)
    rotation, scale = left @ right, float(singular.sum() / theirs.size)
    gaps = [
        np.linalg.norm(own - part @ rotation * scale, axis=1)
        for own, part in zip(ours.parts(), theirs.parts(), strict=True)
    ]
    return Alignment(
        keys=[here.keys[row] for row in rows.tolist()],
        rotation=rotation,
        scale=scale,
        middle=ours.middle,
        other_middle=theirs.middle,
        agreement=min(1.0, float(singular.sum() / np.sqrt(ours.size * theirs.size))),
        gaps=np.concatenate(gaps) / np.sqrt(ours.size / len(rows)),
    )


@dataclass(frozen=True, eq=False)
class _Common:
    """The rows of a table whose keys another table has too.

    Args:
        matrix: `(all rows, dimension)`.
        rows: The numbers of the common ones, `(rows,)`.
    """

    matrix: Array
    rows: Array

    @cached_property
    def middle(self) -> Array:
        """Their mean, `(dimension,)`."""
        total = sum((part.sum(axis=0) for part in self._taken()), np.zeros(self.matrix.shape[1]))
        return np.asarray(total / len(self.rows))

    @cached_property
    def size(self) -> float:
        """The sum of their squares from the mean."""
        return sum(float((part**2).sum()) for part in self.parts())

    @property
    def differ(self) -> bool:
        """Tells whether they differ by more than rounding."""
        largest = max(float(np.abs(part).max(initial=0)) for part in self._taken())
        return self.size > (1e-7 * largest) ** 2 * len(self.rows) * len(self.middle)

    def parts(self) -> Iterator[Array]:
        """Yields the rows from their mean in blocks, in double precision."""
        for part in self._taken():
            yield part - self.middle

    def _taken(self) -> Iterator[Array]:
        for part in blocks(len(self.rows)):
            yield self.matrix[self.rows[part]].astype(np.float64)


def _mean(matrix: Array, known: Array) -> Array:
    total = sum((part.sum(axis=0) for part in _parts(matrix, known)), np.zeros(matrix.shape[1]))
    return np.asarray(total / known.sum())


def _parts(matrix: Array, known: Array) -> Iterator[Array]:
    """Yields the known rows in blocks, in double precision."""
    for part in blocks(len(matrix)):
        yield matrix[part][known[part]].astype(np.float64)


def _signs(scores: Array) -> Array:
    # Of rows equally far out, up to rounding, the first decides.
    far_out = np.abs(scores) >= np.abs(scores).max(axis=0) * (1 - 1e-6)
    found = np.sign(scores[far_out.argmax(axis=0), np.arange(scores.shape[1])])
    return np.where(found == 0, 1.0, found)
