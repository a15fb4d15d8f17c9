"""Row-sparse updates for tables, ordinary ones for the rest: Keras optimizers for any `model.compile`."""

from typing import Any

import keras

from trainer.errors import Refusal, nearest
from trainer.optimizers.adagrad import Adagrad
from trainer.optimizers.extension import check_extendable, extend, whole
from trainer.optimizers.ftrl import Ftrl
from trainer.optimizers.lazy_adam import LazyAdam
from trainer.optimizers.loss_scale import LossScaleOptimizer
from trainer.optimizers.parts import Parts
from trainer.optimizers.row_wise_adagrad import RowWiseAdagrad
from trainer.optimizers.rows import RowSparse
from trainer.optimizers.sgd import SGD
from trainer.own_code import module_of

__all__ = [
    "SGD",
    "Adagrad",
    "Ftrl",
    "LazyAdam",
    "LossScaleOptimizer",
    "Parts",
    "RowSparse",
    "RowWiseAdagrad",
    "check_extendable",
    "extend",
    "get",
    "names",
    "whole",
]


def names() -> list[str]:
    """Returns the names of the row-sparse optimizers.

    Example:
        >>> names()
        ['Adagrad', 'Ftrl', 'LazyAdam', 'RowWiseAdagrad', 'SGD']
    """
    found = [name for name, value in globals().items() if isinstance(value, type) and issubclass(value, RowSparse)]
    return sorted(name for name in found if name != "RowSparse")


def of(optimizer: keras.optimizers.Optimizer, variable: Any) -> keras.optimizers.Optimizer:
    """Returns what updates a variable: the optimizer, or one of its parts."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return of(optimizer.inner_optimizer, variable)
    return optimizer.of(variable) if isinstance(optimizer, Parts) else optimizer


def makes_dense(optimizer: keras.optimizers.Optimizer) -> bool:
    """Tells whether an optimizer reads and writes every row of a table at every step, as those of Keras do."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return makes_dense(optimizer.inner_optimizer)
    if isinstance(optimizer, Parts):
        return any(map(makes_dense, (optimizer.rest, *optimizer.parts.values())))
    return not isinstance(optimizer, RowSparse)


def get(name: str, learning_rate: Any = None, who: str = "--optimizer") -> keras.optimizers.Optimizer:
    """Returns a new optimizer by its name, or from a file of one's own.

    Args:
        name: One of `names()`, or "file.py:NAME", where NAME is an optimizer's class or a function that makes one.
        learning_rate: A number or a Keras schedule; None is the optimizer's own.
        who: The flag or field that asks, which begins the sentence of a refusal.

    Raises:
        Refusal: There is no such optimizer, or what the file has is none.
    """
    if ".py:" in name:
        made = _from_file(name, who)
    elif name in names():
        made = globals()[name]
    else:
        ending = nearest(name, names()) or f"; there are {', '.join(names())}, or give FILE.py:NAME."
        raise Refusal(f"{who}: there is no optimizer '{name}'{ending}")
    optimizer = made() if learning_rate is None else made(learning_rate=learning_rate)
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise Refusal(f"{who}: {name} makes no Keras optimizer, but {optimizer!r}.")
    return optimizer


def _from_file(name: str, who: str) -> Any:
    path, _, attribute = name.rpartition(":")
    module = module_of(path, who, "FILE.py:NAME")
    found = getattr(module, attribute, None)
    ending = nearest(attribute, set(vars(module)) - {attribute}) or "."
    if not callable(found):
        raise Refusal(f"{who}: {path} has no class or function {attribute}{ending}")
    return found
