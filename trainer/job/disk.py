"""A disk that is full or that became read-only, while a job writes what it leaves."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from trainer.errors import TrainingFailure
from trainer.run import Run
from trainer.training.shelf import Shelf

_NUMBERS = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS),
    *(errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE),
)


@contextmanager
def needed(run: Run) -> Iterator[None]:
    """Makes one sentence of an error of the disk that ends the block.

    Raises:
        TrainingFailure: The disk is full, or became read-only.
    """
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        why = _told(error)
        if why is None:
            raise
        raise TrainingFailure(
            f"{run.path}: what the run leaves cannot be written ({why}); make room there or make it writable, then go "
            f"on with --resume --job-dir {run.path}: {_stays(run)}."
        ) from None


def _told(error: OSError | tf.errors.OpError) -> str | None:
    if isinstance(error, OSError):
        return os.strerror(error.errno) if error.errno in _NUMBERS else None
    return next((os.strerror(number) for number in _NUMBERS if os.strerror(number) in error.message), None)


def _stays(run: Run) -> str:
    names = Shelf(run.checkpoints).names
    return f"checkpoint {names[0]} stays" if names else "it begins with its first step"
