"""The symbolic inputs of a functional model, made from columns."""

from collections.abc import Collection, Sequence
from typing import Any

import keras

from trainer.feature_column import FeatureColumn
from trainer.feature_column.collection import raw_features_of


class _AnyTensor(keras.KerasTensor):
    """A symbolic tensor that stands for dense and for sparse values: Keras converts neither."""

    sparse = property(lambda self: None, lambda self, value: None)


@keras.saving.register_keras_serializable("trainer")
class BagInput(keras.layers.InputLayer):
    """An input of any number of values an example, which takes dense, ragged and sparse tensors as they are.

    Keras fills a sparse tensor that it is given for a dense input with zeros, and 0 is an id; for a sparse input it
    does not, but such a model has no `model.export`. This one is exported as a dense input.
    """

    def __init__(self, batch_shape: Sequence[int | None], dtype: str, name: str | None = None, **unused: Any) -> None:
        del unused  # what else the configuration of an input holds is the same for every bag
        super().__init__(input_tensor=_AnyTensor(tuple(batch_shape), dtype, name=name), name=name)


def inputs(columns: Sequence[FeatureColumn], bags: Collection[str] = ()) -> dict[str, keras.KerasTensor]:
    """Returns a `keras.Input` for each raw feature that the columns read, by key.

    A feature of one value an example has shape `(batch,)`; a bag or sequence `(batch, None)`, sparse, ragged, or dense
    and padded with '', -1 or, among the numbers of a sequence, NaN.

    Args:
        columns: Columns of any kind.
        bags: Keys of features with any number of values an example, beside those of weighted and sequence columns.

    Raises:
        Refusal: Two columns read one key as different kinds of value, or no column reads a bag.

    Example:
        >>> from trainer import feature_column as fc
        >>> inputs([fc.categorical_column_with_identity("hour", 24)])["hour"].dtype
        'int64'
    """
    found = {}
    for key, feature in raw_features_of(columns, bags).items():
        kind = BagInput if None in feature.shape else keras.layers.InputLayer
        found[key] = kind(batch_shape=(None, *feature.shape), dtype=str(feature.dtype), name=key).output
    return found
