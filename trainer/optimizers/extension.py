"""More variables for an optimizer that already trains others."""

from collections.abc import Sequence
from typing import Any

import keras

from trainer.errors import Refusal

AVERAGES = "_model_variables_moving_average"
"""Where a Keras optimizer with `use_ema=True` has the average of each variable."""


def extend(optimizer: keras.optimizers.Optimizer, variables: Sequence[Any]) -> None:
    """Makes a built optimizer train more variables, and keeps what it holds of those that it trains already.

    The slots of the others start as the optimizer starts them. The count of steps stays, and with it schedules go on;
    a part that had no variable counts its own steps, from 0. While the slots are made they take twice their memory.

    Keras builds an optimizer once. It is built anew here and keeps its identity, its arguments and the order of its
    variables, in which it is saved. Its slots are new variables: a `tf.function` that has traced it must trace it anew.

    Args:
        optimizer: Any of Keras or of `trainer.optimizers`; one that is not built yet is left as it is.
        variables: All that it shall train.

    Raises:
        Refusal: The optimizer keeps slots where they cannot be found.

    Example:
        >>> from trainer.optimizers import SGD
        >>> first, second = keras.Variable([1.0]), keras.Variable([2.0])
        >>> optimizer = SGD(0.5, momentum=0.5)
        >>> optimizer.apply([keras.ops.ones(1)], [first])
        >>> extend(optimizer, [second, first])
        >>> optimizer.apply([keras.ops.ones(1)] * 2, [second, first])
        >>> second.numpy().tolist(), first.numpy().tolist(), int(optimizer.iterations)
        ([1.5], [-0.25], 2)
    """
    if not optimizer.built:
        return
    check_extendable(optimizer)
    every = whole(optimizer)
    before = [_slots(one) for one in every]
    for one in every:
        one.built = False
    with optimizer._distribution_strategy.scope():
        optimizer.build(list(variables))
    for one, slots in zip(every, before, strict=True):
        _carry(one, slots)


def check_extendable(optimizer: keras.optimizers.Optimizer) -> None:
    """Refuses an optimizer that `extend` cannot extend.

    Raises:
        Refusal: It keeps slots where they cannot be found.
    """
    for one in whole(optimizer):
        found = {id(slot) for slot in _slots(one).values()}
        lost = [variable.path for variable in one._variables if id(variable) not in found]
        if lost:
            raise Refusal(
                f"{type(one).__name__}: '{lost[0]}' is neither an attribute nor in a list of one slot a variable, so a "
                "table cannot be trained later; keep slots in such lists, or use another optimizer."
            )


def whole(optimizer: Any) -> list[Any]:
    """Returns an optimizer and all in it: that of a loss scale, or those of parts."""
    held: list[Any] = []
    for value in vars(optimizer).values():
        held += value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    inner = [one for one in held if isinstance(one, keras.optimizers.Optimizer)]
    return [optimizer, *(found for one in inner for found in whole(one))]


def _slots(optimizer: Any) -> dict[tuple[str, Any], Any]:
    """Returns an optimizer's own variables by the attribute they are in and, in a list of slots, by their variable."""
    keys = [optimizer._var_key(variable) for variable in optimizer._trainable_variables]
    found: dict[tuple[str, Any], Any] = {}
    for name, value in vars(optimizer).items():
        if isinstance(value, keras.Variable):
            found[name, None] = value
        elif isinstance(value, list) and len(value) == len(keys) and name not in ("_variables", "_trainable_variables"):
            slots = zip(keys, value, strict=True)
            found.update({(name, key): slot for key, slot in slots if isinstance(slot, keras.Variable)})
    return found


def _carry(optimizer: Any, before: dict[tuple[str, Any], Any]) -> None:
    """Gives the slots that an optimizer has now the values of those that it had."""
    now = _slots(optimizer)
    gone = {place: old for place, old in before.items() if now.get(place) is not old}  # not made by its constructor
    for place in gone.keys() & now.keys():
        now[place].assign(gone[place])
    _forget(optimizer, {id(old) for old in gone.values()})
    for variable in optimizer._trainable_variables if optimizer.use_ema else ():
        place = AVERAGES, optimizer._var_key(variable)
        if place not in before and place in now:
            now[place].assign(variable)  # as in the first step: from zero it would take hundreds of them


def _forget(optimizer: Any, gone: set[int]) -> None:
    """Takes variables off an optimizer's list, by making another: TensorFlow saves no list that lost an element."""
    kept = [variable for variable in optimizer._variables if id(variable) not in gone]
    tracker = vars(optimizer).pop("_tracker")  # which the constructor of Keras makes after the list, too
    optimizer._variables = kept
    vars(optimizer)["_tracker"] = tracker
    tracker.config["variables"] = tracker.config["variables"][0], optimizer._variables
    tracker.stored_ids["variables"] = set(map(id, kept))
