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
from trainer.inputs.memory import Examples
from trainer.job.work import Work
from trainer.layers import EmbeddingTable, encodable
from trainer.tables import Table
from trainer.tables.table import Array
from trainer.vocabulary import counts


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of a table's rows besides their keys; the words are those of `Table`."""

    details: Mapping[str, Sequence[str]]
    title: str | None = None
    pictures: Array | None = None


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
    def pictures(self) -> Array | None:
        """The picture of each row, black where there is none; None where no row has one."""
        there = self.places >= 0
        if self.catalogue.pictures is None or not there.any():
            return None
        found = np.zeros((len(there), *self.catalogue.pictures.shape[1:]), np.uint8)
        found[there] = self.catalogue.pictures[self.places[there]]
        return found


def leave_tables(work: Work) -> list[Table]:
    """Writes the model's tables as they are now, and returns them."""
    found = tables_of(work)
    tables.write(work.plan.run.tables, found)
    return found


def tables_of(work: Work) -> list[Table]:
    """Returns the model's tables as they are now, with the training rows of each key and what is known of it."""
    found = []
    for name, (layer, columns) in models.tables_of(work.model).items():
        column = columns[0] if columns else None
        counted = trained_rows(layer, columns, work.data.train)
        known = known_of([column.categorical_column for column in columns], work.catalogues, work.met.keys.get(name))
        found.append(Table(name, layer.values, column, counted, known.details, known.title, known.pictures))
    return found


def trained_rows(layer: EmbeddingTable, columns: Sequence[EmbeddingColumn], examples: Examples) -> Any:
    """Returns how often examples hold each key of a table, `(rows,)`, or None where they do not tell."""
    ids = [examples.features.get(encoded_key(encodable(column))) for column in columns]
    counted = [counts(some, layer.rows) for some in ids if some is not None]
    return sum(counted[1:], counted[0]) if counted else None


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
        Known(details={'name': ['', 'Heat']}, title='name', pictures=None)
    """
    columns = [_inner(column) for column in columns]
    if not columns:
        return Known({})
    if buckets is not None:
        name = f"{columns[0].name} keys"
        return Known({name: buckets}, name)
    parts = list(_parts(columns, catalogues))
    fields = [(part, field) for part in parts for field in part.catalogue.fields]
    names = _names([(part.key, field) for part, field in fields], [*columns[0].fields(0), "label", "count"])
    details = {name: part.texts(field) for name, (part, field) in zip(names, fields, strict=True)}
    if len(parts) != 1 or len(_leaves(columns[0])) != 1:  # a title or a picture is of one key, not of a combination
        return Known(details)
    titles = [name for name, (part, field) in zip(names, fields, strict=True) if field == part.catalogue.title]
    return Known(details, titles[0] if titles else None, parts[0].pictures)


def _inner(column: CategoricalColumn) -> CategoricalColumn:
    # Weights or an order are laid over ids, and change none.
    while isinstance(inner := getattr(column, "categorical_column", None), CategoricalColumn):
        column = inner
    return column


def _leaves(column: CategoricalColumn) -> tuple[CategoricalColumn, ...]:
    return column.bounded_leaves if isinstance(column, CrossedColumn) and column.is_bounded else (column,)


def _parts(columns: Sequence[CategoricalColumn], catalogues: Mapping[str, Catalogue]) -> Iterator[Part]:
    rows = columns[0].num_buckets
    stride = rows
    for leaves in zip(*map(_leaves, columns), strict=True):  # one of each column that shares the table
        stride //= leaves[0].num_buckets
        for leaf in leaves:
            keys = [key for key in leaf.raw_features if key in catalogues]
            for key in keys:
                places = _places(leaf, key, catalogues[key])  # (the key's values,)
                yield Part(key, catalogues[key], places[np.arange(rows) // stride % len(places)])
            if keys:
                break


def _places(leaf: CategoricalColumn, key: str, catalogue: Catalogue) -> Array:
    """Returns the place in the catalogue of each value that a column has ids for, -1 where it is not there."""
    found = np.full(leaf.num_buckets, -1)
    if isinstance(leaf, BucketizedColumn) or not leaf.is_bounded:  # a row is many values
        return found
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
