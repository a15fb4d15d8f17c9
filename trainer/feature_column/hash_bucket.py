"""Values spread over a fixed number of buckets by a hash."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainer.feature_column.column import CategoricalColumn, RawFeature, checked_count, checked_dtype, checked_key
from trainer.feature_column.tokens import Tokens, checked_tokens


@dataclass(frozen=True)
class HashBucketColumn(CategoricalColumn):
    """Any string or whole number, as its 64-bit fingerprint modulo `hash_bucket_size`.

    Example:
        >>> categorical_column_with_hash_bucket("tailnum", 5000).label(17)
        'bucket 0017'
    """

    key: str
    hash_bucket_size: int
    dtype: str = "string"
    tokenize: Tokens | None = None

    @property
    def name(self) -> str:
        """The key."""
        return self.key

    @property
    def raw_features(self) -> Mapping[str, RawFeature]:
        """One feature of strings or whole numbers."""
        return {self.key: RawFeature("string" if self.dtype == "string" else "int64")}

    @property
    def num_buckets(self) -> int:
        """The number of buckets."""
        return self.hash_bucket_size

    @property
    def is_bounded(self) -> bool:
        """A bucket may hold any number of values."""
        return False

    def fields(self, id: int) -> dict[str, str]:
        """Returns the name of the bucket: a hash cannot be turned round."""
        return {self.key: f"bucket {id:0{len(str(self.hash_bucket_size - 1))}d}"}


def categorical_column_with_hash_bucket(
    key: str, hash_bucket_size: int, dtype: Any = "string", *, tokenize: Tokens | None = None
) -> HashBucketColumn:
    """Declares hashed values, as `tf.feature_column.categorical_column_with_hash_bucket`.

    Args:
        key: The raw feature.
        hash_bucket_size: The number of buckets; different values may share one.
        dtype: "string" or an integer dtype; integers are hashed as their decimal digits.
        tokenize: How the feature, a text, becomes words, whose ids are a bag; None takes it as one value.

    Raises:
        Refusal: `hash_bucket_size` is no positive whole number, the dtype is no string or integer, or words are to
            be made of what are no strings.
    """
    function = f"categorical_column_with_hash_bucket: key '{checked_key('categorical_column_with_hash_bucket', key)}'"
    size = checked_count(function, "hash_bucket_size", hash_bucket_size)
    name = checked_dtype(function, dtype, ("string", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"))
    return HashBucketColumn(key, size, name, checked_tokens(function, tokenize, name))
