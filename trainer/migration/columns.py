"""Columns of `tf.feature_column` as ours."""

from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf
from tensorflow.python.feature_column import feature_column as v1
from tensorflow.python.feature_column import feature_column_v2 as v2
from tensorflow.python.feature_column import sequence_feature_column as sequence

from trainer import feature_column as fc
from trainer.errors import Refusal
from trainer.migration.initializers import keras_initializer

SHARED = (v2.SharedEmbeddingColumn, v1._SharedEmbeddingColumn)


def from_feature_columns(columns: Any) -> Any:
    """Returns columns of `tf.feature_column` as ours.

    Args:
        columns: One column, or any iterable of them: every kind that a function of `tf.feature_column` returns. Give
            columns that share a table together, so that they share one here.

    Returns:
        Our column for one, or a list in the order given. An initializer becomes that of Keras with the same meaning.

    Raises:
        Refusal: Something is no column of `tf.feature_column`, a column of one's own, or cannot be declared here.

    Example:
        >>> hour = tf.feature_column.categorical_column_with_identity("hour", 24)
        >>> from_feature_columns(hour)
        IdentityColumn(key='hour', num_buckets=24, default_value=None)
        >>> [column.name for column in from_feature_columns([hour, tf.feature_column.indicator_column(hour)])]
        ['hour', 'hour_indicator']
    """
    if is_column(columns):
        return _made([columns])[0]
    return _made(columns_of("from_feature_columns", columns))


def columns_of(function: str, columns: Any) -> list[Any]:
    """Returns one column or an iterable of columns as a list.

    Raises:
        Refusal: Something in it is no column of `tf.feature_column`.
    """
    if is_column(columns):
        return [columns]
    if isinstance(columns, (str, fc.FeatureColumn)) or not isinstance(columns, Iterable):
        raise _no_column(function, columns)
    found = list(columns)
    for column in found:
        if not is_column(column):
            raise _no_column(function, column)
    return found


def is_column(value: Any) -> bool:
    """Tells whether a value is a column of TensorFlow's, of any kind and any age."""
    return isinstance(value, (v2.fc_types.FeatureColumn, v1._FeatureColumn))


def table_of(column: Any) -> tuple[Any, dict[str, Any]]:
    """Returns what tells the table of a shared column from others, and the arguments it was declared with."""
    if isinstance(column, v1._SharedEmbeddingColumn):
        key, maker, prefix = column.shared_embedding_collection_name, column, ""
        name = column.shared_embedding_collection_name
    else:
        maker, prefix = column.shared_embedding_column_creator, "_"
        key, name = id(maker), maker._name
    wanted = ("dimension", "initializer", "ckpt_to_load_from", "tensor_name_in_ckpt", "trainable")
    arguments = {argument: getattr(maker, prefix + argument) for argument in wanted}
    arguments |= {"combiner": column.combiner, "max_norm": column.max_norm}
    arguments |= {"use_safe_embedding_lookup": column.use_safe_embedding_lookup}
    return key, {**arguments, "shared_embedding_collection_name": name}


def _made(columns: list[Any]) -> list[fc.FeatureColumn]:
    tables: dict[Any, list[Any]] = {}
    for column in columns:
        if type(column) in SHARED:
            members = tables.setdefault(table_of(column)[0], [])
            if column not in members:
                members.append(column)
    shared = {key: list(zip(members, _shared(members), strict=True)) for key, members in tables.items()}
    return [
        next(ours for theirs, ours in shared[table_of(column)[0]] if theirs == column)
        if type(column) in SHARED
        else _converted(column)
        for column in columns
    ]


def _shared(columns: list[Any]) -> list[fc.EmbeddingColumn]:
    _, arguments = table_of(columns[0])
    initializer = keras_initializer(arguments["initializer"], arguments["dimension"])
    inner = [_converted(column.categorical_column) for column in columns]
    return fc.shared_embeddings(inner, **{**arguments, "initializer": initializer})


def _converted(column: Any) -> Any:
    # By the type itself: a column of one's own may well be a subclass of TensorFlow's.
    if type(column) not in CONVERSIONS:
        raise _no_counterpart(column)
    return CONVERSIONS[type(column)](column)


def _numeric(column: Any) -> fc.NumericColumn:
    return fc.numeric_column(
        column.key, column.shape, column.default_value, column.dtype.name, normalizer_fn=column.normalizer_fn
    )


def _bucketized(column: Any) -> fc.BucketizedColumn:
    return fc.bucketized_column(_converted(column.source_column), column.boundaries)


def _vocabulary_list(column: Any) -> fc.VocabularyListColumn:
    values = [value.decode() if isinstance(value, bytes) else value for value in column.vocabulary_list]
    return fc.categorical_column_with_vocabulary_list(
        column.key, values, column.dtype.name, column.default_value, column.num_oov_buckets
    )


def _vocabulary_file(column: Any) -> fc.VocabularyListColumn:
    # Counted inside a graph, the size is not known now; it is that of the whole file.
    size = None if tf.is_symbolic_tensor(column.vocabulary_size) else int(column.vocabulary_size)
    return fc.categorical_column_with_vocabulary_file(
        column.key,
        column.vocabulary_file,
        size,
        column.dtype.name,
        column.default_value,
        column.num_oov_buckets,
        column.file_format,
    )


def _identity(column: Any) -> fc.IdentityColumn:
    return fc.categorical_column_with_identity(column.key, column.number_buckets, column.default_value)


def _hash_bucket(column: Any) -> fc.HashBucketColumn:
    return fc.categorical_column_with_hash_bucket(column.key, column.hash_bucket_size, column.dtype.name)


def _crossed(column: Any) -> fc.CrossedColumn:
    keys = [key if isinstance(key, str) else _converted(key) for key in column.keys]
    return fc.crossed_column(keys, column.hash_bucket_size, column.hash_key)


def _weighted(column: Any) -> fc.WeightedCategoricalColumn:
    inner = _converted(column.categorical_column)
    return fc.weighted_categorical_column(inner, column.weight_feature_key, column.dtype.name)


def _indicator(column: Any) -> fc.IndicatorColumn:
    return fc.indicator_column(_converted(column.categorical_column))


def _embedding(column: Any) -> fc.EmbeddingColumn:
    return fc.embedding_column(
        _converted(column.categorical_column),
        column.dimension,
        column.combiner,
        keras_initializer(column.initializer, column.dimension),
        column.ckpt_to_load_from,
        column.tensor_name_in_ckpt,
        column.max_norm,
        column.trainable,
        column.use_safe_embedding_lookup,
    )


def _sequence_categorical(column: Any) -> fc.SequenceCategoricalColumn:
    return fc.SequenceCategoricalColumn(_converted(column.categorical_column))


def _sequence_numeric(column: Any) -> fc.SequenceNumericColumn:
    return fc.sequence_numeric_column(
        column.key, column.shape, column.default_value, column.dtype.name, column.normalizer_fn
    )


CONVERSIONS: dict[type, Callable[[Any], fc.FeatureColumn]] = {
    v2.NumericColumn: _numeric,
    v2.BucketizedColumn: _bucketized,
    v2.VocabularyListCategoricalColumn: _vocabulary_list,
    v2.VocabularyFileCategoricalColumn: _vocabulary_file,
    v2.IdentityCategoricalColumn: _identity,
    v2.HashedCategoricalColumn: _hash_bucket,
    v2.CrossedColumn: _crossed,
    v2.WeightedCategoricalColumn: _weighted,
    v2.IndicatorColumn: _indicator,
    v2.EmbeddingColumn: _embedding,
    v2.SequenceCategoricalColumn: _sequence_categorical,
    sequence.SequenceNumericColumn: _sequence_numeric,
}


def _no_column(function: str, value: Any) -> Refusal:
    if isinstance(value, fc.FeatureColumn):
        return Refusal(
            f"{function}: columns of tf.feature_column are wanted, and '{value.name}' is one of "
            "trainer.feature_column already; leave it out."
        )
    return Refusal(
        f"{function}: columns of tf.feature_column are wanted, one or a list of them, not {value!r}; give what "
        "tf.feature_column.numeric_column and its like return."
    )


def _no_counterpart(column: Any) -> Refusal:
    return Refusal(
        f"from_feature_columns: column '{column.name}' is a {type(column).__name__}, which no function of "
        "tf.feature_column returns; declare it with one of them, or with trainer.feature_column."
    )
