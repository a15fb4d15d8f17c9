"""How a training went: each metric over the epochs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from trainer.errors import Refusal
from trainer.pictures import figures
from trainer.pictures.figures import FAINT_INK, INK, LABEL_SIZE, NAME_SIZE, OKABE_ITO, QUIET_INK, SMALL_SIZE, TEXT_SIZE
from trainer.tables.table import Array

MOST_PANELS = 6

_VALIDATION = "validation_"
_NO_METRICS = ("epoch", "steps", "seconds")
_STYLES: dict[str, dict[str, Any]] = {
    "training": {"color": OKABE_ITO[0], "linestyle": "-", "marker": "o"},
    "validation": {"color": OKABE_ITO[5], "linestyle": (0, (4, 1.5)), "marker": "s"},
}
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
        """The names of metrics without `validation_`, the loss first."""
        names = dict.fromkeys(name.removeprefix(_VALIDATION) for name in self.columns)
        return sorted(names, key=lambda name: name != "loss")

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
            Of lines of the same epoch the last counts. The first six metrics are drawn.
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
    titles = figures.shortened(metrics, _LETTERS_ACROSS // across)
    for axes, metric, title in zip(panels, metrics, titles, strict=False):
        _draw(axes, read, metric)
        axes.set_title(title, loc="left", fontsize=TEXT_SIZE, color=INK, parse_math=False)
    for axes in panels[len(metrics) :]:
        axes.set_visible(False)
    left_out = len(read.metrics) - len(metrics)
    more = f", the first {len(metrics)} of {len(read.metrics)} metrics" if left_out else ""
    figures.write_title(figure, "Training", f"{_epochs_told(read.epochs)}{more}")
    _write_legend(figure, read)
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


def _draw(axes: Any, history: _History, metric: str) -> None:
    for name, column in (("training", metric), ("validation", f"{_VALIDATION}{metric}")):
        if column in history.columns:
            values = history.columns[column]
            axes.plot(history.epochs, values, markersize=3.5, markevery=_marked(values), linewidth=1.4, **_STYLES[name])
    if history.best is not None:
        axes.axvline(history.epochs[history.best], color=INK, linewidth=1.3, linestyle=":", zorder=1.5)
    axes.set_xlabel("epoch", fontsize=NAME_SIZE, color=QUIET_INK)
    first, last = history.epochs[0], history.epochs[-1]
    side = max(0.04 * (last - first), 0.5 if first == last else 0.1)
    axes.set_xlim(first - side, last + side)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(5))
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


def _write_legend(figure: Figure, history: _History) -> None:
    handles, names = [], []
    for axes in figure.axes:
        for line in axes.lines:
            if (name := _name_of(line)) not in names:
                handles.append(line)
                names.append(name)
    if history.best is not None:
        place = names.index("")
        names[place] = f"lowest validation loss: epoch {history.epochs[history.best]:,}"
    figure.legend(
        handles, names, loc="upper right", ncols=len(names), frameon=False, fontsize=SMALL_SIZE, labelcolor=INK
    )


def _name_of(line: Any) -> str:
    return next((name for name, style in _STYLES.items() if style["marker"] == line.get_marker()), "")
