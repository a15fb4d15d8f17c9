"""EASE: the linear model of all items by all items that tells an item from the others, found at one stroke."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg.lapack
import scipy.sparse

Array = np.ndarray[Any, Any]
Scoring = Callable[[Any], Array]
"""Returns scores `(people, items)` of what each of some people has, a sparse matrix of that shape."""

BLOCK = 1024
"""Rows or columns of a large matrix that are made at a time."""


def fitted(watched: Any, strength: float) -> Scoring:
    """Returns EASE of what people have watched: each item's weights are a ridge regression on all others.

    The weights are `B = I - P · diag(1 / diag P)` with `P = (XᵀX + λI)⁻¹`, so that an item tells nothing of itself.
    They are not made: `x·B = x - x·P / diag P`. Where there are fewer people than items `P` is not made either, since
    `P = (I - Xᵀ (XXᵀ + λI)⁻¹ X) / λ`, and a matrix of people by people is inverted instead, which gives the same.

    Args:
        watched: `X`, a sparse matrix `(people, items)` of ones.
        strength: λ, above 0: how much weights cost.

    Source:
        Harald Steck, "Embarrassingly shallow autoencoders for sparse data", 2019; Max Woodbury, "Inverting modified
        matrices", 1950.

    Example:
        >>> watched = scipy.sparse.csr_array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        >>> fitted(watched, 1.0)(scipy.sparse.csr_array([[1.0, 0.0, 0.0]])).round(4).tolist()
        [[0.0, 0.6667, -0.0]]
    """
    watched = scipy.sparse.csr_array(watched, dtype=np.float64)
    return by_people(watched, strength) if watched.shape[0] < watched.shape[1] else by_items(watched, strength)


def by_items(watched: Any, strength: float) -> Scoring:
    """Returns what `fitted` does, with an inverse of items by items."""
    inverse = inverse_of(watched.T, strength)  # (items, items)
    diagonal = inverse.diagonal().copy()

    def scores(given: Any) -> Array:
        found: Array = given @ inverse  # (people, items)
        found /= -diagonal
        found += given
        return found

    return scores


def by_people(watched: Any, strength: float) -> Scoring:
    """Returns what `fitted` does, with an inverse of people by people."""
    inverse = inverse_of(watched, strength)  # (people, people)
    diagonal, columns = np.empty(watched.shape[1]), watched.tocsc()
    for start in range(0, watched.shape[1], BLOCK):
        part = columns[:, start : start + BLOCK]
        # What an item's own people tell of it: xᵀ (XXᵀ + λI)⁻¹ x.
        told = part.multiply((part.T @ inverse).T).sum(axis=0)
        diagonal[start : start + BLOCK] = (1 - told) / strength

    def scores(given: Any) -> Array:
        found: Array = (given @ watched.T @ inverse) @ watched  # (people, items)
        found -= given
        found /= strength * diagonal
        found += given
        return found

    return scores


def inverse_of(rows: Any, strength: float) -> Array:
    """Returns `(R·Rᵀ + λI)⁻¹` of a sparse matrix `R`, in the memory of one such matrix.

    Args:
        rows: `(n, …)`.
        strength: λ.

    Returns:
        `(n, n)`, symmetric to the last bit.
    """
    rows = scipy.sparse.csr_array(rows)
    count = rows.shape[0]
    made = np.empty((count, count), order="F")  # as LAPACK wants it, which then works in place
    for start in range(0, count, BLOCK):
        made[:, start : start + BLOCK] = (rows @ rows[start : start + BLOCK].T).toarray()
    made[np.diag_indices(count)] += strength
    made, _ = scipy.linalg.lapack.dpotrf(made, lower=True, clean=False, overwrite_a=True)
    made, _ = scipy.linalg.lapack.dpotri(made, lower=True, overwrite_c=True)
    for start in range(0, count, BLOCK):  # LAPACK fills the lower half
        end = min(start + BLOCK, count)
        own = np.tril(made[start:end, start:end])
        made[start:end, start:end] = own + np.tril(own, -1).T
        made[start:end, end:] = made[end:, start:end].T
    return made.T  # the same, in the order in which a sparse matrix is multiplied without a copy
