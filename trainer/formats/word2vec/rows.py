"""Rows of word2vec binary in a block of bytes: a key, a blank and little-endian float32."""

from typing import Any

import numpy as np

Matrix = np.ndarray[Any, np.dtype[np.float32]]
Rows = tuple[list[str], Matrix]


def blanks(data: bytes, limit: int, dimension: int) -> tuple[list[int], int]:
    """Returns where the keys of whole rows end, `limit` at most, and where the last of these rows ends."""
    found: list[int] = []
    end, step, last = 0, 4 * dimension + 1, len(data) - 4 * dimension - 1
    # Where a row ends hangs on the one before it: the only loop over rows.
    for _ in range(limit):
        blank = data.find(b" ", end)
        if blank < 0 or blank > last:
            break
        found.append(blank)
        end = blank + step
    return found, end


def parsed(data: bytes, found: list[int], dimension: int) -> tuple[list[bytes], Matrix]:
    """Returns the keys and vectors of rows whose keys end in some places."""
    width = 4 * dimension
    if not found:
        return [], np.empty((0, dimension), np.float32)
    keys = [data[start:end] for start, end in zip([0, *(blank + 1 + width for blank in found)], found, strict=False)]
    # Every byte of the block may begin a vector; those that do are copied out, whatever they are aligned to.
    windows = np.ndarray((len(data) - width + 1,), f"V{width}", data, strides=(1,))
    values = windows[np.array(found) + 1].view("<f4").reshape(len(found), dimension)
    return keys, values.astype(np.float32, copy=False)
