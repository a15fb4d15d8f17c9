"""Examples held in memory, encoded once for all epochs, and read in an order that is a function of seed and epoch."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.encoding.encoding import refusal_of
from trainer.errors import Refusal

Encode = Callable[[Mapping[str, Any]], Mapping[str, Any]]
Values = Any
"""What examples hold of a feature: an array, or a `tf.RaggedTensor` where it is a bag."""


@dataclass(frozen=True)
class Examples:
    """Features, labels and weights of many examples.

    Args:
        features: By key, each `(examples, …)`; bags are ragged tensors.
        labels: `(examples, …)`.
        weights: `(examples, 1)`.
        outside: By the name of a table, whether an example holds a value in no vocabulary of it, `(examples,)`.
    """

    features: dict[str, Values]
    labels: np.ndarray[Any, Any]
    weights: np.ndarray[Any, Any]
    outside: dict[str, np.ndarray[Any, Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, places: np.ndarray[Any, Any]) -> "Examples":
        """Returns the examples at some places, or where a mask is true."""
        places = np.flatnonzero(places) if places.dtype == bool else places
        features = {
            key: tf.gather(values, places) if isinstance(values, tf.RaggedTensor) else values[places]
            for key, values in self.features.items()
        }
        outside = {name: told[places] for name, told in self.outside.items()}
        return Examples(features, self.labels[places], self.weights[places], outside)

    def batches(self, batch_size: int) -> tf.data.Dataset:
        """Returns the examples in their order, as `(features, labels, weights)`."""
        return self._read(tf.data.Dataset.range(-(-len(self) // batch_size)), batch_size, lambda places, epoch: places)

    def shuffled(self, batch_size: int, seed: int, first_step: int, last_step: int) -> tf.data.Dataset:
        """Returns the batches of some steps of a training, epoch after epoch in a random order.

        The order of an epoch is a function of seed and epoch alone, so that a training goes on at any step.

        Args:
            batch_size: Examples a step; the last of an epoch may have fewer.
            seed: Of the run.
            first_step: The steps done before.
            last_step: The steps in all after which there is no batch.
        """
        last = len(self) - 1

        def order(places: Any, epoch: Any) -> Any:
            seeds = tf.stack([tf.constant(seed, tf.uint32), tf.cast(epoch, tf.uint32)])
            return tf.random.experimental.index_shuffle(places, seeds, last)

        return self._read(tf.data.Dataset.range(first_step, last_step), batch_size, order)

    def _read(self, steps: tf.data.Dataset, batch_size: int, order: Callable[[Any, Any], Any]) -> tf.data.Dataset:
        count, epoch_steps = len(self), -(-len(self) // batch_size)
        packed, unpacked = _packed((self.features, self.labels, self.weights))

        @tf.autograph.experimental.do_not_convert
        def batch(step: Any) -> Any:
            start = step % epoch_steps * batch_size
            places = order(tf.range(start, tf.minimum(start + batch_size, count)), step // epoch_steps)
            return unpacked([tf.gather(values, places) for values in packed])

        return steps.map(batch, num_parallel_calls=2, deterministic=True).prefetch(4)


def collect(batches: tf.data.Dataset, encode: Encode | None, outside: Encode | None = None) -> Examples:
    """Returns all examples of a data set, encoded.

    Args:
        batches: `(features, labels, weights)` batches of raw features.
        encode: Raw features to encoded ones; None keeps them raw.
        outside: Raw features to which examples hold a value in no vocabulary of a table, by its name.

    Raises:
        Refusal: There is no example.
    """
    return joined([part for part, _ in encoded(batches, encode, outside)])


def encoded(
    batches: tf.data.Dataset, encode: Encode | None, outside: Encode | None = None, also: Sequence[str] = ()
) -> Iterator[tuple[Examples, dict[str, Any]]]:
    """Yields the examples of a data set batch by batch, encoded, and beside them the raw features named in `also`.

    Raises:
        Refusal: A value is none that its column takes.
    """

    @tf.autograph.experimental.do_not_convert
    def both(features: Mapping[str, Any], labels: Any, weights: Any) -> Any:
        kept = {key: features[key] for key in also}
        made = dict(features) if encode is None else dict(encode(features))  # which refuses what is none of its values
        return made, {} if outside is None else dict(outside(features)), kept, labels, weights

    rows, found = 0, elements(batches.map(both, num_parallel_calls=tf.data.AUTOTUNE))
    while True:
        try:
            features, told, kept, labels, weights = next(found)
        except StopIteration:
            return
        except tf.errors.InvalidArgumentError as error:
            if (sentence := refusal_of(error)) is None:
                raise
            raise Refusal(f"{sentence}, counted from row {rows:,} of the data set.") from None
        held = {key: _held(values) for key, values in features.items()}
        examples = Examples(held, labels.numpy(), weights.numpy(), {name: some.numpy() for name, some in told.items()})
        yield examples, {key: _held(values) for key, values in kept.items()}
        rows += len(labels)


def elements(dataset: tf.data.Dataset) -> Iterator[Any]:
    """Yields the elements of a data set.

    Raises:
        Refusal: A Python function that reads them refused something.
    """
    try:
        yield from dataset
    except tf.errors.InvalidArgumentError as error:
        # TensorFlow keeps of an exception its name and its text.
        told = re.search(r"(?:^|[ ])Refusal: (.+)$", error.message, re.MULTILINE)
        if told is None:
            raise
        raise Refusal(told[1]) from None


def joined(parts: Sequence[Examples]) -> Examples:
    """Returns the examples of several parts, one after the other.

    Raises:
        Refusal: There is no part.
    """
    if not parts:
        raise Refusal("dataset: there is no example in it; at least one is wanted.")
    features = {key: _joined([part.features[key] for part in parts]) for key in parts[0].features}
    labels, weights = (np.concatenate([getattr(part, name) for part in parts]) for name in ("labels", "weights"))
    outside = {name: np.concatenate([part.outside[name] for part in parts]) for name in parts[0].outside}
    return Examples(features, labels, weights, outside)


def _packed(structure: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """Returns tensors that hold all values of a structure, and what makes the structure of examples gathered from them.

    Matrices of one dtype are one tensor: to gather its rows costs as much as to gather those of one of the matrices.
    """
    flat = tf.nest.flatten(structure)
    groups: dict[Any, list[int]] = {}
    for place, values in enumerate(flat):
        matrix = isinstance(values, np.ndarray) and values.ndim == 2 and values.shape[1] > 0
        groups.setdefault(values.dtype if matrix else place, []).append(place)
    together = [[flat[place] for place in places] for places in groups.values()]
    packed = [_constant(parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)) for parts in together]

    def unpacked(gathered: list[Any]) -> Any:
        found = list(flat)
        for places, values in zip(groups.values(), gathered, strict=True):
            one = len(places) == 1
            parts = [values] if one else tf.split(values, [flat[place].shape[1] for place in places], axis=1)
            for place, part in zip(places, parts, strict=True):
                found[place] = part
        return tf.nest.pack_sequence_as(structure, found)

    return packed, unpacked


def _constant(values: Values) -> Any:
    return values if isinstance(values, tf.RaggedTensor) else tf.constant(values)


def _held(values: Any) -> Values:
    if isinstance(values, tf.SparseTensor):
        return tf.sparse.to_dense(values, "" if values.dtype == tf.string else -1).numpy()
    return values if isinstance(values, tf.RaggedTensor) else values.numpy()


def _joined(parts: Sequence[Any]) -> Values:
    """Returns parts one after the other; where they are of different widths, the shorter are filled up as missing."""
    if isinstance(parts[0], tf.RaggedTensor):
        return tf.concat(parts, axis=0)
    longest = np.max([part.shape[1:] for part in parts], axis=0)
    return np.concatenate([_widened(part, longest) for part in parts])


def _widened(values: np.ndarray[Any, Any], shape: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    widths = [(0, 0), *((0, most - size) for most, size in zip(shape, values.shape[1:], strict=True))]
    missing: Any = {"i": -1, "O": b""}.get(values.dtype.kind, 0)
    return np.pad(values, widths, constant_values=missing) if any(after for _, after in widths) else values
