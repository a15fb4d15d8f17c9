"""The order of the examples: a function of seed, epoch and their number, wherever they lie.

Up to a million rows, or as many as a buffer holds, are permuted as a whole. Of more, blocks of rows are permuted, a
buffer takes some of them one after the other, and its rows are permuted, so that a disk is read block by block. Blocks
of long rows, such as passages of a text, have fewer of them, and their buffers fewer bytes: some thousand are enough to
mix, and many more would take all of the memory.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

BLOCK = 16_384
"""Rows of a block, where they are not long."""

LONG_BYTES = 16 << 20
"""Bytes of so many rows beyond which they are long, and the most bytes of a buffer of long rows."""

LONG_BLOCKS = 32
"""Blocks of long rows that take so many bytes, or a few more."""

BUFFER_BLOCKS = 64
"""The most blocks of a buffer."""

BUFFER_BYTES = 192 << 20
"""The most bytes of a buffer."""


@dataclass(frozen=True)
class Order:
    """The order of some examples.

    Args:
        count: How many they are.
        block: Rows of a block; the last has those that are left, and is read last.
        buffer: Rows of a buffer, whole blocks.
    """

    count: int
    block: int
    buffer: int

    @classmethod
    def of(cls, count: int, row_bytes: int, block: int) -> "Order":
        """Returns the order of so many examples of so many bytes each, that lie in blocks of so many rows."""
        most = BUFFER_BYTES if block == BLOCK else LONG_BYTES
        blocks = max(1, min(BUFFER_BLOCKS, most // (block * max(row_bytes, 1))))
        return cls(count, block, blocks * block)

    @property
    def buffers(self) -> int:
        """How many times a buffer is filled in an epoch."""
        return -(-self.count // self.buffer)

    def places(self, positions: Any, seed: int, epoch: Any) -> Any:
        """Returns which examples stand at some positions of an epoch, int64.

        Args:
            positions: From 0 on, one after the other, `(positions,)`, int64.
            seed: Of the run.
            epoch: A scalar, int64.
        """
        return self.placing(seed, epoch)(positions)

    def placing(self, seed: int, epoch: Any) -> Callable[[Any], Any]:
        """Returns a function of positions of an epoch to places, of which many calls cost little.

        Args:
            seed: As in `places`.
            epoch: As in `places`.
        """
        if self.buffers <= 1:
            return lambda positions: tf.random.experimental.index_shuffle(
                positions, _seeds(seed, epoch), self.count - 1
            )
        blocks = self.blocks(tf.range(-(-self.count // self.block), dtype=tf.int64), seed, epoch)
        in_buffer = self.buffer // self.block

        def places(positions: Any) -> Any:
            local = self.local(positions, seed, epoch)
            slots = positions // self.buffer * in_buffer + local // self.block
            return tf.gather(blocks, slots) * self.block + local % self.block

        return places

    def local(self, positions: Any, seed: int, epoch: Any) -> Any:
        """Returns the place in its buffer of the example at each position of an epoch."""
        number = positions // self.buffer
        last = tf.minimum(tf.constant(self.buffer, tf.int64), self.count - number * self.buffer) - 1
        # Each buffer of each epoch has a seed of its own; TensorFlow's own function takes one seed for all.
        parts = [tf.constant(seed, tf.int64), tf.cast(epoch, tf.int64), number + 1]
        seeds = tf.stack([tf.broadcast_to(part, tf.shape(number)) for part in parts], axis=1)
        return tf.raw_ops.RandomIndexShuffle(index=positions % self.buffer, seed=seeds, max_index=last)

    def blocks(self, slots: Any, seed: int, epoch: Any) -> Any:
        """Returns which block stands at each place of an epoch's blocks."""
        whole = self.count // self.block
        order = tf.random.experimental.index_shuffle(tf.minimum(slots, whole - 1), _seeds(seed, epoch), whole - 1)
        return tf.where(slots < whole, order, slots)


def block_of(row_bytes: Any) -> int:
    """Returns how many rows a block has.

    Args:
        row_bytes: The bytes of each of the first rows, `(rows,)`: of 16,384 or, if there are fewer, of all; of those
            that do not fit into 16 MB, one is enough.

    Example:
        >>> block_of(np.full(10, 6000)), block_of(np.full(BLOCK, 6000))
        (16384, 64)
    """
    ends = np.cumsum(row_bytes[:BLOCK])
    short = int(np.searchsorted(ends, LONG_BYTES, side="right"))
    return BLOCK if short == len(ends) else 1 << max(0, (short // LONG_BLOCKS).bit_length() - 1)


def _seeds(seed: int, epoch: Any) -> Any:
    return tf.stack([tf.constant(seed, tf.uint32), tf.cast(epoch, tf.uint32)])
