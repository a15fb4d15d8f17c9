"""Running a program in a clean environment: quietly, with its words shown when it fails, or with all of them."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from trainer.errors import TrainingFailure

# Variables of the caller that no cloud would pass on to a job.
NOT_PASSED_ON = ("PYTHON", "VIRTUAL_ENV", "__PYVENV", "AIP_", "CLOUD_ML_", "CLUSTER_SPEC", "TF_CONFIG")


def variables(added: Mapping[str, str]) -> dict[str, str]:
    """Returns the caller's environment variables without those that a cloud would not have, and with others added."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
    return {**kept, **added}


def quiet(command: Sequence[str], folder: Path, purpose: str) -> None:
    """Runs a program to its end and shows nothing of it when it ends well.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        purpose: What it is run for, as the end of "submit: could not …".

    Raises:
        TrainingFailure: It failed; what it printed is on stderr.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env=variables({}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        print(done.stdout, file=sys.stderr, end="")
        raise TrainingFailure(f"submit: could not {purpose}; its own words are above.")


def streamed(command: Sequence[str], folder: Path, added: Mapping[str, str]) -> int:
    """Runs a program with this process's output and returns its exit code, or 128 and the signal that ended it.

    Ctrl-C and a request to end are passed on to it, and it is waited for: it may have a checkpoint to write.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        added: Environment variables besides the caller's.
    """
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    # In a process group of its own, so that the terminal does not send it a second Ctrl-C.
    with subprocess.Popen(command, cwd=folder, env=variables(added), stdin=subprocess.DEVNULL, process_group=0) as job:

        def pass_on(number: int, _: FrameType | None) -> None:
            job.send_signal(number)

        before = {number: signal.signal(number, pass_on) for number in numbers}
        try:
            code = job.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    return code if code >= 0 else 128 - code
