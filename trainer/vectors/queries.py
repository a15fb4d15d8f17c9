"""What a person asks with: a key, a vector, or either with its weight."""

import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.errors import Refusal
from trainer.tables.table import Array
from trainer.vectors.keys import Keys

Similar = tuple[str, float]
"""A key, and how alike it is."""


@dataclass(frozen=True, eq=False)
class Query:
    """One of the things asked with.

    Args:
        vector: `(dimension,)` float64.
        row: That of its key; None for a vector.
        weight: What it is multiplied by.
    """

    vector: Array
    row: int | None = None
    weight: float = 1.0

    @property
    def unit(self) -> Array:
        """A key's vector at length 1, and a vector as it is, as gensim takes them."""
        length = np.linalg.norm(self.vector)
        return self.vector / length if self.row is not None and length else self.vector


def listed(given: Any) -> list[Any]:
    """Returns one or several keys, vectors and pairs as a list.

    Example:
        >>> listed("Mon"), listed(("Mon", 2.0)), listed(["Mon", ("Tue", 2.0)]), listed(None)
        (['Mon'], [('Mon', 2.0)], ['Mon', ('Tue', 2.0)], [])
    """
    if given is None:
        return []
    one_vector = isinstance(given, np.ndarray) and given.ndim == 1 and given.dtype.kind in "fiu"
    return [given] if isinstance(given, str) or one_vector or _is_weighted(given) else list(given)


def query_of(given: Any, keys: Keys, matrix: Array, who: str, weight: float = 1.0) -> Query:
    """Returns what a person asks with.

    Args:
        given: A key, a vector, or a pair of one with its weight.
        keys: Those of the table.
        matrix: `(rows, dimension)` floats.
        who: What a refusal begins with.
        weight: That of what is given without one.

    Raises:
        Refusal: It is no known key, or no vector of this dimension.
    """
    if _is_weighted(given):
        return query_of(given[0], keys, matrix, who, float(given[1]))
    if not isinstance(given, np.ndarray):
        row = keys.row(given)
        vector = matrix[row].astype(np.float64)
        if not np.isfinite(vector).all():
            raise Refusal(f"{who}: the vector of {given!r} is not finite, so nothing is near it; ask another key.")
        return Query(vector, row, weight)
    if given.shape != (matrix.shape[1],) or given.dtype.kind not in "fiu":
        what = f"{given.dtype.name} of shape {given.shape}"
        raise Refusal(f"{who}: a key or a vector of {matrix.shape[1]} floats is wanted, not {what}.")
    if not np.isfinite(given).all():
        raise Refusal(f"{who}: a vector of finite floats is wanted, and one of those given is not finite.")
    return Query(given.astype(np.float64), weight=weight)


def _is_weighted(given: Any) -> bool:
    return (
        isinstance(given, (tuple, list))
        and len(given) == 2
        and isinstance(given[0], (str, np.ndarray))
        and isinstance(given[1], numbers.Real)
    )
