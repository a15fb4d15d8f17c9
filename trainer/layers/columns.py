"""What the layers of columns have in common: encoding, what is learned from data, and saving."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from trainer import vocabulary
from trainer.encoding import Lengths, Weights, encoding, outside
from trainer.errors import Refusal
from trainer.feature_column import (
    CategoricalColumn,
    EmbeddingColumn,
    FeatureColumn,
    IndicatorColumn,
    NumericColumn,
    SequenceCategoricalColumn,
    SequenceNumericColumn,
    VocabularyListColumn,
    WeightedCategoricalColumn,
)
from trainer.feature_column.nested import is_learned, nested
from trainer.feature_column.sequence import is_sequence
from trainer.feature_column.serialization import encoded_key, from_dict, to_dict, with_values, without_values
from trainer.feature_column.starting import without_source

ASSET = "vocabularies.json"

Encodable = CategoricalColumn | NumericColumn | SequenceNumericColumn

_known: dict[str, Any] = {}
"""Vocabularies by digest, so that a layer made from another's configuration in this process has them."""


def categorical(column: FeatureColumn) -> FeatureColumn:
    """Returns what an embedding or indicator is made on, or the column itself."""
    return column.categorical_column if isinstance(column, (EmbeddingColumn, IndicatorColumn)) else column


def encodable(column: FeatureColumn) -> Encodable:
    """Returns the part of a column that is encoded as ids or numbers; the weights of a weighted one are another."""
    part = categorical(column)
    if isinstance(part, WeightedCategoricalColumn):
        return part.categorical_column
    if isinstance(part, (CategoricalColumn, NumericColumn, SequenceNumericColumn)):
        return part
    raise Refusal(f"encodable: a column is wanted, not {column!r}.")


def weights_key(column: FeatureColumn) -> str | None:
    """Returns the key of a column's encoded weights, or None where it has none."""
    part = categorical(column)
    return encoded_key(part) if isinstance(part, WeightedCategoricalColumn) else None


def lengths_key(column: FeatureColumn) -> str:
    """Returns the key of the lengths of a sequence column."""
    return f"{encoded_key(encodable(column))}.lengths"


def encoded_keys(columns: Iterable[FeatureColumn]) -> list[str]:
    """Returns the keys under which an `Encoder` of some columns gives what it makes of them."""
    found: dict[str, None] = {}
    for column in columns:
        part, weights = encodable(column), weights_key(column)
        found |= dict.fromkeys([encoded_key(part), *([weights] if weights else [])])
        found |= dict.fromkeys([lengths_key(part)] if is_sequence(part) else [])
    return list(found)


class Encodings(tf.Module):
    """The encodings of some columns, each made once, where several columns share it too.

    Args:
        columns: Columns of any kind.

    Raises:
        Refusal: Something is no column, or two columns differ only in functions that have one name.
    """

    def __init__(self, columns: Sequence[FeatureColumn]) -> None:
        super().__init__()
        parts = _parts(columns)
        self.values = {key: encoding(part) for key, part in parts.items()}
        self.weights = {
            str(weights_key(column)): (encoded_key(encodable(column)), Weights(part))
            for column in columns
            if isinstance(part := categorical(column), WeightedCategoricalColumn)
        }
        self.lengths = {
            f"{key}.lengths": Lengths(part)
            for key, part in parts.items()
            if isinstance(part, (SequenceCategoricalColumn, SequenceNumericColumn))
        }

    def __call__(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """Returns ids and numbers by `encoded_key`, weights by `weights_key`, lengths by `lengths_key`."""
        found = {key: encode(features) for key, encode in self.values.items()}
        found |= {key: weigh(features, found[ids]) for key, (ids, weigh) in self.weights.items()}
        return found | {key: measure(features) for key, measure in self.lengths.items()}

    def outside(self, features: Mapping[str, Any], tables: Mapping[str, Sequence[FeatureColumn]]) -> dict[str, Any]:
        """Returns which examples hold a value in no vocabulary of a table, by its name.

        Args:
            features: Raw features by key.
            tables: The columns that use each table.
        """
        used = {name: [self.values[encoded_key(encodable(each))] for each in some] for name, some in tables.items()}
        return outside(used, features)


def _parts(columns: Sequence[FeatureColumn]) -> dict[str, Encodable]:
    found: dict[str, Encodable] = {}
    for part in map(encodable, columns):
        other = found.setdefault(encoded_key(part), part)
        if repr(without_values(other)) != repr(without_values(part)):
            # Lambdas of one module have one name, and partials equal only themselves.
            raise Refusal(
                f"Encoder: '{part.name}' is declared twice, with different functions of one name; define them at the "
                "top of a module under two names, or declare the column once."
            )
    return found


def check_compilable(layer: keras.layers.Layer, columns: Iterable[FeatureColumn]) -> None:
    """Refuses to be compiled by XLA where strings are read, which XLA has not.

    Raises:
        Refusal: The model that calls the layer was compiled with `jit_compile=True`.
    """
    # Keras turns what was asked for off with a warning, since these layers do not support it, but remembers it.
    compiled = getattr(layer._get_call_context().entry_layer, "_compile_config", None)
    if compiled is None or compiled.config.get("jit_compile") is not True:
        return
    for column in columns:
        for key, feature in column.raw_features.items():
            if feature.dtype in ("string", None):
                raise Refusal(
                    f"{type(layer).__name__}: feature '{key}' is strings, which XLA cannot compile; give model.compile "
                    "jit_compile=False, or encode in the tf.data pipeline with Encoder(columns)."
                )


def adapted(columns: Sequence[Any], dataset: Any) -> tuple[Any, ...]:
    """Returns columns with their vocabularies and boundaries learned from a data set.

    Args:
        columns: Columns of any kind.
        dataset: Batches of raw features, alone or with labels after them; a `tf.data.Dataset`, or any iterable.
    """
    batches = (batch if isinstance(batch, Mapping) else batch[0] for batch in dataset)
    return tuple(vocabulary.learned(columns, batches))


def all_learned(columns: Iterable[FeatureColumn]) -> bool:
    """Tells whether no column waits for `adapt`."""
    return all(is_learned(column) for column in columns)


def to_config(columns: Sequence[FeatureColumn]) -> list[Any]:
    """Returns columns as dictionaries; their vocabularies are kept apart, by digest.

    Where a table started from is left out: a saved model has its values.
    """
    _known.update(_vocabularies(columns))
    return [to_dict(without_values(without_source(column))) for column in columns]


def from_config(columns: Sequence[Any]) -> list[Any]:
    """Returns columns from dictionaries, with the vocabularies that this process knows."""
    # Models that were saved before to_config left it out still say where their tables started from.
    return [with_values(without_source(column), _known) for column in from_dict(columns)]


def save(folder: str, columns: Sequence[FeatureColumn]) -> None:
    """Writes the vocabularies of columns into the assets of a saved model."""
    found = {part.vocabulary_digest: list(part.vocabulary) for part in _vocabulary_columns(columns)}
    Path(folder, ASSET).write_text(json.dumps(found), encoding="utf-8")


def loaded(folder: str, columns: Sequence[Any]) -> tuple[Any, ...]:
    """Returns columns with the vocabularies of a saved model's assets."""
    values = json.loads(Path(folder, ASSET).read_text(encoding="utf-8"))
    known = {digest: tuple(items) for digest, items in values.items()}
    return tuple(with_values(column, known) for column in columns)


def _vocabularies(columns: Iterable[FeatureColumn]) -> dict[str, Any]:
    return {part.vocabulary_digest: part.vocabulary_list for part in _vocabulary_columns(columns)}


def _vocabulary_columns(columns: Iterable[FeatureColumn]) -> list[VocabularyListColumn]:
    found = [part for column in columns for part in nested(column) if isinstance(part, VocabularyListColumn)]
    return [part for part in found if part.has_values]


def counted(ids: Any, weights: Any, width: int) -> Any:
    """Returns how often each id occurs in an example, or the sum of its weights, `(batch, width)`.

    Args:
        ids: `(batch, k)` or ragged, missing -1.
        weights: As the ids, or None.
        width: The number of ids.
    """
    if weights is None and ids.shape[1] == 1 and not isinstance(ids, tf.RaggedTensor):
        return tf.one_hot(tf.squeeze(ids, 1), width)  # -1 is no column of a one-hot
    if isinstance(ids, tf.RaggedTensor):
        examples, batch = ids.value_rowids(), ids.nrows()
        flat, flat_weights = ids.flat_values, None if weights is None else weights.flat_values
    else:
        batch = tf.shape(ids, out_type=tf.int64)[0]
        examples = tf.repeat(tf.range(batch), tf.shape(ids)[1])
        flat, flat_weights = tf.reshape(ids, [-1]), None if weights is None else tf.reshape(weights, [-1])
    # A negative segment is left out.
    places = tf.where(flat >= 0, examples * width + flat, -1)
    values = tf.ones_like(places, tf.float32) if flat_weights is None else flat_weights
    return tf.reshape(tf.math.unsorted_segment_sum(values, places, batch * width), [-1, width])  # (batch, width)
