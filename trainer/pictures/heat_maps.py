"""A table on a cross of two keys, drawn over the two."""

import math
from typing import Any

import matplotlib
import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from trainer.errors import Refusal
from trainer.feature_column import CategoricalColumn, CrossedColumn
from trainer.pictures import figures
from trainer.pictures.components import principal_components, trained_and_finite
from trainer.pictures.figures import INK, LABEL_SIZE, NAME_SIZE, QUIET_INK, SMALL_SIZE, TEXT_SIZE, short
from trainer.tables import Table
from trainer.tables.table import Array

MOST_COMPONENTS = 3
MOST_VALUES = 120
"""The most values of a key; with more of them a cell is a few pixels wide."""

_COLOURS = 65
"""An odd number, so that zero is in the middle of one; few enough for small files."""

_MAP_INCHES = 6.3
_LETTER_INCHES, _LINE_INCHES = 0.085, 0.165
_FINE_FROM = 60
"""Values of a key from which cells are too small for a white edge and a hatch, which would fill the file."""

_EMPTY, _HATCH, _EMPTY_FINE = "#efefef", "#c4c4c4", "#b4b4b4"
_NOT_FINITE = "#4d4d4d"
"""A grey as dark as no cell is that has a number."""


def why_not(table: Table) -> str | None:
    """Returns why a table cannot be drawn as a heat map, as the end of a sentence, or None where it can."""
    keys = _keys(table)
    if len(keys) != 2:
        return "is on no exact cross of two keys"
    for key in keys:
        if key.num_buckets > MOST_VALUES:
            return f"has {key.num_buckets:,} values of '{key.name}', and {MOST_VALUES} are the most that can be drawn"
    if table.trained.sum() < 2:
        return "has fewer than two trained rows"
    values = table.values[trained_and_finite(table)]
    if len(values) < 2:
        return "has values that are not finite"
    return None if principal_components(values, 1)[1].size else "has all its trained rows alike"


def heat_map(table: Table, path: str) -> None:
    """Draws the first principal components of a table's trained rows over the two keys of its cross.

    The first key runs down and the second across; a cell that was never trained is left empty, and one whose values
    are not finite is dark. Each component has a scale of its own, the same on both sides of zero.

    Args:
        table: A table on an exact cross of two keys, each of 120 values at most.
        path: The PNG file to write, whole or not at all, under 300 kB.

    Raises:
        Refusal: The table cannot be drawn so.
    """
    reason = why_not(table)
    if reason is not None:
        raise Refusal(f"heat_map: table '{table.name}' {reason}; a trained table on an exact cross of two is wanted.")
    figures.save(drawn(table), path)


def drawn(table: Table) -> Figure:
    """Returns the figure of a table that `why_not` has nothing against."""
    down, across = _keys(table)
    shown = trained_and_finite(table)
    scores, shares = principal_components(table.values[shown], MOST_COMPONENTS)
    fine = max(down.num_buckets, across.num_buckets) >= _FINE_FROM
    inches = _inches_high(down.num_buckets)
    dots_per_inch = figures.DOTS_PER_INCH // 2 if fine else figures.DOTS_PER_INCH
    figure = figures.blank(1.1 + len(shares) * (inches + 0.4), dots_per_inch)
    panels = figure.subplots(len(shares), 1, squeeze=False, sharex=True)[:, 0]
    for number, axes in enumerate(panels):
        cells = np.full(table.rows, np.nan)
        cells[shown] = scores[:, number]
        _draw(axes, cells.reshape(down.num_buckets, across.num_buckets), fine)  # (first key, second key)
        _cross_out(axes, np.flatnonzero(table.trained & ~shown), across.num_buckets)
        axes.set_title(f"Component {number + 1}: {shares[number]:.0%}", loc="left", fontsize=TEXT_SIZE, color=INK)
        _label(axes.yaxis, down, inches / _LINE_INCHES)
    _label_across(panels[-1], across)
    _write_title(figure, table, int(shown.sum()), shares)
    _write_legend(figure, table, int(shown.sum()), fine)
    return figure


def _keys(table: Table) -> tuple[CategoricalColumn, ...]:
    cross = None if table.column is None else table.column.categorical_column
    return cross.bounded_leaves if isinstance(cross, CrossedColumn) and cross.is_bounded else ()


def _inches_high(values: int) -> float:
    return min(max(values * 0.24, 1.4), 4.5)


def _write_title(figure: Figure, table: Table, shown: int, shares: Array) -> None:
    trained = int(table.trained.sum())
    kinds = ["were trained"] * (trained < table.rows) + ["are finite"] * (shown < trained)
    components = "First principal component" if len(shares) == 1 else f"First {len(shares)} principal components"
    rows = f"the {shown:,} rows of {table.rows:,} that {' and '.join(kinds)}" if kinds else f"{table.rows:,} rows"
    figures.write_title(figure, table.name, f"{components} of {rows}: {shares.sum():.0%} of the variance")


def _write_legend(figure: Figure, table: Table, shown: int, fine: bool) -> None:
    trained = int(table.trained.sum())
    cells = {}
    if trained < table.rows:
        cells["never trained"] = Patch(**_empty(fine))
    if shown < trained:
        cells["not finite"] = Patch(facecolor=_NOT_FINITE)
    if cells:
        figure.legend(
            [*cells.values()],
            [*cells],
            loc="upper right",
            ncols=len(cells),
            frameon=False,
            fontsize=SMALL_SIZE,
            labelcolor=QUIET_INK,
        )


def _empty(fine: bool) -> dict[str, Any]:
    return {
        "facecolor": _EMPTY_FINE if fine else _EMPTY,
        "edgecolor": _HATCH,
        "linewidth": 0,
        "hatch": None if fine else "/////",
    }


def _draw(axes: Any, cells: Array, fine: bool) -> None:
    limit = float(np.nanmax(np.abs(cells)))
    axes.add_patch(Rectangle((0, 0), 1, 1, transform=axes.transAxes, **_empty(fine)))
    colours = matplotlib.colormaps["RdBu_r"].resampled(_COLOURS)
    edges = {"edgecolors": "none"} if fine else {"edgecolors": "white", "linewidth": 0.7}
    mesh = axes.pcolormesh(np.ma.masked_invalid(cells), cmap=colours, vmin=-limit, vmax=limit, **edges)
    axes.set_ylim(len(cells), 0)  # the first value on top
    axes.tick_params(length=0, labelsize=LABEL_SIZE, labelcolor=INK)
    axes.spines[:].set_visible(False)
    bar = axes.figure.colorbar(mesh, ax=axes, fraction=0.03, aspect=_inches_high(len(cells)) / 0.09, pad=0.012)
    bar.set_ticks([-limit, 0, limit], labels=[f"\N{MINUS SIGN}{limit:.2g}", "0", f"+{limit:.2g}"])
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=LABEL_SIZE, labelcolor=QUIET_INK)


def _cross_out(axes: Any, rows: Array, across: int) -> None:
    cells = [Rectangle((row % across, row // across), 1, 1) for row in rows.tolist()]
    axes.add_collection(PatchCollection(cells, facecolor=_NOT_FINITE, linewidth=0), autolim=False)


def _label_across(axes: Any, column: CategoricalColumn) -> None:
    longest = max(len(short(column.label(id))) for id in range(column.num_buckets))
    needed = (longest + 1) * _LETTER_INCHES
    upright = needed <= max(_MAP_INCHES / column.num_buckets, 4 * _LETTER_INCHES)
    _label(axes.xaxis, column, _MAP_INCHES / (needed if upright else _LINE_INCHES))
    if not upright:
        axes.tick_params(axis="x", labelrotation=90)


def _label(axis: Any, column: CategoricalColumn, most: float) -> None:
    shown = range(0, column.num_buckets, math.ceil(column.num_buckets / most))
    axis.set_ticks([id + 0.5 for id in shown], [short(column.label(id)) for id in shown], parse_math=False)
    axis.set_label_text(short(column.name), fontsize=NAME_SIZE, color=QUIET_INK, parse_math=False)
