"""How many rows share an id under a hash, and how many ids would part them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from trainer.feature_column.crossed import EXACT_LIMIT

WANTED_SHARE = 0.01

Array = np.ndarray[Any, Any]
"""int64, `(keys,)`."""


def shared_share(ids: Array, rows: Array) -> float:
    """Returns the part of the rows whose key shares its id with another key, from 0 to 1."""
    return float(rows[is_shared(ids)].sum() / rows.sum())


def is_shared(ids: Array) -> np.ndarray[Any, Any]:
    """Tells which keys share their id with another key, `(keys,)`.

    Example:
        >>> is_shared(np.array([3, 1, 3])).tolist()
        [True, False, True]
    """
    order = np.argsort(ids)
    same = np.diff(ids[order]) == 0
    found = np.zeros(len(ids), bool)
    found[order[1:][same]] = found[order[:-1][same]] = True
    return found


def sufficient_size(size: int, distinct: int, share: Callable[[int], float]) -> int | None:
    """Returns a size with a share under 1 %, or None where none was found up to `EXACT_LIMIT`.

    It lies near the smallest such size, though the share does not fall at every step.

    Args:
        size: One with a share that is not under 1 %.
        distinct: The number of keys.
        share: The share of a size.
    """
    # One more than the double, for keys that share an id of twice the buckets also share one of half as many.
    low, high = size, max(2 * size + 1, distinct)
    while high <= EXACT_LIMIT and share(high) >= WANTED_SHARE:
        low, high = high, 2 * high + 1
    if high > EXACT_LIMIT:
        return None
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if share(middle) < WANTED_SHARE else (middle, high)
    return high
