"""A model some of whose variables start as an Estimator's settings say."""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.errors import Refusal, nearest, refusing
from trainer.migration.estimator.checkpoint import Checkpoint, opened
from trainer.migration.estimator.filling import Pair, set_rows, take
from trainer.migration.estimator.places import Place, places
from trainer.migration.estimator.slots import slots
from trainer.migration.warm_starting import VocabInfo, WarmStartSettings, settings_of
from trainer.models import with_slots
from trainer.problem import Problem

WHO = "warm_start_model"


def warm_start_model(model: keras.Model, problem: Problem, settings: Any) -> list[str]:
    """Gives a model the values that an Estimator's variables started from with `warm_start_from=`.

    Variables that are not selected keep what they have. A bias of the last layer can be given a VocabInfo too.

    Args:
        model: Of the problem, as `trainer.build` returns it.
        problem: Wide, deep or both.
        settings: `WarmStartSettings`, or the path of a checkpoint or a SavedModel, for all that is trained. Patterns
            in a list select what optimizers keep for variables too, such as Adagrad's sums; their rates and steps are
            the model's own.

    Returns:
        The variables that have started, by their names in an Estimator.

    Raises:
        Refusal: Nothing is selected, the checkpoint has no such tensor, or one of another shape.

    Example:
        >>> import trainer
        >>> from trainer import feature_column as fc
        >>> problem = Problem(None, linear_feature_columns=[fc.categorical_column_with_identity("hour", 24)])
        >>> warm_start_model(trainer.build(problem), problem, WarmStartSettings("no/such", "linear"))
        Traceback (most recent call last):
            ...
        trainer.errors.Refusal: warm_start_model: no/such holds no checkpoint; give the model_dir that the Estimator was trained in, or the prefix of one of its checkpoints.
    """  # noqa: E501  # a doctest compares whole lines
    with refusing(WHO):
        settings = settings_of(settings)
        if problem.tower is not None or problem.model is not None:
            raise Refusal("a model of hidden layers is wanted, as Estimators have; the problem has one of its own")
        source = opened(str(settings.ckpt_to_initialize_from), WHO)
        found = places(model, problem)
        chosen = [(place, name) for place in found if (name := _name(place, settings, source))]
        kept = list(_kept(model, found, settings, source))
        if not chosen and not kept:
            names = ", ".join(_known(place, settings, source)[0] for place in found)
            pattern = settings.vars_to_warm_start
            raise Refusal(f"vars_to_warm_start {pattern!r} selects none of {names}; give a pattern of one")
        settings.check_used(name for _, name in chosen)
        starts = [(place, name, _checked(place, name, settings, source)) for place, name in chosen]
        for place, name, previous in starts:
            _start(place, previous, settings.vocabulary(name), source)
        for pair in kept:
            take(pair, source)
        return [name for _, name in chosen]


def _known(place: Place, settings: WarmStartSettings, source: Checkpoint) -> Sequence[str]:
    """Returns the names of a place by which the checkpoint has something for it, or all that it may have."""
    return [name for name in place.names if settings.previous(name) in source.shapes] or place.names


def _name(place: Place, settings: WarmStartSettings, source: Checkpoint) -> str | None:
    """Returns the name by which a place is selected; None where it is not."""
    trainable = place.variable.trainable
    return next((name for name in _known(place, settings, source) if settings.selects(name, trainable)), None)


def _kept(
    model: keras.Model, found: Sequence[Place], settings: WarmStartSettings, source: Checkpoint
) -> Iterator[Pair]:
    """Yields what optimizers keep and a list of patterns selects."""
    if settings.vars_to_warm_start is None or isinstance(settings.vars_to_warm_start, str):
        return
    with_slots(model)
    for place in found:
        for name in place.names:
            if name in source.shapes and settings.vocabulary(name) is None:
                for slot in slots(model, place, name, source):
                    if all(settings.selects(each) for each in slot.names):
                        yield Pair(slot.variable, slot.names, place)


def _checked(place: Place, name: str, settings: WarmStartSettings, source: Checkpoint) -> str:
    """Returns the tensor that a place starts from."""
    previous, info = settings.previous(name), settings.vocabulary(name)
    if previous not in source.shapes:
        raise Refusal(
            f"'{name}' is selected, and {source.prefix} has no '{previous}'"
            f"{nearest(previous, source.shapes) or '; leave it out of vars_to_warm_start'}"
        )
    old, new = source.shapes[previous], place.shape
    if info is not None and info.axis >= len(new):
        raise Refusal(f"VocabInfo of '{name}': it has no columns, so axis is 0, not {info.axis}")
    if info is not None and new[info.axis] != info.size:
        raise Refusal(
            f"VocabInfo of '{name}': new_vocab_size {info.new_vocab_size:,} and num_oov_buckets "
            f"{info.num_oov_buckets:,} are {info.size:,}, and the model has {new[info.axis]:,}"
        )
    if _others(old, info) != _others(new, info):
        raise Refusal(
            f"'{name}' is {_by(new)} in the model, and '{previous}' {_by(old)} in {source.prefix}; give it a "
            "VocabInfo, or leave it out of vars_to_warm_start"
        )
    return previous


def _others(shape: Sequence[int], info: VocabInfo | None) -> tuple[int, ...]:
    """Returns a shape without the axis of a vocabulary."""
    return tuple(size for axis, size in enumerate(shape) if info is None or axis != info.axis)


def _by(shape: Sequence[int]) -> str:
    return " by ".join(f"{size:,}" for size in shape)


def _start(place: Place, previous: str, info: VocabInfo | None, source: Checkpoint) -> None:
    if info is None:
        take(Pair(place.variable, (previous,), place), source)
    else:
        values = _remapped(np.asarray(source.read(previous)), place.shape, info)
        set_rows(place.variable.value, place.first, tf.convert_to_tensor(values))


def _remapped(old: Any, shape: Sequence[int], info: VocabInfo) -> Any:
    """Returns the values of the same words, at the places that these have now."""
    from_row = np.array(info.places())
    inside = (from_row >= 0) & (from_row < old.shape[info.axis])
    values = np.take(old, np.where(inside, from_row, 0), axis=info.axis)
    if inside.all():
        return values
    wide = [1] * len(shape)
    wide[info.axis] = len(inside)
    drawn = _initializer(info, shape[-1])(tuple(shape), dtype="float32")
    return np.where(inside.reshape(wide), values, np.asarray(drawn))


def _initializer(info: VocabInfo, dimension: int) -> Any:
    given = info.initializer(dimension)
    return keras.initializers.TruncatedNormal(0, dimension**-0.5) if given is None else keras.initializers.get(given)
