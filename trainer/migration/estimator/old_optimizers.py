"""What an Estimator takes as an optimizer, as one that updates the rows of a table that a step has used."""

import inspect
import numbers
from collections.abc import Mapping
from typing import Any

import keras

from trainer import optimizers
from trainer.errors import Refusal, nearest
from trainer.migration.estimator.rms_prop import RMSprop

BY_NAME: Mapping[str, type[keras.optimizers.Optimizer]] = {
    "Adagrad": optimizers.Adagrad,
    "Adam": optimizers.LazyAdam,
    "Ftrl": optimizers.Ftrl,
    "RMSProp": RMSprop,
    "SGD": optimizers.SGD,
}
"""By the names that Estimators take."""

_BY_CLASS = {
    "adagradoptimizer": "Adagrad",
    "adamoptimizer": "Adam",
    "ftrloptimizer": "Ftrl",
    "rmspropoptimizer": "RMSProp",
    "gradientdescentoptimizer": "SGD",
    "momentumoptimizer": "SGD",
    "adagrad": "Adagrad",
    "adam": "Adam",
    "ftrl": "Ftrl",
    "rmsprop": "RMSProp",
    "sgd": "SGD",
}
"""By the classes of TensorFlow 1 and Keras 2."""

_RENAMED = {"lr": "learning_rate", "beta1": "beta_1", "beta2": "beta_2", "decay": "rho", "use_nesterov": "nesterov"}
"""What TensorFlow 1 called an argument."""


def optimizer_of(given: Any, learning_rate: float | None, who: str) -> keras.optimizers.Optimizer:
    """Returns what an Estimator was given as an optimizer, as one for a Keras 3 model.

    Args:
        given: A name, as "Adagrad"; an optimizer of TensorFlow 1, Keras 2 or Keras 3; or what returns one of these.
        learning_rate: Of one that is given by its name; None is the optimizer's own.
        who: What a refusal begins with.

    Raises:
        Refusal: It is none of these, its learning rate is no number, or another model has it.

    Example:
        >>> type(optimizer_of("Ftrl", 0.2, "linear_optimizer")).__name__
        'Ftrl'
        >>> old = __import__("tensorflow").compat.v1.train.AdagradOptimizer(0.05, initial_accumulator_value=0.5)
        >>> optimizer_of(old, None, "dnn_optimizer").initial_accumulator_value
        0.5
    """
    if isinstance(given, str):
        if given not in BY_NAME:
            ending = nearest(given, BY_NAME) or f"; there are {', '.join(BY_NAME)}."
            raise Refusal(f"{who}: there is no optimizer '{given}'{ending}")
        return BY_NAME[given]() if learning_rate is None else BY_NAME[given](learning_rate=learning_rate)
    if isinstance(given, keras.optimizers.Optimizer):
        if given.built:
            raise Refusal(f"{who}: {type(given).__name__} keeps what it has noted of another model; give a new one.")
        return given
    name = _BY_CLASS.get(type(given).__name__.lower())
    if name is None and callable(given):
        return optimizer_of(given(), learning_rate, who)
    if name is None:
        raise Refusal(
            f"{who}: an optimizer's name, or one of TensorFlow 1, Keras 2 or Keras 3 is wanted, not {given!r}; give "
            "one of trainer.optimizers."
        )
    return _translated(given, name, who)


def _translated(given: Any, name: str, who: str) -> keras.optimizers.Optimizer:
    kind, config = BY_NAME[name], _arguments(given)
    rate = config.get("learning_rate")
    if not isinstance(rate, numbers.Real) or config.pop("decay", 0):
        raise Refusal(
            f"{who}: the learning rate of {type(given).__name__} changes with the steps; give an optimizer of "
            "trainer.optimizers, with a number or the schedule of Keras 3 that goes on from here."
        )
    config["learning_rate"] = float(rate)  # of Keras 2 it is one of NumPy, which Keras 3 does not take
    taken = {*inspect.signature(kind).parameters} - {"name", "kwargs"}
    return kind(**{key: value for key, value in config.items() if key in taken and value is not None})


def _arguments(given: Any) -> dict[str, Any]:
    """Returns the arguments of an old optimizer by their names in Keras."""
    if hasattr(given, "get_config"):  # of Keras 2, whose decay is one of the learning rate
        return dict(given.get_config())
    kept = {key.lstrip("_"): value for key, value in vars(given).items()}  # of TensorFlow 1
    return {_RENAMED.get(key, key): value for key, value in kept.items()}
