"""Where labelled vectors come from: tables of runs, tensors of checkpoints and files, layers."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from trainer import tables, warm_start
from trainer.errors import Refusal, nearest
from trainer.feature_column import CategoricalColumn, EmbeddingColumn
from trainer.feature_column.collection import embeddings_by_table
from trainer.tables.table import Array
from trainer.vectors.keys import distinct
from trainer.warm_start.naming import fields_of, labels_of, name_of, tensor_of
from trainer.warm_start.source import Source

if TYPE_CHECKING:
    from trainer.vectors.labelled import LabelledVectors

_WHO = "vectors"


def loaded(place: Any, table: str | None) -> dict[str, Any]:
    """Returns the arguments of `LabelledVectors` for a table of a run, a checkpoint or a file.

    Raises:
        Refusal: There is no such source or table, or several tables and no name.
    """
    source = warm_start.opened(place, _WHO)
    if source.kind == "run":
        return _of_run(source, table)
    if table is None:
        table = _only([name_of(tensor) for tensor in source.tensors if source.looks_like_table(tensor)], source.place)
    tensor = tensor_of(source, table, _WHO, "choose another")
    keys = tensor.keys()
    labels = None if keys is None else labels_of(keys)
    matrix = np.asarray(tensor.read())
    return {
        "keys": _numbers(len(matrix)) if labels is None else distinct(labels),
        "matrix": matrix,
        "name": table,
        "fields": {} if keys is None else fields_of(keys),
    }


def of_layer(layer: Any, keys: Any, table: str | None) -> dict[str, Any]:
    """Returns the arguments of `LabelledVectors` for the table of a layer.

    Raises:
        Refusal: The layer has no such table, is not built, or keys are given in a form that cannot be used.
    """
    who = f"{_WHO} of '{getattr(layer, 'name', type(layer).__name__)}'"
    made = getattr(layer, "tables", None)
    if isinstance(made, Mapping):
        name = _only(list(made), f"the layer '{layer.name}'") if table is None else table
        if name not in made:
            raise Refusal(f"{who}: there is no table '{name}'{nearest(name, made) or _has(list(made))}")
        if keys is None:
            keys = embeddings_by_table(layer.columns)[name][0]
        layer = made[name]
    matrix = _values(layer, who)
    described = _described(keys, len(matrix), who)
    return {**described, "matrix": matrix, "name": layer.name}


def chosen(vectors: "LabelledVectors", rows: Array) -> dict[str, Any]:
    """Returns the arguments of `LabelledVectors` for some rows of others.

    Args:
        vectors: The others.
        rows: `(chosen,)`: their numbers.
    """
    return {
        "keys": vectors.keys.texts.take(rows),
        "matrix": vectors.matrix[rows],
        "name": vectors.name,
        "fields": {key: texts.of(rows.tolist()) for key, texts in vectors.fields.items()},
        "counts": None if vectors.counts is None else vectors.counts[rows],
    }


def _of_run(source: Source, name: str | None) -> dict[str, Any]:
    manifest = tables.read_manifest(source.place, _WHO)
    table = tables.read(source.place, _only(list(manifest.tables), source.place) if name is None else name, _WHO)
    return {
        "keys": distinct(table.title_texts),
        "matrix": table.values,
        "name": table.name,
        "fields": {} if table.entry.ids is None else table.field_texts,  # else they are the rows' numbers
        "counts": table.counts,
    }


def _values(layer: Any, who: str) -> Any:
    if not getattr(layer, "built", True):
        raise Refusal(f"{who}: the layer is not built; call it once, or its build().")
    if hasattr(layer, "rows") and hasattr(layer, "values"):  # an EmbeddingTable
        return layer.values
    try:
        return np.asarray(layer.embeddings, np.float32)
    except AttributeError:
        kind = type(layer).__name__
        raise Refusal(f"{who}: an Embedding, EmbeddingTable or layer of columns is wanted, not {kind}.") from None


def _described(keys: Any, rows: int, who: str) -> dict[str, Any]:
    if keys is None:
        return {"keys": _numbers(rows)}
    column = keys.categorical_column if isinstance(keys, EmbeddingColumn) else keys
    if not isinstance(column, CategoricalColumn):
        return {"keys": keys}
    if column.num_buckets != rows:
        raise Refusal(f"{who}: the layer has {rows:,} rows, but its column {column.num_buckets:,} ids; give its own.")
    return {"keys": distinct(column.labels_of(range(rows))), "fields": column.fields_of(range(rows))}


def _only(names: Sequence[str], place: str) -> str:
    if len(names) != 1:
        raise Refusal(f"{_WHO}: the name of a table is wanted, since {place} has {_listed(names)}.")
    return names[0]


def _has(names: Sequence[str]) -> str:
    return f"; it has {_listed(names)}."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (" and more" if len(names) > 10 else "") if names else "no table"


def _numbers(rows: int) -> list[str]:
    return [str(row) for row in range(rows)]
