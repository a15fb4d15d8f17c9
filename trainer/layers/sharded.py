"""The rows of a table that lies on parameter servers: made there, and looked up from there."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.segments import segment_sums
from trainer.tables.sharded import Part, write
from trainer.warm_start import Start


def fill(parts: Sequence[Part], drawn: Callable[[Any], Any], block: int) -> None:
    """Gives a table the rows that it starts from; they are drawn where they will lie.

    Args:
        parts: Of the table.
        drawn: Returns what the initializer draws for rows, given their numbers.
        block: How many are drawn at a time: the same number gives the same rows, however many servers there are.
    """
    rows = parts[-1].last
    for part in parts:
        for first in range(-(-part.first // block) * block, part.last, block):
            ids = np.arange(first, min(first + block, rows))
            with tf.device(part.variable.device):
                values = drawn(ids)
            write(parts, ids, values)  # the last ones may be another server's


def take(parts: Sequence[Part], start: Start, drawn: Callable[[Any], Any]) -> None:
    """Gives a table the rows of another, some at a time.

    Args:
        parts: Of the table.
        start: What it starts from.
        drawn: Returns what the initializer draws for rows, given their numbers.
    """
    for first, values in start.blocks():
        write(parts, np.arange(first, first + values.shape[0]), values)
    for rows, own in start.remaining(drawn):
        write(parts, rows, tf.convert_to_tensor(own))


def lookup(parts: Sequence[Part], keys: Any, dtype: Any) -> Any:
    """Returns rows of a table, `(n, dimension)`, each of which comes over the network once.

    Args:
        parts: Of the table.
        keys: Which rows, `(n,)`.
        dtype: Of the result.
    """
    different, places = tf.unique(keys)  # (unique,), (n,)
    if len(parts) == 1:
        found = tf.gather(parts[0].variable, different)  # runs where the variable lies, as do those below
    else:
        limits = tf.constant([part.first for part in parts[1:]], different.dtype)
        owners = tf.searchsorted(limits, different, side="right")  # (unique,)
        count = len(parts)
        own = tf.dynamic_partition(different, owners, count)
        where = tf.dynamic_partition(tf.range(tf.size(different)), owners, count)
        rows = [
            tf.gather(part.variable, ids - tf.cast(part.first, ids.dtype)) for part, ids in zip(parts, own, strict=True)
        ]
        found = tf.dynamic_stitch(where, rows)  # (unique, dimension)
    return _spread(tf.cast(found, dtype), places)  # (n, dimension)


@tf.custom_gradient
def _spread(rows: Any, places: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Returns the row at each place; the gradient of a row is the sum of those of its places."""
    count = tf.shape(rows)[0]

    def gradient(upstream: Any) -> Any:
        return segment_sums(upstream, places, count), None

    return tf.gather(rows, places), gradient
