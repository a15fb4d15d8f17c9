"""A categorical column as a one-hot or a count."""

from collections.abc import Mapping
from dataclasses import dataclass

from trainer.feature_column.column import CategoricalColumn, DenseColumn, RawFeature, checked_categorical


@dataclass(frozen=True)
class IndicatorColumn(DenseColumn):
    """One float an id: how often it occurs in the example, so a one-hot where there is one value.

    Example:
        >>> from trainer.feature_column import categorical_column_with_identity
        >>> indicator_column(categorical_column_with_identity("hour", 24)).width
        24
    """

    categorical_column: CategoricalColumn

    @property
    def name(self) -> str:
        """The categorical column's name and `_indicator`."""
        return f"{self.categorical_column.name}_indicator"

    @property
    def raw_features(self) -> Mapping[str, RawFeature]:
        """Those of the categorical column."""
        return self.categorical_column.raw_features

    @property
    def width(self) -> int:
        """The number of ids."""
        return self.categorical_column.num_buckets


def indicator_column(categorical_column: CategoricalColumn) -> IndicatorColumn:
    """Declares a one-hot or count, as `tf.feature_column.indicator_column`.

    Raises:
        Refusal: The argument is no categorical column.
    """
    return IndicatorColumn(checked_categorical("indicator_column", categorical_column))
