"""Several devices of this process, as GPUs, that train in step under a `tf.distribute.MirroredStrategy`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from trainer import optimizers
from trainer.inputs.shard import Shard
from trainer.training.machines.exchange import Exchanged, Links, exchanged
from trainer.training.machines.replicas import Replicas, among


class Devices(Replicas):
    """Devices of this process, each with a copy of the model and its share of every batch.

    To the rest of the job they are one process. The model and its optimizer are made, and the job goes on, within the
    strategy's scope; each device updates its own copy with the same gradients.

    Args:
        strategy: Of this process alone.
    """

    def __init__(self, strategy: tf.distribute.MirroredStrategy) -> None:
        self._strategy, self.copies = strategy, strategy.num_replicas_in_sync

    def taken(self, step: Callable[..., None], batch: Any, optimizer: keras.optimizers.Optimizer) -> None:
        """Takes a step of all devices, inside a `tf.function`; each gets its share of the batch."""
        for one in optimizers.whole(optimizer):
            one._all_reduce_sum_gradients = _as_they_are  # they have been summed by then

        def of_device() -> None:
            rank, rows = _rank(), tf.shape(batch[1])[0]
            first, end = Shard(rank, self.copies).share(0, rows)
            last = tf.maximum(end, first + 1)  # of an empty share a row is read, which does not count
            share = tf.nest.map_structure(lambda values: values[first:last], batch, expand_composites=False)
            step(*share, end - first)

        self._strategy.run(of_device)

    def exchanged(self, gradients: list[Any], means: list[Any], examples: Any, small: int) -> Exchanged:
        """Returns the gradients of the mean loss of all devices, inside a `tf.function`; see `exchange.exchanged`."""
        context = tf.distribute.get_replica_context()

        def total(vector: Any) -> Any:
            return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(vector))

        def gathered(matrix: Any) -> Any:
            # No collective: inside a loop these send one size alone (see wire.py), and here all devices share a graph.
            return context.merge_call(_under_one_another, args=(matrix,))

        # Within a strategy Keras divides each loss by the number of replicas.
        scaled = [None if each is None else _times(each, self.copies) for each in gradients]
        value, *others = means
        links = Links(self.copies, _rank(), total, gathered)
        return exchanged(scaled, [value * self.copies, *others], examples, small, links)


@contextmanager
def on_devices(strategy: tf.distribute.MirroredStrategy) -> Iterator[None]:
    """Makes a job train on all devices of a strategy while the block runs."""
    with strategy.scope(), among(Devices(strategy)):
        yield


def _under_one_another(strategy: Any, matrices: Any) -> Any:
    return tf.concat(strategy.experimental_local_results(matrices), 0)


def _rank() -> Any:
    return tf.distribute.get_replica_context().replica_id_in_sync_group


def _times(gradient: Any, factor: int) -> Any:
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(gradient.values * factor, gradient.indices, gradient.dense_shape)
    return gradient * factor


def _as_they_are(pairs: Any) -> Any:
    return pairs
