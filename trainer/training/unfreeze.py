"""Frozen tables that are trained from a later epoch on."""

import sys
from typing import Any, TextIO

import keras

from trainer import optimizers
from trainer.layers import EmbeddingTable
from trainer.models import tables_of


def frozen_tables(model: keras.Model) -> dict[str, EmbeddingTable]:
    """Returns the tables of a model that are not trained, by name."""
    return {name: table for name, (table, _) in tables_of(model).items() if not table.trainable}


def unfreeze(model: keras.Model) -> list[str]:
    """Makes a compiled model train its frozen tables from now on, and returns their names.

    Their slots start as the optimizer starts them; all else stays, the count of steps too.

    Raises:
        Refusal: The model's optimizer cannot be made to train more.
    """
    tables = frozen_tables(model)
    for table in tables.values():
        table.trainable = True
    if tables:
        optimizers.extend(model.optimizer, model.trainable_variables)
        if model.train_function is not None:  # that of `fit` has traced what was trained before
            model.make_train_function(force=True)
    return list(tables)


class Unfreeze(keras.callbacks.Callback):
    """Trains the tables that are frozen, from the start of the epoch after so many, and says so in a line.

    Args:
        after: Epochs without them.
        out: Where to write the line.

    Raises:
        Refusal: The model's optimizer cannot be made to train more; raised before the first step.
    """

    def __init__(self, after: int, out: TextIO | None = None) -> None:
        super().__init__()
        self.after, self.out = after, out or sys.stdout

    def on_train_begin(self, logs: Any = None) -> None:
        """Sees to it that what will be done can be done."""
        optimizer = self.model.optimizer
        if not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        if frozen_tables(self.model):
            optimizers.check_extendable(optimizer)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Unfreezes when it is time; an epoch that a resumed training begins in its middle counts too."""
        names = unfreeze(self.model) if epoch >= self.after else []
        if names:
            verb = "is" if len(names) == 1 else "are"
            self.out.write(f"epoch {epoch + 1}: {', '.join(names)} {verb} trained from here on\n")
            self.out.flush()
