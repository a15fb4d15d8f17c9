"""The nearest rows to those of a table that were trained most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trainer.report.wording import shortened
from trainer.tables import Table
from trainer.tables.table import Array
from trainer.vectors import search
from trainer.vectors.metrics import Cosine, Rows, blocks

ROWS = 5
"""The rows whose neighbours are shown."""

NEAREST = 5
"""The neighbours of each."""

_BLOCK = 262_144
"""Rows that are searched at a time, so that the trained ones of millions are not copied at once."""

_CANDIDATES = 50
"""Of the rows trained most, those that are looked at for a length: without one, a row is near to nothing."""


@dataclass(frozen=True)
class Row:
    """A row as a person knows it.

    Args:
        row: Its number.
        title: Its title, or else its label.
        count: The training examples that held it; None where nobody counted.
        cosine: Its similarity to the row whose neighbour it is; None for that row itself.
    """

    row: int
    title: str
    count: int | None
    cosine: float | None = None

    @property
    def times(self) -> str:
        """How often training examples held it."""
        return "once" if self.count == 1 else f"{self.count or 0:,} times"

    @property
    def similarity(self) -> str:
        """The cosine to two digits."""
        return f"{self.cosine or 0.0:z.2f}".replace("-", "\N{MINUS SIGN}")


@dataclass(frozen=True)
class Neighbourhood:
    """A row and the rows nearest to it, the nearest first."""

    of: Row
    nearest: Sequence[Row]


def neighbourhoods(table: Table) -> list[Neighbourhood]:
    """Returns the rows of a table that were trained most, each with those nearest to it by cosine.

    Only trained rows are searched, and of a table that nobody counted all; then the first ones are shown.

    Example:
        >>> table = Table("hour", np.array([[1, 0], [1, 1], [0, 1]]), counts=np.array([5, 9, 0]))
        >>> found = neighbourhoods(table)[0]
        >>> found.of.row, [(near.row, round(near.cosine, 4)) for near in found.nearest]
        (1, [(0, 0.7071)])
    """
    trained = table.trained
    chosen = _most_trained(table, trained)
    if not len(chosen) or int(trained.sum()) < 2:
        return []
    rows, scores = _nearest(table, trained, chosen, NEAREST + 1)  # a row is its own nearest
    found = []
    for row, near, cosines in zip(chosen.tolist(), rows.tolist(), scores.tolist(), strict=True):
        others = {other: cosine for other, cosine in zip(near, cosines, strict=True) if other not in (row, -1)}
        own, *told = _described(table, {row: None, **dict([*others.items()][:NEAREST])})
        if told:
            found.append(Neighbourhood(own, told))
    return found


def _most_trained(table: Table, trained: Array) -> Array:
    if table.counts is None:
        candidates = np.arange(min(table.rows, _CANDIDATES))
    else:
        candidates = search.best_of(table.counts, _CANDIDATES)
    candidates = candidates[trained[candidates]]
    norms = Rows(_floats(table.values[candidates])).norms
    return candidates[np.isfinite(norms) & (norms > 0)][:ROWS]


def _nearest(table: Table, trained: Array, queries: Array, topn: int) -> tuple[Array, Array]:
    """Returns the numbers of the nearest trained rows to some, -1 where there are no more, and their cosines."""
    vectors = _floats(table.values[queries])
    rows, scores = np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
    for part in blocks(table.rows, _BLOCK):
        own = np.flatnonzero(trained[part])
        if not len(own):
            continue
        found, score = search.nearest(Cosine, Rows(_floats(table.values[part][own])), vectors, topn)
        rows = np.hstack([rows, np.where(found < 0, -1, own[found] + part.start)])
        scores = np.hstack([scores, np.where(found < 0, -np.inf, score)])
        best = np.lexsort((rows, -scores))[:, :topn]  # of equally near ones the first of the table
        rows, scores = np.take_along_axis(rows, best, axis=1), np.take_along_axis(scores, best, axis=1)
    return rows, scores


def _floats(values: Array) -> Array:
    return np.asarray(values, np.float32)


def _described(table: Table, cosines: Mapping[int, float | None]) -> list[Row]:
    titles = [shortened(title) if title.strip() else "(empty)" for title in table.titles_of(cosines)]
    return [
        Row(row, title, None if table.counts is None else int(table.counts[row]), cosine)
        for (row, cosine), title in zip(cosines.items(), titles, strict=True)
    ]
