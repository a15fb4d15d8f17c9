"""What is told of each table: its size, who uses it, how well it was trained, where it started, what is near what."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from trainer.report.files import Files
from trainer.report.images import Illustration
from trainer.report.neighbours import Neighbourhood, neighbourhoods
from trainer.report.wording import is_finite, number, share, words
from trainer.tables import Entry, Table, file_names
from trainer.terminal import quantity


@dataclass(frozen=True)
class Fact:
    """Something told of a table.

    Args:
        name: What it is.
        text: How much.
        is_warning: Whether a person should look at it.
    """

    name: str
    text: str
    is_warning: bool = False


@dataclass(frozen=True)
class Part:
    """A table's part of the page.

    Args:
        anchor: What links to it.
        name: The table's name.
        rows: The number of its rows.
        dimension: The numbers of a row.
        size: Of all its numbers.
        columns: The names of the columns that use it.
        health: How well it was trained.
        warm_start: What it has taken from a source, in a sentence; None where it has none.
        pictures: Of it.
        neighbourhoods: Of the rows that were trained most.
        is_counted: Whether anybody counted how often rows were trained.
    """

    anchor: str
    name: str
    rows: str
    dimension: str
    size: str
    columns: Sequence[str]
    health: Sequence[Fact]
    warm_start: str | None
    pictures: Sequence[Illustration]
    neighbourhoods: Sequence[Neighbourhood]
    is_counted: bool

    def fact(self, name: str) -> str:
        """Returns the text of a fact, or the empty string."""
        return next((fact.text for fact in self.health if fact.name == name), "")


def parts(files: Files, tables: Sequence[Table], pictures: Mapping[str, Sequence[Illustration]]) -> list[Part]:
    """Returns the parts of a page about tables."""
    anchors = file_names([table.name for table in tables])
    return [
        Part(
            anchor=f"table-{anchor}",
            name=table.name,
            rows=f"{table.rows:,}",
            dimension=f"{table.dimension:,}",
            size=quantity(table.values.nbytes),
            columns=_columns(table, files.entries.get(table.name)),
            health=_health(table, files.entries.get(table.name)),
            warm_start=started(files.warm_start.get(table.name)),
            pictures=pictures.get(table.name, ()),
            neighbourhoods=neighbourhoods(table),
            is_counted=table.counts is not None,
        )
        for anchor, table in zip(anchors, tables, strict=True)
    ]


def _columns(table: Table, entry: Entry | None) -> Sequence[str]:
    if entry is not None:
        return entry.columns
    return () if table.column is None else (table.column.name,)


def _health(table: Table, entry: Entry | None) -> list[Fact]:
    if entry is None:
        return []
    told = dataclasses.asdict(entry.health)
    return [fact_of(name, value, table) for name, value in told.items() if name != "rows" and value is not None]


def fact_of(name: str, value: Any, table: Table) -> Fact:
    """Returns what a field of `Health` tells of a table; a field that nobody has found words for keeps its name.

    Example:
        >>> import numpy as np
        >>> fact_of("rows_never_trained", 3, Table("hour", np.eye(24))).text
        '3 of 24 (12 %)'
        >>> fact_of("rows_on_the_moon", 3, Table("hour", np.eye(24)))
        Fact(name='rows on the moon', text='3', is_warning=False)
    """
    if name not in _FACTS:
        return Fact(words(name), number(value))
    title, text, is_warning = _FACTS[name]
    if not is_finite(value):
        return Fact(title, number(value))
    return Fact(title, text(value, table), is_warning(value, table))


def _of_rows(count: Any, table: Table) -> str:
    return f"{count:,} of {table.rows:,} ({share(count / table.rows)})" if count else "none"


def _rank(rank: Any, table: Table) -> str:
    return f"{rank:.1f} of {table.dimension:,}"


def _share(value: Any, table: Table) -> str:
    return share(value)


def _number(value: Any, table: Table) -> str:
    return f"{value:.3g}"


def _never(value: Any, table: Table) -> bool:
    return False


def _some(value: Any, table: Table) -> bool:
    return bool(value)


def _most(value: Any, table: Table) -> bool:
    return bool(value > table.rows / 2)


def _narrow(value: Any, table: Table) -> bool:
    return bool(table.dimension >= 4 and value < table.dimension / 4 and table.rows > table.dimension)


_Text: TypeAlias = Callable[[Any, Table], str]
_Test: TypeAlias = Callable[[Any, Table], bool]
_FACTS: Mapping[str, tuple[str, _Text, _Test]] = {
    "rows_never_trained": ("rows never trained", _of_rows, _most),
    "rows_trained_under_5": ("rows trained 1 to 4 times", _of_rows, _most),
    "rows_not_finite": ("rows that are not finite", _of_rows, _some),
    "effective_rank": ("dimensions used", _rank, _narrow),
    "largest_norm": ("longest trained row", _number, _never),
    "smallest_norm": ("shortest trained row", _number, _never),
    "out_of_vocabulary_train": ("out of vocabulary, training", _share, _never),
    "out_of_vocabulary_validation": ("out of vocabulary, validation", _share, _never),
    "out_of_vocabulary_test": ("out of vocabulary, test", _share, _never),
}


def started(report: Any) -> str | None:
    """Returns what a table has taken from its source, as warm_start.json tells it, in a sentence."""
    if not isinstance(report, Mapping):
        return None
    tensor, source = report.get("tensor"), report.get("source")
    start = f"Started from {source}" if tensor is None else f"Started from {tensor} in {source}"
    counts = [
        f"{number(report.get('matched'))} of {number(report.get('rows'))} rows matched by {report.get('by', 'key')}",
        f"{number(report.get('new', 0))} new",
        f"{number(report.get('dropped', 0))} of the source dropped",
    ]
    of_rows = report.get("matched_share_of_training_rows")
    if is_finite(of_rows):
        counts.append(f"{share(of_rows)} of the training rows have a matched key")
    return f"{start}: {'; '.join(counts)}."
