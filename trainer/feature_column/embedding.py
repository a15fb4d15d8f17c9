"""A categorical column as a row of a trained table."""

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trainer.errors import Refusal
from trainer.feature_column.column import (
    CategoricalColumn,
    DenseColumn,
    RawFeature,
    checked_categorical,
    checked_count,
    file_name,
)
from trainer.feature_column.nested import is_learned, nested
from trainer.feature_column.starting import (
    ON_MISSING_ROWS,
    check_source,
    checked_missing_rows,
    source_of,
    vocabulary_of,
)
from trainer.feature_column.weighted import WeightedCategoricalColumn

SUMS = ("mean", "sum", "sqrtn")
COMBINERS = (*SUMS, "max", "first")
STORAGE_DTYPES = ("float32", "bfloat16")


@dataclass(frozen=True)
class EmbeddingColumn(DenseColumn):
    """The row of a trained table for each id, combined where an example has several.

    Example:
        >>> from trainer import feature_column as fc
        >>> hour = fc.categorical_column_with_identity("hour", 24)
        >>> fc.embedding_column(hour).width
        3
    """

    categorical_column: CategoricalColumn
    dimension: int | None
    combiner: str = "mean"
    initializer: Callable[..., Any] | str | None = None
    ckpt_to_load_from: str | None = None
    tensor_name_in_ckpt: str | None = None
    max_norm: float | None = None
    trainable: bool = True
    use_safe_embedding_lookup: bool = True
    table_name: str | None = None
    shared_by: tuple[CategoricalColumn, ...] = ()
    storage_dtype: str = "float32"
    old_vocabulary: tuple[str, ...] | str | None = None
    on_missing_rows: str = ON_MISSING_ROWS[0]
    unit_norm: bool = False

    @property
    def name(self) -> str:
        """The categorical column's name and `_embedding`, or `_shared_embedding` where columns share the table."""
        return f"{self.categorical_column.name}{'_shared' if self.shared_by else ''}_embedding"

    @property
    def table(self) -> str:
        """The name of the table, in files, flags and the projector."""
        return self.table_name or file_name(self.categorical_column.name)

    @property
    def owner(self) -> "EmbeddingColumn":
        """The first of the columns that share the table, which is this one where it has the table alone."""
        return replace(self, categorical_column=self.shared_by[0]) if self.shared_by else self

    @property
    def raw_features(self) -> Mapping[str, RawFeature]:
        """Those of the categorical column."""
        return self.categorical_column.raw_features

    def with_dimension(self, dimension: int | None) -> "EmbeddingColumn":
        """Returns the column with rows of another dimension; None is the rule of thumb.

        Rows of one or two numbers are not scaled to length 1: they would be two points, or a circle.
        """
        if dimension is None and is_learned(self.categorical_column):
            dimension = by_rule(self.categorical_column.num_buckets)
        return replace(self, dimension=dimension, unit_norm=self.unit_norm and (dimension is None or dimension > 2))

    @property
    def width(self) -> int:
        """The dimension; the rule of thumb where none was given because the vocabulary was not known."""
        return self.dimension or by_rule(self.categorical_column.num_buckets)


def embedding_column(
    categorical_column: CategoricalColumn,
    dimension: int | None = None,
    combiner: str = "mean",
    initializer: Callable[..., Any] | str | None = None,
    ckpt_to_load_from: Any = None,
    tensor_name_in_ckpt: str | None = None,
    max_norm: float | None = None,
    trainable: bool = True,
    use_safe_embedding_lookup: bool = True,
    *,
    name: str | None = None,
    storage_dtype: str = "float32",
    old_vocabulary: Sequence[str] | str | Path | None = None,
    on_missing_rows: str = ON_MISSING_ROWS[0],
    unit_norm: bool = False,
) -> EmbeddingColumn:
    """Declares a trained table on a categorical column, as `tf.feature_column.embedding_column`.

    Args:
        categorical_column: What the table's rows stand for.
        dimension: The floats of a row; None is the rule of thumb `ceil(num_buckets ** 0.25)`.
        combiner: How several rows of an example become one: "mean", "sum" or "sqrtn", which take weights; "max", the
            largest of each number; or "first", the row of the first value that has one.
        initializer: A Keras initializer, its name, or a function of shape and dtype;
            None is `truncated_normal(0, 1 / sqrt(dimension))`.
        ckpt_to_load_from: Where the table starts from, restored once, when the model is built: a run's job dir, a
            TensorFlow checkpoint, its folder or a pattern, a SavedModel, a file of Keras, NumPy, word2vec, GloVe or
            safetensors, or gensim's KeyedVectors. Where it says what its rows stand for, rows are matched by that.
        tensor_name_in_ckpt: The table's name there; None takes the tensor of this table's name, or the only one that
            fits.
        max_norm: A looked-up row longer than this is scaled down to it.
        trainable: False leaves the table as it starts.
        use_safe_embedding_lookup: Kept for its place in the argument list; a lookup is always safe: an example
            without values gets zeros.
        name: The table's name; None is the categorical column's, with `_` for what no file's name should have.
        storage_dtype: "float32", or "bfloat16" for half the memory: rows are read in float32, and the optimizers of
            `trainer.optimizers` update them so; those of Keras would lose small steps.
        old_vocabulary: What the rows of `ckpt_to_load_from` stand for where it does not say so: a list, or a file with
            a value a line. Rows after it are out of the vocabulary.
        on_missing_rows: What a row starts from whose key is not there: the "initializer", the "mean" of the rows
            there, or "out_of_vocabulary", the row that its key had there.
        unit_norm: Whether looked-up rows are scaled to length 1, so that what one row has of another is their cosine.

    Raises:
        Refusal: An argument cannot be used.
    """
    function = f"embedding_column: column '{checked_categorical('embedding_column', categorical_column).name}'"
    if dimension is not None:
        dimension = checked_count(function, "dimension", dimension)
    elif is_learned(categorical_column):
        dimension = by_rule(categorical_column.num_buckets)
    _check_choices(function, storage_dtype, initializer, max_norm)
    check_source(function, ckpt_to_load_from, tensor_name_in_ckpt=tensor_name_in_ckpt, old_vocabulary=old_vocabulary)
    return EmbeddingColumn(
        categorical_column,
        dimension,
        _checked_combiner(function, categorical_column, combiner),
        initializer,
        source_of(ckpt_to_load_from),
        tensor_name_in_ckpt,
        None if max_norm is None else float(max_norm),
        trainable,
        use_safe_embedding_lookup,
        _table_name(function, name),
        storage_dtype=storage_dtype,
        old_vocabulary=vocabulary_of(old_vocabulary),
        on_missing_rows=checked_missing_rows(function, on_missing_rows),
        unit_norm=bool(unit_norm),
    )


def _check_choices(function: str, storage_dtype: str, initializer: Any, max_norm: float | None) -> None:
    if max_norm is not None and not (isinstance(max_norm, numbers.Real) and max_norm > 0):
        raise Refusal(f"{function}: max_norm must be a number above 0, not {max_norm!r}.")
    if initializer is not None and not callable(initializer) and not isinstance(initializer, str):
        raise Refusal(f"{function}: initializer must be a function or a name, not {initializer!r}.")
    if storage_dtype not in STORAGE_DTYPES:
        raise Refusal(f"{function}: storage_dtype must be {' or '.join(STORAGE_DTYPES)}, not {storage_dtype!r}.")


def _checked_combiner(function: str, column: CategoricalColumn, combiner: str) -> str:
    if combiner not in COMBINERS:
        raise Refusal(f"{function}: combiner must be one of {', '.join(COMBINERS)}, not {combiner!r}.")
    if combiner not in SUMS and any(isinstance(part, WeightedCategoricalColumn) for part in nested(column)):
        raise Refusal(
            f"{function}: combiner '{combiner}' takes rows as they are, and the column has weights; give the column "
            f"inside it, or combiner={' or '.join(map(repr, SUMS))}."
        )
    return combiner


def by_rule(num_buckets: int) -> int:
    """Returns the dimension that the rule of thumb gives a table of so many rows, `ceil(num_buckets ** 0.25)`."""
    return math.ceil(num_buckets**0.25)


def _table_name(function: str, name: str | None) -> str | None:
    if name is not None and (not isinstance(name, str) or name != file_name(name)):
        raise Refusal(f"{function}: a table's name has letters, digits, '_', '.' and '-' only, not {name!r}.")
    return name
