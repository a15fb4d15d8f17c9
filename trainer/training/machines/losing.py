"""What TensorFlow raises where another machine is lost, and how the one that is gone gets named."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from trainer.training.machines import peers
from trainer.training.machines.peers import Watch

Errors = tuple[type[Exception], ...]

LOST: Errors = (
    tf.errors.UnavailableError,
    tf.errors.DeadlineExceededError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
)
"""What is raised where a machine is lost; which of them depends on what it was just doing."""


@contextmanager
def named(watch: Watch, lost: Errors = LOST, perhaps: Errors = ()) -> Iterator[None]:
    """Gives the watch the time to name the machine that is lost, where an error in the block may mean that one is.

    Args:
        watch: Ends this process where it finds that one has gone.
        lost: What means so.
        perhaps: What means so, or something else: it stays what it is where none is found.

    Raises:
        TrainingFailure: The watch has found none, and one of `lost` was raised.
    """
    try:
        yield
    except (*lost, *perhaps) as error:
        sys.stdout.flush()
        watch.find()  # and here the process ends, where it finds one
        if isinstance(error, perhaps):
            raise
        raise peers.lost_touch(error) from None
