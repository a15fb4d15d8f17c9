"""What several columns need together: their tables and their raw features, each under one name."""

from collections.abc import Collection, Mapping, Sequence

from trainer.errors import Refusal, nearest
from trainer.feature_column.column import FeatureColumn, RawFeature, joined_features
from trainer.feature_column.embedding import EmbeddingColumn
from trainer.feature_column.nested import nested
from trainer.feature_column.numeric import NumericColumn
from trainer.feature_column.serialization import digest


def embeddings_by_table(columns: Sequence[FeatureColumn]) -> dict[str, tuple[EmbeddingColumn, ...]]:
    """Returns the embedding columns by the name of their table; several share one where they were declared so.

    Raises:
        Refusal: Two different columns would share a table's name.
    """
    found: dict[str, tuple[EmbeddingColumn, ...]] = {}
    for column in columns:
        if isinstance(column, EmbeddingColumn):
            others = found.get(column.table, ())
            if others and digest(others[0].owner) != digest(column.owner):
                raise Refusal(
                    f"embedding_column: two different tables are named '{column.table}'; give one of them another "
                    "name=."
                )
            if column not in others:
                found[column.table] = (*others, column)
    return found


def check_apart(deep: Sequence[FeatureColumn], wide: Sequence[FeatureColumn]) -> None:
    """Refuses a table of the deep part whose name is also that of one of the wide part.

    Raises:
        Refusal: There is one.
    """
    tables = embeddings_by_table(deep)
    for name in embeddings_by_table(wide):
        if name in tables:
            raise Refusal(
                f"Problem: table '{name}' is in dnn_feature_columns and in linear_feature_columns; give one of the two "
                "embedding columns another name=."
            )


def raw_features_of(columns: Sequence[FeatureColumn], bags: Collection[str] = ()) -> dict[str, RawFeature]:
    """Returns the raw features that columns read, by key.

    Args:
        columns: Columns of any kind.
        bags: Keys of features with any number of values an example; those of weighted and sequence columns are it
            anyway. A dictionary may also say what stands between the numbers of a numeric column in a text.

    Raises:
        Refusal: Two columns read one key as different kinds of value, or a bag is read by no column or as numbers.
    """
    found = joined_features("columns", columns)
    numeric = {part.key for column in columns for part in nested(column) if isinstance(part, NumericColumn)}
    for key in bags:
        if key not in found:
            others = f"; the columns read {', '.join(sorted(found)) or 'none'}."
            raise Refusal(f"bags: no column reads a feature '{key}'{nearest(key, found) or others}")
        if key in numeric and isinstance(bags, Mapping) and found[key].shape:
            continue  # only what stands between its numbers in a text is said
        if key in numeric:
            raise Refusal(
                f"bags: feature '{key}' is read by a numeric_column, which has as many values in each example; leave "
                "it out of the bags."
            )
        found[key] = found[key].as_bag()
    return {key: RawFeature(feature.dtype or "string", feature.shape) for key, feature in found.items()}
