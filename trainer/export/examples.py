"""Serialized `tf.train.Example`s as the raw features that a model takes."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from trainer.encoding.encoding import assured
from trainer.feature_column import FeatureColumn, WeightedCategoricalColumn, make_parse_example_spec
from trainer.feature_column.nested import nested


def spec_of(inputs: Sequence[Any], columns: Sequence[FeatureColumn]) -> dict[str, Any]:
    """Returns what `tf.io.parse_example` takes as `features`, as `make_parse_example_spec` tells it of columns.

    Args:
        inputs: A model's inputs. One that no column reads is of fixed length where it holds floats, as numbers of
            columns are, and of any length else.
        columns: Of the model.
    """
    spec = {tensor.name: _of_input(tensor) for tensor in inputs}
    kinds = {tensor.name: stored(tensor.dtype) for tensor in inputs}
    for column in columns:
        for key, feature in make_parse_example_spec([column]).items():
            # A cross by keys calls all of them strings, where another column may know better.
            if key in kinds and stored(feature.dtype) == kinds[key]:
                spec[key] = _as_stored(feature)
    return spec


def parsed(examples: Any, inputs: Sequence[Any], columns: Sequence[FeatureColumn]) -> dict[str, Any]:
    """Returns the raw features of serialized examples, by key, as the inputs of a model take them.

    Args:
        examples: `(batch,)`, strings.
        inputs: The model's inputs.
        columns: Of the model.

    Returns:
        Dense tensors: `(batch,)` where an example has one value, and bags `(batch, most values)`. Missing strings are
        '', missing whole numbers -1; where a bag has fewer values than another, weights are 0 and other numbers NaN.
    """
    parts = [part for column in columns for part in nested(column)]
    weights = {part.weight_feature_key for part in parts if isinstance(part, WeightedCategoricalColumn)}
    found = tf.io.parse_example(examples, spec_of(inputs, columns))
    return {tensor.name: _as_input(found[tensor.name], tensor, tensor.name in weights) for tensor in inputs}


def stored(dtype: Any) -> Any:
    """Returns the dtype as which a `tf.train.Example` holds values of another.

    Example:
        >>> stored("int32").name, stored("float16").name
        ('int64', 'float32')
    """
    kind = tf.as_dtype(dtype)
    if kind == tf.string:
        return kind
    return tf.float32 if kind.is_floating else tf.int64


def _of_input(tensor: Any) -> Any:
    dtype, shape = stored(tensor.dtype), tuple(tensor.shape[1:])
    if None in shape or (not shape and not dtype.is_floating):
        return tf.io.VarLenFeature(dtype)
    return tf.io.FixedLenFeature(shape, dtype)


def _as_stored(feature: Any) -> Any:
    if isinstance(feature, tf.io.VarLenFeature):
        return tf.io.VarLenFeature(stored(feature.dtype))
    return tf.io.FixedLenFeature(feature.shape, stored(feature.dtype), feature.default_value)


def _as_input(values: Any, tensor: Any, are_weights: bool) -> Any:
    if isinstance(values, tf.SparseTensor):
        values = _dense(values, are_weights)  # (batch, most values)
        if len(tensor.shape) == 1:
            values = _single(values, tensor.name)
    shape = [-1 if size is None else size for size in tensor.shape]
    return tf.cast(values if shape.count(-1) > 1 else tf.reshape(values, shape), tensor.dtype)


def _dense(values: Any, are_weights: bool) -> Any:
    """Returns sparse values as dense ones with room for one at least."""
    if values.dtype == tf.string:
        padding: Any = ""
    else:
        padding = -1 if values.dtype.is_integer else 0.0 if are_weights else float("nan")
    batch, most = tf.unstack(values.dense_shape)
    wide = tf.sparse.reset_shape(values, tf.stack([batch, tf.maximum(most, 1)]))
    return tf.sparse.to_dense(wide, tf.constant(padding, values.dtype))


def _single(values: Any, key: str) -> Any:
    sentence = f"features: an example has several values of '{key}', and one is wanted"
    with tf.control_dependencies(assured(tf.equal(tf.shape(values)[1], 1), sentence)):
        return values[:, 0]  # (batch,)
