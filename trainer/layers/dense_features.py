"""Columns to one dense matrix, as the Keras 2 layer of that name."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from trainer import warm_start
from trainer.errors import Refusal
from trainer.feature_column import (
    BucketizedColumn,
    DenseColumn,
    EmbeddingColumn,
    IndicatorColumn,
    NumericColumn,
)
from trainer.feature_column.collection import embeddings_by_table
from trainer.feature_column.serialization import encoded_key, from_dict, to_dict
from trainer.layers.embedding_table import EmbeddingTable
from trainer.layers.encoder import Encoder, encodable


@keras.saving.register_keras_serializable("trainer")
class DenseFeatures(keras.layers.Layer):
    """The columns' numbers, one-hots and embeddings beside each other, `(batch, sum of widths)`.

    Columns come in the order of their names, as in `tf.keras.layers.DenseFeatures`.

    Args:
        columns: Dense columns: numeric, bucketized, indicator, embedding.
        encoded: Whether the features come from an `Encoder` of these columns, rather than raw.

    Raises:
        Refusal: There is no column, one is not dense, or two different tables have one name.
    """

    def __init__(self, columns: Sequence[DenseColumn], encoded: bool = False, **arguments: Any) -> None:
        super().__init__(autocast=False, **arguments)
        if not columns:
            raise Refusal("DenseFeatures: at least one column is wanted.")
        for column in columns:
            if not isinstance(column, DenseColumn):
                raise Refusal(
                    f"DenseFeatures: dense columns are wanted, not {type(column).__name__}; wrap it in "
                    "embedding_column or indicator_column."
                )
        self.columns = tuple(sorted(columns, key=lambda column: column.name))
        self.encoded = encoded
        self.encoder = None if encoded else Encoder(self.columns)
        self.tables = {name: table_of(column) for name, column in embeddings_by_table(self.columns).items()}
        self._convert_input_args, self._allow_non_tensor_positional_args = False, True
        self.supports_jit = False

    def build(self, features_shape: Any = None) -> None:
        """Makes the tables."""
        del features_shape
        for table in self.tables.values():
            if not table.built:
                table.build()
        self.built = True

    def call(self, features: Mapping[str, Any]) -> Any:
        """Returns the columns' values, `(batch, width)`."""
        encoded = features if self.encoder is None else self.encoder(features)
        parts = [self._values(column, encoded[encoded_key(encodable(column))]) for column in self.columns]
        return tf.concat([tf.cast(part, self.compute_dtype) for part in parts], axis=1)  # (batch, width)

    def _values(self, column: DenseColumn, encoded: Any) -> Any:
        if isinstance(column, EmbeddingColumn):
            return self.tables[column.table](encoded)
        if isinstance(column, (IndicatorColumn, BucketizedColumn)):
            return tf.reduce_sum(tf.one_hot(encoded, column.width), axis=1)  # -1 is no column of a one-hot
        if isinstance(column, NumericColumn):
            return encoded
        raise TypeError(f"DenseFeatures: {column!r} is of no known kind")

    def compute_output_spec(self, features: Mapping[str, Any]) -> Any:
        """Returns the shape and dtype of the result."""
        del features
        return keras.KerasTensor((None, sum(column.width for column in self.columns)), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the columns as dictionaries."""
        columns = [to_dict(column) for column in self.columns]
        return {**super().get_config(), "columns": columns, "encoded": self.encoded}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DenseFeatures":
        """Makes the layer from its configuration; the tables' values come from the saved weights."""
        from_source = dict.fromkeys(("ckpt_to_load_from", "tensor_name_in_ckpt"))
        columns = from_dict(
            [{**column, **(from_source if "combiner" in column else {})} for column in config["columns"]]
        )
        return cls(**{**config, "columns": columns})


def table_of(column: EmbeddingColumn) -> EmbeddingTable:
    """Returns a new table for an embedding column, warm-started where the column says so."""
    return EmbeddingTable(
        column.categorical_column.num_buckets,
        column.dimension,
        column.combiner,
        column.initializer,
        column.max_norm,
        initial_values=partial(warm_start.load, column) if column.ckpt_to_load_from else None,
        trainable=column.trainable,
        name=column.table,
    )
