"""Values as their fingerprint modulo a size."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.encoding.encoding import Encoding, encoding, integers_of, missing, strings_of
from trainer.feature_column import HashBucketColumn


class HashBucketEncoding(Encoding):
    """`Fingerprint64(value) % hash_bucket_size`; whole numbers are hashed as their digits."""

    def __init__(self, column: HashBucketColumn) -> None:
        super().__init__()
        self.column = column

    def __call__(self, features: Mapping[str, Any]) -> Any:
        """Returns the ids, `(batch, k)`."""
        read = strings_of if self.column.dtype == "string" else integers_of
        values = read(features, self.column.key, "categorical_column_with_hash_bucket")
        texts = values if values.dtype == tf.string else tf.strings.as_string(values)
        ids = tf.strings.to_hash_bucket_fast(texts, self.column.hash_bucket_size)
        return tf.where(missing(values), tf.constant(-1, tf.int64), ids)  # (batch, k)


encoding.register(HashBucketColumn, HashBucketEncoding)
