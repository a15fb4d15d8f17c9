"""`python -m trainer.cloud.start LISTING FLAGS…`: lays a job's luggage out in the current folder and runs the task.

LISTING is what `trainer.cloud.luggage.listing` returns, in a file; the flags are those of `python -m trainer.task`,
which takes this process's place.
"""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

COPIED_BYTES = 1 << 26
"""Larger files are linked: a bucket that is mounted reads them as they are needed, and disks have an end."""


def main(argv: Sequence[str]) -> None:
    """Lays the luggage out and becomes the task."""
    listing, *words = argv
    lay_out(Path(listing), Path.cwd())
    os.execv(sys.executable, [sys.executable, "-m", "trainer.task", *words])


def lay_out(listing: Path, folder: Path) -> None:
    """Puts what a listing names into a folder; what a start before this one left there is replaced.

    Raises:
        FileNotFoundError: Something was not staged.
    """
    for place, where in json.loads(listing.read_text(encoding="utf-8")).items():
        content, target = listing.parent / where, folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        if content.stat().st_size <= COPIED_BYTES:
            shutil.copyfile(content, target)
        else:
            target.symlink_to(content)


if __name__ == "__main__":
    main(sys.argv[1:])
