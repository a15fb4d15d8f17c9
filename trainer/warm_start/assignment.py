"""A warm start of a layer that is already there, ours or one of Keras."""

from collections.abc import Iterable
from os import PathLike
from typing import Any

import numpy as np

from trainer.errors import Refusal
from trainer.feature_column import CategoricalColumn, EmbeddingColumn
from trainer.feature_column.starting import ON_MISSING_ROWS, checked_missing_rows, source_of, vocabulary_of
from trainer.warm_start.carrying import Carrying
from trainer.warm_start.keys import Keys, keys_of, listed
from trainer.warm_start.report import Report

WHO = "warm_start.assign"


def assign(
    layer: Any,
    source: Any,
    tensor: str | None = None,
    *,
    table: str | None = None,
    column: EmbeddingColumn | CategoricalColumn | None = None,
    vocabulary: Iterable[Any] | None = None,
    old_vocabulary: Iterable[Any] | str | PathLike[str] | None = None,
    on_missing_rows: str = ON_MISSING_ROWS[0],
) -> Report:
    """Sets the rows of a table to those of a source, matched by key where both sides say what rows stand for.

    Args:
        layer: A layer of columns such as `DenseFeatures`, an `EmbeddingTable`, or `keras.layers.Embedding`; built, or
            ready to be built.
        source: A path, a pattern, or an object, as `ckpt_to_load_from` takes it; gensim's KeyedVectors too.
        tensor: The tensor's name there; None takes the one that has the table's name, or the only one that fits.
        table: Which table of a layer of columns; it may be left out where there is one.
        column: What the rows of another layer stand for, as a column; a layer of columns knows it.
        vocabulary: The same as a list of one key a row, such as `StringLookup.get_vocabulary()`; where the table has
            more rows, the last are out of the vocabulary. Keras's StringLookup puts its own row of other values first,
            as the key "[UNK]".
        old_vocabulary: What the source's rows stand for where it does not say so, a list or a file with one a line.
        on_missing_rows: What rows start from whose key the source has not: "initializer", "mean" or
            "out_of_vocabulary", the row that their key had there; "[UNK]" so takes the source's row of other values.

    Returns:
        What was matched.

    Raises:
        Refusal: The layer has no such table, it was quantized or has LoRA enabled, or nothing in the source fits it;
            the table is as it was.

    Example:
        >>> import keras
        >>> colours = keras.layers.Embedding(2, 3)
        >>> report = assign(colours, np.eye(2, 3), vocabulary=["red", "blue"], old_vocabulary=["blue", "red"])
        >>> report.matched, np.asarray(colours.embeddings).tolist()
        (2, [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    """
    checked_missing_rows(WHO, on_missing_rows)
    layer, name, own = _table(layer, table)
    variable = _variable(layer, name)
    rows, dimension = variable.shape
    keys = _keys(name, rows, own if column is None else column, vocabulary_of(vocabulary))
    old = vocabulary_of(old_vocabulary)
    start = Carrying(name, source_of(source), tensor, rows, dimension, keys, old, on_missing_rows).load()
    take(start, variable, lambda ids: _drawn(layer, rows, dimension, ids))
    return start.report


def take(start: Any, variable: Any, drawn: Any) -> None:
    """Gives a Keras variable the values that a table starts from.

    Args:
        start: From `load`.
        variable: `(rows, dimension)`.
        drawn: Returns what the table's initializer draws for rows, given their numbers.
    """
    import tensorflow as tf

    with tf.init_scope():
        variable.assign(tf.cast(start.released(), variable.dtype))
        fill(start, variable, drawn)


def fill(start: Any, variable: Any, drawn: Any) -> None:
    """Gives a variable that holds the values of a start the rows that are not among them."""
    import tensorflow as tf

    for rows, values in start.remaining(drawn):
        variable.value.scatter_update(tf.IndexedSlices(tf.cast(values, variable.dtype), rows))


def _table(layer: Any, name: str | None) -> tuple[Any, str, EmbeddingColumn | None]:
    """Returns the layer that is a table, its name, and the column that uses it where one is known."""
    tables = getattr(layer, "named_tables", getattr(layer, "tables", None))
    if tables is None or not hasattr(layer, "columns"):
        if not _is_table(layer):
            raise Refusal(f"{WHO}: a layer of columns, an EmbeddingTable or an Embedding is wanted, not {layer!r}.")
        if name not in (None, layer.name):
            raise Refusal(f"{WHO}: layer '{layer.name}' is one table; leave table='{name}' out.")
        return layer, layer.name, None
    columns = {column.table: column for column in layer.columns if isinstance(column, EmbeddingColumn)}
    if name is None and len(columns) == 1:
        name = next(iter(columns))
    if name not in columns:
        there = ", ".join(columns) or "none"
        raise Refusal(f"{WHO}: table= names one table of layer '{layer.name}', not {name!r}; it has {there}.")
    if not layer.built:
        layer.build()
    return tables[name], name, columns[name].owner


def _is_table(layer: Any) -> bool:
    import keras

    return isinstance(layer, keras.layers.Embedding) or (isinstance(layer, keras.Layer) and hasattr(layer, "drawn"))


def _variable(layer: Any, name: str) -> Any:
    import keras

    if not layer.built:
        layer.build(None)
    variable = layer.table if hasattr(layer, "drawn") else layer._embeddings  # of Keras, embeddings may be a tensor
    if not keras.backend.is_float_dtype(variable.dtype):
        raise Refusal(f"{WHO}: '{name}' holds {variable.dtype}, and floats are wanted; assign before quantize().")
    if getattr(layer, "lora_enabled", False):
        raise Refusal(
            f"{WHO}: '{name}' has LoRA enabled, which adds to the rows that are set; assign before enable_lora()."
        )
    return variable


def _keys(name: str, rows: int, column: Any, vocabulary: tuple[str, ...] | str | None) -> Keys | None:
    if vocabulary is not None:
        if isinstance(vocabulary, str):
            raise Refusal(f"{WHO}: a list of keys is wanted as vocabulary, not '{vocabulary}'; give one key a row.")
        if column is not None:
            raise Refusal(f"{WHO}: the column of '{name}' says what its rows stand for; leave vocabulary out.")
        if len(vocabulary) > rows:
            raise Refusal(
                f"{WHO}: vocabulary has {len(vocabulary):,} keys, and '{name}' has {rows:,} rows; give one a row."
            )
        return listed(vocabulary, rows)
    if column is None:
        return None
    column = column.categorical_column if isinstance(column, EmbeddingColumn) else column
    if not isinstance(column, CategoricalColumn):
        raise Refusal(f"{WHO}: a categorical or an embedding column is wanted as column, not {column!r}.")
    if column.num_buckets != rows:
        raise Refusal(f"{WHO}: column '{column.name}' has {column.num_buckets:,} ids, and '{name}' has {rows:,} rows.")
    return keys_of(column)


def _drawn(layer: Any, rows: int, dimension: int, ids: Any) -> Any:
    if hasattr(layer, "drawn"):
        return layer.drawn(ids)
    return np.asarray(layer.embeddings_initializer((rows, dimension)))[ids]
