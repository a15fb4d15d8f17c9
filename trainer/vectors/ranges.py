"""Which rows of a cross a group holds, in words: the days from Monday to Friday, the hours from 6 to 8."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from trainer.tables.table import Array

_MOST_BOXES = 3
_WORTH = 0.1
"""The share of a group that a further box must add."""

_MOST_RUNS = 6
_ROUNDS = 10

Box = Sequence[Array]
"""A set of values for each key, `(values,)` booleans."""


@dataclass(frozen=True, eq=False)
class Grid:
    """The rows of a cross by the place of their value of each key, in the order that the key declares them.

    Args:
        values: The values of each key, by its name.
        places: `(rows, keys)`: which of them each row has.
    """

    values: Mapping[str, Sequence[str]]
    places: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values of each key."""
        return tuple(map(len, self.values.values()))


def grid_of(fields: Mapping[str, Sequence[str]]) -> Grid | None:
    """Returns the rows of a cross as a grid; None where they are not those of an exact cross of several keys.

    Values come in the order in which rows first have them, which in a cross is the declared one.
    """
    if len(fields) < 2:
        return None
    orders = [{value: place for place, value in enumerate(dict.fromkeys(texts))} for texts in fields.values()]
    places = np.column_stack(
        [
            np.fromiter(map(order.__getitem__, texts), np.int64)
            for order, texts in zip(orders, fields.values(), strict=True)
        ]
    )
    grid = Grid({key: list(order) for key, order in zip(fields, orders, strict=True)}, places)
    combinations = np.prod([float(size) for size in grid.shape])
    return grid if combinations == len(places) else None


def described(grid: Grid, inside: Array, known: Array) -> str | None:
    """Returns what the rows of a group have in common: up to three boxes, each a set of values for every key.

    A row that was never trained may lie in a box or not. Where boxes are not exactly the group, it is said what share
    of the group's rows they hold, and what share of theirs lies elsewhere.

    Args:
        grid: All rows.
        inside: `(rows,)`: whether each is of the group.
        known: `(rows,)`: whether each was trained, and so is of some group.

    Returns:
        None where boxes do not hold half of the group.

    Example:
        >>> days, hours = ["Fri", "Sat", "Sun"], ["06", "07", "08"]
        >>> grid = grid_of({"day": [d for d in days for _ in hours], "hour": hours * 3})
        >>> described(grid, np.array([0, 0, 0, 1, 1, 0, 1, 1, 0], bool), np.ones(9, bool))
        'Sat\N{EN DASH}Sun 06\N{EN DASH}07'
    """
    members, trained = np.zeros(grid.shape, bool), np.zeros(grid.shape, bool)
    members[tuple(grid.places.T)], trained[tuple(grid.places.T)] = inside, known
    exact = [_slices(members, trained & ~members, axis) for axis in range(members.ndim)]
    boxes = min((found for found in exact if found), key=len, default=None) or _nearly(members, trained)
    covered = np.zeros(grid.shape, bool)
    for box in boxes:
        covered |= _laid(box, grid.shape)
    held, laid = int((members & covered).sum()), int((trained & covered).sum())
    if 2 * held < members.sum():
        return None
    text = "; ".join(_words(box, grid) for box in boxes)
    if held == members.sum() and held == laid:
        return text
    elsewhere = f"; {_percent(1 - held / laid)} of these lie elsewhere" if laid > held else ""
    return f"{text} ({_percent(held / members.sum())} of its rows{elsewhere})"


def runs(places: Sequence[int], values: Sequence[str]) -> str:
    """Returns values by their places, those that follow one another as a range.

    Example:
        >>> runs([0, 1, 2, 4, 6], ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
        'Mon\N{EN DASH}Wed, Fri, Sun'
    """
    breaks = [0, *(n + 1 for n, (left, right) in enumerate(pairwise(places)) if right > left + 1), len(places)]
    found = [
        values[places[start]] + (f"–{values[places[end - 1]]}" if end - start > 1 else "")
        for start, end in pairwise(breaks)
    ]
    more = f" and {len(found) - _MOST_RUNS} more" if len(found) > _MOST_RUNS else ""
    return ", ".join(found[:_MOST_RUNS]) + more


def _slices(members: Array, others: Array, axis: int) -> list[Box]:
    """Returns boxes that are exactly a group, of values of one key that go with the same values of the rest.

    None where that takes more than three, or where the values of the rest are no box themselves.
    """
    found: list[tuple[list[int], Array, Array]] = []  # the values, what goes with all of them, and what does not
    for place, (own, other) in enumerate(zip(np.moveaxis(members, axis, 0), np.moveaxis(others, axis, 0), strict=True)):
        if not own.any():
            continue
        for number, (places, goes, differs) in enumerate(found):
            if not (goes & other).any() and not (differs & own).any():
                found[number] = ([*places, place], goes | own, differs | other)
                break
        else:
            found.append(([place], own, other))
        if len(found) > _MOST_BOXES:
            return []
    boxes: list[Box] = []
    for places, goes, differs in found:
        rest = [counts > 0 for counts in _counts(goes)]
        if (_laid(rest, goes.shape) & differs).any():
            return []
        chosen = np.isin(np.arange(members.shape[axis]), places)
        boxes.append([*rest[:axis], chosen, *rest[axis:]])
    return boxes


def _nearly(members: Array, trained: Array) -> list[Box]:
    """Returns boxes that hold most of a group and little else, the fullest first."""
    covered = np.zeros(members.shape, bool)
    boxes: list[Box] = []
    while len(boxes) < _MOST_BOXES and (members & ~covered).any():
        box = _box(members & ~covered, trained & ~(members & covered))
        added = _laid(box, members.shape) & ~covered
        new = int((members & added).sum())
        if new < _WORTH * members.sum() or 2 * new < (trained & added).sum():
            break
        covered |= added
        boxes.append(box)
    return boxes


def _box(wanted: Array, counted: Array) -> Box:
    """Returns the box that is nearest to what is wanted."""
    axes = range(wanted.ndim)
    sets = [counts >= counts.max() / 2 for counts in _counts(wanted)]
    best, best_sets = -1.0, sets
    for _ in range(_ROUNDS):
        box = _laid(sets, wanted.shape)
        fit = (wanted & box).sum() / max(1, (wanted | (counted & box)).sum())
        if fit <= best:
            break
        best, best_sets, sets = fit, sets, list(sets)
        for axis in axes:
            others = tuple(other for other in axes if other != axis)
            slab = _laid([np.ones_like(found) if n == axis else found for n, found in enumerate(sets)], wanted.shape)
            held, all_there = (wanted & slab).sum(axis=others), (counted & slab).sum(axis=others)
            chosen = (held > 0) & (2 * held >= all_there)
            sets[axis] = chosen if chosen.any() else sets[axis]
    return best_sets


def _counts(cells: Array) -> list[Array]:
    """Returns how many cells each value of each key has, `(values,)`."""
    axes = range(cells.ndim)
    return [np.asarray(cells.sum(axis=tuple(other for other in axes if other != axis))) for axis in axes]


def _laid(sets: Box, shape: tuple[int, ...]) -> Array:
    box = np.ones(shape, bool)
    for axis, found in enumerate(sets):
        box &= found.reshape([-1 if n == axis else 1 for n in range(len(shape))])
    return box


def _words(sets: Box, grid: Grid) -> str:
    parts = [
        f"any {key}" if found.all() else runs(np.flatnonzero(found).tolist(), values)
        for (key, values), found in zip(grid.values.items(), sets, strict=True)
    ]
    return " ".join(parts)


def _percent(share: float) -> str:
    """Returns a share that is neither none nor all, and so never rounded to either."""
    return f"{min(max(share, 0.01), 0.99):.0%}"
