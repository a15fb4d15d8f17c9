"""Columns to one dense matrix, as the Keras 2 layer of that name."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from trainer import warm_start
from trainer.errors import Refusal
from trainer.feature_column import DenseColumn, EmbeddingColumn, FeatureColumn, NumericColumn
from trainer.feature_column.collection import embeddings_by_table
from trainer.feature_column.sequence import is_sequence
from trainer.feature_column.serialization import encoded_key
from trainer.feature_column.starting import starts_elsewhere
from trainer.layers import columns as shared
from trainer.layers.columns import encodable, weights_key
from trainer.layers.columns_layer import ColumnsLayer
from trainer.layers.embedding_table import EmbeddingTable


@keras.saving.register_keras_serializable("trainer")
class DenseFeatures(ColumnsLayer):
    """The columns' numbers, one-hots and embeddings beside each other, `(batch, sum of widths)`.

    Columns come in the order of their names, as in `tf.keras.layers.DenseFeatures`. Features may be dense, ragged or
    sparse tensors, arrays or lists.

    Args:
        columns: Dense columns: numeric, bucketized, indicator, embedding, shared embeddings.
        encoded: Whether the features come from an `Encoder` of these columns, rather than raw.

    Raises:
        Refusal: There is no column, one is not dense or is a sequence, or two different tables have one name.
    """

    def __init__(self, columns: DenseColumn | Sequence[DenseColumn], encoded: bool = False, **arguments: Any) -> None:
        super().__init__(checked(columns), encoded, **arguments)

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

    def call(self, features: Mapping[str, Any]) -> Any:
        """Returns the columns' values, `(batch, width)`."""
        encoded = self.encode(features)
        parts = [tf.cast(values(column, encoded, self.tables), self.compute_dtype) for column in self.columns]
        return tf.concat(parts, axis=1)  # (batch, width)

    def compute_output_spec(self, features: Mapping[str, Any]) -> Any:
        """Returns the shape and dtype of the result."""
        del features
        return keras.KerasTensor((None, sum(column.width for column in self.columns)), self.compute_dtype)


def checked(columns: Any) -> list[DenseColumn]:
    """Returns columns in the order of their names, or refuses what `DenseFeatures` cannot take."""
    columns = [columns] if isinstance(columns, FeatureColumn) else list(columns)
    if not columns:
        raise Refusal("DenseFeatures: at least one column is wanted.")
    for column in columns:
        if isinstance(column, FeatureColumn) and is_sequence(column):
            raise Refusal(f"DenseFeatures: column '{column.name}' is a sequence; give it to SequenceFeatures.")
        if not isinstance(column, DenseColumn):
            raise Refusal(
                f"DenseFeatures: dense columns are wanted, not {type(column).__name__}; wrap it in "
                "embedding_column or indicator_column."
            )
    return sorted(columns, key=lambda column: column.name)


def values(column: Any, encoded: Mapping[str, Any], tables: Mapping[str, EmbeddingTable]) -> Any:
    """Returns the values of one dense column from encoded features, `(batch, width)`."""
    ids, weights = encoded[encoded_key(encodable(column))], weights_key(column)
    given = None if weights is None else encoded[weights]
    if isinstance(column, EmbeddingColumn):
        return tables[column.table](ids, given)
    if isinstance(column, NumericColumn):
        return ids
    return shared.counted(ids, given, column.width)  # an indicator, or a bucketized column as one


def tables_of(columns: Sequence[FeatureColumn]) -> dict[str, EmbeddingTable]:
    """Returns a new table for each that embedding columns use, by name; none while a vocabulary is not learned."""
    if not shared.all_learned(columns):
        return {}
    return {name: table_of(column) for name, (column, *_) in embeddings_by_table(columns).items()}


def build(tables: Mapping[str, EmbeddingTable]) -> None:
    """Makes the variables of tables."""
    for table in tables.values():
        if not table.built:
            table.build()


def table_of(column: EmbeddingColumn) -> EmbeddingTable:
    """Returns a new table for an embedding column, warm-started where the column says so."""
    return EmbeddingTable(
        column.categorical_column.num_buckets,
        column.width,
        column.combiner,
        column.initializer,
        column.max_norm,
        warm_start=partial(warm_start.load, column) if starts_elsewhere(column) else None,
        storage_dtype=column.storage_dtype,
        unit_norm=column.unit_norm,
        trainable=column.trainable,
        name=column.table,
    )
