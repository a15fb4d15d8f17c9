"""Small disks that tests may fill."""

import contextlib
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def small(folder: Path, kilobytes: int) -> Iterator[Path]:
    """Mounts a small disk; where that is not allowed, files may not be larger than a part of it."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(folder)], check=False)
    if not done.returncode:
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        yield folder
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def is_mounted(folder: Path) -> bool:
    """Tells whether a folder is a disk of its own."""
    return folder.is_mount()


def fill(folder: Path) -> Path:
    """Fills a disk, and returns the file that does; where it is none of its own, no file may have more bytes."""
    file = folder / "filler"
    if not is_mounted(folder):
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    with file.open("wb", buffering=0) as out, contextlib.suppress(OSError):
        while out.write(bytes(512)):
            pass
    return file


def empty(folder: Path) -> None:
    """Makes room again."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    (folder / "filler").unlink(missing_ok=True)
