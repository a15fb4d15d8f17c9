"""What every column answers: its name, the raw features it reads, and its number of ids or its width."""

import numbers
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainer.errors import Refusal


@dataclass(frozen=True)
class RawFeature:
    """A feature as the data hold it.

    Args:
        dtype: "string", "int64" or "float32".
        shape: Shape of one example; `()` is one value.
    """

    dtype: str
    shape: tuple[int, ...] = ()


class FeatureColumn(ABC):
    """A declaration of how raw features become numbers that a model can use."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that `tf.feature_column` gives the same column; names order the output of `DenseFeatures`."""

    @property
    @abstractmethod
    def raw_features(self) -> Mapping[str, RawFeature]:
        """The raw features that the column reads, by key."""


class CategoricalColumn(FeatureColumn):
    """A column whose value is an id in `[0, num_buckets)`; a missing value is no id."""

    if TYPE_CHECKING:  # a dataclass would take a property for the default of a field of its name, as IdentityColumn has

        @property
        @abstractmethod
        def num_buckets(self) -> int:
            """The number of ids, and so the rows of a table on this column."""

    @property
    def is_bounded(self) -> bool:
        """Tells whether each id stands for one known value, as an exact cross needs."""
        return True

    @abstractmethod
    def fields(self, id: int) -> dict[str, str]:
        """Returns what an id stands for, by raw feature key, in the order of the keys."""

    def label(self, id: int) -> str:
        """Returns what an id stands for as one string, "Tue 08" for a cross of day and hour.

        Raises:
            Refusal: The id is not in `[0, num_buckets)`.
        """
        if not 0 <= id < self.num_buckets:
            raise Refusal(f"{self.name}: an id from 0 to {self.num_buckets - 1} is wanted, not {id}.")
        return " ".join(self.fields(id).values())


class DenseColumn(FeatureColumn):
    """A column whose value is a vector of `width` floats."""

    @property
    @abstractmethod
    def width(self) -> int:
        """The number of floats of one example."""


def checked_key(function: str, key: Any) -> str:
    """Returns a feature key, or refuses what is not a non-empty string."""
    if not isinstance(key, str) or not key:
        raise Refusal(f"{function}: the key of a feature is wanted, a string such as 'day', not {key!r}.")
    return key


def checked_count(function: str, argument: str, value: Any, least: int = 1) -> int:
    """Returns a whole number of at least `least`, or refuses it by its argument's name."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise Refusal(f"{function}: {argument} must be a whole number of at least {least}, not {value!r}.")
    return int(value)


def checked_dtype(function: str, dtype: Any, allowed: Iterable[str]) -> str:
    """Returns the name of a dtype given as a string, a NumPy or a TensorFlow dtype."""
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    name = {"str": "string", "str_": "string", "int": "int64", "float": "float32"}.get(name, name)
    choices = list(allowed)
    if name not in choices:
        raise Refusal(f"{function}: dtype must be one of {', '.join(choices)}, not {dtype!r}.")
    return name


def checked_categorical(function: str, column: Any) -> CategoricalColumn:
    """Returns a categorical column, or refuses what is none."""
    if not isinstance(column, CategoricalColumn):
        raise Refusal(
            f"{function}: a categorical column is wanted, such as categorical_column_with_identity('hour', 24), "
            f"not {column!r}."
        )
    return column


def file_name(name: str) -> str:
    """Returns a name that a file, a tensor and a part of a URL may have: all but `[A-Za-z0-9_.-]` becomes `_`.

    Example:
        >>> file_name("native country")
        'native_country'
    """
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)
