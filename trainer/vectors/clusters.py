"""Groups of keys whose vectors point in one direction."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.errors import Refusal
from trainer.html import html_table
from trainer.tables.table import Array
from trainer.vectors import ranges
from trainer.vectors.metrics import blocks

if TYPE_CHECKING:
    from trainer.vectors.labelled import LabelledVectors

_MOST_FITTED, _MOST_COMPARED = 10_000, 2_000
"""Rows that centres are fitted to; and that numbers of clusters are tried on, at a cost that grows as their square."""

_MOST_TRIED = 12
"""The largest number of clusters that is tried where none is given."""

_STARTS, _STARTS_TRIED = 10, 3
"""Fits from other starting points, of which the best is taken; fewer where a number of clusters is tried."""

_SHOWN_KEYS = 5
_MOST_GRIDDED = 200_000
"""Rows of a cross up to which clusters are described by ranges."""


@dataclass(frozen=True, eq=False)
class Cluster:
    """One group.

    Args:
        size: The number of keys in it.
        keys: Those nearest to its centre, the nearest first, 5 at most.
        centre: `(dimension,)`: the mean of its rows at length 1.
        description: For a cross the keys that it covers as ranges, where ranges hold most of them; for others its
            centre-most keys.
    """

    size: int
    keys: tuple[str, ...]
    centre: Array
    description: str


@dataclass(frozen=True, eq=False)
class Clusters:
    """The groups of a table, the largest first.

    Args:
        clusters: The groups.
        numbers: `(rows,)`: which of them each row is in; -1 for one that was never trained.
        silhouette: How well they are apart, from -1 to 1, on a sample; None where there is one cluster.
    """

    clusters: tuple[Cluster, ...]
    numbers: Array
    silhouette: float | None

    def __len__(self) -> int:
        return len(self.clusters)

    def __iter__(self) -> Iterator[Cluster]:
        return iter(self.clusters)

    def __getitem__(self, number: int) -> Cluster:
        return self.clusters[number]

    def _repr_html_(self) -> str:
        apart = "" if self.silhouette is None else f", silhouette {self.silhouette:.2f}"
        rows = [[str(n), f"{found.size:,}", found.description, ", ".join(found.keys)] for n, found in enumerate(self)]
        return html_table(f"{len(self)} clusters{apart}", ["", "keys", "covers", "in the middle"], rows)


def cluster(vectors: "LabelledVectors", known: Array, k: int | None, seed: int) -> Clusters:
    """Returns groups of rows by k-means on rows of length 1, so that rows belong together whose cosine is high.

    These are the neighbours that `most_similar` tells of; a key that is seen often has a long vector, and its length
    would part it from others of its kind. Centres are fitted to at most 10,000 rows, drawn with the seed, and every row
    then goes to the nearest. Where `k` is left out, it is the number from 2 to 12 with the largest silhouette on at
    most 2,000 rows; one near 0 says that the table has no such groups.

    Args:
        vectors: The table.
        known: `(rows,)`: which rows were trained and are finite; the others are in no group.
        k: The number of clusters.
        seed: Of all draws; the same gives the same groups.

    Raises:
        Refusal: There are not as many different directions as clusters wanted.

    Source:
        Peter Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis", 1987.
    """
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    rows = np.flatnonzero(known)
    draw = np.random.default_rng(seed)
    fitted = rows if len(rows) <= _MOST_FITTED else np.sort(draw.choice(rows, _MOST_FITTED, replace=False))
    units = _units(vectors.matrix[fitted])  # (rows fitted, dimension)
    different = _different(units)
    _check(k, different, f"vectors '{vectors.name}'")
    some = units[draw.permutation(len(units))[:_MOST_COMPARED]]
    with threadpool_limits(1):  # sums of several threads end in different digits from one time to the next
        count = _chosen(some, seed) if k is None else k
        means = KMeans(count, n_init=_STARTS, random_state=seed).fit(units)
        silhouette = _silhouette(some, means.predict(some))
    return _grouped(vectors, rows, known, means.cluster_centers_, silhouette)


def _check(k: int | None, different: int, who: str) -> None:
    if k is None and different < 2:
        found = "one; give k=1" if different else "none"
        raise Refusal(f"{who}: cluster wants trained rows in two directions at least, and there is {found}.")
    if k is not None and not 1 <= k <= different:
        raise Refusal(f"{who}: cluster wants k from 1 to {different:,}, the directions of trained rows, not {k}.")


def _chosen(units: Array, seed: int) -> int:
    """Returns the number of clusters with the largest silhouette; of equal ones the smallest."""
    from sklearn.cluster import KMeans

    tried = range(2, max(2, min(_MOST_TRIED, _different(units))) + 1)
    found = []
    for count in tried:
        apart = _silhouette(units, KMeans(count, n_init=_STARTS_TRIED, random_state=seed).fit_predict(units))
        found.append(-1.0 if apart is None else apart)
    return tried[int(np.round(found, 6).argmax())]


def _different(units: Array) -> int:
    return len(np.unique(units.round(5) + 0.0, axis=0))  # + 0.0: there is a zero below zero


def _silhouette(units: Array, numbers: Array) -> float | None:
    from sklearn.metrics import silhouette_score

    count = len(np.unique(numbers))
    if not 1 < count < len(units):  # it is not defined
        return None
    return float(silhouette_score(units, numbers))


def _grouped(
    vectors: "LabelledVectors", rows: Array, known: Array, centres: Array, silhouette: float | None
) -> Clusters:
    numbers, nearness = np.full(len(vectors), -1), np.zeros(len(vectors))
    for part in blocks(len(rows)):
        units = _units(vectors.matrix[rows[part]])
        squares = ((centres**2).sum(axis=1) - 2 * units @ centres.T) + 1  # (rows, clusters)
        numbers[rows[part]], nearness[rows[part]] = squares.argmin(axis=1), -squares.min(axis=1)
    sizes = np.bincount(numbers[rows], minlength=len(centres))
    order = np.argsort(-sizes, kind="stable")
    order = order[sizes[order] > 0]
    renamed = np.full(len(centres) + 1, -1)
    renamed[order] = np.arange(len(order))
    numbers = renamed[numbers]
    in_words = _words(vectors, known)
    found = []
    for number, old in enumerate(order.tolist()):
        own = np.flatnonzero(numbers == number)
        middle = own[np.argsort(-nearness[own].round(6), kind="stable")][:_SHOWN_KEYS]
        keys = tuple(vectors.keys[row] for row in middle.tolist())
        found.append(Cluster(len(own), keys, centres[old], in_words(numbers == number, keys)))
    return Clusters(tuple(found), numbers, silhouette)


def _words(vectors: "LabelledVectors", known: Array) -> Callable[[Array, tuple[str, ...]], str]:
    grid = ranges.grid_of(vectors.fields) if len(vectors) <= _MOST_GRIDDED else None

    def words(inside: Array, keys: tuple[str, ...]) -> str:
        found = None if grid is None else ranges.described(grid, inside, known)
        return found or ", ".join(keys) + (", \N{HORIZONTAL ELLIPSIS}" if inside.sum() > len(keys) else "")

    return words


def _units(values: Array) -> Array:
    """Returns rows at length 1, `(rows, dimension)` float64; one without a length stays as it is."""
    wide = values.astype(np.float64)
    norms = np.linalg.norm(wide, axis=1, keepdims=True)  # (rows, 1)
    return np.asarray(np.divide(wide, norms, out=wide, where=norms > 0))
