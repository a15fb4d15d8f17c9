"""How often each id occurs."""

from typing import Any

import numpy as np


def counts(ids: Any, num_buckets: int) -> np.ndarray[Any, Any]:
    """Returns how many times each id occurs, `(num_buckets,)`, int64.

    Args:
        ids: Encoded ids of any shape, missing -1: an array, a tensor or a ragged tensor.
        num_buckets: The number of ids.

    Example:
        >>> counts(np.array([[0], [2], [2], [-1]]), 4).tolist()
        [1, 0, 2, 0]
    """
    flat = np.asarray(getattr(ids, "flat_values", ids)).reshape(-1)
    return np.bincount(flat[flat >= 0], minlength=num_buckets).astype(np.int64)
