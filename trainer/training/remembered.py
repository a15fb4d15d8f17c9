"""What callbacks of one's own, and Keras's, have found so far, as far as it is plain."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np


class Part(Protocol):
    """What has a state of its own that a checkpoint holds."""

    def begin(self, state: Any) -> None:
        """Takes the state that a checkpoint held, or None, once all callbacks have begun."""

    def state(self) -> Any:
        """Returns the state as JSON can hold it."""


class Remembered:
    """The plain attributes of callbacks: numbers, texts, None and NumPy scalars that a training has changed.

    They are compared with those right after `on_train_begin`, and set again there when a training goes on. What a
    callback holds otherwise, as a list or an array, is not kept.

    Args:
        callbacks: Keras callbacks.
    """

    def __init__(self, callbacks: Sequence[Any]) -> None:
        self.callbacks = callbacks
        self._before: list[dict[str, Any]] = [{} for _ in callbacks]

    def begin(self, state: Any) -> None:
        """Notes what the callbacks begin with, and sets what `state` has told; None where nothing has been told."""
        self._before = [_plain(callback) for callback in self.callbacks]
        for callback, told in zip(self.callbacks, state or [], strict=False):
            if told["kind"] == type(callback).__name__:
                vars(callback).update({name: _read(value) for name, value in told["attributes"].items()})

    def state(self) -> Any:
        """Returns what is to be set again, as JSON can hold it."""
        return [
            {
                "kind": type(callback).__name__,
                "attributes": {
                    name: _told(value)
                    for name, value in _plain(callback).items()
                    if name not in before or before[name] != value
                },
            }
            for callback, before in zip(self.callbacks, self._before, strict=True)
        ]


def _plain(callback: Any) -> dict[str, Any]:
    kinds = (bool, int, float, str, np.bool_, np.integer, np.floating)
    found = {name: value for name, value in vars(callback).items() if value is None or isinstance(value, kinds)}
    if hasattr(callback, "monitor_op"):  # Keras turns the sign of its `min_delta` itself, once in each process
        found.pop("min_delta", None)
    return found


def _told(value: Any) -> Any:
    # A float64 of NumPy is a float of Python too.
    return {"dtype": value.dtype.name, "value": value.item()} if isinstance(value, np.generic) else value


def _read(told: Any) -> Any:
    return np.dtype(told["dtype"]).type(told["value"]) if isinstance(told, dict) else told
