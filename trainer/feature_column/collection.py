"""What several columns need together: their tables and their raw features, each under one name."""

from collections.abc import Sequence

from trainer.errors import Refusal
from trainer.feature_column.column import FeatureColumn, RawFeature
from trainer.feature_column.embedding import EmbeddingColumn
from trainer.feature_column.serialization import digest


def embeddings_by_table(columns: Sequence[FeatureColumn]) -> dict[str, EmbeddingColumn]:
    """Returns the embedding columns by the name of their table.

    Raises:
        Refusal: Two different columns would share a table's name.
    """
    found: dict[str, EmbeddingColumn] = {}
    for column in columns:
        if isinstance(column, EmbeddingColumn):
            other = found.setdefault(column.table, column)
            if digest(other) != digest(column):
                raise Refusal(
                    f"embedding_column: two different tables are named '{column.table}'; give one of them another "
                    "name=."
                )
    return found


def raw_features_of(columns: Sequence[FeatureColumn]) -> dict[str, RawFeature]:
    """Returns the raw features that columns read, by key.

    Raises:
        Refusal: Two columns read one key as different kinds of value.
    """
    found: dict[str, RawFeature] = {}
    for column in columns:
        for key, feature in column.raw_features.items():
            other = found.setdefault(key, feature)
            numbers = {other.dtype, feature.dtype} <= {"int64", "float32"}
            if other.shape != feature.shape or (other.dtype != feature.dtype and not numbers):
                raise Refusal(
                    f"columns: feature '{key}' is read as {other.dtype} {other.shape} and, by '{column.name}', as "
                    f"{feature.dtype} {feature.shape}; give both columns one dtype and shape."
                )
            if feature.dtype == "float32":
                found[key] = feature
    return found
