"""Ids that are whole numbers already."""

import numbers
from collections.abc import Mapping
from dataclasses import dataclass

from trainer.errors import Refusal
from trainer.feature_column.column import CategoricalColumn, RawFeature, checked_count, checked_key


@dataclass(frozen=True)
class IdentityColumn(CategoricalColumn):
    """Ids that are already whole numbers in `[0, num_buckets)`.

    Example:
        >>> hour = categorical_column_with_identity("hour", 24)
        >>> hour.num_buckets, hour.label(8)
        (24, '08')
    """

    key: str
    num_buckets: int
    default_value: int | None = None

    @property
    def name(self) -> str:
        """The key."""
        return self.key

    @property
    def raw_features(self) -> Mapping[str, RawFeature]:
        """One feature of whole numbers."""
        return {self.key: RawFeature("int64")}

    def fields(self, id: int) -> dict[str, str]:
        """Returns the number, with zeros before it so that labels sort as numbers do."""
        return {self.key: f"{id:0{len(str(self.num_buckets - 1))}d}"}


def categorical_column_with_identity(key: str, num_buckets: int, default_value: int | None = None) -> IdentityColumn:
    """Declares ids in `[0, num_buckets)`, as `tf.feature_column.categorical_column_with_identity`.

    Args:
        key: The raw feature.
        num_buckets: One more than the largest id.
        default_value: The id that stands for ids outside the range; None refuses them when data are read.

    Raises:
        Refusal: `num_buckets` is no positive whole number, or the default lies outside the range.
    """
    function = f"categorical_column_with_identity: key '{checked_key('categorical_column_with_identity', key)}'"
    num_buckets = checked_count(function, "num_buckets", num_buckets)
    if default_value is None:
        return IdentityColumn(key, num_buckets)
    if not isinstance(default_value, numbers.Integral) or not 0 <= default_value < num_buckets:
        raise Refusal(f"{function}: default_value must be an id from 0 to {num_buckets - 1}, not {default_value!r}.")
    return IdentityColumn(key, num_buckets, int(default_value))
