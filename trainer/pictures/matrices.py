"""Which classes are taken for which, as a square of counts."""

from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from trainer.pictures import figures
from trainer.pictures.figures import FAINT_INK, INK, LABEL_SIZE, NAME_SIZE, QUIET_INK, SMALL_SIZE
from trainer.prediction.confusion import Confusion
from trainer.tables.table import Array

MOST_CLASSES = 50
"""The classes that have a row of their own; of more, those with the most mistakes, and the others together."""

_SHARES_UNTIL, _FINE_FROM = 12, 26
"""Classes up to which a cell has room for its share of the row, and from which all is written smaller."""

_INCHES_WIDE, _MOST_INCHES, _SMALLEST = 6.2, 7.4, 3.6
_RIGHT, _WRONG = "Blues", "Oranges"
_LIGHT = 0.6
"""The part of a colour's scale from which ink on it is white."""


def why_not(confusion: Confusion) -> str | None:
    """Returns why there is nothing to draw, as the end of a sentence, or None where there is something."""
    return None if confusion.counts.any() else "has no rows"


def matrix(confusion: Confusion, path: str, what: str = "test rows") -> None:
    """Draws how many rows of each class were taken for which: the class runs down, what it was taken for across.

    Args:
        confusion: Of some rows.
        path: The PNG file to write, whole or not at all.
        what: What a person calls the rows.
    """
    figures.save(drawn(confusion, what), path, few_colours=True)


def drawn(confusion: Confusion, what: str = "test rows") -> Figure:
    """Returns the figure of `matrix`."""
    shown = confusion.most_mistaken(MOST_CLASSES)
    count = len(shown.names)
    inches = min(max(0.42 * count, 2.2), _MOST_INCHES)
    figure = figures.blank(inches + 1.3, 300 if count >= _FINE_FROM else figures.DOTS_PER_INCH)
    axes = figure.subplots()
    totals = shown.counts.sum(axis=1, keepdims=True)  # (classes, 1)
    shares = np.divide(shown.counts, totals, out=np.zeros(shown.counts.shape), where=totals > 0)
    is_right = np.eye(count, dtype=bool)
    if count < len(confusion.names):
        is_right[-1, -1] = False  # of the others together nobody can tell
    most = float(max(shares[~is_right].max(initial=0), 1e-9))
    _paint(axes, shares, is_right, _RIGHT, 1.0)
    _paint(axes, shares, ~is_right, _WRONG, most)
    _write_counts(axes, shown.counts, shares, np.where(is_right, shares, shares / most))
    _write_axes(axes, shown, shares, is_right)
    figures.write_title(figure, "Confusion", _sentence(confusion, count, what))
    _write_legend(figure)
    return figure


def _sentence(confusion: Confusion, shown: int, what: str) -> str:
    rows, classes = int(confusion.counts.sum()), len(confusion.names)
    of_them = f"; of {classes:,} classes the {shown - 1} with the most mistakes" if shown < classes else ""
    return f"{rows:,} {what}, {confusion.right:,} of them right: {confusion.right / rows:.2%}{of_them}"


def _paint(axes: Any, shares: Array, mask: Array, colours: str, most: float) -> None:
    # Nothing is white: the lightest of the colours stands for next to nothing.
    painted = np.ma.masked_where(~mask | (shares == 0), shares)
    colour_map = matplotlib.colormaps[colours].resampled(65)
    axes.pcolormesh(painted, cmap=colour_map, vmin=0, vmax=most, edgecolors="none")


def _write_counts(axes: Any, counts: Array, shares: Array, depth: Array) -> None:
    count = len(counts)
    size = LABEL_SIZE if count <= _SHARES_UNTIL else max(_SMALLEST, min(LABEL_SIZE, 150 / count))
    for row, column in zip(*np.nonzero(counts), strict=True):
        text = _short(int(counts[row, column])) if count >= _FINE_FROM else f"{counts[row, column]:,}"
        if count <= _SHARES_UNTIL:
            text += f"\n{shares[row, column]:.1%}"
        ink = "white" if depth[row, column] > _LIGHT else INK
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=size, color=ink, linespacing=1.05)


def _short(count: int) -> str:
    """Returns a count in four letters or fewer, as long as it is below a thousand million.

    Example:
        >>> _short(9999), _short(16405), _short(2_600_000)
        ('9999', '16k', '3M')
    """
    if count < 10_000:
        return str(count)
    return f"{count / 1e3:.0f}k" if count < 999_500 else f"{count / 1e6:.0f}M"


def _write_axes(axes: Any, shown: Confusion, shares: Array, is_right: Array) -> None:
    count = len(shown.names)
    names = figures.shortened(shown.names, 14 if count >= _FINE_FROM else 20)
    size = LABEL_SIZE if count < _FINE_FROM else 5.5
    ticks = np.arange(count) + 0.5
    axes.set_xticks(ticks, names, fontsize=size, parse_math=False)
    axes.set_yticks(ticks, names, fontsize=size, parse_math=False)
    if max(map(len, names)) * count > 80:
        axes.tick_params(axis="x", labelrotation=90)
    axes.tick_params(length=0, labelcolor=INK)
    axes.set_xlim(0, count)
    axes.set_ylim(count, 0)  # the first class on top
    axes.set_xlabel("taken for", fontsize=NAME_SIZE, color=QUIET_INK)
    axes.set_ylabel("class", fontsize=NAME_SIZE, color=QUIET_INK)
    if count > _SHARES_UNTIL:  # where a cell has no room for it
        beside = axes.secondary_yaxis("right")
        told = [f"{shares[row, row]:.0%}" if is_right[row, row] else "" for row in range(count)]
        beside.set_yticks(ticks, told, fontsize=size)
        beside.tick_params(length=0, labelcolor=QUIET_INK)
        beside.spines[:].set_visible(False)
        beside.set_ylabel("share right", fontsize=NAME_SIZE, color=QUIET_INK)
    for lines in (axes.hlines, axes.vlines):
        lines(np.arange(1, count), 0, count, colors=FAINT_INK, linewidth=0.5)
    axes.spines[:].set_color(FAINT_INK)


def _write_legend(figure: Figure) -> None:
    kinds = {"right": _RIGHT, "wrong": _WRONG}
    handles = [
        Patch(facecolor=matplotlib.colormaps[name](0.7), label=f"{what}, by its share of the row")
        for what, name in kinds.items()
    ]
    figure.legend(handles=handles, loc="upper right", ncols=1, frameon=False, fontsize=SMALL_SIZE, labelcolor=QUIET_INK)
