"""What a job asks the training rows before it trains: what columns learn from them, and what hashed ones share."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trainer import warm_start
from trainer.feature_column import CrossedColumn, FeatureColumn, HashBucketColumn
from trainer.feature_column.nested import is_learned, nested
from trainer.feature_column.serialization import encoded_key
from trainer.problem import Problem
from trainer.vocabulary import Collisions, KeyCounts, learned

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


def shared(problem: Problem, rows: Iterable[Mapping[str, Any]]) -> list[Collisions]:
    """Returns what the hashed columns share whose rows are in buckets of several keys to a share worth a notice.

    Args:
        problem: Whose columns have learned what they need.
        rows: The raw features of the training rows, in batches; not read where no column is hashed.
    """
    counts = [KeyCounts(column) for column in _hashed(problem.columns)]
    if not counts:
        return []
    for batch in rows:
        for keys in counts:
            keys.update(batch)
    found = [keys.collisions() for keys in counts if keys.met_any]
    return [collisions for collisions in found if collisions.shared_share > NOTICED_SHARE]


def _hashed(columns: Iterable[FeatureColumn]) -> Iterator[FeatureColumn]:
    """Yields each hashed column and hashed cross among columns and inside them once."""
    seen = set()
    for column in columns:
        for part in nested(column):
            is_cross = isinstance(part, CrossedColumn) and not part.is_bounded
            if (is_cross or isinstance(part, HashBucketColumn)) and encoded_key(part) not in seen:
                seen.add(encoded_key(part))
                yield part
