"""A problem's three sets, encoded and in memory: train, validation, test."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.errors import Refusal
from trainer.inputs.examples import Source
from trainer.inputs.memory import Encode, Examples, collect, held_out
from trainer.problem import ByValue, EveryNthBlock


@dataclass(frozen=True)
class Data:
    """What training may see, and how to read what it may not.

    Args:
        train: What the model learns from.
        validation: The only data that choices are made on.
        test: Reads the test examples; called once, after the last step.
        digest: 16 hexadecimal digits that differ when the training data differ.
    """

    train: Examples
    validation: Examples
    test: Callable[[], Examples]
    digest: str


def read(source: Source, encode: Encode | None) -> Data:
    """Returns a problem's data, with validation split off as the problem says.

    Args:
        source: The problem's data set.
        encode: Raw features to encoded ones; None keeps them raw.

    Raises:
        Refusal: No training or no validation example is left.
    """
    how = source.problem.validation
    also = [how.key] if isinstance(how, (EveryNthBlock, ByValue)) else []
    examples, raw = collect(source.batches("train"), encode, also)
    mask = held_out(how, raw)
    if mask.all() or not mask.any():
        count = int(mask.sum())
        raise Refusal(
            f"Problem: validation {how} holds out {count:,} of {len(mask):,} training rows; some must be left on both "
            "sides."
        )
    return Data(
        examples.subset(~mask),
        examples.subset(mask),
        lambda: collect(source.batches("test"), encode)[0],
        _digest(examples),
    )


def _digest(examples: Examples) -> str:
    total = hashlib.sha256()
    for array in (*(examples.features[key] for key in sorted(examples.features)), examples.labels, examples.weights):
        total.update(_bytes(array))
    return total.hexdigest()[:16]


def _bytes(array: np.ndarray[Any, Any]) -> bytes:
    return b"\0".join(array.reshape(-1)) if array.dtype == object else np.ascontiguousarray(array).tobytes()
