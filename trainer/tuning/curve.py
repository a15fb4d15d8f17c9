"""The metric over the dimensions of one table, what of it is noise, and its picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.ticker import FuncFormatter, NullLocator

from trainer.feature_column.embedding import by_rule
from trainer.pictures import figures
from trainer.pictures.figures import FAINT_INK, INK, LABEL_SIZE, NAME_SIZE, OKABE_ITO, QUIET_INK, SMALL_SIZE, TEXT_SIZE
from trainer.search import of_dimension
from trainer.tuning.asked import Asked
from trainer.tuning.trials import Trial, best, noise

_MOST_ACROSS = 2


@dataclass(frozen=True)
class Curve:
    """What was found of the dimensions of one table.

    Args:
        table: Its name.
        trials: Of its dimensions, those that failed too, the smallest dimension first.
        is_up: Whether more of the metric is better.
        declared: The dimension that the problem declares; None is that of the rule of thumb.
    """

    table: str
    trials: tuple[Trial, ...]
    is_up: bool
    declared: int | None

    @property
    def points(self) -> list[Trial]:
        """The trials that were trained to their end."""
        return [trial for trial in self.trials if trial.mean is not None]

    def shape(self, trial: Trial) -> tuple[int, int | None, int]:
        """Returns the rows, the dimension and the bytes of a number; for a trial that failed as far as it is known."""
        shape = next((each.tables[self.table] for each in trial.ran if self.table in each.tables), None)
        if shape is not None:
            return shape[0], shape[1], shape[2]
        given = trial.values[of_dimension(self.table)]
        return self.rows or 0, given if isinstance(given, int) else None, 4

    @property
    def rows(self) -> int | None:
        """The rows of the table; None where all trials failed."""
        found = [each.tables[self.table][0] for trial in self.trials for each in trial.ran if self.table in each.tables]
        return found[0] if found else None

    @property
    def rule(self) -> int | None:
        """The dimension of the rule of thumb."""
        return None if self.rows is None else by_rule(self.rows)

    @property
    def has_rule(self) -> bool:
        """Whether the dimension of the rule of thumb was tried."""
        return any(self.shape(trial)[1] == self.rule for trial in self.trials)

    @property
    def noise(self) -> float | None:
        """The standard error of a difference of two means; None where one seed says nothing of it."""
        return noise(self.points)

    @property
    def best(self) -> Trial | None:
        """The trial with the best mean."""
        return best(self.points, self.is_up)

    @property
    def smallest(self) -> Trial | None:
        """The trial of the smallest dimension whose mean is no farther from the best than the noise."""
        top = self.best
        if top is None or top.mean is None:
            return None
        within = [each for each in self.points if abs(top.mean - (each.mean or 0.0)) <= (self.noise or 0.0)]
        return within[0]

    def marks(self, trial: Trial) -> list[str]:
        """Returns what is said of a dimension beside its metric."""
        dimension = self.shape(trial)[1]
        said = {
            f"fourth root of {self.rows:,} rows": self.rows is not None and dimension == self.rule,
            "declared": dimension == (self.declared or self.rule),
            "best": trial is self.best,
            "smallest within the noise of it": trial is self.smallest and trial is not self.best,
        }
        return [text for text, is_so in said.items() if is_so]


def of(asked: Asked, table: str, done: Sequence[Trial]) -> Curve:
    """Returns the curve of a table."""
    own = [trial for trial in done if of_dimension(table) in trial.values]
    made = Curve(table, tuple(own), asked.is_up, asked.problem.embeddings[table][0].dimension)
    ordered = sorted(own, key=lambda trial: made.shape(trial)[1] or 0)
    return Curve(table, tuple(ordered), made.is_up, made.declared)


def draw(curves: Sequence[Curve], asked: Asked, path: str) -> None:
    """Draws the metric over the dimensions of tables, a panel each, beside the rule of thumb.

    Args:
        curves: Of tables with one trained trial at least.
        asked: Of the tuning.
        path: The PNG file to write.
    """
    down, across = figures.grid(len(curves), _MOST_ACROSS)
    figure = figures.blank(1.1 + down * (3.4 if across == 1 else 2.6))
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for axes, curve in zip(panels, curves, strict=False):
        _draw(axes, curve, asked.metric)
    for axes in panels[len(curves) :]:
        axes.set_visible(False)
    seeds = len(asked.seeds)
    means = f"means and spreads of {seeds} seeds" if seeds > 1 else "one seed"
    better = "higher" if asked.is_up else "lower"
    figures.write_title(figure, f"{asked.problem.name}: the dimension", f"{asked.metric}, {better} is better; {means}")
    figures.save(figure, path, few_colours=True)


def _draw(axes: Any, curve: Curve, metric: str) -> None:
    points = curve.points
    dimensions = [curve.shape(trial)[1] or 0 for trial in points]
    for dimension, trial in zip(dimensions, points, strict=True):
        axes.plot([dimension] * len(trial.found), trial.found, ".", color=OKABE_ITO[4], markersize=4, zorder=2)
    means, spreads = [trial.mean or 0.0 for trial in points], [trial.spread or 0.0 for trial in points]
    axes.errorbar(
        dimensions,
        means,
        yerr=spreads,
        color=OKABE_ITO[0],
        marker="o",
        markersize=4,
        linewidth=1.4,
        capsize=3,
        zorder=3,
    )
    taken = curve.smallest
    if taken is not None:
        place = (curve.shape(taken)[1] or 0, taken.mean or 0.0)
        axes.plot(*place, "o", color=OKABE_ITO[5], markersize=8, zorder=4, label=f"taken: {place[0]}")
    if curve.rule is not None:
        told = f"fourth root of {curve.rows:,} rows: {curve.rule}"
        axes.axvline(curve.rule, color=INK, linewidth=1.3, linestyle=":", zorder=1.5, label=told)
    _write_axes(axes, curve, dimensions, metric)


def _write_axes(axes: Any, curve: Curve, dimensions: Sequence[int], metric: str) -> None:
    axes.set_xscale("log", base=2)
    ticks = sorted({*dimensions, *([] if curve.rule is None else [curve.rule])})
    axes.set_xticks(ticks)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: figures.number(value)))
    axes.set_xlabel("dimension", fontsize=NAME_SIZE, color=QUIET_INK)
    axes.set_ylabel(metric, fontsize=NAME_SIZE, color=QUIET_INK, parse_math=False)
    axes.set_title(figures.short(curve.table), loc="left", fontsize=TEXT_SIZE, color=INK, parse_math=False)
    axes.tick_params(length=0, labelsize=LABEL_SIZE, labelcolor=QUIET_INK)
    axes.grid(color=FAINT_INK, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[:].set_color(FAINT_INK)
    axes.legend(frameon=False, fontsize=SMALL_SIZE, labelcolor=INK)
