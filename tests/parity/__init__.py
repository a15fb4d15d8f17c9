"""Our columns as the real `tf.feature_column` objects, and the ids that those make."""

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.feature_column import feature_column_v2

from trainer import feature_column as fc

Ids = list[list[int]]
"""The ids of each example in their order, without the missing ones."""


@singledispatch
def theirs(column: fc.FeatureColumn) -> Any:
    """Returns TensorFlow's column of the same declaration."""
    raise TypeError(f"theirs: no way to declare {column!r} is known")


@theirs.register
def _(column: fc.VocabularyListColumn) -> Any:
    dtype, file = tf.as_dtype(column.dtype), column.vocabulary_list
    if isinstance(file, fc.VocabularyFile):
        default = None if column.num_oov_buckets else column.default_value
        file_format = file.file_format or ("text" if file.path.endswith("tfrecord.gz") else None)
        return tf.feature_column.categorical_column_with_vocabulary_file(
            column.key, file.path, file.size, dtype, default, column.num_oov_buckets, file_format
        )
    return tf.feature_column.categorical_column_with_vocabulary_list(
        column.key, column.vocabulary, dtype, column.default_value, column.num_oov_buckets
    )


@theirs.register
def _(column: fc.IdentityColumn) -> Any:
    return tf.feature_column.categorical_column_with_identity(column.key, column.num_buckets, column.default_value)


@theirs.register
def _(column: fc.HashBucketColumn) -> Any:
    return tf.feature_column.categorical_column_with_hash_bucket(
        column.key, column.hash_bucket_size, tf.as_dtype(column.dtype)
    )


@theirs.register
def _(column: fc.CrossedColumn) -> Any:
    """TensorFlow has hashed crosses alone; the name of an exact one is that of a hashed one."""
    keys = [key if isinstance(key, str) else theirs(key) for key in column.keys]
    return tf.feature_column.crossed_column(keys, column.hash_bucket_size or column.num_buckets, column.hash_key)


@theirs.register
def _(column: fc.WeightedCategoricalColumn) -> Any:
    return tf.feature_column.weighted_categorical_column(
        theirs(column.categorical_column), column.weight_feature_key, tf.as_dtype(column.dtype)
    )


@theirs.register
def _(column: fc.SequenceCategoricalColumn) -> Any:
    """Each `sequence_categorical_column_with_…` of TensorFlow wraps the column of its name so."""
    return feature_column_v2.SequenceCategoricalColumn(theirs(column.categorical_column))


@theirs.register
def _(column: fc.SequenceNumericColumn) -> Any:
    return tf.feature_column.sequence_numeric_column(
        column.key, column.shape, column.default_value, tf.as_dtype(column.dtype), column.normalizer_fn
    )


@theirs.register
def _(column: fc.NumericColumn) -> Any:
    dtype, default = tf.as_dtype(column.dtype), None
    if column.default_value is not None:
        default = np.reshape(column.default_value, column.shape).astype(dtype.as_numpy_dtype).tolist()
    return tf.feature_column.numeric_column(column.key, column.shape, default, dtype, column.normalizer_fn)


@theirs.register
def _(column: fc.BucketizedColumn) -> Any:
    return tf.feature_column.bucketized_column(theirs(column.source_column), list(column.edges))


@theirs.register
def _(column: fc.IndicatorColumn) -> Any:
    return tf.feature_column.indicator_column(theirs(column.categorical_column))


@theirs.register
def _(column: fc.EmbeddingColumn) -> Any:
    arguments = {
        "dimension": column.width,
        "combiner": column.combiner,
        "max_norm": column.max_norm,
        "trainable": column.trainable,
        "use_safe_embedding_lookup": column.use_safe_embedding_lookup,
    }
    if not column.shared_by:
        return tf.feature_column.embedding_column(theirs(column.categorical_column), **arguments)
    with tf.Graph().as_default():  # TensorFlow shares no table eagerly
        shared = tf.feature_column.shared_embeddings([theirs(one) for one in column.shared_by], **arguments)
    return shared[column.shared_by.index(column.categorical_column)]


def their_ids(column: fc.CategoricalColumn, features: Mapping[str, Any]) -> Ids:
    """Returns the ids that TensorFlow's column of the same declaration makes."""
    return ids_made_by(theirs(column), features)


def ids_made_by(column: Any, features: Mapping[str, Any]) -> Ids:
    """Returns the ids that a column of TensorFlow's makes."""
    cache = feature_column_v2.FeatureTransformationCache(dict(features))
    sparse = column.get_sparse_tensors(cache, None).id_tensor
    found: Ids = [[] for _ in range(int(sparse.dense_shape[0]))]
    for (example, _), id in zip(sparse.indices.numpy().tolist(), sparse.values.numpy().tolist(), strict=True):
        found[example].append(id)
    return present(found)


def present(ids: Any) -> Ids:
    """Returns ids without -1, the missing."""
    rows = ids.numpy() if hasattr(ids, "numpy") else ids
    return [[int(id) for id in np.asarray(row, np.int64) if id >= 0] for row in rows]
