"""A disk that is full or that became read-only, or a bucket that is closed, while a job writes what it leaves."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from trainer import paths
from trainer.errors import TrainingFailure
from trainer.run import Run
from trainer.training.shelf import Shelf

_NUMBERS = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS),
    *(errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE),
)


@contextmanager
def needed(run: Run) -> Iterator[None]:
    """Makes one sentence of an error of the disk, or of the bucket, that ends the block.

    Raises:
        TrainingFailure: The disk is full, or became read-only; the bucket does not let one in any more, or not answer.
    """
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        why = _told(error, run)
        if why is None:
            raise
        raise TrainingFailure(
            f"{run.path}: what the run leaves cannot be written ({why}); make room there or make it writable, then go "
            f"on with --resume --job-dir {run.path}: {_stays(run)}."
        ) from None


def _told(error: OSError | tf.errors.OpError, run: Run) -> str | None:
    if isinstance(error, tf.errors.OpError):
        of_disk = next((os.strerror(number) for number in _NUMBERS if os.strerror(number) in error.message), None)
        place = next((place for place in _places(run) if place in error.message), None)
        if of_disk or not place or not paths.is_remote(place):
            return of_disk
        error = paths.error_of(place, error)  # of what writes there by itself, as TensorBoard's logs
    if isinstance(error, (paths.Refused, paths.Unanswered)):
        return error.strerror if error.place.startswith(_places(run)) else None
    return os.strerror(error.errno) if error.errno in _NUMBERS else None


def _places(run: Run) -> tuple[str, ...]:
    return tuple(place.rstrip("/") for place in (run.path, run.checkpoints, run.logs))


def _stays(run: Run) -> str:
    try:
        names = Shelf(run.checkpoints).names
    except OSError:  # nothing tells
        return "whether a checkpoint stays is seen then"
    return f"checkpoint {names[0]} stays" if names else "it begins with its first step"
