"""The memory that EASE needs, and how much a process may still take."""

import contextlib
import os
import re
from collections.abc import Iterator

from trainer.errors import Refusal
from trainer.terminal import quantity

_MEMINFO = "/proc/meminfo"
_GROUP = "/sys/fs/cgroup"
_FLOAT_BYTES = 8


def check(people: int, items: int, free: int | None = None) -> None:
    """Refuses a catalogue that is too large for EASE.

    Args:
        people: That are learned from.
        items: Of the catalogue.
        free: The bytes of memory that may be taken; None is what the process may take now.

    Raises:
        Refusal: The memory does not hold the one large matrix that EASE inverts.
    """
    needed, free = inverse_bytes(people, items), available() if free is None else free
    if needed > free:
        side = f"{min(people, items):,}"
        raise Refusal(
            f"--baselines: EASE inverts a matrix of {side} by {side}, which takes {quantity(needed)} of memory, and "
            f"{quantity(free)} are free; leave --baselines out, or take a machine with more memory."
        )


def inverse_bytes(people: int, items: int) -> int:
    """Returns the bytes of the one large matrix that EASE needs: people by people or items by items, the smaller.

    Example:
        >>> inverse_bytes(people=600, items=9000)
        2880000
    """
    return _FLOAT_BYTES * min(people, items) ** 2


def available(meminfo: str = _MEMINFO, group: str = _GROUP) -> int:
    """Returns the bytes of memory that this process may still take: the machine's, or a container's where it has less.

    Where the system does not tell, as on a Mac, all of the machine's memory is meant.

    Args:
        meminfo: The file in which Linux tells of the machine.
        group: The folder in which it tells of the container.
    """
    with contextlib.suppress(OSError), open(meminfo, encoding="ascii") as file:
        found = re.search(r"^MemAvailable:\s+(\d+) kB", file.read(), re.MULTILINE)
        if found is not None:
            return min([int(found[1]) * 1024, *_of_group(group)])
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _of_group(folder: str) -> Iterator[int]:
    """Yields what is left of a container's limit, where it has one."""
    with contextlib.suppress(OSError, ValueError):  # "max" is no limit
        limit, used = (_number(os.path.join(folder, f"memory.{name}")) for name in ("max", "current"))
        yield max(0, limit - used)


def _number(path: str) -> int:
    with open(path, encoding="ascii") as file:
        return int(file.read())
