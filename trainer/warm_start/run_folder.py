"""Tables that a run of ours has left: the job dir, or its tables folder."""

from typing import Any

import numpy as np

from trainer import tables
from trainer.errors import Refusal
from trainer.feature_column import EmbeddingColumn

_OR_NOT = "or leave the warm start out"


def check(column: EmbeddingColumn) -> None:
    """Refuses a source from which the column's table cannot start, by its manifest alone.

    Raises:
        Refusal: The source has no tables, no such table, one of another shape, or one whose rows stand for other
            values.
    """
    who, source, tensor = _asked(column)
    entry = tables.read_manifest(source, who).entry(tensor, who)
    rows, dimension = column.categorical_column.num_buckets, column.dimension
    stored = f"'{tensor}' in {source}"
    if entry.ids is None:
        raise Refusal(
            f"{who}: how the ids of {stored} were made is not recorded, so its rows may stand for other values; "
            "give a table that a model of ours was trained with."
        )
    other_ids = tables.difference(entry.ids, tables.ids_of(column.categorical_column))
    if (entry.rows, entry.dimension) != (rows, dimension):
        shapes = f"{stored} is {entry.rows:,} by {entry.dimension}, and the table is {rows:,} by {dimension}"
        if entry.rows == rows:
            raise Refusal(f"{who}: {shapes}; give the column dimension={entry.dimension}, {_OR_NOT}.")
        reason = f" ({other_ids})" if other_ids else ""
        raise Refusal(f"{who}: {shapes}{reason}; declare the column as it was there, {_OR_NOT}.")
    if other_ids is not None:
        raise Refusal(
            f"{who}: the rows of {stored} stand for other values than the table's: {other_ids}; "
            f"declare the column as it was there, {_OR_NOT}."
        )


def load(column: EmbeddingColumn) -> np.ndarray[Any, np.dtype[Any]]:
    """Returns the values that the column's table starts from, `(rows, dimension)`.

    Raises:
        Refusal: As `check`, and where the source's files are damaged.
    """
    check(column)
    who, source, tensor = _asked(column)
    return tables.read_values(source, tensor, who)


def _asked(column: EmbeddingColumn) -> tuple[str, str, str]:
    who = f"warm start of '{column.table}'"
    if column.ckpt_to_load_from is None:
        raise Refusal(f"{who}: no source is given; set ckpt_to_load_from, or --warm-start {column.table}=SOURCE.")
    return who, column.ckpt_to_load_from, column.tensor_name_in_ckpt or column.table
