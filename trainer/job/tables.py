"""The tables of a job as they leave its model, with all that is known of their rows."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer import models, tables
from trainer.catalogue import Catalogue
from trainer.feature_column import (
    BucketizedColumn,
    CategoricalColumn,
    CrossedColumn,
    EmbeddingColumn,
    IdentityColumn,
    VocabularyListColumn,
)
from trainer.feature_column.serialization import encoded_key
from trainer.formats import sprites
from trainer.inputs.cache import AnyExamples
from trainer.job import summary
from trainer.job.work import Work
from trainer.layers import EmbeddingTable, encodable
from trainer.tables import Table
from trainer.tables.table import Array
from trainer.vocabulary import counts

PICTURED_ROWS = 100_000
"""The most rows of a table that has pictures: a sprite of more would have cells of a few pixels."""


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of a table's rows besides their keys; the words are those of `Table`.

    Args:
        details: The texts of the rows, by name.
        title: The name of the detail that a person knows a row by.
        pictures: Of the rows.
        unmatched: The raw features whose catalogue has none of the table's keys.
    """

    details: Mapping[str, Sequence[str]]
    title: str | None = None
    pictures: Array | None = None
    unmatched: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Part:
    """One of a table's keys, and what its catalogue has for each row.

    Args:
        key: The raw feature.
        catalogue: Of that feature.
        places: `(rows,)`, the place of each row's value in the catalogue, -1 where it is not there.
    """

    key: str
    catalogue: Catalogue
    places: Array

    def texts(self, field: str) -> list[str]:
        """Returns a field of each row, '' where there is none."""
        texts = np.array([*self.catalogue.texts(field), ""], object)  # place -1 is the last
        return texts[self.places].tolist()

    @property
    def matches(self) -> bool:
        """Whether the catalogue has the key of any row."""
        return bool((self.places >= 0).any())

    def pictures(self) -> Array | None:
        """Returns the picture of each row, black where there is none, as small as one file of them has to have it.

        A catalogue without pictures gives None, and so does a table of more than 100,000 rows.
        """
        rows = len(self.places)
        if self.catalogue.pictures is None or rows > PICTURED_ROWS:
            return None
        # They are made small before they are placed: a row without a picture takes as much memory as one with.
        small = sprites.fitted(self.catalogue.pictures, rows)
        found = np.zeros((rows, *small.shape[1:]), np.uint8)
        there = self.places >= 0
        found[there] = small[self.places[there]]
        return found


def leave_tables(work: Work) -> list[Table]:
    """Writes the model's tables as they are now, says which catalogues told nothing of one, and returns them."""
    found = []
    for table, known in _described(work):
        found.append(table)
        for key in known.unmatched:
            summary.tell(f"catalogue of '{key}' has none of the keys of table '{table.name}'")
    tables.write(work.plan.run.tables, found)
    return found


def tables_of(work: Work) -> list[Table]:
    """Returns the model's tables as they are now, with the training rows of each key and what is known of it."""
    return [table for table, _ in _described(work)]


def _described(work: Work) -> Iterator[tuple[Table, Known]]:
    for name, (layer, columns) in models.tables_of(work.model).items():
        column = columns[0] if columns else None
        counted = trained_rows(layer, columns, work.data.train)
        known = known_of([column.categorical_column for column in columns], work.catalogues, work.met.keys.get(name))
        shares = work.out_of_vocabulary.get(name, {})
        yield Table(name, layer.values, column, counted, known.details, known.title, known.pictures, shares), known


def trained_rows(layer: EmbeddingTable, columns: Sequence[EmbeddingColumn], examples: AnyExamples) -> Any:
    """Returns how often examples hold each key of a table, `(rows,)`, or None where they do not tell."""
    keys = [encoded_key(encodable(column)) for column in columns]
    keys = [key for key in keys if examples.layout.slot(key) is not None]
    if not keys:
        return None
    return sum(counts(part.features[key], layer.rows) for part in examples.parts() for key in keys)


def known_of(
    columns: Sequence[CategoricalColumn], catalogues: Mapping[str, Catalogue], buckets: Sequence[str] | None = None
) -> Known:
    """Returns what is known of the rows of a table.

    Args:
        columns: The columns that share the table, or the one that has it.
        catalogues: By raw feature.
        buckets: Of a hashed column or cross, the keys of each row as one text.

    Example:
        >>> from trainer import feature_column as fc
        >>> film = fc.categorical_column_with_vocabulary_list("film", [7, 3])
        >>> known_of([film], {"film": Catalogue([3], {"name": ["Heat"]}, title="name")})
        Known(details={'name': ['', 'Heat']}, title='name', pictures=None, unmatched=())
    """
    columns = [_inner(column) for column in columns]
    if not columns:
        return Known({})
    if buckets is not None:
        name = f"{columns[0].name} keys"
        return Known({name: buckets}, name)
    every = list(_parts(columns, catalogues))
    parts = [part for part in every if part.matches]
    told = {part.key for part in parts}
    unmatched = tuple(dict.fromkeys(part.key for part in every if part.key not in told))
    fields = [(part, field) for part in parts for field in part.catalogue.fields]
    names = _names([(part.key, field) for part, field in fields], [*columns[0].fields(0), "label", "count"])
    details = {name: part.texts(field) for name, (part, field) in zip(names, fields, strict=True)}
    if len(parts) != 1 or len(_leaves(columns[0])) != 1:  # a title or a picture is of one key, not of a combination
        return Known(details, unmatched=unmatched)
    titles = [name for name, (part, field) in zip(names, fields, strict=True) if field == part.catalogue.title]
    return Known(details, titles[0] if titles else None, parts[0].pictures(), unmatched)


def _inner(column: CategoricalColumn) -> CategoricalColumn:
    # Weights or an order are laid over ids, and change none.
    while isinstance(inner := getattr(column, "categorical_column", None), CategoricalColumn):
        column = inner
    return column


def _leaves(column: CategoricalColumn) -> tuple[CategoricalColumn, ...]:
    return column.bounded_leaves if isinstance(column, CrossedColumn) and column.is_bounded else (column,)


def _parts(columns: Sequence[CategoricalColumn], catalogues: Mapping[str, Catalogue]) -> Iterator[Part]:
    rows = columns[0].num_buckets
    sizes = _sizes(columns[0])  # of crosses of other sizes, a row means something else in each
    alike = [_leaves(column) for column in columns if _sizes(column) == sizes]
    stride = rows
    for size, leaves in zip(sizes, zip(*alike, strict=True), strict=True):  # one of each column that shares the table
        stride //= size
        for leaf in leaves:
            if isinstance(leaf, BucketizedColumn) or not leaf.is_bounded:  # a row is many values
                continue
            parts = []
            for key in filter(catalogues.__contains__, leaf.raw_features):
                places = _places(leaf, key, catalogues[key])  # (the key's values,)
                parts.append(Part(key, catalogues[key], places[np.arange(rows) // stride % size]))
            yield from parts
            if any(part.matches for part in parts):
                break


def _sizes(column: CategoricalColumn) -> list[int]:
    return [leaf.num_buckets for leaf in _leaves(column)]


def _places(leaf: CategoricalColumn, key: str, catalogue: Catalogue) -> Array:
    """Returns the place in the catalogue of each value that a column has ids for, -1 where it is not there."""
    found = np.full(leaf.num_buckets, -1)
    values: Sequence[Any]
    if isinstance(leaf, VocabularyListColumn):
        values = leaf.vocabulary
    elif isinstance(leaf, IdentityColumn):  # whose fields have zeros before the number
        values = range(leaf.num_buckets)
    else:
        values = [leaf.fields(id).get(key, "") for id in range(leaf.num_buckets)]
    found[: len(values)] = catalogue.places([*map(str, values)])
    return found


def _names(fields: Sequence[tuple[str, str]], taken: Collection[str]) -> list[str]:
    """Returns names for fields of keys, all different: the field's own, after its key where that is not enough."""
    often = Counter(field for _, field in fields)
    found: list[str] = []
    for key, field in fields:
        name = field if often[field] == 1 and field not in taken else f"{key} {field}"
        candidate, number = name, 1
        while candidate in taken or candidate in found:
            number += 1
            candidate = f"{name} {number}"
        found.append(candidate)
    return found
