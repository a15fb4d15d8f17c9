"""What of a training is in tensors, and by which names these are saved."""

from typing import Any

import keras
from keras.src.backend.common import global_state
from keras.src.random import seed_generator

from trainer.models.variables import by_place

RANDOM = "random/keras"
"""Of the numbers that Keras draws where a layer has no seed of its own; a model need not use them."""


def tensors(model: keras.Model) -> dict[str, Any]:
    """Returns the variables of a training by the names of their tensors, in an order that is the same in each process.

    They are the model's, with the states of its random layers, and its optimizer's. A name tells a place: a path of
    Keras holds a counter of the process that made it. They are found anew each time, since a table that is no longer
    frozen has slots, and the others' have been made anew with them. One that lies on several servers is a `Divided`.

    Args:
        model: A compiled model; its optimizer is built.
    """
    groups = (("model", model.variables), ("optimizer", model.optimizer.variables))
    found = {f"{group}/{place}": each for group, variables in groups for place, each in by_place(variables).items()}
    generator = global_state.get_global_attribute(seed_generator.GLOBAL_SEED_GENERATOR)
    return found if generator is None else {**found, RANDOM: generator.state}


def with_random(variables: dict[str, Any]) -> dict[str, Any]:
    """Returns variables with the state of Keras's own random numbers, which may not have been asked for yet."""
    return {**variables, RANDOM: seed_generator.global_seed_generator().state}


def is_trained(variable: Any) -> bool:
    """Tells whether the values of a variable come from the training; those of a frozen table come from its source."""
    return variable.trainable or not getattr(variable, "is_table", False)
