"""Logits of two models held against each other on a person's own rows: how far apart, where, and by which column."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.errors import Refusal, nearest
from trainer.feature_column import FeatureColumn, WeightedCategoricalColumn
from trainer.feature_column.nested import nested
from trainer.feature_column.sequence import is_sequence
from trainer.migration.agreement_report import Agreement, Array, ColumnApart, RowApart
from trainer.migration.rows import as_tensors, batch_of, row_of, rows_at
from trainer.terminal import listed

Side = Callable[[Mapping[str, Any]], Any]
"""Raw features by key, dense and ragged tensors, to logits `(rows, units)`."""

BATCH = 4096
"""The most rows that a side is given at once."""

ROWS_OF_COLUMNS = 1000
"""The most rows, those that differ most, on which columns are told apart."""

WHO = "agreement"


def held_against(
    theirs: Side,
    ours: Side,
    features: Mapping[str, Any] | Iterable[Mapping[str, Any]],
    columns: Sequence[FeatureColumn],
    *,
    compared: str = "logits",
    tolerance: float = 1e-5,
) -> Agreement:
    """Returns how far the logits of two models are apart on the same rows, and which columns they differ by.

    A column is told apart by rows in which its raw features alone are those of rows that differ most, and all others
    those of one row on which the models agree best. Features that go together, such as values and their weights, stay
    together. All of that takes, beside the rows themselves, a thousand rows a column.

    Args:
        theirs: Of the old model, as `OldExport.logits`.
        ours: Of the new one.
        features: Raw features by key of all rows, or batch after batch of them; memory holds one batch.
        columns: Ours of the new model.
        compared: What both sides give, in words.
        tolerance: How far logits may be apart, and how far in shares of themselves where they are above 1.

    Raises:
        Refusal: There are no rows, a column reads a feature that is not there, or the sides give logits of two shapes.

    Example:
        >>> from trainer import feature_column as fc
        >>> def ours(features):
        ...     return features["hour"][:, None] / 10
        >>> def theirs(features):
        ...     return (features["hour"][:, None] + features["late"][:, None]) / 10
        >>> rows = {"hour": tf.constant([1.0, 2.0]), "late": tf.constant([0.0, 3.0])}
        >>> found = held_against(theirs, ours, rows, [fc.numeric_column("hour"), fc.numeric_column("late")])
        >>> print(str(found).splitlines()[0])
        2 rows: logits differ by up to 0.3, in 1 row by more than 1e-05; to blame: column late.
    """
    both, seen = _Both(theirs, ours, tolerance), _Seen()
    for part in _parts(features):
        _check_keys(part, columns)
        seen.add(part, both(part))
    if not seen.differences:
        raise Refusal(f"{WHO}: there are no rows to compare; give at least one.")
    found, blamed = _told_apart(both, seen, columns)
    differences, over = np.concatenate(seen.differences), np.concatenate(seen.over)
    return Agreement(compared, tolerance, differences, over, seen.worst, found, blamed)


@dataclass(frozen=True, eq=False)
class _Logits:
    """What both sides make of the same rows.

    Args:
        theirs: `(rows, units)`.
        ours: As many.
        apart: Their logits less ours; 0 where both are no number, inf where one is.
        over: Which rows are over the tolerance, `(rows,)`.
    """

    theirs: Array
    ours: Array
    apart: Array
    over: Array


class _Both:
    """Both sides, run on the same rows."""

    def __init__(self, theirs: Side, ours: Side, tolerance: float) -> None:
        self._theirs, self._ours, self._tolerance = theirs, ours, tolerance

    def __call__(self, features: Mapping[str, Any], base: Array | None = None) -> _Logits:
        """Returns what they make of rows.

        Args:
            features: Of the rows.
            base: What they are apart anyway, `(units,)`; None is nothing.
        """
        theirs, ours = (np.asarray(side(features), np.float64) for side in (self._theirs, self._ours))
        if theirs.shape != ours.shape:
            raise Refusal(
                f"{WHO}: the old model gives logits of shape {theirs.shape} and the new one of {ours.shape}; hold "
                "models of the same head against each other."
            )
        apart = _less(theirs, ours) if base is None else _less(_less(theirs, ours), base)
        limits = self._tolerance * np.maximum(1, np.where(np.isfinite(theirs), np.abs(theirs), 1))
        return _Logits(theirs, ours, apart, np.asarray((np.abs(apart) > limits).any(axis=1)))


def _less(one: Array, two: Array) -> Array:
    """Returns one less the other: 0 where both are the same, no numbers too, and inf where one alone is no number."""
    with np.errstate(invalid="ignore"):
        found = np.where((one == two) | (np.isnan(one) & np.isnan(two)), 0.0, one - two)
    return np.where(np.isnan(found), np.inf, found)


class _Seen:
    """What is kept of rows, batch after batch."""

    def __init__(self) -> None:
        self.differences: list[Array] = []
        self.over: list[Array] = []
        self.worst: RowApart
        self.base: dict[str, Any] = {}
        self.base_apart: Array = np.zeros(0)
        self.rows: dict[str, Any] = {}
        self._kept: Array = np.zeros(0)
        self._count, self._largest, self._smallest = 0, -np.inf, np.inf

    def add(self, features: Mapping[str, Any], logits: _Logits) -> None:
        """Takes some rows."""
        differences = np.abs(logits.apart).max(axis=1)
        worst, best = int(differences.argmax()), int(differences.argmin())
        if differences[worst] > self._largest:
            raw = row_of(features, worst)
            self.worst = RowApart(self._count + worst, raw, logits.theirs[worst], logits.ours[worst])
            self._largest = float(differences[worst])
        if not self.differences or differences[best] < self._smallest:
            self.base, self.base_apart = rows_at(features, [best]), logits.apart[best]
            self._smallest = float(differences[best])
        self._keep(features, differences)
        self.differences.append(differences)
        self.over.append(logits.over)
        self._count += len(differences)

    def _keep(self, features: Mapping[str, Any], differences: Array) -> None:
        """Keeps the rows that differ most, on which columns are told apart."""
        kept = np.argsort(-differences, kind="stable")[:ROWS_OF_COLUMNS]
        features, differences = rows_at(features, kept), differences[kept]
        if self.rows:
            both = np.concatenate([self._kept, differences])
            kept = np.argsort(-both, kind="stable")[:ROWS_OF_COLUMNS]
            joined = {key: tf.concat([self.rows[key], values], axis=0) for key, values in features.items()}
            features, differences = rows_at(joined, kept), both[kept]
        self.rows, self._kept = features, differences


def _parts(features: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for batch in [features] if isinstance(features, Mapping) else features:
        tensors = as_tensors(batch)
        rows = batch_of(next(iter(tensors.values()))) if tensors else 0
        for start in range(0, rows, BATCH):
            yield {key: values[start : start + BATCH] for key, values in tensors.items()}


def _check_keys(features: Mapping[str, Any], columns: Sequence[FeatureColumn]) -> None:
    for column in columns:
        for key in column.raw_features:
            if key not in features:
                told = nearest(key, features) or f"; there are {listed(sorted(features))}."
                raise Refusal(f"{WHO}: feature '{key}' is wanted by column '{column.name}' and is not there{told}")


def _told_apart(
    both: _Both, seen: _Seen, columns: Sequence[FeatureColumn]
) -> tuple[tuple[ColumnApart, ...], tuple[str, ...]]:
    """Returns how far the sides are apart by each column, and which columns are to blame."""
    ties = _ties(columns)
    names = {column.name: _with_ties(frozenset(column.raw_features), ties) for column in columns}

    @cache
    def alone(keys: frozenset[str]) -> _Logits:
        of_base = rows_at(seen.base, np.zeros(batch_of(next(iter(seen.rows.values()))), np.int64))
        return both({key: seen.rows[key] if key in keys else of_base[key] for key in of_base}, seen.base_apart)

    def of(name: str, keys: frozenset[str]) -> ColumnApart:
        found = alone(keys)
        return ColumnApart(name, tuple(sorted(keys)), float(np.abs(found.apart).max()), int(found.over.sum()))

    found = tuple(of(name, keys) for name, keys in names.items())
    differing = {column.name: names[column.name] for column in found if column.over}
    single = {_with_ties(frozenset([key]), ties) for keys in differing.values() for key in keys}
    return found, _blamed(differing, {key for keys in single if alone(keys).over.any() for key in keys})


def _blamed(columns: Mapping[str, frozenset[str]], keys: Collection[str]) -> tuple[str, ...]:
    """Returns the fewest columns that read what makes a difference, and least besides.

    Args:
        columns: The keys of those that differ, by name.
        keys: Those that make a difference alone.

    Example:
        >>> columns = {"day": frozenset(["day"]), "hour": frozenset(["hour"]), "both": frozenset(["day", "hour"])}
        >>> _blamed(columns, {"day"}), _blamed(columns, {"day", "hour"})
        (('day',), ('both',))
    """
    if not keys:  # they differ together alone
        return tuple(columns)
    left, found = frozenset(keys), list[str]()
    while left:
        shares = {name: len(own & left) / len(own | left) for name, own in columns.items()}
        best = max(shares.values(), default=0.0)
        if not best:
            break
        taken = [name for name, share in shares.items() if share == best]
        found += taken
        left -= frozenset(key for name in taken for key in columns[name])
    return tuple(name for name in columns if name in found)


def _ties(columns: Sequence[FeatureColumn]) -> list[frozenset[str]]:
    """Returns the keys that only go together: of values and their weights, and of sequences."""
    parts = [part for column in columns for part in nested(column)]
    ties = [frozenset(part.raw_features) for part in parts if isinstance(part, WeightedCategoricalColumn)]
    steps = frozenset(key for column in columns if is_sequence(column) for key in column.raw_features)
    return [*ties, *([steps] if steps else [])]


def _with_ties(keys: frozenset[str], ties: Sequence[frozenset[str]]) -> frozenset[str]:
    for _ in ties:  # each time, one more may be reached through another
        keys = keys.union(*(tie for tie in ties if tie & keys))
    return keys
