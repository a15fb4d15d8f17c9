"""Examples that are made of all rows of a split together: groups of them, or walks on the graph that they make."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.inputs.shard import Shard
from trainer.inputs.sides import TRAIN
from trainer.rows import Grouped
from trainer.walks import Walks

Array = np.ndarray[Any, Any]

Deal = Callable[[Array, str], Array]
"""Deals what has these hashes, and is called so, to the sets: `sides.dealt`, with the shares of the problem."""


def undealt(hashes: Array, what: str) -> Array:
    """Deals all to the training, as a `Deal` does."""
    del what
    return np.full(len(hashes), TRAIN)


class Gathering(ABC):
    """Makes examples of all rows of a split, each split once."""

    how: Grouped | Walks
    """What the problem says of it."""

    most: int | None = None
    """How many rows are read at most; None is all."""

    @abstractmethod
    def count(self, split: str) -> int | None:
        """Returns how many examples a split has, or None before all its rows are read."""

    @abstractmethod
    def gather(self, split: str, tell: Callable[[int], None]) -> None:
        """Reads the rows of a split where they were not yet read.

        Args:
            split: The name of the split.
            tell: Is given the number of rows, batch after batch.

        Raises:
            Refusal: There is no row that counts, or the rows cannot be used.
        """

    @abstractmethod
    def batches(self, split: str, shard: Shard | None = None) -> tf.data.Dataset:
        """Returns the `(features, labels, weights)` batches of the examples of a split, or every so many of them.

        Raises:
            Refusal: There is no row that counts, or the rows cannot be used.
        """

    @abstractmethod
    def sides(self, split: str) -> Array:
        """Returns the set of each example of a split, `(examples,)`: 0 train, 1 validation, 2 test."""
