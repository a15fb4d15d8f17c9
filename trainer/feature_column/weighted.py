"""A categorical column whose values carry weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainer.errors import Refusal
from trainer.feature_column.column import (
    CategoricalColumn,
    RawFeature,
    checked_categorical,
    checked_dtype,
    checked_key,
)
from trainer.feature_column.numeric import DTYPES
from trainer.feature_column.sequence import SequenceCategoricalColumn
from trainer.feature_column.tokens import makes_words


@dataclass(frozen=True)
class WeightedCategoricalColumn(CategoricalColumn):
    """Ids with a weight each, which another feature of the same shape holds.

    Example:
        >>> from trainer.feature_column import categorical_column_with_hash_bucket
        >>> words = categorical_column_with_hash_bucket("word", 100)
        >>> weighted_categorical_column(words, "frequency").name
        'word_weighted_by_frequency'
    """

    categorical_column: CategoricalColumn
    weight_feature_key: str
    dtype: str = "float32"

    @property
    def name(self) -> str:
        """The categorical column's name, `_weighted_by_` and the weights' key."""
        return f"{self.categorical_column.name}_weighted_by_{self.weight_feature_key}"

    @property
    def raw_features(self) -> Mapping[str, RawFeature]:
        """Those of the categorical column, as bags, and the weights, as many."""
        inner = {key: feature.as_bag() for key, feature in self.categorical_column.raw_features.items()}
        weights = RawFeature("int64" if "int" in self.dtype else "float32", (None,))
        return {**inner, self.weight_feature_key: weights}

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


def weighted_categorical_column(
    categorical_column: CategoricalColumn, weight_feature_key: str, dtype: Any = "float32"
) -> WeightedCategoricalColumn:
    """Declares weights for the values of a column, as `tf.feature_column.weighted_categorical_column`.

    A weight of 0 is a weight like another, and takes no value away. An embedding's mean and sqrtn leave out the values
    whose weight is 0 or less; its sum, and an indicator, take all.

    Args:
        categorical_column: The values.
        weight_feature_key: The raw feature of the weights, of the values' shape.
        dtype: The dtype of the weights.

    Raises:
        Refusal: The column is a sequence or has weights already, or the key or the dtype cannot be used.

    Example:
        >>> from trainer.feature_column import categorical_column_with_identity
        >>> genres = weighted_categorical_column(categorical_column_with_identity("genre", 20), "share")
        >>> sorted(genres.raw_features.items())
        [('genre', RawFeature(dtype='int64', shape=(None,))), ('share', RawFeature(dtype='float32', shape=(None,)))]
    """
    function = "weighted_categorical_column"
    inner = checked_categorical(function, categorical_column)
    checked_key(function, weight_feature_key)
    if isinstance(inner, SequenceCategoricalColumn):
        raise Refusal(
            f"{function}: column '{inner.name}' is a sequence, which takes no weights; give the column of a bag."
        )
    if isinstance(inner, WeightedCategoricalColumn):
        raise Refusal(f"{function}: column '{inner.name}' has weights already; give the column inside it.")
    if makes_words(inner):
        raise Refusal(
            f"{function}: column '{inner.name}' makes words of a text, beside which no weights can lie; give a column "
            "of the words themselves, as a bag."
        )
    if weight_feature_key in inner.raw_features:
        raise Refusal(
            f"{function}: column '{inner.name}' reads feature '{weight_feature_key}' itself; give the key of another "
            "feature, of the weights."
        )
    return WeightedCategoricalColumn(
        inner, weight_feature_key, checked_dtype(f"{function}: key '{weight_feature_key}'", dtype, DTYPES)
    )
