"""How well the vectors of a graph's nodes and relations tell the edges that were held out from other pairs of nodes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from trainer.tables.table import Array
from trainer.vectors.keys import Keys
from trainer.vectors.links import (
    Facts,
    area_under_curve,
    hits,
    joined,
    mean_reciprocal_rank,
    pairs_without_edge,
    ranks,
)

if TYPE_CHECKING:
    from trainer.inputs.walking import Edges, Names
    from trainer.vectors.labelled import LabelledVectors

_HITS = 10


@dataclass(frozen=True)
class Linking:
    """Vectors of the words of walks, and the edges of the graph that were walked and that were held out.

    Each end of an edge is asked for by the other one and, of a triple, by the relation: the tail by the relation as it
    is, the head by the relation backward. The score of a node is the product of its row in the table of contexts and
    the sum of the rows, in the table of centres, of what it is asked by. Where edges are walked in their direction
    alone no word is a relation backward, and the head is asked for with the two tables exchanged. A node is never asked
    for by itself, since no walk stays where it is: an edge from a node to itself is as one of an unknown node.

    Args:
        centres: The table of centres.
        contexts: The table of contexts, whose rows stand for the same.
        names: Of nodes and relations.
        edges: By the name of their set.
        directed: Whether edges are walked in their direction alone.
    """

    centres: "LabelledVectors"
    contexts: "LabelledVectors"
    names: "Names"
    edges: Mapping[str, "Edges"]
    directed: bool = False

    def metrics(self, split: str, seed: int = 0) -> dict[str, float]:
        """Returns what the vectors are worth, of the edges of a set all of whose words have a vector.

        Args:
            split: The name of the set.
            seed: Of the pairs of nodes that edges of a plain graph are told from.

        Returns:
            `links_coverage`, the share of those edges; where there are some, `mrr` and `hits@10` of both ends among all
            nodes, other true ones left out, and of a plain graph `auc`.
        """
        edges = self.edges[split]
        asked = edges.at(self._are_known(edges))
        found = {"links_coverage": len(asked) / max(1, len(edges))}
        if not len(asked):
            return found
        places = np.concatenate([self._places(asked, backward) for backward in (False, True)])
        found = {"mrr": mean_reciprocal_rank(places), f"hits@{_HITS}": hits(places, _HITS), **found}
        return found if asked.relations is not None else {**self._auc(asked, seed), **found}

    @cached_property
    def _rows(self) -> Array:
        """The row of each word in the table of centres, `(words,)`; -1 where it has none, or none that was trained."""
        rows = self.centres.keys.rows(Keys(self.names.words, "links"))
        rows[(rows >= 0) & ~self.centres.trained[rows]] = -1
        return rows

    @cached_property
    def _nodes(self) -> Array:
        """The nodes that have a vector, among which all are that are asked for."""
        return np.flatnonzero(self._rows[: len(self.names.nodes)] >= 0)

    def _are_known(self, edges: "Edges") -> Array:
        known = self._rows >= 0
        found = known[edges.sources] & known[edges.targets] & (edges.sources != edges.targets)
        return found if edges.relations is None else found & known[self.names.forward(edges.relations)]

    def _facts(self, edges: "Edges", backward: bool) -> Facts:
        """Returns edges as what is asked of one end, and the other one; without a direction, of each end alike."""
        codes = np.zeros(len(edges), np.int64) if edges.relations is None else edges.relations.astype(np.int64)
        if not backward:
            return Facts(edges.sources, codes, edges.targets)
        if edges.relations is not None or self.directed:
            codes = codes + self._relations
        return Facts(edges.targets, codes, edges.sources)

    @property
    def _relations(self) -> int:
        return 1 if self.names.relations is None else len(self.names.relations)

    def _places(self, edges: "Edges", backward: bool) -> Array:
        """Returns the place of each edge's end among all nodes, `(edges,)`."""
        places = np.full(len(self.names.nodes), -1)
        places[self._nodes] = np.arange(len(self._nodes))
        asked = self._facts(edges, backward)
        true = [self._facts(each, side) for each in self.edges.values() for side in (False, True)]
        known = joined(*true, Facts(asked.nodes, asked.codes, asked.nodes))  # none is asked for by itself
        known = known.at(places[known.answers] >= 0)
        known = Facts(known.nodes, known.codes, places[known.answers])
        from_, to = (self.contexts, self.centres) if backward and self.directed else (self.centres, self.contexts)
        queries = from_.matrix[self._rows[asked.nodes]]
        if edges.relations is not None:
            words = asked.codes - self._relations if backward and self.directed else asked.codes
            queries = queries + from_.matrix[self._rows[len(self.names.nodes) + words]]
        return ranks(queries, to.matrix[self._rows[self._nodes]], places[asked.answers], asked.others(known))

    def _auc(self, edges: "Edges", seed: int) -> dict[str, float]:
        """Returns how often a held-out edge is above a pair of nodes that is none; nothing where hardly one is."""
        ends = [(each.sources, each.targets) for each in self.edges.values()]
        if not self.directed:
            ends += [(targets, sources) for sources, targets in ends]
        all_ends = np.concatenate([each for each, _ in ends]), np.concatenate([each for _, each in ends])
        sources, targets = pairs_without_edge(self._nodes, all_ends, len(edges), seed)
        if not len(sources):
            return {}
        return {"auc": area_under_curve(self._scores(edges.sources, edges.targets), self._scores(sources, targets))}

    def _scores(self, sources: Array, targets: Array) -> Array:
        first, last = self._rows[sources], self._rows[targets]
        found: Array = np.einsum("ed,ed->e", self.centres.matrix[first], self.contexts.matrix[last])
        if self.directed:
            return found
        return found + np.einsum("ed,ed->e", self.centres.matrix[last], self.contexts.matrix[first])
