"""Rows of one value of a feature as one example, whatever lies between them, and however many they are."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.errors import Refusal
from trainer.inputs.gathering import Deal, Gathering, undealt
from trainer.inputs.hashing import row_hash
from trainer.inputs.memory import elements
from trainer.inputs.piles import Array, Column, Pile, Served, parts_of
from trainer.inputs.shard import Shard
from trainer.rows import Grouped

BATCH = 8192
"""Groups of a batch."""

_LABELS, _WEIGHTS = "/labels", "/weights"
"""What labels and weights are called among features, whose names these cannot be."""

Rows = Callable[[str], tf.data.Dataset]


@dataclass(frozen=True)
class Groups:
    """The groups of one split, in the order of their first rows.

    Args:
        hashes: Of what each is grouped by, `(groups,)`, int64.
        columns: The features, labels and weights.
    """

    hashes: Array
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.hashes)

    def batches(self) -> tf.data.Dataset:
        """Returns them as `(features, labels, weights)` batches."""
        served, count = {key: Served(column, BATCH) for key, column in self.columns.items()}, len(self)

        @tf.autograph.experimental.do_not_convert
        def batch(start: Any) -> Any:
            end = tf.minimum(start + BATCH, count)
            found = {key: values.between(start, end) for key, values in served.items()}
            labels, weights = found.pop(_LABELS), found.pop(_WEIGHTS)
            return found, labels, weights

        starts = tf.data.Dataset.range(0, count, BATCH)
        return starts.map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


class Grouping(Gathering):
    """Groups the rows of a problem's data, each split once.

    Args:
        how: They are grouped.
        bags: The features whose different values a group collects.
        keys: The features that groups have.
        rows: Returns the `(features, labels, weights)` batches of a split's rows.
        called: Returns what a person calls the rows of a split.
        deal: Deals groups to the sets.
    """

    def __init__(
        self,
        how: Grouped,
        bags: Collection[str],
        keys: Collection[str],
        rows: Rows,
        called: Callable[[str], str],
        deal: Deal = undealt,
    ) -> None:
        self.how: Grouped = how
        self.bags, self._keys, self._rows, self._called, self._deal = list(bags), keys, rows, called, deal
        self._found: dict[str, Groups] = {}

    def count(self, split: str) -> int | None:
        """Returns how many groups a split has, or None before all its rows are read."""
        return len(self._found[split]) if split in self._found and self.most is None else None

    def batches(self, split: str, shard: Shard | None = None) -> tf.data.Dataset:
        """Returns the `(features, labels, weights)` batches of the groups of a split, or every so many of them.

        Raises:
            Refusal: There is no row that counts, or the rows cannot be used.
        """
        found = self.gathered(split).batches()
        return found if shard is None else found.shard(shard.count, shard.index)

    def gather(self, split: str, tell: Callable[[int], None]) -> None:
        """Reads the rows of a split where they were not yet read, as `gathered` does."""
        self.gathered(split, tell)

    def sides(self, split: str) -> Array:
        """Returns the set of each group of a split, `(groups,)`: exactly the shares of the problem.

        Raises:
            Refusal: No group is left to train on.
        """
        return self._deal(self.gathered(split).hashes, f"groups of '{self.how.by}'")

    def gathered(self, split: str, tell: Callable[[int], None] = lambda rows: None) -> Groups:
        """Returns the groups of a split; its rows are read where they were not yet.

        Args:
            split: The name of the split.
            tell: Is given the number of rows, batch after batch.

        Raises:
            Refusal: There is no row that counts, or the rows cannot be used.
        """
        if split not in self._found:
            self._found[split] = self._read(split, tell)
        return self._found[split]

    def _read(self, split: str, tell: Callable[[int], None]) -> Groups:
        batches = self._rows(split)
        is_grouped = are_groups(batches.element_spec[0], self.bags)
        least = {} if is_grouped else self.how.least
        piles, total = dict[str, Pile](), 0
        for found, numbers in elements(batches.map(self._parts(least), num_parallel_calls=tf.data.AUTOTUNE)):
            rows, left = len(found[_WEIGHTS]["values"]), np.inf if self.most is None else self.most - total
            kept = [np.arange(rows) < (rows if is_grouped else left)]
            kept += [_reaches(numbers[key].numpy(), number) for key, number in least.items()]
            for key, parts in found.items():
                piles.setdefault(key, Pile()).add(parts, np.logical_and.reduce(kept))
            total += rows
            tell(rows)
            if self.most is not None and total >= self.most:
                break
        columns = {key: pile.joined() for key, pile in piles.items()}
        if not columns or not len(columns[_WEIGHTS].values):
            which = f" with {' and '.join(f'{key} of at least {least[key]:g}' for key in least)}" if total else ""
            raise Refusal(f"{self._called(split)}: there is no row{which} in them; at least one is wanted.")
        columns = columns if is_grouped else self._grouped(columns)
        own = columns[self.how.by]
        return Groups(row_hash({self.how.by: Served(own, BATCH).between(0, len(own.values))}).numpy(), columns)

    def _parts(self, least: Collection[str]) -> Callable[..., Any]:
        @tf.autograph.experimental.do_not_convert
        def parts(features: Mapping[str, Any], labels: Any, weights: Any) -> Any:
            numbers = {key: self._number(key, features[key]) for key in least}
            kept = {key: _ragged(each) if key in self.bags else each for key, each in features.items()}
            named = {key: each for key, each in kept.items() if key in self._keys}
            return {key: parts_of(each) for key, each in {**named, _LABELS: labels, _WEIGHTS: weights}.items()}, numbers

        return parts

    def _number(self, key: str, values: Any) -> Any:
        if values.dtype == tf.string:
            raise Refusal(f"Grouped: least of '{key}' is a number, and the data have texts as '{key}'; leave it out.")
        return tf.reshape(values, [-1])

    def _grouped(self, columns: Mapping[str, Column]) -> dict[str, Column]:
        numbers, first = _numbered(columns[self.how.by].codes()[0])
        for key, column in columns.items():
            if column.lengths is not None:
                raise Refusal(
                    f"Grouped: a row has several values of '{key}', and one is wanted of rows that are grouped by "
                    f"'{self.how.by}'; leave it out, or give groups as the data."
                )
        return {
            key: _collected(column, numbers, len(first)) if key in self.bags else column.at(first)
            for key, column in columns.items()
        }


def are_groups(features: Mapping[str, Any], bags: Collection[str]) -> bool:
    """Tells by their specifications whether the features that are bags have several values an example already."""
    return any(_rank(features[key]) != 1 for key in bags if key in features)


def _rank(spec: Any) -> int | None:
    rank: int | None = getattr(spec, "codes", spec).shape.rank  # of Coded
    return rank


def _ragged(values: Any) -> Any:
    """Returns a bag that is sparse or padded as a ragged tensor; what has one value a row is returned as it is."""
    if isinstance(values, tf.SparseTensor):
        return tf.RaggedTensor.from_sparse(values)
    is_padded = isinstance(values, tf.Tensor) and values.shape.rank == 2
    return tf.RaggedTensor.from_tensor(values) if is_padded else values


def _reaches(values: Array, least: float) -> Array:
    """Returns where values are no less than a number, which 32 bits may hold otherwise than 64."""
    return np.asarray(values >= (values.dtype.type(least) if values.dtype.kind == "f" else least))


def _numbered(codes: Array) -> tuple[Array, Array]:
    """Returns the number of each row's group, in the order of their first rows, and the places of these."""
    first = np.full(int(codes.max()) + 1, len(codes))
    first[codes[::-1]] = np.arange(len(codes))[::-1]  # of rows of one code, the last that is written is the first
    numbers = np.empty(len(first), np.int64)
    order = np.argsort(first, kind="stable")
    numbers[order] = np.arange(len(order))
    return numbers[codes], first[order][first[order] < len(codes)]


def _collected(column: Column, numbers: Array, count: int) -> Column:
    """Returns the different values of each group in the order of their rows.

    Args:
        column: One value a row.
        numbers: The group of each row.
        count: How many groups there are.
    """
    codes, different = column.codes()
    there = np.flatnonzero(column.are_there)
    pairs = numbers[there] * different + codes[there]
    order = np.argsort(pairs, kind="stable")
    is_first = np.ones(len(order), bool)
    is_first[1:] = np.diff(pairs[order]) != 0
    rows = np.sort(there[order[is_first]])
    rows = rows[np.argsort(numbers[rows], kind="stable")]
    return column.at(rows, np.bincount(numbers[rows], minlength=count))
