"""What the colours of points tell: the key that explains most of where they lie, or how often each was trained."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import LogNorm, Normalize, to_rgb
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from trainer.pictures.figures import INK, LABEL_SIZE, NAME_SIZE, OKABE_ITO, QUIET_INK, number, short, shortened
from trainer.tables import Described
from trainer.tables.described import first_values
from trainer.tables.table import Array

MOST_KINDS = 10
"""The most values of a key that have a colour and a shape each."""

_DARK_TO_LIGHT = matplotlib.colormaps["viridis"].resampled(64)
"""As many colours as an eye parts, so that all of them stay where a file has few."""

_MOST_ABSENT = 0.05
"""The share of numbers that may be absent; those rows are grey."""

_MOST_FIRSTS = 7
"""The first values of lists that have a colour each; what is rarer shares one."""

_SHAPES = ("o", "s", "^", "D", "v", "P", "X")
_LEAST_EXPLAINED, LEAST_OF_MANY = 0.1, 0.01
"""The share of the points' variance from which the colours of a key tell something, of points and of thousands."""

_LEAST_FACTOR, _DECADE = 2, 10
"""How many times the least count the largest is for colours to tell it, and for these to tell factors."""

_LARGEST_WHOLE = 1e10
"""Whole numbers below this are written with all their digits, as two of them differ in the last."""

_GROUPS = 8
_RANGE = re.compile(r"[\[(]([^,\s]+), ([^,\s]+)[)\]]")
"""The label of a bucket, as `[18, 25)`."""

_OTHERS, _OTHER_INK = "(other)", "#b8b8b8"
"""Values that have no colour of their own."""


@dataclass(frozen=True)
class Dots:
    """How points are drawn.

    Args:
        area: In square points.
        is_faint: Many lie over each other: they are seen through, without an edge and of one shape.
    """

    area: float
    is_faint: bool = False

    @property
    def style(self) -> dict[str, Any]:
        """The words that draw them."""
        edge = {"linewidths": 0, "alpha": 0.45} if self.is_faint else {"edgecolors": INK, "linewidths": 0.3}
        return {"s": self.area, **edge}


@dataclass(frozen=True)
class Plain:
    """Points of one colour, because nothing is known that would tell more."""

    def draw(self, axes: Any, points: Array, dots: Dots) -> None:
        """Draws points, `(points, 2)`."""
        axes.scatter(*points.T, color=OKABE_ITO[0], **dots.style)


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

    def draw(self, axes: Any, points: Array, dots: Dots) -> None:
        """Draws points, `(points, 2)`, and the legend."""
        values = list(dict.fromkeys(self.texts))
        if self.ordered:
            values.sort(key=lambda text: _number(text) or 0)
        values.sort(key=lambda value: value == _OTHERS)
        dark_to_light = _DARK_TO_LIGHT(np.linspace(0, 1, len(values)))
        colours = [dark_to_light[n] if self.ordered else OKABE_ITO[n % len(OKABE_ITO)] for n in range(len(values))]
        colours = [_OTHER_INK if value == _OTHERS else colour for value, colour in zip(values, colours, strict=True)]
        shapes = ["o" if dots.is_faint else _SHAPES[place % len(_SHAPES)] for place in range(len(values))]
        texts, handles = np.array(self.texts, object), []
        for value, colour, shape in zip(values, colours, shapes, strict=True):
            if not dots.is_faint:
                axes.scatter(*points[texts == value].T, color=[colour], marker=shape, **dots.style)
            handles.append(Line2D([], [], linestyle="none", color=colour, marker=shape, markersize=5.5, mew=0))
        if dots.is_faint:  # all at once, so that no value lies over all others
            of = dict(zip(values, map(to_rgb, colours), strict=True))
            axes.scatter(*points.T, c=[of[text] for text in self.texts], **dots.style)
        _write_legend(axes.figure, short(self.name), handles, shortened(values))


@dataclass(frozen=True, eq=False)
class Scale:
    """Colours from dark to light by a number, with a bar beside.

    Args:
        name: What the number is.
        values: `(points,)` numbers; NaN where one is absent.
        counts: The numbers count something, one at least. From a decade of them on, each step of the bar is a factor.
    """

    name: str
    values: Array
    counts: bool = False

    def draw(self, axes: Any, points: Array, dots: Dots) -> None:
        """Draws points, `(points, 2)`, and the bar."""
        known = np.isfinite(self.values)
        if not known.all():
            axes.scatter(*points[~known].T, color=_OTHER_INK, **dots.style)
        values = self.values[known]
        norm = (LogNorm if self._is_logarithmic else Normalize)(values.min(), values.max())
        drawn = axes.scatter(*points[known].T, c=values, cmap=_DARK_TO_LIGHT, norm=norm, **dots.style)
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
        values = self.values[np.isfinite(self.values)]
        return bool((values == np.round(values)).all() and np.abs(values).max() < _LARGEST_WHOLE)

    def _ticks(self) -> list[float]:
        """Returns the numbers beside the bar, none of them outside of the values."""
        least, most = float(np.nanmin(self.values)), float(np.nanmax(self.values))
        steps = (1,) if most > 1000 * least else (1, 2, 5)
        locator = LogLocator(subs=steps) if self._is_logarithmic else MaxNLocator(6, integer=self._is_whole)
        return [float(tick) for tick in locator.tick_values(least, most) if least <= tick <= most]

    def _text(self, value: float) -> str:
        if self.counts:
            return f"{value:,.0f}"
        return f"{value:.0f}".replace("-", "\N{MINUS SIGN}") if self._is_whole else number(value)


Colouring = Plain | Kinds | Scale


def colouring(table: Described, rows: Sequence[int], points: Array, least: float = _LEAST_EXPLAINED) -> Colouring:
    """Returns what to colour the points of some rows by.

    That is the key, or the detail, that explains most of where the points lie, or, where a detail is a list of values,
    the first of these. Where none does, it is how often each row was trained, unless that is nearly the same for all.

    Args:
        table: The table.
        rows: Some of its rows.
        points: `(rows, 2)`: where they lie.
        least: The share of the points' variance that a key or a detail has to explain.
    """
    fields = table.fields_of(rows)
    is_id = table.title is not None and len(fields) == 1  # of which a person knows no more than its title
    known = ({} if is_id else fields) | {
        name: [texts[row] for row in rows] for name, texts in table.details.items() if name != table.title
    }
    found = [kind for name, texts in known.items() if (kind := _of_texts(name, texts)) is not None]
    explained = [_explained(kind, points) for kind in found]
    if found and max(explained) >= least:
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
    absent = [not text.strip() for text in texts]
    if not ordered and sum(absent) <= _MOST_ABSENT * len(texts):
        is_number = [number is not None for number in numbers]
        if is_number == [not each for each in absent] and len(different) > MOST_KINDS:
            return Scale(name, np.array([np.nan if number is None else number for number in numbers]))
    if len(different) <= MOST_KINDS and len(different) < len(texts):
        return Kinds(name, tuple(texts), ordered)
    if (firsts := first_values(texts)) is not None:
        common = {text for text, _ in Counter(filter(str.strip, firsts)).most_common(_MOST_FIRSTS)}
        return Kinds(f"{name} (first)", tuple(text if text in common else _OTHERS for text in firsts), False)
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
        limits = np.nanquantile(kind.values, np.linspace(0, 1, min(_GROUPS, len(points) // 2) + 1)[1:-1])
        groups = np.searchsorted(limits, kind.values, side="right")
    sizes = np.maximum(np.bincount(groups), 1)  # (groups,)
    points = points / np.abs(points).max()  # the square of a large number is none
    if len(points) <= len(sizes):
        return 0.0
    means = np.stack([np.bincount(groups, weights) / sizes for weights in points.T], axis=1)  # (groups, 2)
    within = ((points - means[groups]) ** 2).sum() / ((points - points.mean(axis=0)) ** 2).sum()
    return float(1 - within * (len(points) - 1) / (len(points) - len(sizes)))


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
