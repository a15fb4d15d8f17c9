"""Numbers as they are."""

import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.errors import Refusal
from trainer.feature_column.column import DenseColumn, RawFeature, checked_count, checked_dtype, checked_key

DTYPES = ("float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")


@dataclass(frozen=True)
class NumericColumn(DenseColumn):
    """Real numbers, used as they are or through `normalizer_fn`.

    Example:
        >>> numeric_column("distance").width
        1
    """

    key: str
    shape: tuple[int, ...] = (1,)
    default_value: tuple[float, ...] | None = None
    dtype: str = "float32"
    normalizer_fn: Callable[[Any], Any] | None = None

    @property
    def name(self) -> str:
        """The key."""
        return self.key

    @property
    def raw_features(self) -> Mapping[str, RawFeature]:
        """One feature of numbers; integers are read as integers and cast."""
        dtype = "int64" if "int" in self.dtype else "float32"
        return {self.key: RawFeature(dtype, () if self.shape == (1,) else self.shape)}

    @property
    def width(self) -> int:
        """The product of the shape."""
        return math.prod(self.shape)


def numeric_column(
    key: str,
    shape: int | Sequence[int] = (1,),
    default_value: float | Sequence[Any] | None = None,
    dtype: Any = "float32",
    normalizer_fn: Callable[[Any], Any] | None = None,
) -> NumericColumn:
    """Declares real numbers, as `tf.feature_column.numeric_column`.

    Args:
        key: The raw feature.
        shape: The shape of one example's values.
        default_value: What stands for a missing value (NaN) in `tf.train.Example`s; one number, or one per value, flat
            or nested as the shape.
        dtype: The dtype of the raw feature; the output is float32.
        normalizer_fn: Applied to the tensor of values, `(batch, *shape)`.

    Raises:
        Refusal: The key, the shape, the dtype, the default or the function cannot be used.
    """
    function = f"numeric_column: key '{checked_key('numeric_column', key)}'"
    sizes = checked_shape(function, shape)
    count = math.prod(sizes)
    defaults = None if default_value is None else _flat(function, default_value)
    if isinstance(default_value, numbers.Real):
        defaults = (float(default_value),) * count
    if defaults is not None and len(defaults) != count:
        raise Refusal(f"{function}: one default_value or {count} are wanted, not {len(defaults)}.")
    name = checked_dtype(function, dtype, DTYPES)
    if defaults is not None and "int" in name and not all(number.is_integer() for number in defaults):
        raise Refusal(f"{function}: dtype {name} wants a whole default_value, not {default_value!r}.")
    return NumericColumn(key, sizes, defaults, name, checked_normalizer(function, normalizer_fn))


def checked_shape(function: str, shape: Any) -> tuple[int, ...]:
    """Returns the shape of one value as a tuple, or refuses it."""
    sizes = (shape,) if isinstance(shape, numbers.Integral) else shape
    if isinstance(sizes, str) or not isinstance(sizes, Iterable):
        raise Refusal(f"{function}: shape must be a whole number or a list of them, not {shape!r}.")
    return tuple(checked_count(function, "each size in shape", size) for size in sizes)


def checked_normalizer(function: str, normalizer_fn: Any) -> Callable[[Any], Any] | None:
    """Returns a normalizer, or refuses what cannot be called."""
    if normalizer_fn is not None and not callable(normalizer_fn):
        raise Refusal(f"{function}: normalizer_fn must be a function of a tensor, not {normalizer_fn!r}.")
    found: Callable[[Any], Any] | None = normalizer_fn
    return found


def _flat(function: str, values: Any) -> tuple[float, ...]:
    if isinstance(values, numbers.Real):
        return (float(values),)
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise Refusal(f"{function}: default_value must be a number or a list of numbers, not {values!r}.")
    return tuple(number for value in values for number in _flat(function, value))
