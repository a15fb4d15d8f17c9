"""Examples in an Arrow file, read block by block in the order of those in memory, and never trusted torn."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf

from trainer import paths
from trainer.errors import TrainingFailure
from trainer.inputs import packing
from trainer.inputs.memory import Examples, joined
from trainer.inputs.order import Order
from trainer.inputs.packing import Array, Values
from trainer.inputs.shard import ALL, Shard
from trainer.inputs.writing import Column, Kept, checksum

_CHUNK = 4
"""How many blocks of rows are taken at a time from a buffer."""


class Damaged(TrainingFailure):
    """A file of examples is not as it was written."""


class Stored:
    """Examples in a file; the same in all as `Examples`, but for what they take of the memory.

    Args:
        path: Of the file.
        kept: What is known of them.

    Raises:
        Damaged: The file is not as it was written.
    """

    def __init__(self, path: str, kept: Kept) -> None:
        self.path, self.kept, self.layout = path, kept, kept.layout
        # Held open, so that a run that is replaced meanwhile takes nothing from those who read.
        try:
            self._reader = pa.ipc.open_file(pa.OSFile(path, "rb"))
        except (OSError, pa.ArrowException):
            raise self._damaged() from None
        if self._reader.num_record_batches != len(kept.checksums):
            raise self._damaged()

    def __len__(self) -> int:
        return self.kept.rows

    @property
    def nbytes(self) -> int:
        """How many bytes they would take in memory."""
        return self.kept.nbytes

    @property
    def order(self) -> Order:
        """The order in which they are shuffled, which is that of the same examples in memory."""
        return Order.of(len(self), -(-self.kept.nbytes // max(len(self), 1)), self.kept.block)

    @cached_property
    def labels(self) -> Array:
        """`(examples, …)`, read from the file once."""
        return np.concatenate([part.labels.copy() for part in self.parts()])  # a view would hold all of its block

    @cached_property
    def weights(self) -> Array:
        """`(examples, 1)`, read from the file once."""
        return np.concatenate([part.weights.copy() for part in self.parts()])

    def shares_outside(self) -> dict[str, float]:
        """Returns the share of the examples that hold a value in no vocabulary of a table, by its name."""
        return {name: count / max(len(self), 1) for name, count in self.kept.outside.items()}

    def block(self, number: int) -> list[Values]:
        """Returns the arrays of a block.

        Raises:
            Damaged: They are not what was written.
        """
        try:
            batch = self._reader.get_batch(number)
            batch.validate(full=True)  # else damaged lengths would read memory that is not the arrays'
            arrays = [column.from_arrow(batch.column(place)) for place, column in enumerate(self.kept.columns)]
            is_whole = checksum(arrays) == self.kept.checksums[number]
        except (OSError, pa.ArrowException, ValueError, TypeError):  # of what the file says of itself
            is_whole = False
        if not is_whole:
            raise self._damaged()
        return arrays

    def parts(self) -> Iterator[Examples]:
        """Yields the examples block by block."""
        for number in range(len(self.kept.checksums)):
            yield Examples.of(self.layout, self.block(number))

    def in_memory(self) -> Examples:
        """Returns the examples, held in memory."""
        found = joined(list(self.parts()))
        # How many of them hold such a value is known, and not which.
        found.outside = {name: np.arange(len(self)) < count for name, count in self.kept.outside.items()}
        return found

    def batches(self, batch_size: int, shard: Shard = ALL) -> tf.data.Dataset:
        """Returns the examples in their order, as `(features, labels, weights)`, or every so many of these batches."""
        found = self._dataset(batch_size, lambda: self._cut(batch_size, (part.arrays for part in self.parts())))
        return found if shard.count == 1 else found.shard(shard.count, shard.index)

    def shuffled(
        self, batch_size: int, seed: int, epoch: int, step: int, steps: int, shard: Shard = ALL
    ) -> tf.data.Dataset:
        """Returns the batches of some steps of a training, as `Examples.shuffled` does, in the same order."""
        epoch_steps = -(-len(self) // batch_size)
        begin = epoch * epoch_steps + step

        def pieces() -> Iterator[Sequence[Values]]:
            at = begin
            while at < begin + steps:
                number, within = divmod(at, epoch_steps)
                last = min(epoch_steps, within + begin + steps - at)
                first, end = within * batch_size, min(last * batch_size, len(self))
                yield from self._cut(batch_size, self._shuffled(seed, number, first, end))
                at += last - within

        return self._dataset(batch_size, pieces, shard)

    def _shuffled(self, seed: int, epoch: int, first: int, end: int) -> Iterator[Sequence[Values]]:
        """Yields the examples at some positions of an epoch."""
        order = self.order
        for start in range(first // order.buffer * order.buffer, end, order.buffer):
            here = tf.range(max(first, start), min(end, start + order.buffer), dtype=tf.int64)
            if order.buffers <= 1:
                places = order.places(here, seed, tf.constant(epoch, tf.int64)).numpy()
                numbers = np.arange(len(self.kept.checksums))
            else:
                places = order.local(here, seed, tf.constant(epoch, tf.int64)).numpy()
                slots = tf.range(start // order.block, -(-min(len(self), start + order.buffer) // order.block))
                numbers = order.blocks(tf.cast(slots, tf.int64), seed, tf.constant(epoch, tf.int64)).numpy()
            blocks = [self.block(int(number)) for number in numbers]
            buffer = [packing.joined(parts) for parts in zip(*blocks, strict=True)]
            del blocks
            for at in range(0, len(places), _CHUNK * order.block):
                yield [packing.taken(values, places[at : at + _CHUNK * order.block]) for values in buffer]

    def _cut(self, batch_size: int, pieces: Iterator[Sequence[Values]]) -> Iterator[Sequence[Values]]:
        """Yields pieces anew, each of whole batches but the last."""
        rest: Sequence[Values] | None = None
        for piece in pieces:
            arrays = piece if rest is None else [packing.joined(pair) for pair in zip(rest, piece, strict=True)]
            rows = int(arrays[0].shape[0])
            cut = rows - rows % batch_size
            if cut:
                yield [values[:cut] for values in arrays]
            rest = [values[cut:] for values in arrays] if cut < rows else None
        if rest is not None:
            yield rest

    def _dataset(self, batch_size: int, pieces: Any, shard: Shard = ALL) -> tf.data.Dataset:
        signature = tuple(_spec(column) for column in self.kept.columns)
        chunks = tf.data.Dataset.from_generator(lambda: map(tuple, pieces()), output_signature=signature).prefetch(2)

        @tf.autograph.experimental.do_not_convert
        def batches(*arrays: Any) -> tf.data.Dataset:
            rows = _rows(arrays[0])

            @tf.autograph.experimental.do_not_convert
            def batch(start: Any) -> Any:
                first, end = shard.share(start, tf.minimum(start + batch_size, rows))
                # Of an empty share a row is read too.
                last = tf.maximum(end, first + 1)
                taken = self.layout.unpacked([values[first:last] for values in arrays])
                return taken if shard.count == 1 else (*taken, end - first)

            return tf.data.Dataset.range(0, rows, batch_size).map(batch)

        return chunks.flat_map(batches).prefetch(4)

    def _damaged(self) -> Damaged:
        if paths.exists(self.path):
            paths.remove_file(self.path)  # so that it is made anew
        return Damaged(
            f"{self.path}: the encoded rows in it are not as they were written, and were removed; go on with --resume, "
            "which makes them anew."
        )


def _rows(values: Any) -> Any:
    return values.nrows() if isinstance(values, tf.RaggedTensor) else tf.shape(values, out_type=tf.int64)[0]


def _spec(column: Column) -> Any:
    dtype = tf.as_dtype(column.dtype)
    if column.shape is None:
        return tf.RaggedTensorSpec([None, None], dtype)
    return tf.TensorSpec([None, *column.shape], dtype)
