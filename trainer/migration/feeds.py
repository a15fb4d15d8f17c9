"""What an exported signature takes: serialized examples in one input, or raw features by name."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from trainer.migration.examples import Parsed, parsed_by, serialized

_SPARSE = ("indices", "values", "dense_shape")
"""A sparse feature that a signature takes is in three inputs: its name, `_`, and one of these."""


class Feed(ABC):
    """Makes the inputs of a signature of raw features."""

    @property
    @abstractmethod
    def kinds(self) -> Mapping[str, str]:
        """The features that the signature reads, and the dtype of each."""

    @abstractmethod
    def inputs(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the inputs of the signature, by name.

        Args:
            features: Dense and ragged tensors by key; those that it does not read are passed over.
        """


@dataclass(frozen=True)
class Examples(Feed):
    """Serialized examples in one input.

    Args:
        name: Of the input.
        parsed: How they are parsed, by the key of a feature.
        weights: By the key of a weight, that of the values that it weighs.
    """

    name: str
    parsed: Mapping[str, Parsed]
    weights: Mapping[str, str]

    @property
    def kinds(self) -> Mapping[str, str]:
        """As the examples hold them."""
        return {key: how.dtype for key, how in self.parsed.items()}

    def inputs(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the one input."""
        return {self.name: serialized({key: features[key] for key in self.parsed}, self.parsed, self.weights)}


@dataclass(frozen=True)
class Features(Feed):
    """Raw features in an input each, or in three where they are sparse.

    Args:
        specs: Of the inputs, by name.
        weights: By the key of a weight, that of the values that it weighs.
    """

    specs: Mapping[str, Any]
    weights: Mapping[str, str]

    @property
    def kinds(self) -> Mapping[str, str]:
        """As the inputs have them."""
        return {key: spec.dtype.name for key, spec in {**self._dense, **self._sparse}.items()}

    def inputs(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """Returns an input or three for each feature."""
        found = {}
        for key, spec in self._dense.items():
            found[key] = _dense_input(features[key], features.get(self.weights.get(key, "")), spec)
        for key, spec in self._sparse.items():
            sparse = _sparse_input(features[key], features.get(self.weights.get(key, key)), spec)
            found |= dict(zip(_three(key), sparse, strict=True))
        return found

    @property
    def _sparse(self) -> dict[str, Any]:
        keys = [name.removesuffix("_values") for name in self.specs if name.endswith("_values")]
        return {key: self.specs[f"{key}_values"] for key in keys if {*_three(key)} <= {*self.specs}}

    @property
    def _dense(self) -> dict[str, Any]:
        taken = {name for key in self._sparse for name in _three(key)}
        return {name: spec for name, spec in self.specs.items() if name not in taken}


def feed_of(signature: Any, weights: Mapping[str, str]) -> Feed:
    """Returns what makes the inputs of a signature.

    Args:
        signature: Of a SavedModel.
        weights: By the key of a weight, that of the values that it weighs.
    """
    specs = dict(signature.structured_input_signature[1])
    parsed = parsed_by(signature.graph)
    if parsed is not None and [spec.dtype for spec in specs.values()] == [tf.string]:
        return Examples(next(iter(specs)), parsed, weights)
    return Features(specs, weights)


def _three(key: str) -> list[str]:
    return [f"{key}_{part}" for part in _SPARSE]


def _dense_input(values: Any, weighed: Any, spec: Any) -> Any:
    if weighed is not None:  # a weight of 0 is left out with its value
        values, weighed = _ragged(values), _ragged(weighed)
        values = values.with_flat_values(tf.where(_there(weighed), values.flat_values, 0))
    if isinstance(values, tf.RaggedTensor):
        padding: Any = "" if values.dtype == tf.string else -1 if values.dtype.is_integer and weighed is None else 0
        values = values.to_tensor(padding)
    values = values if values.dtype == tf.string else tf.cast(values, spec.dtype)
    return values[..., tf.newaxis] if spec.shape.rank == values.shape.rank + 1 else values


def _sparse_input(values: Any, weighed: Any, spec: Any) -> Sequence[Any]:
    """Returns the places, the values and the shape of a sparse feature, without what is missing."""
    values, weighed = _ragged(values), _ragged(values if weighed is None else weighed)
    kept = tf.ragged.boolean_mask(values, weighed.with_flat_values(_there(weighed))).to_sparse()
    flat = kept.values if kept.dtype == tf.string else tf.cast(kept.values, spec.dtype)
    return kept.indices, flat, kept.dense_shape


def _there(values: Any) -> Any:
    return tf.not_equal(values.flat_values, "" if values.dtype == tf.string else -1)


def _ragged(values: Any) -> Any:
    if isinstance(values, tf.RaggedTensor):
        return values
    return tf.RaggedTensor.from_tensor(values if values.shape.rank > 1 else values[:, tf.newaxis])
