"""Bytes and rows: what a table takes, how many of its rows a batch uses, what travels. Bytes, not bits, throughout."""

import math
from itertools import pairwise

_HEAD, _BLOCKS = 2000, 400
"""Ranks of a Zipf distribution that are added one by one, and blocks of those after them."""


def weight_bytes(rows: int, dimension: int, storage_dtype: str = "float32") -> int:
    """Returns the bytes of a table: rows · dimension · 4, or · 2 in bfloat16.

    Example:
        >>> weight_bytes(1_000_000_000, 32), weight_bytes(1_000_000_000, 32, "bfloat16")
        (128000000000, 64000000000)
    """
    return rows * dimension * (2 if storage_dtype == "bfloat16" else 4)


def slot_bytes(rows: int, dimension: int, optimizer: str) -> int:
    """Returns the bytes of what an optimizer keeps of a table, always float32.

    That is 4 · rows · numbers: dimension for Adagrad, 2 · dimension for LazyAdam and Ftrl, 1 for RowWiseAdagrad, 0 for
    SGD without momentum.

    Example:
        >>> slot_bytes(1_000_000_000, 32, "RowWiseAdagrad"), slot_bytes(1_000_000_000, 32, "LazyAdam")
        (4000000000, 256000000000)
    """
    numbers = {"Adagrad": dimension, "LazyAdam": 2 * dimension, "Ftrl": 2 * dimension, "RowWiseAdagrad": 1, "SGD": 0}
    return 4 * rows * numbers[optimizer]


def different(rows: int, ids: float, zipf: float = 0.0) -> float:
    """Returns how many different rows are expected among ids that are drawn: the sum over rows of `1 - (1 - p)^ids`.

    Args:
        rows: Of the table.
        ids: How many are drawn.
        zipf: The row of rank k has a share p proportional to `k^-zipf`; 0 gives each `1 / rows`.

    Example:
        >>> round(different(1_000_000, 8192)), round(different(100, 8192)), round(different(1_000_000, 8192, 1.1))
        (8159, 100, 3133)
    """
    if zipf == 0:
        return _met(1 / rows, ids) * rows
    ranks = _ranks(rows)
    total = sum(count * rank**-zipf for rank, count in ranks)
    return sum(count * _met(rank**-zipf / total, ids) for rank, count in ranks)


def _met(share: float, ids: float) -> float:
    return 1.0 if share >= 1 else -math.expm1(ids * math.log1p(-share))


def _ranks(rows: int) -> list[tuple[float, int]]:
    """Returns ranks and how many each stands for: the first ones themselves, then the middles of growing blocks."""
    found = [(float(rank), 1) for rank in range(1, min(rows, _HEAD) + 1)]
    edges = sorted({round(_HEAD * (rows / _HEAD) ** (n / _BLOCKS)) for n in range(_BLOCKS + 1)}) if rows > _HEAD else []
    found += [(math.sqrt((low + 1) * high), high - low) for low, high in pairwise(edges)]
    return found


def row_bytes(dimension: int) -> int:
    """Returns what a row takes that workers in step send each other: 4 bytes of id and 4 a number.

    Example:
        >>> row_bytes(32)
        132
    """
    return 4 + 4 * dimension


def gathered_bytes(rows: float, dimension: int, workers: int) -> float:
    """Returns what a worker sends so that each has the rows of all: `(workers - 1) · rows · (4 + 4 · dimension)`.

    Args:
        rows: Different ones in its share of the batch.
        dimension: Numbers of a row.
        workers: In step.

    Example:
        >>> gathered_bytes(128, 32, 32)
        523776
    """
    return (workers - 1) * rows * row_bytes(dimension)


def summed_bytes(numbers: float, workers: int) -> float:
    """Returns what a worker sends so that each has the sum of all: `2 · (workers - 1) / workers · 4 · numbers`.

    Example:
        >>> summed_bytes(4225, 2)
        16900.0
    """
    return 2 * (workers - 1) / workers * 4 * numbers


def whole_numbers(rows: int, dimension: int) -> int:
    """Returns the numbers of a table's gradient that travels whole: its rows, each with how often it was used.

    Example:
        >>> whole_numbers(168, 16)
        2856
    """
    return rows * (dimension + 1)


def served_bytes(rows: float, dimension: int) -> float:
    """Returns what travels between a worker and the servers of a table in a step: rows · (16 + 8 · dimension).

    The worker asks with ids of 8 bytes and gets rows; it sends the ids again, with the gradients of the rows.

    Example:
        >>> served_bytes(4096, 32)
        1114112
    """
    return rows * (16 + 8 * dimension)
