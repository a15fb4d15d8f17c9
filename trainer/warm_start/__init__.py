"""Where a table starts from, other than at random: any checkpoint, its rows matched by what they stand for.

`check` refuses what cannot be carried over before training; `load` gives the values, once, when the model is built;
`assign` does so for a layer of one's own.
"""

from trainer.feature_column import EmbeddingColumn
from trainer.warm_start.assignment import assign
from trainer.warm_start.carrying import Carrying
from trainer.warm_start.keys import keys_of
from trainer.warm_start.places import opened
from trainer.warm_start.report import Report
from trainer.warm_start.start import Start

__all__ = ["Report", "Start", "assign", "check", "load", "opened"]


def check(column: EmbeddingColumn) -> None:
    """Refuses a warm start that cannot be made; TensorFlow is not imported where the source is a run of ours.

    Args:
        column: A column whose `ckpt_to_load_from` is set.

    Raises:
        Refusal: There is no such source, nothing in it fits the table, or its rows stand for other values.
    """
    _carrying(column).check()


def load(column: EmbeddingColumn) -> Start:
    """Returns what a column's table starts from, `(rows, dimension)`, and a report of the rows that were matched.

    Raises:
        Refusal: As `check`, and where no key is on both sides or the source's files are damaged.
    """
    return _carrying(column).load()


def _carrying(column: EmbeddingColumn) -> Carrying:
    inner = column.categorical_column
    return Carrying(
        column.table,
        column.ckpt_to_load_from,
        column.tensor_name_in_ckpt,
        inner.num_buckets,
        column.width,
        keys_of(inner),
        column.old_vocabulary,
        column.on_missing_rows,
    )
