"""IDX files, in which MNIST comes: one array of numbers, as it is or compressed with gzip.

Source: Yann LeCun, Corinna Cortes and Christopher Burges, "The MNIST database of handwritten digits", 1998.
"""

import gzip
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from trainer import paths
from trainer.errors import Refusal

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"

_Array = np.ndarray[Any, np.dtype[Any]]


def read(path: str) -> _Array:
    """Returns the array that a file holds.

    Args:
        path: The file, local or remote; whether it is compressed is seen in it.

    Raises:
        Refusal: It is no whole IDX file.
        OSError: It cannot be read.
    """
    content = paths.read_bytes(path)
    try:
        content = gzip.decompress(content) if content.startswith(_GZIP) else content
    except (OSError, EOFError, zlib.error):
        raise Refusal(f"idx: {path} is no whole gzip file; fetch it again.") from None
    # Two bytes of zero, the kind of the numbers, how many sides the array has, and how long each is.
    sides = content[3] if len(content) > 3 else 0
    start = 4 + 4 * sides
    if content[:2] != b"\0\0" or len(content) < start or content[2] not in _DTYPES:
        raise Refusal(f"idx: {path} does not begin as an IDX file does; give one as the MNIST database has them.")
    dtype, shape = np.dtype(_DTYPES[content[2]]), tuple(np.frombuffer(content[4:start], ">u4").tolist())
    wanted = dtype.itemsize * int(np.prod(shape, dtype=object))
    if len(content) - start != wanted:
        sizes = " × ".join(f"{side:,}" for side in shape)
        raise Refusal(
            f"idx: {path} should have {wanted:,} bytes of {sizes} numbers, not {len(content) - start:,}; fetch it "
            "again."
        )
    return np.frombuffer(content, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def write(path: str, array: _Array) -> None:
    """Writes an array, compressed where the name ends in .gz, whole or not at all.

    Args:
        path: The file, local or remote.
        array: Numbers of 8 bits, of 16 or 32 with a sign, or floats of 32 or 64.

    Raises:
        Refusal: It holds others.
    """
    kinds = {np.dtype(dtype).newbyteorder("="): (code, dtype) for code, dtype in _DTYPES.items()}
    if array.dtype not in kinds:
        raise Refusal(f"idx: an array of {array.dtype} has no place in an IDX file; give uint8 or float32.")
    code, dtype = kinds[array.dtype]
    head = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    content = head + array.astype(dtype).tobytes()
    with paths.written_whole(path) as whole:
        Path(whole).write_bytes(gzip.compress(content, mtime=0) if path.endswith(".gz") else content)
