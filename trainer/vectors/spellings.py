"""The words of a table as questions spell them, the most frequent first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.tables.table import Array
from trainer.tables.texts import Texts

if TYPE_CHECKING:
    from trainer.vectors.labelled import LabelledVectors

Most = int | None
"""How many of the most frequent rows take part; None is all."""


@dataclass(frozen=True, eq=False)
class Spellings:
    """Some rows of a table, the most frequent first, and the words that name them.

    Args:
        rows: `(words,)`: the numbers of the rows.
        owners: `(words,)`: for each the place, among `rows`, of the most frequent one that is spelt the same; that of a
            word with one spelling is its own.
        places: By a word, the place of the most frequent row that is spelt so.
        spelt: Makes of a word what it is looked up by.
    """

    rows: Array
    owners: Array
    places: dict[str, int]
    spelt: Callable[[str], str]

    def place(self, word: str) -> int:
        """Returns the place of a word, spelt as it is looked up; -1 where it is none of them."""
        return self.places.get(word, -1)


def spellings(vectors: "LabelledVectors", known: Array, restrict_vocab: Most, case_insensitive: bool) -> Spellings:
    """Returns the most frequent rows of a table and what they are called.

    Args:
        vectors: The table. Where nobody counted how often its keys occur, their order says it.
        known: `(rows,)`: which rows were trained and are finite; the others are out of vocabulary.
        restrict_vocab: How many rows at most; None takes all.
        case_insensitive: Whether words are the same that upper case makes the same.
    """
    rows = np.flatnonzero(known)
    if vectors.counts is not None:
        rows = rows[np.argsort(-vectors.counts[rows].astype(np.int64), kind="stable")]
    rows = rows[:restrict_vocab]
    spelt = str.upper if case_insensitive else str
    places: dict[str, int] = {}
    owners = [places.setdefault(spelt(key), place) for place, key in enumerate(Texts(vectors.keys.texts).of(rows))]
    return Spellings(rows, np.array(owners, np.int64), places, spelt)


def units(values: Array) -> Array:
    """Returns rows at length 1, `(rows, dimension)` float32; one without a length stays as it is."""
    lengths = np.linalg.norm(values.astype(np.float64), axis=1, keepdims=True)  # (rows, 1)
    return (values / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)
