"""Checkpoints to resume from: the model, its optimizer, and how far the training came; never an iterator."""

import dataclasses
import errno
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from trainer.errors import Refusal, TrainingFailure
from trainer.models import with_slots
from trainer.run import BEST
from trainer.training import saving
from trainer.training.loop import Position, blame
from trainer.training.machines import replicas
from trainer.training.remembered import Part
from trainer.training.saving import Torn
from trainer.training.shelf import Shelf
from trainer.training.tensors import RANDOM, is_trained, tensors, with_random

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclasses.dataclass(frozen=True)
class When:
    """When checkpoints are written, and how many stay.

    Args:
        seconds: Between two of them.
        steps: At whose multiples there is one too; None is at none.
        keep: How many stay.
    """

    seconds: float = 60.0
    steps: int | None = None
    keep: int = 2


class Checkpoints(keras.callbacks.Callback):
    """Saves now and then, and when training ends; the last of the callbacks, so that it has what the others did.

    Of processes in step the chief alone reads and writes; the others call the same methods, and `share` gives them what
    it has read. `seconds` are those of the training as the last checkpoint has them.

    Args:
        folder: Where they lie.
        model: A compiled model.
        position: Kept up to date by the loop, and set by `restore`.
        when: They are written.
        parts: What else has a state, by name.
        order: What the order of the examples depends on, as JSON can hold it.
        tell: Prints a line.
        stored: By the `id` of a variable that is not in memory, what it is read from.
    """

    def __init__(
        self,
        folder: str,
        model: keras.Model,
        position: Position,
        when: When | None = None,
        parts: dict[str, Part] | None = None,
        order: Any = None,
        tell: Callable[[str], object] = print,
        stored: Mapping[int, Any] | None = None,
    ) -> None:
        super().__init__()
        with_slots(model)
        self.shelf, self.position, self.trained = Shelf(folder), position, model
        self.when, self.parts, self.stored = when or When(), parts or {}, stored or {}
        self.order, self.tell = order, tell
        self._restored: Mapping[str, Any] = {}
        self._bad: list[str] = []
        self._begun: float | None = None
        self._last = time.perf_counter()
        self._saved: tuple[int, bool] | None = None
        self._replicas, self.seconds = replicas.current(), 0.0

    def save(self) -> str:
        """Writes a checkpoint now and returns its folder.

        Raises:
            OSError: It cannot be written; those before stay, but for the oldest of several where there is no room.
            TrainingFailure: A weight is not finite, which the loss need not show: where TensorFlow fuses a ReLU with
                the product before it, NaN becomes 0. The last checkpoint before stays.
        """
        if not self._replicas.is_chief:
            self._state()  # tells the seconds
            return self.shelf.folder
        name = self.shelf.free_name(self.position.steps)
        try:
            self._put(name)
        except OSError as error:
            good = [each for each in self.shelf.names if each not in self._bad]
            if error.errno not in NO_ROOM or not (self._bad or good[1:]):
                raise
            # What cannot be read goes for it, and else the oldest of several.
            self.shelf.keep(len(good) if self._bad else len(good) - 1, self._bad)
            self._put(name)
        self.shelf.keep(self.when.keep, self._bad)
        self._bad, self._saved = [], (self.position.steps, self.position.under_way)
        return self.shelf.path(name)

    def save_unless_done(self) -> None:
        """Writes a checkpoint, unless the last one is of this very moment.

        Raises:
            OSError: As `save`.
            TrainingFailure: As `save`.
        """
        if self._saved != (self.position.steps, self.position.under_way):
            self.save()

    def save_best(self) -> None:
        """Saves the weights as the best ones so far.

        Raises:
            TrainingFailure: They cannot be written.
        """
        if not self._replicas.is_chief:
            return
        weights = {name: each.value for name, each in tensors(self.trained).items() if name.startswith("model/")}
        try:
            self.shelf.put(BEST, weights, {"steps": self.position.steps})
        except OSError as error:
            raise self._failure("the best weights so far", error) from None

    def restore_best(self) -> int:
        """Sets the weights as the best ones have been, and returns after how many steps.

        Raises:
            Torn: They cannot be read.
        """
        if self._replicas.count == 1:
            return self._restore_best()
        try:
            found: Any = self._restore_best() if self._replicas.is_chief else None
        except Torn as torn:
            found = str(torn)
        if isinstance(found := self._replicas.told(found), str):
            raise Torn(found)
        self._replicas.as_chief(each.value for each in self.trained.variables)
        return int(found)

    def _restore_best(self) -> int:
        path = self.shelf.best
        state = saving.check(path)
        for name, variable in tensors(self.trained).items():
            if name in state["tensors"]:
                saving.restore(path, name, state, variable.value)
        return int(state["steps"])

    def restore(self, unfreeze: Callable[[keras.Model], object] | None = None, has_other_rates: bool = False) -> None:
        """Sets the model, its optimizer and the position as the newest whole checkpoint has them.

        Args:
            unfreeze: Called with the model where the checkpoint holds more variables, as one does that was written
                when frozen tables had become trained and so had slots.
            has_other_rates: Whether learning rates stay as the model has them.

        Raises:
            Refusal: None can be read, or it is of another model; nothing is set then.
        """
        self.shelf.clean()
        name, state, self._bad = self.shelf.newest(self.tell)
        held, there = state["tensors"], tensors(self.trained)
        if unfreeze is not None and len({*held} - {RANDOM}) > len({*there} - {RANDOM}):
            unfreeze(self.trained)
            there = tensors(self.trained)
        there = with_random(there) if RANDOM in held else {n: each for n, each in there.items() if n != RANDOM}
        if {n: (told["shape"], told["dtype"]) for n, told in held.items()} != {
            n: ([*each.shape], each.value.dtype.name) for n, each in there.items()
        }:
            raise Refusal(
                f"--resume: {self.shelf.path(name)} was written by another model; resume with the run's own settings, "
                "or start anew with --overwrite."
            )
        for each, variable in there.items():
            if has_other_rates and variable.name == "learning_rate":
                continue
            saving.restore(self.shelf.path(name), each, state, variable.value)
        self._take(state)
        self.tell(f"goes on after step {self.position.steps:,}")

    def share(self, unfreeze: Callable[[keras.Model], object] | None = None) -> None:
        """Gives all processes in step the weights, the position and the state that the chief has.

        Args:
            unfreeze: As for `restore`.
        """
        if self._replicas.count == 1:
            return
        state, names = self._replicas.told([dict(self._restored), [*tensors(self.trained)]])
        there = tensors(self.trained)
        if unfreeze is not None and len({*names} - {RANDOM}) > len({*there} - {RANDOM}):
            unfreeze(self.trained)
        there = with_random(tensors(self.trained)) if RANDOM in names else tensors(self.trained)
        if state and not self._replicas.is_chief:
            self._take(state)
        self._replicas.as_chief(there[name].value for name in names)

    def on_train_begin(self, logs: Any = None) -> None:
        """Removes what a kill has left half written, and gives what has a state of its own the one that was saved."""
        if self._replicas.is_chief:
            self.shelf.clean()
        self.trained.stop_training = self._restored.get("stopped", False)
        for name, part in self.parts.items():
            part.begin(self._restored.get("parts", {}).get(name))
        self._begun, self._last = time.perf_counter() - self.position.seconds, time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Saves when it is time."""
        self._save_if_due()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Saves when it is time."""
        self._save_if_due()

    def on_train_end(self, logs: Any = None) -> None:
        """Saves, unless it has just been done.

        Raises:
            TrainingFailure: It cannot.
        """
        try:
            self.save_unless_done()
        except OSError as error:
            raise self._failure("the checkpoint", error) from None

    def _put(self, name: str) -> None:
        there = tensors(self.trained)
        values = {n: self.stored.get(id(each), each.value) for n, each in there.items()}
        self.shelf.put(name, values, self._state(), self._check(there))

    def _state(self) -> dict[str, Any]:
        if self._begun is not None:
            self.seconds = time.perf_counter() - self._begun
        return {
            "position": {**dataclasses.asdict(self.position), "seconds": self.seconds},
            "stopped": bool(getattr(self.trained, "stop_training", False)),
            "order": self.order,
            "parts": {name: part.state() for name, part in self.parts.items()},
            "variables": {name: variable.path for name, variable in tensors(self.trained).items()},
        }

    def _check(self, variables: Mapping[str, Any]) -> Callable[[str, Any], None]:
        def check(name: str, values: Any) -> None:
            if (
                is_trained(variables[name])
                and values.dtype.is_floating
                and not tf.reduce_all(tf.math.is_finite(values))
            ):
                raise TrainingFailure(
                    f"training: weights are not finite after step {self.position.steps}, so no checkpoint of it was "
                    f"written; {blame(self.trained)}"
                )

        return check

    def _take(self, state: Mapping[str, Any]) -> None:
        position = state["position"]
        for field in dataclasses.fields(Position):
            setattr(self.position, field.name, position[field.name])
        self.position.loss = tuple(position["loss"])
        self.seconds = self.position.seconds
        self._restored, self._saved = state, (self.position.steps, self.position.under_way)
        if state["order"] != self.order and self.position.step:
            self.position.step, self.position.loss, self.position.under_way = 0, (0.0, 0.0), False
            self.tell(f"epoch {self.position.epoch + 1} begins anew, since its examples come in another order now")

    def _save_if_due(self) -> None:
        if not self._replicas.is_chief:
            return
        steps = self.position.steps
        by_steps = self.when.steps is not None and steps % self.when.steps == 0
        late = time.perf_counter() - self._last >= self.when.seconds
        if not late and not (by_steps and (self._saved is None or self._saved[0] != steps)):
            return
        try:
            self.save()
        except OSError as error:
            again = f"tried again in {self.when.seconds:g} s" + ("" if self.when.steps is None else " or before")
            self.tell(
                f"checkpoint after step {steps:,}: not written ({error.strerror or error}); {self._stays()}, and it is "
                f"{again}"
            )
        self._last = time.perf_counter()

    def _failure(self, what: str, error: OSError) -> TrainingFailure:
        return TrainingFailure(
            f"{self.shelf.folder}: {what} after step {self.position.steps} cannot be written "
            f"({error.strerror or error}); make room there or make it writable, then go on with --resume: "
            f"{self._stays()}."
        )

    def _stays(self) -> str:
        names = self.shelf.names
        return f"{names[0]} stays" if names else "there is none yet"
