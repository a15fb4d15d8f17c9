"""A model given the weights of an Estimator's checkpoint, and its optimizer what that one had noted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf

from trainer import optimizers
from trainer.errors import Refusal, refusing
from trainer.migration.estimator.checkpoint import Checkpoint
from trainer.migration.estimator.places import Place, places
from trainer.migration.estimator.slots import counts_steps, slots
from trainer.migration.estimator.stored import Stored
from trainer.models import with_slots
from trainer.problem import Problem

LARGE = 1 << 24
"""Bytes of a tensor from which on the memory of the variable that takes it is given back before it is read."""


@dataclass(frozen=True)
class Filled:
    """What a model has taken from a checkpoint.

    Args:
        checkpoint: Its prefix.
        step: After how many steps it was written.
        weights: The names of the tensors that the model's variables have taken.
        slots: Those that its optimizer has taken.
        left: Those that another optimizer had noted, for which this one has no place.
        stored: By the `id` of a large slot of the optimizer, what it has not taken and stands in the checkpoint.
    """

    checkpoint: str
    step: int
    weights: tuple[str, ...]
    slots: tuple[str, ...]
    left: tuple[str, ...]
    stored: Mapping[int, Stored] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """One line of it, for a person."""
        kept = f"{len(self.slots):,} of its optimizers" if self.slots else "none of its optimizers"
        left = f"; {len(self.left):,} of other optimizers left, as '{self.left[0]}'" if self.left else ""
        return f"{self.checkpoint}, step {self.step:,}: {len(self.weights):,} tensors taken, and {kept}{left}"


@dataclass(frozen=True, eq=False)
class Pair:
    """A variable, or some of its rows, and the tensors that they take: one, or that of each part."""

    variable: Any
    names: tuple[str, ...]
    place: Place


def fill(
    model: keras.Model, problem: Problem, checkpoint: Checkpoint, who: str, leaves_large_slots: bool = False
) -> Filled:
    """Gives a compiled model the weights of a checkpoint, and its optimizer what has a meaning for it.

    The memory of a large variable is given back before its tensor is read.

    Args:
        model: Of the problem.
        problem: The columns and the model's shape.
        checkpoint: Of an Estimator.
        who: What a refusal begins with.
        leaves_large_slots: Whether large slots of the optimizer are emptied instead, and told as `stored`.

    Raises:
        Refusal: A weight has no tensor, a tensor no weight, or one of them another shape: both sides are listed.
    """
    named = matched(places(model, problem), checkpoint, who)
    weights = [Pair(place.variable, (name,), place) for place, name in named]
    for pair in filter(_is_large, weights):
        _empty(pair.variable.value)  # before there are slots, which may be as large
    with_slots(model)
    kept = [
        Pair(slot.variable, slot.names, place)
        for place, name in named
        for slot in slots(model, place, name, checkpoint)
    ]
    stored = {pair for pair in kept if leaves_large_slots and _is_large(pair)}
    for pair in stored:
        _empty(pair.variable.value)
    with refusing(who):
        for pair in (*weights, *kept):
            if pair not in stored:
                take(pair, checkpoint)
    if kept:
        for optimizer in filter(counts_steps, optimizers.whole(model.optimizer)):
            optimizer.iterations.assign(checkpoint.step)
    taken, noted = (tuple(name for pair in pairs for name in pair.names) for pairs in (weights, kept))
    left = {name for name, shape in checkpoint.shapes.items() if shape} - {*taken, *noted}
    elsewhere = {id(pair.variable): _stored(pair, checkpoint) for pair in stored}
    return Filled(checkpoint.prefix, checkpoint.step, taken, noted, tuple(sorted(left)), elsewhere)


def matched(found: Sequence[Place], checkpoint: Checkpoint, who: str) -> list[tuple[Place, str]]:
    """Returns places with the tensors that they take.

    Raises:
        Refusal: Something is left over on one side, or has another shape on the other.
    """
    named = {place: next(filter(checkpoint.shapes.__contains__, place.names), None) for place in found}
    absent = [place for place, name in named.items() if name is None]
    pairs = [(place, name) for place, name in named.items() if name is not None]
    over = sorted({*checkpoint.weights} - {name for _, name in pairs})
    other = [(place, name) for place, name in pairs if checkpoint.shapes[name] != place.shape]
    if absent or over or other:
        raise Refusal(
            f"{who}: the model and the checkpoint {checkpoint.prefix} do not fit: "
            f"{'; '.join(_differences(absent, over, other, checkpoint))}; declare the columns and layers as the "
            "Estimator had them."
        )
    return pairs


def _differences(
    absent: Sequence[Place], over: Sequence[str], other: Sequence[tuple[Place, str]], checkpoint: Checkpoint
) -> Iterator[str]:
    """Yields what does not fit: of the model, of the checkpoint, and of both in another shape."""
    if absent:
        texts = [f"{place.what} ({_by(place.shape)}), wanted as '{place.names[0]}'" for place in absent]
        yield f"in the model alone are {', '.join(texts)}"
    if over:
        texts = [f"'{name}' ({_by(checkpoint.shapes[name])})" for name in over]
        yield f"in the checkpoint alone are {', '.join(texts)}"
    if other:
        texts = [
            f"{place.what} is {_by(place.shape)} and '{name}' {_by(checkpoint.shapes[name])}" for place, name in other
        ]
        yield f"of other shapes are {', '.join(texts)}"


def _by(shape: Sequence[int]) -> str:
    return " by ".join(f"{size:,}" for size in shape)


def take(pair: Pair, checkpoint: Checkpoint) -> None:
    """Gives a variable, or some of its rows, what a checkpoint has for it."""
    variable, place = pair.variable.value, pair.place
    if len(pair.names) > 1:
        for number, name in enumerate(pair.names):
            first, end = checkpoint.extent(name, number, len(pair.names))
            set_rows(variable, place.first + first, checkpoint.read_rows(name, first, end - first))
    elif place.rows is not None:
        set_rows(variable, place.first, checkpoint.read(pair.names[0]))
    elif not _is_large(pair):
        variable.assign(tf.cast(checkpoint.read(pair.names[0]), variable.dtype))
    else:
        _empty(variable)
        values = tf.cast(checkpoint.read(pair.names[0]), variable.dtype)
        tf.raw_ops.AssignVariableOp(resource=variable.handle, value=values)


def _is_large(pair: Pair) -> bool:
    variable = pair.variable.value
    return pair.place.rows is None and variable.dtype.size * variable.shape.num_elements() >= LARGE


def _stored(pair: Pair, checkpoint: Checkpoint) -> Stored:
    return Stored(checkpoint, pair.names, tuple(pair.variable.shape), pair.variable.value.dtype)


def _empty(variable: Any) -> None:
    """Gives the memory of a variable back; what it is given next, by the op alone, is not copied."""
    none = tf.zeros((0, *variable.shape[1:]), variable.dtype)
    tf.raw_ops.AssignVariableOp(resource=variable.handle, value=none)
    # A variable whose rows have been scattered copies whatever it is given, to have it for itself.
    tf.raw_ops.DisableCopyOnRead(resource=variable.handle)


def set_rows(variable: Any, first: int, values: Any) -> None:
    """Sets rows of a variable from one on."""
    rows = tf.range(first, first + values.shape[0])
    variable.scatter_update(tf.IndexedSlices(tf.cast(values, variable.dtype), rows))
