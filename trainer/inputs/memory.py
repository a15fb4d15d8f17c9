"""Examples held in memory, encoded once for all epochs, and read in an order that is a function of seed and epoch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.errors import Refusal
from trainer.problem import ByValue, EveryNthBlock, Share

Encode = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Examples:
    """Features, labels and weights of many examples.

    Args:
        features: By key, each `(examples, …)`.
        labels: `(examples, …)`.
        weights: `(examples, 1)`.
    """

    features: dict[str, np.ndarray[Any, Any]]
    labels: np.ndarray[Any, Any]
    weights: np.ndarray[Any, Any]

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, places: np.ndarray[Any, Any]) -> "Examples":
        """Returns the examples at some places, or where a mask is true."""
        features = {key: values[places] for key, values in self.features.items()}
        return Examples(features, self.labels[places], self.weights[places])

    def batches(self, batch_size: int) -> tf.data.Dataset:
        """Returns the examples in their order, as `(features, labels, weights)`."""
        return self._read(batch_size, lambda places: places)

    def shuffled(self, batch_size: int, seed: int, epoch: int, skip: int = 0) -> tf.data.Dataset:
        """Returns one epoch of the examples in a random order that seed and epoch alone decide.

        Args:
            batch_size: Examples a batch; the last may have fewer.
            seed: Of the run.
            epoch: From 0.
            skip: The batches to leave out, for a run that goes on within an epoch.
        """
        last = len(self) - 1

        def order(places: Any) -> Any:
            seeds = tf.constant([seed, epoch], tf.uint32)
            return tf.random.experimental.index_shuffle(places, seeds, last)

        return self._read(batch_size, order, skip)

    def _read(self, batch_size: int, order: Callable[[Any], Any], skip: int = 0) -> tf.data.Dataset:
        count = len(self)
        tensors = tf.nest.map_structure(tf.constant, (self.features, self.labels, self.weights))

        @tf.autograph.experimental.do_not_convert
        def batch(start: Any) -> Any:
            places = order(tf.range(start, tf.minimum(start + batch_size, count)))
            return tf.nest.map_structure(lambda values: tf.gather(values, places), tensors)

        starts = tf.data.Dataset.range(skip * batch_size, count, batch_size)
        return starts.map(batch, num_parallel_calls=2, deterministic=True).prefetch(4)


def collect(batches: tf.data.Dataset, encode: Encode | None, also: Sequence[str] = ()) -> tuple[Examples, Examples]:
    """Returns all examples of a data set, encoded, and beside them the raw features named in `also`.

    Args:
        batches: `(features, labels, weights)` batches of raw features.
        encode: Raw features to encoded ones; None keeps them raw.
        also: Raw features to return as the features of the second result.
    """

    @tf.autograph.experimental.do_not_convert
    def both(features: Mapping[str, Any], labels: Any, weights: Any) -> Any:
        kept = {key: features[key] for key in also}
        return (dict(features) if encode is None else dict(encode(features))), kept, labels, weights

    parts = list(batches.map(both, num_parallel_calls=tf.data.AUTOTUNE).as_numpy_iterator())
    if not parts:
        raise Refusal("dataset: there is no example in it; at least one is wanted.")
    features, kept, labels, weights = tf.nest.map_structure(lambda *arrays: np.concatenate(arrays), *parts)
    return Examples(features, labels, weights), Examples(kept, labels, weights)


def held_out(how: EveryNthBlock | ByValue | Share, raw: Examples) -> np.ndarray[Any, Any]:
    """Tells which training rows are validation, as a mask `(examples,)`."""
    count = len(raw)
    if isinstance(how, Share):
        # A fixed hash of the row's place: the same rows whatever the seed of the run.
        draws = np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        return (draws >> np.uint64(11)).astype(np.float64) / 2.0**53 < how.share
    values = raw.features[how.key].reshape(count, -1)[:, 0]
    if isinstance(how, ByValue):
        wanted = [value.encode() if isinstance(value, str) else value for value in how.values]
        return np.isin(values, np.asarray(wanted, dtype=values.dtype))
    changes = np.concatenate([[False], values[1:] != values[:-1]])
    return np.cumsum(changes) % how.n == how.n - 1
