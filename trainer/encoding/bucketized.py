"""Numbers as the id of their range."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.encoding.encoding import Encoding, encoding
from trainer.encoding.numeric import NumericEncoding
from trainer.feature_column import BucketizedColumn


class BucketizedEncoding(Encoding):
    """The range of each normalized value; several values a row take ids one after the other."""

    def __init__(self, column: BucketizedColumn) -> None:
        super().__init__()
        self.column = column
        self.numbers = NumericEncoding(column.source_column)

    def __call__(self, features: Mapping[str, Any]) -> Any:
        """Returns the ids, `(batch, width of the source)`."""
        edges = list(self.column.edges)
        buckets = tf.raw_ops.Bucketize(input=self.numbers(features), boundaries=edges)
        places = tf.range(self.column.source_column.width, dtype=tf.int64) * (len(edges) + 1)
        return tf.cast(buckets, tf.int64) + places  # (batch, width of the source)


encoding.register(BucketizedColumn, BucketizedEncoding)
