"""Places that TensorFlow's file system reaches, as buckets, and its errors as errors of files."""

import functools
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trainer.errors import Refusal, TrainingFailure
from trainer.terminal import load_tensorflow

_HOST = "www.googleapis.com"
_SECONDS = 10.0


class Refused(Refusal, OSError):
    """A remote place that cannot be used as it is; to what does without it, it is as any error of a file.

    Args:
        sentence: All that a person is told.
        place: The path.
        reason: Why, for another sentence.
    """

    def __init__(self, sentence: str, place: str, reason: str) -> None:
        super().__init__(sentence)
        self.place, self.strerror = place, reason


class Unanswered(TrainingFailure, OSError):
    """A remote place that does not answer, however often it is asked; the arguments are those of `Refused`."""

    def __init__(self, sentence: str, place: str, reason: str) -> None:
        super().__init__(sentence)
        self.place, self.strerror = place, reason


def is_remote(path: str) -> bool:
    """Tells whether `path` needs TensorFlow's file system, as `gs://bucket/run` does.

    Example:
        >>> is_remote("gs://bucket/run"), is_remote("runs/flights"), is_remote("/gcs/bucket/run")
        (True, False, False)
    """
    return "://" in path


@contextmanager
def asking(path: str) -> Iterator[Any]:
    """Yields TensorFlow's file system, and makes one sentence of what it raises of a remote path in the block.

    Raises:
        OSError: Of each error of it; a `Refused` or `Unanswered` ends a command with its sentence.
    """
    if path.startswith("gs://"):
        _check_answers(path)
    if "tensorflow" not in sys.modules:  # only a remote path pays for it, and it would let its chatter through
        load_tensorflow()
    import tensorflow as tf

    try:
        yield tf.io.gfile
    except tf.errors.OpError as error:
        raise error_of(path, error) from None


@functools.cache
def _answers(address: tuple[str, int]) -> bool:
    socket.create_connection(address, _SECONDS).close()
    return True


def _check_answers(path: str) -> None:
    """Asks once whether the network leads to Cloud Storage, since TensorFlow would ask for minutes."""
    from urllib import parse, request

    proxy = None if request.proxy_bypass(_HOST) else request.getproxies_environment().get("https")
    through = parse.urlsplit(proxy if "://" in proxy else f"//{proxy}") if proxy else None
    host, port = (through.hostname or "", through.port or 80) if through else (_HOST, 443)
    try:
        _answers((host, port))
    except OSError as error:
        raise _unanswered(path, f"{host}: {error.strerror or error}") from None


def _unanswered(path: str, why: str) -> Unanswered:
    return Unanswered(f"{path}: there is no answer ({why}); look after the network, and go on then.", path, why)


def error_of(path: str, error: Any) -> OSError:
    """Returns what TensorFlow says of a remote path as an error of files."""
    import tensorflow as tf

    why, kinds = _reason(error.message), tf.errors
    if isinstance(error, (kinds.PermissionDeniedError, kinds.UnauthenticatedError)):
        sentence = "log in with gcloud auth application-default login as one who may read and write it."
        return Refused(f"{path}: you may not do that there ({why}); {sentence}", path, why)
    if "bucket does not exist" in why:
        bucket = "/".join(path.split("/")[:3])
        made = f"there is no bucket {bucket}; make it with gcloud storage buckets create {bucket}, or give another."
        return Refused(f"{path}: {made}", path, why)
    if isinstance(error, (kinds.InvalidArgumentError, kinds.UnimplementedError)):
        given = "give a path as gs://bucket/folder, or a local one."
        return Refused(f"{path}: files cannot be there ({why}); {given}", path, why)
    if isinstance(error, (kinds.AbortedError, kinds.UnavailableError, kinds.DeadlineExceededError)):
        return _unanswered(path, why)
    for kind, other in ((kinds.NotFoundError, FileNotFoundError), (kinds.AlreadyExistsError, FileExistsError)):
        if isinstance(error, kind):
            return other(why)
    return OSError(why)


def _reason(message: str) -> str:
    """Returns what TensorFlow says of a server's answer, or the last of what it says.

    Example:
        >>> _reason('Error executing an HTTP request: HTTP response code 403 with body {"message": "No."}')
        'HTTP 403: No'
    """
    text = " ".join(message.split())
    code = re.search(r"HTTP response code (\d+)", text)
    told = re.search(r'"message": "((?:[^"\\]|\\.)*)', text)
    found = f"HTTP {code[1]}{f': {told[1]}' if told else ''}" if code else text.rpartition("The last failure: ")[2]
    return found.rstrip(".")
