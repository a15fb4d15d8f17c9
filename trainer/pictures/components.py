"""The directions in which the rows of a table differ most."""

import numpy as np

from trainer.tables import Described
from trainer.tables.table import Array


def trained_and_finite(table: Described) -> Array:
    """Tells for each row of a table whether it was trained and all its values are finite; `(rows,)`."""
    finite = np.isfinite(np.asarray(table.values, np.float64))  # (rows, dimension)
    return np.logical_and(table.trained, finite.all(axis=1))


def principal_components(values: Array, most: int, least: float = 0.02) -> tuple[Array, Array]:
    """Returns the rows along their first principal components, and each component's share of the variance.

    The sign of a component is arbitrary, so the row that lies farthest out is made positive: tables that differ by
    a rotation or a reflection alone have the same components.

    Args:
        values: `(rows, dimension)` finite numbers, at least two rows.
        most: The number of components wanted.
        least: The share of the variance below which a component after the first is left out.

    Returns:
        `(rows, components)`, and `(components,)` between 0 and 1; no components where all rows are alike.

    Source:
        Harold Hotelling, "Analysis of a complex of statistical variables into principal components", 1933.

    Example:
        >>> scores, shares = principal_components(np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]]), 2)
        >>> abs(scores).round(3).tolist(), shares.round(3).tolist()
        ([[5.0], [0.0], [5.0]], [1.0])
    """
    values = values.astype(np.float64)
    largest = float(np.abs(values).max()) or 1.0
    values = values / largest  # the square of a large number is none, nor that of a small one
    centred = values - values.mean(axis=0)  # (rows, dimension)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    variance = singular**2  # (min(rows, dimension),)
    # Rows that are alike differ by rounding; that is no direction.
    if not variance[0] > 1e-14 * values.size:
        return np.zeros((len(values), 0)), np.zeros(0)
    shares = (variance / variance.sum())[:most]
    shares = shares[: max(1, int((shares >= least).sum()))]  # they fall
    scores = left[:, : len(shares)] * singular[: len(shares)] * largest  # (rows, components)
    # Of rows equally far out, up to rounding, the first decides.
    far_out = np.abs(scores) >= np.abs(scores).max(axis=0) * (1 - 1e-6)
    signs = np.sign(scores[far_out.argmax(axis=0), np.arange(len(shares))])
    return scores * signs, shares
