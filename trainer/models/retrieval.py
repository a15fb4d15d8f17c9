"""What somebody wants of many, by the bag of what she has: a vector of the bag, scored against a table's rows."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from trainer import layers
from trainer.errors import Refusal, nearest
from trainer.feature_column import EmbeddingColumn, VocabularyListColumn
from trainer.feature_column.serialization import encoded_key
from trainer.feature_column.tokens import makes_words
from trainer.heads import Head, RetrievalHead
from trainer.layers import placement
from trainer.models import retrieval_losses as losses
from trainer.models.counted import Counted
from trainer.models.hidden_layers import hidden_layers
from trainer.problem import Problem


class Retrieval(Counted):
    """A model of raw features to `{"vector": (batch, dimension), "given": (batch, most)}`, with what is retrieved.

    Its loss and its metrics take as labels the ids that were wanted, `(batch, None)`, ragged or filled up with -1.

    Args:
        inputs: Of the model.
        outputs: The vectors, and the ids that went in, filled up with -1.
        candidates: The rows that are scored.
        declared: What is asked for.
        column: The column whose values the ids stand for.
    """

    def __init__(
        self,
        inputs: Sequence[Any],
        outputs: Mapping[str, Any],
        candidates: layers.Candidates,
        declared: RetrievalHead,
        column: EmbeddingColumn,
        name: str,
    ) -> None:
        super().__init__(inputs, outputs, name=name)
        self.candidates, self.declared, self.column = candidates, declared, column
        self.titles: Any = None
        """What a person knows each row by, an array of texts `(rows,)`; None where it is the feature's value."""

    @property
    def counted(self) -> tuple[layers.EmbeddingTable, EmbeddingColumn]:
        """The table whose rows are scored, and the column of the bag."""
        return self.candidates.table, self.column

    @property
    def is_sampled(self) -> bool:
        """Whether the loss is estimated by a sample of the rows."""
        return self.candidates.chances is not None

    def count(self, counts: Any) -> None:
        """Takes how often each row is in the training bags, `(rows,)`: what popularity is, and how rows are drawn."""
        self.candidates.count(counts)

    def bound(self, head: RetrievalHead) -> Head:
        """Returns the head with the rows of this model."""
        return BoundHead(head, self)

    def top(self, answers: Mapping[str, Any], k: int) -> tuple[Any, Any]:
        """Returns the `k` best ids of each example, and their scores.

        Args:
            answers: What the model returns.
            k: How many.

        Returns:
            Ids `(batch, k)`, int64, -1 where there is no further one, and scores `(batch, k)`.
        """
        return self.candidates.top(answers["vector"], answers["given"], k)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Returns the mean loss of the examples."""
        del x, training
        each = self._each(y_pred["vector"], y_pred["given"], y)  # (batch,)
        each *= tf.pow(losses.counted(y), self.declared.bag_power)
        if sample_weight is not None:
            each *= tf.reshape(tf.cast(sample_weight, each.dtype), [-1])
        return tf.add_n([tf.reduce_mean(each), *self.losses])

    def _each(self, vector: Any, given: Any, wanted: Any) -> Any:
        candidates, head = self.candidates, self.declared
        vector = candidates.vector(vector)
        if head.objective == "reconstruction":
            return losses.reconstruction(candidates.scores(vector), given, wanted)
        if candidates.chances is None:
            return losses.softmax(candidates.scores(vector), given, wanted)
        step = tf.cast(self.optimizer.iterations.value, tf.int64)  # so that a training that goes on draws what is next
        draws = min(head.softmax_draws, head.softmax_sample)
        drawn = losses.sampled(candidates.chances.value, draws, tf.stack([step, 0]))
        return losses.sampled_softmax(
            lambda ids: candidates.scores(vector, ids),
            lambda examples, ids: candidates.own_scores(vector, examples, ids),
            drawn,
            given,
            wanted,
        )

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Returns the metrics so far, with these answers ranked."""
        head = self.declared
        ranked, _ = self.top(y_pred, min(max(head.recall_at, head.ndcg_at), self.candidates.rows))
        wanted = y.to_tensor(-1) if isinstance(y, tf.RaggedTensor) else y
        return super().compute_metrics(x, wanted, ranked, sample_weight)


class BoundHead(Head):
    """A retrieval head on the model that has its rows.

    Args:
        declared: The head.
        model: The model.
    """

    def __init__(self, declared: RetrievalHead, model: Retrieval) -> None:
        self.declared, self.model = declared, model
        self.goals, self.hidden = declared.goals, declared.hidden

    @property
    def units(self) -> int:
        """How many rows are scored."""
        return self.model.candidates.rows

    def loss(self) -> Any:
        """Returns None: the model has its own."""
        return None

    def metrics(self) -> list[Any]:
        """Returns the metrics of ranked answers."""
        return self.declared.metrics(self.units)

    def predictions(self, logits: Any) -> dict[str, Any]:
        """Returns the best rows of each example: values of the bag's feature, scores, and whether popularity was asked.

        Args:
            logits: What the model returns.

        Returns:
            By the name of the bag's feature the values, `(batch, topn)`, '' or -1 where there is no further one;
            `titles`, where the rows have some, and `scores` of the same shape; `by_popularity`, `(batch,)`, true where
            nothing known went in.
        """
        ids, scores = self.model.top(logits, min(self.declared.topn, self.units))
        key, values = values_of(self.model.column, ids)
        titles = {} if self.model.titles is None else {"titles": _titles_of(self.model.titles, ids)}
        unknown = tf.reduce_all(logits["given"] < 0, axis=1)
        return {key: values, **titles, "scores": scores, "by_popularity": unknown}


def values_of(column: EmbeddingColumn, ids: Any) -> tuple[str, Any]:
    """Returns the raw feature of a bag, and its values of some ids; where a value has none, it is the id itself."""
    inner = column.categorical_column
    key = next(iter(inner.raw_features))
    if not isinstance(inner, VocabularyListColumn):
        return key, ids
    is_text = isinstance(inner.vocabulary[0], str)
    missing: Any = "" if is_text else -1
    values = tf.constant([*inner.vocabulary, *[missing] * (inner.num_buckets - len(inner.vocabulary)), missing])
    return key, tf.gather(values, tf.where(ids < 0, tf.constant(inner.num_buckets, tf.int64), ids))


class ByTitle(tf.Module):
    """The raw feature of a bag from the titles of what is in it, where the model reads nothing else.

    Args:
        model: With titles; of several rows of one title the first is meant.
    """

    def __init__(self, model: Retrieval) -> None:
        super().__init__()
        self._column = model.column
        rows: dict[bytes, int] = {}
        for row, title in enumerate(model.titles):
            rows.setdefault(title.encode("utf-8", "surrogateescape"), row)
        rows.pop(b"", None)
        pairs = tf.lookup.KeyValueTensorInitializer([*rows], [*rows.values()], tf.string, tf.int64)
        self._rows = tf.lookup.StaticHashTable(pairs, -1)

    def __call__(self, titles: Any) -> dict[str, Any]:
        """Returns the feature by its key, `(batch, titles)`; a title that is none's is missing, as '' is."""
        key, values = values_of(self._column, self._rows.lookup(titles))
        return {key: values}


def by_title(model: Any) -> ByTitle | None:
    """Returns what makes the features of a model of titles; None where it has none, or reads further features."""
    has_titles = isinstance(model, Retrieval) and model.titles is not None and len(model.inputs) == 1
    return ByTitle(model) if has_titles else None


def _titles_of(titles: Any, ids: Any) -> Any:
    texts = tf.constant([*(title.encode("utf-8", "surrogateescape") for title in titles), b""])
    return tf.gather(texts, tf.where(ids < 0, tf.constant(len(titles), tf.int64), ids))


def retrieval(problem: Problem) -> Retrieval:
    """Returns the model of a problem with a `RetrievalHead`.

    Its vector is that of the deep columns beside each other, through the hidden layers or the tower where there are
    some, and at last through one layer to the width of the rows where it has another.

    Raises:
        Refusal: The problem has no table of the head's name, or what a retrieval has no place for.
    """
    head: Any = problem.head
    column = _column(problem, head)
    raw = layers.inputs(problem.columns, problem.bags)
    encoded = layers.Encoder(problem.columns, name="encoder")(raw)
    dense = layers.DenseFeatures(problem.dnn_feature_columns, encoded=True, name="dense_features")
    features = dense(encoded)
    hidden = problem.tower(features) if problem.tower is not None else hidden_layers(problem, features)
    candidates = _candidates(head, column, dense.tables[column.table])
    width = candidates.table.dimension
    vector = hidden if hidden.shape[-1] == width else keras.layers.Dense(width, name="vector")(hidden)
    given = layers.GivenIds(name="given")(encoded[encoded_key(layers.encodable(column))])
    candidates.build()
    outputs = {"vector": vector, "given": given}
    return Retrieval(list(raw.values()), outputs, candidates, head, column, name=problem.name or "model")


def _candidates(head: RetrievalHead, column: EmbeddingColumn, table: layers.EmbeddingTable) -> layers.Candidates:
    output = None
    if not head.shared:
        output = dataclasses.replace(column, table_name=f"{column.table}_output", shared_by=(), ckpt_to_load_from=None)
        table = layers.table_of(output)
    scale = head.scale if head.objective == "softmax" else None
    power = head.sample_power if head.objective == "softmax" and table.rows > head.softmax_sample else None
    return layers.Candidates(table, output, head.unit_vector, scale, head.learns_popularity, power, name="candidates")


def _column(problem: Problem, head: RetrievalHead) -> EmbeddingColumn:
    if placement.current() is not None:
        raise Refusal(
            f"RetrievalHead: problem {problem.name} scores all rows of table '{head.table}' in a step, and they would "
            "lie on parameter servers; train on one machine, or on several in step."
        )
    if problem.linear_feature_columns:
        raise Refusal(
            f"RetrievalHead: problem {problem.name} has linear_feature_columns, which say nothing of a vector; give "
            "dnn_feature_columns alone."
        )
    found = problem.embeddings
    if head.table not in found:
        ending = nearest(head.table, found) or f"; it has {', '.join(sorted(found)) or 'none'}."
        raise Refusal(f"RetrievalHead: problem {problem.name} has no table '{head.table}'{ending}")
    column = found[head.table][0]
    if makes_words(column):
        raise Refusal(
            f"RetrievalHead: problem {problem.name} retrieves values of a bag, and table '{head.table}' is of the "
            "words of a text; give a table on a feature in bags."
        )
    return column
