"""Which row of a source each row of a table takes, by what the rows stand for."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.errors import Refusal
from trainer.tables import difference
from trainer.warm_start.keys import LABELS, Combinations, Keys, Opaque, Values, label_values
from trainer.warm_start.texts import NONE, positions

Ids = np.ndarray[Any, np.dtype[np.int64]]
INITIALIZER, MEAN, UNSEEN = "initializer", "mean", "out_of_vocabulary"


@dataclass(frozen=True, eq=False)
class Matches:
    """The rows there that each row here is made of.

    Args:
        ids: `(rows, k)`: a row here is the mean of these rows there; -1 is none.
        matched: `(rows,)`: whether the row's own key was found there.
    """

    ids: Ids
    matched: np.ndarray[Any, np.dtype[np.bool_]]

    @property
    def new(self) -> Ids:
        """The rows here that take none there, `(n,)`."""
        return np.flatnonzero((self.ids < 0).all(axis=1))

    def keep_places(self, rows: int) -> bool:
        """Tells whether every row takes the row of its own place among so many, and no other."""
        return self.ids.shape == (rows, 1) and bool((self.ids[:, 0] == np.arange(rows)).all())


def matches(there: Keys, here: Keys, on_missing_rows: str) -> Matches:
    """Returns which rows there the rows here take.

    Args:
        there: What the source's rows stand for.
        here: What the table's rows stand for.
        on_missing_rows: With "out_of_vocabulary", a key that is not there takes the row that it had there as one of
            those out of the vocabulary.

    Raises:
        Refusal: What the rows stand for cannot be compared, or no key is on both sides; the sentence is without who
            refuses, and what to do.
    """
    if isinstance(there, Opaque) and isinstance(here, Opaque):
        if other := difference(there.ids, here.ids):
            raise Refusal(other)
        return in_place(here.rows)
    unseen = on_missing_rows == UNSEEN
    if isinstance(there, Combinations) and isinstance(here, Combinations):
        found = _of_combinations(there, here, unseen)
    elif isinstance(there, Values) and isinstance(here, Values):
        found = _of_values(there, here, unseen)
    elif isinstance(there, Values) and there.kind == LABELS:
        found = _of_values(there, label_values(here), unseen)
    elif isinstance(here, Values) and here.kind == LABELS:
        found = _of_values(label_values(there), here, unseen)
    else:
        raise Refusal(f"{there.described} there, {here.described} here")
    if not found.matched.any():
        raise Refusal(f"no key is on both sides: {_example(there)} there, {_example(here)} here")
    return found


def in_place(rows: int) -> Matches:
    """Returns that each row takes the row of its own place."""
    return Matches(np.arange(rows)[:, np.newaxis], np.ones(rows, bool))


def _of_values(there: Values, here: Values, unseen: bool) -> Matches:
    if there.kind == here.kind and there.context != here.context:
        raise Refusal("another normalizer_fn or width before the boundaries there than here")
    if there.kind == here.kind == "identity":
        ids = np.arange(here.size)
        ids = np.where(ids < there.size, ids, NONE)
    else:
        with ThreadPoolExecutor(2) as pool:  # one side may come from a file
            ids = positions(*pool.map(_texts, (there, here), (here, there)))
    buckets = _unseen(there, here)
    found = np.full((here.rows, max(1, buckets.shape[1])), NONE, np.int64)
    found[: here.size, 0], found[here.size :, : buckets.shape[1]] = ids, buckets
    matched = np.asarray((found >= 0).any(axis=1))
    if unseen and there.unseen and not matched[: here.size].all():
        new = np.flatnonzero(ids < 0)
        found[new, 0] = there.size + _buckets(here.texts.take(pa.array(new)), there.unseen)
    return Matches(found, matched)


def _texts(keys: Values, other: Values) -> pa.Array:
    if keys.kind == LABELS and other.kind == "identity":  # a label has zeros before it, so that labels sort as numbers
        return pc.replace_substring_regex(keys.texts, "^0+([0-9]+)$", r"\1")
    return keys.texts


def _unseen(there: Values, here: Values) -> Ids:
    """Returns the rows there whose values a bucket of unseen ones here can hold, `(buckets here, k)`.

    A value is in bucket `hash % n`, so two buckets can hold one value where they are equal modulo the greatest common
    divisor of the two numbers of buckets.
    """
    if not there.unseen or not here.unseen:
        return np.full((here.unseen, 0), NONE, np.int64)
    divisor = math.gcd(there.unseen, here.unseen)
    first = np.arange(here.unseen) % divisor
    return np.asarray(there.size + first[:, np.newaxis] + np.arange(0, there.unseen, divisor)[np.newaxis])


def _buckets(texts: pa.Array, count: int) -> Ids:
    import tensorflow as tf

    with tf.init_scope():
        return np.asarray(tf.strings.to_hash_bucket_fast(texts.to_pylist(), count))


def _of_combinations(there: Combinations, here: Combinations, unseen: bool) -> Matches:
    order = _order([part.name for part in there.parts], [part.name for part in here.parts])
    strides = np.cumprod([1, *(part.rows for part in reversed(there.parts))])[-2::-1]
    ids, matched = np.zeros((1, 1), np.int64), np.ones(1, bool)
    for part, place in zip(here.parts, order, strict=True):
        try:
            found = _of_values(there.parts[place], part, unseen)
        except Refusal as refusal:
            raise Refusal(f"key '{part.name}' has {refusal}") from None
        addend = np.where(found.ids < 0, NONE, found.ids * strides[place])
        left, right = ids[:, np.newaxis, :, np.newaxis], addend[np.newaxis, :, np.newaxis, :]
        total = np.where((left < 0) | (right < 0), NONE, left + right)  # (rows, part's rows, k, part's k)
        ids = total.reshape(total.shape[0] * total.shape[1], -1)
        matched = (matched[:, np.newaxis] & found.matched[np.newaxis]).reshape(-1)
    return Matches(ids, matched)


def _order(there: list[str], here: list[str]) -> list[int]:
    """Returns for each key here its place there: that of its own name, else the one that is left in order."""
    if len(there) != len(here):
        raise Refusal(f"the keys are {', '.join(there)} there, {', '.join(here)} here")
    free = [place for place, name in enumerate(there) if name not in here]
    if sum(name not in there for name in here) != len(free):
        raise Refusal(f"the keys are {', '.join(there)} there, {', '.join(here)} here")
    rest = iter(free)
    return [there.index(name) if name in there else next(rest) for name in here]


def _example(keys: Keys) -> str:
    if isinstance(keys, Combinations):
        return f"'{next(iter(keys.labels()))}'"
    if isinstance(keys, Values) and keys.size:
        first = keys.texts[0].as_py().decode("utf-8", "replace")
        return f"'{first}'"
    return "none"
