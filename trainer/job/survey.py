"""What a job asks the training rows before it trains: what columns learn from them, and what hashed ones share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from trainer import models, warm_start
from trainer.feature_column import CrossedColumn, EmbeddingColumn, FeatureColumn, HashBucketColumn
from trainer.feature_column.column import joined_features
from trainer.feature_column.nested import is_learned
from trainer.feature_column.serialization import encoded_key
from trainer.problem import Problem
from trainer.vocabulary import Collisions, KeyCounts, learned

DTYPES = ("string", "int64")
"""What a key that a cross names alone may be."""

NOTICED_SHARE = 0.05
"""The share of rows in buckets of several keys from which on a job says so."""


def needs_data(problem: Problem) -> bool:
    """Tells whether a column of the problem has its vocabulary or boundaries still in the data."""
    return not all(map(is_learned, problem.columns))


def fitted(problem: Problem, rows: Iterable[Mapping[str, Any]]) -> Problem:
    """Returns the problem with the vocabularies and boundaries of its training rows.

    Args:
        problem: With columns that need data, or without.
        rows: The raw features of the training rows, in batches; read once.

    Raises:
        Refusal: The rows have no value that a column could learn, or a table cannot start from what it names.
    """
    if not needs_data(problem):
        return problem
    found = problem.with_columns(learned(problem.columns, rows))
    for column, *_ in found.embeddings.values():
        if column.ckpt_to_load_from is not None:
            warm_start.check(column)
    return found


@dataclass(frozen=True)
class Met:
    """What hashed columns have met in the training rows.

    Args:
        sharing: Those whose rows are in buckets of several keys to a share worth a notice.
        keys: By the name of a table on a hashed column or cross, the keys of each of its rows, as one text.
    """

    sharing: Sequence[Collisions] = ()
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)


def columns_of(model: keras.Model, features: Mapping[str, str]) -> dict[str, Sequence[EmbeddingColumn]]:
    """Returns the columns that use each table of a model, where they read the data as they come.

    A model of one's own may make other features of them first, and then the data hold no key of the columns.

    Args:
        model: The model.
        features: The features of the data, and the dtype of each.
    """
    found: dict[str, Sequence[EmbeddingColumn]] = {}
    for name, (_, columns) in models.tables_of(model).items():
        read = joined_features("columns", columns)
        if all(features.get(key) in ((feature.dtype,) if feature.dtype else DTYPES) for key, feature in read.items()):
            found[name] = columns
    return found


def met(problem: Problem, tables: Mapping[str, Sequence[EmbeddingColumn]], rows: Iterable[Mapping[str, Any]]) -> Met:
    """Returns what the hashed columns have met.

    Args:
        problem: Whose columns have learned what they need.
        tables: The columns that use each table, by its name; of a model of one's own, they need not be the problem's.
        rows: The raw features of the training rows, in batches; not read where no column is hashed.
    """
    own = _hashed(problem.columns)
    of_tables = {name: used for name, columns in tables.items() if (used := _hashed(columns))}
    parts = own | {key: part for used in of_tables.values() for key, part in used.items()}
    counts = {key: KeyCounts(part) for key, part in parts.items()}
    for batch in rows if counts else ():
        for keys in counts.values():
            keys.update(batch)
    found = [counts[key].collisions() for key in own if counts[key].met_any]
    noticed = [collisions for collisions in found if collisions.shared_share > NOTICED_SHARE]
    return Met(noticed, {name: _texts(used, counts) for name, used in of_tables.items()})


def _texts(parts: Mapping[str, FeatureColumn], counts: Mapping[str, KeyCounts]) -> list[str]:
    first, *others = parts
    if not others:
        return counts[first].texts_of_buckets()
    together = KeyCounts(parts[first])  # a column that shares this table may have another to itself
    for key in parts:
        together.include(counts[key])
    return together.texts_of_buckets()


def _hashed(columns: Iterable[FeatureColumn]) -> dict[str, FeatureColumn]:
    """Returns each hashed column and hashed cross that makes the ids of columns once, by `encoded_key`."""
    found: dict[str, FeatureColumn] = {}
    for column in columns:
        while isinstance(inner := getattr(column, "categorical_column", None), FeatureColumn):
            column = inner
        if isinstance(column, HashBucketColumn) or (isinstance(column, CrossedColumn) and not column.is_bounded):
            found[encoded_key(column)] = column
    return found
