"""The variables of a model by the names that a canned Estimator gives them in its checkpoints."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from trainer.feature_column import EmbeddingColumn, FeatureColumn, NumericColumn
from trainer.feature_column.column import file_name
from trainer.feature_column.serialization import encoded_key
from trainer.layers import LinearModel
from trainer.models import WIDE
from trainer.problem import Problem

INPUTS = "dnn/input_from_feature_columns/input_layer"
LINEAR = "linear/linear_model"


@dataclass(frozen=True, eq=False)
class Place:
    """A variable of a model, or some rows of one, and what an Estimator calls it.

    Args:
        variable: Of the model, a Keras variable.
        names: What it may be called in a checkpoint; the first that is there is meant.
        what: What a person calls it.
        first: The first row of the variable that it is.
        rows: How many rows it is; None is the whole variable.
        table: The name of the table, where it is one.
    """

    variable: Any
    names: tuple[str, ...]
    what: str
    first: int = 0
    rows: int | None = None
    table: str | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of its values."""
        whole = tuple(self.variable.shape)
        return whole if self.rows is None else (self.rows, *whole[1:])


def places(model: keras.Model, problem: Problem) -> list[Place]:
    """Returns the places of all variables of a model.

    Args:
        model: Of the problem, as `models.assembled` makes it: wide, deep or both.
        problem: The columns and the model's shape.
    """
    found: list[Place] = []
    if problem.dnn_feature_columns:
        found += _tables(model.get_layer("dense_features"), problem.dnn_feature_columns)
        for place in range(len(problem.dnn_hidden_units)):
            found += _dense(model.get_layer(f"hidden_{place}"), f"dnn/hiddenlayer_{place}")
            if problem.batch_norm:
                layer = model.get_layer(f"batch_norm_{place}")
                found += _normalized(layer, f"dnn/hiddenlayer_{place}/batchnorm_{place}")
        found += _dense(model.get_layer("logits"), "dnn/logits")
    if problem.linear_feature_columns:
        found += _linear(model.get_layer(WIDE), problem.linear_feature_columns)
    return found


def table_names(column: FeatureColumn) -> tuple[str, ...]:
    """Returns the names that the table of a column of the deep part can have; none where it has no table.

    A table of one column is called after the column, one of several after what they were declared to share, in a scope
    that depends on the functions that declared them and the age of the Estimator.

    Example:
        >>> from trainer import feature_column as fc
        >>> table_names(fc.embedding_column(fc.categorical_column_with_identity("hour", 24), 3))
        ('dnn/input_from_feature_columns/input_layer/hour_embedding/embedding_weights',)
    """
    if not isinstance(column, EmbeddingColumn):
        return ()
    if column.shared_by:
        return f"{INPUTS}/{column.table}/embedding_weights", f"{os.path.dirname(INPUTS)}/{column.table}", column.table
    return (f"{INPUTS}/{file_name(column.name)}/embedding_weights",)


def _tables(layer: Any, columns: Sequence[FeatureColumn]) -> Iterator[Place]:
    users: dict[str, list[EmbeddingColumn]] = {}
    for column in columns:
        if isinstance(column, EmbeddingColumn):
            users.setdefault(column.table, []).append(column)
    for name, using in users.items():
        names = [each for column in using for each in table_names(column)]
        yield Place(layer.tables[name].table, tuple(dict.fromkeys(names)), f"table '{name}'", table=name)


def _dense(layer: Any, name: str) -> Iterator[Place]:
    for variable in (layer.kernel, layer.bias):
        word = variable.name
        yield Place(variable, (f"{name}/{word}",), f"{word} of {layer.name}")


def _normalized(layer: Any, name: str) -> Iterator[Place]:
    for variable in (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance):
        yield Place(variable, (f"{name}/{variable.name}",), f"{variable.name} of {layer.name}")


def _linear(layer: LinearModel, columns: Sequence[FeatureColumn]) -> Iterator[Place]:
    first = 0
    for column in layer.columns:
        names = (f"{LINEAR}/{file_name(column.name)}/weights",)
        what = f"linear weights of '{column.name}'"
        if isinstance(column, NumericColumn):  # all numbers have one kernel, in the order of their columns' names
            yield Place(layer.kernel, names, what, first, column.width)
            first += column.width
        elif isinstance(column, EmbeddingColumn):
            yield Place(layer.named_tables[column.table].table, names, what)
        else:
            yield Place(layer.tables[encoded_key(column)].table, names, what)
    yield Place(layer.bias, (f"{LINEAR}/bias_weights",), "linear bias")
