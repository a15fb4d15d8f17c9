"""Raw features to ids and numbers, as a Keras layer."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from trainer.feature_column import FeatureColumn, NumericColumn, SequenceCategoricalColumn, SequenceNumericColumn
from trainer.feature_column.collection import embeddings_by_table
from trainer.feature_column.sequence import is_sequence
from trainer.feature_column.serialization import encoded_key
from trainer.feature_column.tokens import makes_words
from trainer.layers import columns as shared
from trainer.layers.columns import encodable
from trainer.layers.columns_layer import ColumnsLayer


@keras.saving.register_keras_serializable("trainer")
class Encoder(ColumnsLayer):
    """Raw features to encoded ones: ids `(batch, k)`, int64, missing -1, and numbers `(batch, width)`, float32.

    It holds no trained weights, so it may run inside `tf.data`, once for all epochs; `DenseFeatures(columns,
    encoded=True)` and its like take what it returns. Ids of ragged and sparse features are ragged.

    Args:
        columns: Columns of any kind; each distinct categorical or numeric one in them is encoded once.

    Raises:
        Refusal: Something is no column, or two columns differ only in functions that have one name.
    """

    def __init__(self, columns: Sequence[FeatureColumn], **arguments: Any) -> None:
        super().__init__(columns, encoded=False, **{**arguments, "trainable": False})

    def build(self, features_shape: Any = None) -> None:
        """Makes nothing, but sees that all is learned."""
        del features_shape
        self.check_learned()
        self.built = True

    def call(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the encoded features: ids and numbers by `encoded_key`, weights and lengths beside them."""
        found: dict[str, Any] = self.encode(features)
        return found

    def outside(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """Returns which examples hold a value that is in no vocabulary, `(batch,)`, by the name of the table."""
        tables = embeddings_by_table(self.columns)
        return {} if self.encodings is None else self.encodings.outside(features, tables)

    def compute_output_spec(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the shapes and dtypes of the encoded features."""
        found = {}
        for column in self.columns:
            part = encodable(column)
            key, weights = encoded_key(part), shared.weights_key(column)
            if isinstance(part, NumericColumn):
                found[key] = keras.KerasTensor((None, part.width), "float32")
            elif isinstance(part, SequenceNumericColumn):
                found[key] = keras.KerasTensor((None, None, part.width), "float32")
            else:
                found[key] = _ids(part, features)
            if weights is not None:
                found[weights] = _like(found[key], "float32")
            if is_sequence(part):
                found[shared.lengths_key(part)] = keras.KerasTensor((None,), "int64")
        return {key: found[key] for key in self.keys}

    @property
    def keys(self) -> list[str]:
        """The keys of what is encoded."""
        return shared.encoded_keys(self.columns)

    def get_config(self) -> dict[str, Any]:
        """Returns the columns as dictionaries."""
        return {"name": self.name, "columns": shared.to_config(self.columns)}


def _ids(column: Any, features: Mapping[str, Any]) -> keras.KerasTensor:
    count: int | None = 1
    for key, feature in column.raw_features.items():
        given = features.get(key)
        if makes_words(column) or getattr(given, "ragged", False) or getattr(given, "sparse", False):
            return keras.KerasTensor((None, None), "int64", ragged=_is_ragged(column))
        shape: tuple[int | None, ...] = tuple(getattr(given, "shape", (None,)))
        size = shape[1] if len(shape) > 1 else 1
        if isinstance(column, SequenceCategoricalColumn):
            return keras.KerasTensor((None, size, *shape[2:]), "int64")
        fixed = feature.shape not in ((), (None,))
        size = int(tf.TensorShape(feature.shape).num_elements() or 1) if fixed else size
        count = None if size is None or count is None else count * size
    return keras.KerasTensor((None, count), "int64")


def _is_ragged(column: Any) -> bool:
    """Tells whether a column makes ragged ids of ragged features: those of sequences are padded."""
    return not isinstance(column, SequenceCategoricalColumn)


def _like(tensor: keras.KerasTensor, dtype: str) -> keras.KerasTensor:
    return keras.KerasTensor(tensor.shape, dtype, ragged=tensor.ragged)
