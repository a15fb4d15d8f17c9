"""What is shown of a table: which rows, and where the page should see them."""

import logging
from collections.abc import Mapping

import numpy as np

from trainer.tables import Described
from trainer.tables.table import Array

MOST_ROWS = 100_000
"""The page asks for no more points than these."""

_UNIT = 0.999
_UNIT_BELOW = 50
"""For fewer dimensions than these the page's t-SNE and UMAP take the rows for unit vectors; others it makes so."""

_log = logging.getLogger("trainer.projector")


def rows_of(table: Described) -> list[int]:
    """Returns the rows that are shown: all, or the most frequent 100,000, in the order of the table."""
    if table.rows <= MOST_ROWS:
        return list(range(table.rows))
    order = np.arange(table.rows) if table.counts is None else np.argsort(-table.counts, kind="stable")
    chosen = "first" if table.counts is None else "most frequent"
    _log.warning(
        "projector: '%s' has %s rows; the %s %s are shown.", table.name, f"{table.rows:,}", chosen, f"{MOST_ROWS:,}"
    )
    return [int(row) for row in np.sort(order[:MOST_ROWS])]


def variants_of(table: Described, rows: list[int]) -> Mapping[str, Array]:
    """Returns the points of a table by what follows its name: `(rows, dimension)`, 3 at least.

    A table of fewer than 50 dimensions is shown centred and with rows of length 0.999, and beside it as it is; one of
    more the page centres itself. A table that would break the page for all others is none, and the log says so.
    """
    # Padding keeps distances: the page hides one dimension and opens two blank.
    with np.errstate(over="ignore"):  # what float32 cannot hold is refused below
        values = np.asarray(table.values[rows], np.float32)  # (rows shown, dimension)
    if reason := _refused(table, values):
        _log.warning("projector: '%s' %s, so it is left out.", table.name, reason)
        return {}
    if table.dimension >= _UNIT_BELOW:
        return {"": values}
    padding = ((0, 0), (0, max(0, 3 - table.dimension)))  # as many zeros
    return {"": np.pad(unit_rows(values, table.trained[rows]), padding), ".raw": np.pad(values, padding)}


def _refused(table: Described, values: Array) -> str | None:
    if table.rows < 2:
        return "has fewer than two rows"
    if not np.isfinite(values).all():
        return "has values that are not finite"
    return None if np.ptp(values, axis=0).any() else "has all its rows alike"


def unit_rows(values: Array, trained: Array | None = None) -> Array:
    """Returns rows moved to the middle of those that were trained, and scaled to a length of 0.999.

    Args:
        values: `(rows, dimension)` floats.
        trained: `(rows,)` booleans; what was never trained lies anywhere, and says nothing of where the middle is.
    """
    known = values if trained is None or not trained.any() else values[trained]
    moved = values - known.mean(axis=0, dtype=np.float64)  # (rows, dimension)
    norms = np.linalg.norm(moved, axis=1, keepdims=True)  # (rows, 1)
    return np.asarray(moved * np.divide(_UNIT, norms, out=np.zeros_like(norms), where=norms > 0), np.float32)
