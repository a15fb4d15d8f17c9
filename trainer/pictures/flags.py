"""Where the labels of points along a line go: each a flag on a pole, in lanes one above the other."""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from trainer.tables.table import Array

_GAP, _NEAREST = 8.0, 7.0
"""Pixels after a flag, and the least between two poles."""


class Side:
    """The flags above a line, or below it: each begins at its pole, and no pole crosses another flag.

    So a flag over a pole to its right hangs higher than the one of that pole.

    Args:
        most: The most lanes.
        right: Where a flag has to end, in pixels.
    """

    def __init__(self, most: int, right: float) -> None:
        self.most, self.right = most, right
        self.places: list[float] = []
        self.widths: list[float] = []
        self.owners: list[int] = []
        self.lanes: list[int] = []

    def takes(self, owner: int, place: float, width: float) -> bool:
        """Takes the flag of an owner where it finds room, and tells whether it did.

        Args:
            owner: Whose flag it is.
            place: Of the pole, in pixels.
            width: Of the flag, in pixels.
        """
        at = bisect_left(self.places, place)
        near = [abs(place - self.places[other]) for other in (at - 1, at) if 0 <= other < len(self.places)]
        if place + width > self.right or min(near, default=_NEAREST) < _NEAREST:
            return False
        places, widths = [*self.places], [*self.widths]
        places.insert(at, place)
        widths.insert(at, width)
        lanes = self._lanes(places, widths, at)
        if lanes is None:
            return False
        self.places, self.widths, self.lanes = places, widths, lanes
        self.owners.insert(at, owner)
        return True

    def _lanes(self, places: Sequence[float], widths: Sequence[float], new: int) -> list[int] | None:
        """Returns the lane of each flag, those from the new one to the left made anew; None where they are too high."""
        lanes = [0] * (new + 1) + self.lanes[new:]
        for one in range(new, -1, -1):
            covered = bisect_left(places, places[one] + widths[one] + _GAP)
            lanes[one] = 1 + max(lanes[one + 1 : covered], default=-1)
            if lanes[one] >= self.most:
                return None
        return lanes


def hung(places: Array, widths: Array, most: int, right: float) -> tuple[Array, Array]:
    """Returns the lane of each label, and on which side of the line it is.

    The first choose first: above the line where there is room, else below it.

    Args:
        places: `(labels,)` pixels along the line, those that matter most first.
        widths: `(labels,)` pixels; a label without a width is left out.
        most: The most lanes of a side.
        right: Where labels have to end, in pixels.

    Returns:
        `(labels,)` lanes from 0, -1 for a label that finds no room, and `(labels,)` 1 above and -1 below.

    Example:
        >>> lanes, sides = hung(np.array([10.0, 30.0, 20.0]), np.array([50.0, 50.0, 50.0]), 2, 100.0)
        >>> lanes.tolist(), sides.tolist()
        ([1, 0, 0], [1, 1, -1])
    """
    above, below = Side(most, right), Side(most, right)
    for label, (place, width) in enumerate(zip(places.tolist(), widths.tolist(), strict=True)):
        if width > 0 and not above.takes(label, place, width):
            below.takes(label, place, width)
    lanes, sides = np.full(len(places), -1), np.ones(len(places), int)
    for side, flags in ((1, above), (-1, below)):
        lanes[flags.owners], sides[flags.owners] = flags.lanes, side
    return lanes, sides
