"""Combinations of values, one row each, or hashed."""

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.errors import Refusal
from trainer.feature_column.column import CategoricalColumn, RawFeature, checked_count, joined_features
from trainer.feature_column.hash_bucket import HashBucketColumn
from trainer.feature_column.nested import is_learned
from trainer.feature_column.sequence import SequenceCategoricalColumn
from trainer.feature_column.weighted import WeightedCategoricalColumn

EXACT_LIMIT = 100_000_000
"""The most rows that an exact cross may have; at 16 floats a row its table takes 6.4 GB."""


@dataclass(frozen=True)
class CrossedColumn(CategoricalColumn):
    """Combinations of several keys: exact, one id a combination, or hashed over `hash_bucket_size` ids.

    Example:
        >>> from trainer import feature_column as fc
        >>> day = fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue", "Wed"])
        >>> day_hour = fc.crossed_column([day, fc.categorical_column_with_identity("hour", 24)])
        >>> day_hour.num_buckets, day_hour.label(32), day_hour.id("Tue", 8)
        (72, 'Tue 08', 32)
    """

    keys: tuple[str | CategoricalColumn, ...]
    hash_bucket_size: int | None = None
    hash_key: int | None = None

    @property
    def leaves(self) -> tuple[str | CategoricalColumn, ...]:
        """The keys in their order, with the keys of nested crosses in their place."""
        found: list[str | CategoricalColumn] = []
        for key in self.keys:
            found.extend(key.leaves if isinstance(key, CrossedColumn) else (key,))
        return tuple(found)

    @property
    def name(self) -> str:
        """The sorted names of the keys; the order given changes the ids, not the name, as in TensorFlow."""
        return "_X_".join(sorted(leaf if isinstance(leaf, str) else leaf.name for leaf in self.leaves))

    @property
    def raw_features(self) -> Mapping[str, RawFeature]:
        """Those of all keys; a key given by its name alone is read as other columns read it, else as strings."""
        return joined_features("crossed_column", self.leaves)

    @property
    def is_bounded(self) -> bool:
        """An exact cross stands for known values, a hashed one does not."""
        return self.hash_bucket_size is None

    @property
    def bounded_leaves(self) -> tuple[CategoricalColumn, ...]:
        """The keys of an exact cross, in the order given: the last changes fastest from id to id."""
        return tuple(leaf for leaf in self.leaves if isinstance(leaf, CategoricalColumn))

    @property
    def num_buckets(self) -> int:
        """The product of the keys' sizes, or the hash's size."""
        if self.hash_bucket_size is not None:
            return self.hash_bucket_size
        return math.prod(leaf.num_buckets for leaf in self.bounded_leaves)

    def fields(self, id: int) -> dict[str, str]:
        """Returns the value of each key of an exact cross; a hashed one knows only its bucket."""
        if self.hash_bucket_size is not None:
            return {self.name: f"bucket {id:0{len(str(self.hash_bucket_size - 1))}d}"}
        found: dict[str, str] = {}
        for leaf in reversed(self.bounded_leaves):
            id, part = divmod(id, leaf.num_buckets)
            found = leaf.fields(part) | found
        return found

    def fields_of(self, ids: Sequence[int]) -> dict[str, list[str]]:
        """Returns the value of each key for many ids; each value of a key is described once."""
        if self.hash_bucket_size is not None:
            return super().fields_of(ids)
        found: dict[str, list[str]] = {}
        for leaf in reversed(self.bounded_leaves):
            size = leaf.num_buckets
            parts, ids = [id % size for id in ids], [id // size for id in ids]
            if size < len(parts):
                every = leaf.fields_of(range(size))
                described = {key: [texts[part] for part in parts] for key, texts in every.items()}
            else:
                described = leaf.fields_of(parts)
            found = described | found
        return found

    def id(self, *values: Any) -> int:
        """Returns the id of one combination of an exact cross.

        Args:
            *values: One value a key, in the order of the keys: `id("Tue", 8)`.

        Raises:
            Refusal: The cross is hashed, the number of values is wrong, or a value is unknown.
        """
        if self.hash_bucket_size is not None:
            raise Refusal(f"{self.name}: a hashed cross keeps no values; leave hash_bucket_size out for an exact one.")
        if len(values) != len(self.bounded_leaves):
            raise Refusal(f"{self.name}: {len(self.bounded_leaves)} values are wanted, not {len(values)}.")
        found = 0
        for leaf, value in zip(self.bounded_leaves, values, strict=True):
            found = found * leaf.num_buckets + _id(leaf, value)
        return found


def _id(leaf: CategoricalColumn, value: Any) -> int:
    texts = [leaf.label(id) for id in range(leaf.num_buckets)]
    if str(value) in texts:
        return texts.index(str(value))
    if isinstance(value, numbers.Integral) and f"{int(value):0{len(texts[0])}d}" in texts:
        return texts.index(f"{int(value):0{len(texts[0])}d}")
    raise Refusal(f"{leaf.name}: there is no value {value!r}; the first is {texts[0]!r}, the last {texts[-1]!r}.")


def crossed_column(
    keys: Sequence[str | CategoricalColumn], hash_bucket_size: int | None = None, hash_key: int | None = None
) -> CrossedColumn:
    """Declares combinations of keys, as `tf.feature_column.crossed_column`.

    Args:
        keys: Two keys or more: raw feature keys, or categorical columns other than hashed ones.
        hash_bucket_size: The number of buckets; None is the exact cross, one id a combination, for bounded keys.
        hash_key: The key of the hash; None is TensorFlow's 0xDECAFCAFFE.

    Raises:
        Refusal: A key cannot be crossed, or an exact cross has no bound or too many rows.
    """
    if isinstance(keys, str) or not isinstance(keys, Sequence) or len(keys) < 2:
        raise Refusal(f"crossed_column: two keys or more are wanted, not {keys!r}.")
    for key in keys:
        if not isinstance(key, (str, CategoricalColumn)):
            raise Refusal(f"crossed_column: a key is a feature's name or a categorical column, not {key!r}.")
        if isinstance(key, HashBucketColumn):
            instead = f"its name '{key.key}' instead" if key.tokenize is None else "a vocabulary of its words instead"
            raise Refusal(f"crossed_column: key '{key.name}' is hashed already; give {instead}.")
        if isinstance(key, (WeightedCategoricalColumn, SequenceCategoricalColumn)):
            kind = "has weights" if isinstance(key, WeightedCategoricalColumn) else "is a sequence"
            raise Refusal(
                f"crossed_column: key '{key.name}' {kind}, which a cross cannot keep; give the column inside it."
            )
    if hash_bucket_size is not None:
        hash_bucket_size = checked_count("crossed_column", "hash_bucket_size", hash_bucket_size)
    column = CrossedColumn(tuple(keys), hash_bucket_size, hash_key)
    joined_features("crossed_column", column.leaves)
    if hash_bucket_size is None:
        _check_bound(column)
    elif hash_key is not None:
        checked_count("crossed_column", "hash_key", hash_key, least=0)
    return column


def _check_bound(column: CrossedColumn) -> None:
    if column.hash_key is not None:
        raise Refusal("crossed_column: hash_key goes with hash_bucket_size; an exact cross hashes nothing.")
    for leaf in column.leaves:
        if isinstance(leaf, str):
            raise Refusal(
                f"crossed_column: key '{leaf}' is a raw string, so an exact cross has no bound; "
                "give hash_bucket_size, or cross a vocabulary."
            )
    for key in column.keys:
        if isinstance(key, CrossedColumn) and not key.is_bounded:
            raise Refusal(
                f"crossed_column: key '{key.name}' is a hashed cross, so an exact cross has no bound; "
                "give hash_bucket_size, or make the inner cross exact."
            )
    if is_learned(column) and column.num_buckets > EXACT_LIMIT:
        raise Refusal(
            f"crossed_column: an exact cross of '{column.name}' has {column.num_buckets:,} rows, over the limit of "
            f"{EXACT_LIMIT:,}; give hash_bucket_size for a hashed one."
        )
