"""A problem's three sets, encoded and in memory: train, validation, test."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.errors import Refusal
from trainer.inputs.examples import Source
from trainer.inputs.memory import Encode, Examples, Values, collect, encoded, joined
from trainer.problem import ByValue, EveryNthBlock, Share


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


class HoldOut:
    """Tells which training rows are validation, batch after batch in their order.

    Args:
        how: As the problem says it.
    """

    def __init__(self, how: EveryNthBlock | ByValue | Share) -> None:
        self.how = how
        self.keys = [how.key] if isinstance(how, (EveryNthBlock, ByValue)) else []
        self._rows, self._blocks, self._last = 0, 0, None

    def __call__(self, raw: dict[str, Any], rows: int) -> np.ndarray[Any, Any]:
        """Returns a mask of the next rows, `(rows,)`.

        Args:
            raw: The raw features named in `keys`.
            rows: How many rows come next.
        """
        places = np.arange(self._rows, self._rows + rows, dtype=np.uint64)
        self._rows += rows
        if isinstance(self.how, Share):
            # A fixed hash of the row's place: the same rows whatever the seed of the run.
            draws = places * np.uint64(0x9E3779B97F4A7C15)
            return (draws >> np.uint64(11)).astype(np.float64) / 2.0**53 < self.how.share
        values = np.asarray(raw[self.how.key])
        values = values if values.ndim == 1 else values.reshape(rows, -1)[:, 0]
        if isinstance(self.how, ByValue):
            wanted = [value.encode() if isinstance(value, str) else value for value in self.how.values]
            return np.isin(values, np.asarray(wanted, dtype=values.dtype))
        return self._blocks_of(values) % self.how.n == self.how.n - 1

    def _blocks_of(self, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if not len(values):
            return np.zeros(0, np.int64)
        first = self._last is not None and values[0] != self._last
        blocks = self._blocks + np.cumsum(np.concatenate([[first], values[1:] != values[:-1]]))
        self._blocks, self._last = int(blocks[-1]), values[-1]
        return np.asarray(blocks)


def read(source: Source, encode: Encode | None, outside: Encode | None = None) -> Data:
    """Returns a problem's data, with validation split off as the problem says where it is not given.

    Args:
        source: The problem's data set.
        encode: Raw features to encoded ones; None keeps them raw.
        outside: Raw features to which examples hold a value in no vocabulary of a table, by its name.

    Raises:
        Refusal: No training or no validation example is left.
    """

    def whole(split: str) -> Examples:
        return collect(source.batches(split), encode, outside)

    if source.has_validation:
        learned, judged = whole("train"), whole("validation")
        return Data(learned, judged, lambda: whole("test"), _digest(learned, judged))
    hold_out = HoldOut(source.problem.validation)
    train, validation = [], []
    for part, raw in encoded(source.batches("train"), encode, outside, hold_out.keys):
        mask = hold_out(raw, len(part))
        train.append(part.subset(~mask))
        validation.append(part.subset(mask))
    learned, judged = joined(train), joined(validation)
    if not len(learned) or not len(judged):
        raise Refusal(
            f"Problem: validation {hold_out.how} holds out {len(judged):,} of {len(learned) + len(judged):,} training "
            "rows; some must be left on both sides."
        )
    return Data(learned, judged, lambda: whole("test"), _digest(learned, judged))


def training_rows(source: Source) -> Iterator[dict[str, Any]]:
    """Yields the raw features of the training rows in batches, without those held out for validation."""
    if source.has_validation:
        yield from (part.features for part, _ in encoded(source.batches("train"), None))
        return
    hold_out = HoldOut(source.problem.validation)
    for part, raw in encoded(source.batches("train"), None, also=hold_out.keys):
        yield part.subset(~hold_out(raw, len(part))).features


def _digest(*sets: Examples) -> str:
    total = hashlib.sha256()
    for examples in sets:
        features = [examples.features[key] for key in sorted(examples.features)]
        for values in (*features, examples.labels, examples.weights):
            total.update(_bytes(values))
    return total.hexdigest()[:16]


def _bytes(values: Values) -> bytes:
    if isinstance(values, tf.RaggedTensor):
        return _bytes(values.flat_values.numpy()) + _bytes(values.row_splits.numpy())
    return b"\0".join(values.reshape(-1)) if values.dtype == object else np.ascontiguousarray(values).tobytes()
