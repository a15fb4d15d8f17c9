"""What a training job adds to the loop, as Keras callbacks that work in `model.fit` too."""

import json
import sys
import time
from typing import Any, TextIO

import keras
import tensorflow as tf

from trainer import paths
from trainer.training.loop import Position

VALIDATION = "val_"
"""What Keras puts before the names of validation metrics."""


def named(logs: dict[str, Any] | None) -> dict[str, float]:
    """Returns the logs of an epoch under our names: `validation_auc` for Keras's `val_auc`.

    Example:
        >>> named({"loss": 0.5, "val_auc": 0.7})
        {'loss': 0.5, 'validation_auc': 0.7}
    """
    return {
        f"validation_{name.removeprefix(VALIDATION)}" if name.startswith(VALIDATION) else name: float(value)
        for name, value in (logs or {}).items()
    }


def last_told(position: Position) -> int:
    """Returns the last step whose epoch may have been told of where a training is gone on with.

    Example:
        >>> last_told(Position(epoch=2, steps=200)), last_told(Position(epoch=1, step=100, steps=200, under_way=True))
        (200, 199)
    """
    return position.steps - position.under_way


class Progress(keras.callbacks.Callback):
    """A bar on a terminal, and lines in a log: one an epoch, and one every `every_seconds` within.

    Args:
        examples: Training examples an epoch.
        batch_size: Examples a step.
        last_step: Steps of the whole training.
        out: Where to write.
        every_seconds: How often a log gets a line within an epoch.
    """

    def __init__(
        self, examples: int, batch_size: int, last_step: int, out: TextIO | None = None, every_seconds: float = 30.0
    ) -> None:
        super().__init__()
        self.examples, self.batch_size, self.last_step = examples, batch_size, last_step
        self.out, self.every_seconds = out or sys.stdout, every_seconds
        self.is_terminal = self.out.isatty()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Starts an epoch's clock."""
        self.start = self.shown = time.perf_counter()
        self.title = f"epoch {epoch + 1}/{self.params['epochs']}"
        self.first: int | None = None

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Notes where in the epoch this run begins, which after a resume is not its start."""
        self.first = batch if self.first is None else self.first

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Draws the bar, or writes a line when it is time."""
        now, steps = time.perf_counter(), int(self.params["steps"])
        rate = (batch + 1 - (self.first or 0)) / max(now - self.start, 1e-9)
        rest = (steps - batch - 1) / rate
        loss = (logs or {}).get("loss", float("nan"))
        text = f"step {batch + 1}/{steps}  {rate * self.batch_size:,.0f} examples/s  loss {loss:.4f}"
        if self.is_terminal:
            filled = 24 * (batch + 1) // steps
            bar = "█" * filled + "·" * (24 - filled)
            self.out.write(f"\r\033[K{self.title} {bar} {text}  {rest:.0f} s left")
            self.out.flush()
        elif now - self.shown >= self.every_seconds:
            self.shown = now
            self.out.write(f"{self.title}  {text}  {rest:.0f} s left\n")
            self.out.flush()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Writes the epoch's line."""
        values = {name: value for name, value in named(logs).items() if not name.endswith("examples")}
        text = "  ".join(f"{name} {value:.4f}" for name, value in values.items())
        seconds = time.perf_counter() - self.start
        start = "\r\033[K" if self.is_terminal else ""
        self.out.write(f"{start}{self.title}  {seconds:.1f} s  {text}\n")
        self.out.flush()


class History(keras.callbacks.Callback):
    """Appends a line of JSON to a file after each epoch: epoch, steps, seconds, loss, validation metrics.

    Args:
        path: Of the file.
        position: Where a training is gone on with; lines of epochs that ended after it go.
    """

    def __init__(self, path: str, position: Position | None = None) -> None:
        super().__init__()
        self.path, self.position = path, position or Position()

    def on_train_begin(self, logs: Any = None) -> None:
        """Reads the lines of the part before a resume."""
        lines = paths.read_text(self.path).splitlines() if paths.exists(self.path) else []
        self.lines = [line for line in lines if json.loads(line)["steps"] <= last_told(self.position)]
        self.start = time.perf_counter() - self.position.seconds

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Adds the epoch's line, and so writes the file whole: a bucket has no appending."""
        steps = self.position.steps or int(self.model.optimizer.iterations.numpy())
        line = {
            "epoch": epoch + 1,
            "steps": steps,
            "seconds": round(time.perf_counter() - self.start, 3),
            **named(logs),
        }
        self.lines.append(json.dumps(line))
        paths.write_text(self.path, "".join(f"{text}\n" for text in self.lines))


class TensorBoardScalars(keras.callbacks.Callback):
    """Writes each epoch's metrics for TensorBoard, under `train` and `validation` in a folder.

    Args:
        folder: Local or remote.
        position: Where a training is gone on with; TensorBoard passes over what was written after it.
    """

    def __init__(self, folder: str, position: Position | None = None) -> None:
        super().__init__()
        self.folder, self.position = folder, position or Position()

    def on_train_begin(self, logs: Any = None) -> None:
        """Opens the two event files, and says in them from which step on they tell what is so."""
        self.writers = {
            name: tf.summary.create_file_writer(paths.join(self.folder, name)) for name in ("train", "validation")
        }
        begun = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
        event = tf.compat.v1.Event(session_log=begun, step=last_told(self.position) + 1, wall_time=time.time())
        for writer in self.writers.values():  # the first is said too: from the second on TensorBoard heeds it
            tf.raw_ops.ImportEvent(writer=writer._resource, event=event.SerializeToString())

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Writes the epoch's scalars, by the steps done."""
        step = int(self.model.optimizer.iterations.numpy())
        for name, value in named(logs).items():
            writer = self.writers["validation" if name.startswith("validation_") else "train"]
            with writer.as_default():
                tf.summary.scalar(f"epoch/{name.removeprefix('validation_')}", value, step=step)

    def on_train_end(self, logs: Any = None) -> None:
        """Closes the event files."""
        for writer in self.writers.values():
            writer.close()
