"""Which nodes of a graph lie near each other: a vector for each node, and each relation, from random walks."""

from functools import partial
from typing import Any

from trainer import feature_column as fc
from trainer.heads import SkipGramHead
from trainer.measures import Links
from trainer.problem import CsvFormat, Problem, Range, Walks

PLANTED_GROUPS, PLANTED_NODES, PLANTED_NEAR, PLANTED_FAR = 6, 20, 0.4, 0.01


def problem(
    *,
    source: str = "head",
    target: str = "tail",
    relation: str = "relation",
    columns: str | None = None,
    delimiter: str | None = None,
    walk_length: int = 20,
    num_walks: int = 10,
    p: float = 1.0,
    q: float = 1.0,
    directed: bool = False,
    window: int = 5,
    negatives: int = 5,
    subsample: float | None = None,
) -> Problem:
    """Returns the problem.

    Args:
        source: the column with the node where an edge begins.
        target: the column with the node where it ends.
        relation: the column with what it means; a graph without such a column is a plain one.
        columns: the columns of files without a header row, with commas between (default: those three, the relation in
            the middle, of three, and without it of two, where the first row does not name them).
        delimiter: what stands between two columns, where it is no comma, tab, semicolon or bar.
        walk_length: how many nodes a walk visits.
        num_walks: how many walks begin at each node.
        p: going back is as likely as 1 / p, where a step to a node next to the one before is as likely as 1.
        q: going where the node before has no edge to is as likely as 1 / q.
        directed: walk edges in their direction alone.
        window: how far words of a walk stand at most that are learned to stand near each other.
        negatives: how many random nodes each is told apart from.
        subsample: a word of the walks with a larger share of all than this is left out at random, the more the more
            frequent it is (default: none is).
    """
    node = fc.categorical_column_with_vocabulary_list("node", fc.from_data())
    names = None if columns is None else [name.strip() for name in columns.split(",")]
    headerless = [(source, target), (source, relation, target)] if relation else [(source, target)]
    walks = Walks(
        source, target, relation or None, length=walk_length, per_node=num_walks, p=p, q=q, directed=directed,
        is_relation_optional=True
    )  # fmt: skip
    return Problem(
        dataset=None,
        dnn_feature_columns=[fc.embedding_column(node, 100, name="node", initializer="uniform")],
        bags=["node"],
        walks=walks,
        csv=CsvFormat(delimiter, names, headerless=headerless),
        head=SkipGramHead("node", window=window, negatives=negatives, subsample=subsample, label_smoothing=0.02),
        measures=[Links("node")],
        dnn_optimizer="Adagrad",
        learning_rate=0.8,
        learning_rate_decay="linear",
        num_epochs=5,
        train_batch_size=256,
        planted=partial(planted, source=source, target=target),
        search={"learning_rate": Range(0.1, 1.0, scale="log"), "dimension.node": (50, 100, 200)},
    )


def planted(split: str, source: str, target: str) -> dict[str, Any]:
    """Returns the edges of a graph of groups, in which nodes of one group are joined far more often than others."""
    import numpy as np  # loaded with the data alone

    draws, count = np.random.default_rng(2001), PLANTED_GROUPS * PLANTED_NODES
    first, last = np.triu_indices(count, 1)
    is_near = first % PLANTED_GROUPS == last % PLANTED_GROUPS
    is_edge = draws.random(len(first)) < np.where(is_near, PLANTED_NEAR, PLANTED_FAR)
    is_test = draws.random(len(first)) < 0.1
    kept = is_edge & (is_test == (split == "test"))
    names = np.array([f"group {node % PLANTED_GROUPS} node {node // PLANTED_GROUPS}" for node in range(count)])
    return {source: names[first[kept]], target: names[last[kept]]}
