"""Rows that are the edges of a graph, and the random walks on it that are the examples."""

import dataclasses
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from trainer.errors import Refusal
from trainer.rows import Grouped, Share


@dataclass(frozen=True)
class Walks:
    """The rows are edges, or triples where they name a relation, and the examples are random walks on them.

    A walk is a sentence: the nodes that it visits and, of triples, between two of them the relation that leads from one
    to the other. An edge that is walked against its direction has a relation of its own, `~RELATION`. A node that no
    training edge has begins no walk. An edge that is there twice, or in an undirected graph both ways, is one edge, and
    one from a node to itself is not walked. Where an edge leads nowhere, the walk ends.

    Validation and test are edges that no walk takes, each a sentence of its own: those of the files given for it, or a
    share of all, drawn by a hash of the edge's names.

    Args:
        source: The feature with the node where an edge begins.
        target: With the node where it ends.
        relation: With what it means; None is a plain graph.
        is_relation_optional: Whether data without that feature are a plain graph.
        feature: What the sentence is called.
        length: Nodes of a walk.
        per_node: Walks from each node.
        p: node2vec's return parameter: going back where the walk came from is as likely as 1 / p.
        q: Its in-out parameter: a node that is not next to the one before is as likely as 1 / q.
        directed: Whether edges are walked in their direction alone.
        seed: Of the walks.

    Raises:
        Refusal: A number is none that it can be, or a name is there twice.

    Source:
        Aditya Grover and Jure Leskovec, "node2vec: scalable feature learning for networks", 2016.
    """

    source: str
    target: str
    relation: str | None = None
    feature: str = "node"
    length: int = 40
    per_node: int = 10
    p: float = 1.0
    q: float = 1.0
    directed: bool = False
    seed: int = 0
    is_relation_optional: bool = False

    def __post_init__(self) -> None:
        for name, least in (("length", 2), ("per_node", 1)):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, int) or number < least:
                raise Refusal(f"Walks: {name} is a whole number of at least {least}, not {number!r}.")
        for name in ("p", "q"):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 < number < math.inf:
                raise Refusal(f"Walks: {name} is a number above 0, not {number!r}.")
        if len(set(self.keys)) < len(self.keys):
            raise Refusal(f"Walks: source, target and relation are different features, not {', '.join(self.keys)}.")

    def of(self, features: Collection[str] | None) -> "Walks":
        """Returns the walks on data with these features: without a relation where they may do without, and have none.

        Args:
            features: Their names; None where nobody knows them.
        """
        lacks = self.is_relation_optional and features is not None and self.relation not in features
        return dataclasses.replace(self, relation=None) if lacks else self

    @property
    def keys(self) -> tuple[str, ...]:
        """The features of an edge: source, target and, of triples, relation."""
        return (self.source, self.target) if self.relation is None else (self.source, self.target, self.relation)


def check_walks(
    how: Walks,
    features: Collection[str],
    bags: Collection[str],
    others: Mapping[str, Any],
    validation: Any,
    split_by: str | None,
) -> None:
    """Refuses what cannot be had of examples that are walks.

    Args:
        how: They are made.
        features: The raw features that columns read.
        bags: Those with several values an example, perhaps with what stands between the values of a text.
        others: Arguments of a problem that say otherwise of rows where they are not None, by name.
        validation: Which rows are held out.
        split_by: The feature whose values are never on two sides.

    Raises:
        Refusal: Something else in the problem says otherwise.
    """
    if isinstance(others.get("grouped"), Grouped):
        raise Refusal("Problem: rows are edges that are walked, or they are grouped; give one of walks and grouped.")
    for name, value in others.items():
        if value is not None:
            raise Refusal(f"Problem: a walk has no {name}, which is one row's; leave {name} out, or walks.")
    for key in sorted(features):
        if key != how.feature:
            raise Refusal(
                f"Problem: the examples are walks, which have '{how.feature}' alone, and a column reads '{key}'; leave "
                "it out, or give Walks its name as feature."
            )
    if how.feature not in bags or (isinstance(bags, Mapping) and bags[how.feature]):
        raise Refusal(f"Problem: a walk has several values of '{how.feature}'; give bags=['{how.feature}'].")
    by = split_by or getattr(validation, "by", None)
    if not isinstance(validation, Share) or by is not None:
        what = validation if by is None else f"by '{by}'"
        raise Refusal(f"Problem: edges are held out one by one, as Share(0.1) says, not {what}; leave it out.")
