"""Numbers as float32."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.encoding.encoding import Encoding, encoding, values_of
from trainer.errors import Refusal
from trainer.feature_column import NumericColumn


class NumericEncoding(Encoding):
    """A numeric column's values, normalized as the column says."""

    def __init__(self, column: NumericColumn) -> None:
        super().__init__()
        self.column = column

    def __call__(self, features: Mapping[str, Any]) -> Any:
        """Returns the numbers, `(batch, width)`."""
        values = numbers_of(features, self.column)
        if self.column.normalizer_fn is not None:
            shaped = tf.reshape(values, [-1, *self.column.shape])
            values = tf.cast(self.column.normalizer_fn(shaped), tf.float32)
        return tf.reshape(values, [-1, self.column.width])  # (batch, width)


encoding.register(NumericColumn, NumericEncoding)


def numbers_of(features: Mapping[str, Any], column: NumericColumn) -> Any:
    """Returns the raw numbers of a column, `(batch, width)`, float32."""
    values = values_of(features, column.key)
    if values.dtype == tf.string:
        raise Refusal(f"numeric_column: feature '{column.key}' should be numbers, not strings; convert it first.")
    return tf.reshape(tf.cast(values, tf.float32), [-1, column.width])
