"""The three sets of a problem's examples, and how exact shares of them are dealt."""

from typing import Any

import numpy as np

from trainer.errors import Refusal
from trainer.inputs.hashing import seeded

TRAIN, VALIDATION, TEST = range(3)
SETS = ("train", "validation", "test")

Array = np.ndarray[Any, Any]


def dealt(hashes: Array, shares: tuple[float, float], seed: int, called: str, what: str) -> Array:
    """Returns the set of each group, `(groups,)`: exactly each share of them, drawn in the order of their hashes.

    Args:
        hashes: Of each group, `(groups,)`.
        shares: Of those to test on and of those for validation, each one group at least; 0 draws none.
        seed: Of the order.
        called: What a person calls the rows, for the refusal.
        what: What the groups are called, as "groups of 'user_id'".

    Raises:
        Refusal: No group is left to train on.

    Example:
        >>> dealt(np.arange(10), (0.2, 0.3), 0, "ratings", "people").tolist()
        [2, 2, 1, 1, 1, 0, 0, 0, 0, 0]
    """
    count = len(hashes)
    test, validation = (max(1, round(share * count)) if share else 0 for share in shares)
    if test + validation >= count:
        raise Refusal(
            f"{called}: of {count:,} {what}, {test:,} to test on and {validation:,} for validation leave "
            "none to train on; give more rows, or smaller shares."
        )
    order = np.argsort(seeded(hashes, seed), kind="stable")
    sides = np.full(count, TRAIN)
    sides[order[:test]] = TEST
    sides[order[test : test + validation]] = VALIDATION
    return sides
