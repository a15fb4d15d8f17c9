"""Values as their place in a vocabulary."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.encoding.encoding import Bounded, encoding, integers_of, mapped, missing, strings_of, where_present
from trainer.encoding.tokens import Tokenizer
from trainer.feature_column import FromData, SavedVocabulary, VocabularyFile, VocabularyListColumn
from trainer.feature_column.vocabulary import GZIPPED_RECORDS, check_unchanged


class VocabularyListEncoding(Bounded):
    """A lookup table from values to ids, with out-of-vocabulary buckets after them."""

    def __init__(self, column: VocabularyListColumn) -> None:
        super().__init__()
        self.column = column
        self.tokenizer = None if column.tokenize is None else Tokenizer(column.tokenize)
        self.lookup = None
        if not isinstance(column.vocabulary_list, (FromData, SavedVocabulary)):
            # A table made inside the function that first calls it would live only there.
            with tf.init_scope():
                self.lookup = tf.lookup.StaticHashTable(_initializer(column), default_value=-1)

    def __call__(self, features: Mapping[str, Any]) -> Any:
        """Returns the ids, `(batch, k)` or ragged, as those of words are."""
        read = strings_of if self.column.dtype == "string" else integers_of
        values = read(features, self.column.key, "categorical_column_with_vocabulary_list")
        return mapped(self._ids, values) if self.tokenizer is None else self.tokenizer.bags(values, self._ids)

    def outside(self, values: Any) -> Any:
        """Tells which values are in no vocabulary, or which texts have a word in none."""
        if self.tokenizer is None:
            return (self._found(values) < 0) & ~missing(values)
        flat = tf.reshape(values, [-1, 1])
        told = self.tokenizer.bags(flat, lambda words: self._found(words) < 0)  # (texts, None)
        return tf.reshape(tf.reduce_any(told, axis=1), tf.shape(values))

    def _ids(self, values: Any) -> Any:
        ids = self._found(values)
        if self.column.num_oov_buckets:
            texts = values if values.dtype == tf.string else tf.strings.as_string(values)
            unseen = tf.strings.to_hash_bucket_fast(texts, self.column.num_oov_buckets)
            ids = tf.where(ids < 0, unseen + self.column.vocabulary_size, ids)
        elif self.column.default_value != -1:
            ids = tf.where(ids < 0, tf.constant(self.column.default_value, tf.int64), ids)
        return where_present(values, ids)

    def _found(self, values: Any) -> Any:
        if self.lookup is None:
            _ = self.column.vocabulary  # says why there is none
        return self.lookup.lookup(values)  # type: ignore[union-attr]


def _initializer(column: VocabularyListColumn) -> Any:
    dtype = tf.string if column.dtype == "string" else tf.int64
    file = column.vocabulary_list
    if isinstance(file, VocabularyFile) and file.file_format != GZIPPED_RECORDS:
        check_unchanged(file)
        whole_line, line_number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
        return tf.lookup.TextFileInitializer(file.path, dtype, whole_line, tf.int64, line_number, file.size)
    values: list[Any] = list(column.vocabulary)
    if column.dtype == "string":
        values = [value.encode("utf-8", "surrogateescape") for value in values]
    return tf.lookup.KeyValueTensorInitializer(tf.constant(values, dtype), tf.range(len(values), dtype=tf.int64))


encoding.register(VocabularyListColumn, VocabularyListEncoding)
