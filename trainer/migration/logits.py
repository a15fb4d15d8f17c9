"""Two models' logits of the same rows, and how far they are apart."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.errors import Refusal

Array = np.ndarray[Any, Any]

Side = Callable[[Mapping[str, Any]], Any]
"""Raw features by key, dense and ragged tensors, to logits `(rows, units)`."""

WHO = "agreement"


@dataclass(frozen=True, eq=False)
class Logits:
    """What both models make of the same rows.

    Args:
        theirs: Of the old model, `(rows, units)`.
        ours: Of the new one, as many.
        apart: Theirs less ours; 0 where both are no number, inf where one is.
        over: Which rows are over the tolerance, `(rows,)`.
    """

    theirs: Array
    ours: Array
    apart: Array
    over: Array

    @property
    def differences(self) -> Array:
        """Of each row, the largest of its logits, `(rows,)`."""
        found: Array = np.abs(self.apart).max(axis=1)
        return found


@dataclass(frozen=True)
class Both:
    """Both models.

    Args:
        theirs: The old one.
        ours: The new one.
        tolerance: How far logits may be apart, and how far in shares of themselves where they are above 1.
    """

    theirs: Side
    ours: Side
    tolerance: float

    def __call__(self, features: Mapping[str, Any], anyway: Array | None = None) -> Logits:
        """Returns what they make of rows.

        Args:
            features: Of the rows.
            anyway: How far the rows are apart by something else, `(rows, units)`, which is left out; None is nothing.

        Raises:
            Refusal: They give logits of two shapes.
        """
        theirs, ours = (np.asarray(side(features), np.float64) for side in (self.theirs, self.ours))
        if theirs.shape != ours.shape:
            raise Refusal(
                f"{WHO}: the old model gives logits of shape {theirs.shape} and the new one of {ours.shape}; hold "
                "models of the same head against each other."
            )
        apart = _less(theirs, ours) if anyway is None else _less(_less(theirs, ours), anyway)
        limits = self.tolerance * np.maximum(1, np.where(np.isfinite(theirs), np.abs(theirs), 1))
        return Logits(theirs, ours, apart, np.asarray((np.abs(apart) > limits).any(axis=1)))


def _less(one: Array, two: Array) -> Array:
    """Returns one less the other: 0 where both are the same, no numbers too, and inf where one alone is no number."""
    with np.errstate(invalid="ignore"):
        found = np.where((one == two) | (np.isnan(one) & np.isnan(two)), 0.0, one - two)
    return np.where(np.isnan(found), np.inf, found)
