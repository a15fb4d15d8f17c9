"""Numbers as float32."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.encoding.encoding import Encoding, encoding, feature_of
from trainer.errors import Refusal
from trainer.feature_column import NumericColumn


class NumericEncoding(Encoding):
    """A numeric column's values, normalized as the column says."""

    def __init__(self, column: NumericColumn) -> None:
        super().__init__()
        self.column = column

    def __call__(self, features: Mapping[str, Any]) -> Any:
        """Returns the numbers, `(batch, width)`."""
        column = self.column
        values = feature_of(features, column.key)
        if values.dtype == tf.string:
            raise Refusal(f"numeric_column: feature '{column.key}' should be numbers, not strings; convert it first.")
        if not isinstance(values, tf.Tensor):
            raise Refusal(
                f"numeric_column: feature '{column.key}' is a {type(values).__name__}, of any number of values an "
                f"example, and {column.width} are wanted; give a dense tensor, or declare a sequence_numeric_column."
            )
        values = tf.expand_dims(values, 1) if values.shape.rank == 1 else values  # (batch, …)
        size = values.shape[1:].num_elements()
        if size not in (None, column.width):
            raise Refusal(
                f"numeric_column: feature '{column.key}' should have {column.width} numbers an example, not {size}; "
                "declare the column's shape."
            )
        if column.normalizer_fn is not None:
            # It sees the declared dtype, whether the data or an exported model's input hold it.
            shaped = tf.reshape(tf.cast(values, column.dtype), [-1, *column.shape])  # (batch, *shape)
            values = tf.convert_to_tensor(column.normalizer_fn(shaped))
        values = tf.cast(values, tf.float32)
        if values.shape.rank == 2 and values.shape[1] == column.width:
            return values
        return tf.reshape(values, [-1, column.width])  # (batch, width)


encoding.register(NumericColumn, NumericEncoding)
