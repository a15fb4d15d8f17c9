"""Columns as Keras layers, for any Keras model."""

from collections.abc import Sequence

import keras

from trainer import optimizers  # noqa: F401  # registered too, so that a compiled model loads after this import alone
from trainer.feature_column import FeatureColumn
from trainer.feature_column.collection import raw_features_of
from trainer.layers.dense_features import DenseFeatures, table_of
from trainer.layers.embedding_table import EmbeddingTable
from trainer.layers.encoder import Encoder, encodable
from trainer.layers.linear_model import LinearModel

__all__ = ["DenseFeatures", "EmbeddingTable", "Encoder", "LinearModel", "encodable", "inputs", "table_of"]


def inputs(columns: Sequence[FeatureColumn]) -> dict[str, keras.KerasTensor]:
    """Returns a `keras.Input` for each raw feature that the columns read, by key.

    A feature of one value an example has shape `(batch,)`.

    Example:
        >>> from trainer import feature_column as fc
        >>> inputs([fc.categorical_column_with_identity("hour", 24)])["hour"].dtype
        'int64'
    """
    return {
        key: keras.Input(shape=feature.shape, dtype=feature.dtype, name=key)
        for key, feature in raw_features_of(columns).items()
    }
