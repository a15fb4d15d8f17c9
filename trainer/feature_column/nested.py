"""Columns inside columns: going through them, and making them anew."""

import dataclasses
from collections.abc import Callable, Collection, Iterator
from typing import Any

from trainer.feature_column.column import FeatureColumn
from trainer.feature_column.vocabulary import FromData, Quantiles

VALUES = ("vocabulary_list", "boundaries", "old_vocabulary")
"""Fields that hold values, of which there may be millions, and no column."""


def nested(column: FeatureColumn) -> Iterator[FeatureColumn]:
    """Yields a column and every column inside it.

    Example:
        >>> from trainer import feature_column as fc
        >>> hour = fc.categorical_column_with_identity("hour", 24)
        >>> [found.name for found in nested(fc.embedding_column(hour))]
        ['hour_embedding', 'hour']
    """
    yield column
    for value in _fields(column, without=VALUES).values():
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, FeatureColumn):
                yield from nested(item)


def rebuilt(column: Any, change: Callable[[Any], Any]) -> Any:
    """Returns a column with `change` applied to every column inside it, the innermost first, and to itself."""
    changed = {}
    for name, value in _fields(column, without=VALUES).items():
        if isinstance(value, FeatureColumn):
            changed[name] = rebuilt(value, change)
        elif isinstance(value, tuple) and any(isinstance(item, FeatureColumn) for item in value):
            changed[name] = tuple(rebuilt(i, change) if isinstance(i, FeatureColumn) else i for i in value)
    return change(dataclasses.replace(column, **changed) if changed else column)


def is_learned(column: FeatureColumn) -> bool:
    """Tells whether nothing in a column still has to be learned from data."""
    return not any(needs_data(found) for found in nested(column))


def needs_data(column: FeatureColumn) -> bool:
    """Tells whether a column's own vocabulary or boundaries are those of data that were not read yet."""
    return any(isinstance(value, (FromData, Quantiles)) for value in _fields(column).values())


def _fields(column: FeatureColumn, without: Collection[str] = ()) -> dict[str, Any]:
    if not dataclasses.is_dataclass(column):
        return {}
    names = [field.name for field in dataclasses.fields(column) if field.name not in without]
    return {name: getattr(column, name) for name in names}
