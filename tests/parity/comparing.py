"""A column on both sides, with the same rows and the same tables: ids bit for bit, numbers to 1e-6."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow.python.feature_column import feature_column_v2

from tests.parity.rows import Features
from trainer import feature_column as fc
from trainer.encoding import Weights, encoding
from trainer.feature_column.sequence import is_sequence
from trainer.layers import DenseFeatures, SequenceFeatures


class Sides:
    """Columns of TensorFlow's and ours, to be run on any number of rows in the same tables.

    Args:
        theirs: TensorFlow's columns.
        ours: The same, declared here.
    """

    def __init__(self, theirs: Sequence[Any], ours: Sequence[fc.FeatureColumn]) -> None:
        self.theirs, self.ours = list(theirs), list(ours)
        assert [column.name for column in ours] == [column.name for column in theirs]
        self.layers: tuple[Any, Any] | None = None
        if all(isinstance(column, fc.DenseColumn | fc.SequenceNumericColumn) for column in ours):
            inside = [tf_keras.experimental.SequenceFeatures, SequenceFeatures]
            layers = inside if is_sequence(ours[0]) else [tf_keras.layers.DenseFeatures, DenseFeatures]
            self.layers = layers[0](self.theirs), layers[1](self.ours)

    def check(self, their_features: Features, our_features: Features) -> None:
        """Fails where the sides differ."""
        for theirs, ours in zip(self.theirs, self.ours, strict=True):
            if isinstance(ours, fc.CategoricalColumn):
                check_ids(theirs, ours, their_features, our_features)
        if self.layers is not None:
            their_layer, our_layer = self.layers
            theirs = their_layer(their_features)
            if not our_layer.built:
                our_layer.build()
                copy_tables({weight.name: weight.numpy() for weight in their_layer.weights}, our_layer)
            check_numbers(theirs, our_layer(our_features))


def copy_tables(weights: Mapping[str, Any], layer: Any) -> None:
    """Gives the tables of a layer of ours the values of TensorFlow's weights, by name."""
    assert len(weights) == len(layer.tables)
    for name, table in layer.tables.items():
        (values,) = (values for weight, values in weights.items() if f"/{name}_embedding/" in weight)
        table.table.assign(values)


def check_numbers(theirs: Any, ours: Any) -> None:
    """Compares what layers make; of sequences the steps that there are, and the lengths."""
    if not isinstance(theirs, tuple):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)
        return
    (values, lengths), (our_values, our_lengths) = theirs, ours
    values, lengths = np.asarray(values), np.asarray(lengths)
    assert our_lengths.numpy().tolist() == lengths.tolist()
    # A ragged feature has no more steps than its longest example, a sparse one as many as its shape says.
    steps = our_values.shape[1]
    assert steps >= max(lengths, default=0)
    np.testing.assert_allclose(our_values, values[:, :steps], rtol=1e-6, atol=1e-6)


def check_ids(theirs: Any, ours: Any, their_features: Features, our_features: Features) -> None:
    """Compares the ids of each example, and of each step, in their order; and their weights."""
    pair = theirs.get_sparse_tensors(feature_column_v2.FeatureTransformationCache(dict(their_features)), None)
    ids = encoding(ours)(our_features)
    if isinstance(ours, fc.SequenceCategoricalColumn):
        their_ids = tf.sparse.to_dense(pair.id_tensor, -1).numpy()  # (batch, time, k)
        our_ids = ids.numpy().reshape([*ids.shape[:2], their_ids.shape[2]])
        assert our_ids.tolist() == their_ids[:, : our_ids.shape[1]].tolist()
        assert (their_ids[:, our_ids.shape[1] :] == -1).all()
        return
    assert by_row(*flat(ids)) == by_row(*flat(pair.id_tensor))
    if isinstance(ours, fc.WeightedCategoricalColumn):
        weights = Weights(ours)(our_features, ids)
        assert weighed(ids, weights) == weighed(pair.id_tensor, pair.weight_tensor)


def flat(values: Any) -> tuple[Any, Any, int]:
    """Returns the example of each value, the values, and the number of examples."""
    if isinstance(values, tf.SparseTensor):
        return values.indices.numpy()[:, 0], values.values.numpy(), int(values.dense_shape[0])
    if isinstance(values, tf.RaggedTensor):
        return values.value_rowids().numpy(), values.flat_values.numpy(), int(values.nrows())
    batch, size = values.shape
    return np.repeat(np.arange(batch), size), values.numpy().reshape(-1), batch


def by_row(rows: Any, values: Any, batch: int) -> list[list[int]]:
    """Returns the ids of each example, without the missing ones."""
    return [values[(rows == row) & (values >= 0)].tolist() for row in range(batch)]


def weighed(ids: Any, weights: Any) -> list[tuple[int, int, float]]:
    """Returns the example, the id and the weight of each id that is not missing."""
    rows, values, _ = flat(ids)
    found = zip(rows.tolist(), values.tolist(), flat(weights)[1].tolist(), strict=True)
    return [(row, id, weight) for row, id, weight in found if id >= 0]
