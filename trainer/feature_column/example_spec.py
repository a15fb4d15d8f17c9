"""What `tf.io.parse_example` must be told to read the features of columns."""

from collections.abc import Iterable
from typing import Any

from trainer.errors import Refusal
from trainer.feature_column.column import FeatureColumn
from trainer.feature_column.crossed import CrossedColumn
from trainer.feature_column.embedding import EmbeddingColumn
from trainer.feature_column.hash_bucket import HashBucketColumn
from trainer.feature_column.identity import IdentityColumn
from trainer.feature_column.nested import nested
from trainer.feature_column.numeric import NumericColumn
from trainer.feature_column.sequence import SequenceNumericColumn
from trainer.feature_column.vocabulary_list import VocabularyListColumn
from trainer.feature_column.weighted import WeightedCategoricalColumn


def make_parse_example_spec(feature_columns: Iterable[FeatureColumn]) -> dict[str, Any]:
    """Returns what `tf.io.parse_example` takes as `features`, as `tf.feature_column.make_parse_example_spec`.

    Numeric columns are of fixed length; all else is of any length, and parsed sparse. A feature that a cross takes by
    its key is parsed as other columns read it, else as strings.

    Args:
        feature_columns: Columns of any kind.

    Returns:
        `tf.io.FixedLenFeature`s and `tf.io.VarLenFeature`s by feature key.

    Raises:
        Refusal: Something is no column, or two columns read one key in two ways.

    Example:
        >>> make_parse_example_spec([NumericColumn("miles"), HashBucketColumn("tail", 500)])["tail"]
        VarLenFeature(dtype=tf.string)
    """
    spec: dict[str, Any] = {}
    crossed: dict[str, Any] = {}
    if isinstance(feature_columns, FeatureColumn):
        raise Refusal(f"make_parse_example_spec: a list of columns is wanted, not the column '{feature_columns.name}'.")
    for column in feature_columns:
        if not isinstance(column, FeatureColumn):
            raise Refusal(f"make_parse_example_spec: columns are wanted, not {column!r}.")
        # Of columns that share a table, each reads its own features.
        for part in nested(column.categorical_column if isinstance(column, EmbeddingColumn) else column):
            crossed |= _crossed(part)
            for key, feature in _features(part).items():
                if spec.setdefault(key, feature) != feature:
                    raise Refusal(
                        f"make_parse_example_spec: feature '{key}' is read as {spec[key]} and, by '{column.name}', as "
                        f"{feature}; give both columns one dtype and shape."
                    )
    return crossed | spec


def _crossed(column: FeatureColumn) -> dict[str, Any]:
    """Returns the features that a column crosses by their keys, as strings."""
    import tensorflow as tf

    keys = column.keys if isinstance(column, CrossedColumn) else ()
    return {key: tf.io.VarLenFeature(tf.string) for key in keys if isinstance(key, str)}


def _features(column: FeatureColumn) -> dict[str, Any]:
    """Returns the features that a column reads by itself, not through a column inside it."""
    import tensorflow as tf

    if isinstance(column, NumericColumn):
        default = None if column.default_value is None else _shaped(column.default_value, column.shape, column.dtype)
        return {column.key: tf.io.FixedLenFeature(column.shape, tf.as_dtype(column.dtype), default)}
    if isinstance(column, WeightedCategoricalColumn):
        return {column.weight_feature_key: tf.io.VarLenFeature(tf.as_dtype(column.dtype))}
    if isinstance(column, (VocabularyListColumn, HashBucketColumn, SequenceNumericColumn)):
        return {column.key: tf.io.VarLenFeature(tf.as_dtype(column.dtype))}
    if isinstance(column, IdentityColumn):
        return {column.key: tf.io.VarLenFeature(tf.int64)}
    return {}


def _shaped(values: tuple[float, ...], shape: tuple[int, ...], dtype: str) -> Any:
    """Returns flat values as nested tuples of a shape."""
    if len(shape) > 1:
        size = len(values) // shape[0]
        return tuple(_shaped(values[size * i : size * (i + 1)], shape[1:], dtype) for i in range(shape[0]))
    return tuple(int(value) for value in values) if "int" in dtype else values
