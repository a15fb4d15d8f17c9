"""What models are worth on the same test examples, in one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.terminal import aligned

_WIDE = 10.0
"""From here on two decimals say enough."""


@dataclass(frozen=True)
class Result:
    """What one model is worth.

    Args:
        model: Its name.
        metrics: On the test examples, by name.
        seconds: That it took to learn.
    """

    model: str
    metrics: Mapping[str, float]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Returns it as JSON can hold it."""
        return {"model": self.model, **self.metrics, "seconds": self.seconds}


def trained(problem_name: str | None, measured: Mapping[str, Any], names: Sequence[str]) -> Result:
    """Returns what the trained model is worth.

    Args:
        problem_name: The model is called by it.
        measured: The job's own metrics.
        names: Of those that are compared.
    """
    return Result(str(problem_name), {name: measured[name] for name in names}, float(measured["seconds"]))


def table(results: Sequence[Result], heading: str) -> str:
    """Returns the results as text, a row a model.

    Args:
        results: Of the same metrics.
        heading: The first line.

    Example:
        >>> print(table([Result("mean", {"rmse": 0.5, "median_absolute_error": 41.0}, 0.0)], "of 9 test rows"))
        of 9 test rows
                rmse  median_absolute_error  seconds
        mean  0.5000                  41.00      0.0
    """
    names = list(results[0].metrics)
    rows = [[one.model, *(_shown(one.metrics[name]) for name in names), f"{one.seconds:.1f}"] for one in results]
    return "\n".join([heading, *aligned([["", *names, "seconds"], *rows], right=range(1, len(names) + 2))])


def _shown(value: float) -> str:
    return f"{value:,.2f}" if abs(value) >= _WIDE else f"{value:.4f}"
