"""What a problem says of how it is trained: rates, averages, losses; checked before any optimizer is made."""

import math
import numbers
from collections.abc import Mapping
from typing import Any

from trainer.errors import Refusal

AFTER_ACTIVATION = "after_activation"
"""Where a hidden layer of TensorFlow's canned Estimators is normalized."""


def check_losses(reduction: Any, batch_norm: Any) -> None:
    """Refuses what a problem cannot say of its losses and of what is normalized over a batch.

    Args:
        reduction: Its `loss_reduction`.
        batch_norm: Its own.

    Raises:
        Refusal: One of them is none.
    """
    if reduction not in ("mean", "sum"):
        raise Refusal(f"Problem: loss_reduction is 'mean' or 'sum', not {reduction!r}.")
    if batch_norm not in (False, True, AFTER_ACTIVATION):
        raise Refusal(f"Problem: batch_norm must be True, False or {AFTER_ACTIVATION!r}, not {batch_norm!r}.")


def check(decay: Any, average: Any, table_optimizers: Any) -> None:
    """Refuses what a problem cannot say of its optimizers.

    Args:
        decay: Its `learning_rate_decay`.
        average: Its `average`.
        table_optimizers: Its own.

    Raises:
        Refusal: One of them is none.
    """
    if decay not in (None, "linear", "cosine"):
        raise Refusal(f"Problem: learning_rate_decay is None, 'linear' or 'cosine', not {decay!r}.")
    if average is not None and not 0 < average < 1:
        raise Refusal(f"Problem: average is a number above 0 and below 1, not {average!r}.")
    if not isinstance(table_optimizers, Mapping):
        raise Refusal(
            f"Problem: table_optimizers is a dictionary by the tables' names, not {type(table_optimizers).__name__}."
        )
    for table, value in table_optimizers.items():
        name, rate = value if isinstance(value, tuple) and len(value) == 2 else (value, 1.0)
        is_rate = isinstance(rate, numbers.Real) and not isinstance(rate, bool) and 0 < float(rate) < math.inf
        if not isinstance(name, str) or not is_rate:
            raise Refusal(
                f"Problem: table_optimizers takes for '{table}' an optimizer's name, or a pair of that and a learning "
                f"rate above 0, not {value!r}."
            )
