"""Values as their place in a list."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.encoding.encoding import Encoding, encoding, integers_of, missing, strings_of
from trainer.feature_column import VocabularyListColumn


class VocabularyListEncoding(Encoding):
    """A lookup table from values to ids, with out-of-vocabulary buckets after them."""

    def __init__(self, column: VocabularyListColumn) -> None:
        super().__init__()
        self.column = column
        # A table made inside the function that first calls it would live only there.
        with tf.init_scope():
            keys = tf.constant(column.vocabulary_list, tf.string if column.dtype == "string" else tf.int64)
            ids = tf.range(len(column.vocabulary_list), dtype=tf.int64)
            initializer = tf.lookup.KeyValueTensorInitializer(keys, ids)
            self.lookup = tf.lookup.StaticHashTable(initializer, default_value=column.default_value)

    def __call__(self, features: Mapping[str, Any]) -> Any:
        """Returns the ids, `(batch, k)`."""
        read = strings_of if self.column.dtype == "string" else integers_of
        values = read(features, self.column.key, "categorical_column_with_vocabulary_list")
        ids = self.lookup.lookup(values)
        if self.column.num_oov_buckets:
            texts = values if values.dtype == tf.string else tf.strings.as_string(values)
            unseen = tf.strings.to_hash_bucket_fast(texts, self.column.num_oov_buckets)
            ids = tf.where(ids < 0, unseen + len(self.column.vocabulary_list), ids)
        return tf.where(missing(values), tf.constant(-1, tf.int64), ids)  # (batch, k)


encoding.register(VocabularyListColumn, VocabularyListEncoding)
