"""One table for several categorical columns."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from trainer.errors import Refusal
from trainer.feature_column.column import CategoricalColumn, checked_categorical, file_name
from trainer.feature_column.embedding import EmbeddingColumn, embedding_column
from trainer.feature_column.nested import is_learned
from trainer.feature_column.sequence import SequenceCategoricalColumn
from trainer.feature_column.starting import ON_MISSING_ROWS
from trainer.feature_column.vocabulary_list import VocabularyListColumn
from trainer.feature_column.weighted import WeightedCategoricalColumn


def shared_embeddings(
    categorical_columns: Sequence[CategoricalColumn],
    dimension: int | None = None,
    combiner: str = "mean",
    initializer: Callable[..., Any] | str | None = None,
    shared_embedding_collection_name: str | None = None,
    ckpt_to_load_from: Any = None,
    tensor_name_in_ckpt: str | None = None,
    max_norm: float | None = None,
    trainable: bool = True,
    use_safe_embedding_lookup: bool = True,
    *,
    storage_dtype: str = "float32",
    old_vocabulary: Sequence[str] | str | Path | None = None,
    on_missing_rows: str = ON_MISSING_ROWS[0],
) -> list[EmbeddingColumn]:
    """Declares one trained table that several columns look up, as `tf.feature_column.shared_embeddings`.

    Args:
        categorical_columns: Columns of one kind and as many ids, whose ids stand for the same values.
        shared_embedding_collection_name: The table's name; None joins the columns' names.

    The other arguments are those of `embedding_column`.

    Returns:
        An embedding column for each, in the order given.

    Raises:
        Refusal: The columns' ids do not stand for the same values, or another argument cannot be used.

    Example:
        >>> from trainer import feature_column as fc
        >>> stations = [fc.categorical_column_with_identity(key, 700) for key in ("start", "end")]
        >>> [column.name for column in fc.shared_embeddings(stations, 8)]
        ['start_shared_embedding', 'end_shared_embedding']
    """
    if isinstance(categorical_columns, CategoricalColumn) or not categorical_columns:
        raise Refusal("shared_embeddings: a list of categorical columns is wanted; for one, use embedding_column.")
    columns = tuple(checked_categorical("shared_embeddings", column) for column in categorical_columns)
    for column in columns[1:]:
        _check_alike(columns[0], column)
    made = [
        embedding_column(
            column,
            dimension,
            combiner,
            initializer,
            ckpt_to_load_from,
            tensor_name_in_ckpt,
            max_norm,
            trainable,
            use_safe_embedding_lookup,
            name=file_name(shared_embedding_collection_name or _joined_name(columns)),
            storage_dtype=storage_dtype,
            old_vocabulary=old_vocabulary,
            on_missing_rows=on_missing_rows,
        )
        for column in columns
    ]
    return [dataclasses.replace(column, shared_by=columns) for column in made]


def _joined_name(columns: Sequence[CategoricalColumn]) -> str:
    return f"{'_'.join(sorted(column.name for column in columns))}_shared_embedding"


def _check_alike(first: CategoricalColumn, other: CategoricalColumn) -> None:
    one, two = _inner(first), _inner(other)
    who = f"shared_embeddings: columns '{first.name}' and '{other.name}'"
    if type(one) is not type(two):
        raise Refusal(
            f"{who} are of two kinds, {type(one).__name__} and {type(two).__name__}; columns of one kind can share a "
            "table."
        )
    if not is_learned(one) or not is_learned(two):
        return
    if one.num_buckets != two.num_buckets:
        raise Refusal(
            f"{who} have {one.num_buckets:,} and {two.num_buckets:,} ids; as many are wanted to share a table."
        )
    if isinstance(one, VocabularyListColumn) and isinstance(two, VocabularyListColumn):
        _check_one_vocabulary(who, one, two)


def _check_one_vocabulary(who: str, one: VocabularyListColumn, two: VocabularyListColumn) -> None:
    if one.vocabulary_digest == two.vocabulary_digest:
        return
    for id in range(one.num_buckets):
        left, right = one.label(id), two.label(id)
        if left != right:
            raise Refusal(
                f"{who} do not mean the same by an id: {id} is {left!r} and {right!r}; give both one vocabulary."
            )


def _inner(column: CategoricalColumn) -> CategoricalColumn:
    while isinstance(column, (WeightedCategoricalColumn, SequenceCategoricalColumn)):
        column = column.categorical_column
    return column
