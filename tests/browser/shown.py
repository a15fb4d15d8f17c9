"""Tables that the page is to show: small, flat, big, and of labels that no page likes."""

from typing import Any

import numpy as np

from trainer import feature_column as fc
from trainer.tables import Table

Array = np.ndarray[Any, np.dtype[Any]]

MOST = 100_000
"""The page asks for no more points than these."""


def points(rows: int, dimension: int, seed: int) -> Array:
    """Returns `(rows, dimension)` float32 values around a middle that is not the origin."""
    return np.random.default_rng(seed).normal(1, 2, (rows, dimension)).astype(np.float32)


def numbered(name: str, rows: int, dimension: int, word: str | None = None) -> Table:
    """Returns a table of the keys `NAME 0`, `NAME 1` and so on, or of another word and a number."""
    column = fc.categorical_column_with_vocabulary_list("key", [f"{word or name} {row}" for row in range(rows)])
    return Table(name, points(rows, dimension, rows), fc.embedding_column(column, dimension, name=name))


WILD_LABELS = {
    "": "(blank)",
    "a\ttab": "a\\ttab",
    "a\nline": "a\\nline",
    "half a pair \udc80": "half a pair ?",
    "twice": "twice",
    "東京": "東京",
    "עברית": "עברית",
    "naïve 🚀": "naïve 🚀",
    "constructor": "constructor",
    "007": "word 007",  # the page would make it 7
    "1e5": "word 1e5",
    "__proto__": "__proto__",
    "<b>bold</b>": "<b>bold</b>",
    "[[item.label]]": "[[item.label]]",
    "long " * 2000 + "end": "long " * 2000 + "end",
}
"""What a label is, and what the page shows for it."""


def _wild() -> Table:
    labels = [*WILD_LABELS, "twice", *(f"plain {row}" for row in range(20))]
    # Keys differ, labels need not; where the label is blank, a key that is blank too stands for it.
    keys = ["", *(f"key {row}" for row in range(1, len(labels)))]
    column = fc.embedding_column(fc.categorical_column_with_vocabulary_list("key", keys), 8, name="wild")
    return Table("wild", points(len(keys), 8, 1), column, details={"word": labels}, title="word")


def _big() -> Table:
    # The page reads labels in pieces of a million bytes, in which no letter may be cut in two.
    table = numbered("big", 120_000, 8, "большая таблица")
    counts = np.random.default_rng(2).permutation(table.rows)
    return Table("big", table.values, table.column, counts)


PLANE = numbered("plane", 40, 2)
THREE = numbered("three", 3, 4)
SEVEN = numbered("seven", 7, 4)
WIDE = numbered("wide", 60, 64)
WILD = _wild()
BIG = _big()
TABLES = [PLANE, THREE, SEVEN, WIDE, WILD]


def most_frequent(table: Table) -> Array:
    """Returns the rows of a table that the page shows, `(at most 100,000,)`, in the table's order."""
    if table.counts is None:
        return np.arange(table.rows)[:MOST]
    return np.sort(np.argsort(-table.counts)[:MOST])


def cosine_distances(values: Array, row: int) -> Array:
    """Returns the cosine distance of each row from one, `(rows,)`."""
    exact = values.astype(np.float64)  # (rows, dimension)
    norms = np.linalg.norm(exact, axis=1)  # (rows,)
    return np.asarray(1 - exact @ exact[row] / (norms * norms[row]))
