"""Files and folders, local, `gs://` or mounted under `/gcs/`; a file is written whole or not at all."""

import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from trainer.paths.remote import Refused, Unanswered, asking, error_of, is_remote

__all__ = ["Refused", "Unanswered", "asking", "error_of", "is_remote"]

MOUNT = "/gcs/"
"""Where a cloud mounts buckets as folders."""


def is_in_bucket(path: str) -> bool:
    """Tells whether a path is remote, or in a mounted bucket: no folder is renamed there in one go, or not at all.

    Example:
        >>> is_in_bucket("runs/x"), is_in_bucket("gs://bucket/x"), is_in_bucket("/gcs/bucket/x")
        (False, True, True)
    """
    return is_remote(path) or os.path.realpath(path).startswith(MOUNT)


def absolute(path: str) -> str:
    """Returns the absolute form of a local path; a remote one is absolute already."""
    return path if is_remote(path) else os.path.abspath(os.path.expanduser(path))


def join(folder: str, *names: str) -> str:
    """Returns the path of a file in a folder."""
    return "/".join([folder.rstrip("/"), *names]) if is_remote(folder) else os.path.join(folder, *names)


def exists(path: str) -> bool:
    """Tells whether a file or folder is there."""
    return _found(path) is not None if is_remote(path) else os.path.lexists(path)


def is_folder(path: str) -> bool:
    """Tells whether a folder is there."""
    if not is_remote(path):
        return os.path.isdir(path)
    found = _found(path)
    return found is not None and bool(found.is_directory)


def _found(path: str) -> Any:
    """Returns what is told of a remote file or folder, None where there is none."""
    try:
        with asking(path) as files:
            return files.stat(path)  # its other questions have no answer but yes and no, whatever went wrong
    except FileNotFoundError:
        return None


def names_in(folder: str) -> list[str]:
    """Returns the sorted names in a folder; an absent folder has none."""
    if not is_folder(folder):
        return []
    if not is_remote(folder):
        return sorted(os.listdir(folder))
    with asking(folder) as files:
        return sorted(name.rstrip("/") for name in files.listdir(folder))


def make_folder(path: str) -> None:
    """Makes a folder and those above it; one that is there stays as it is.

    Raises:
        OSError: The folder cannot be made.
    """
    if not is_remote(path):
        os.makedirs(path, exist_ok=True)
        return
    with suppress(FileExistsError), asking(path) as files:
        # A bucket needs no folders above one, and TensorFlow looks for these for ever where there is no bucket.
        (files.mkdir if path.startswith("gs://") else files.makedirs)(path)


def remove_file(path: str) -> None:
    """Removes a file."""
    if not is_remote(path):
        os.remove(path)
        return
    with asking(path) as files:
        files.remove(path)


def remove_folder(path: str) -> None:
    """Removes a folder and all that is in it."""
    if not is_remote(path):
        shutil.rmtree(path)
        return
    with asking(path) as files:
        files.rmtree(path)


def size(path: str) -> int:
    """Returns how many bytes a file has.

    Raises:
        OSError: It is not there.
    """
    if not is_remote(path):
        return os.path.getsize(path)
    with asking(path) as files:
        return int(files.stat(path).length)


def sync(path: str) -> None:
    """Returns when a local file or folder is on the disk; what is in a bucket is there once it is closed."""
    if is_in_bucket(path):
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_text(path: str) -> str:
    """Returns the text of a UTF-8 file."""
    # Line ends stay as they are; Path.read_text would turn all of them into "\n".
    return read_bytes(path).decode("utf-8")


def read_bytes(path: str) -> bytes:
    """Returns the bytes of a file.

    Raises:
        OSError: The file cannot be read.
    """
    if not is_remote(path):
        return Path(path).read_bytes()
    with asking(path) as files, files.GFile(path, "rb") as file:
        return bytes(file.read())


def opened(path: str) -> Any:
    """Returns a file that is open to be read as bytes, at any place.

    Raises:
        OSError: It cannot be read.
    """
    if not is_remote(path):
        return open(path, "rb")
    with asking(path) as files:
        file = files.GFile(path, "rb")
        return io.BufferedReader(_Remote(path, file, file.size()), 1 << 20)  # one that is not there has no size


class _Remote(io.RawIOBase):
    """A file of TensorFlow's as Python's own are."""

    def __init__(self, path: str, file: Any, size: int) -> None:
        super().__init__()
        self._path, self._file, self._size = path, file, size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with asking(self._path):
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._file.tell(), io.SEEK_END: self._size}[whence]
        self._file.seek(start + offset)
        return start + offset

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        self._file.close()
        super().close()


@contextmanager
def written_whole(path: str) -> Iterator[str]:
    """Yields a local path to write to, and puts what was written at `path` when the block ends well.

    A reader never sees half a file; when the block raises, what was at `path` before is still there.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> with written_whole(join(folder, "labels.tsv")) as temporary:
        ...     _ = Path(temporary).write_text("Mon 00")
        >>> read_text(join(folder, "labels.tsv"))
        'Mon 00'
    """
    folder = os.path.dirname(absolute(path)) if not is_in_bucket(path) else None
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".", suffix=".partial")
    os.close(handle)
    try:
        yield temporary
        if is_remote(path):
            with asking(path) as files:
                files.copy(temporary, path, overwrite=True)
        elif folder is None:
            shutil.copyfile(temporary, path)  # which is there once it is closed, as all files of a bucket
        else:
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def _umask() -> int:
    # The only portable way to read the mask is to set it; mkstemp made the file private.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: str, text: str) -> None:
    """Writes a UTF-8 file whole or not at all."""
    with written_whole(path) as temporary:
        Path(temporary).write_bytes(text.encode("utf-8"))
