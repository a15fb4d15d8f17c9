"""Models that are told how often the training rows hold each key of a table."""

from typing import Any

import keras

from trainer.feature_column import EmbeddingColumn
from trainer.layers import EmbeddingTable


class Counted(keras.Model):
    """A model that wants the counts of the rows of one of its tables before the first step."""

    @property
    def counted(self) -> tuple[EmbeddingTable, EmbeddingColumn]:
        """The table, and the column whose values its rows stand for."""
        raise NotImplementedError

    @property
    def learned_from(self) -> Any:
        """The outputs that the loss takes; the others are for who asks the model."""
        return self.output

    @property
    def is_sampled(self) -> bool:
        """Whether a step reads and writes some rows of it alone, drawn by these counts."""
        raise NotImplementedError

    def count(self, counts: Any) -> None:
        """Takes how often each row is in the training examples, `(rows,)`."""
        raise NotImplementedError
