"""Which ids of sequences are centres, how far their windows reach, and in which blocks they are worked on."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

_LEAST_TILE = 16
"""Of fewer places a product of matrices costs more than it computes."""

_KEEPING, _REACHING, DRAWING = range(3)
"""What random numbers of one step are drawn for."""


@dataclass(frozen=True)
class Shape:
    """How the places of sequences, one after the other, are divided.

    Args:
        window: How far the widest window reaches.
        tile: Places whose windows are looked at together; no window reaches over the next one.
        block: Places that have their negatives together, a multiple of the tile.

    Example:
        >>> Shape.of(5, 100)
        Shape(window=5, tile=16, block=112)
    """

    window: int
    tile: int
    block: int

    @classmethod
    def of(cls, window: int, block: int) -> "Shape":
        """Returns the shape for windows, of blocks as long as is wanted or little longer."""
        tile = _LEAST_TILE
        while tile < 2 * window:
            tile *= 2
        return cls(window, tile, -(-block // tile) * tile)


@dataclass(frozen=True)
class Places:
    """The places of some sequences, one sequence after the other, filled up to whole blocks.

    Args:
        ids: int32 `(places,)`; what fills up has id 0.
        sequences: The sequence of each, int32 `(places,)`, -1 of what fills up.
        reach: How far each window reaches, int32 `(places,)`, 0 of what fills up.
    """

    ids: Any
    sequences: Any
    reach: Any


def placed(ids: Any, kept: Any, shape: Shape, seed: Any) -> Places:
    """Returns the places of sequences, less those that are left out by chance.

    Args:
        ids: `(batch, length)`, whole numbers, -1 of what is none.
        kept: The chance of each id to be kept, `(rows,)`.
        shape: How they are divided.
        seed: A whole number; the same gives the same.
    """
    there = tf.where(tf.reshape(ids, [-1]) >= 0)[:, 0]
    flat = tf.gather(tf.cast(tf.reshape(ids, [-1]), tf.int32), there)  # (all,)
    sequences = tf.cast(there // tf.maximum(tf.shape(ids, tf.int64)[1], 1), tf.int32)
    draws = tf.random.stateless_uniform(tf.shape(flat), [seed, _KEEPING])
    keep = draws < tf.gather(kept, flat)
    flat, sequences = tf.boolean_mask(flat, keep), tf.boolean_mask(sequences, keep)
    count = tf.size(flat)
    missing = tf.maximum(-(-count // shape.block), 1) * shape.block - count
    reach = tf.random.stateless_uniform([count], [seed, _REACHING], 1, shape.window + 1, tf.int32)
    ends = [[0, missing]]
    return Places(tf.pad(flat, ends), tf.pad(sequences, ends, constant_values=-1), tf.pad(reach, ends))
