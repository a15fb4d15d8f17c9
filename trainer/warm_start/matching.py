"""Which row of a source each row of a table takes, by what the rows stand for."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.errors import Refusal
from trainer.tables import difference
from trainer.warm_start.keys import LABELS, Combinations, Keys, Opaque, Values, label_values
from trainer.warm_start.texts import NONE, hashes, positions

Ids = np.ndarray[Any, np.dtype[np.int64]]
NO_ROWS: Ids = np.zeros(0, np.int64)
INITIALIZER, MEAN, UNSEEN = "initializer", "mean", "out_of_vocabulary"


@dataclass(frozen=True, eq=False)
class Matches:
    """The rows there that each row here is made of.

    Args:
        ids: `(rows,)`: the row there; -1 is none.
        matched: `(rows,)`: whether the row's own key was found there.
        several: Rows here, `(n,)`, and the rows there, `(n, k)`, whose mean each of them is; -1 is none.
    """

    ids: Ids
    matched: np.ndarray[Any, np.dtype[np.bool_]]
    several: tuple[Ids, Ids] = (NO_ROWS, NO_ROWS[:, np.newaxis])

    @property
    def new(self) -> Ids:
        """The rows here that take none there, `(n,)`."""
        return np.flatnonzero(self.ids < 0)

    @property
    def taken(self) -> Ids:
        """The rows there that rows here take, each any number of times."""
        some = np.concatenate([self.ids, self.several[1].reshape(-1)])
        return some[some >= 0]

    def keep_places(self, rows: int) -> bool:
        """Tells whether every row takes the row of its own place among so many, and no other."""
        return len(self.ids) == rows and not len(self.several[0]) and bool((self.ids == np.arange(rows)).all())


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
    return Matches(np.arange(rows), np.ones(rows, bool))


def _of_values(there: Values, here: Values, unseen: bool) -> Matches:
    if there.kind == here.kind and there.context != here.context:
        raise Refusal("another normalizer_fn or width before the boundaries there than here")
    if there.kind == here.kind == "identity":
        ids = np.arange(here.size)
        ids = np.where(ids < there.size, ids, NONE)
    else:
        with ThreadPoolExecutor(2) as pool:  # one side may come from a file
            ids = positions(*pool.map(_hashes, (there, here), (here, there)))
    buckets = _unseen(there, here)  # (buckets here, k)
    first = buckets[:, 0] if buckets.shape[1] else np.full(here.unseen, NONE, np.int64)
    found = np.concatenate([ids, first])
    matched = found >= 0
    if unseen and there.unseen and not matched[: here.size].all():
        new = np.flatnonzero(ids < 0)
        found[new] = there.size + _buckets(here.texts.take(pa.array(new)), there.unseen)
    if buckets.shape[1] < 2:
        return Matches(found, matched)
    return Matches(found, matched, (np.arange(here.size, here.rows), buckets))


def _hashes(keys: Values, other: Values) -> Ids:
    texts = keys.texts
    if keys.kind == LABELS and other.kind == "identity":  # a label has zeros before it, so that labels sort as numbers
        texts = pc.replace_substring_regex(texts, "^0+([0-9]+)$", r"\1")
    return hashes(texts)


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
    order = _order(there.parts, here.parts)
    strides = np.cumprod([1, *(part.rows for part in reversed(there.parts))])[-2::-1]
    found, ids, matched = [], np.zeros(1, np.int64), np.ones(1, bool)
    for part, place in zip(here.parts, order, strict=True):
        try:
            found.append(_of_values(there.parts[place], part, unseen))
        except Refusal as refusal:
            raise Refusal(f"key '{part.name}' has {refusal}") from None
        ids = _added(ids[:, np.newaxis], found[-1].ids[np.newaxis], strides[place]).reshape(-1)
        matched = (matched[:, np.newaxis] & found[-1].matched[np.newaxis]).reshape(-1)
    rows = np.flatnonzero(_has_several(found, [part.rows for part in here.parts]))
    if not len(rows):
        return Matches(ids, matched)
    several = np.zeros((len(rows), 1), np.int64)
    places = np.unravel_index(rows, [part.rows for part in here.parts])
    for one, of_part, place in zip(found, places, order, strict=True):
        candidates = _candidates(one, of_part)  # (n, k)
        several = _added(several[:, :, np.newaxis], candidates[:, np.newaxis], strides[place]).reshape(len(rows), -1)
    return Matches(ids, matched, (rows, several))


def _added(left: Ids, right: Ids, stride: int) -> Ids:
    return np.asarray(np.where((left < 0) | (right < 0), NONE, left + right * stride))


def _has_several(found: Sequence[Matches], sizes: Sequence[int]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tells for each combination whether one of its parts is made of several rows there."""
    has = np.zeros(1, bool)
    for one, size in zip(found, sizes, strict=True):
        own = np.zeros(size, bool)
        own[one.several[0]] = True
        has = (has[:, np.newaxis] | own[np.newaxis]).reshape(-1)
    return has


def _candidates(found: Matches, rows: Ids) -> Ids:
    """Returns the rows there that rows here are made of, `(n, k)`."""
    own, ids = found.several
    made = np.full((len(rows), max(1, ids.shape[1])), NONE, np.int64)
    made[:, 0] = found.ids[rows]
    if len(own):
        several = rows >= own[0]  # those out of the vocabulary come last
        made[several] = ids[rows[several] - own[0]]
    return made


def _order(there: Sequence[Values], here: Sequence[Values]) -> list[int]:
    """Returns for each key here its place there: that of its own name, or its own place where another key is the same.

    Raises:
        Refusal: A key here has no counterpart.
    """
    names, ours = [part.name for part in there], [part.name for part in here]
    order = []
    for place, part in enumerate(here):
        if part.name in names:
            order.append(names.index(part.name))
        elif place < len(there) and names[place] not in ours and _alike(there[place], part):
            order.append(place)
    if len(there) != len(here) or len(set(order)) != len(here):
        raise Refusal(f"the keys are {', '.join(names)} there, {', '.join(ours)} here")
    return order


def _alike(there: Values, here: Values) -> bool:
    """Tells whether two keys of other names have the same values in the same order."""
    shape = (there.kind, there.size, there.unseen, there.context) == (here.kind, here.size, here.unseen, here.context)
    return shape and (here.kind == "identity" or there.texts.equals(here.texts))


def _example(keys: Keys) -> str:
    if isinstance(keys, Combinations):
        return f"'{next(iter(keys.labels()))}'"
    if isinstance(keys, Values) and keys.size:
        first = keys.texts[0].as_py().decode("utf-8", "replace")
        return f"'{first}'"
    return "none"
