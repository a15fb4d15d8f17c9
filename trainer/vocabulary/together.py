"""Which columns learn one vocabulary, or the same boundaries, because they share a table."""

import itertools
from collections.abc import Iterable, Sequence

from trainer.errors import Refusal
from trainer.feature_column import BucketizedColumn, EmbeddingColumn, FeatureColumn, VocabularyListColumn
from trainer.feature_column.nested import needs_data, nested

Part = VocabularyListColumn | BucketizedColumn
"""What can have its values from the data."""


def groups_of(columns: Iterable[FeatureColumn]) -> dict[Part, tuple[Part, ...]]:
    """Returns, for each part of some columns that needs data, the parts that learn the same: itself at least.

    Parts learn together where `shared_embeddings` gives their columns one table, so that its rows mean the same.

    Raises:
        Refusal: Columns that share a table cannot learn the same.
    """
    groups: dict[Part, tuple[Part, ...]] = {}
    for column in columns:
        for found in nested(column):
            if isinstance(found, Part) and needs_data(found):
                groups.setdefault(found, (found,))
    for column in columns:
        if isinstance(column, EmbeddingColumn):
            for alike in zip(*map(_parts, column.shared_by), strict=False):
                _join(groups, alike)
    return groups


def _parts(column: FeatureColumn) -> list[Part]:
    return [found for found in nested(column) if isinstance(found, Part)]


def _join(groups: dict[Part, tuple[Part, ...]], alike: Sequence[Part]) -> None:
    if not any(map(needs_data, alike)):
        return
    for one, two in itertools.pairwise(alike):
        _check_alike(one, two)
    joined = dict.fromkeys(itertools.chain.from_iterable(groups[part] for part in alike))
    groups.update(dict.fromkeys(joined, tuple(joined)))


def _check_alike(one: Part, two: Part) -> None:
    if _declared(one) != _declared(two):
        raise Refusal(
            f"shared_embeddings: columns '{one.name}' and '{two.name}' share a table and cannot learn the same from "
            f"data, for they declare {_declared(one)} and {_declared(two)}; declare both alike."
        )


def _declared(part: Part) -> str:
    if isinstance(part, BucketizedColumn):
        return f"{part.boundaries if needs_data(part) else 'given boundaries'}"
    values = part.dtype if part.tokenize is None else f"words by {part.tokenize}"
    return f"{part.vocabulary_list if needs_data(part) else 'a given vocabulary'} of {values}"
