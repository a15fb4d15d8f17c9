"""Where the labels of points go, so that none covers another or a point."""

import numpy as np

from trainer.tables.table import Array

_GAP, _CLEAR = 3.0, 10.0
"""Pixels between a label and its point, and to any other point, so that nobody takes that for its own."""

_COVERED = 1.0
"""Pixels between a label and a point that it does not hide."""


def corners(points: Array, sizes: Array, room: tuple[float, float], radius: float, over: int = 0) -> Array:
    """Returns where the labels of points start, NaN for a label that finds no room.

    The first points choose first. A label stands beside its point: to the right, to the left, above, below or across
    a corner, the first of these where it lies in the room, touches no label and is near no other point. A point that
    a label covers has none itself.

    Args:
        points: `(points, 2)` pixels from the lower left corner of the room, those that matter most first.
        sizes: `(points, 2)` width and height of each label in pixels; a label without a width is left out.
        room: Width and height in pixels.
        radius: Of a point, in pixels.
        over: The number of first points whose labels may cover points, as few as can be and rather those after the
            first, than be left out.

    Returns:
        `(points, 2)` pixels of the labels' lower left corners.

    Example:
        >>> twice = np.array([[50.0, 20.0], [50.0, 20.0]])
        >>> corners(twice, np.array([[40.0, 10.0], [90.0, 10.0]]), (100, 40), 4).tolist()
        [[57.0, 15.0], [nan, nan]]
    """
    found = np.full(points.shape, np.nan)
    taken = np.empty((0, 4))
    for number, (point, size) in enumerate(zip(points, sizes, strict=True)):
        boxes = _candidates(point, size, radius)  # (candidates, 4): left, bottom, right, top
        free = (boxes[:, :2] >= _GAP).all(1) & (boxes[:, 2:] <= np.subtract(room, _GAP)).all(1) & (size[0] > 0)
        free &= ~_touched(boxes, taken, _GAP).any(1) & ~_touched(np.array([[*point, *point]]), taken, radius).any()
        clear = free & ~_near(boxes, point, points, radius).any(1)
        if number < over and not clear.any():
            covered = _near(boxes, point, points, radius, _COVERED).sum(1)  # (candidates,)
            covered += _near(boxes, point, points[:over], radius).sum(1) * len(points)  # these want a label themselves
            clear = free & (covered == covered[free].min(initial=covered.max()))
        if clear.any():
            box = boxes[clear.argmax()]
            found[number], taken = box[:2], np.vstack([taken, box])
    return found


def _candidates(point: Array, size: Array, radius: float) -> Array:
    away, near = radius + _GAP, radius * 0.7 + 1
    (x, y), (width, height) = point, size
    lower_left = np.array(
        [
            [x + away, y - height / 2],
            [x - away - width, y - height / 2],
            [x - width / 2, y + away],
            [x - width / 2, y - away - height],
            [x + near, y + near],
            [x + near, y - near - height],
            [x - near - width, y + near],
            [x - near - width, y - near - height],
        ]
    )
    return np.hstack([lower_left, lower_left + size])


def _near(boxes: Array, point: Array, points: Array, radius: float, gap: float = _CLEAR) -> Array:
    """Tells for each box of a point which of the other points it is near; `(boxes, others)`."""
    others = points[np.abs(points - point).max(axis=1) > 1]
    return _touched(boxes, np.hstack([others - radius, others + radius]), gap)


def _touched(boxes: Array, others: Array, gap: float) -> Array:
    """Tells for each box which of the others it comes nearer to than `gap`; `(boxes, others)`."""
    left, bottom, right, top = others.T
    across = (boxes[:, :1] < right + gap) & (boxes[:, 2:3] > left - gap)
    return across & (boxes[:, 1:2] < top + gap) & (boxes[:, 3:] > bottom - gap)
