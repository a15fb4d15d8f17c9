"""How a training went: each metric over the epochs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from trainer.errors import Refusal
from trainer.pictures import figures
from trainer.pictures.figures import FAINT_INK, INK, LABEL_SIZE, NAME_SIZE, OKABE_ITO, QUIET_INK, SMALL_SIZE, TEXT_SIZE
from trainer.tables.table import Array

MOST_PANELS = 6

_VALIDATION = "validation_"
_NO_METRICS = ("epoch", "steps", "seconds")
_SETTINGS = ("learning_rate", "lr")
"""What Keras logs beside the metrics, though nothing measured it; `lr` is what Keras 2 calls it."""

_STYLES: dict[str, dict[str, Any]] = {
    "training": {"color": OKABE_ITO[0], "linestyle": "-", "marker": "o"},
    "validation": {"color": OKABE_ITO[5], "linestyle": (0, (4, 1.5)), "marker": "s"},
}
_SETTING_STYLE = {"color": QUIET_INK, "linestyle": "-", "marker": "D"}
_LOGARITHMIC = ", log scale"
_LEAST_FACTOR = 1000
"""How many times the least value the largest is for all of them to be seen on a scale of factors alone."""

_MOST_MARKERS = 30
_MOST_ACROSS = 3
_LETTERS_ACROSS = 72


@dataclass(frozen=True, eq=False)
class _History:
    """Epochs in order, `(epochs,)`, and each column's values there, `(epochs,)`, NaN for a gap."""

    epochs: Array
    columns: dict[str, Array]

    @property
    def metrics(self) -> list[str]:
        """The names of metrics without `validation_`, the loss first and what was set, not measured, last."""
        names = dict.fromkeys(name.removeprefix(_VALIDATION) for name in self.columns)
        return sorted(names, key=lambda name: (name in _SETTINGS, name != "loss"))

    def is_logarithmic(self, metric: str) -> bool:
        """Tells whether a metric's values are positive and so far apart that most of them would be one line."""
        values = np.concatenate([self.columns.get(name, []) for name in (metric, f"{_VALIDATION}{metric}")])
        least, most = np.nanmin(values), np.nanmax(values)
        return bool(least > 0 and least < most / _LEAST_FACTOR)

    @property
    def best(self) -> int | None:
        """The place of the lowest validation loss."""
        losses = self.columns.get(f"{_VALIDATION}loss")
        return None if losses is None else int(np.nanargmin(losses))


def why_not(history: Sequence[Mapping[str, Any]]) -> str | None:
    """Returns why a history cannot be drawn, as the end of a sentence, or None where it can."""
    if not history:
        return "has no epochs"
    return None if _read(history).columns else "has no finite value of a metric"


def curves(history: Sequence[Mapping[str, Any]], path: str) -> None:
    """Draws metrics over the epochs, training and validation, and marks the epoch of the lowest validation loss.

    Args:
        history: One mapping an epoch, as the lines of a run's `history.jsonl`: `epoch`, the metrics of the training
            under their names and those of the validation after `validation_`. What is absent or not finite is a gap.
            Of lines of the same epoch the last counts. The first six metrics are drawn, the learning rate after the
            others. Positive values that span more than three decades have a scale of factors.
        path: The PNG file to write, whole or not at all.

    Raises:
        Refusal: There is nothing to draw.
    """
    reason = why_not(history)
    if reason is not None:
        raise Refusal(f"curves: the history {reason}; the lines of a run's history.jsonl are wanted.")
    figures.save(drawn(history), path, few_colours=True)


def drawn(history: Sequence[Mapping[str, Any]]) -> Figure:
    """Returns the figure of a history that `why_not` has nothing against."""
    read = _read(history)
    metrics = read.metrics[:MOST_PANELS]
    down, across = figures.grid(len(metrics), _MOST_ACROSS)
    figure = figures.blank(1.1 + down * (3.2 if across == 1 else 2.4))
    panels = figure.subplots(down, across, squeeze=False).ravel()
    titles = _titles(read, metrics, _LETTERS_ACROSS // across)
    for axes, metric, title in zip(panels, metrics, titles, strict=False):
        _draw(axes, read, metric)
        axes.set_title(title, loc="left", fontsize=TEXT_SIZE, color=INK, parse_math=False)
    for axes in panels[len(metrics) :]:
        axes.set_visible(False)
    left_out = len(read.metrics) - len(metrics)
    more = f", the first {len(metrics)} of {len(read.metrics)} metrics" if left_out else ""
    figures.write_title(figure, "Training", f"{_epochs_told(read.epochs)}{more}")
    _write_legend(figure)
    return figure


def _read(history: Sequence[Mapping[str, Any]]) -> _History:
    lines = {int(line.get("epoch") or place): line for place, line in enumerate(history, 1)}
    epochs = sorted(lines)
    names = dict.fromkeys(name for line in history for name in line if _is_metric(name))
    columns = {name: np.array([_finite(lines[epoch].get(name)) for epoch in epochs]) for name in names}
    finite = {name: values for name, values in columns.items() if np.isfinite(values).any()}
    return _History(np.array(epochs), finite)


def _is_metric(name: str) -> bool:
    return name not in _NO_METRICS and not name.endswith("examples")


def _finite(value: Any) -> float:
    is_number = isinstance(value, Real) and math.isfinite(value)
    return float(value) if is_number else math.nan


def _titles(history: _History, metrics: Sequence[str], letters: int) -> list[str]:
    scales = [_LOGARITHMIC if history.is_logarithmic(metric) else "" for metric in metrics]
    names = figures.shortened(metrics, letters - max(map(len, scales)))
    return [f"{name}{scale}" for name, scale in zip(names, scales, strict=True)]


def _draw(axes: Any, history: _History, metric: str) -> None:
    for name, column in (("training", metric), ("validation", f"{_VALIDATION}{metric}")):
        if column in history.columns:
            values = history.columns[column]
            style = _SETTING_STYLE if metric in _SETTINGS else {"label": name, **_STYLES[name]}
            axes.plot(history.epochs, values, markersize=3.5, markevery=_marked(values), linewidth=1.4, **style)
    if history.best is not None:
        best = history.epochs[history.best]
        told = f"lowest validation loss: epoch {best:,}"
        axes.axvline(best, color=INK, linewidth=1.3, linestyle=":", zorder=1.5, label=told)
    _write_axes(axes, history, history.is_logarithmic(metric))


def _write_axes(axes: Any, history: _History, logarithmic: bool) -> None:
    axes.set_xlabel("epoch", fontsize=NAME_SIZE, color=QUIET_INK)
    first, last = history.epochs[0], history.epochs[-1]
    side = max(0.04 * (last - first), 0.5 if first == last else 0.1)
    axes.set_xlim(first - side, last + side)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    if logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(LogLocator(numticks=6) if logarithmic else MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: figures.number(value)))
    axes.tick_params(length=0, labelsize=LABEL_SIZE, labelcolor=QUIET_INK)
    axes.grid(color=FAINT_INK, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[:].set_color(FAINT_INK)


def _marked(values: Array) -> list[int]:
    """Returns the epochs that have a marker: some, and those between gaps, of which no line is drawn."""
    gaps = np.isnan(np.concatenate([[np.nan], values, [np.nan]]))
    alone = ~gaps[1:-1] & gaps[:-2] & gaps[2:]
    alone[:: math.ceil(len(values) / _MOST_MARKERS)] = True
    return [int(place) for place in np.flatnonzero(alone)]


def _epochs_told(epochs: Array) -> str:
    return "1 epoch" if len(epochs) == 1 else f"{len(epochs):,} epochs"


def _write_legend(figure: Figure) -> None:
    found = {str(line.get_label()): line for axes in figure.axes for line in axes.lines}
    # A label that nobody gave starts with an underscore; what is neither of the styles marks the lowest loss.
    names = [name for name in _STYLES if name in found]
    names += [name for name in found if name not in names and not name.startswith("_")]
    if names:
        figure.legend(
            [found[name] for name in names],
            names,
            loc="upper right",
            ncols=len(names),
            frameon=False,
            fontsize=SMALL_SIZE,
            labelcolor=INK,
        )
