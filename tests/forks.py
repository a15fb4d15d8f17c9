"""Processes that begin with TensorFlow imported: each is forked from one that has imported it and has run no op.

The import takes longer than most of what such a process does in a test. What a process does from its first line on is
for tests that start it anew.
"""

import atexit
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_LONGEST = 2**20


class Forked:
    """A process that was forked; the methods are those of `subprocess.Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        """Returns the exit code, None where it has not ended."""
        if self._code is None:
            self._code = _asked({"ended": self.pid})
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Returns the exit code, when it has ended.

        Raises:
            subprocess.TimeoutExpired: It has not, so many seconds later.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(0.02)
        return code

    def send_signal(self, number: int) -> None:
        """Sends a signal, where it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(signal.SIGKILL)


def start(
    module: str, words: Sequence[str], folder: Path, environment: Mapping[str, str], out: int
) -> "Forked | subprocess.Popen[bytes]":
    """Starts a module as `anew` does, with TensorFlow imported already where that is safe, which is on Linux."""
    if sys.platform != "linux":
        return anew(module, words, folder, environment, out)
    asked = {"module": module, "words": list(words), "folder": str(folder), "environment": dict(environment)}
    return Forked(int(_asked(asked, out) or 0))


def anew(
    module: str, words: Sequence[str], folder: Path, environment: Mapping[str, str], out: int
) -> "subprocess.Popen[bytes]":
    """Starts a module with `python -m`, with nothing to read.

    Args:
        module: To run.
        words: After it.
        folder: In which it works.
        environment: All of its variables.
        out: Descriptor of the file that it prints to.
    """
    command = [sys.executable, "-m", module, *words]
    return subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)


def _asked(question: Mapping[str, object], *descriptors: int) -> int | None:
    """Returns the answer of the process that forks."""
    place = _begun()
    socket.send_fds(place, [json.dumps(question).encode()], descriptors)
    if not (text := place.recv(_LONGEST)):
        raise RuntimeError("the process that forks has ended")
    answer: int | None = json.loads(text)
    return answer


@cache
def _begun() -> socket.socket:
    """Begins the process that forks, which ends with this one, and returns what it listens to."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    code = f"import sys; from tests import forks; sys.exit(forks.serve({theirs.fileno()}))"
    # It reads how much TensorFlow may say as it is imported.
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "ABSL_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, **quiet},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
    )
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait(30)

    atexit.register(end)
    return ours


def serve(descriptor: int) -> int:
    """Forks what is asked for until nobody asks any more; in a process that was forked, runs that to its end."""
    gc.disable()
    from tests import trips  # with all that a job imports

    assert trips
    gc.freeze()
    gc.enable()
    with socket.socket(fileno=descriptor) as place:
        while True:
            text, files, _, _ = socket.recv_fds(place, _LONGEST, 1)
            if not text:
                return 0
            question = json.loads(text)
            if "ended" in question:
                pid, status = os.waitpid(question["ended"], os.WNOHANG)
                answer = os.waitstatus_to_exitcode(status) if pid else None
            elif answer := os.fork():
                os.close(files[0])
            else:
                break
            place.send(json.dumps(answer).encode())
    _become(question, files[0])
    runpy.run_module(question["module"], run_name="__main__", alter_sys=True)
    return 0


def _become(asked: Mapping[str, Any], out: int) -> None:
    """Gives this process what one has that was started anew."""
    for stream in (1, 2):
        os.dup2(out, stream)
    os.close(out)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.path[0] = asked["folder"]
    sys.argv = [asked["module"], *asked["words"]]
