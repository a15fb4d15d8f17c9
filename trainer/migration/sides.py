"""One column of TensorFlow and its counterpart here, ready to run on the same rows with the same table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.feature_column import feature_column_v2 as v2
from tensorflow.python.feature_column import sequence_feature_column as sequence

from trainer import feature_column as fc
from trainer.encoding import Weights, encoding
from trainer.layers import DenseFeatures
from trainer.migration.columns import SHARED, table_of

Run = Callable[[Mapping[str, Any]], list[Any]]
"""Features to one output a row: ids, pairs of id and weight, or numbers."""


@dataclass(frozen=True)
class Sides:
    """A way to run a column on each side.

    Args:
        theirs: Through TensorFlow.
        ours: Through `trainer`.
    """

    theirs: Run
    ours: Run


def sides_of(theirs: Any, ours: fc.FeatureColumn) -> Sides:
    """Returns how to run both sides of a column: ids where it has ids, else numbers, with the same table."""
    if isinstance(ours, fc.WeightedCategoricalColumn):
        return Sides(partial(_their_pairs, theirs), partial(_our_pairs, ours))
    if isinstance(ours, fc.CategoricalColumn):
        return Sides(partial(_their_ids, theirs), partial(_our_ids, ours))
    theirs, ours = _with_fixed_table(theirs, ours)
    if is_sequence(theirs):
        return Sides(partial(_their_steps, theirs), partial(_our_steps, ours))
    return Sides(partial(_their_numbers, theirs), partial(_our_numbers, ours))


def is_sequence(theirs: Any) -> bool:
    """Tells whether a column of TensorFlow's is for `SequenceFeatures`."""
    inner = getattr(theirs, "categorical_column", theirs)
    return isinstance(inner, (v2.SequenceCategoricalColumn, sequence.SequenceNumericColumn))


def fixed_values(shape: Any, dtype: Any = None, **_: Any) -> Any:
    """Returns what both sides' tables hold: normal numbers that depend on the shape alone."""
    return tf.random.stateless_normal(shape, seed=[0, 0], dtype=dtype or tf.float32)


def _with_fixed_table(theirs: Any, ours: Any) -> tuple[Any, Any]:
    """Returns both columns with the same table, which comes from no checkpoint."""
    if not isinstance(ours, fc.EmbeddingColumn):
        return theirs, ours
    ours = replace(ours, initializer=fixed_values, ckpt_to_load_from=None, tensor_name_in_ckpt=None)
    if type(theirs) in SHARED:  # TensorFlow runs these in a graph alone; on one table, the lookup is an embedding's
        _, arguments = table_of(theirs)
        names = ("dimension", "combiner", "max_norm", "use_safe_embedding_lookup")
        found = {name: arguments[name] for name in names}
        return tf.feature_column.embedding_column(theirs.categorical_column, initializer=fixed_values, **found), ours
    return theirs._replace(initializer=fixed_values, ckpt_to_load_from=None, tensor_name_in_ckpt=None), ours


def _given(features: Mapping[str, Any]) -> dict[str, Any]:
    """Returns features as TensorFlow's columns take them: it has no ragged ones."""
    return {key: v.to_sparse() if isinstance(v, tf.RaggedTensor) else v for key, v in features.items()}


def _their_sparse(column: Any, features: Mapping[str, Any]) -> Any:
    return column.get_sparse_tensors(v2.FeatureTransformationCache(_given(features)), None)


def _their_ids(column: Any, features: Mapping[str, Any]) -> list[Any]:
    ids = _their_sparse(column, features).id_tensor
    return _by_row(ids.indices[:, 0], ids.values, int(ids.dense_shape[0]))


def _their_pairs(column: Any, features: Mapping[str, Any]) -> list[Any]:
    ids, weights = _their_sparse(column, features)
    if len(ids.values) != len(weights.values):
        raise ValueError(f"{len(ids.values)} ids and {len(weights.values)} weights are left of these rows.")
    pairs = np.stack([ids.values, weights.values], axis=1)  # (n, 2)
    return _by_row(ids.indices[:, 0], pairs, int(ids.dense_shape[0]))


def _our_ids(column: fc.FeatureColumn, features: Mapping[str, Any]) -> list[Any]:
    ids = encoding(column)(features)
    return _by_row(*_flat(ids))


def _our_pairs(column: fc.WeightedCategoricalColumn, features: Mapping[str, Any]) -> list[Any]:
    ids = encoding(column)(features)
    rows, values, batch = _flat(ids)
    _, weights, _ = _flat(Weights(column)(features, ids))
    return _by_row(rows, np.stack([values, weights], axis=1), batch)


def _flat(values: Any) -> tuple[Any, Any, int]:
    """Returns the row of each value, the values, and the number of rows."""
    if isinstance(values, tf.RaggedTensor):
        return values.value_rowids(), values.flat_values, int(values.nrows())
    batch, size = values.shape[0], int(np.prod(values.shape[1:]))
    return np.repeat(np.arange(batch), size), tf.reshape(values, [-1]), batch


def _by_row(rows: Any, values: Any, batch: int) -> list[Any]:
    """Returns the values of each row, without those whose id is missing."""
    rows, values = np.asarray(rows), np.asarray(values)
    present = (values if values.ndim == 1 else values[:, 0]) >= 0
    rows, values = rows[present], values[present]
    order = np.argsort(rows, kind="stable")
    return np.split(values[order], np.searchsorted(rows[order], np.arange(1, batch)))


def _their_numbers(column: Any, features: Mapping[str, Any]) -> list[Any]:
    import tf_keras

    return list(tf_keras.layers.DenseFeatures([column])(_given(features)).numpy())


def _our_numbers(column: Any, features: Mapping[str, Any]) -> list[Any]:
    return list(DenseFeatures([column])(dict(features)).numpy())


def _their_steps(column: Any, features: Mapping[str, Any]) -> list[Any]:
    import tf_keras

    return _steps(*tf_keras.experimental.SequenceFeatures([column])(_given(features)))


def _our_steps(column: Any, features: Mapping[str, Any]) -> list[Any]:
    from trainer.layers import SequenceFeatures

    return _steps(*SequenceFeatures([column])(dict(features)))


def _steps(values: Any, lengths: Any) -> list[Any]:
    """Returns the numbers of each row's steps, up to its length."""
    return [row[:length] for row, length in zip(values.numpy(), lengths.numpy(), strict=True)]
