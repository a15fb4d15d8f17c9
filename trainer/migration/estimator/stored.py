"""What an optimizer has noted of a large table, left in its checkpoint until it is written into another."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from trainer.migration.estimator.checkpoint import Checkpoint


@dataclass(frozen=True, eq=False)
class Stored:
    """A tensor of a checkpoint that is read some rows at a time, as a variable of TensorFlow's is.

    Args:
        checkpoint: That has it.
        names: Of the tensor there, or of each of its parts in their order.
        shape: Of its values.
        dtype: Of its values.
    """

    checkpoint: Checkpoint
    names: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: tf.DType

    def sparse_read(self, rows: Any) -> Any:
        """Returns rows that follow each other."""
        first, count = int(rows[0]), int(tf.size(rows))
        parts = [
            self.checkpoint.read_rows(name, max(first, begin), min(first + count, end) - max(first, begin))
            for number, name in enumerate(self.names)
            for begin, end in [self.checkpoint.extent(name, number, len(self.names))]
            if begin < first + count and first < end
        ]
        return tf.cast(parts[0] if len(parts) == 1 else tf.concat(parts, axis=0), self.dtype)

    def read_value(self) -> Any:
        """Returns all rows."""
        return self.sparse_read(tf.range(self.shape[0]))
