"""What a job asks the training rows before it trains: what columns learn from them, and what hashed ones share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trainer import warm_start
from trainer.feature_column import CrossedColumn, FeatureColumn, HashBucketColumn
from trainer.feature_column.nested import is_learned
from trainer.feature_column.serialization import encoded_key
from trainer.problem import Problem
from trainer.vocabulary import Collisions, KeyCounts, learned, texts_of_buckets

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


def met(problem: Problem, rows: Iterable[Mapping[str, Any]]) -> Met:
    """Returns what the hashed columns have met; nothing where the problem makes its model itself.

    A model of one's own may make other features of the data first, and what then reaches its columns is not known.

    Args:
        problem: Whose columns have learned what they need.
        rows: The raw features of the training rows, in batches; not read where no column is hashed.
    """
    parts = _hashed(problem.columns) if problem.model is None else {}
    if not parts:
        return Met()
    counts = {key: KeyCounts(part) for key, part in parts.items()}
    for batch in rows:
        for keys in counts.values():
            keys.update(batch)
    found = [keys.collisions() for keys in counts.values() if keys.met_any]
    noticed = [collisions for collisions in found if collisions.shared_share > NOTICED_SHARE]
    of_tables = {name: _hashed(columns) for name, columns in problem.embeddings.items()}
    texts = {name: texts_of_buckets([counts[key] for key in used]) for name, used in of_tables.items() if used}
    return Met(noticed, texts)


def _hashed(columns: Iterable[FeatureColumn]) -> dict[str, FeatureColumn]:
    """Returns each hashed column and hashed cross that makes the ids of columns once, by `encoded_key`."""
    found: dict[str, FeatureColumn] = {}
    for column in columns:
        while isinstance(inner := getattr(column, "categorical_column", None), FeatureColumn):
            column = inner
        if isinstance(column, HashBucketColumn) or (isinstance(column, CrossedColumn) and not column.is_bounded):
            found[encoded_key(column)] = column
    return found
