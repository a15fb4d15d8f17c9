"""The rows of a table of one dimension along a line, the best known with their labels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from trainer.errors import Refusal
from trainer.pictures import figures, flags
from trainer.pictures.colouring import LEAST_OF_MANY, Dots, colouring
from trainer.pictures.components import trained_and_finite
from trainer.pictures.figures import FAINT_INK, INK, LABEL_SIZE, NAME_SIZE, QUIET_INK
from trainer.pictures.written import LONGEST_LABEL, labels_told, sizes_of
from trainer.tables import Described
from trainer.tables.table import Array

MOST_ROWS = 200_000
"""More points than these say no more."""

_CANDIDATES = 800
"""The rows that may have a label: so many find no room by far."""
_MOST_LANES, _LANE, _BAND = 22, 25.0, 55.0
"""Of labels on a side; the pixels of one; and those of the band of points on each side."""
_BINS, _SMOOTH = 200, 2
_MARGIN, _FIRST_FEW = 20.0, 80
"""Pixels beside the points; and the rows whose labels find room to the right of all points."""
_FAINT_FROM, _THICK_FROM = 1_000, 300
"""Rows from which points are faint, and from which the band has its full height."""
_GOLDEN = (5**0.5 - 1) / 2


def why_not(table: Described) -> str | None:
    """Returns why a table cannot be drawn as a line, as the end of a sentence, or None where it can."""
    if table.dimension != 1:
        return f"has {table.dimension:,} dimensions, and a line shows one"
    if table.rows > MOST_ROWS:
        return f"has {table.rows:,} rows, and {MOST_ROWS:,} are the most that can be drawn"
    values = table.values[trained_and_finite(table), 0]
    if len(values) < 2:
        return "has fewer than two trained rows of finite values"
    return None if np.ptp(values) > 0 else "has all its trained rows alike"


def line(table: Described, path: str) -> None:
    """Draws the trained rows of a table of one dimension along a line, with labels.

    Every row has a point; where many lie, the band of points is thick, and the height of one tells nothing else. The
    rows trained most often have labels, as many as find room.

    Args:
        table: A trained table of one dimension.
        path: The PNG file to write, whole or not at all.

    Raises:
        Refusal: The table cannot be drawn so.
    """
    reason = why_not(table)
    if reason is not None:
        raise Refusal(f"line: table '{table.name}' {reason}; a trained table of one dimension is wanted.")
    figures.save(drawn(table), path, few_colours=True)


def drawn(table: Described) -> Figure:
    """Returns the figure of a table that `why_not` has nothing against."""
    rows = np.flatnonzero(trained_and_finite(table))
    along = np.asarray(table.values[rows, 0], np.float64)
    first = _first(table, rows, along)
    texts = figures.shortened(table.titles_of(rows[first].tolist()), LONGEST_LABEL)
    layout = _laid_out(along, first, texts)
    figure = figures.blank(1.45 + layout.pixels_high / figures.DOTS_PER_INCH)
    axes = figure.subplots()
    which = f"{len(rows):,} rows" if len(rows) == table.rows else f"The {len(rows):,} trained rows of {table.rows:,}"
    figures.write_title(figure, table.name, f"{which} by their one number; the band is thick where many lie")
    _write_axes(axes)
    points = np.stack([along, _heights(along)], axis=1)  # (rows, 2)
    axes.set_ylim(-1, 1)
    flat = np.stack([along, np.zeros(len(along))], axis=1)
    if len(rows) > _FAINT_FROM:
        colouring(table, rows.tolist(), flat, LEAST_OF_MANY).draw(axes, points, Dots(5.0, is_faint=True))
    else:
        colouring(table, rows.tolist(), flat).draw(axes, points, Dots(16.0))
    with figures.boxes_for_strange_letters():
        _fit(axes, along, layout)
        labelled = _label(axes, points[first], texts, layout, len(rows) > _FAINT_FROM)
    told = labels_told(labelled, len(rows), table.counts is not None)
    axes.set_title(told, loc="right", fontsize=LABEL_SIZE, color=QUIET_INK)
    return figure


def _first(table: Described, rows: Array, along: Array) -> Array:
    """Returns the rows that choose places for their labels, in that order: the most often trained first."""
    counts = np.zeros(len(rows)) if table.counts is None else table.counts[rows]
    return np.lexsort([-np.abs(along - np.median(along)), -counts])[:_CANDIDATES]


@dataclass(frozen=True)
class _Layout:
    """The lanes above and below, and the pixels to the right of all points."""

    above: int
    below: int
    right: float

    @property
    def pixels_high(self) -> float:
        return 2 * _BAND + _LANE * (self.above + self.below + 1)


def _laid_out(along: Array, first: Array, texts: list[str]) -> _Layout:
    """Returns how much room labels take on a picture of the usual width."""
    scratch = figures.blank(2.0)
    with figures.boxes_for_strange_letters():
        widths = sizes_of(scratch.subplots(), texts)[:, 0]
    width = figures.INCHES_WIDE * figures.DOTS_PER_INCH * 0.85
    shares = (along[first] - along.min()) / np.ptp(along)
    right = float((widths - (1 - shares) * (width - widths.max()))[:_FIRST_FEW].max())
    right = max(right, 0.0) + _MARGIN
    lanes, sides = flags.hung(shares * (width - _MARGIN - right) + _MARGIN, widths, _MOST_LANES, width)
    return _Layout(int(lanes[sides > 0].max(initial=-1)) + 1, int(lanes[sides < 0].max(initial=-1)) + 1, right)


def _heights(along: Array) -> Array:
    """Returns heights in pixels, within a band that is thick where many points lie, neighbours far apart."""
    bins = np.minimum(((along - along.min()) / np.ptp(along) * _BINS).astype(int), _BINS - 1)
    near = np.convolve(np.bincount(bins, minlength=_BINS), np.ones(2 * _SMOOTH + 1), "same")
    thick = np.sqrt(near / near.max())[bins]  # (rows,)
    places = np.argsort(np.argsort(along, kind="stable"), kind="stable")
    return (places * _GOLDEN % 1 * 2 - 1) * thick * _BAND * 0.85 * min(1, len(along) / _THICK_FROM)


def _write_axes(axes: Any) -> None:
    axes.set_title(" ", loc="right", fontsize=LABEL_SIZE)  # the layout makes room for what is written there at last
    axes.set_xlabel("value", fontsize=NAME_SIZE, color=QUIET_INK)
    axes.xaxis.set_major_locator(MaxNLocator(9))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: figures.number(value)))
    axes.set_yticks([])
    axes.tick_params(length=0, labelsize=LABEL_SIZE, labelcolor=QUIET_INK)
    axes.grid(axis="x", color=FAINT_INK, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[:].set_color(FAINT_INK)


def _fit(axes: Any, along: Array, layout: _Layout) -> None:
    """Lays the figure out: across, all points are within, and room for labels after them; down, a unit is a pixel."""
    least, spread = along.min(), np.ptp(along)
    for _ in range(2):  # the second time with the numbers that the first limits bring
        axes.figure.draw_without_rendering()
        width, height = axes.bbox.width, axes.bbox.height
        scale = spread / (width - _MARGIN - layout.right)  # units a pixel
        axes.set_xlim(least - _MARGIN * scale, least + (width - _MARGIN) * scale)
        middle = (layout.above - layout.below) * _LANE / 2
        axes.set_ylim(middle - height / 2, middle + height / 2)
    axes.figure.draw_without_rendering()
    axes.figure.set_layout_engine("none")


def _label(axes: Any, points: Array, texts: list[str], layout: _Layout, is_faint: bool) -> int:
    """Writes the labels that find room, and returns how many do."""
    places = (axes.transData.transform(points) - axes.bbox.min)[:, 0]
    most = max(layout.above, layout.below)
    lanes, sides = flags.hung(places, sizes_of(axes, texts)[:, 0], most, axes.bbox.width - 4)
    lanes[lanes >= np.where(sides > 0, layout.above, layout.below)] = -1
    hung = np.flatnonzero(lanes >= 0)
    ends = (sides * (_BAND + (lanes + 0.5) * _LANE))[hung]  # pixels from the middle
    x, y = points[hung].T
    poles = np.stack([np.stack([x, y], axis=1), np.stack([x, ends], axis=1)], axis=1)  # (labels, 2 ends, 2)
    axes.add_collection(LineCollection([*poles], colors=QUIET_INK, linewidths=0.45, zorder=0.9), autolim=False)
    if is_faint:
        axes.scatter(x, y, s=9, color=INK, linewidths=0, zorder=4)
    style = {"fontsize": LABEL_SIZE, "color": INK, "parse_math": False, "ha": "left", "va": "center"}
    for place, height, label in zip(x, ends, hung, strict=True):
        moved = {"xytext": (1.5, 0), "textcoords": "offset points"}
        axes.annotate(texts[label], (place, height), annotation_clip=False, **moved, **style)
    return len(hung)
