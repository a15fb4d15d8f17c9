"""Values that are outside of what a table has rows for: those in no vocabulary."""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from trainer.encoding.coded import Coded
from trainer.encoding.encoding import Bounded, Encoding, raw_of
from trainer.feature_column import IdentityColumn
from trainer.feature_column.serialization import encoded_key


def outside(encodings: Mapping[str, Sequence[Encoding]], features: Mapping[str, Any]) -> dict[str, Any]:
    """Returns which examples hold a value that is in no vocabulary of a table.

    Out-of-vocabulary buckets and a default value are for such values, and make no difference here; to a cross, one of
    any of its keys counts.

    Args:
        encodings: Those that make the ids of each table, by its name.
        features: Raw features by key, of any shape after the examples.

    Returns:
        By the name of each table whose values can be outside, `(batch,)` truths.
    """
    found: dict[str, Any] = {}
    told = {}
    for name, some in encodings.items():
        parts = {encoded_key(part.column): part for each in some for part in _bounded(each)}
        found |= {key: _examples(part, features) for key, part in parts.items() if key not in found}
        if parts:
            told[name] = tf.reduce_any(tf.stack([found[key] for key in parts]), axis=0)
    return told


def _bounded(encoding: Encoding) -> list[Bounded]:
    parts = [part for part in (encoding, *encoding.submodules) if isinstance(part, Bounded)]
    return [part for part in parts if not _refuses(part.column)]


def _refuses(column: Any) -> bool:
    """Tells whether a value outside stops the reading, so that there is none."""
    return isinstance(column, IdentityColumn) and column.default_value is None


def _examples(part: Bounded, features: Mapping[str, Any]) -> Any:
    values = raw_of(features, part.column.key)  # (batch, …)
    if isinstance(values, Coded):
        told = values.mapped(part.outside)
        return tf.reduce_any(told, axis=1) if told.shape.rank > 1 else told  # (batch,)
    if isinstance(values, tf.Tensor):
        told = _outside(part, values)
        return tf.reduce_any(tf.reshape(told, [tf.shape(told)[0], -1]), axis=1)  # (batch,)
    values = values.to_sparse() if isinstance(values, tf.RaggedTensor) else values
    told = tf.cast(_outside(part, values.values), tf.int32)
    return tf.math.unsorted_segment_max(told, values.indices[:, 0], values.dense_shape[0]) > 0  # (batch,)


def _outside(part: Bounded, values: Any) -> Any:
    return part.outside(values if values.dtype == tf.string else tf.cast(values, tf.int64))
