"""The rows of a table in the plane in which they differ most, with their labels."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from trainer.errors import Refusal
from trainer.pictures import figures, labels
from trainer.pictures.colouring import LEAST_OF_MANY, Dots, colouring
from trainer.pictures.components import principal_components, trained_and_finite
from trainer.pictures.figures import FAINT_INK, INK, LABEL_SIZE, NAME_SIZE, QUIET_INK
from trainer.pictures.written import LONGEST_LABEL, labels_told, sizes_of
from trainer.tables import Described
from trainer.tables.table import Array

MOST_ROWS, MOST_OF_TWO = 1_999, 200_000
"""More points than the first cover each other, which is no matter where two numbers are all that there is to a row."""

_LEAST_OF_FIRST = 0.02
"""A plane with less variance than this upwards, as a share of that across, would be a line."""

_OVER, _OVER_MANY = 10, 40
"""Labels that may cover points, of some points and of many: without these the often trained rows of a dense middle
had none."""
_MANY_ROWS = 300
_CANDIDATES, _MOST_LABELS = 1_000, 90
"""The first rows of a crowd, which may have labels, that cover points of others; and the most that have one."""
_HALO = [withStroke(linewidth=3, foreground="white", alpha=0.7)]
_GOLDEN = (5**0.5 - 1) / 2
_LOWEST, _HIGHEST = 2.6, 6.0
"""Inches of the points' part of a picture."""


def why_not(table: Described) -> str | None:
    """Returns why a table cannot be drawn as a plane, as the end of a sentence, or None where it can."""
    if table.dimension == 1:
        return "has one dimension, which a line shows"
    most = MOST_OF_TWO if table.dimension == 2 else MOST_ROWS
    if table.rows > most:
        return f"has {table.rows:,} rows, and {most:,} are the most that can be drawn"
    rows = _rows(table)
    if len(rows) < 2:
        return "has fewer than two trained rows of finite values"
    return None if principal_components(table.values[rows], 1)[1].size else "has all its trained rows alike"


def plane(table: Described, path: str) -> None:
    """Draws the trained rows of a table along their first two principal components, with labels.

    Both axes have one scale, so that the distance of two points is that of their rows, as far as two components show
    it. Where there is only one component, the rows lie along it, and each has a height of its own that tells nothing.
    Every row has a point; a label that finds no room is left out, and the rows trained most often choose first. The
    points of 2,000 rows and more are faint.

    Args:
        table: A trained table of fewer than 2,000 rows, or of two dimensions.
        path: The PNG file to write, whole or not at all, under 300 kB where there are fewer than 2,000 rows.

    Raises:
        Refusal: The table cannot be drawn so.
    """
    reason = why_not(table)
    if reason is not None:
        raise Refusal(
            f"plane: table '{table.name}' {reason}; a trained table of fewer than 2,000 rows, or of "
            "two dimensions, is wanted."
        )
    figures.save(drawn(table), path, few_colours=True)  # many points and letters have many edges


def drawn(table: Described) -> Figure:
    """Returns the figure of a table that `why_not` has nothing against."""
    rows = _rows(table)
    scores, shares = _components(table.values[rows])
    points = scores if len(shares) == 2 else _spread(scores[:, 0])  # (rows, 2)
    figure = figures.blank(1.3 + _inches_high(points))
    axes = figure.subplots()
    _write_title(figure, table, len(rows), shares)
    _write_axes(axes, shares)
    dots, first = _dots(len(rows)), _first(table, rows, scores)
    colouring(table, rows.tolist(), points, **({"least": LEAST_OF_MANY} if dots.is_faint else {})).draw(
        axes, points, dots
    )
    with figures.boxes_for_strange_letters():
        _fit(axes, points)
        labelled = _label(axes, points[first], _titles(table, rows[first]), dots)
    told = labels_told(labelled, len(rows), table.counts is not None)
    axes.set_title(told, loc="right", fontsize=LABEL_SIZE, color=QUIET_INK)
    return figure


def _rows(table: Described) -> Array:
    return np.flatnonzero(trained_and_finite(table))


def _components(values: Array) -> tuple[Array, Array]:
    """Returns two components, or the first alone where the second is next to nothing beside it."""
    scores, shares = principal_components(values, 2, least=0)
    kept = int((shares >= _LEAST_OF_FIRST * shares[0]).sum())
    return scores[:, :kept], shares[:kept]


def _spread(along: Array) -> Array:
    """Returns points of different heights, neighbours far apart, so that their labels find room."""
    places = np.argsort(np.argsort(along, kind="stable"), kind="stable")
    heights = places * _GOLDEN % 1 if len(along) > 2 else np.full(len(along), 0.5)
    return np.stack([along, heights * 0.4 * np.ptp(along)], axis=1)


def _inches_high(points: Array) -> float:
    width, height = np.ptp(points, axis=0)
    return float(np.clip(6.6 * height / width + 0.6, _LOWEST, _HIGHEST))


def _dots(rows: int) -> Dots:
    if rows > MOST_ROWS:
        return Dots(6.0 if rows <= 20_000 else 2.0, is_faint=True)
    return Dots(24.0 if rows <= _MANY_ROWS else 14.0 if rows <= 800 else 8.0)


def _titles(table: Described, rows: Array) -> list[str]:
    return figures.shortened(table.titles_of(rows.tolist()), LONGEST_LABEL)


def _first(table: Described, rows: Array, scores: Array) -> Array:
    """Returns the rows that choose places, in that order: the most often trained first, of those the farthest out."""
    counts = np.zeros(len(rows)) if table.counts is None else table.counts[rows]
    order = np.lexsort([-np.hypot(scores[:, 0], scores[:, -1]), -counts])
    return order[:_CANDIDATES] if len(rows) > MOST_ROWS else order


def _write_title(figure: Figure, table: Described, drawn_rows: int, shares: Array) -> None:
    kind = "trained" if drawn_rows == table.trained.sum() else "trained, finite"
    which = f"{drawn_rows:,} rows" if drawn_rows == table.rows else f"the {drawn_rows:,} {kind} rows of {table.rows:,}"
    components = "First principal component" if len(shares) == 1 else "First 2 principal components"
    figures.write_title(figure, table.name, f"{components} of {which}: {shares.sum():.0%} of the variance")


def _write_axes(axes: Any, shares: Array) -> None:
    axes.set_title(" ", loc="right", fontsize=LABEL_SIZE)  # the layout makes room for what is written there at last
    axes.set_xlabel(f"Component 1: {shares[0]:.0%}", fontsize=NAME_SIZE, color=QUIET_INK)
    if len(shares) == 2:
        axes.set_ylabel(f"Component 2: {shares[1]:.0%}", fontsize=NAME_SIZE, color=QUIET_INK)
    else:
        axes.set_ylabel("(height means nothing)", fontsize=LABEL_SIZE, color=QUIET_INK)
        axes.set_yticks([])
    for axis in (axes.xaxis, axes.yaxis)[: len(shares)]:
        axis.set_major_formatter(FuncFormatter(lambda value, _: figures.number(value)))
    axes.tick_params(length=0, labelsize=LABEL_SIZE, labelcolor=QUIET_INK)
    axes.grid(color=FAINT_INK, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[:].set_color(FAINT_INK)


def _fit(axes: Any, points: Array) -> None:
    """Lays the figure out, and gives both axes one scale on which all points are within."""
    lower, upper = points.min(axis=0), points.max(axis=0)
    for _ in range(2):  # the second time with the numbers that the first limits bring
        axes.figure.draw_without_rendering()
        size = np.array([axes.bbox.width, axes.bbox.height])
        scale = ((upper - lower) / (size - 2 * _margin(size))).max()  # units a pixel
        half = size * scale / 2
        (left, bottom), (right, top) = (lower + upper) / 2 - half, (lower + upper) / 2 + half
        axes.set_xlim(left, right)
        axes.set_ylim(bottom, top)
        _tick(axes, left, right)
    axes.figure.draw_without_rendering()
    axes.figure.set_layout_engine("none")


def _tick(axes: Any, left: float, right: float) -> None:
    step = float(np.diff(MaxNLocator(7).tick_values(left, right))[0])
    axes.xaxis.set_major_locator(MultipleLocator(step))
    if axes.get_yticks().size:  # a height that tells nothing has no numbers
        axes.yaxis.set_major_locator(MultipleLocator(step))


def _margin(size: Array) -> Array:
    return np.minimum(size * 0.08, 70)


def _label(axes: Any, points: Array, texts: list[str], dots: Dots) -> int:
    """Writes the labels that find room, those of the first points first, and returns how many do."""
    size = np.array([axes.bbox.width, axes.bbox.height])
    pixels = axes.transData.transform(points) - axes.bbox.min  # (points, 2)
    radius = (dots.area**0.5 / 2 + 0.3) * axes.figure.dpi / 72
    over = len(points) if dots.is_faint else _OVER_MANY if len(points) > _MANY_ROWS else _OVER
    found = labels.corners(pixels, sizes_of(axes, texts), tuple(size), radius, over)
    style = {"fontsize": LABEL_SIZE, "color": INK, "parse_math": False, "ha": "left", "va": "bottom"}
    placed = np.flatnonzero(~np.isnan(found[:, 0]))
    placed = placed[:_MOST_LABELS] if dots.is_faint else placed
    for row, corner in zip(placed, found[placed] / size, strict=True):
        axes.text(*corner, texts[row], transform=axes.transAxes, path_effects=_HALO, **style)
    if dots.is_faint:
        axes.scatter(*points[placed].T, s=9, color=INK, linewidths=0, zorder=4)
    elif len(points) > _MANY_ROWS:
        axes.scatter(*points[placed].T, s=dots.area * 1.8, facecolors="none", edgecolors=INK, linewidths=1, zorder=4)
    return len(placed)
