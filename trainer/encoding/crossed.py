"""Combinations of ids, one id each, or hashed."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from trainer.encoding.coded import Coded
from trainer.encoding.encoding import Encoding, encoding, integers_of, mapped, missing, padded, values_of
from trainer.feature_column import CategoricalColumn, CrossedColumn, VocabularyListColumn
from trainer.feature_column.tokens import makes_words

TENSORFLOW_HASH_KEY = 0xDECAFCAFFE


class CrossedEncoding(Encoding):
    """All combinations of the keys' values of an example; where one key has no value there is no combination."""

    def __init__(self, column: CrossedColumn) -> None:
        super().__init__()
        self.column = column
        # TensorFlow hashes dense features, which raw keys are, after the ids of columns, whatever the keys' order.
        self.leaves = sorted(column.leaves, key=lambda leaf: isinstance(leaf, str))
        self.encodings = [partial(_raw, key=leaf) if isinstance(leaf, str) else encoding(leaf) for leaf in self.leaves]

    def __call__(self, features: Mapping[str, Any]) -> Any:
        """Returns the ids, `(batch, product of the keys' k)`; ragged where a key's values are."""
        given = [encode(features) for encode in self.encodings]
        values = [padded(value) for value in given]
        absent = [self._absent(leaf, value, features) for leaf, value in zip(self.leaves, values, strict=True)]
        values, absent = _combined(values), _combined(absent)  # each (batch, product)
        if self.column.hash_bucket_size is None:
            ids = tf.zeros_like(values[0])
            for leaf, value in zip(self.column.bounded_leaves, values, strict=True):
                ids = ids * leaf.num_buckets + value
        else:
            ids = self._hashed(values)
        some_absent = tf.reduce_any(tf.stack(absent), axis=0)
        ids = tf.where(some_absent, tf.constant(-1, tf.int64), ids)  # (batch, product)
        if any(isinstance(value, tf.RaggedTensor) for value in given):
            # Padding has no combinations, so that the weights of those that there are stay beside them.
            there = tf.reduce_all(tf.stack(_combined([_there(value) for value in given])), axis=0)
            return tf.ragged.boolean_mask(ids, there)  # (batch, None)
        return ids

    def _absent(self, leaf: str | CategoricalColumn, values: Any, features: Mapping[str, Any]) -> Any:
        # A value that is in no vocabulary has the id -1, which TensorFlow hashes; an exact cross has no row for it, and
        # neither has a word.
        is_text = not isinstance(leaf, str) and makes_words(leaf)
        if not is_text and self.column.hash_bucket_size is not None and isinstance(leaf, (str, VocabularyListColumn)):
            raw = values_of(features, leaf if isinstance(leaf, str) else leaf.key)
            told = mapped(missing, raw)
            return told.to_tensor(True) if isinstance(told, tf.RaggedTensor) else told
        return missing(values)

    def _hashed(self, values: Sequence[Any]) -> Any:
        keys = [tf.reshape(value, [-1, 1]) for value in values]
        hash_key = TENSORFLOW_HASH_KEY if self.column.hash_key is None else self.column.hash_key
        crossed = tf.sparse.cross_hashed(keys, self.column.hash_bucket_size, hash_key)
        return tf.reshape(crossed.values, tf.shape(values[0]))


def _raw(features: Mapping[str, Any], key: str) -> Any:
    values = values_of(features, key)
    if isinstance(values, Coded):  # a cross hashes a string as its fingerprint, which is taken once of each
        return values.mapped(lambda texts: tf.bitcast(tf.fingerprint(texts), tf.int64))
    return values if values.dtype == tf.string else integers_of(features, key, "crossed_column")


def _there(values: Any) -> Any:
    """Tells which places of padded values are those of values, `(batch, k)`."""
    if isinstance(values, tf.RaggedTensor):
        return tf.sequence_mask(values.row_lengths())
    return tf.ones_like(values, tf.bool)


def _combined(values: Sequence[Any]) -> list[Any]:
    """Returns each `(batch, k)` repeated so that together they run through all combinations, the last fastest."""
    if all(value.shape[1] == 1 for value in values):
        return list(values)
    sizes = [tf.shape(value)[1] for value in values]
    repeated = []
    for place, value in enumerate(values):
        inner = tf.reduce_prod(tf.stack([1, *sizes[place + 1 :]]))
        outer = tf.reduce_prod(tf.stack([1, *sizes[:place]]))
        repeated.append(tf.tile(tf.repeat(value, inner, axis=1), [1, outer]))
    return repeated


encoding.register(CrossedColumn, CrossedEncoding)
