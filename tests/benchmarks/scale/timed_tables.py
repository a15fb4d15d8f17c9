"""Tables of ids that come alike often, with a clock."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks.pairs import planted
from tests.benchmarks.scale.clock import Clock
from trainer import feature_column as fc
from trainer.problem import Problem


def drawn(tables: int, rows: int, examples: int) -> tuple[dict[str, Any], Any]:
    """Returns ids of each table, `(examples,)`, and labels that the ids of the first decide."""
    draw = np.random.default_rng(0)
    ids = {f"id{n}": draw.integers(0, rows, examples) for n in range(tables)}
    return ids, (planted(ids["id0"]) > 0).astype(np.float32)


def of(tables: int, rows: int, examples: int) -> Callable[[str], Any]:
    """Returns what gives the rows of a split."""

    def dataset(split: str) -> Any:
        import tensorflow as tf

        rows_of = drawn(tables, rows, examples if split == "train" else 1000)
        return tf.data.Dataset.from_tensor_slices(rows_of).batch(1024)

    return dataset


def problem(*, tables: int = 8, rows: int = 100_000, width: int = 16, examples: int = 1_048_576) -> Problem:
    """Returns a problem of alike tables.

    Args:
        tables: How many.
        rows: Of each.
        width: Of each.
        examples: To train on.
    """
    columns = [fc.categorical_column_with_identity(f"id{n}", rows) for n in range(tables)]
    return Problem(
        dataset=of(tables, rows, examples),
        dnn_feature_columns=[fc.embedding_column(c, width, name=f"table_{c.key}") for c in columns],
        dnn_hidden_units=[64, 32],
        callbacks=(Clock,),
    )
