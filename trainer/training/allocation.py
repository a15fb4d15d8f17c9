"""How the C library keeps memory that is freed, so that the tensors of a step are not new pages each time."""

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""What `mallopt` of glibc calls them."""

KEPT, MAPPED = 256 << 20, 32 << 20
"""Bytes of free memory that are kept for what comes next; bytes from which on a block has pages of its own, which go
back when it is freed. The second is as much as glibc goes up to by itself."""


def keep_freed_memory() -> bool:
    """Lets the C library keep what a step frees for the next one, where it is glibc; tells whether it does.

    It does so by itself, until TensorFlow makes a data set of a Python generator, as one of files is: that sets its
    threshold to 128 kB, for good. Every tensor over that is then made of pages that the kernel has to clear, which is
    a fifth of the time of a step of skip-gram.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_TRIM_THRESHOLD, KEPT)) and bool(mallopt(_MMAP_THRESHOLD, MAPPED))
