"""What an optimizer has noted of each weight, by the names that optimizers of TensorFlow 1 and Keras 2 gave it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from trainer import optimizers
from trainer.migration.estimator.checkpoint import Checkpoint
from trainer.migration.estimator.places import Place

Words = Mapping[str, tuple[str | None, str]]

KEPT: Mapping[type, Words] = {
    keras.optimizers.Adagrad: {"_accumulators": ("Adagrad", "accumulator")},
    keras.optimizers.Ftrl: {"_accumulators": ("Ftrl", "accumulator"), "_linears": ("Ftrl_1", "linear")},
    keras.optimizers.Adam: {"_momentums": ("Adam", "m"), "_velocities": ("Adam_1", "v")},
    # The velocity of TensorFlow 1 is no multiple of that of Keras where the rate changes.
    keras.optimizers.SGD: {"momentums": (None, "momentum")},
    # Where it is not centred, Keras has no slots of averages, and TensorFlow 1 numbers its own otherwise.
    keras.optimizers.RMSprop: {
        "_velocities": ("RMSProp", "rms"),
        "_average_gradients": ("RMSProp_1", "mg"),
        "_momentums": ("RMSProp_2", "momentum"),
    },
}
"""The lists of slots of each optimizer, and what a slot is called after its variable's name in TensorFlow 1 and 2."""


@dataclass(frozen=True, eq=False)
class Slot:
    """What an optimizer keeps for a variable, and what it is called in a checkpoint.

    Args:
        variable: The slot, a Keras variable as large as the one that it is kept for.
        names: In the checkpoint; several where the variable is partitioned, whose parts TensorFlow 1 trained each by
            itself.
    """

    variable: Any
    names: tuple[str, ...]


def slots(model: keras.Model, place: Place, name: str, checkpoint: Checkpoint) -> Iterator[Slot]:
    """Yields the slots of a place that a checkpoint has.

    Args:
        model: A compiled model; its optimizer is built.
        place: A variable of the model, or some rows of one.
        name: Of it in the checkpoint.
        checkpoint: What there is.
    """
    variable = place.variable
    optimizer = optimizers.of(model.optimizer, variable)
    if not any(variable is one for one in optimizer._trainable_variables):  # of a table that is frozen
        return
    number = optimizer._get_variable_index(variable)
    for kept, (first, second) in _words(optimizer).items():
        found = _found(checkpoint, name, first, second, type(optimizer).__name__)
        every = getattr(optimizer, kept, [])
        # One sum a row has no place for one sum a weight.
        if found and number < len(every) and every[number].shape == variable.shape:
            yield Slot(every[number], found)


def _words(optimizer: Any) -> Words:
    words = next((words for kind, words in KEPT.items() if isinstance(optimizer, kind)), {})
    is_plain = isinstance(optimizer, keras.optimizers.RMSprop) and not optimizer.centered
    return {**words, "_momentums": ("RMSProp_1", "momentum")} if is_plain else words


def _found(checkpoint: Checkpoint, name: str, first: str | None, second: str, kind: str) -> tuple[str, ...]:
    """Returns the tensors that are a slot of a variable, its parts in their order."""
    kept = checkpoint.kept_for.get(name, ())
    whole = [each for each in kept if first and each == f"{name}/{first}"]
    whole += [each for each in kept if each.endswith(f"/{name}/{second}") and _is_of(each, kind)]
    if whole:
        return (whole[0],)
    # Of part_0, part_1 and so on the beginning may be cut off: `dnn/hiddenlayer_0/kernel/t_0/Adagrad`.
    parts = {each: re.fullmatch(rf"{re.escape(name)}/\D*(\d+)/{first}", each) for each in kept if first}
    numbers = {int(found[1]): each for each, found in parts.items() if found}
    return tuple(numbers[number] for number in sorted(numbers))


def _is_of(name: str, kind: str) -> bool:
    """Tells whether a slot of Keras 2 is one of an optimizer of a kind: two of a kind are called Adagrad, Adagrad_1."""
    word = name.split("/")[1].partition("_")[0]
    return name.startswith("training/") and word.lower() == kind.lower().removeprefix("lazy")


def counts_steps(optimizer: Any) -> bool:
    """Tells whether an optimizer goes by how many steps it has taken."""
    return isinstance(optimizer, keras.optimizers.Adam)
