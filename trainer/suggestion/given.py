"""What is known of a column when it is asked what becomes of it."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.analysis.column import Column
from trainer.suggestion.information import Target, Told, told
from trainer.suggestion.part import Names

Array = np.ndarray[Any, Any]

TELLS = 0.002
"""Bits a row that are worth something."""


@dataclass(frozen=True)
class Given:
    """What is known of a column when it is asked what becomes of it.

    Args:
        column: From the analysis.
        texts: Of the rows of a sample that have a label, an Arrow array of strings.
        target: The label of these rows.
        names: Gives names to what is made of it.
    """

    column: Column
    texts: Any
    target: Target
    names: Names

    @functools.cached_property
    def variable(self) -> str:
        """The column's name in Python."""
        return self.names.variable(self.column.name)

    @functools.cached_property
    def by_value(self) -> Array:
        """A code for each different value, `(rows,)`."""
        return np.asarray(self.texts.dictionary_encode().indices.to_numpy()).astype(np.int64)

    def by_range(self, ranges: int) -> Array:
        """A code for each range of numbers of about as many rows, 0 for what is none, `(rows,)`."""
        numbers = self.numbers
        known = numbers[~np.isnan(numbers)]
        if not len(known):
            return np.zeros(len(numbers), np.int64)
        edges = np.unique(np.quantile(known, np.arange(1, ranges) / ranges, method="higher"))
        return np.where(np.isnan(numbers), 0, 1 + np.searchsorted(edges, numbers, side="right")).astype(np.int64)

    @functools.cached_property
    def numbers(self) -> Array:
        """The texts as numbers, NaN for what is none, `(rows,)`."""
        return numbers_of(self.texts)

    def told(self, codes: Array) -> Told:
        """Returns what codes tell of the label."""
        return told(self.target, codes)


def numbers_of(texts: Any) -> Array:
    """Returns texts as numbers, NaN for what is none."""
    plain = pc.utf8_trim_whitespace(texts)
    is_number = pc.match_substring_regex(plain, r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$")
    numbers = pc.if_else(is_number, plain, None).cast(pa.float64())
    return np.asarray(pc.fill_null(numbers, float("nan")).to_numpy(zero_copy_only=False))
