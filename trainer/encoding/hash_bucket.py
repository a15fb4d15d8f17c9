"""Values as their fingerprint modulo a size."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.encoding.encoding import Encoding, encoding, integers_of, mapped, strings_of, where_present
from trainer.encoding.tokens import Tokenizer
from trainer.feature_column import HashBucketColumn


class HashBucketEncoding(Encoding):
    """`Fingerprint64(value) % hash_bucket_size`; whole numbers are hashed as their digits."""

    def __init__(self, column: HashBucketColumn) -> None:
        super().__init__()
        self.column = column
        self.tokenizer = None if column.tokenize is None else Tokenizer(column.tokenize)

    def __call__(self, features: Mapping[str, Any]) -> Any:
        """Returns the ids, `(batch, k)` or ragged, as those of words are."""
        read = strings_of if self.column.dtype == "string" else integers_of
        values = read(features, self.column.key, "categorical_column_with_hash_bucket")
        return mapped(self._ids, values) if self.tokenizer is None else self.tokenizer.bags(values, self._ids)

    def _ids(self, values: Any) -> Any:
        texts = values if values.dtype == tf.string else tf.strings.as_string(values)
        return where_present(values, tf.strings.to_hash_bucket_fast(texts, self.column.hash_bucket_size))


encoding.register(HashBucketColumn, HashBucketEncoding)
