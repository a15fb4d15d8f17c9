"""The wide part: one weight an id."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from trainer.errors import Refusal
from trainer.feature_column import CategoricalColumn, FeatureColumn, NumericColumn
from trainer.feature_column.column import file_name
from trainer.feature_column.serialization import encoded_key, from_dict, to_dict
from trainer.layers.embedding_table import EmbeddingTable
from trainer.layers.encoder import Encoder


@keras.saving.register_keras_serializable("trainer")
class LinearModel(keras.layers.Layer):
    """A sum of weights, one for each id and each number, and a bias: `(batch, units)`; all start from zero.

    Args:
        columns: Categorical and numeric columns.
        units: The number of sums.
        sparse_combiner: "sum", "mean" or "sqrtn": how the weights of several ids of one column are combined.
        encoded: Whether the features come from an `Encoder` of these columns, rather than raw.

    Raises:
        Refusal: A column is neither categorical nor numeric.
    """

    def __init__(
        self,
        columns: Sequence[FeatureColumn],
        units: int = 1,
        sparse_combiner: str = "sum",
        encoded: bool = False,
        **arguments: Any,
    ) -> None:
        super().__init__(autocast=False, **arguments)
        for column in columns:
            if not isinstance(column, (CategoricalColumn, NumericColumn)):
                raise Refusal(
                    f"LinearModel: categorical and numeric columns are wanted, not {type(column).__name__} "
                    f"'{getattr(column, 'name', column)}'; give the categorical column itself."
                )
        self.columns = tuple(sorted(columns, key=lambda column: column.name))
        self.units, self.sparse_combiner, self.encoded = units, sparse_combiner, encoded
        self.encoder = None if encoded else Encoder(self.columns)
        self.tables = {
            encoded_key(column): EmbeddingTable(
                column.num_buckets, units, sparse_combiner, "zeros", name=f"{file_name(column.name)}_weights"
            )
            for column in self.columns
            if isinstance(column, CategoricalColumn)
        }
        self._convert_input_args, self._allow_non_tensor_positional_args = False, True
        self.supports_jit = False

    def build(self, features_shape: Any = None) -> None:
        """Makes the weights."""
        del features_shape
        for table in self.tables.values():
            if not table.built:
                table.build()
        width = sum(column.width for column in self.columns if isinstance(column, NumericColumn))
        self.kernel = self.add_weight(name="kernel", shape=(width, self.units), initializer="zeros") if width else None
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        self.built = True

    def call(self, features: Mapping[str, Any]) -> Any:
        """Returns the sums, `(batch, units)`."""
        encoded = features if self.encoder is None else self.encoder(features)
        logits = tf.cast(self.bias, self.compute_dtype)
        for key, table in self.tables.items():
            logits = logits + tf.cast(table(encoded[key]), self.compute_dtype)  # (batch, units)
        numbers = [encoded[encoded_key(column)] for column in self.columns if isinstance(column, NumericColumn)]
        if numbers:
            values = tf.cast(tf.concat(numbers, axis=1), self.compute_dtype)  # (batch, width)
            logits = logits + tf.matmul(values, tf.cast(self.kernel, self.compute_dtype))
        return logits

    def compute_output_spec(self, features: Mapping[str, Any]) -> Any:
        """Returns the shape and dtype of the result."""
        del features
        return keras.KerasTensor((None, self.units), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the columns as dictionaries."""
        return {
            **super().get_config(),
            "columns": [to_dict(column) for column in self.columns],
            "units": self.units,
            "sparse_combiner": self.sparse_combiner,
            "encoded": self.encoded,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LinearModel":
        """Makes the layer from its configuration."""
        return cls(**{**config, "columns": from_dict(config["columns"])})
