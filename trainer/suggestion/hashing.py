"""How many buckets a hashed column gets, by the collisions of the values that are counted."""

import numpy as np

from trainer.analysis.column import Column
from trainer.vocabulary.distinct import fingerprints
from trainer.vocabulary.sharing import shared_share

MOST_BUCKETS = 1 << 22
WANTED = 0.2
"""The share of rows in a bucket of several values that is borne, for a table of not too many rows."""


def size_of(column: Column) -> tuple[int, float]:
    """Returns a number of buckets, a power of two, and the share of the counted rows that share theirs with others.

    Args:
        column: Whose values are texts or whole numbers.
    """
    hashes = fingerprints(column.values)
    size = 1 << int(np.ceil(np.log2(max(column.different, 1024))))
    while True:
        share = shared_share((hashes % np.uint64(size)).astype(np.int64), column.counts)
        if share < WANTED or size >= MOST_BUCKETS:
            return size, share
        size *= 2
