"""The wide part: one weight an id."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from trainer.errors import Refusal
from trainer.feature_column import CategoricalColumn, EmbeddingColumn, FeatureColumn, IndicatorColumn, NumericColumn
from trainer.feature_column.column import file_name
from trainer.feature_column.embedding import SUMS
from trainer.feature_column.sequence import is_sequence
from trainer.feature_column.serialization import encoded_key
from trainer.layers import columns as shared
from trainer.layers.columns import categorical, encodable, weights_key
from trainer.layers.columns_layer import ColumnsLayer
from trainer.layers.dense_features import build, tables_of, values
from trainer.layers.embedding_table import EmbeddingTable


@keras.saving.register_keras_serializable("trainer")
class LinearModel(ColumnsLayer):
    """A sum of weights, one for each id and each number, and a bias: `(batch, units)`; all start from zero.

    Args:
        columns: Categorical, indicator and numeric columns; and embedding columns of `units` floats, whose rows are
            added as they are: weights of ids in a table that has a name, can start from another and be frozen.
        units: The number of sums.
        sparse_combiner: "sum", "mean" or "sqrtn": how the weights of several ids of one column are combined; those of
            an indicator are summed.
        encoded: Whether the features come from an `Encoder` of these columns, rather than raw.

    Raises:
        Refusal: A column is none of these, or a sequence, or an embedding of another dimension, or there is no such
            combiner.
    """

    def __init__(
        self,
        columns: FeatureColumn | Sequence[FeatureColumn],
        units: int = 1,
        sparse_combiner: str = "sum",
        encoded: bool = False,
        **arguments: Any,
    ) -> None:
        if sparse_combiner not in SUMS:
            raise Refusal(f"LinearModel: sparse_combiner must be one of {', '.join(SUMS)}, not {sparse_combiner!r}.")
        self.units, self.sparse_combiner = units, sparse_combiner
        super().__init__(_checked(columns, units), encoded, **arguments)

    def use(self, columns: Sequence[Any]) -> None:
        """Takes columns for the layer's own, and makes their tables of weights."""
        super().use(columns)
        self.tables = {
            encoded_key(column): self._table(column)
            for column in self.columns
            if not isinstance(column, (NumericColumn, EmbeddingColumn)) and shared.all_learned(self.columns)
        }
        self.named_tables = tables_of(self.columns)

    def _table(self, column: Any) -> EmbeddingTable:
        part: Any = categorical(column)
        combiner = "sum" if isinstance(column, IndicatorColumn) else self.sparse_combiner
        return EmbeddingTable(part.num_buckets, self.units, combiner, "zeros", name=f"{file_name(column.name)}_weights")

    def build(self, features_shape: Any = None) -> None:
        """Makes the weights."""
        del features_shape
        self.check_learned()
        build({**self.tables, **self.named_tables})
        width = sum(column.width for column in self.columns if isinstance(column, NumericColumn))
        self.kernel = self.add_weight(name="kernel", shape=(width, self.units), initializer="zeros") if width else None
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        self.built = True

    def call(self, features: Mapping[str, Any]) -> Any:
        """Returns the sums, `(batch, units)`."""
        encoded = self.encode(features)
        logits = tf.cast(self.bias, self.compute_dtype)
        for column in self.columns:
            if isinstance(column, EmbeddingColumn):
                logits = logits + tf.cast(values(column, encoded, self.named_tables), self.compute_dtype)
            elif not isinstance(column, NumericColumn):
                weights = weights_key(column)
                ids, given = encoded[encoded_key(encodable(column))], None if weights is None else encoded[weights]
                logits = logits + tf.cast(self.tables[encoded_key(column)](ids, given), self.compute_dtype)
        numbers = [encoded[encoded_key(column)] for column in self.columns if isinstance(column, NumericColumn)]
        if numbers:
            together = tf.cast(tf.concat(numbers, axis=1), self.compute_dtype)  # (batch, width)
            logits = logits + tf.matmul(together, tf.cast(self.kernel, self.compute_dtype))
        return logits  # (batch, units)

    def compute_output_spec(self, features: Mapping[str, Any]) -> Any:
        """Returns the shape and dtype of the result."""
        del features
        return keras.KerasTensor((None, self.units), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the columns as dictionaries, and the other arguments."""
        return {**super().get_config(), "units": self.units, "sparse_combiner": self.sparse_combiner}


def _checked(columns: Any, units: int) -> list[FeatureColumn]:
    columns = [columns] if isinstance(columns, FeatureColumn) else list(columns)
    for column in columns:
        if isinstance(column, EmbeddingColumn):
            if column.dimension != units:
                raise Refusal(
                    f"LinearModel: embedding column '{column.name}' is added to sums of {units}, and its dimension is "
                    f"{column.dimension}; give it dimension={units}, or give the categorical column itself."
                )
        elif not isinstance(column, (CategoricalColumn, IndicatorColumn, NumericColumn)):
            raise Refusal(
                f"LinearModel: categorical and numeric columns are wanted, not {type(column).__name__} "
                f"'{getattr(column, 'name', column)}'; give the categorical column itself."
            )
        if is_sequence(column):
            raise Refusal(f"LinearModel: column '{column.name}' is a sequence; give the column of a bag.")
    return sorted(columns, key=lambda column: column.name)
