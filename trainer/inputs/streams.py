"""Files as streams of bytes, decompressed by the end of their names."""

from types import TracebackType

import pyarrow as pa

from trainer.inputs.part import source

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd", ".bz2": "bz2", ".lz4": "lz4"}


def compression(path: str) -> str | None:
    """Returns how a file is compressed, by its name.

    Example:
        >>> compression("a.csv.gz"), compression("a.csv")
        ('gzip', None)
    """
    return next((kind for ending, kind in COMPRESSIONS.items() if path.lower().endswith(ending)), None)


def plain_name(path: str) -> str:
    """Returns a name without the ending that tells how the file is compressed.

    Example:
        >>> plain_name("a.csv.gz")
        'a.csv'
    """
    ending = next((ending for ending in COMPRESSIONS if path.lower().endswith(ending)), "")
    return path[: len(path) - len(ending)]


class Stream:
    """The bytes of a file, decompressed; use it in a `with` block.

    Args:
        path: Local, or `gs://`.

    Raises:
        OSError: It cannot be read.
    """

    def __init__(self, path: str) -> None:
        kind = compression(path)
        self._raw = source(path)
        self._stream = self._raw if kind is None else pa.CompressedInputStream(self._raw, kind)
        self._position = 0

    def read(self, size: int) -> bytes:
        """Returns the next bytes, at most so many; none at the end.

        Raises:
            OSError: They cannot be read or decompressed.
        """
        found: bytes = self._stream.read(size)
        self._position = self._raw.tell()
        return found

    def position(self) -> int:
        """Returns how many bytes of the file were read, as they lie in it."""
        return self._position

    def __enter__(self) -> "Stream":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        self._raw.close()
