"""Values in an order: ids or numbers with a dimension of time, and how many steps each example has."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from trainer.encoding.encoding import Encoding, assured, encoding, feature_of, missing, padded, values_of
from trainer.encoding.tokens import Tokenizer
from trainer.errors import Refusal
from trainer.feature_column import SequenceCategoricalColumn, SequenceNumericColumn
from trainer.feature_column.tokens import makes_words


class SequenceCategoricalEncoding(Encoding):
    """The ids of each step, in their places; a step without a value has the id -1."""

    def __init__(self, column: SequenceCategoricalColumn) -> None:
        super().__init__()
        self.column = column
        self.encoding = encoding(column.categorical_column)

    def __call__(self, features: Mapping[str, Any]) -> Any:
        """Returns the ids, `(batch, time)`, or `(batch, time, k)` where a step has several."""
        (key,) = self.column.raw_features
        if makes_words(self.column):
            return padded(self.encoding(features))
        values = padded(_steps(features, key))
        if values.shape.rank == 2:
            return self.encoding({key: values})
        flat = self.encoding({key: tf.reshape(values, [-1, tf.shape(values)[2]])})
        return tf.reshape(flat, tf.shape(values))  # (batch, time, k)


class SequenceNumericEncoding(Encoding):
    """The numbers of each step; steps past an example's last have the default value."""

    def __init__(self, column: SequenceNumericColumn) -> None:
        super().__init__()
        self.column = column

    def __call__(self, features: Mapping[str, Any]) -> Any:
        """Returns the numbers, `(batch, time, width)`."""
        column = self.column
        values, rank = _numbers(features, column)
        numbers = tf.cast(values.values, column.dtype)
        if column.normalizer_fn is not None:
            numbers = tf.convert_to_tensor(column.normalizer_fn(numbers))
        default = tf.constant(column.default_value, tf.float32)
        dense = tf.sparse.to_dense(values.with_values(tf.cast(numbers, tf.float32)), default)
        return _in_steps(dense, rank, column)


class Lengths(tf.Module):
    """How many steps each example of a sequence column has."""

    def __init__(self, column: SequenceCategoricalColumn | SequenceNumericColumn) -> None:
        super().__init__()
        self.column = column
        inner = column.categorical_column if isinstance(column, SequenceCategoricalColumn) else None
        tokens = getattr(inner, "tokenize", None)
        self.tokenizer = None if tokens is None else Tokenizer(tokens)

    def __call__(self, features: Mapping[str, Any]) -> Any:
        """Returns the steps up to the last that has a value, `(batch,)`, int64; '', -1 and NaN are no value."""
        (key,) = self.column.raw_features
        if self.tokenizer is not None:
            words = self.tokenizer.bags(values_of(features, key), tf.identity)
            return words.row_lengths()
        if isinstance(self.column, SequenceNumericColumn):
            values, rank = _numbers(features, self.column)
            size = self.column.width if rank == 2 else 1
        else:
            values, size = _sparse(_steps(features, key), missing), 1
        examples, places = values.indices[:, 0], values.indices[:, 1]
        last = tf.math.unsorted_segment_max(places + 1, examples, values.dense_shape[0])  # (batch,)
        return -(-tf.maximum(last, 0) // size)


def _sparse(values: Any, absent: Callable[[Any], Any]) -> tf.SparseTensor:
    """Returns the values that are there, in their places."""
    if isinstance(values, tf.Tensor):
        places = tf.where(~absent(values))
        return tf.SparseTensor(places, tf.gather_nd(values, places), tf.shape(values, out_type=tf.int64))
    values = values.to_sparse() if isinstance(values, tf.RaggedTensor) else values
    return tf.sparse.retain(values, ~absent(values.values))


def _steps(features: Mapping[str, Any], key: str) -> Any:
    values = feature_of(features, key)
    if values.shape.rank == 1:
        values = values[:, tf.newaxis]
    if values.shape.rank not in (2, 3):
        raise Refusal(
            f"SequenceFeatures: feature '{key}' has shape {values.shape}; (batch, time) or (batch, time, values "
            "of a step) is wanted."
        )
    return values


def _numbers(features: Mapping[str, Any], column: SequenceNumericColumn) -> tuple[tf.SparseTensor, int]:
    """Returns the numbers that are there, in their places, and the number of dimensions."""
    values = _steps(features, column.key)
    if values.dtype == tf.string:
        raise Refusal(
            f"sequence_numeric_column: feature '{column.key}' should be numbers, not strings; convert it first."
        )
    size = values.shape[2] if values.shape.rank == 3 else None
    if size is not None and (size > column.width or (size < column.width and isinstance(values, tf.Tensor))):
        raise Refusal(_mismatch(column, f"{size}"))
    return _sparse(values, _not_a_number), values.shape.rank


def _not_a_number(values: Any) -> Any:
    return tf.math.is_nan(values) if values.dtype.is_floating else tf.zeros_like(values, tf.bool)


def _in_steps(values: Any, rank: int, column: SequenceNumericColumn) -> Any:
    """Returns dense numbers with the width of a step as their last dimension; a step begun is filled up."""
    shape = tf.shape(values)
    if rank == 2:
        paddings = [[0, 0], [0, -shape[1] % column.width]]
    else:
        with tf.control_dependencies(assured(shape[2] <= column.width, _mismatch(column, "more"))):
            paddings = [[0, 0], [0, 0], [0, column.width - shape[2]]]
    values = tf.pad(values, paddings, constant_values=column.default_value)
    return tf.reshape(values, [shape[0], -1, column.width])  # (batch, time, width)


def _mismatch(column: SequenceNumericColumn, size: str) -> str:
    return (
        f"sequence_numeric_column: feature '{column.key}' should have {column.width} numbers a step, not {size}; "
        "declare the column's shape."
    )


encoding.register(SequenceCategoricalColumn, SequenceCategoricalEncoding)
encoding.register(SequenceNumericColumn, SequenceNumericEncoding)
