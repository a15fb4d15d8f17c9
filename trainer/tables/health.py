"""What can be told of a table from its values and its counts alone."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trainer.tables.table import Array, Table

_BLOCK = 262_144
"""Rows cast to double precision at a time, so that a table of millions of rows is not copied whole."""


@dataclass(frozen=True)
class Health:
    """How well a table was trained.

    Args:
        rows: The number of keys.
        rows_never_trained: Keys that no training example held; None where nobody counted.
        rows_trained_under_5: Keys that 1 to 4 training examples held; None where nobody counted.
        rows_not_finite: Rows with a NaN or without a finite length; the numbers below leave them out.
        effective_rank: Of the trained rows, from 1 to the dimension; None where none of them has a length.
        largest_norm: Of a trained row; None where there is none.
        smallest_norm: Of a trained row; None where there is none.
        out_of_vocabulary_train: The share of the training examples that hold a value in no vocabulary of the table;
            None where nobody counted, or every value has a row.
        out_of_vocabulary_validation: That of the validation examples.
        out_of_vocabulary_test: That of the test examples.
    """

    rows: int
    rows_never_trained: int | None
    rows_trained_under_5: int | None
    rows_not_finite: int
    effective_rank: float | None
    largest_norm: float | None
    smallest_norm: float | None
    out_of_vocabulary_train: float | None = None
    out_of_vocabulary_validation: float | None = None
    out_of_vocabulary_test: float | None = None


def health_of(table: Table) -> Health:
    """Returns the health of a table.

    Example:
        >>> found = health_of(Table("hour", np.eye(3), counts=np.array([9, 1, 0])))
        >>> found.rows_never_trained, found.rows_trained_under_5, found.effective_rank
        (1, 1, 2.0)
    """
    norms = _norms(table.values)  # (rows,)
    finite = np.isfinite(norms)
    trained = table.trained & finite
    counts = table.counts
    return Health(
        rows=table.rows,
        rows_never_trained=None if counts is None else int((counts == 0).sum()),
        rows_trained_under_5=None if counts is None else int(((counts > 0) & (counts < 5)).sum()),
        rows_not_finite=int((~finite).sum()),
        effective_rank=effective_rank(table.values, trained),
        largest_norm=_rounded(norms[trained].max()) if trained.any() else None,
        smallest_norm=_rounded(norms[trained].min()) if trained.any() else None,
        **{f"out_of_vocabulary_{data}": _rounded(share) for data, share in table.out_of_vocabulary.items()},
    )


def effective_rank(values: Array, rows: Array | None = None) -> float | None:
    """Returns `exp(H)`, H the entropy of the singular values divided by their sum.

    It is 1 where all rows are multiples of one another, and the dimension where they lie in all directions alike.

    Args:
        values: `(rows, dimension)` numbers.
        rows: `(rows,)` booleans: those that count, all of them finite; None is all.

    Returns:
        From 1 to `min(rows, dimension)`; None where all values are zero.

    Source:
        Olivier Roy and Martin Vetterli, "The effective rank: a measure of effective dimensionality", 2007.

    Example:
        >>> effective_rank(np.eye(4)), effective_rank(np.ones((5, 4)))
        (4.0, 1.0)
    """
    largest = max((float(np.abs(block).max(initial=0)) for block in _blocks(values, rows)), default=0) or 1.0
    gram = np.zeros((values.shape[1], values.shape[1]))  # (dimension, dimension)
    for block in _blocks(values, rows):
        gram += (block / largest).T @ (block / largest)
    squares = np.linalg.eigvalsh(gram)
    # What is lost to rounding in the sum of products is no direction of its own.
    squares = squares[squares > squares.max(initial=0) * 1e-12]
    if not squares.size:
        return None
    shares = np.sqrt(squares) / np.sqrt(squares).sum()
    return _rounded(np.exp(-(shares * np.log(shares)).sum()))


def _norms(values: Array) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):  # a length that is not finite is what is asked for
        return np.concatenate([np.zeros(0), *(np.linalg.norm(block, axis=1) for block in _blocks(values))])


def _blocks(values: Array, rows: Array | None = None) -> Iterator[Array]:
    for start in range(0, len(values), _BLOCK):
        block = values[start : start + _BLOCK].astype(np.float64)
        yield block if rows is None else block[rows[start : start + _BLOCK]]


def _rounded(number: float) -> float:
    return float(f"{float(number):.6g}")
