"""How often what a model calls likely does happen."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
BINS = 10


@dataclass(frozen=True)
class Bin:
    """Rows whose probabilities are near each other.

    Args:
        predicted: The mean of their probabilities.
        observed: The share of them that is a yes.
        error: The standard error of that share.
        examples: How many they are.
    """

    predicted: float
    observed: float
    error: float
    examples: int


@dataclass(frozen=True)
class Calibration:
    """Bins of about as many rows each, from the least likely to the most.

    Args:
        bins: Rows of equal probability are in one bin.
        error: The expected calibration error: the mean distance of predicted and observed, over all rows.
    """

    bins: tuple[Bin, ...]
    error: float

    def to_dict(self) -> dict[str, Any]:
        """Returns it as JSON can hold it."""
        return {"expected_calibration_error": self.error, "bins": [asdict(each) for each in self.bins]}


def calibration(probabilities: Array, labels: Array, weights: Array, bins: int = BINS) -> Calibration:
    """Returns how probabilities and labels agree, bin by bin.

    Args:
        probabilities: Of a yes, `(rows,)`.
        labels: 0 or 1, `(rows,)`.
        weights: Of the rows, `(rows,)`.
        bins: How many there are at most.

    Source:
        Mahdi Pakdaman Naeini, Gregory Cooper and Milos Hauskrecht, "Obtaining well calibrated probabilities using
        Bayesian binning", 2015.

    Example:
        >>> found = calibration(np.repeat([0.2, 0.6], 5), np.array([0, 0, 0, 0, 1, 0, 1, 1, 1, 1]), np.ones(10), 2)
        >>> [(each.predicted, each.observed, each.examples) for each in found.bins], round(found.error, 3)
        ([(0.2, 0.2, 5), (0.6, 0.8, 5)], 0.1)
    """
    values, labels, weights = (np.asarray(each, np.float64) for each in (probabilities, labels, weights))
    edges = np.unique(np.quantile(values, np.arange(1, bins) / bins, method="inverted_cdf"))
    places = np.searchsorted(edges, values, "left")
    found, masses = [], []
    for place in range(len(edges) + 1):
        inside = places == place
        mass = float(weights[inside].sum())
        if mass > 0:
            found.append(_bin(values[inside], labels[inside], weights[inside] / mass))
            masses.append(mass)
    distances = [abs(each.predicted - each.observed) for each in found]
    error = float(np.average(distances, weights=masses)) if found else math.nan
    return Calibration(tuple(found), error)


def _bin(values: Array, labels: Array, shares: Array) -> Bin:
    predicted, observed = (float(np.round((shares * each).sum(), 12)) for each in (values, labels))
    error = math.sqrt(observed * (1 - observed) * float((shares**2).sum()))
    return Bin(predicted, observed, error, len(values))
