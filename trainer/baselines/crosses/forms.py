"""One problem in three forms that differ only in how its crosses are written."""

import dataclasses
from collections.abc import Mapping, Sequence

from trainer.errors import Refusal
from trainer.feature_column import (
    BucketizedColumn,
    CrossedColumn,
    DenseColumn,
    EmbeddingColumn,
    FeatureColumn,
    IndicatorColumn,
    indicator_column,
)
from trainer.feature_column.collection import embeddings_by_table
from trainer.feature_column.serialization import digest
from trainer.problem import Problem

EMBEDDING, ONE_HOT, KEYS = "embedding of the cross", "one-hot of the cross", "keys without the cross"
ONE_HOT_LIMIT = 20_000
"""The most rows of a cross that is written as a one-hot: each example is then a dense vector of that width."""


def variants(problem: Problem) -> dict[str, Problem]:
    """Returns a problem with its exact crosses as embeddings, as one-hots, and taken apart into their keys.

    What is exchanged is each embedding of an exact cross in the deep part: it stays; or it becomes the one-hot of the
    cross; or it becomes the one-hots of the cross's keys, each once. The other deep columns, the hidden layers and the
    optimizer are the same in all three forms.

    Nothing else may tell what is exchanged, so two things are left out of all three forms. First, deep columns that
    cross all keys of an exchanged cross, exactly or hashed, alone or with more keys. Second, the wide part, whole: its
    weights are one-hots themselves, of the same pairs or of what stands for them (an airline's flight number tells the
    hour without naming it, which no declaration shows), and where rows are few it learns them by heart so fast that
    its overfitting, and no longer the crosses, decides when each form stops training. What tells the keys one by one
    in the deep part stays: a model that leaves the cross out still knows them, and so should those that have it.

    A cross of more than 20,000 rows is too wide for a one-hot: its embedding stays in all three forms, unless it
    crosses all keys of an exchanged one.

    Raises:
        Refusal: There is no embedding of an exact cross, or none that a one-hot could stand for.

    Example:
        >>> from trainer.problem import load
        >>> list(variants(load("flights")))
        ['embedding of the cross', 'one-hot of the cross', 'keys without the cross']
    """
    crosses = exchanged(problem)
    written: dict[str, list[DenseColumn]] = {EMBEDDING: [], ONE_HOT: [], KEYS: []}
    for column in problem.dnn_feature_columns:
        cross = _exact_cross(column)
        if cross is not None and cross in crosses:
            written[EMBEDDING].append(column)
            written[ONE_HOT].append(indicator_column(cross))
            written[KEYS].extend(map(indicator_column, cross.bounded_leaves))
        elif not _repeats(column, crosses):
            for columns in written.values():
                columns.append(column)
    return {form: _with(problem, _once(columns)) for form, columns in written.items()}


def _with(problem: Problem, columns: tuple[DenseColumn, ...]) -> Problem:
    gone = set(problem.embeddings) - set(embeddings_by_table(columns))
    return dataclasses.replace(
        problem,
        dnn_feature_columns=columns,
        linear_feature_columns=(),
        bags=_read(problem.bags, columns),
        catalogues={},  # what they tell of is never shown
        table_optimizers={table: given for table, given in problem.table_optimizers.items() if table not in gone},
    )


def _read(bags: Sequence[str] | Mapping[str, str], columns: Sequence[DenseColumn]) -> Sequence[str] | Mapping[str, str]:
    read = {key for column in columns for key in column.raw_features}
    if isinstance(bags, Mapping):
        return {key: separator for key, separator in bags.items() if key in read}
    return tuple(key for key in bags if key in read)


def exchanged(problem: Problem) -> list[CrossedColumn]:
    """Returns the exact crosses that the three forms write differently.

    Raises:
        Refusal: There is none, all are too large for a one-hot, or the problem makes its model itself.
    """
    if problem.model is not None:
        raise Refusal(
            f"--baselines: problem {problem.name} makes its model itself, so its columns cannot be exchanged; leave "
            "--baselines out, or give dnn_feature_columns with hidden units or a tower."
        )
    crosses = [cross for cross in map(_exact_cross, problem.dnn_feature_columns) if cross is not None]
    if not crosses:
        raise Refusal(
            f"--baselines: problem {problem.name} has no embedding of an exact cross to compare with; leave "
            "--baselines out, or add embedding_column(crossed_column([…])) to dnn_feature_columns."
        )
    smallest = min(crosses, key=lambda cross: cross.num_buckets)
    if smallest.num_buckets > ONE_HOT_LIMIT:
        raise Refusal(
            f"--baselines: a one-hot of '{smallest.name}' would be {smallest.num_buckets:,} wide, over the limit of "
            f"{ONE_HOT_LIMIT:,}; leave --baselines out, or cross coarser keys."
        )
    return [cross for cross in crosses if cross.num_buckets <= ONE_HOT_LIMIT]


def left_out(problem: Problem) -> list[str]:
    """Returns the names of the problem's columns that none of the three forms has."""
    crosses = exchanged(problem)
    deep = [c for c in problem.dnn_feature_columns if _exact_cross(c) not in crosses and _repeats(c, crosses)]
    return [column.name for column in (*deep, *problem.linear_feature_columns)]


def _exact_cross(column: FeatureColumn) -> CrossedColumn | None:
    inner = column.categorical_column if isinstance(column, EmbeddingColumn) else None
    return inner if isinstance(inner, CrossedColumn) and inner.is_bounded else None


def _repeats(column: FeatureColumn, crosses: Sequence[CrossedColumn]) -> bool:
    inner = column.categorical_column if isinstance(column, (EmbeddingColumn, IndicatorColumn)) else column
    # By raw features: a hashed cross of the strings of a feature tells what a cross of its vocabulary does.
    return isinstance(inner, CrossedColumn) and any(set(inner.raw_features) >= set(c.raw_features) for c in crosses)


def _once(columns: Sequence[DenseColumn]) -> tuple[DenseColumn, ...]:
    # A one-hot that is there twice would learn twice as fast; a bucketized column used dense is a one-hot already.
    found: dict[str, DenseColumn] = {}
    for column in columns:
        inner: FeatureColumn = column
        if isinstance(column, IndicatorColumn) and isinstance(column.categorical_column, BucketizedColumn):
            inner = column.categorical_column
        found.setdefault(digest(inner), column)
    return tuple(found.values())
