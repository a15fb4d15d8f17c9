"""Values from a known list."""

import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.errors import Refusal
from trainer.feature_column.column import CategoricalColumn, RawFeature, checked_count, checked_dtype, checked_key


@dataclass(frozen=True)
class VocabularyListColumn(CategoricalColumn):
    """Values from a list; an id is the place in it, and out-of-vocabulary buckets come after it.

    Example:
        >>> day = categorical_column_with_vocabulary_list("day", ["Mon", "Tue"], num_oov_buckets=1)
        >>> [day.label(id) for id in range(day.num_buckets)]
        ['Mon', 'Tue', '(unseen 1)']
    """

    key: str
    vocabulary_list: tuple[str, ...] | tuple[int, ...]
    dtype: str = "string"
    default_value: int = -1
    num_oov_buckets: int = 0

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
        """The values and the out-of-vocabulary buckets."""
        return len(self.vocabulary_list) + self.num_oov_buckets

    def fields(self, id: int) -> dict[str, str]:
        """Returns the value that an id stands for."""
        unseen = id - len(self.vocabulary_list)
        return {self.key: str(self.vocabulary_list[id]) if unseen < 0 else f"(unseen {unseen + 1})"}


def categorical_column_with_vocabulary_list(
    key: str,
    vocabulary_list: Sequence[str] | Sequence[int],
    dtype: Any = None,
    default_value: int = -1,
    num_oov_buckets: int = 0,
) -> VocabularyListColumn:
    """Declares values from a list, as `tf.feature_column.categorical_column_with_vocabulary_list`.

    Args:
        key: The raw feature.
        vocabulary_list: Different strings, or different whole numbers; an id is the place in this list.
        dtype: "string" or an integer dtype; None takes the list's.
        default_value: The id of a value that is not in the list; -1 leaves the value out.
        num_oov_buckets: Ids after the list, over which values that are not in it are spread by a hash.

    Raises:
        Refusal: The list is empty, mixed or repeats a value, or both of the last two arguments are given.
    """
    function = (
        f"categorical_column_with_vocabulary_list: key '{checked_key('categorical_column_with_vocabulary_list', key)}'"
    )
    values = tuple(getattr(value, "item", lambda value=value: value)() for value in vocabulary_list)
    if not values:
        raise Refusal(f"{function}: vocabulary_list is empty; give at least one value.")
    kinds = {str if isinstance(value, str) else int if isinstance(value, int) else type(value) for value in values}
    if kinds not in ({str}, {int}):
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise Refusal(f"{function}: vocabulary_list must be all strings or all whole numbers, not {names}.")
    if len(set(values)) < len(values):
        repeated = next(value for place, value in enumerate(values) if value in values[:place])
        raise Refusal(f"{function}: vocabulary_list has {repeated!r} more than once; each value needs one id.")
    inferred = "string" if kinds == {str} else "int64"
    name = checked_dtype(function, dtype or inferred, ("string", "int8", "int16", "int32", "int64"))
    if (name == "string") != (inferred == "string"):
        raise Refusal(f"{function}: dtype {name} does not fit a vocabulary_list of {inferred}.")
    num_oov_buckets = checked_count(function, "num_oov_buckets", num_oov_buckets, least=0)
    if num_oov_buckets and default_value != -1:
        raise Refusal(f"{function}: give num_oov_buckets or default_value, not both.")
    if not isinstance(default_value, numbers.Integral) or not -1 <= default_value < len(values):
        raise Refusal(f"{function}: default_value must be an id from -1 to {len(values) - 1}, not {default_value!r}.")
    return VocabularyListColumn(key, values, name, int(default_value), num_oov_buckets)
