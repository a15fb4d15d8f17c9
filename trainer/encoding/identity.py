"""Whole numbers as they are, refused or replaced outside their range."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.encoding.encoding import Bounded, assured, encoding, integers_of, mapped, missing
from trainer.feature_column import IdentityColumn


class IdentityEncoding(Bounded):
    """The values themselves; one outside `[0, num_buckets)` becomes the default or stops the reading."""

    def __init__(self, column: IdentityColumn) -> None:
        super().__init__()
        self.column = column

    def __call__(self, features: Mapping[str, Any]) -> Any:
        """Returns the ids, `(batch, k)` or ragged."""
        values = integers_of(features, self.column.key, "categorical_column_with_identity")
        if self.column.default_value is None:
            with tf.control_dependencies(self._checks(values)):
                return mapped(tf.identity, values)
        default = tf.constant(self.column.default_value, tf.int64)
        return mapped(lambda flat: tf.where(self.outside(flat), default, flat), values)

    def outside(self, values: Any) -> Any:
        """Tells which values are not in `[0, num_buckets)`."""
        return ~missing(values) & ((values < 0) | (values >= self.column.num_buckets))

    def _checks(self, values: Any) -> list[Any]:
        if isinstance(values, tf.RaggedTensor):
            outside = tf.where(self.outside(values.flat_values))[:, 0]
            wrong, rows = tf.gather(values.flat_values, outside), tf.gather(values.value_rowids(), outside)
        else:
            outside = tf.where(self.outside(values))
            wrong, rows = tf.gather_nd(values, outside), outside[:, 0]
        message = (
            f"categorical_column_with_identity: key '{self.column.key}' takes ids from 0 to "
            f"{self.column.num_buckets - 1}; give default_value, or a larger num_buckets; the data have"
        )
        return assured(tf.size(wrong) == 0, message, wrong, "in row", rows)


encoding.register(IdentityColumn, IdentityEncoding)
