"""Updates of variables that lie on a parameter server, made where they lie."""

import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

_JOB = "/job:ps"


def server_of(variable: Any) -> str:
    """Returns the device of the parameter server that a variable of Keras or TensorFlow lies on; "" where on none."""
    found = variable.value if isinstance(variable, keras.Variable) else variable
    device = str(getattr(found, "device", ""))
    return device if on_a_server(device) else ""


def on_a_server(device: str) -> bool:
    """Tells whether a device is that of a parameter server."""
    return _JOB in device


def beside(variable: Any) -> Any:
    """Returns a context in which ops run where a variable lies, if that is a parameter server."""
    return on(server_of(variable))


def on(device: str) -> Any:
    """Returns a context in which ops run on a device; "" leaves them where they are, as None would not."""
    return tf.device(device) if device else contextlib.nullcontext()


def rows_of(variable: Any) -> tuple[int, int] | None:
    """Returns the rows of the whole of which a Keras variable is a part, and its first row there; None of a whole."""
    return getattr(variable, "part_of", None)


def mark(variable: Any, rows: int, first: int) -> None:
    """Says that a Keras variable is a part of a whole: so many rows from the first on."""
    variable.part_of = rows, first


def update_alone(variable: Any, update: Callable[..., Any], given: Sequence[Any]) -> None:
    """Calls an update with some tensors; that of a variable on a parameter server is made there, one at a time.

    Only the tensors travel. An update reads rows and slots, and writes them a moment later: of two workers that do so
    at once, the one that reads before the other has written would undo what that one has learned of the rows that both
    have, and these are the most frequent. To wait for each other costs no more than runs differ by without it.

    Args:
        variable: What is updated.
        update: Reads and writes the variable, and others beside it.
        given: What `update` is called with.
    """
    device = server_of(variable)
    if not device:
        update(*given)
        return

    def updated(*given: Any) -> Any:
        with tf.device(device):
            update(*given)
            return tf.constant(0)

    with tf.device(device):
        there = [tf.identity(each) for each in given]
        # No lock is held while something is still on its way: the worker that sends it may be lost.
        with tf.control_dependencies(there):
            lock = tf.raw_ops.MutexLock(mutex=_mutex(device, variable._unique_id))
        with tf.control_dependencies([lock]):
            done = tf.function(updated, autograph=False)(*there)  # its end is that of all that it writes
        with tf.control_dependencies([done]):
            tf.raw_ops.ConsumeMutexLock(mutex_lock=lock)


@functools.cache
def _mutex(device: str, name: str) -> Any:
    with tf.init_scope(), tf.device(device):
        return tf.raw_ops.MutexV2(container="", shared_name=f"update of {name}")
