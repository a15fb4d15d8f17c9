"""Files that are brought here from anywhere, several at a time."""

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Event

from trainer import paths
from trainer.errors import TrainingFailure

THREADS = 16
"""Files at a time: what a bucket takes until it answers is most of the time of a small one."""

_PIECE = 1 << 24
_EVERY = 0.2


@dataclass(frozen=True)
class Copy:
    """A file to bring.

    Args:
        source: Its path, local or remote.
        target: Where it goes, local; the folder is made.
    """

    source: str
    target: str


def files_below(folder: str, passed: Collection[str] = ()) -> Iterator[str]:
    """Yields the paths of all files below a folder, from the folder on; an absent folder has none.

    What is half written, as `.x.partial`, is passed over.

    Args:
        folder: Local or remote.
        passed: Names in the folder itself that are passed over.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> paths.make_folder(paths.join(folder, "logs"))
        >>> paths.write_text(paths.join(folder, "logs", "events"), "")
        >>> [*files_below(folder)], [*files_below(folder, ["logs"])]
        (['logs/events'], [])
    """
    for name, is_folder in _entries(folder):
        # Objects of a bucket may be called as no file can be.
        if name in ("", ".", "..", *passed) or (name.startswith(".") and name.endswith(".partial")):
            continue
        if is_folder:
            yield from (f"{name}/{inner}" for inner in files_below(paths.join(folder, name)))
        else:
            yield name


def _entries(folder: str) -> list[tuple[str, bool]]:
    """Returns the names in a folder, and which of them are folders; of a bucket that takes one question for all."""
    if not folder.startswith("gs://"):
        return [(name, paths.is_folder(paths.join(folder, name))) for name in paths.names_in(folder)]
    try:
        with paths.asking(folder) as remote:
            return [(name.rstrip("/"), name.endswith("/")) for name in sorted(remote.listdir(folder))]
    except FileNotFoundError:
        return []


def bring(copies: Sequence[Copy], tell: Callable[[int, int], object] = lambda done, total: None) -> int:
    """Copies files, each to the size that it had, and returns how many bytes they have.

    Args:
        copies: The files.
        tell: Is given the bytes that are here and those of all files, now and then.

    Raises:
        TrainingFailure: A file has gone or changed meanwhile.
        OSError: One cannot be read or written; what is there of the others stays.
    """
    stopped, done = Event(), [0] * len(copies)
    for folder in {os.path.dirname(copy.target) for copy in copies}:
        os.makedirs(folder, exist_ok=True)
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            sizes = [*pool.map(lambda copy: _size(copy.source), copies)]

            def add(place: int, count: int) -> None:
                done[place] += count

            futures: set[Future[None]] = {
                pool.submit(_copy, copy, size, partial(add, place), stopped)
                for place, (copy, size) in enumerate(zip(copies, sizes, strict=True))
            }
            while futures:
                ended, futures = wait(futures, _EVERY, FIRST_EXCEPTION)
                for future in ended:
                    future.result()
                tell(sum(done), sum(sizes))
        except BaseException:  # a Ctrl-C too waits for no file's end
            stopped.set()
            pool.shutdown(cancel_futures=True)
            raise
    return sum(sizes)


def _copy(copy: Copy, size: int, add: Callable[[int], object], stopped: Event) -> None:
    count = 0
    with _there(copy.source), paths.opened(copy.source) as source, open(copy.target, "wb") as target:
        while not stopped.is_set() and (piece := source.read(_PIECE)):
            target.write(piece)
            count += len(piece)
            add(len(piece))
    if count != size and not stopped.is_set():
        raise _changed(copy.source, f"it had {size:,} bytes, and {count:,} came")


def _size(source: str) -> int:
    with _there(source):
        return paths.size(source)


@contextmanager
def _there(source: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise _changed(source, "it has gone") from None


def _changed(source: str, how: str) -> TrainingFailure:
    return TrainingFailure(f"{source} has changed while it was fetched ({how}); fetch it again.")
