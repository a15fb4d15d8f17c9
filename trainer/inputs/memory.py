"""Examples held in memory, encoded once for all epochs, and read in an order that is a function of seed and epoch."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.encoding.coded import Coded, decoded
from trainer.encoding.encoding import refusal_of
from trainer.errors import Refusal, TrainingFailure
from trainer.inputs import order, packing
from trainer.inputs.packing import Array, Layout, Values
from trainer.inputs.shard import ALL, Shard

Encode = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Examples:
    """Features, labels and weights of many examples.

    Args:
        features: By key, each `(examples, …)`; bags are ragged tensors.
        labels: `(examples, …)`.
        weights: `(examples, 1)`.
        outside: By the name of a table, whether an example holds a value in no vocabulary of it, `(examples,)`.
        narrow: The features of whole numbers that 32 bits hold; they lie so, and are read as 64.
    """

    def __init__(
        self,
        features: Mapping[str, Values],
        labels: Array,
        weights: Array,
        outside: Mapping[str, Array] | None = None,
        narrow: Collection[str] = (),
    ) -> None:
        self.layout, self.arrays = packing.packed(features, labels, weights, narrow)
        self.outside = dict(outside or {})

    @classmethod
    def of(cls, layout: Layout, arrays: Sequence[Values], outside: Mapping[str, Array] | None = None) -> "Examples":
        """Returns the examples that lie in arrays."""
        made = cls.__new__(cls)
        made.layout, made.arrays, made.outside = layout, list(arrays), dict(outside or {})
        return made

    @property
    def features(self) -> dict[str, Values]:
        """The features by key, as they lie."""
        slots = [slot for slot in self.layout.slots if slot.key is not None]
        return {str(slot.key): self.layout.view(self.arrays, slot) for slot in slots}

    @property
    def labels(self) -> Array:
        """`(examples, …)`."""
        return self._own("labels")

    @property
    def weights(self) -> Array:
        """`(examples, 1)`."""
        return self._own("weights")

    def _own(self, name: str) -> Array:
        slot = self.layout.slot(None, name)
        found: Array = self.layout.view(self.arrays, slot) if slot is not None else np.zeros((0, 1))
        return found

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def nbytes(self) -> int:
        """How many bytes they take; strings are reckoned."""
        return sum(map(packing.size, self.arrays))

    @property
    def order(self) -> order.Order:
        """The order in which they are shuffled."""
        block = order.block_of(packing.sizes(self.arrays, order.BLOCK))
        return order.Order.of(len(self), packing.row_bytes(self.arrays, len(self)), block)

    def subset(self, places: Array) -> "Examples":
        """Returns the examples at some places, or where a mask is true."""
        places = np.flatnonzero(places) if places.dtype == bool else places
        outside = {name: told[places] for name, told in self.outside.items()}
        return Examples.of(self.layout, [packing.taken(values, places) for values in self.arrays], outside)

    def shares_outside(self) -> dict[str, float]:
        """Returns the share of the examples that hold a value in no vocabulary of a table, by its name."""
        return {name: float(told.mean()) for name, told in self.outside.items()}

    def parts(self) -> Iterator["Examples"]:
        """Yields the examples in parts that memory holds: here all of them."""
        yield self

    def in_memory(self) -> "Examples":
        """Returns the examples themselves."""
        return self

    def batches(self, batch_size: int, shard: Shard = ALL) -> tf.data.Dataset:
        """Returns the examples in their order, as `(features, labels, weights)`, or every so many of these batches."""
        steps = tf.data.Dataset.range(shard.index, -(-len(self) // batch_size), shard.count)
        return steps.map(self._reading(batch_size), num_parallel_calls=2, deterministic=True).prefetch(4)

    def shuffled(
        self, batch_size: int, seed: int, epoch: int, step: int, steps: int, shard: Shard = ALL
    ) -> tf.data.Dataset:
        """Returns the batches of some steps of a training, epoch after epoch in a random order.

        The order of an epoch is a function of seed and epoch alone, so that a training goes on at any step.

        Args:
            batch_size: Examples a step; the last of an epoch may have fewer.
            seed: Of the run.
            epoch: The epoch to begin in, from 0 on.
            step: The steps of it that are done; those of a whole epoch begin the next one.
            steps: How many there are.
            shard: Whose share of each batch is taken; with one of several the batches are
                `(features, labels, weights, examples)`, and how many examples they are says how many rows count: an
                empty share has one row, of which none does.
        """
        how, epoch_steps, read = self.order, -(-len(self) // batch_size), self._reading(batch_size, shard)
        first = epoch * epoch_steps + step
        last = first + steps

        @tf.autograph.experimental.do_not_convert
        def of_epoch(number: Any) -> tf.data.Dataset:
            before, places = number * epoch_steps, how.placing(seed, number)
            begin, end = tf.maximum(first - before, 0), tf.minimum(last - before, epoch_steps)
            batches = tf.data.Dataset.range(begin, end)
            return batches.map(lambda at: read(at, places), num_parallel_calls=2, deterministic=True)

        epochs = tf.data.Dataset.range(first // epoch_steps, -(-last // epoch_steps))
        # So that Keras, which asks how many batches there are, is told.
        counted = tf.data.experimental.assert_cardinality(steps)
        return epochs.flat_map(of_epoch).apply(counted).prefetch(4)

    def _reading(self, batch_size: int, shard: Shard = ALL) -> Callable[..., Any]:
        """Returns a function of a step of an epoch, and perhaps one of positions to places, to what is read."""
        packed = [values if isinstance(values, tf.RaggedTensor) else tf.constant(values) for values in self.arrays]
        count = len(self)

        @tf.autograph.experimental.do_not_convert
        def read(step: Any, placed: Callable[[Any], Any] = tf.identity) -> Any:
            start = step * batch_size
            first, end = shard.share(start, tf.minimum(start + batch_size, count))
            places = placed(tf.range(first, tf.maximum(end, first + 1)))
            taken = self.layout.unpacked([tf.gather(values, places) for values in packed])
            return taken if shard.count == 1 else (*taken, end - first)

        return read


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
    batches: tf.data.Dataset,
    encode: Encode | None,
    outside: Encode | None = None,
    also: Callable[[Mapping[str, Any], Any, Any], Any] = lambda *raw: {},
    narrow: Collection[str] = (),
) -> Iterator[tuple[Examples, Any]]:
    """Yields the examples of a data set batch by batch, encoded, and beside them what `also` makes of the raw ones.

    Args:
        batches: `(features, labels, weights)` batches of raw features.
        encode: Raw features to encoded ones; None keeps them raw.
        outside: Raw features to which examples hold a value in no vocabulary of a table, by its name.
        also: A function of raw features, labels and weights; what it returns is given as it is.
        narrow: As in `Examples`.

    Raises:
        Refusal: A value is none that its column takes.
    """

    layouts: list[Layout] = []

    @tf.autograph.experimental.do_not_convert
    def both(features: Mapping[str, Any], labels: Any, weights: Any) -> Any:
        made = {key: decoded(values) for key, values in features.items()} if encode is None else dict(encode(features))
        told = {} if outside is None else dict(outside(features))
        layout, arrays = packing.packed_tensors(made, labels, weights, narrow)
        layouts.append(layout)
        return tuple(arrays), told, also(features, labels, weights), tf.shape(labels)[0]

    rows, found = 0, elements(batches.map(both, num_parallel_calls=tf.data.AUTOTUNE))
    while True:
        try:
            arrays, told, beside, count = next(found)
        except StopIteration:
            return
        except tf.errors.InvalidArgumentError as error:
            if (sentence := refusal_of(error)) is None:
                raise
            raise Refusal(f"{sentence}, counted from row {rows:,} of the data set.") from None
        outsides = {name: some.numpy() for name, some in told.items()}
        yield Examples.of(layouts[-1], [held(values) for values in arrays], outsides), beside
        rows += int(count)


def elements(dataset: tf.data.Dataset) -> Iterator[Any]:
    """Yields the elements of a data set.

    Raises:
        Refusal: A Python function that reads them refused something.
        TrainingFailure: It could not go on.
    """
    with telling():
        yield from dataset


@contextmanager
def telling() -> Iterator[None]:
    """Lets through in its own sentence what a Python function inside a data set refused or could not go on with."""
    try:
        yield
    except tf.errors.OpError as error:
        # TensorFlow keeps of an exception its name and its text.
        told = re.search(r"(?:^|[ .])(Refusal|TrainingFailure|Damaged): (.+)$", error.message, re.MULTILINE)
        if told is None:
            raise
        raise (Refusal if told[1] == "Refusal" else TrainingFailure)(told[2]) from None


def joined(parts: Sequence[Examples]) -> Examples:
    """Returns the examples of several parts, one after the other.

    Raises:
        Refusal: There is no part.
    """
    if not parts:
        raise Refusal("dataset: there is no example in it; at least one is wanted.")
    if len({part.layout for part in parts}) > 1:  # of batches of different widths
        return _widened(parts)
    arrays = [packing.joined(arrays) for arrays in zip(*(part.arrays for part in parts), strict=True)]
    outside = {name: np.concatenate([part.outside[name] for part in parts]) for name in parts[0].outside}
    return Examples.of(parts[0].layout, arrays, outside)


def _widened(parts: Sequence[Examples]) -> Examples:
    features = {}
    for slot in parts[0].layout.slots:
        if slot.key is not None:
            values = packing.joined([part.features[slot.key] for part in parts])
            features[slot.key] = packing.widened(values) if slot.dtype == "int64" else values
    labels, weights = (np.concatenate([getattr(part, name) for part in parts]) for name in ("labels", "weights"))
    outside = {name: np.concatenate([part.outside[name] for part in parts]) for name in parts[0].outside}
    return Examples(features, labels, weights, outside)


def held(values: Any) -> Values:
    """Returns a tensor as examples hold it: an array, or a ragged tensor."""
    values = decoded(values) if isinstance(values, Coded) else values
    if isinstance(values, tf.SparseTensor):
        return tf.sparse.to_dense(values, "" if values.dtype == tf.string else -1).numpy()
    return values if isinstance(values, tf.RaggedTensor) else values.numpy()
