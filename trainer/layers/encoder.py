"""Raw features to ids and numbers, as a Keras layer."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from trainer.encoding import encoding
from trainer.errors import Refusal
from trainer.feature_column import CategoricalColumn, EmbeddingColumn, FeatureColumn, IndicatorColumn, NumericColumn
from trainer.feature_column.serialization import encoded_key, from_dict, to_dict


def encodable(column: FeatureColumn) -> CategoricalColumn | NumericColumn:
    """Returns the part of a column that is encoded: what an embedding or indicator is made on, or the column itself."""
    if isinstance(column, (EmbeddingColumn, IndicatorColumn)):
        return column.categorical_column
    if isinstance(column, (CategoricalColumn, NumericColumn)):
        return column
    raise Refusal(f"encodable: a column is wanted, not {column!r}.")


@keras.saving.register_keras_serializable("trainer")
class Encoder(keras.layers.Layer):
    """Raw features to encoded ones: ids `(batch, k)`, int64, missing -1, and numbers `(batch, width)`, float32.

    It holds no trained weights, so it may run inside `tf.data`, once for all epochs; `DenseFeatures(columns,
    encoded=True)` and `LinearModel(columns, encoded=True)` take what it returns.

    Args:
        columns: Columns of any kind; each distinct categorical or numeric one in them is encoded once.

    Raises:
        Refusal: Something is no column, or two columns differ only in functions that have one name.
    """

    def __init__(self, columns: Sequence[FeatureColumn], **arguments: Any) -> None:
        # Keras would cast float features before they are bucketized.
        super().__init__(autocast=False, trainable=False, **arguments)
        # NumPy and Python strings are converted by the encodings: Keras refuses to do it.
        self._convert_input_args, self._allow_non_tensor_positional_args = False, True
        self.columns = tuple(columns)
        self.encodings = {key: encoding(part) for key, part in _parts(self.columns).items()}
        self.supports_jit = False
        self.built = True

    def call(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the encoded features by `encoded_key`."""
        return {key: encode(features) for key, encode in self.encodings.items()}

    def compute_output_spec(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the shapes and dtypes of the encoded features."""
        found = {}
        for part in map(encodable, self.columns):
            if isinstance(part, NumericColumn):
                found[encoded_key(part)] = keras.KerasTensor((None, part.width), "float32")
            else:
                found[encoded_key(part)] = keras.KerasTensor((None, _values_a_row(part, features)), "int64")
        return found

    def get_config(self) -> dict[str, Any]:
        """Returns the columns as dictionaries."""
        return {**_named(self), "columns": [to_dict(column) for column in self.columns]}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Encoder":
        """Makes the layer from its configuration."""
        return cls(**{**config, "columns": from_dict(config["columns"])})


def _parts(columns: Sequence[FeatureColumn]) -> dict[str, CategoricalColumn | NumericColumn]:
    found: dict[str, CategoricalColumn | NumericColumn] = {}
    for part in map(encodable, columns):
        other = found.setdefault(encoded_key(part), part)
        if repr(other) != repr(part):  # lambdas of one module have one name, and partials equal only themselves
            raise Refusal(
                f"Encoder: '{part.name}' is declared twice, with different functions of one name; define them at the "
                "top of a module under two names, or declare the column once."
            )
    return found


def _named(layer: keras.layers.Layer) -> dict[str, Any]:
    return {"name": layer.name}


def _values_a_row(column: Any, features: Mapping[str, Any]) -> int | None:
    count = 1
    for key, feature in column.raw_features.items():
        shape: tuple[int | None, ...] = tuple(getattr(features.get(key), "shape", (None,)))
        size = shape[1] if len(shape) > 1 else 1
        if size is None:
            return None
        count *= size if feature.shape == () else int(tf.TensorShape(feature.shape).num_elements() or 1)
    return count
