"""What parts take that explain measured wholes best."""

import importlib
from collections.abc import Mapping, Sequence

import numpy as np


def explaining(parts: Sequence[Mapping[str, float]], seconds: Sequence[float]) -> dict[str, float]:
    """Returns what one of each part takes, nothing less than nothing, by the least squares of relative errors.

    Args:
        parts: How many of each part a whole has, the same names in all.
        seconds: Of the wholes.
    """
    names = list(parts[0])
    shares = np.array([[each[name] for name in names] for each in parts]) / np.array(seconds)[:, np.newaxis]
    largest = shares.max(axis=0)  # which makes parts that are counted by the million as weighty as others
    found = importlib.import_module("scipy.optimize").nnls(shares / largest, np.ones(len(seconds)))[0] / largest
    return dict(zip(names, map(float, found), strict=True))


def explained(parts: Mapping[str, float], each: Mapping[str, float]) -> float:
    """Returns what a whole takes by its parts."""
    return sum(count * each[name] for name, count in parts.items())
