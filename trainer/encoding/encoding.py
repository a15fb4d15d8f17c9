"""What every way of making ids shares: a function of raw features, made once from a column."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import singledispatch
from typing import Any

import tensorflow as tf

from trainer.encoding.coded import Coded, decoded
from trainer.errors import Refusal, nearest
from trainer.feature_column import FeatureColumn


class Encoding(tf.Module):
    """Turns raw features into ids or numbers; it holds lookup tables, never a trained weight."""

    @abstractmethod
    def __call__(self, features: Mapping[str, Any]) -> Any:
        """Returns the column's ids, int64, missing -1, or its numbers, float32.

        Args:
            features: Raw features by key, each `(batch,)` or `(batch, k)`, dense, ragged or sparse; '' and -1 are
                missing values.

        Returns:
            Ids of dense features are `(batch, k)`, those of ragged and sparse ones a RaggedTensor `(batch, None)`;
            numbers are `(batch, width)`. Sequences have a dimension of time after the first.
        """


class Bounded(Encoding):
    """An encoding of one raw feature that has ids for some of its values alone."""

    column: Any
    """What it is of; it has a key."""

    @abstractmethod
    def outside(self, values: Any) -> Any:
        """Tells which values have no id of their own, though they are not missing; of the shape of the values.

        Args:
            values: Dense, strings or whole numbers.
        """


@singledispatch
def encoding(column: FeatureColumn) -> Encoding:
    """Returns the encoding of a column: the ids of a categorical one, the numbers of a numeric one.

    Each kind of column registers its own in the file of this folder that is named after it.
    """
    raise Refusal(f"encoding: a categorical or numeric column is wanted, not {column!r}.")


def feature_of(features: Mapping[str, Any], key: str) -> Any:
    """Returns a raw feature as a dense, ragged or sparse tensor; coded values are decoded.

    Raises:
        Refusal: The features lack the key, or hold something that is no tensor.
    """
    return decoded(raw_of(features, key))


def raw_of(features: Mapping[str, Any], key: str) -> Any:
    """Returns a raw feature as it was given: a dense, ragged or sparse tensor, or coded values.

    Raises:
        Refusal: The features lack the key, or hold something that is no tensor.
    """
    if key not in features:
        raise Refusal(f"features: '{key}' is wanted by a column and is not there{nearest(key, features) or '.'}")
    values = _tensor(features[key], key)
    values = values.with_row_splits_dtype(tf.int64) if isinstance(values, tf.RaggedTensor) else values
    return tf.cast(values, tf.int64) if values.dtype.is_unsigned else values  # unsigned, no -1 could be missing


def _tensor(values: Any, key: str) -> Any:
    if isinstance(values, (tf.Tensor, tf.RaggedTensor, tf.SparseTensor, Coded)):
        return values
    try:
        return tf.convert_to_tensor(values)
    except (TypeError, ValueError) as error:
        return _listed(values, key, str(error).splitlines()[0])


def _listed(values: Any, key: str, problem: str) -> Any:
    """Returns lists of different lengths as a ragged tensor, and arrays of Python's objects as what these are."""
    values = values.tolist() if hasattr(values, "tolist") else values
    bags = isinstance(values, (list, tuple)) and any(hasattr(value, "__len__") for value in values)
    try:
        ragged = bags and not isinstance(values[0], (str, bytes))
        return tf.ragged.constant(values) if ragged else tf.convert_to_tensor(values)
    except (TypeError, ValueError):
        raise Refusal(
            f"features: '{key}' should be a tensor, an array or a list of values, one or several an example, with '' "
            f"or -1 for what is missing ({problem})."
        ) from None


def values_of(features: Mapping[str, Any], key: str) -> Any:
    """Returns a raw feature as a tensor `(batch, k)`, or ragged `(batch, None)` where it is ragged or sparse.

    Coded values stay coded, in the same shapes. Values that are missing stay in their place, so that what belongs to
    them, such as weights, stays beside them.

    Raises:
        Refusal: The features lack the key, or have more dimensions than examples and values.
    """
    values = raw_of(features, key)
    if values.shape.rank not in (None, 1, 2):
        raise Refusal(
            f"features: '{key}' has shape {values.shape}; (batch,) or (batch, values of an example) is wanted; "
            "give a sequence column what has a dimension of time."
        )
    if isinstance(values, tf.SparseTensor):
        return _in_places(values)
    if isinstance(values, Coded):
        return values.with_codes(tf.expand_dims(values.codes, 1)) if values.shape.rank == 1 else values
    return tf.expand_dims(values, 1) if values.shape.rank == 1 else values  # (batch, k)


def _in_places(values: tf.SparseTensor) -> tf.RaggedTensor:
    """Returns sparse values `(batch, k)` as ragged ones; where a row has none before its last, they are missing."""
    rows, places = tf.unstack(tf.reshape(values.indices, [-1, 2]), axis=1)  # Keras may have lost their shapes
    lengths = tf.maximum(tf.math.unsorted_segment_max(places + 1, rows, values.dense_shape[0]), 0)
    splits = tf.concat([tf.zeros([1], tf.int64), tf.cumsum(lengths)], axis=0)
    empty = tf.fill([splits[-1]], _nothing(values.dtype))
    flat = tf.tensor_scatter_nd_update(
        empty, tf.expand_dims(tf.gather(splits, rows) + places, 1), tf.reshape(values.values, [-1])
    )
    return tf.RaggedTensor.from_row_splits(flat, splits, validate=False)


def _nothing(dtype: Any) -> Any:
    """Returns the value that is missing: '', -1, or 0 among floats, which are weights."""
    return tf.constant("") if dtype == tf.string else tf.constant(0 if dtype.is_floating else -1, dtype)


def padded(values: Any) -> Any:
    """Returns values, or ids, as a dense tensor; where ragged and sparse ones have none, they are missing."""
    if isinstance(values, tf.Tensor):
        return values
    padding = tf.constant("") if values.dtype == tf.string else tf.constant(-1, values.dtype)
    if isinstance(values, tf.SparseTensor):
        return tf.sparse.to_dense(values, padding)
    return values.to_tensor(padding)


def mapped(function: Callable[[Any], Any], values: Any) -> Any:
    """Returns a function of each value, dense or ragged as the values are."""
    if isinstance(values, Coded):
        return values.mapped(function)
    if isinstance(values, tf.RaggedTensor):
        return values.with_flat_values(function(values.flat_values))
    return function(values)


def strings_of(features: Mapping[str, Any], key: str, who: str) -> Any:
    """Returns a raw feature of strings, `(batch, k)` or ragged."""
    values = _typed(values_of(features, key), tf.string)
    if values.dtype != tf.string:
        raise Refusal(f"{who}: feature '{key}' should be strings, not {values.dtype.name}; declare the column's dtype.")
    return values


def integers_of(features: Mapping[str, Any], key: str, who: str) -> Any:
    """Returns a raw feature of whole numbers, `(batch, k)` or ragged, int64."""
    values = _typed(values_of(features, key), tf.int64)
    if not values.dtype.is_integer:
        raise Refusal(
            f"{who}: feature '{key}' should be whole numbers, not {values.dtype.name}; declare the column's dtype."
        )
    return tf.cast(values, tf.int64)


def _typed(values: Any, dtype: Any) -> Any:
    """Returns values, or none of a dtype where there is none: a list of empty lists tells nothing of its dtype."""
    empty = isinstance(values, tf.Tensor) and values.shape.num_elements() == 0
    return tf.zeros(values.shape, dtype) if empty else values


def assured(condition: Any, *sentence: Any) -> list[Any]:
    """Refuses data that do not meet a condition, at once or, in a graph, when they come.

    Args:
        condition: A scalar truth.
        *sentence: What is wrong, of texts and of tensors, of which the first three values are shown.

    Returns:
        What must run before the data are used: the op that fails, in a graph.

    Raises:
        Refusal: The data are there, and do not meet it.
    """
    if not tf.executing_eagerly():
        return [tf.debugging.Assert(condition, list(sentence), summarize=3)]
    if not bool(condition):
        parts = [part if isinstance(part, str) else _shown(part) for part in sentence]
        raise Refusal(" ".join(parts).removesuffix(".") + ".")
    return []


def _shown(values: Any) -> str:
    shown = [str(value) for value in values.numpy().tolist()]
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")


def refusal_of(error: tf.errors.InvalidArgumentError) -> str | None:
    """Returns the sentence of an op that `assured` has put into a graph, from the error with which it failed.

    Returns:
        The sentence without its full stop, or None where another op failed.
    """
    _, found, rest = error.message.partition("assertion failed: [")
    if not found:
        return None
    parts = rest.partition("]\n")[0].split("] [")
    shown = [part if place % 2 == 0 else ", ".join(part.split()) for place, part in enumerate(parts)]
    return " ".join(shown).replace("\\'", "'").removesuffix(".")


def missing(values: Any) -> Any:
    """Tells which strings are '' and which whole numbers are -1: the values that are not there."""
    if values.dtype == tf.string:
        return tf.equal(tf.strings.length(values), 0)  # to compare strings takes six times as long
    return tf.equal(values, tf.constant(-1, values.dtype))


def where_present(values: Any, ids: Any) -> Any:
    """Returns ids, with -1 where the values that they were made of are missing."""
    if values.dtype == tf.string:
        # All bits of an id are set, which makes -1, where the length is 0; half the time of a comparison and a choice.
        return tf.bitwise.bitwise_or(ids, tf.cast(tf.minimum(tf.strings.length(values), 1) - 1, tf.int64))
    return tf.where(missing(values), tf.constant(-1, tf.int64), ids)
