"""A measure: what is asked of a model's tables once the training has ended."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from trainer.errors import Refusal, nearest


class Trained(Protocol):
    """A trained model, as a measure asks it."""

    @property
    def work(self) -> Any:
        """The job's `Work`: its data, its model, and in `test` the test examples."""

    def vectors(self, table: str) -> Any:
        """Returns a table's `LabelledVectors`, with the counts of the training rows.

        Raises:
            Refusal: The model has no such table.
        """

    def linking(self, table: str) -> Any:
        """Returns a table's `vectors.Linking`: with its table of contexts, and the edges of the walks it is of.

        Raises:
            Refusal: The model has no such tables, or the examples are no walks.
        """


@dataclass(frozen=True)
class Measured:
    """What a measure has found.

    Args:
        metrics: For metrics.json, by name; what there is no number for is left out.
        line: What a person is told, without the name.
        details: All that was found, as JSON can hold it, for measures.json.
    """

    metrics: Mapping[str, float]
    line: str
    details: Mapping[str, Any] = field(default_factory=dict)


class Measure(ABC):
    """What is asked of tables after the last step, once: test data, which nothing is chosen by.

    One of one's own is a frozen dataclass with a `table` and a `name`, and says what it measures in `measured`.
    """

    table: str
    """The table that is asked; the problem has it."""

    name: str
    """What the measure is called: the first of its metrics."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The metrics that it adds to metrics.json."""

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of the files that it reads, which go along with a job on a cloud."""
        return ()

    def check(self, who: str) -> None:  # noqa: B027  # one that reads no file has nothing to refuse
        """Refuses, before the training, what could not be measured after it.

        Args:
            who: What a refusal begins with.

        Raises:
            Refusal: A file cannot be used.
        """

    @abstractmethod
    def measured(self, trained: Trained) -> Measured:
        """Returns what the trained tables are worth."""


class FileMeasure(Measure):
    """A measure by the questions of a file, of which those count all of whose words are in the table."""

    file: str
    """The path of the file."""

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics that it adds to metrics.json: what was found, and the share of the questions that count."""
        return self.name, f"{self.name}_coverage"

    @property
    def files(self) -> tuple[str, ...]:
        """The one file."""
        return (self.file,)

    def told(self, found: Any) -> Measured:
        """Returns what was found, given the answers of a table."""
        metrics = of_share(self.name, found.score, found.coverage)
        return Measured(metrics, found.line, {"file": self.file, "table": self.table, **found.to_dict()})


def check(measures: Sequence[Measure], tables: Sequence[str] | None) -> None:
    """Refuses measures that a problem cannot have.

    Args:
        measures: Those of the problem.
        tables: The names of its tables; None where its own model has others.

    Raises:
        Refusal: One is none, is of a table that is not there, or has a metric of another.
    """
    taken: dict[str, Measure] = {}
    for measure in measures:
        if not isinstance(measure, Measure):
            raise Refusal(f"Problem: measures holds measures, as Analogies(FILE), not {type(measure).__name__}.")
        kind = type(measure).__name__
        if tables is not None and measure.table not in tables:
            others = f"; there is {', '.join(tables) or 'none'}."
            raise Refusal(f"{kind}: there is no table '{measure.table}'{nearest(measure.table, tables) or others}")
        for name in measure.names:
            if name in taken:
                raise Refusal(f"Problem: two of its measures have the metric '{name}'; give one of them another name=.")
            taken[name] = measure


def of_share(name: str, value: float | None, coverage: float) -> dict[str, float]:
    """Returns the metrics of what was measured of a share of the questions.

    Args:
        name: The first of them.
        value: What was found; None where no question could be asked.
        coverage: The share of those that could.

    Example:
        >>> of_share("analogies", None, 0.0)
        {'analogies_coverage': 0.0}
    """
    return {**({} if value is None else {name: value}), f"{name}_coverage": coverage}
