"""The projector's files, written when training ends."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from trainer import projector
from trainer.tables import Table


class ProjectorCallback(keras.callbacks.Callback):
    """Writes tables for TensorBoard's projector at the end of training, under `model.fit` or our own loop.

    Args:
        tables: Returns the tables as they are then.
        log_dir: The folder, as `trainer.projector.write` takes it.
    """

    def __init__(self, tables: Callable[[], Sequence[Table]], log_dir: str) -> None:
        super().__init__()
        self.tables = tables
        self.log_dir = log_dir

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Writes them."""
        del logs
        projector.write(self.log_dir, self.tables())
