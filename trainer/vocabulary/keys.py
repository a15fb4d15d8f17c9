"""The keys that a hashed column meets in data, counted, and the ids that its hash gives them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from trainer.errors import Refusal
from trainer.feature_column import CrossedColumn, FeatureColumn, HashBucketColumn
from trainer.feature_column.nested import is_learned
from trainer.vocabulary.bags import batches_of
from trainer.vocabulary.hashed import Hashed, HashedCross, HashedFeature, Ids
from trainer.vocabulary.shared_ids import Collisions, SharedId
from trainer.vocabulary.sharing import WANTED_SHARE, is_shared, shared_share, sufficient_size
from trainer.vocabulary.tally import Tally

HashedColumn = CrossedColumn | HashBucketColumn

WITHOUT_DATA = 10_000_000
"""The most combinations of a cross that are counted when no data are given."""

NAMED = 5
"""The most keys of a bucket that are named."""


@dataclass(frozen=True, eq=False)
class Met:
    """The different keys that a hash was given.

    Args:
        keys: As the hash takes them, Arrow arrays side by side.
        rows: Of each key.
        ids: The bucket of each.
    """

    keys: Sequence[Any]
    rows: Ids
    ids: Ids


def collisions(column: FeatureColumn, data: Any = None) -> Collisions:
    """Counts the keys of a hashed column, or of a hashed cross, that share an id.

    Args:
        column: A hashed column or cross, or a column on one: an embedding, an indicator, with weights, a sequence.
        data: Raw features by key, as an iterable of batches or one batch; of a batch in a tuple, as
            `(features, label)`, the first is taken. None counts each possible combination of a cross of bounded
            columns as one row.

    Raises:
        Refusal: The column hashes nothing, the data have no value of it, or they are needed and not given.

    Example:
        >>> from trainer import feature_column as fc
        >>> tail = fc.categorical_column_with_hash_bucket("tail", 6)
        >>> print(collisions(tail, {"tail": ["N14228", "N24211", "N619AA", "N14228"]}))
        tail: 3 keys share 2 of 6 buckets; 75 % of the rows share theirs with other keys.
        hash_bucket_size=10 would bring it under 1 %, a vocabulary to 0.
          bucket 3: N14228 (2), N24211 (1)
    """
    if data is None:
        hashed_column = _hashed_column(column)
        keys = [pa.array(ids.reshape(-1)) for ids in np.indices(_sizes(hashed_column))]
        hashed = _hashed(hashed_column)
        ones = np.ones(len(keys[0]), np.int64)
        return _found(hashed_column, hashed, Met(keys, ones, hashed.ids(keys, hashed_column.num_buckets)), "keys")
    counts = KeyCounts(column)
    for batch in batches_of("collisions", data):
        counts.update(batch)
    return counts.collisions()


class KeyCounts:
    """How often each key of a hashed column, or of a hashed cross, was met; several values an example count each.

    Args:
        column: The column, or one on it.
        most: The different keys from about which on none is counted any more, so that memory has a bound; None counts
            all.

    Raises:
        Refusal: The column hashes nothing, or needs data itself.

    Example:
        >>> from trainer import feature_column as fc
        >>> counts = KeyCounts(fc.categorical_column_with_hash_bucket("tail", 1000))
        >>> counts.update({"tail": ["N14228", "N24211"]})
        >>> counts.update({"tail": ["N14228", ""]})
        >>> counts.collisions().line
        'tail: 0 % of the rows share a bucket with other keys (2 keys in 2 of 1,000 buckets)'
    """

    def __init__(self, column: FeatureColumn, most: int | None = None) -> None:
        self._column, self._most = _hashed_column(column), most
        self._hashed = _hashed(self._column)
        self._tally = Tally()
        self._met: Met | None = None
        self.met_any = False
        self.is_over = False

    def update(self, batch: Mapping[str, Any]) -> None:
        """Counts the keys of one batch of raw features.

        Raises:
            Refusal: A feature is not there or of the wrong kind.
        """
        if self.is_over:
            return
        keys, rows = self._hashed.counted(batch)
        if len(keys[0]):
            self.met_any = True
            self._met = None
            self._tally.add(*keys, rows=rows)
        if self._most is not None and self._tally.size > self._most:
            self.is_over, self._tally, self._met = True, Tally(), None

    def saved(self) -> Any:
        """Returns what was counted, as an Arrow table that `restore` takes."""
        keys, rows = self._tally.counted()
        return pa.table([*keys, pa.array(rows)], names=[*map(str, range(len(keys))), "rows"])

    def restore(self, table: Any) -> None:
        """Counts what an Arrow table of `saved` has."""
        *keys, rows = (column.combine_chunks() for column in table.columns)
        if len(rows):
            self.met_any, self._met = True, None
            self._tally.add(*keys, rows=rows.to_numpy())

    @property
    def column(self) -> HashedColumn:
        """The hashed column, or the hashed cross, whose keys are counted."""
        return self._column

    def collisions(self, most: int | None = None) -> Collisions:
        """Returns which of the keys met so far share an id.

        Args:
            most: How many of the shared ids are named, those with the most rows; None names all, however many.

        Raises:
            Refusal: None was met.
        """
        if not self.met_any:
            raise Refusal(f"collisions: the data have no value of '{self._column.name}'; give data that have some.")
        return _found(self._column, self._hashed, self.met(), "rows", most)

    def met(self) -> Met:
        """Returns the keys met so far with their ids, worked out once for as long as no others come."""
        if self._met is None:
            keys, rows = self._tally.counted()
            if len(rows):
                resolved = Tally()
                resolved.add(*self._hashed.resolved(keys), rows=rows)
                keys, rows = resolved.counted()
            ids = self._hashed.ids(keys, self._column.num_buckets) if len(rows) else np.array([], np.int64)
            self._met = Met(keys, rows, ids)
        return self._met

    def labels(self, places: Ids) -> list[str]:
        """Returns what a person calls the keys at some places of `met`."""
        return self._hashed.labels([key.take(pa.array(places)) for key in self.met().keys]) if len(places) else []


def texts_of_buckets(counted: Sequence[KeyCounts]) -> list[str]:
    """Returns for each bucket which keys share it, as one text; '' where none was met.

    Args:
        counted: The keys of the columns that share the buckets, or of the one that has them; each column hashes in its
            own way, and keys of one label in one bucket are one key.

    Returns:
        `(hash_bucket_size,)` texts, as "ATL" or "ATL, SFO": the most frequent key first, or the first that came;
        of more than five keys the first five and how many others there are, "ATL, SFO, JFK, LAX, ORD, … (+3)".

    Example:
        >>> from trainer import feature_column as fc
        >>> counts = KeyCounts(fc.categorical_column_with_hash_bucket("tail", 4))
        >>> counts.update({"tail": ["N14228", "N619AA", "N24211", "N619AA"]})
        >>> texts_of_buckets([counts])
        ['N619AA', '', '', 'N14228, N24211']
    """
    size = counted[0].column.num_buckets
    if len(counted) == 1:
        met = counted[0].met()
        return _texts(size, met.ids, met.rows, counted[0].labels)
    tally = Tally()
    for keys in counted:
        met = keys.met()
        labels = [text.encode("utf-8", "surrogatepass") for text in keys.labels(np.arange(len(met.rows)))]
        tally.add(pa.array(met.ids), pa.array(labels, pa.binary()), rows=met.rows)
    (ids, texts), rows = tally.counted()

    def labels_of(places: Ids) -> list[str]:
        return [text.decode("utf-8", "surrogatepass") for text in texts.take(pa.array(places)).to_pylist()]

    return _texts(size, ids.to_numpy(), rows, labels_of)


def _texts(size: int, ids: Ids, rows: Ids, labels_of: Callable[[Ids], list[str]]) -> list[str]:
    found = np.full(size, "", object)
    order = np.lexsort((-rows, ids))  # by id, the most frequent first, then as they came
    ids, first, keys = np.unique(ids[order], return_index=True, return_counts=True)
    for rank in range(NAMED):
        others = keys > rank
        labels = labels_of(order[first[others] + rank])
        found[ids[others]] += (", " if rank else "") + np.array(labels, object)
    more = keys > NAMED
    found[ids[more]] += [f", … (+{count:,})" for count in (keys[more] - NAMED).tolist()]
    return found.tolist()


def _hashed_column(column: FeatureColumn) -> HashedColumn:
    while isinstance(inner := getattr(column, "categorical_column", None), FeatureColumn):
        column = inner
    if isinstance(column, CrossedColumn) and column.is_bounded:
        raise Refusal(
            f"collisions: '{column.name}' is an exact cross, in which no two keys share an id; give a hashed column."
        )
    if not isinstance(column, (CrossedColumn, HashBucketColumn)):
        name = getattr(column, "name", column)
        raise Refusal(f"collisions: a hashed column or a hashed cross is wanted, and {name!r} hashes nothing.")
    if not is_learned(column):
        raise Refusal(
            f"collisions: '{column.name}' crosses values of data that were not read yet; call "
            "vocabulary.learned(columns, batches) first."
        )
    return column


def _hashed(column: HashedColumn) -> Hashed:
    if isinstance(column, CrossedColumn):
        return HashedCross(column)
    return HashedFeature(column)


def _found(column: HashedColumn, hashed: Hashed, met: Met, counted: str, most: int | None = None) -> Collisions:
    size = column.num_buckets
    keys, rows, ids = met.keys, met.rows, met.ids
    share = shared_share(ids, rows)
    enough = share < WANTED_SHARE
    return Collisions(
        column=column.name,
        size=size,
        counted=counted,
        rows=int(rows.sum()),
        distinct_keys=len(rows),
        distinct_ids=len(np.unique(ids)),
        shared=_shared(hashed, keys, ids, rows, most),
        shared_share=share,
        size_for_one_percent=size
        if enough
        else sufficient_size(size, len(rows), lambda other: shared_share(hashed.ids(keys, other), rows)),
        without_sharing=hashed.without_sharing,
    )


def _shared(hashed: Hashed, keys: Sequence[Any], ids: Ids, rows: Ids, most: int | None) -> tuple[SharedId, ...]:
    places = np.flatnonzero(is_shared(ids))
    places = places[np.lexsort((-rows[places], ids[places]))]  # by id, the most frequent first, then as they came
    found, first = np.unique(ids[places], return_index=True)
    if not len(found):
        return ()
    last = np.append(first[1:], len(places))
    order = np.argsort(-np.add.reduceat(rows[places], first), kind="stable")[:most]
    shared = []
    for number in order.tolist():
        group = places[first[number] : last[number]]
        labels = hashed.labels([key.take(pa.array(group)) for key in keys])
        shared.append(SharedId(int(found[number]), tuple(zip(labels, rows[group].tolist(), strict=True))))
    return tuple(shared)


def _sizes(column: HashedColumn) -> list[int]:
    give = "give data=, one batch of raw features or an iterable of them."
    if not isinstance(column, CrossedColumn):
        raise Refusal(f"collisions: the values of the hashed column '{column.name}' are in data alone; {give}")
    for leaf in column.leaves:
        if isinstance(leaf, str):
            raise Refusal(
                f"collisions: '{column.name}' crosses the raw key '{leaf}', whose values are in data alone; {give}"
            )
    sizes = [leaf.num_buckets for leaf in column.leaves if not isinstance(leaf, str)]
    if math.prod(sizes) > WITHOUT_DATA:
        raise Refusal(
            f"collisions: '{column.name}' has {math.prod(sizes):,} combinations, over the {WITHOUT_DATA:,} that are "
            f"counted without data; {give}"
        )
    return sizes
