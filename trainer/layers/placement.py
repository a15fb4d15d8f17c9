"""Where the variables of a model lie: with this process, or on parameter servers, large tables in parts by row."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from trainer.optimizers.remote import on_a_server

WHOLE_ROWS = 4096
"""A table of no more rows lies on one server: to share it out would only make more messages."""


@dataclass(frozen=True)
class Shard:
    """Some rows of a table, and the device that they lie on.

    Args:
        first: The first of them.
        rows: How many they are.
        device: "" is that of the process.
    """

    first: int
    rows: int
    device: str = ""


class Placement:
    """Parameter servers, which the variables of a model are dealt out to.

    Args:
        devices: Of the servers, as "/job:ps/task:0/device:CPU:0".
    """

    def __init__(self, devices: Sequence[str]) -> None:
        self.devices = tuple(devices)
        self._next = itertools.cycle(self.devices)

    def shards(self, rows: int) -> list[Shard]:
        """Returns the parts of a table, as many as there are servers and alike in size; of a small one, one.

        Example:
            >>> Placement(["a", "b"]).shards(5001)
            [Shard(first=0, rows=2501, device='a'), Shard(first=2501, rows=2500, device='b')]
        """
        if rows <= max(WHOLE_ROWS, len(self.devices)):
            return [Shard(0, rows, next(self._next))]
        limits = [-(-rows * place // len(self.devices)) for place in range(len(self.devices) + 1)]
        return [
            Shard(first, last - first, device)
            for first, last, device in zip(limits, limits[1:], self.devices, strict=False)
        ]

    def next_device(self) -> str:
        """Returns the device of the next variable that is no table's."""
        return next(self._next)


_placement: ContextVar[Placement | None] = ContextVar("placement", default=None)


def current() -> Placement | None:
    """Returns the servers that variables are dealt out to; None where they stay with the process."""
    return _placement.get()


def shards_of(rows: int) -> list[Shard]:
    """Returns the parts of a table of so many rows: one, where variables stay with the process."""
    placement = current()
    return [Shard(0, rows)] if placement is None else placement.shards(rows)


@contextmanager
def on_servers(placement: Placement | None) -> Iterator[None]:
    """Makes `dealt_out` deal out the variables that are made in the block; None lets them stay with the process."""
    token = _placement.set(placement)
    try:
        yield
    finally:
        _placement.reset(token)


@contextmanager
def dealt_out() -> Iterator[None]:
    """Deals out the variables that are made in the block, one to each server in turn, where there are servers.

    It is for what the steps read and write; a metric of the chief's is made outside.
    """
    placement = current()
    if placement is None:
        yield
        return

    def make(next_creator: Callable[..., Any], **arguments: Any) -> Any:
        if on_a_server(tf.zeros(()).device):  # a part of a table, and a slot, have a place of their own
            return next_creator(**arguments)
        with tf.device(placement.next_device()):
            return next_creator(**arguments)

    with tf.variable_creator_scope(make):
        yield
