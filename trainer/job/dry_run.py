"""`--dry-run`: what would be trained, from the first rows of the data; nothing is written."""

import dataclasses
import itertools
import tempfile
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer import catalogue, models
from trainer.feature_column import CategoricalColumn, FeatureColumn
from trainer.feature_column.serialization import encoded_key
from trainer.feature_column.tokens import tokens_of
from trainer.heads import goals
from trainer.inputs.beside import beside
from trainer.inputs.examples import Source
from trainer.inputs.memory import Encode, Examples, encoded, joined
from trainer.job import summary, survey
from trainer.job.plan import Plan
from trainer.job.reading import dtypes_of
from trainer.job.steps import steps_of
from trainer.layers import encodable
from trainer.terminal import quantity, quiet

ROWS = 1000
SHOWN = 100
"""The values of an example that are shown of one column."""


def show(plan: Plan) -> None:
    """Prints columns, tables, parameters, steps, memory and three encoded examples."""
    keras.utils.set_random_seed(plan.settings.seed)
    if plan.problem.early_stopping is not None:
        goals.goal("--early-stopping", plan.problem.early_stopping, plan.problem.head)
    with tempfile.TemporaryDirectory() as folder:
        if survey.needs_data(plan.problem):
            source = _source(plan, dtypes_of(plan.problem), folder)
            rows = _first(source, None)
            plan = dataclasses.replace(
                plan, problem=survey.fitted(plan.problem, survey.found(plan.problem, [rows.features]))
            )
            print(
                f"Vocabularies and boundaries are those of the first {len(rows):,} {summary.unit_of(plan.problem)}.\n"
            )
        model = models.assembled(plan.problem)
        source = _source(plan, models.inputs_of(model), folder)
        catalogue.check(plan.problem.catalogues, source.features)
        catalogue.opened(plan.problem.catalogues, beside(source, plan.settings.data_dir))
        examples = _first(source, models.halves(model).encode)
    models.compiled(model, plan.problem, 1)
    model.optimizer.build(model.trainable_variables)
    summary.show_planted(source.absent)
    print(f"{plan.problem.name}: {plan.problem.description}\ndata set {source.name}\n")
    _show_columns(plan)
    _show_tables(model)
    _show_size(plan, model, source)
    _show_examples(plan, examples)
    print(f"\nNothing was written; without --dry-run the run goes to {plan.run.path}")


def _source(plan: Plan, features: Mapping[str, str], folder: str) -> Source:
    source = Source(plan.problem, features, plan.settings.data_dir, plan.settings.bad_rows)
    with quiet(plan.settings.verbose):
        source = source.sample(ROWS, folder)
    source.prepare(plan.settings.download)
    return source


def _first(source: Source, encode: Encode | None) -> Examples:
    parts: list[Examples] = []
    for part, _ in encoded(source.batches("train"), encode):
        parts.append(part)
        if sum(map(len, parts)) >= ROWS:
            break
    return joined(parts).subset(np.arange(min(ROWS, sum(map(len, parts)))))


def _show_columns(plan: Plan) -> None:
    problem = plan.problem
    for title, columns in (("deep", problem.dnn_feature_columns), ("wide", problem.linear_feature_columns)):
        for column in columns:
            tokens = tokens_of(column)
            words = "" if tokens is None else f", words by {tokens}"
            print(f"{title}  {type(column).__name__:<22} {column.name:<40} {_size(column)}{words}")


def _size(column: FeatureColumn) -> str:
    if isinstance(column, CategoricalColumn):
        return f"{column.num_buckets:,} ids"
    return f"{getattr(column, 'width', 0):,} floats"


def _show_tables(model: keras.Model) -> None:
    print()
    for name, (layer, _) in models.tables_of(model).items():
        size = quantity(_bytes(layer.variables))
        frozen = "" if layer.trainable else ", frozen"
        print(f"table {name:<16} {layer.rows:>10,} rows × {layer.dimension} = {size}{frozen}")


def _bytes(variables: Iterable[Any]) -> int:
    return sum(int(np.prod(variable.shape)) * tf.as_dtype(variable.dtype).size for variable in variables)


def _show_size(plan: Plan, model: keras.Model, source: Source) -> None:
    parameters = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    size = quantity(_bytes([*model.trainable_variables, *model.optimizer.variables]))
    print(f"\nparameters {parameters:,}, with the optimizer's slots {size}")
    rows, unit = source.rows("train"), summary.unit_of(plan.problem)
    if rows is None:
        print(
            f"steps      {plan.problem.num_epochs} epochs of {plan.problem.train_batch_size:,} {unit} a step; how many "
            f"{unit} there are is known once they are read"
        )
    else:
        print(
            f"steps      {steps_of(plan, rows):,} at most, of {plan.problem.train_batch_size:,} rows; {rows:,} rows "
            "less those held out for validation"
        )


def _show_examples(plan: Plan, examples: Examples) -> None:
    print("\nthree examples, encoded")
    parts: dict[str, Any] = {encoded_key(encodable(column)): encodable(column) for column in plan.problem.columns}
    for place in itertools.islice(range(len(examples)), 3):
        if plan.problem.head.is_labelled:
            print(f"label {examples.labels[place].reshape(-1).tolist()}")
        for key, values in examples.features.items():
            column = parts.get(key)
            value = np.asarray(values[place]).reshape(-1).tolist()
            shown, more = value[:SHOWN], f" and {len(value) - SHOWN:,} more" if len(value) > SHOWN else ""
            labels = ""
            if isinstance(column, CategoricalColumn):
                labels = "  " + ", ".join(column.label(id) if id >= 0 else "(missing)" for id in shown) + more
            name = column.name if column is not None else key.rpartition(".")[0] or key
            print(f"  {name:<28} {shown}{more}{labels}")
