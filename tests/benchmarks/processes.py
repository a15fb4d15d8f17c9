"""What a process of its own takes: seconds and memory."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SMALL = """
import os
import sys
import time
start = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)
print(time.perf_counter() - start, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def measured(*words: str) -> tuple[float, str, int]:
    """Runs Python with some words; returns its seconds, what it prints, and the most memory that it had, in bytes."""
    # A process begins with the memory of the one that makes it, so a small one makes it.
    command = [sys.executable, "-c", _SMALL, sys.executable, *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    printed, _, figures = done.stdout.rstrip("\n").rpartition("\n")
    seconds, memory = figures.split()
    return float(seconds), printed, int(memory)
