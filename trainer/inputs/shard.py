"""The part of the data that is a worker's, where several share the work."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf


@dataclass(frozen=True)
class Shard:
    """One of several parts of the data: every `count`-th piece or batch from `index` on, or a share of each batch."""

    index: Any = 0
    count: int = 1

    @classmethod
    def of(cls, context: tf.distribute.InputContext) -> "Shard":
        """Returns the part of one worker, for `strategy.distribute_datasets_from_function`.

        Example:
            >>> Shard.of(tf.distribute.InputContext(num_input_pipelines=2, input_pipeline_id=1))
            Shard(index=1, count=2)
        """
        return cls(context.input_pipeline_id, context.num_input_pipelines)

    def share(self, start: Any, end: Any) -> tuple[Any, Any]:
        """Returns where the share of a batch lies that has the rows from `start` up to `end`.

        Shares differ by a row at most. Of a batch with fewer rows than there are shares, some are empty.

        Example:
            >>> [Shard(index, 3).share(10, 18) for index in range(3)]
            [(10, 12), (12, 15), (15, 18)]
        """
        rows = end - start
        return start + rows * self.index // self.count, start + rows * (self.index + 1) // self.count


ALL = Shard()
"""All of the data."""
