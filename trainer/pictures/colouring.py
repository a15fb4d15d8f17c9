"""What the colours of points tell: the key that explains most of where they lie, or how often each was trained."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import LogNorm, Normalize
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

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
        logarithmic: Each step of the bar is a factor.
    """

    name: str
    values: Array
    logarithmic: bool = False

    def draw(self, axes: Any, points: Array, area: float) -> None:
        """Draws points, `(points, 2)`, with an area in square points, and the bar."""
        norm = (LogNorm if self.logarithmic else Normalize)(self.values.min(), self.values.max())
        drawn = axes.scatter(*points.T, s=area, c=self.values, cmap=_DARK_TO_LIGHT, norm=norm, **_EDGE)
        bar = axes.figure.colorbar(drawn, ax=axes, fraction=0.03, aspect=axes.figure.get_figheight() * 5, pad=0.015)
        bar.outline.set_visible(False)
        bar.ax.yaxis.set_minor_locator(NullLocator())
        bar.ax.yaxis.set_major_locator(self._ticks())
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: self._text(value)))
        bar.ax.tick_params(length=2, labelsize=LABEL_SIZE, labelcolor=QUIET_INK, color=QUIET_INK)
        bar.set_label(short(self.name), fontsize=NAME_SIZE, color=QUIET_INK, parse_math=False)

    def _ticks(self) -> Any:
        if not self.logarithmic:
            return MaxNLocator(6, integer=bool((self.values == np.round(self.values)).all()))
        return LogLocator(subs=(1,) if self.values.max() > 1000 * self.values.min() else (1, 2, 5))

    def _text(self, value: float) -> str:
        return f"{value:,.0f}" if self.logarithmic else number(value)


Colouring = Plain | Kinds | Scale


def colouring(table: Described, rows: Sequence[int], points: Array) -> Colouring:
    """Returns what to colour the points of some rows by.

    That is the key, or the detail, that explains most of where the points lie: a tenth of their variance at least.
    Where none does, it is how often each row was trained.

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
    if table.counts is None or len(set(table.counts[rows].tolist())) < 2:
        return Plain()
    return Scale("training examples", table.counts[rows].astype(np.float64), logarithmic=True)


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
