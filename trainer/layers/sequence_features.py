"""Sequence columns to one tensor with a dimension of time, as the Keras 2 layer of that name."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from trainer.encoding.encoding import assured
from trainer.errors import Refusal
from trainer.feature_column import DenseColumn, EmbeddingColumn, FeatureColumn, SequenceNumericColumn
from trainer.feature_column.sequence import is_sequence
from trainer.feature_column.serialization import encoded_key
from trainer.layers import columns as shared
from trainer.layers.columns import encodable, lengths_key
from trainer.layers.columns_layer import ColumnsLayer
from trainer.layers.dense_features import build, tables_of


@keras.saving.register_keras_serializable("trainer")
class SequenceFeatures(ColumnsLayer):
    """The columns' values step by step beside each other, `(batch, time, sum of widths)`, and the examples' lengths.

    Columns come in the order of their names, as in `tf.keras.experimental.SequenceFeatures`; all must have as many
    steps in an example. The values carry a Keras mask of the steps that are there, which layers such as `LSTM` use.

    Args:
        columns: Sequence numeric columns, and embedding or indicator columns of sequence categorical ones.
        encoded: Whether the features come from an `Encoder` of these columns, rather than raw.

    Raises:
        Refusal: There is no column, one is no sequence, or two different tables have one name.

    Example:
        >>> from trainer import feature_column as fc
        >>> layer = SequenceFeatures([fc.sequence_numeric_column("degrees")])
        >>> values, lengths = layer({"degrees": tf.ragged.constant([[1.0, 2.0], [3.0]])})
        >>> values.numpy().tolist(), lengths.numpy().tolist()
        ([[[1.0], [2.0]], [[3.0], [0.0]]], [2, 1])
    """

    def __init__(
        self, columns: FeatureColumn | Sequence[FeatureColumn], encoded: bool = False, **arguments: Any
    ) -> None:
        super().__init__(_checked(columns), encoded, **arguments)

    def use(self, columns: Sequence[Any]) -> None:
        """Takes columns for the layer's own, and makes their tables."""
        super().use(columns)
        self.tables = tables_of(self.columns)

    def build(self, features_shape: Any = None) -> None:
        """Makes the tables."""
        del features_shape
        self.check_learned()
        build(self.tables)
        self.built = True

    def __call__(self, features: Any, *arguments: Any, **keywords: Any) -> Any:
        """Returns what `call` does, the values with their mask."""
        values, lengths = super().__call__(features, *arguments, **keywords)
        # Made of what the layer returns, by Keras's operations, so that it is a part of a functional model too.
        places = keras.ops.cumsum(keras.ops.ones_like(values[:, :, 0], dtype="int64"), axis=1)  # (batch, time)
        values._keras_mask = keras.ops.less_equal(places, keras.ops.expand_dims(lengths, 1))
        return values, lengths

    def call(self, features: Mapping[str, Any]) -> tuple[Any, Any]:
        """Returns the values, `(batch, time, width)`, and the number of steps of each example, `(batch,)`, int64."""
        encoded = self.encode(features)
        steps = _steps(self.columns, encoded)
        parts = [_in_time(self._values(column, encoded), column, steps) for column in self.columns]
        return tf.concat([tf.cast(part, self.compute_dtype) for part in parts], axis=2), _lengths(self.columns, encoded)

    def _values(self, column: Any, encoded: Mapping[str, Any]) -> Any:
        found = encoded[encoded_key(encodable(column))]
        if isinstance(column, SequenceNumericColumn):
            return found  # (batch, time, width)
        shape = tf.shape(found)
        flat = tf.reshape(found, [shape[0] * shape[1], 1 if found.shape.rank == 2 else shape[2]])
        if isinstance(column, EmbeddingColumn):
            rows = self.tables[column.table](flat)
        else:
            rows = shared.counted(flat, None, column.width)
        return tf.reshape(rows, [shape[0], shape[1], column.width])  # (batch, time, width)

    def compute_output_spec(self, features: Mapping[str, Any]) -> Any:
        """Returns the shapes and dtypes of the values and the lengths."""
        del features
        width = sum(column.width for column in self.columns)
        return keras.KerasTensor((None, None, width), self.compute_dtype), keras.KerasTensor((None,), "int64")


def _checked(columns: Any) -> list[FeatureColumn]:
    columns = [columns] if isinstance(columns, FeatureColumn) else list(columns)
    if not columns:
        raise Refusal("SequenceFeatures: at least one column is wanted.")
    for column in columns:
        if isinstance(column, DenseColumn | SequenceNumericColumn) and is_sequence(column):
            continue
        name = getattr(column, "name", column)
        if isinstance(column, FeatureColumn) and is_sequence(column):
            raise Refusal(f"SequenceFeatures: column '{name}' is ids; wrap it in embedding_column or indicator_column.")
        raise Refusal(
            f"SequenceFeatures: column '{name}' is no sequence; declare it with sequence_numeric_column or one of "
            "sequence_categorical_column_with_…, or give it to DenseFeatures."
        )
    return sorted(columns, key=lambda column: column.name)


def _steps(columns: Sequence[FeatureColumn], encoded: Mapping[str, Any]) -> Any:
    """Returns the most steps that any column's tensor has."""
    sizes = [tf.shape(encoded[encoded_key(encodable(column))])[1] for column in columns]
    return tf.reduce_max(tf.stack(sizes))


def _lengths(columns: Sequence[FeatureColumn], encoded: Mapping[str, Any]) -> Any:
    """Returns the steps of each example, `(batch,)`; where columns disagree, the op fails and names both."""
    first = encoded[lengths_key(columns[0])]
    checks = []
    for column in columns[1:]:
        other = encoded[lengths_key(column)]
        rows = tf.where(first != other)[:, 0]
        message = (
            f"SequenceFeatures: columns '{columns[0].name}' and '{column.name}' have other numbers of steps in row"
        )
        counts = tf.gather(first, rows), "and", tf.gather(other, rows)
        checks += assured(tf.size(rows) == 0, message, rows, "with", *counts)
    with tf.control_dependencies(checks):
        return tf.identity(first)


def _in_time(values: Any, column: Any, steps: Any) -> Any:
    """Returns values with as many steps as the longest column has."""
    default = column.default_value if isinstance(column, SequenceNumericColumn) else 0.0
    missing = steps - tf.shape(values)[1]
    return tf.pad(values, [[0, 0], [0, missing], [0, 0]], constant_values=tf.cast(default, values.dtype))
