"""Early stopping: a training ends when a metric of the validation rows has not become better for some epochs."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras

from trainer.training.callbacks import VALIDATION


@dataclasses.dataclass
class Best:
    """The best epoch so far.

    Args:
        value: Of its metric.
        epoch: Its number, from 1 on.
        step: The steps in all at its end.
        waited: The epochs after it.
    """

    value: float
    epoch: int
    step: int
    waited: int = 0


class EarlyStopping(keras.callbacks.Callback):
    """Ends a training after some epochs without a better metric, and tells when the model is the best so far.

    Args:
        metric: A validation metric, as the loop calls it but for what comes before its name.
        is_up: Whether more of it is better.
        patience: How many epochs without a better one end the training.
        keep: Called when the model is the best so far, to save it.
        tell: Prints a line.
    """

    def __init__(
        self,
        metric: str,
        is_up: bool,
        patience: int,
        keep: Callable[[], object],
        tell: Callable[[str], object] = print,
    ) -> None:
        super().__init__()
        self.metric, self.is_up, self.patience, self.keep, self.tell = metric, is_up, patience, keep, tell
        self.best: Best | None = None

    def begin(self, state: Any) -> None:
        """Goes on from what a checkpoint held; a longer patience than then lets the training go on."""
        if state is not None and state["best"] is not None:
            self.best = Best(**state["best"])
            if state["stops"]:
                self.model.stop_training = self._stops

    def state(self) -> Any:
        """Returns the best epoch so far, as JSON can hold it."""
        return {"best": None if self.best is None else dataclasses.asdict(self.best), "stops": self._stops}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Judges the epoch."""
        value = float((logs or {})[f"{VALIDATION}{self.metric}"])
        if self._is_better(value):
            self.best = Best(value, epoch + 1, int(self.model.optimizer.iterations.numpy()))
            self.keep()
        elif self.best is not None:
            self.best.waited += 1
        if self._stops:
            self.model.stop_training = True
            self.tell(f"early stopping: validation_{self.metric} has not become better for {self.patience} epochs")

    @property
    def _stops(self) -> bool:
        return self.best is not None and self.best.waited >= self.patience

    def _is_better(self, value: float) -> bool:
        if self.best is None:
            return value == value  # and not NaN
        return value > self.best.value if self.is_up else value < self.best.value
