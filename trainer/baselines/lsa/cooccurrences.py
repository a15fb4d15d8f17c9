"""How often ids stand near each other in sequences, counted part by part in bounded memory."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import scipy.sparse

from trainer.inputs.cache import AnyExamples

Array = np.ndarray[Any, Any]

PAIRS = 1 << 22
"""About how many pairs are sorted at a time; each takes some 40 bytes."""


def of_examples(examples: AnyExamples, key: str, size: int, window: int) -> Any:
    """Returns how often ids stand near each other in encoded sequences, as `cooccurrences` does.

    Args:
        examples: One a sequence.
        key: Of the encoded sequences.
        size: How many ids there are.
        window: How far apart two ids may stand.
    """
    return cooccurrences((sequences(part.features[key]) for part in examples.parts()), size, window)


def sequences(ids: Any) -> tuple[Array, Array]:
    """Returns sequences without what is missing in them: all ids, one after the other, and where each sequence ends.

    Args:
        ids: Whole numbers `(sequences, None)`, ragged or filled up with -1, which is none.

    Returns:
        `(n,)` and `(sequences,)`.

    Example:
        >>> [each.tolist() for each in sequences(np.array([[5, -1, 2], [-1, -1, -1], [7, -1, -1]]))]
        [[5, 2, 7], [2, 2, 3]]
    """
    if hasattr(ids, "flat_values"):
        flat, ends = np.asarray(ids.flat_values), np.asarray(ids.row_splits)[1:]
    else:
        flat, ends = np.reshape(ids, -1), np.arange(1, len(ids) + 1) * np.shape(ids)[1]
    there = flat >= 0
    if there.all():
        return flat, ends
    return flat[there], np.concatenate([[0], np.cumsum(there)])[ends]


def cooccurrences(parts: Iterable[tuple[Array, Array]], size: int, window: int, pairs: int = PAIRS) -> Any:
    """Returns how often ids stand near each other, a near one counting for more than one farther away.

    Two ids of a sequence that are `d` apart count `(window - d + 1) / window`. It is how often they are in one window
    on average where each is drawn uniformly from 1 to the largest, as skip-gram draws them.

    What is held at a time are some pairs of places, and the numbers of different pairs of ids at most twice.

    Args:
        parts: Sequences as `sequences` returns them.
        size: How many ids there are.
        window: How far apart two ids may stand, from 1 on.
        pairs: About how many pairs of places are sorted at a time.

    Returns:
        A sparse matrix `(size, size)`, symmetric; it does not depend on how the sequences are parted.

    Example:
        >>> parts = [(np.array([0, 1, 2]), np.array([3]))]
        >>> cooccurrences(parts, size=3, window=2).toarray().tolist()
        [[0.0, 1.0, 0.5], [1.0, 0.0, 1.0], [0.5, 1.0, 0.0]]

    Source:
        Omer Levy, Yoav Goldberg and Ido Dagan, "Improving distributional similarity with lessons learned from word
        embeddings", 2015: dynamic context windows.
    """
    length = max(1, pairs // window)
    sums: list[Any] = [scipy.sparse.csr_array((size, size), dtype=np.int64)]
    for ids, ends in parts:
        for near, numbers in _pieces(ids, ends, length, window):
            sums.append(_summed(near, numbers, length, size, window))
            # Sums of about the same size are added, so that each number is moved a few times only.
            while len(sums) > 1 and sums[-1].nnz * 2 >= sums[-2].nnz:
                sums.append(sums.pop() + sums.pop())
    half = sum(reversed(sums[:-1]), start=sums[-1])
    half.data = half.data / window
    return half + half.T


def _pieces(ids: Array, ends: Array, length: int, window: int) -> Iterator[tuple[Array, Array]]:
    """Yields so many ids at a time, and after them the first of the next piece that are in a window with them.

    With each goes a number that tells of two ids whether they are of one sequence.
    """
    for start in range(0, len(ids), length):
        near = ids[start : start + length + window].astype(np.int64)
        first, last = np.searchsorted(ends, [start, start + len(near)], side="right")
        begun = np.bincount(ends[first:last] - start, minlength=len(near))  # how many sequences begin at each place
        yield near, np.cumsum(begun[: len(near)])


def _summed(near: Array, numbers: Array, length: int, size: int, window: int) -> Any:
    """Returns `window` times how often ids stand near each other, of pairs that begin within a length.

    Args:
        near: Ids, `(n,)`.
        numbers: Of their sequences, `(n,)`.
        length: How many of them begin a pair.
        size: How many ids there are.
        window: How far apart two ids may stand.

    Returns:
        A sparse matrix of whole numbers `(size, size)`: each pair once, at the smaller id and the larger one.
    """
    bits, found = window.bit_length(), []
    for apart in range(1, window + 1):
        count = min(length, max(0, len(near) - apart))
        left, right = near[:count], near[apart : apart + count]
        is_pair = numbers[:count] == numbers[apart : apart + count]
        left, right = left[is_pair], right[is_pair]
        # A pair and its weight as one number: numbers are sorted much faster than places of them.
        keys = np.minimum(left, right) * size + np.maximum(left, right)
        found.append(keys << bits | (window - apart + 1))
    keys = np.concatenate(found)
    keys.sort()
    weights = keys & ((1 << bits) - 1)
    keys >>= bits
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    sums = np.add.reduceat(weights, starts) if len(starts) else weights
    rows, columns = np.divmod(keys[starts], size)
    ends = np.cumsum(np.bincount(rows, minlength=size))
    kind = np.int32 if max(size, len(sums)) < 2**31 else np.int64  # SciPy keeps what it is given
    places = columns.astype(kind), np.concatenate([[0], ends]).astype(kind)
    return scipy.sparse.csr_array((sums, *places), shape=(size, size))
