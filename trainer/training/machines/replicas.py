"""Processes that train in step, each with its share of every batch, and what they tell one another."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.cluster import Cluster
from trainer.inputs.shard import Shard
from trainer.training.machines.exchange import Exchanged, exchanged
from trainer.training.machines.peers import Watch
from trainer.training.machines.wire import Wire

_BLOCK_BYTES = 32 << 20
"""Of a variable that is sent, at a time."""

Array = np.ndarray[Any, Any]


class Replicas:
    """One process alone: nothing is exchanged, and all that is agreed on is as it says.

    What each method returns is alike on all processes; all have to call them, in the same order.
    """

    rank, count, copies = 0, 1, 1

    @property
    def is_chief(self) -> bool:
        """Whether this is the process that writes the run."""
        return self.rank == 0

    @property
    def shard(self) -> Shard:
        """The part of the work that this process does."""
        return Shard(self.rank, self.count)

    def exchanged(self, gradients: list[Any], means: list[Any], examples: Any, small: int) -> Exchanged:
        """Returns the gradients of the mean loss of all processes, inside a `tf.function`; see `exchange.exchanged`."""
        del small
        return Exchanged(gradients, means, examples)

    def taken(self, step: Callable[..., None], batch: Any, optimizer: Any) -> None:
        """Takes a step on a batch, inside a `tf.function`, given what takes one."""
        del optimizer
        step(*batch)

    def agreed(self, steps: int, asked: int | None, stop: bool = False) -> tuple[int, int | None, bool]:
        """Returns how many steps come next, the signal that came to any process, and whether any wants to stop."""
        return steps, asked, stop

    def told(self, value: Any) -> Any:
        """Returns what the chief says, as JSON can hold it; what the others say is passed over."""
        return value

    def all_said(self, value: Any) -> list[Any]:
        """Returns what each process says, in their order, as JSON can hold it."""
        return [value]

    def all_sent(self, data: bytes) -> list[bytes]:
        """Returns the bytes that each process sends, in their order."""
        return [data]

    def summed(self, values: Array) -> Array:
        """Returns the sum of an array of each process, of one shape."""
        return values

    def as_chief(self, variables: Iterable[Any]) -> None:
        """Gives variables the values that they have in the chief."""

    def limited(self) -> AbstractContextManager[None]:
        """Returns a context in which others may keep this process waiting for so long, and no longer."""
        return nullcontext()

    def leave(self) -> None:
        """Says that this process needs the others no more, which may then go."""

    def dismiss(self) -> None:
        """Waits until all have come here, or have gone: they end together, since each is asked whether it is there."""


_current: ContextVar[Replicas] = ContextVar("replicas", default=Replicas())  # noqa: B039


def current() -> Replicas:
    """Returns those that this process trains in step with; by itself it is one alone."""
    return _current.get()


@contextmanager
def among(replicas: Replicas) -> Iterator[Replicas]:
    """Makes this process one of several while the block runs."""
    token = _current.set(replicas)
    try:
        yield replicas
    finally:
        _current.reset(token)


class Workers(Replicas):
    """Processes in step, which a `tf.distribute.MultiWorkerMirroredStrategy` has brought together.

    The model and its optimizer are ordinary variables of each process, made alike, and stay alike because each applies
    the same gradients.

    Args:
        cluster: The processes.
        device: That sends and receives.
        watch: Over the others; None where nobody looks.
    """

    def __init__(self, cluster: Cluster, device: str, watch: Watch | None = None) -> None:
        self.rank, self.count = cluster.rank, len(cluster.replicas)
        self._watch, self._wire = watch, Wire(self.rank, self.count, device)

    def exchanged(self, gradients: list[Any], means: list[Any], examples: Any, small: int) -> Exchanged:
        """Returns the gradients of the mean loss of all processes, inside a `tf.function`; see `exchange.exchanged`."""
        return exchanged(gradients, means, examples, small, self._wire.links())

    def agreed(self, steps: int, asked: int | None, stop: bool = False) -> tuple[int, int | None, bool]:
        """Returns the fewest steps, the signal that came to any process, and whether any wants to stop."""
        with self.limited():
            every = self._numbers([steps, asked or 0, int(stop)])
        return int(every[:, 0].min()), int(every[:, 1].max()) or None, bool(every[:, 2].any())

    def told(self, value: Any) -> Any:
        """Returns what the chief says, as JSON can hold it; what the others say is passed over."""
        return self.all_said(value if self.is_chief else None)[0]

    def all_said(self, value: Any) -> list[Any]:
        """Returns what each process says, in their order, as JSON can hold it."""
        return [json.loads(data) for data in self.all_sent(json.dumps(value).encode())]

    def all_sent(self, data: bytes) -> list[bytes]:
        """Returns the bytes that each process sends, in their order."""
        sizes = self._numbers([len(data)])[:, 0]
        words = np.zeros(-(-int(sizes.max()) // 4), np.int32)
        words.view(np.uint8)[: len(data)] = np.frombuffer(data, np.uint8)
        every = self._wire.gathered(words[np.newaxis, :]).numpy()  # (count, words)
        return [row.view(np.uint8)[:size].tobytes() for row, size in zip(every, sizes, strict=True)]

    def summed(self, values: Array) -> Array:
        """Returns the sum of an array of each process, of one shape."""
        found = self._wire.total(values.reshape(-1).astype(np.float64)).numpy()
        return np.asarray(found.reshape(values.shape), values.dtype)

    def as_chief(self, variables: Iterable[Any]) -> None:
        """Gives variables the values that they have in the chief."""
        for variable in variables:
            self._copy(variable)

    def limited(self) -> AbstractContextManager[None]:
        """Returns a context in which others may keep this process waiting for so long, and no longer."""
        return nullcontext() if self._watch is None else self._watch.limited()

    def leave(self) -> None:
        """Says that this process needs the others no more, which may then go."""
        if self._watch is not None:
            self._watch.stop()

    def dismiss(self) -> None:
        """Waits until all have come here, or have gone: they end together, since each is asked whether it is there."""
        with suppress(tf.errors.OpError):
            self._numbers([0])

    def _numbers(self, numbers: list[int]) -> Array:
        found: Array = self._wire.gathered(np.array([numbers], np.int32)).numpy()  # (count, numbers)
        return found

    def _copy(self, variable: Any) -> None:
        """Sends a variable, a large one block by block: as the sum of what the chief has and of zeros."""
        shape = variable.shape
        if not shape.rank or shape.num_elements() * 8 <= _BLOCK_BYTES:
            variable.assign(self._of_chief(tf.convert_to_tensor(variable)))
            return
        block = max(1, _BLOCK_BYTES * shape[0] // (8 * shape.num_elements()))
        for first in range(0, shape[0], block):
            rows = tf.range(first, min(first + block, shape[0]))
            variable.scatter_update(tf.IndexedSlices(self._of_chief(tf.gather(variable, rows)), rows))

    def _of_chief(self, value: Any) -> Any:
        """Returns a tensor as the chief has it; the others' have its shape and dtype."""
        whole = not value.dtype.is_floating
        dtype = tf.int64 if whole else tf.float64 if value.dtype == tf.float64 else tf.float32
        mine = tf.reshape(tf.cast(value, dtype), [-1])
        found = self._wire.total(mine if self.is_chief else tf.zeros_like(mine))
        return tf.cast(tf.reshape(found, tf.shape(value)), value.dtype)
