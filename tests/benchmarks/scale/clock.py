"""Rounds of steps inside a job: a callback measures them, and waits between two while another job has its round."""

import json
import os
import time
from pathlib import Path
from typing import Any

import keras

from trainer.cluster import from_environment

FOLDER = "SCALE_ROUNDS"
"""The variable that names the folder in which jobs are told to go on and say what they measured."""


def sent() -> int:
    """Returns the bytes that this machine has sent to itself; 0 where the system does not count them."""
    try:
        lines = Path("/proc/net/dev").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split(":")[1].split()[8]) for line in lines if line.strip().startswith("lo:"))


class Clock(keras.callbacks.Callback):
    """Measures rounds of the steps of a job, without evaluations; does nothing in processes other than the chief.

    A round is over when a step ends after its seconds; then a file has its steps, seconds and bytes, and the next one
    begins when the file that asks for it is there.
    """

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(os.environ[FOLDER])
        self._works = from_environment().is_chief
        self._round, self._found = 0, {"steps": 0.0, "seconds": 0.0, "bytes": 0.0}

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begins to measure."""
        self._batch = -1
        self._start()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Adds what the steps of a group took."""
        if not self._works:
            return
        spent = {
            "steps": batch - self._batch,
            "seconds": time.perf_counter() - self._began,
            "bytes": sent() - self._sent,
        }
        self._batch = batch
        for name, value in spent.items():
            self._found[name] += value
        if self._found["seconds"] >= float((self._folder / f"{self._round}.go").read_text()):
            self._end()
        self._start()

    def _start(self) -> None:
        self._began, self._sent = time.perf_counter(), sent()

    def _end(self) -> None:
        made = self._folder / "made"
        made.write_text(json.dumps(self._found))
        made.rename(self._folder / f"{self._round}.json")
        self._round, self._found = self._round + 1, dict.fromkeys(self._found, 0.0)
        while not (self._folder / f"{self._round}.go").exists():
            time.sleep(0.01)
