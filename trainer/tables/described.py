"""What a table tells of its rows, whether it comes from a model or from a folder."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

_SEPARATOR = re.compile(r"\s*[|;]\s*")
_Array = np.ndarray[Any, np.dtype[Any]]


class Described(Protocol):
    """A table whose rows can be shown: `Table` and `StoredTable` are."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def values(self) -> _Array:
        """`(rows, dimension)` floats."""

    @property
    def counts(self) -> _Array | None:
        """`(rows,)` whole numbers: the training examples that held each key; None where nobody counted."""

    @property
    def details(self) -> Mapping[str, Sequence[str]]:
        """What more is known of the rows, by name: `(rows,)` texts."""

    @property
    def title(self) -> str | None:
        """The name of the detail that a person knows a row by; None is the label."""

    @property
    def pictures(self) -> _Array | None:
        """`(rows, height, width)` grey, or with 3 colours after that, uint8; None where there are none."""

    @property
    def rows(self) -> int:
        """The number of keys."""

    @property
    def dimension(self) -> int:
        """The floats of a row."""

    @property
    def trained(self) -> _Array:
        """Tells for each row whether training held its key; `(rows,)`, all true where nobody counted."""

    def labels_of(self, rows: Iterable[int]) -> list[str]:
        """Returns what some rows stand for, as one string each."""

    def fields_of(self, rows: Iterable[int]) -> dict[str, list[str]]:
        """Returns what some rows stand for, by raw feature key."""

    def titles_of(self, rows: Iterable[int]) -> list[str]:
        """Returns what a person knows some rows by: the title where there is one, and else the label."""


def first_values(texts: Sequence[str]) -> list[str] | None:
    """Returns the first value of each text, where most have several, with "|" or ";" between; else None.

    Example:
        >>> first_values(["Drama|War", "Comedy | Drama", "War"]), first_values(["a", "b|c"])
        (['Drama', 'Comedy', 'War'], None)
    """
    if sum(_SEPARATOR.search(text) is not None for text in texts) * 2 <= len(texts):
        return None
    return [_SEPARATOR.split(text, maxsplit=1)[0] for text in texts]


def titles_of(table: Described, rows: Iterable[int]) -> list[str]:
    """Returns what a person knows some rows of a table by: the title where there is one, and else the label."""
    rows = list(rows)
    if table.title is None:
        return table.labels_of(rows)
    titles = table.details[table.title]
    return titled([titles[row] for row in rows], rows, table.labels_of)


def given_titles(table: Described) -> _Array | None:
    """Returns the titles of all rows of a table, labels in place of blank ones; None where it has no titles."""
    return None if table.title is None else np.array(titles_of(table, range(table.rows)), object)


def titled(titles: Sequence[str], rows: Sequence[int], labels_of: Callable[[list[int]], list[str]]) -> list[str]:
    """Returns the titles of some rows, and in place of each that is blank the label.

    Example:
        >>> titled(["Heat", " "], [7, 9], lambda rows: [f"film {row}" for row in rows])
        ['Heat', 'film 9']
    """
    missing = [row for row, title in zip(rows, titles, strict=True) if not title.strip()]
    labels = dict(zip(missing, labels_of(missing), strict=True))
    return [labels.get(row) or title for row, title in zip(rows, titles, strict=True)]
