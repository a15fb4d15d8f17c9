"""Building and compiling a problem's model, and taking it apart for the loop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from trainer import layers, optimizers
from trainer.errors import Refusal, nearest
from trainer.feature_column import EmbeddingColumn
from trainer.feature_column.collection import embeddings_by_table
from trainer.feature_column.nested import is_learned
from trainer.heads import RetrievalHead, SkipGramHead
from trainer.layers import placement
from trainer.models.counted import Counted
from trainer.models.retrieval import retrieval
from trainer.models.skip_gram import skip_gram
from trainer.models.wide_and_deep import wide_and_deep
from trainer.problem import Problem

WIDE = "linear"
"""The name of the layer that is the wide part."""


def build(problem: Problem, steps: int | None = None) -> keras.Model:
    """Returns a problem's model, compiled with its optimizers, loss and metrics.

    Args:
        problem: The columns, the model's shape and the head.
        steps: The steps of the whole training, which a decaying learning rate must know.

    Returns:
        A Keras model of raw features, a dictionary of `(batch,)` tensors, to logits `(batch, units)`; `model.fit`
        takes a `tf.data.Dataset` of `(features, labels)`.

    Raises:
        Refusal: The model or its optimizer cannot be made.
    """
    return compiled(assembled(problem), problem, steps)


def assembled(problem: Problem) -> keras.Model:
    """Returns a problem's model, not yet compiled.

    Raises:
        Refusal: The problem's own function returns no Keras model.
    """
    for column in problem.columns:
        if not is_learned(column):
            raise Refusal(
                f"build: column '{column.name}' takes its vocabulary or boundaries from data; run the job, or give "
                "problem.with_columns(vocabulary.learned(problem.columns, batches))."
            )
    with placement.dealt_out():
        model = _made(problem)
    if not isinstance(model, keras.Model):
        raise Refusal(f"Problem: model must return a keras.Model, not {type(model).__name__}.")
    return model


def _made(problem: Problem) -> keras.Model:
    if problem.model is not None:
        return problem.model()
    if isinstance(problem.head, SkipGramHead):
        return skip_gram(problem)
    return retrieval(problem) if isinstance(problem.head, RetrievalHead) else wide_and_deep(problem)


def compiled(
    model: keras.Model,
    problem: Problem,
    steps: int | None = None,
    optimizer: keras.optimizers.Optimizer | None = None,
) -> keras.Model:
    """Returns the model, compiled with new optimizers, loss and metrics as the problem says.

    Args:
        model: Of the problem.
        problem: The head, the optimizers and their rates.
        steps: The steps of the whole training, which a decaying learning rate must know.
        optimizer: In place of those of the problem.

    Raises:
        Refusal: There is no optimizer or table of a name that the problem gives.
    """
    with placement.dealt_out():  # and not the metrics, which the chief keeps
        optimizer = optimizer or _optimizer(model, problem, steps)
    if problem.average is not None and not (isinstance(model, Counted) and model.is_sampled):
        for one in optimizers.whole(optimizer):
            if not isinstance(one, optimizers.Parts):
                one.use_ema, one.ema_momentum, one.averages_evenly = True, problem.average, True
    head = problem.head.on(model)
    model.compile(
        optimizer=optimizer,
        loss=_reduced(head.loss(), problem),
        weighted_metrics=head.metrics(),
        jit_compile=False,
    )
    return model


def is_summed(model: keras.Model) -> bool:
    """Tells whether the loss of a compiled model is the sum over examples, and not their mean."""
    return getattr(model.loss, "reduction", None) == "sum"


def _reduced(loss: Any, problem: Problem) -> Any:
    if problem.loss_reduction == "mean":
        return loss
    if not hasattr(loss, "reduction") or isinstance(problem.head, (RetrievalHead, SkipGramHead)):
        raise Refusal(f"Problem: the loss of {type(problem.head).__name__} has no sum; leave loss_reduction out.")
    loss.reduction = "sum"
    return loss


def with_slots(model: keras.Model) -> keras.Model:
    """Returns a compiled model whose optimizer has its variables; where they are made once, they stay as they are."""
    if not model.optimizer.built:  # a loss scale that is built twice forgets what was restored
        with placement.dealt_out():
            model.optimizer.build(model.trainable_variables)
    return model


def check_optimizers(problem: Problem) -> None:
    """Refuses a problem whose optimizers cannot be made, before its data are read.

    Raises:
        Refusal: There is no optimizer of a name that the problem gives.
    """
    optimizers.get(problem.dnn_optimizer)
    _wide(problem)
    for table in problem.table_optimizers:
        _of_table(problem, table)


def _optimizer(model: keras.Model, problem: Problem, steps: int | None) -> keras.optimizers.Optimizer:
    deep = optimizers.get(problem.dnn_optimizer, _decayed(problem, steps))
    of_tables, wide = _table_parts(model, problem), _wide(problem)
    if wide:
        _check_wide(model, problem)
    # A frozen table's part waits; that there is such a table has been seen to.
    return optimizers.Parts(deep, {**of_tables, **wide}, waiting=tuple(of_tables)) if of_tables or wide else deep


def _wide(problem: Problem) -> dict[str, keras.optimizers.Optimizer]:
    if problem.linear_optimizer is None or not problem.linear_feature_columns:
        return {}
    # The wide part keeps its rate: FTRL and Adagrad lower it for each weight by themselves.
    return {WIDE: optimizers.get(problem.linear_optimizer, problem.linear_learning_rate)}


def _table_parts(model: keras.Model, problem: Problem) -> dict[str, keras.optimizers.Optimizer]:
    tables = tables_of(model)
    parts = {}
    for name in problem.table_optimizers:
        if name not in tables:
            ending = nearest(name, tables) or f"; it has {', '.join(sorted(tables)) or 'none'}."
            raise Refusal(f"table_optimizers: problem {problem.name} has no table '{name}'{ending}")
        parts[_part(model, name)] = _of_table(problem, name)
    return parts


def _check_wide(model: keras.Model, problem: Problem) -> None:
    if WIDE in tables_of(model) and WIDE not in problem.table_optimizers:
        raise Refusal(
            f"Problem: linear_optimizer would train the table '{WIDE}' too, which has the name of the wide part; give "
            "its column another name=."
        )


def _of_table(problem: Problem, table: str) -> keras.optimizers.Optimizer:
    given = problem.table_optimizers[table]
    name, rate = (given, None) if isinstance(given, str) else given
    return optimizers.get(name, rate, f"table_optimizers of '{table}'")


def _part(model: keras.Model, table: str) -> str:
    own = f"{table}/table"
    # Another layer, such as the wide part, may have the table's name.
    others = (v.path for v in model.variables if not optimizers.parts.finds(own, v.path))
    return own if any(optimizers.parts.finds(table, path) for path in others) else table


def _decayed(problem: Problem, steps: int | None) -> Any:
    if problem.learning_rate_decay is None or steps is None:
        return problem.learning_rate
    own = problem.learning_rate is None
    start = float(optimizers.get(problem.dnn_optimizer).learning_rate) if own else problem.learning_rate
    if problem.learning_rate_decay == "cosine":
        return keras.optimizers.schedules.CosineDecay(start, steps)
    return keras.optimizers.schedules.PolynomialDecay(start, steps, end_learning_rate=0.0)


@dataclass(frozen=True)
class Halves:
    """A model taken apart where features are encoded, so that they can be encoded once for all epochs.

    Args:
        encode: Raw features to what `logits` takes; None where the model reads raw features elsewhere than in one
            `Encoder`, and so is left whole.
        outside: Raw features to which examples hold a value in no vocabulary of a table, `(batch,)` by its name; None
            where `encode` is.
        logits: Encoded features, and whether this is training, to logits `(batch, units)`. It shares the model's
            layers: to train it is to train the model.
    """

    encode: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None
    logits: Callable[[Mapping[str, Any], bool], Any]
    outside: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None


def halves(model: keras.Model) -> Halves:
    """Returns the encoder of a model and the rest of it."""
    whole = Halves(None, lambda features, training: model(features, training=training))
    encoders = [layer for layer in model.layers if isinstance(layer, layers.Encoder)]
    if len(encoders) != 1:
        return whole
    keys = sorted(encoders[0].keys)  # the order in which Keras flattens a dictionary
    try:
        rest = keras.Model(keras.tree.flatten(encoders[0].output), _learned_from(model))
    except (AttributeError, ValueError):  # no functional model, or one in which raw features go past the encoder
        return whole

    def logits(encoded: Mapping[str, Any], training: bool) -> Any:
        return rest([encoded[key] for key in keys], training=training)

    # Its encodings, since Keras takes no coded values.
    return Halves(encoders[0].encodings, logits, encoders[0].outside)


def _learned_from(model: keras.Model) -> Any:
    """Returns the outputs of a model that its loss takes."""
    return model.learned_from if isinstance(model, Counted) else model.output


def inputs_of(model: keras.Model) -> dict[str, str]:
    """Returns the raw features that a model reads, and the dtype of each."""
    return {tensor.name: keras.backend.standardize_dtype(tensor.dtype) for tensor in model.inputs}


def tables_of(model: keras.Model) -> dict[str, tuple[layers.EmbeddingTable, tuple[EmbeddingColumn, ...]]]:
    """Returns the embedding tables anywhere in a model by name, each with the columns that use it, if any."""
    flat = list(model._flatten_layers())
    of_columns = (layers.Candidates, layers.Contexts, layers.DenseFeatures, layers.SequenceFeatures, layers.LinearModel)
    columns = [column for layer in flat if isinstance(layer, of_columns) for column in layer.columns]
    by_table = embeddings_by_table(columns)
    weights = [table for layer in flat if isinstance(layer, layers.LinearModel) for table in layer.tables.values()]
    return {
        layer.name: (layer, by_table.get(layer.name, ()))
        for layer in flat
        if isinstance(layer, layers.EmbeddingTable) and not any(layer is weight for weight in weights)
    }
