"""Checkpoints to resume from: the model, its optimizer, and how far the training came; never an iterator."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from trainer import paths
from trainer.errors import Refusal, TrainingFailure
from trainer.training.loop import Position, blame


class Checkpoints(keras.callbacks.Callback):
    """Saves after each epoch, and the last `keep` stay.

    Args:
        folder: Where they lie.
        model: A compiled model.
        position: Kept up to date by the loop, and set by `restore`.
        keep: How many stay.
    """

    def __init__(self, folder: str, model: keras.Model, position: Position, keep: int = 2) -> None:
        super().__init__()
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        self.position, self.trained = position, model
        self._saved = tf.Variable([0, 0, 0], dtype=tf.int64, trainable=False, name="position")
        self._checkpoint = tf.train.Checkpoint(position=self._saved, variables=self._variables())
        self._manager = tf.train.CheckpointManager(self._checkpoint, paths.absolute(folder), max_to_keep=keep)

    def save(self) -> str:
        """Writes a checkpoint now and returns its prefix.

        Raises:
            TrainingFailure: A weight is not finite, which the loss need not show: where TensorFlow fuses a ReLU with
                the product before it, NaN becomes 0. The last checkpoint before stays.
        """
        if not all(map(_is_finite, self.trained.variables)):
            raise TrainingFailure(
                f"training: weights are not finite after step {self.position.steps}, so no checkpoint of it was "
                f"written; {blame(self.trained)}"
            )
        self._checkpoint.variables = self._variables()
        self._saved.assign([self.position.epoch, self.position.step, self.position.steps])
        return str(self._manager.save(checkpoint_number=self.position.steps))

    def restore(self, unfreeze: Callable[[keras.Model], object] | None = None) -> None:
        """Sets the model, its optimizer and the position as the last checkpoint has them.

        Args:
            unfreeze: Called with the model where the checkpoint holds more variables, as one does that was written
                when frozen tables had become trained and so had slots.

        Raises:
            Refusal: There is none, or it is of another model.
        """
        prefix = self._manager.latest_checkpoint
        if prefix is None:
            raise Refusal(f"--resume: {self._manager.directory} holds no checkpoint; --overwrite starts the run anew.")
        held = sum(name.startswith("variables/") for name, _ in tf.train.list_variables(prefix))
        if unfreeze is not None and held > len(self._variables()):
            unfreeze(self.trained)
        self._checkpoint.variables = self._variables()
        try:
            self._checkpoint.restore(prefix).assert_consumed()
        except (AssertionError, ValueError) as error:
            raise Refusal(
                f"--resume: {prefix} was written by another model; resume with the run's own settings, or start anew "
                "with --overwrite."
            ) from error
        self.position.epoch, self.position.step, self.position.steps = (int(n) for n in self._saved.numpy())

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Saves."""
        self.save()

    def _variables(self) -> dict[str, Any]:
        # By place: a path of Keras holds a counter of the process that made it. Found anew each time: a table that is
        # no longer frozen has slots, and the others' have been made anew with them.
        variables = [*self.trained.variables, *self.trained.optimizer.variables]
        return {f"{place:04d}": variable.value for place, variable in enumerate(variables)}


def _is_finite(variable: Any) -> bool:
    # A frozen table is as its source has it.
    frozen = getattr(variable, "is_table", False) and not variable.trainable
    return frozen or not variable.value.dtype.is_floating or bool(tf.reduce_all(tf.math.is_finite(variable.value)))
