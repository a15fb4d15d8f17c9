"""What a hash is made of: the values of a feature, or the combinations of a cross."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np
import pyarrow as pa
import tensorflow as tf

from trainer.encoding.crossed import TENSORFLOW_HASH_KEY
from trainer.encoding.encoding import encoding, padded
from trainer.errors import Refusal
from trainer.feature_column import (
    CategoricalColumn,
    CrossedColumn,
    HashBucketColumn,
    IdentityColumn,
    VocabularyListColumn,
)
from trainer.feature_column.crossed import EXACT_LIMIT
from trainer.feature_column.tokens import makes_words
from trainer.vocabulary.bags import Bag, bag_of, counted, present
from trainer.vocabulary.words import Words

Ids = np.ndarray[Any, Any]
"""int64, `(keys,)`."""


LOOKED_UP = (VocabularyListColumn, IdentityColumn)


def _is_looked_up(leaf: str | CategoricalColumn) -> TypeGuard[VocabularyListColumn | IdentityColumn]:
    """Tells whether each value of a feature has one id, so that values can be counted before it is looked up."""
    return isinstance(leaf, LOOKED_UP) and not makes_words(leaf)


class Hashed(ABC):
    """Keys of a column, before its hash: Arrow arrays side by side, one for each value that a key has."""

    @abstractmethod
    def keys(self, features: Mapping[str, Any]) -> list[Any]:
        """Returns the keys of a batch of raw features, one for each id that the column's encoding makes."""

    def counted(self, features: Mapping[str, Any]) -> tuple[list[Any], Ids | None]:
        """Returns the keys of a batch, and how many rows each has; None where each has one."""
        return self.keys(features), None

    @abstractmethod
    def resolved(self, keys: Sequence[Any]) -> list[Any]:
        """Returns different keys as what the hash takes, in which some may be equal."""

    @abstractmethod
    def ids(self, keys: Sequence[Any], size: int) -> Ids:
        """Returns the ids of resolved keys as the column's encoding would make them with another hash_bucket_size."""

    @abstractmethod
    def labels(self, keys: Sequence[Any]) -> list[str]:
        """Returns what a person calls resolved keys."""

    @property
    @abstractmethod
    def without_sharing(self) -> str:
        """What would give each key its own id, in words; empty where nothing would."""


class HashedFeature(Hashed):
    """The values of a hashed column."""

    def __init__(self, column: HashBucketColumn) -> None:
        self._column = column
        self._hashed: tuple[Any, Ids] | None = None
        self._words = None if column.tokenize is None else Words(column.tokenize)

    def keys(self, features: Mapping[str, Any]) -> list[Any]:
        """Returns the values that are not missing, or the words."""
        kind = "string" if self._column.dtype == "string" else "int64"
        values = bag_of(features, self._column.key, "categorical_column_with_hash_bucket", kind).values
        return [values if self._words is None else self._words.of(values).values]

    def counted(self, features: Mapping[str, Any]) -> tuple[list[Any], Ids | None]:
        """Returns the values that are not missing, each different one once where the batch has them so."""
        kind = "string" if self._column.dtype == "string" else "int64"
        values, rows = counted(features, self._column.key, "categorical_column_with_hash_bucket", kind)
        values, rows = (values, rows) if self._words is None else self._words(values, rows)
        return [values], rows

    def resolved(self, keys: Sequence[Any]) -> list[Any]:
        """Returns the values as they are."""
        return list(keys)

    def ids(self, keys: Sequence[Any], size: int) -> Ids:
        """Returns the values' ids."""
        # Sizes are tried one after the other, and to hash a string takes longer than to divide its hash.
        if self._hashed is None or self._hashed[0] is not keys[0]:
            texts = _tensor(keys[0])
            texts = texts if texts.dtype == tf.string else tf.strings.as_string(texts)
            self._hashed = keys[0], tf.bitcast(tf.fingerprint(texts), tf.uint64).numpy()
        return (self._hashed[1] % np.uint64(size)).astype(np.int64)

    def labels(self, keys: Sequence[Any]) -> list[str]:
        """Returns the values as strings."""
        return _texts(keys[0])

    @property
    def without_sharing(self) -> str:
        """A vocabulary."""
        return "a vocabulary"


class HashedCross(Hashed):
    """The combinations of a hashed cross; a key has the value of each leaf, resolved the id of each that is a column.

    Values are looked up once they are counted, so that reading a batch costs little.
    """

    def __init__(self, column: CrossedColumn) -> None:
        self._column = column
        self._leaves = column.leaves
        others = [leaf for leaf in self._leaves if not isinstance(leaf, str) and not _is_looked_up(leaf)]
        self._encodings = {leaf: encoding(leaf) for leaf in others}
        self._kinds: dict[str, str] = {}

    def keys(self, features: Mapping[str, Any]) -> list[Any]:
        """Returns all combinations of the values of each example; those with a missing value are none."""
        bags = [self._bag(leaf, features) for leaf in self._leaves]
        if len({len(bag.lengths) for bag in bags}) > 1:
            lengths = " and ".join(f"{len(bag.lengths):,}" for bag in bags)
            raise Refusal(
                f"crossed_column: the features of '{self._column.name}' have {lengths} examples; give as many of each "
                "in a batch."
            )
        return _combined(bags)

    def resolved(self, keys: Sequence[Any]) -> list[Any]:
        """Returns the ids of the leaves' values; -1 is a value of no vocabulary, which TensorFlow hashes as it is."""
        pairs = zip(self._leaves, keys, strict=True)
        return [_resolved(leaf, key) if _is_looked_up(leaf) else key for leaf, key in pairs]

    def ids(self, keys: Sequence[Any], size: int) -> Ids:
        """Returns the combinations' ids."""
        # The encoding of a cross begins with raw features; here each leaf's ids are known already.
        columns = [key for leaf, key in zip(self._leaves, keys, strict=True) if not isinstance(leaf, str)]
        raw = [key for leaf, key in zip(self._leaves, keys, strict=True) if isinstance(leaf, str)]
        hash_key = TENSORFLOW_HASH_KEY if self._column.hash_key is None else self._column.hash_key
        values = [_tensor(key)[:, tf.newaxis] for key in [*columns, *raw]]  # (keys, 1)
        return tf.sparse.cross_hashed(values, size, hash_key).values.numpy()

    def labels(self, keys: Sequence[Any]) -> list[str]:
        """Returns the labels of the leaves' values, "Tue 08"."""
        columns = [_labels(leaf, key) for leaf, key in zip(self._leaves, keys, strict=True)]
        return [" ".join(parts) for parts in zip(*columns, strict=True)]

    @property
    def without_sharing(self) -> str:
        """An exact cross, where all its keys are bounded and their product is not too large."""
        sizes = [0 if isinstance(leaf, str) else leaf.num_buckets for leaf in self._leaves]
        return "an exact cross" if 0 < math.prod(sizes) <= EXACT_LIMIT else ""

    def _bag(self, leaf: str | CategoricalColumn, features: Mapping[str, Any]) -> Bag:
        if isinstance(leaf, str):
            bag = bag_of(features, leaf, "crossed_column", self._kinds.get(leaf))
            if len(bag.values):
                self._kinds[leaf] = bag.kind
            return bag
        if _is_looked_up(leaf):
            return _bag_of(leaf, features)
        ids = padded(self._encodings[leaf](features)).numpy()  # (batch, k)
        return present(pa.array(ids.reshape(-1)), np.full(len(ids), ids.shape[1]))


def _bag_of(leaf: VocabularyListColumn | IdentityColumn, features: Mapping[str, Any]) -> Bag:
    kind = "identity" if isinstance(leaf, IdentityColumn) else "vocabulary_list"
    return bag_of(features, leaf.key, f"categorical_column_with_{kind}", leaf.raw_features[leaf.key].dtype)


def _resolved(leaf: VocabularyListColumn | IdentityColumn, values: Any) -> Any:
    different = values.dictionary_encode()
    if isinstance(leaf, IdentityColumn) and leaf.default_value is None:
        _check_range(leaf, different.dictionary.to_numpy())
    return pa.array(_encoded(leaf, different.dictionary)[different.indices.to_numpy()])


def _check_range(leaf: IdentityColumn, values: Ids) -> None:
    outside = values[(values < 0) | (values >= leaf.num_buckets)]
    if len(outside):
        raise Refusal(
            f"categorical_column_with_identity: key '{leaf.key}' takes ids from 0 to {leaf.num_buckets - 1}, and the "
            f"data have {outside[0]}; give default_value, or a larger num_buckets."
        )


def _encoded(column: HashBucketColumn | VocabularyListColumn | IdentityColumn, values: Any) -> Ids:
    return encoding(column)({column.key: _tensor(values)}).numpy().reshape(-1)


def _tensor(values: Any) -> Any:
    dtype = tf.string if pa.types.is_binary(values.type) else tf.int64
    return tf.constant(values.to_numpy(zero_copy_only=False), dtype)


def _combined(bags: Sequence[Bag]) -> list[Any]:
    lengths = np.stack([bag.lengths for bag in bags])  # (leaves, batch)
    if (lengths == 1).all():
        return [bag.values for bag in bags]
    total = lengths.prod(axis=0)
    rows = np.repeat(np.arange(len(total)), total)  # (combinations,)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(total) - total, total)
    combined = []
    for bag, length in zip(reversed(bags), reversed(lengths), strict=True):
        place, part = np.divmod(place, length[rows])
        first = np.cumsum(length) - length
        combined.append(bag.values.take(pa.array(first[rows] + part)))
    return combined[::-1]


def _labels(leaf: str | CategoricalColumn, values: Any) -> list[str]:
    if isinstance(leaf, str):
        return _texts(values)
    different = values.dictionary_encode()
    texts = [leaf.label(id) if id >= 0 else "(unseen)" for id in different.dictionary.to_pylist()]
    return [texts[code] for code in different.indices.to_pylist()]


def _texts(values: Any) -> list[str]:
    return [
        value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
        for value in values.to_pylist()
    ]
