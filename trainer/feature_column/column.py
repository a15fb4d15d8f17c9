"""What every column answers: its name, the raw features it reads, and its number of ids or its width."""

import numbers
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trainer.errors import Refusal


@dataclass(frozen=True)
class RawFeature:
    """A feature as the data hold it.

    Args:
        dtype: "string", "int64" or "float32"; None is what another column says of the feature, else strings.
        shape: Shape of one example; `()` is one value, `(None,)` any number of them.
    """

    dtype: str | None
    shape: tuple[int | None, ...] = ()

    def as_bag(self) -> "RawFeature":
        """Returns the feature with any number of values an example, where it had one."""
        return replace(self, shape=self.shape or (None,))

    def joined(self, other: "RawFeature") -> "RawFeature | None":
        """Returns the feature as both can read it: numbers as floats, values as a bag; None where they cannot.

        Example:
            >>> RawFeature("int64").joined(RawFeature("float32", (None,)))
            RawFeature(dtype='float32', shape=(None,))
        """
        dtypes = {self.dtype, other.dtype} - {None}
        shapes = {self.shape, other.shape}
        bag = shapes == {(), (None,)}
        if (len(shapes) > 1 and not bag) or (len(dtypes) > 1 and dtypes != {"int64", "float32"}):
            return None
        dtype = "float32" if "float32" in dtypes else next(iter(dtypes), None)
        return RawFeature(dtype, (None,) if bag else self.shape)


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

    def _repr_html_(self) -> str:
        from trainer.feature_column.drawing import html_of

        return html_of([self])


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

    def fields_of(self, ids: Sequence[int]) -> dict[str, list[str]]:
        """Returns what each of many ids stands for, by raw feature key."""
        described = [self.fields(id) for id in ids]
        return {key: [fields[key] for fields in described] for key in self.fields(0)}

    def labels_of(self, ids: Sequence[int]) -> list[str]:
        """Returns what each of many ids stands for as one string; those of a million are made in a second or two.

        Raises:
            Refusal: An id is not in `[0, num_buckets)`.
        """
        for id in (min(ids, default=0), max(ids, default=0)):
            self.label(id)
        return list(map(" ".join, zip(*self.fields_of(ids).values(), strict=True)))


class DenseColumn(FeatureColumn):
    """A column whose value is a vector of `width` floats."""

    @property
    @abstractmethod
    def width(self) -> int:
        """The number of floats of one example."""


def joined_features(function: str, columns: "Iterable[FeatureColumn | str]") -> dict[str, RawFeature]:
    """Returns the raw features of columns by key, each as all columns that read it can.

    Args:
        function: What a refusal begins with.
        columns: Columns, and keys of features that are read as other columns read them.

    Raises:
        Refusal: Two columns read one key as different kinds of value.
    """
    found: dict[str, RawFeature] = {}
    for column in columns:
        name = column if isinstance(column, str) else column.name
        features = {column: RawFeature(None)} if isinstance(column, str) else column.raw_features
        for key, feature in features.items():
            before = found.get(key, feature)
            joined = before.joined(feature)
            if joined is None:
                raise Refusal(
                    f"{function}: feature '{key}' is read as {before.dtype or 'anything'} {before.shape} and, by "
                    f"'{name}', as {feature.dtype or 'anything'} {feature.shape}; give both columns one dtype and "
                    "shape."
                )
            found[key] = joined
    return found


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
