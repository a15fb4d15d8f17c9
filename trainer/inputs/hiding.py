"""Examples of which part of a bag goes in and the rest is the label: drawn anew each epoch, or fixed."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Union

import numpy as np
import tensorflow as tf

from trainer.errors import Refusal
from trainer.heads import Hidden
from trainer.inputs.hashing import STEP, mixed, unsigned
from trainer.inputs.memory import Examples
from trainer.inputs.order import Order
from trainer.inputs.packing import Array, Layout
from trainer.inputs.shard import ALL, Shard
from trainer.inputs.stored import Stored

_FIXED = -1
"""The epoch that no training has."""

_SHARE = 1 << 40
"""The place of a bag, which none has, whose number draws how much of it goes in."""

_ROW_SHIFT = 39
"""Bits of a random number in a key to sort by; those above hold the row, of at most 16 million."""


class Hiding:
    """Encoded examples, part of whose bags is hidden; the same in all else as those that they are a view of.

    The batches have what goes in as the feature, ragged `(batch, None)`, and what is hidden as labels, ragged `(batch,
    None)`, both whole numbers and in the order of the bag; what is not read in batches has whole bags. Ids of -1 are
    dropped. Of `n` others, `share * n` go in, rounded, but at least one, and at least one is hidden; of fewer than two,
    none is, and the weight is 0.

    Args:
        examples: With the bag among their encoded features.
        key: Of the encoded feature.
        hidden: What is hidden of it.
        seed: Of the part of `batches`, which is always the same.
        places: Of each, the place that tells what is hidden of it in `batches`; None is its own.

    Raises:
        Refusal: The feature is not there, or no bag.
    """

    def __init__(
        self,
        examples: Union[Examples, Stored, "Hiding"],
        key: str,
        hidden: Hidden,
        seed: int,
        places: Array | None = None,
    ) -> None:
        self.examples, self.key, self.hidden, self.seed = examples, key, hidden, seed
        self._places = np.arange(len(examples)) if places is None else places
        slot = examples.layout.slot(key)
        if slot is None or slot.start is not None or slot.dtype != "int64":
            what = "not read as ids" if slot is None else "one value an example"
            raise Refusal(
                f"Hidden: part of the bags of table '{hidden.table}' is to be hidden, and its feature is {what}; name "
                "it in Problem(bags=…)."
            )

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def nbytes(self) -> int:
        """How many bytes they take in memory."""
        return self.examples.nbytes

    @property
    def layout(self) -> Layout:
        """Where the values of an example lie."""
        return self.examples.layout

    @property
    def order(self) -> Order:
        """The order in which they are shuffled."""
        return self.examples.order

    @property
    def labels(self) -> Array:
        """`(examples, …)`, as they were before anything was hidden."""
        return self.examples.labels

    @cached_property
    def weights(self) -> Array:
        """`(examples, 1)`, 0 where nothing can be hidden."""
        return np.concatenate([part.weights * _can_hide(part.features[self.key]) for part in self.parts()])

    def shares_outside(self) -> dict[str, float]:
        """Returns the share of the examples that hold a value in no vocabulary of a table, by its name."""
        return self.examples.shares_outside()

    def parts(self) -> Iterator[Examples]:
        """Yields the examples in parts that memory holds, whole bags in them."""
        return self.examples.parts()

    def subset(self, places: Array) -> "Hiding":
        """Returns the examples at some places in memory, of which `batches` hide what they hide of all of them."""
        examples = self.in_memory().subset(places)
        return Hiding(examples, self.key, self.hidden, self.seed, self._places[places])

    def in_memory(self) -> Examples:
        """Returns the examples with their whole bags, held in memory."""
        return self.examples.in_memory()

    def batches(self, batch_size: int, shard: Shard = ALL) -> tf.data.Dataset:
        """Returns the examples in their order with a part hidden that is a function of the seed and of their place."""
        share, seed, last = self.hidden.held_out_input_share, self.seed, -(-len(self) // batch_size)
        places = tf.constant(self._places, tf.int64)

        @tf.autograph.experimental.do_not_convert
        def hide(step: Any, batch: Any) -> Any:
            start = step * batch_size
            return self._hidden(batch, (share, share), seed, _FIXED, places[start : start + batch_size])

        steps = tf.data.Dataset.range(shard.index, last, shard.count)
        return _mapped(steps, self.examples.batches(batch_size, shard), hide)

    def shuffled(
        self, batch_size: int, seed: int, epoch: int, step: int, steps: int, shard: Shard = ALL
    ) -> tf.data.Dataset:
        """Returns the batches of some steps of a training, as `Examples.shuffled` does, each part of a bag drawn anew.

        It is a function of seed, epoch and position in the epoch alone.
        """
        count, epoch_steps = len(self), -(-len(self) // batch_size)
        begin = epoch * epoch_steps + step

        @tf.autograph.experimental.do_not_convert
        def hide(step: Any, batch: Any) -> Any:
            start = step % epoch_steps * batch_size
            first, end = shard.share(start, tf.minimum(start + batch_size, count))
            places = tf.range(first, tf.maximum(end, first + 1))
            return self._hidden(batch, self.hidden.shares, seed, step // epoch_steps, places)

        taken = tf.data.Dataset.range(begin, begin + steps)
        return _mapped(taken, self.examples.shuffled(batch_size, seed, epoch, step, steps, shard), hide)

    def _hidden(self, batch: Any, shares: tuple[float, float], seed: int, epoch: Any, places: Any) -> Any:
        features, _, weights, *examples = batch
        bags = features[self.key]
        bags = tf.ragged.boolean_mask(bags, bags >= 0)
        lengths, numbers = bags.row_lengths(), _numbers(seed, epoch, places)
        share = _between(shares, numbers)
        wanted = tf.cast(tf.round(share * tf.cast(lengths, tf.float64)), tf.int64)
        given = tf.clip_by_value(wanted, tf.minimum(lengths, 1), tf.maximum(lengths - 1, tf.minimum(lengths, 1)))
        goes_in, ids = _drawn(bags, given, numbers), bags.flat_values
        into = tf.RaggedTensor.from_row_lengths(tf.boolean_mask(ids, goes_in), given, validate=False)
        hidden = tf.RaggedTensor.from_row_lengths(tf.boolean_mask(ids, ~goes_in), lengths - given, validate=False)
        weights = tf.where((lengths > 1)[:, tf.newaxis], weights, tf.zeros_like(weights))
        return {**features, self.key: into}, hidden, weights, *examples


def _can_hide(bags: Any) -> Array:
    """Returns whether each bag has two ids or more, `(examples, 1)`."""
    ids = tf.ragged.map_flat_values(lambda flat: tf.cast(flat >= 0, tf.int64), bags)
    return (tf.reduce_sum(ids, axis=1).numpy() > 1)[:, np.newaxis]


def _mapped(steps: tf.data.Dataset, batches: tf.data.Dataset, hide: Any) -> tf.data.Dataset:
    pairs = tf.data.Dataset.zip((steps, batches))
    return pairs.map(lambda step, batch: hide(step, batch), num_parallel_calls=2, deterministic=True).prefetch(4)


def _numbers(seed: int, epoch: Any, places: Any) -> Any:
    """Returns a random number of 64 bits for each place of an epoch, `(places,)`, uint64."""
    of_epoch = mixed(mixed(unsigned(seed + 1) * unsigned(STEP)) + tf.bitcast(tf.cast(epoch, tf.int64), tf.uint64))
    return mixed(of_epoch + tf.bitcast(tf.cast(places, tf.int64), tf.uint64) * unsigned(STEP))


def _between(shares: tuple[float, float], numbers: Any) -> Any:
    """Returns a share for each number, drawn evenly between two, float64."""
    bits = tf.bitwise.right_shift(mixed(numbers + unsigned(_SHARE * STEP % 2**64)), unsigned(11))
    least, greatest = shares
    return least + (greatest - least) * tf.cast(tf.bitcast(bits, tf.int64), tf.float64) * 2.0**-53


def _drawn(bags: Any, given: Any, numbers: Any) -> Any:
    """Returns which ids of bags are drawn, `(ids,)`: of each bag so many, each subset of them as likely as another.

    A random number for each id is sorted within its bag: an exact permutation. TensorFlow's shuffle of an index costs
    the more the shorter a bag is.

    Args:
        bags: Ragged, `(batch, None)`.
        given: How many of each, `(batch,)`.
        numbers: A random number for each bag, `(batch,)`, uint64.
    """
    rows, places = bags.value_rowids(), tf.ragged.range(bags.row_lengths()).flat_values
    salts = tf.bitcast(places, tf.uint64) * unsigned(STEP)
    random = tf.bitwise.right_shift(mixed(tf.gather(numbers, rows) + salts), unsigned(64 - _ROW_SHIFT))
    order = tf.argsort(tf.bitwise.left_shift(rows, tf.constant(_ROW_SHIFT, tf.int64)) + tf.bitcast(random, tf.int64))
    drawn = places < tf.gather(given, rows)  # of bags that are sorted, the first ones
    return tf.scatter_nd(order[:, tf.newaxis], drawn, tf.shape(drawn))
