"""Values in an order: one id, or one vector of numbers, a step of time."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

from trainer.errors import Refusal
from trainer.feature_column.column import CategoricalColumn, FeatureColumn, RawFeature, checked_dtype, checked_key
from trainer.feature_column.hash_bucket import HashBucketColumn, categorical_column_with_hash_bucket
from trainer.feature_column.identity import categorical_column_with_identity
from trainer.feature_column.nested import nested
from trainer.feature_column.numeric import DTYPES, checked_normalizer, checked_shape
from trainer.feature_column.tokens import Tokens, makes_words
from trainer.feature_column.vocabulary import FromData
from trainer.feature_column.vocabulary_list import (
    VocabularyListColumn,
    categorical_column_with_vocabulary_file,
    categorical_column_with_vocabulary_list,
)


@dataclass(frozen=True)
class SequenceCategoricalColumn(CategoricalColumn):
    """Ids in an order, for `SequenceFeatures`: an embedding or indicator of it has a row a step.

    Example:
        >>> watched = sequence_categorical_column_with_identity("watched", 1000)
        >>> watched.name, watched.num_buckets
        ('watched', 1000)
    """

    categorical_column: CategoricalColumn

    @property
    def name(self) -> str:
        """The categorical column's name."""
        return self.categorical_column.name

    @property
    def raw_features(self) -> Mapping[str, RawFeature]:
        """The feature of the categorical column, with any number of values, or one text whose words are the steps."""
        if makes_words(self.categorical_column):
            return self.categorical_column.raw_features
        return {key: feature.as_bag() for key, feature in self.categorical_column.raw_features.items()}

    @property
    def num_buckets(self) -> int:
        """Those of the categorical column."""
        return self.categorical_column.num_buckets

    @property
    def is_bounded(self) -> bool:
        """As the categorical column."""
        return self.categorical_column.is_bounded

    def fields(self, id: int) -> dict[str, str]:
        """Returns what the categorical column says of an id."""
        return self.categorical_column.fields(id)


@dataclass(frozen=True)
class SequenceNumericColumn(FeatureColumn):
    """Real numbers in an order, for `SequenceFeatures`; steps past an example's last are `default_value`.

    Example:
        >>> sequence_numeric_column("temperature", shape=2).width
        2
    """

    key: str
    shape: tuple[int, ...] = (1,)
    default_value: float = 0.0
    dtype: str = "float32"
    normalizer_fn: Callable[[Any], Any] | None = None

    @property
    def name(self) -> str:
        """The key."""
        return self.key

    @property
    def raw_features(self) -> Mapping[str, RawFeature]:
        """One feature of any number of numbers."""
        return {self.key: RawFeature("int64" if "int" in self.dtype else "float32", (None,))}

    @property
    def width(self) -> int:
        """The number of floats of one step."""
        return math.prod(self.shape)


def is_sequence(column: FeatureColumn) -> bool:
    """Tells whether a column, or one inside it, has its values in an order."""
    return any(isinstance(part, (SequenceCategoricalColumn, SequenceNumericColumn)) for part in nested(column))


def sequence_categorical_column_with_identity(
    key: str, num_buckets: int, default_value: int | None = None
) -> SequenceCategoricalColumn:
    """Declares ids in an order, as `tf.feature_column.sequence_categorical_column_with_identity`.

    The arguments are those of `categorical_column_with_identity`.
    """
    return SequenceCategoricalColumn(categorical_column_with_identity(key, num_buckets, default_value))


def sequence_categorical_column_with_hash_bucket(
    key: str, hash_bucket_size: int, dtype: Any = "string", *, tokenize: Tokens | None = None
) -> SequenceCategoricalColumn:
    """Declares hashed values in an order, as `tf.feature_column.sequence_categorical_column_with_hash_bucket`.

    The arguments are those of `categorical_column_with_hash_bucket`.
    """
    column = categorical_column_with_hash_bucket(key, hash_bucket_size, dtype, tokenize=tokenize)
    return _in_order("sequence_categorical_column_with_hash_bucket", column)


def sequence_categorical_column_with_vocabulary_list(
    key: str,
    vocabulary_list: Sequence[str] | Sequence[int] | FromData,
    dtype: Any = None,
    default_value: int = -1,
    num_oov_buckets: int = 0,
    *,
    tokenize: Tokens | None = None,
) -> SequenceCategoricalColumn:
    """Declares values from a list in an order, as `tf.feature_column.sequence_categorical_column_with_vocabulary_list`.

    The arguments are those of `categorical_column_with_vocabulary_list`.
    """
    column = categorical_column_with_vocabulary_list(
        key, vocabulary_list, dtype, default_value, num_oov_buckets, tokenize=tokenize
    )
    return _in_order("sequence_categorical_column_with_vocabulary_list", column)


def sequence_categorical_column_with_vocabulary_file(
    key: str,
    vocabulary_file: str | PathLike[str],
    vocabulary_size: int | None = None,
    num_oov_buckets: int = 0,
    default_value: int | None = None,
    dtype: Any = "string",
    *,
    tokenize: Tokens | None = None,
) -> SequenceCategoricalColumn:
    """Declares values from a file in an order, as `tf.feature_column.sequence_categorical_column_with_vocabulary_file`.

    The arguments are those of `categorical_column_with_vocabulary_file`, in TensorFlow's order, which is another one.
    """
    column = categorical_column_with_vocabulary_file(
        key, vocabulary_file, vocabulary_size, dtype, default_value, num_oov_buckets, tokenize=tokenize
    )
    return _in_order("sequence_categorical_column_with_vocabulary_file", column)


def _in_order(function: str, column: HashBucketColumn | VocabularyListColumn) -> SequenceCategoricalColumn:
    if column.tokenize is not None and column.tokenize.ngrams > 1:
        raise Refusal(
            f"{function}: key '{column.key}' has words in their order, and runs of words have no place in it; give "
            "Tokens(ngrams=1)."
        )
    return SequenceCategoricalColumn(column)


def sequence_numeric_column(
    key: str,
    shape: int | Sequence[int] = (1,),
    default_value: float = 0.0,
    dtype: Any = "float32",
    normalizer_fn: Callable[[Any], Any] | None = None,
) -> SequenceNumericColumn:
    """Declares real numbers in an order, as `tf.feature_column.sequence_numeric_column`.

    Args:
        key: The raw feature: `(batch, steps * numbers of a step)` or `(batch, steps, numbers of a step)`.
        shape: The shape of one step's numbers.
        default_value: What fills the steps past an example's last.
        dtype: The dtype of the raw feature; the output is float32.
        normalizer_fn: Applied to the numbers that are there, a dense tensor `(n,)`.

    Raises:
        Refusal: The key, the shape, the dtype, the default or the function cannot be used.
    """
    function = f"sequence_numeric_column: key '{checked_key('sequence_numeric_column', key)}'"
    sizes = checked_shape(function, shape)
    try:
        default = float(default_value)
    except (TypeError, ValueError):
        raise Refusal(f"{function}: default_value must be a number, not {default_value!r}.") from None
    name = checked_dtype(function, dtype, DTYPES)
    return SequenceNumericColumn(key, sizes, default, name, checked_normalizer(function, normalizer_fn))
