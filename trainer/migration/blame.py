"""Which columns two models differ by: one column's raw features at a time come from rows that differ."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.feature_column import FeatureColumn, WeightedCategoricalColumn
from trainer.feature_column.nested import nested
from trainer.feature_column.sequence import is_sequence
from trainer.migration.agreement_report import ColumnApart, RowApart
from trainer.migration.logits import Array, Both, Logits
from trainer.migration.rows import row_of, rows_at

ROWS = 1000
"""The most rows, those that differ most, by which columns are told apart."""

BASES = 8
"""The most rows that all other features are of. One alone may have units that are dead in both models, or agree by
chance; what columns make beside most of them is theirs."""


@dataclass
class Best:
    """The first rows by an order, batch after batch.

    Args:
        most: How many there may be.
        features: Of them.
        apart: How far their logits are apart, `(rows, units)`.
        order: What they are ordered by, the smallest first; of several alike, the earliest.
    """

    most: int
    features: dict[str, Any] = field(default_factory=dict)
    apart: Array = field(default_factory=lambda: np.zeros(0))
    order: Array = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        return len(self.order)

    def add(self, features: Mapping[str, Any], apart: Array, order: Array) -> None:
        """Takes some rows, and lets those go that are no longer among the first."""
        kept = np.argsort(order, kind="stable")[: self.most]
        features, apart, order = rows_at(features, kept), apart[kept], order[kept]
        if self.features:
            features = {key: tf.concat([self.features[key], values], axis=0) for key, values in features.items()}
            apart, order = np.concatenate([self.apart, apart]), np.concatenate([self.order, order])
            kept = np.argsort(order, kind="stable")[: self.most]
            features, apart, order = rows_at(features, kept), apart[kept], order[kept]
        self.features, self.apart, self.order = features, apart, order


class Kept:
    """What is kept of all rows."""

    def __init__(self) -> None:
        self.differing, self.agreeing = Best(ROWS), Best(BASES)
        self.worst: RowApart | None = None
        self.differences: list[Array] = []
        self.over: list[Array] = []
        self._before = 0

    @property
    def agree(self) -> bool:
        """Whether there is a row on which the models agree."""
        return bool((self.agreeing.order == 0).any())

    @property
    def differ(self) -> bool:
        """Whether there is one on which they do not."""
        return any(over.any() for over in self.over)

    def add(self, features: Mapping[str, Any], logits: Logits) -> None:
        """Takes some rows."""
        differences = logits.differences
        place = int(differences.argmax())
        if self.worst is None or differences[place] > self.worst.difference:
            apart = (float(differences[place]), logits.theirs[place], logits.ours[place])
            self.worst = RowApart(self._before + place, row_of(features, place), *apart)
        self.differing.add(features, logits.apart, -differences)
        self.agreeing.add(features, logits.apart, np.where(logits.over, differences, 0))
        self.differences.append(differences)
        self.over.append(logits.over)
        self._before += len(differences)


def told_apart(
    both: Both, kept: Kept, columns: Sequence[FeatureColumn]
) -> tuple[tuple[ColumnApart, ...], tuple[str, ...]]:
    """Returns how far both models are apart by each column, and the names of those that are to blame.

    Args:
        both: The models.
        kept: The rows.
        columns: Those of one name are one.
    """
    ties = _ties(columns)
    names = {column.name: _with_ties(frozenset(column.raw_features), ties) for column in columns}
    alone = cache(lambda keys: _alone(both, kept, keys))
    found = tuple(ColumnApart(name, tuple(sorted(keys)), *alone(keys)) for name, keys in names.items())
    if not kept.differ:
        return found, ()
    # Where no row agrees, a column makes a difference beside rows that are apart by another.
    suspects = {column.name: names[column.name] for column in found if column.differs or not kept.agree}
    single = {_with_ties(frozenset([key]), ties) for keys in suspects.values() for key in keys}
    moved = {keys: _moved(both, kept, keys) for keys in single}
    enough = max(both.tolerance, max(moved.values(), default=0.0) / 2)
    bad = {keys for keys in single if (kept.agree and alone(keys)[1]) or moved[keys] >= enough}
    return found, _blamed(suspects, frozenset().union(*bad))


def _alone(both: Both, kept: Kept, keys: Collection[str]) -> tuple[float, bool]:
    """Returns how far the models are apart by some features alone beside most rows, and whether that is too far."""
    rows, agreeing = len(kept.differing), int((kept.agreeing.order == 0).sum())
    bases = min(rows, agreeing or len(kept.agreeing))
    places = np.arange(rows) % bases
    others = rows_at(kept.agreeing.features, places)
    mixed = {key: kept.differing.features[key] if key in keys else values for key, values in others.items()}
    found = both(mixed, kept.agreeing.apart[places])
    largest = sorted(float(found.differences[places == base].max()) for base in range(bases))
    over = sum(bool(found.over[places == base].any()) for base in range(bases))
    return largest[bases // 2], 2 * over >= bases


def _moved(both: Both, kept: Kept, keys: Collection[str]) -> float:
    """Returns by how much, in the mean, what is between the models changes with some features of rows that differ."""
    features = kept.differing.features
    other = rows_at(features, np.random.default_rng(0).permutation(len(kept.differing)))
    mixed = {key: other[key] if key in keys else values for key, values in features.items()}
    return float(both(mixed, kept.differing.apart).differences.mean())


def _blamed(columns: Mapping[str, frozenset[str]], keys: frozenset[str]) -> tuple[str, ...]:
    """Returns the columns that read nothing but what makes a difference, crosses first, and what is needed besides.

    Args:
        columns: The keys of those that differ, by name.
        keys: Those that make a difference.

    Example:
        >>> columns = {"day": frozenset(["day"]), "hour": frozenset(["hour"]), "both": frozenset(["day", "hour"])}
        >>> _blamed(columns, frozenset(["day"])), _blamed(columns, frozenset(["day", "hour"]))
        (('day',), ('both', 'day', 'hour'))
        >>> _blamed({"both": columns["both"]}, frozenset(["day"]))
        ('both',)
    """
    found = {name for name, own in columns.items() if own <= keys}
    left = keys - frozenset().union(*(columns[name] for name in found))
    while left:
        shares = {name: len(own & left) / len(own | left) for name, own in columns.items()}
        taken = {name for name, share in shares.items() if share == max(shares.values())}
        found |= taken
        left -= frozenset().union(*(columns[name] for name in taken))
    return tuple(sorted((name for name in columns if name in found), key=lambda name: -len(columns[name])))


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
