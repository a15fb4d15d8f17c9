"""Where a table starts from, other than at random: one kind of source a file.

`check` refuses what cannot be carried over, from what the source says of itself and before training; `load` gives
the rows, once, when the model is built. A row is carried over only where it means the same on both sides.
"""

from typing import Any

import numpy as np

from trainer.feature_column import EmbeddingColumn
from trainer.warm_start import run_folder

__all__ = ["check", "load"]


def check(column: EmbeddingColumn) -> None:
    """Refuses a warm start that cannot be made; TensorFlow is not imported for it.

    Args:
        column: A column whose `ckpt_to_load_from` is set: the job dir of a run, or its tables folder.

    Raises:
        Refusal: The source has no tables, no such table, one of another shape, or one whose rows stand for other
            values.
    """
    run_folder.check(column)


def load(column: EmbeddingColumn) -> np.ndarray[Any, np.dtype[Any]]:
    """Returns the values that a column's table starts from, `(rows, dimension)`.

    Raises:
        Refusal: As `check`, and where the source's files are damaged.
    """
    return run_folder.load(column)
