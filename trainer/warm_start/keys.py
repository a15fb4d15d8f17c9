"""What the rows of a table stand for, in a form in which two tables can be compared: values, or their combinations."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from trainer.errors import Refusal
from trainer.feature_column import (
    BucketizedColumn,
    CategoricalColumn,
    CrossedColumn,
    IdentityColumn,
    VocabularyListColumn,
)
from trainer.tables import ids_of
from trainer.tables.ids import comparable

LABELS = "labels"
"""The kind of keys that are known by their text alone, as those of word2vec are."""


class Keys(ABC):
    """What each row of a table stands for."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """The number of rows."""

    @property
    @abstractmethod
    def described(self) -> str:
        """What the rows stand for, as a sentence names it."""


@dataclass(frozen=True, eq=False)
class Values(Keys):
    """One value a row, and after them the rows of values that are not among them.

    Args:
        name: Of the feature.
        kind: "vocabulary", "identity", "buckets" or "labels".
        size: The number of values.
        read: Returns the values as text, in the order of the rows.
        unseen: The rows of other values, which a hash is spread over.
        context: What must be equal for equal texts to mean the same, such as what is done to a number first.
    """

    name: str
    kind: str
    size: int
    read: Callable[[], Sequence[str] | pa.Array]
    unseen: int = 0
    context: Any = None

    @property
    def rows(self) -> int:
        """The values and the rows after them."""
        return self.size + self.unseen

    @property
    def described(self) -> str:
        """The kind of values."""
        kinds = {"identity": "whole numbers", "buckets": "ranges of numbers", LABELS: "keys by their text"}
        return kinds.get(self.kind, "a vocabulary")

    @property
    def texts(self) -> pa.Array:
        """The values, as binary text; made anew each time, since those of millions take a part of a table's memory."""
        return binary(self.read())


@dataclass(frozen=True, eq=False)
class Combinations(Keys):
    """The combinations of several keys' rows; the last key changes fastest from row to row.

    Args:
        parts: The keys.
        labels: Returns the text of each row, in their order.
    """

    parts: tuple[Values, ...]
    labels: Callable[[], Iterable[str]]

    @property
    def rows(self) -> int:
        """The product of the keys' rows."""
        return math.prod(part.rows for part in self.parts)

    @property
    def described(self) -> str:
        """The names of the keys."""
        return f"an exact cross of {', '.join(part.name for part in self.parts)}"


@dataclass(frozen=True, eq=False)
class Opaque(Keys):
    """Rows that stand for no known value, as those of hashed columns.

    Args:
        ids: How the rows' numbers are made, as `tables.ids_of` says it.
        rows: The number of rows.
    """

    ids: Mapping[str, Any]
    rows: int = 0

    @property
    def described(self) -> str:
        """The kind of hash."""
        kinds = {"hash": "hashed values", "hashed cross": "a hashed cross", "cross": "an exact cross"}
        return kinds.get(self.ids["kind"], "values of its own")


def binary(texts: Sequence[str] | pa.Array) -> pa.Array:
    """Returns texts as Arrow holds bytes; half of a surrogate pair, which is no UTF-8, too."""
    if isinstance(texts, (pa.Array, pa.ChunkedArray)):
        array = texts.cast(pa.large_binary())
    else:
        try:
            array = pa.array(texts, pa.large_binary())
        except UnicodeEncodeError:
            array = pa.array([text.encode("utf-8", "surrogatepass") for text in texts], pa.large_binary())
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def listed(texts: Sequence[str], rows: int | None = None, name: str = "key") -> Values:
    """Returns keys known by their text; the rows after the texts stand for other values."""
    return Values(name, LABELS, len(texts), lambda: texts, 0 if rows is None else rows - len(texts))


def keys_of(column: CategoricalColumn) -> Keys:
    """Returns what the ids of a column stand for."""
    inner = getattr(column, "categorical_column", None)
    if isinstance(inner, CategoricalColumn):  # weights or an order are laid over ids, and change none
        return keys_of(inner)
    if isinstance(column, CrossedColumn) and column.is_bounded:
        parts = [keys_of(leaf) for leaf in column.bounded_leaves]
        values = tuple(part for part in parts if isinstance(part, Values))
        # Of two keys of one feature, the texts of one hide those of the other.
        if len({part.name for part in values}) == len(parts):
            return Combinations(values, lambda: map(column.label, range(column.num_buckets)))
    if isinstance(column, VocabularyListColumn):
        return Values(
            column.key, "vocabulary", column.vocabulary_size, lambda: _texts(column.vocabulary), column.num_oov_buckets
        )
    if isinstance(column, IdentityColumn):
        return _identity(column.key, column.num_buckets)
    if isinstance(column, BucketizedColumn):
        ids = ids_of(column)
        labels = [column.label(id) for id in range(column.num_buckets)]
        return Values(column.source_column.key, "buckets", column.num_buckets, lambda: labels, 0, _context(ids))
    return Opaque(ids_of(column), column.num_buckets)


def keys_from(ids: Mapping[str, Any], field: Callable[[str, slice], pa.Array], labels: Callable[[], Any]) -> Keys:
    """Returns what the rows of a stored table stand for.

    Args:
        ids: How its manifest says that ids are made.
        field: Returns the text of a feature in some of the rows.
        labels: Returns the text of each row.
    """
    kind = ids["kind"]
    if kind == "cross":
        names = [key["key"] for key in ids["keys"]]
        if len(set(names)) < len(names):  # the texts of one would hide those of the other
            return Opaque(ids, ids["size"])
        sizes = [_rows(key) for key in ids["keys"]]
        parts, stride = [], math.prod(sizes)
        for key, size in zip(ids["keys"], sizes, strict=True):
            stride //= size
            parts.append(_values(key, size, field, stride))
        return Combinations(tuple(parts), labels)
    if kind in ("vocabulary", "identity", "buckets"):
        return _values(ids, _rows(ids), field, 1)
    return Opaque(ids, ids.get("size", 0))


def label_values(keys: Keys) -> Values:
    """Returns the keys known by the text of each row alone.

    Raises:
        Refusal: The rows are those of a hashed column.
    """
    if isinstance(keys, Values):
        return keys
    if isinstance(keys, Combinations):
        return Values("key", LABELS, keys.rows, lambda: list(keys.labels()))
    raise Refusal("the rows of a hashed column stand for no known keys")


def _rows(ids: Mapping[str, Any]) -> int:
    if ids["kind"] == "buckets":
        return int((len(ids["boundaries"]) + 1) * ids["width"])
    return int(ids["size"] + ids.get("num_oov_buckets", 0))


def _values(ids: Mapping[str, Any], rows: int, field: Callable[[str, slice], pa.Array], stride: int) -> Values:
    if ids["kind"] == "identity":
        return _identity(ids["key"], ids["size"])
    unseen = int(ids.get("num_oov_buckets", 0))
    size = rows - unseen
    return Values(
        ids["key"],
        ids["kind"],
        size,
        lambda: field(ids["key"], slice(0, size * stride, stride)),
        unseen,
        _context(ids) if ids["kind"] == "buckets" else None,
    )


def _identity(name: str, size: int) -> Values:
    return Values(name, "identity", size, lambda: pa.array(range(size)).cast(pa.string()))


def _context(ids: Mapping[str, Any]) -> Any:
    return comparable({"normalizer_fn": ids["normalizer_fn"], "width": ids["width"]})


def _texts(values: Sequence[Any]) -> Sequence[str]:
    return values if isinstance(values[0], str) else [str(value) for value in values]
