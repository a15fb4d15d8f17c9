"""Columns as a notebook draws them: a row a column, and what is special about it."""

import dataclasses
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from trainer.errors import Refusal
from trainer.feature_column.column import CategoricalColumn, FeatureColumn
from trainer.feature_column.embedding import EmbeddingColumn
from trainer.feature_column.nested import nested
from trainer.feature_column.vocabulary import FromData, Quantiles
from trainer.html import html_table

_HEADER = ("kind", "name", "table", "ids or width", "rows × dimension", "reads", "special")
_SHOWN = 100
_UNTOLD = ("table_name", "shape", "use_safe_embedding_lookup")
"""Fields that another cell tells of, or that change nothing."""


def html_of(columns: Sequence[FeatureColumn]) -> str:
    """Returns columns as a table of HTML, in their order.

    Example:
        >>> from trainer import feature_column as fc
        >>> html_of([fc.categorical_column_with_identity("hour", 24)]).rpartition("<tr>")[2]
        '<td>identity</td><td>hour</td><td></td><td>24 ids</td><td></td><td>hour</td><td></td></tr></table>'
    """
    caption = f"{len(columns):,} column{'s' if len(columns) > 1 else ''}"
    return html_table(caption, _HEADER, map(_cells, columns[:_SHOWN]), len(columns))


def register() -> None:
    """Lets the IPython that runs this, if one does, draw lists of columns; it is not imported here."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    formatters = getattr(getattr(shell, "display_formatter", None), "formatters", {})
    if "text/html" in formatters:
        drawn = formatters["text/html"]
        for kind in (list, tuple):
            drawn.for_type(kind, _drawing(drawn.for_type(kind)))


def _drawing(before: Any) -> Any:
    """Returns what draws lists of columns, and others as `before` did, or None where nothing was said of lists."""

    def drawn(value: Sequence[Any]) -> str | None:
        if value and all(isinstance(item, FeatureColumn) for item in value):
            return html_of(value)
        # A list of another class than `list` may know how to draw itself, and is not asked by IPython any longer.
        other = getattr(value, "_repr_html_", None) if before is None else lambda: before(value)
        found: str | None = other() if callable(other) else None
        return found

    return drawn


def _cells(column: FeatureColumn) -> list[str]:
    embedded = column if isinstance(column, EmbeddingColumn) else None
    return [
        " of ".join(_kind(part) for part in _line(column)),
        column.name,
        embedded.table if embedded else "",
        _size(column),
        f"{_known(embedded.categorical_column, 'num_buckets')} × {_known(embedded, 'width')}" if embedded else "",
        ", ".join(column.raw_features),
        "; ".join(_special(column)),
    ]


def _line(column: Any) -> Iterator[FeatureColumn]:
    """Yields a column, the categorical column inside it, and so on."""
    while column is not None:
        yield column
        column = getattr(column, "categorical_column", None)


def _kind(column: FeatureColumn) -> str:
    """Returns the name of a column's class in small words: "hash bucket" for a HashBucketColumn."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(column).__name__.removesuffix("Column")).lower()


def _size(column: FeatureColumn) -> str:
    if isinstance(column, CategoricalColumn):
        return f"{_known(column, 'num_buckets')} ids"
    return f"width {_known(column, 'width')}" if hasattr(type(column), "width") else ""


def _known(column: FeatureColumn, size: str) -> str:
    try:
        return f"{getattr(column, size):,}"
    except Refusal:  # data that were not read yet will say it
        return "?"


def _special(column: FeatureColumn) -> Iterator[str]:
    """Yields what a column, and those inside it, have been given beside what they must have."""
    own = dataclasses.replace(column, shared_by=()) if isinstance(column, EmbeddingColumn) else column
    line = [*_line(own)]
    line += [part.source_column for part in line if hasattr(part, "source_column")]
    for part in nested(own):
        if dataclasses.is_dataclass(part):
            of = "" if part in line else f"{part.name}: "
            yield from (f"{of}{told}" for told in _given(part))
    if isinstance(column, EmbeddingColumn) and column.shared_by:
        yield f"shared by {', '.join(sharing.name for sharing in column.shared_by)}"


def _given(column: Any) -> Iterator[str]:
    for field in dataclasses.fields(column):
        value = getattr(column, field.name)
        if isinstance(value, (FromData, Quantiles)):
            yield f"{field.name.removesuffix('_list')} from data"
        elif field.name not in _UNTOLD and not _is_usual(value, field.default):
            yield _told(field.name, value)


def _is_usual(value: Any, default: Any) -> bool:
    """Tells whether a field has its default, or none to differ from; an array is compared with nothing."""
    return default is dataclasses.MISSING or value is default or (type(value) is type(default) and value == default)


def _told(name: str, value: Any) -> str:
    if name == "trainable":
        return "frozen"
    if name == "ckpt_to_load_from":
        return f"warm start from {value}"
    if name == "old_vocabulary" and isinstance(value, tuple):
        return f"old_vocabulary of {len(value):,} values"
    if callable(value):
        return f"{name} {getattr(value, '__name__', type(value).__name__)}"
    return f"{name} {', '.join(map(str, value)) if isinstance(value, tuple) else value}"
