"""What the colours of points tell: the key that explains most of where they lie, or how often each was trained."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import LogNorm, Normalize
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from trainer.pictures.figures import INK, LABEL_SIZE, NAME_SIZE, OKABE_ITO, QUIET_INK, number, short, shortened
from trainer.tables import Described
from trainer.tables.table import Array

MOST_KINDS = 10
"""The most values of a key that have a colour and a shape each."""

_DARK_TO_LIGHT = matplotlib.colormaps["viridis"].resampled(64)
"""As many colours as an eye parts, so that all of them stay where a file has few."""

_SHAPES = ("o", "s", "^", "D", "v", "P", "X")
_LEAST_EXPLAINED = 0.1
"""The share of the points' variance from which the colours of a key tell something."""

_LEAST_FACTOR, _DECADE = 2, 10
"""How many times the least count the largest is for colours to tell it, and for these to tell factors."""

_LARGEST_WHOLE = 1e10
"""Whole numbers below this are written with all their digits, as two of them differ in the last."""

_GROUPS = 8
_RANGE = re.compile(r"[\[(]([^,\s]+), ([^,\s]+)[)\]]")
"""The label of a bucket, as `[18, 25)`."""

_EDGE = {"edgecolors": INK, "linewidths": 0.3}


@dataclass(frozen=True)
class Plain:
    """Points of one colour, because nothing is known that would tell more."""

    def draw(self, axes: Any, points: Array, area: float) -> None:
        """Draws points, `(points, 2)`, with an area in square points."""
        axes.scatter(*points.T, s=area, color=OKABE_ITO[0], **_EDGE)


@dataclass(frozen=True)
class Kinds:
    """A colour and a shape for each of a few values, in a legend.

    Args:
        name: What the values are.
        texts: `(points,)`: the value of each.
        ordered: The values are numbers or ranges, so that their colours go from dark to light.
    """

    name: str
    texts: tuple[str, ...]
    ordered: bool

    def draw(self, axes: Any, points: Array, area: float) -> None:
        """Draws points, `(points, 2)`, with an area in square points, and the legend."""
        values = list(dict.fromkeys(self.texts))
        if self.ordered:
            values.sort(key=lambda text: _number(text) or 0)
        dark_to_light = _DARK_TO_LIGHT(np.linspace(0, 1, len(values)))
        texts, handles = np.array(self.texts, object), []
        for place, value in enumerate(values):
            colour = dark_to_light[place] if self.ordered else OKABE_ITO[place % len(OKABE_ITO)]
            shape = _SHAPES[place % len(_SHAPES)]
            axes.scatter(*points[texts == value].T, s=area, color=[colour], marker=shape, **_EDGE)
            handles.append(Line2D([], [], linestyle="none", color=colour, marker=shape, markersize=5.5, mew=0))
        _write_legend(axes.figure, short(self.name), handles, shortened(values))


@dataclass(frozen=True, eq=False)
class Scale:
    """Colours from dark to light by a number, with a bar beside.

    Args:
        name: What the number is.
        values: `(points,)` numbers.
        counts: The numbers count something, one at least. From a decade of them on, each step of the bar is a factor.
    """

    name: str
    values: Array
    counts: bool = False

    def draw(self, axes: Any, points: Array, area: float) -> None:
        """Draws points, `(points, 2)`, with an area in square points, and the bar."""
        norm = (LogNorm if self._is_logarithmic else Normalize)(self.values.min(), self.values.max())
        drawn = axes.scatter(*points.T, s=area, c=self.values, cmap=_DARK_TO_LIGHT, norm=norm, **_EDGE)
        bar = axes.figure.colorbar(drawn, ax=axes, fraction=0.03, aspect=axes.figure.get_figheight() * 5, pad=0.015)
        bar.outline.set_visible(False)
        bar.ax.yaxis.set_minor_locator(NullLocator())
        ticks = self._ticks()
        bar.set_ticks(ticks, labels=[self._text(tick) for tick in ticks])
        bar.ax.tick_params(length=2, labelsize=LABEL_SIZE, labelcolor=QUIET_INK, color=QUIET_INK)
        bar.set_label(short(self.name), fontsize=NAME_SIZE, color=QUIET_INK, parse_math=False)

    @property
    def _is_logarithmic(self) -> bool:
        return self.counts and bool(self.values.max() >= _DECADE * self.values.min())

    @property
    def _is_whole(self) -> bool:
        return bool((self.values == np.round(self.values)).all() and np.abs(self.values).max() < _LARGEST_WHOLE)

    def _ticks(self) -> list[float]:
        """Returns the numbers beside the bar, none of them outside of the values."""
        least, most = float(self.values.min()), float(self.values.max())
        steps = (1,) if most > 1000 * least else (1, 2, 5)
        locator = LogLocator(subs=steps) if self._is_logarithmic else MaxNLocator(6, integer=self._is_whole)
        return [float(tick) for tick in locator.tick_values(least, most) if least <= tick <= most]

    def _text(self, value: float) -> str:
        if self.counts:
            return f"{value:,.0f}"
        return f"{value:.0f}".replace("-", "\N{MINUS SIGN}") if self._is_whole else number(value)


Colouring = Plain | Kinds | Scale


def colouring(table: Described, rows: Sequence[int], points: Array) -> Colouring:
    """Returns what to colour the points of some rows by.

    That is the key, or the detail, that explains most of where the points lie: a tenth of their variance at least.
    Where none does, it is how often each row was trained, unless that is nearly the same for all.

    Args:
        table: The table.
        rows: Some of its rows.
        points: `(rows, 2)`: where they lie.
    """
    known = table.fields_of(rows) | {
        name: [texts[row] for row in rows] for name, texts in table.details.items() if name != table.title
    }
    found = [kind for name, texts in known.items() if (kind := _of_texts(name, texts)) is not None]
    explained = [_explained(kind, points) for kind in found]
    if found and max(explained) >= _LEAST_EXPLAINED:
        return found[int(np.argmax(explained))]
    if table.counts is None:
        return Plain()
    counts = table.counts[rows].astype(np.float64)
    if counts.max() < _LEAST_FACTOR * counts.min():
        return Plain()
    return Scale("training examples", counts, counts=True)


def _of_texts(name: str, texts: Sequence[str]) -> Kinds | Scale | None:
    different = set(texts)
    if len(different) < 2:
        return None
    numbers = [_number(text) for text in texts]
    ordered = None not in numbers
    if len(different) <= MOST_KINDS and len(different) < len(texts):
        return Kinds(name, tuple(texts), ordered)
    return Scale(name, np.array(numbers, np.float64)) if ordered else None


def _number(text: str) -> float | None:
    """Returns the number that a text is, or the middle of a range; an open range counts from its one bound."""
    bounds = _RANGE.fullmatch(text)
    try:
        numbers = [float(part) for part in (bounds.groups() if bounds else (text,))]
    except ValueError:
        return None
    finite = [number for number in numbers if np.isfinite(number)]
    return sum(finite) / len(finite) if finite else None


def _explained(kind: Kinds | Scale, points: Array) -> float:
    """Returns the share of the points' variance between groups, less what so many groups explain by chance."""
    if isinstance(kind, Kinds):
        _, groups = np.unique(np.array(kind.texts), return_inverse=True)
    else:
        limits = np.quantile(kind.values, np.linspace(0, 1, min(_GROUPS, len(points) // 2) + 1)[1:-1])
        groups = np.searchsorted(limits, kind.values, side="right")
    sizes = np.maximum(np.bincount(groups), 1)  # (groups,)
    points = points / np.abs(points).max()  # the square of a large number is none
    if len(points) <= len(sizes):
        return 0.0
    means = np.stack([np.bincount(groups, weights) / sizes for weights in points.T], axis=1)  # (groups, 2)
    between = ((points - means[groups]) ** 2).sum() / ((points - points.mean(axis=0)) ** 2).sum()
    return float(1 - between * (len(points) - 1) / (len(points) - len(sizes)))


def _write_legend(figure: Any, title: str, handles: Sequence[Any], texts: Sequence[str]) -> None:
    legend = figure.legend(
        handles,
        texts,
        title=title,
        loc="outside right upper",
        frameon=False,
        fontsize=LABEL_SIZE,
        title_fontsize=NAME_SIZE,
        labelcolor=INK,
        alignment="left",
    )
    legend.get_title().set(color=QUIET_INK, parse_math=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
