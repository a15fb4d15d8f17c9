"""A skip-gram as a Keras model: two tables, and a loss of what stands near each other in sequences."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from trainer import layers
from trainer.errors import Refusal, nearest
from trainer.feature_column import EmbeddingColumn
from trainer.feature_column.serialization import encoded_key
from trainer.heads import SkipGramHead
from trainer.layers import placement
from trainer.models.counted import Counted
from trainer.models.skip_gram import banded
from trainer.models.skip_gram.places import DRAWING, Shape, placed
from trainer.problem import Problem

_LONG = 2**31 - 1


class SkipGram(Counted):
    """A model of raw features to `{"vector": (batch, dimension), "given": (batch, most)}`: the rows of a sequence
    combined, and its ids, filled up with -1.

    Args:
        inputs: Of the model.
        outputs: The vectors and the ids.
        centres: The table of centres.
        contexts: The table of contexts.
        declared: What is asked for.
        column: The column whose values the ids stand for.
    """

    def __init__(
        self,
        inputs: Sequence[Any],
        outputs: Mapping[str, Any],
        centres: layers.EmbeddingTable,
        contexts: layers.Contexts,
        declared: SkipGramHead,
        column: EmbeddingColumn,
        name: str,
    ) -> None:
        super().__init__(inputs, outputs, name=name)
        self.centres, self.contexts, self.declared, self.column = centres, contexts, declared, column

    @property
    def counted(self) -> tuple[layers.EmbeddingTable, EmbeddingColumn]:
        """The table of centres, and its column."""
        return self.centres, self.column

    @property
    def learned_from(self) -> Any:
        """The ids: to read all rows of a sequence once more, for its vector, would be a tenth of a step."""
        return {"given": self.output["given"]}

    @property
    def is_sampled(self) -> bool:
        """Yes."""
        return True

    def count(self, counts: Any) -> None:
        """Takes how often each row is in the training sequences, `(rows,)`."""
        self.contexts.count(counts)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Returns the mean loss of the pairs, whose gradient is that of their weighted sum.

        Args:
            x: Not used.
            y: Not used.
            y_pred: What the model returns.
            sample_weight: Of each sequence, `(batch, 1)`; None weighs all alike.
            training: Whether draws are those of the optimizer's step, and the mean is told of some pairs alone; else
                draws are always the same, and it is of all.
        """
        del x, y
        head, given = self.declared, y_pred["given"]
        shape = Shape.of(head.window, head.block)
        step = tf.cast(self.optimizer.iterations.value, tf.int64) if training else tf.constant(_LONG, tf.int64)
        places = placed(given, self.contexts.kept.value, shape, step)
        blocks = tf.size(places.ids) // shape.block
        drawn = self.contexts.drawn([blocks, head.block_negatives], tf.stack([step, DRAWING]))
        centres, contexts = (table.looked_up(places.ids) for table in (self.centres, self.contexts.table))
        negatives = self.contexts.table.looked_up(tf.reshape(drawn, [-1]))
        negatives = tf.reshape(negatives, [blocks, head.block_negatives, centres.shape[1]])
        batch = tf.shape(given)[0]
        weights = tf.ones([batch]) if sample_weight is None else tf.reshape(sample_weight, [batch])
        told = banded.TOLD if training else 1
        total, mean = banded.loss(
            places, shape, head.negatives, centres, contexts, negatives, weights, told, head.label_smoothing
        )
        return tf.add_n([mean, head.pair_weight * total, *self.losses])


def skip_gram(problem: Problem) -> SkipGram:
    """Returns the model of a problem with a `SkipGramHead`.

    Raises:
        Refusal: The problem has no table of the head's name, or what a skip-gram has no place for.
    """
    head: Any = problem.head
    column = _column(problem, head)
    raw = layers.inputs(problem.columns, problem.bags)
    encoded = layers.Encoder(problem.columns, name="encoder")(raw)
    dense = layers.DenseFeatures([column], encoded=True, name="dense_features")
    vector = dense(encoded)
    output = dataclasses.replace(
        column, table_name=head.output_table, shared_by=(), ckpt_to_load_from=None, initializer="zeros", max_norm=None
    )
    contexts = layers.Contexts(output, head.subsample, head.negative_power, name="contexts")
    contexts.build()
    given = layers.GivenIds(name="given")(encoded[encoded_key(layers.encodable(column))])
    outputs = {"vector": vector, "given": given}
    centres = dense.tables[column.table]
    return SkipGram(list(raw.values()), outputs, centres, contexts, head, column, name=problem.name or "model")


def _column(problem: Problem, head: SkipGramHead) -> EmbeddingColumn:
    if placement.current() is not None:
        raise Refusal(
            f"SkipGramHead: the tables of problem {problem.name} would lie on parameter servers, where it was never "
            "tried; train on one machine, or on several in step."
        )
    columns = [*problem.dnn_feature_columns, *problem.linear_feature_columns]
    found = problem.embeddings
    if head.table not in found:
        ending = nearest(head.table, found) or f"; it has {', '.join(sorted(found)) or 'none'}."
        raise Refusal(f"SkipGramHead: problem {problem.name} has no table '{head.table}'{ending}")
    if len(columns) > 1 or problem.linear_feature_columns or problem.tower is not None or problem.dnn_hidden_units:
        raise Refusal(
            f"SkipGramHead: problem {problem.name} has more than the column of table '{head.table}', and sequences "
            "have places for its ids alone; give that column as the one of dnn_feature_columns, without hidden units."
        )
    return found[head.table][0]
