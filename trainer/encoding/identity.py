"""Whole numbers as they are, refused or replaced outside their range."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.encoding.encoding import Encoding, encoding, integers_of, missing
from trainer.feature_column import IdentityColumn


class IdentityEncoding(Encoding):
    """The values themselves; one outside `[0, num_buckets)` becomes the default or stops the reading."""

    def __init__(self, column: IdentityColumn) -> None:
        super().__init__()
        self.column = column

    def __call__(self, features: Mapping[str, Any]) -> Any:
        """Returns the ids, `(batch, k)`."""
        values = integers_of(features, self.column.key, "categorical_column_with_identity")
        absent = missing(values)
        outside = tf.logical_and(~absent, tf.logical_or(values < 0, values >= self.column.num_buckets))
        if self.column.default_value is not None:
            return tf.where(outside, tf.constant(self.column.default_value, tf.int64), values)  # (batch, k)
        message = (
            f"categorical_column_with_identity: key '{self.column.key}' takes ids from 0 to "
            f"{self.column.num_buckets - 1}; give default_value, or a larger num_buckets; the data have"
        )
        check = tf.debugging.Assert(~tf.reduce_any(outside), [message, tf.boolean_mask(values, outside)], summarize=3)
        with tf.control_dependencies([check] if check is not None else []):
            return tf.identity(values)  # (batch, k)


encoding.register(IdentityColumn, IdentityEncoding)
