"""What a training reports to a tuning service: the lines of cloudml-hypertune, in the file that the service names."""

import json
import math
import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras

from trainer.errors import Refusal
from trainer.training.callbacks import last_told, named
from trainer.training.loop import Position

FILE, TRIAL = "CLOUD_ML_HP_METRIC_FILE", "CLOUD_ML_TRIAL_ID"
"""Variables that a tuning service sets: the file that it reads, and the number of the trial."""

USUAL_FILE = "/tmp/hypertune/output.metrics"
"""Where cloudml-hypertune writes, and so where a service may look, in a trial that names no file."""

KEPT = 100
"""Lines, as many as cloudml-hypertune keeps."""


class MetricReports(keras.callbacks.Callback):
    """Reports the validation metrics of each epoch, those that are finite, to a tuning service.

    A metric of an epoch is a line of JSON, and the file has the last 100 of them. It is written over in place, as
    cloudml-hypertune writes it: a service that follows the file would not see another one take its place.

    Args:
        path: Of the file, on this machine.
        trial: The number of the trial.
        position: Where a training is gone on with; lines of later steps go.
        tell: Prints a line.
    """

    def __init__(
        self,
        path: str,
        trial: str = "0",
        position: Position | None = None,
        tell: Callable[[str], object] = print,
    ) -> None:
        super().__init__()
        self.path, self.trial, self.position, self.tell = os.path.abspath(path), trial, position or Position(), tell
        self.lines: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def on_train_begin(self, logs: Any = None) -> None:
        """Reads the lines of the part before a resume.

        Raises:
            Refusal: The file cannot be written.
        """
        last = last_told(self.position)
        try:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            with open(self.path, "a+", encoding="utf-8", errors="replace") as file:
                file.seek(0)
                self.lines.extend(line for line in map(_read, file) if int(line.get("global_step", last + 1)) <= last)
        except OSError as error:
            raise Refusal(
                f"{FILE}: {self.path} cannot be written ({error.strerror}); name a file in a folder where one can be, "
                "or leave the variable unset."
            ) from None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Reports the metrics of the epoch, by the steps done."""
        self.report(named(logs), self.position.steps or int(self.model.optimizer.iterations.numpy()))

    def report(self, metrics: Mapping[str, float], steps: int) -> None:
        """Reports validation metrics, those that the last report of theirs has not told; others are left out.

        Args:
            metrics: By name, as `validation_auc`.
            steps: After which they are so.
        """
        for name, value in metrics.items():
            if name.startswith("validation_") and name != "validation_examples" and math.isfinite(value):
                self._add({name: str(float(value)), "global_step": str(steps)}, name)
        try:
            Path(self.path).write_text(
                "".join(f"{json.dumps(line, sort_keys=True)}\n" for line in self.lines), encoding="utf-8"
            )
        except OSError as error:  # the next report has these lines too
            self.tell(f"{self.path}: not written ({error.strerror}), so the tuning service does not know the metrics")

    def _add(self, told: dict[str, str], name: str) -> None:
        before: dict[str, Any] = next((line for line in reversed(self.lines) if name in line), {})
        if not told.items() <= before.items():
            self.lines.append({**told, "timestamp": time.time(), "trial": self.trial, "checkpoint_path": ""})


def from_environment(position: Position, tell: Callable[[str], object] = print) -> MetricReports | None:
    """Returns the reports of this process as a tuning service has asked for them, or None where none has.

    Args:
        position: Of the training.
        tell: Prints a line.
    """
    path = os.environ.get(FILE) or (USUAL_FILE if TRIAL in os.environ else None)
    return MetricReports(path, os.environ.get(TRIAL, "0"), position, tell) if path else None


def _read(text: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
        return {**line, "global_step": str(int(line["global_step"]))}
    except (ValueError, TypeError, KeyError):  # of a process that was killed while it wrote
        return {}
