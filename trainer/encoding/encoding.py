"""What every way of making ids shares: a function of raw features, made once from a column."""

from abc import abstractmethod
from collections.abc import Mapping
from functools import singledispatch
from typing import Any

import tensorflow as tf

from trainer.errors import Refusal, nearest
from trainer.feature_column import FeatureColumn


class Encoding(tf.Module):
    """Turns raw features into ids or numbers; it holds lookup tables, never a trained weight."""

    @abstractmethod
    def __call__(self, features: Mapping[str, Any]) -> Any:
        """Returns the column's ids `(batch, k)`, int64, missing -1, or its numbers `(batch, width)`, float32.

        Args:
            features: Raw features by key, each `(batch,)` or `(batch, k)`, dense, ragged or sparse; '' and -1 are
                missing values.
        """


@singledispatch
def encoding(column: FeatureColumn) -> Encoding:
    """Returns the encoding of a categorical or numeric column.

    Each kind of column registers its own in the file of this folder that is named after it.
    """
    raise Refusal(f"encoding: a categorical or numeric column is wanted, not {column!r}.")


def values_of(features: Mapping[str, Any], key: str) -> Any:
    """Returns a raw feature as a tensor `(batch, k)`; ragged and sparse ones are padded with missing values.

    Raises:
        Refusal: The features lack the key.
    """
    if key not in features:
        raise Refusal(f"features: '{key}' is wanted by a column and is not there{nearest(key, features) or '.'}")
    values = _padded(features[key])
    return values[:, tf.newaxis] if values.shape.rank == 1 else values  # (batch, k)


def _padded(values: Any) -> Any:
    if not isinstance(values, (tf.RaggedTensor, tf.SparseTensor)):
        return tf.convert_to_tensor(values)
    padding = tf.constant("") if values.dtype == tf.string else tf.constant(-1, values.dtype)
    if isinstance(values, tf.SparseTensor):
        return tf.sparse.to_dense(values, padding)
    return values.to_tensor(padding)


def strings_of(features: Mapping[str, Any], key: str, who: str) -> Any:
    """Returns a raw feature of strings, `(batch, k)`."""
    values = values_of(features, key)
    if values.dtype != tf.string:
        raise Refusal(f"{who}: feature '{key}' should be strings, not {values.dtype.name}; declare the column's dtype.")
    return values


def integers_of(features: Mapping[str, Any], key: str, who: str) -> Any:
    """Returns a raw feature of whole numbers, `(batch, k)`, int64."""
    values = values_of(features, key)
    if not values.dtype.is_integer:
        raise Refusal(
            f"{who}: feature '{key}' should be whole numbers, not {values.dtype.name}; declare the column's dtype."
        )
    return tf.cast(values, tf.int64)


def missing(values: Any) -> Any:
    """Tells which strings are '' and which whole numbers are -1: the values that are not there."""
    return tf.equal(values, "") if values.dtype == tf.string else tf.equal(values, tf.constant(-1, values.dtype))
