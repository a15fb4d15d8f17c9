"""Values with weights: the ids are those of the values, and the weights lie beside them."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.encoding.encoding import Encoding, assured, encoding, values_of
from trainer.errors import Refusal
from trainer.feature_column import WeightedCategoricalColumn

REMEDY = "give one weight a value."


class Weights(tf.Module):
    """The weights of a column, in the places of its ids."""

    def __init__(self, column: WeightedCategoricalColumn) -> None:
        super().__init__()
        self.column = column

    def __call__(self, features: Mapping[str, Any], ids: Any) -> Any:
        """Returns the weights, float32, dense `(batch, k)` or ragged as the ids are.

        Args:
            features: Raw features by key.
            ids: The ids that the column's own encoding made of them.

        Raises:
            Refusal: The weights are strings, or an example has more weights than ids or fewer; where that shows only
                in the data, the op fails with the same sentence.
        """
        key = self.column.weight_feature_key
        weights = values_of(features, key)
        who = f"weighted_categorical_column: weights '{key}' of column '{self.column.categorical_column.name}'"
        if weights.dtype == tf.string:
            raise Refusal(f"{who} should be numbers, not strings; convert them first.")
        return aligned(tf.cast(weights, tf.float32), ids, who)


def aligned(weights: Any, ids: Any, who: str) -> Any:
    """Returns weights in the layout of ids; each is `(batch, k)` or ragged `(batch, None)`.

    Args:
        weights: Where they are dense and the ids ragged, padded at the end of each row.
        ids: Those that the weights are of.
        who: What a refusal begins with.

    Raises:
        Refusal: An example has more weights than ids or fewer; where that shows only in the data, the op fails.
    """
    ragged = isinstance(ids, tf.RaggedTensor), isinstance(weights, tf.RaggedTensor)
    if ragged == (True, True):
        alike = tf.reduce_all(tf.equal(ids.row_lengths(), weights.row_lengths()))
        return ids.with_flat_values(_checked(alike, weights.flat_values, who))
    if ragged == (True, False):  # as many as there are ids, from the beginning of each row
        fits = tf.reduce_all(ids.row_lengths() <= tf.shape(weights, out_type=tf.int64)[1])
        return tf.RaggedTensor.from_tensor(_checked(fits, weights, who), lengths=ids.row_lengths())
    if ragged == (False, True):
        fits = tf.reduce_all(weights.row_lengths() <= tf.shape(ids, out_type=tf.int64)[1])
        dense = weights.with_flat_values(_checked(fits, weights.flat_values, who)).to_tensor()
        return tf.pad(dense, [[0, 0], [0, tf.shape(ids)[1] - tf.shape(dense)[1]]])  # (batch, k)
    if None not in (ids.shape[1], weights.shape[1]) and ids.shape[1] != weights.shape[1]:
        raise Refusal(f"{who}: an example has {ids.shape[1]} values and {weights.shape[1]} weights; {REMEDY}")
    return _checked(tf.reduce_all(tf.equal(tf.shape(ids), tf.shape(weights))), weights, who)


def _checked(condition: Any, weights: Any, who: str) -> Any:
    sentence = f"{who}: an example has more values than weights, or fewer; {REMEDY}"
    with tf.control_dependencies(assured(condition, sentence)):
        return tf.identity(weights)


@encoding.register
def _(column: WeightedCategoricalColumn) -> Encoding:
    return encoding(column.categorical_column)
