"""Servers that tests start: a real TensorBoard over a folder."""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import forks

_MOST_TRIES, _SECONDS_A_TRY = 300, 0.2


@contextmanager
def tensorboard(logdir: str | Path) -> Iterator[str]:
    """Runs a TensorBoard of its own process on a free port until the block ends.

    Args:
        logdir: The folder whose runs it shows.

    Yields:
        The address, as `http://127.0.0.1:6006/`.

    Raises:
        AssertionError: It ended, or said no address for a minute; with what it printed.
    """
    flags = ["--logdir", str(logdir), "--port", "0", "--host", "127.0.0.1", "--load_fast", "false"]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with open(log, "w") as output:
            process = forks.start("tensorboard.main", flags, Path.cwd(), os.environ, output.fileno())
        try:
            yield _address(log, process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def _address(log: Path, process: "forks.Forked | subprocess.Popen[bytes]") -> str:
    for _ in range(_MOST_TRIES):
        if found := re.search(r"http://127\.0\.0\.1:\d+/", log.read_text()):
            return found[0]
        try:
            process.wait(timeout=_SECONDS_A_TRY)
        except subprocess.TimeoutExpired:
            continue
        break
    raise AssertionError(log.read_text())
