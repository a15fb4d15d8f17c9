"""The rows of files as `tf.data` batches: strings coded, bags ragged."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from trainer.encoding import Coded
from trainer.inputs.files import Rows
from trainer.inputs.values import Feature, Texts, Wanted

_CODES, _LENGTHS = "\0codes", "\0lengths"
"""What comes after a feature's name, and in none, where its values have codes or lengths beside them."""


def dataset(rows: Callable[[], Rows], wanted: Mapping[str, Wanted]) -> tf.data.Dataset:
    """Returns rows as batches of features: tensors `(batch, …)`, strings coded, bags ragged.

    Args:
        rows: Called for each pass over the data.
        wanted: What is wanted of each feature.
    """
    signature = {}
    for key, each in wanted.items():
        shape = [None, *each.shape] if each.shape and None not in each.shape else [None]
        signature[key] = tf.TensorSpec(shape, each.dtype)
        if each.dtype == "string":
            signature[f"{key}{_CODES}"] = tf.TensorSpec(shape, tf.int32)
        if None in each.shape:
            signature[f"{key}{_LENGTHS}"] = tf.TensorSpec([None], tf.int64)

    def batches() -> Iterator[dict[str, Any]]:
        for features in rows():
            yield {name: array for key, feature in features.items() for name, array in _arrays(key, feature)}

    def joined(arrays: Mapping[str, Any]) -> dict[str, Any]:
        return {key: _tensor(arrays, key, each) for key, each in wanted.items()}

    raw = tf.data.Dataset.from_generator(batches, output_signature=signature)
    return raw.map(tf.autograph.experimental.do_not_convert(joined))


def tensors_of(features: Mapping[str, Feature], wanted: Mapping[str, Wanted]) -> dict[str, Any]:
    """Returns the features of some rows as a batch of `dataset` has them.

    Args:
        features: By name.
        wanted: What is wanted of each feature.
    """
    arrays = {name: array for key, feature in features.items() for name, array in _arrays(key, feature)}
    tensors = {name: tf.constant(array) for name, array in arrays.items()}
    return {key: _tensor(tensors, key, each) for key, each in wanted.items()}


def _arrays(key: str, feature: Feature) -> Iterator[tuple[str, Any]]:
    if isinstance(feature.values, Texts):
        yield key, feature.values.different.to_numpy(zero_copy_only=False)
        yield f"{key}{_CODES}", feature.values.codes
    else:
        yield key, feature.values
    if feature.lengths is not None:
        yield f"{key}{_LENGTHS}", feature.lengths


def _tensor(arrays: Mapping[str, Any], key: str, wanted: Wanted) -> Any:
    values = arrays[f"{key}{_CODES}"] if wanted.dtype == "string" else arrays[key]
    if None in wanted.shape:
        values = tf.RaggedTensor.from_row_lengths(values, arrays[f"{key}{_LENGTHS}"], validate=False)
    return Coded(arrays[key], values) if wanted.dtype == "string" else values
