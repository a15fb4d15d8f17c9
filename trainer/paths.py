"""Files and folders, local, `gs://` or mounted under `/gcs/`; a file is written whole or not at all."""

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def is_remote(path: str) -> bool:
    """Tells whether `path` needs TensorFlow's file system, as `gs://bucket/run` does.

    Example:
        >>> is_remote("gs://bucket/run"), is_remote("runs/flights"), is_remote("/gcs/bucket/run")
        (True, False, False)
    """
    return "://" in path


def _gfile() -> Any:
    # Only a remote path pays for importing TensorFlow.
    import tensorflow as tf

    return tf.io.gfile


def absolute(path: str) -> str:
    """Returns the absolute form of a local path; a remote one is absolute already."""
    return path if is_remote(path) else os.path.abspath(os.path.expanduser(path))


def join(folder: str, *names: str) -> str:
    """Returns the path of a file in a folder."""
    return "/".join([folder.rstrip("/"), *names]) if is_remote(folder) else os.path.join(folder, *names)


def exists(path: str) -> bool:
    """Tells whether a file or folder is there."""
    return bool(_gfile().exists(path)) if is_remote(path) else os.path.lexists(path)


def is_folder(path: str) -> bool:
    """Tells whether a folder is there."""
    return bool(_gfile().isdir(path)) if is_remote(path) else os.path.isdir(path)


def names_in(folder: str) -> list[str]:
    """Returns the sorted names in a folder; an absent folder has none."""
    if not is_folder(folder):
        return []
    names = _gfile().listdir(folder) if is_remote(folder) else os.listdir(folder)
    return sorted(name.rstrip("/") for name in names)


def make_folder(path: str) -> None:
    """Makes a folder and those above it; one that is there stays as it is.

    Raises:
        OSError: The folder cannot be made.
    """
    if is_remote(path):
        _gfile().makedirs(path)
    else:
        os.makedirs(path, exist_ok=True)


def remove_file(path: str) -> None:
    """Removes a file."""
    if is_remote(path):
        _gfile().remove(path)
    else:
        os.remove(path)


def remove_folder(path: str) -> None:
    """Removes a folder and all that is in it."""
    import shutil

    if is_remote(path):
        _gfile().rmtree(path)
    else:
        shutil.rmtree(path)


def size(path: str) -> int:
    """Returns how many bytes a file has.

    Raises:
        OSError: It is not there.
    """
    if not is_remote(path):
        return os.path.getsize(path)
    with opened(path) as file:
        return int(file.seek(0, io.SEEK_END))


def sync(path: str) -> None:
    """Returns when a local file or folder is on the disk; a remote file is where it belongs once it is closed."""
    if is_remote(path):
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
    import tensorflow as tf

    try:
        with _gfile().GFile(path, "rb") as file:
            return bytes(file.read())
    except tf.errors.OpError as error:
        raise OSError(error.message) from None


def opened(path: str) -> Any:
    """Returns a file that is open to be read as bytes, at any place.

    Raises:
        OSError: It cannot be read.
    """
    if not is_remote(path):
        return open(path, "rb")
    import tensorflow as tf

    file = _gfile().GFile(path, "rb")
    try:
        size = file.size()  # which a file that is not there has not
    except tf.errors.OpError as error:
        raise OSError(error.message) from None
    return io.BufferedReader(_Remote(file, size), 1 << 20)


class _Remote(io.RawIOBase):
    """A file of TensorFlow's as Python's own are."""

    def __init__(self, file: Any, size: int) -> None:
        super().__init__()
        self._file, self._size = file, size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
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
    folder = None if is_remote(path) else os.path.dirname(absolute(path))
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".", suffix=".partial")
    os.close(handle)
    try:
        yield temporary
        if is_remote(path):
            _gfile().copy(temporary, path, overwrite=True)
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
