"""Finding what a person means by a title: case, accents, punctuation, articles and the year are no matter."""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from trainer.errors import Refusal
from trainer.recommendation.names import names_of, ordered, spelled, without_article, year_of
from trainer.terminal import shown

_SUGGESTED = 3
_SEARCHED = 50_000
"""Among how many titles, those of the most people, one is looked for that looks like what was written."""


@dataclass(frozen=True)
class Meant:
    """What a text was taken for.

    Args:
        text: What a person wrote.
        row: Of the table.
        others: Rows that it could mean too, those of more people first.
    """

    text: str
    row: int
    others: tuple[int, ...] = ()


class Titles:
    """The titles of a table's rows, to be found by what a person writes.

    Args:
        keys: What stands for each row in the data.
        titles: What a person knows each row by.
        counts: Of each row, how many people have it; None where nobody counted.
        years: Of each row, where its title does not tell it; None where nobody knows.

    Example:
        >>> films = Titles(["4886", "8961"], ["Monsters, Inc. (2001)", "Incredibles, The (2004)"])
        >>> films.meant("the incredibles").row, films.meant("monsters inc").row, films.meant("8961").row
        (1, 0, 1)
    """

    def __init__(
        self,
        keys: Sequence[str],
        titles: Sequence[str],
        counts: Any = None,
        years: Sequence[str] | None = None,
    ) -> None:
        self.keys, self.titles = keys, titles
        self._counts, self._years = np.zeros(len(keys)) if counts is None else np.asarray(counts), years

    def meant(self, text: str) -> Meant:
        """Returns the row that a person means: by its key, else by its title, else by the one title so begun.

        Of several of one title, that of the most people is taken.

        Raises:
            Refusal: There is none, or several titles begin so.
        """
        by_key, by_title = self._by_key.get(text.strip()), self._by_title(text)
        if by_key is not None:
            return Meant(text, by_key, tuple(row for row in by_title if row != by_key))
        if by_title:
            return Meant(text, by_title[0], tuple(by_title[1:]))
        begun = self._begun(text)
        if len(begun) == 1:
            return Meant(text, begun[0])
        if begun:
            raise Refusal(
                f"{len(begun):,} titles begin with '{shown(text)}'; write one of them out, such as "
                f"{self._named(begun[:_SUGGESTED])}."
            )
        raise Refusal(f"there is no '{shown(text)}' among {len(self.keys):,} titles{self._like(text)}")

    @cached_property
    def _by_key(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self.keys)}

    @cached_property
    def _rows(self) -> dict[str, list[int]]:
        """The rows of each name, as it is spelled, with its article and without."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for row, title in enumerate(self.titles):
            for name in dict.fromkeys(_spellings(names_of(title))):
                found[name].append(row)
        return dict(found)

    def _by_title(self, text: str) -> list[int]:
        """Returns the rows of a title; those whose name is written with the same article come alone, if there are."""
        for name in _spellings([next(names_of(text))]):
            rows = self._of_year(self._rows.get(name, ()), year_of(text))
            if rows:
                return self._first(rows)
        return []

    def _begun(self, text: str) -> list[int]:
        start = spelled(without_article(next(names_of(text))))
        rows = {row for name, rows in self._rows.items() if name.startswith(start) for row in rows} if start else ()
        return self._first(self._of_year(rows, year_of(text)))

    def _of_year(self, rows: Iterable[int], year: str | None) -> list[int]:
        return [row for row in rows if year is None or year == self._year(row)]

    def _year(self, row: int) -> str | None:
        return year_of(self.titles[row]) or (None if self._years is None else self._years[row])

    def _first(self, rows: Iterable[int]) -> list[int]:
        return sorted(set(rows), key=lambda row: (-self._counts[row], row))

    def _like(self, text: str) -> str:
        """Returns the end of a sentence that suggests what looks like it."""
        name, whole, begun = spelled(without_article(next(names_of(text)))), {}, {}
        most = np.argsort(-self._counts, kind="stable")[:_SEARCHED].tolist()
        for row in reversed(most):
            for each in map(spelled, map(without_article, names_of(self.titles[row]))):
                whole[each] = begun[each[: len(name) + 1]] = row  # it may be a beginning that was written
        known = {**begun, **whole}
        rows = [known[each] for each in difflib.get_close_matches(name, known, n=2 * _SUGGESTED)]
        if not rows:
            return "; write one of them, or its id."
        return f"; did you mean {self._named(list(dict.fromkeys(rows))[:_SUGGESTED])}?"

    def _named(self, rows: Sequence[int]) -> str:
        names = [f"'{shown(self.titles[row])}'" for row in rows]
        return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _spellings(names: Iterable[str]) -> list[str]:
    names = list(names)
    return [name for name in map(spelled, [*map(ordered, names), *map(without_article, names)]) if name]
