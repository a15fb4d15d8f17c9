"""How often what a model calls likely does happen, as a curve beside the diagonal."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from trainer.pictures import figures
from trainer.pictures.figures import FAINT_INK, INK, LABEL_SIZE, NAME_SIZE, OKABE_ITO, QUIET_INK, SMALL_SIZE

_BARS = 1.96
"""Standard errors on either side of a point: where the share would be in 95 of 100 samples."""


def reliability(
    predicted: Sequence[float],
    observed: Sequence[float],
    errors: Sequence[float],
    counts: Sequence[int],
    sentence: str,
    path: str,
) -> None:
    """Draws the observed share of yes over the predicted one, with bars of 95 % about it.

    Args:
        predicted: The mean probability of each bin, `(bins,)`.
        observed: The share of yes there.
        errors: Its standard error.
        counts: How many rows the bin has.
        sentence: What stands below the title.
        path: The PNG file to write, whole or not at all.
    """
    figures.save(drawn(predicted, observed, errors, counts, sentence), path, few_colours=True)


def drawn(
    predicted: Sequence[float],
    observed: Sequence[float],
    errors: Sequence[float],
    counts: Sequence[int],
    sentence: str,
) -> Figure:
    """Returns the figure of `reliability`."""
    figure = figures.blank(5.2)
    axes = figure.subplots()
    most = min(1.0, 1.08 * float(np.max([predicted, np.add(observed, np.multiply(_BARS, errors))])))
    axes.plot([0, most], [0, most], color=QUIET_INK, linewidth=1.2, linestyle=(0, (4, 2)), label="as predicted")
    axes.errorbar(
        predicted,
        observed,
        yerr=np.multiply(_BARS, errors),
        color=OKABE_ITO[0],
        marker="o",
        markersize=4.5,
        linewidth=1.4,
        elinewidth=1.1,
        capsize=2.5,
        label=f"observed, {_counts(counts)} a bin, with 95 % bars",
    )
    axes.set_xlim(0, most)
    axes.set_ylim(0, most)
    _write_axes(axes)
    axes.legend(loc="upper left", frameon=False, fontsize=SMALL_SIZE, labelcolor=INK)
    figures.write_title(figure, "Calibration", sentence)
    return figure


def _counts(counts: Sequence[int]) -> str:
    least, most = min(counts), max(counts)
    return f"{least:,} rows" if least == most else f"{least:,} to {most:,} rows"


def _write_axes(axes: Any) -> None:
    axes.set_xlabel("predicted probability", fontsize=NAME_SIZE, color=QUIET_INK)
    axes.set_ylabel("share of yes", fontsize=NAME_SIZE, color=QUIET_INK)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6))
        axis.set_major_formatter(FuncFormatter(lambda value, _: figures.number(value)))
    axes.tick_params(length=0, labelsize=LABEL_SIZE, labelcolor=QUIET_INK)
    axes.grid(color=FAINT_INK, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[:].set_color(FAINT_INK)
