"""A graph in three arrays: where the edges of each node begin, where each leads, and what it means."""

from dataclasses import dataclass

import numpy as np

from trainer.inputs.gathering import Array
from trainer.inputs.walking.edges import Edges
from trainer.inputs.walking.names import Names


@dataclass(frozen=True)
class Graph:
    """The edges of each node one after the other, in the order of where they lead (compressed sparse rows).

    Args:
        starts: Of each node, the place of its first edge, and after them the number of all, `(nodes + 1,)`, int64.
        neighbours: Where each edge leads, `(edges,)`, int32.
        words: The word of the relation by which it leads there, `(edges,)`, int32; None of a plain graph.
    """

    starts: Array
    neighbours: Array
    words: Array | None = None

    @classmethod
    def of(cls, edges: Edges, names: Names, directed: bool) -> "Graph":
        """Returns the graph of edges, those from a node to itself left out.

        Args:
            edges: Each once.
            names: Of what they connect.
            directed: Whether they lead one way alone.
        """
        edges = edges.at(edges.sources != edges.targets)
        sources, targets = edges.sources, edges.targets
        words = None if edges.relations is None else names.forward(edges.relations)
        if not directed:
            sources, targets = np.concatenate([sources, targets]), np.concatenate([targets, sources])
            if words is not None and edges.relations is not None:
                words = np.concatenate([words, names.backward(edges.relations)])
        order = np.argsort(sources.astype(np.int64) * len(names.nodes) + targets, kind="stable")
        counts = np.bincount(sources, minlength=len(names.nodes))
        starts = np.concatenate([[0], np.cumsum(counts)])
        return cls(starts, targets[order], None if words is None else words[order].astype(np.int32))

    @property
    def nbytes(self) -> int:
        """How many bytes it takes."""
        return self.starts.nbytes + self.neighbours.nbytes + (0 if self.words is None else self.words.nbytes)

    @property
    def beginnings(self) -> Array:
        """The nodes with an edge that leads from them."""
        return np.flatnonzero(np.diff(self.starts))

    def first(self, nodes: Array, targets: Array, after: bool = False) -> Array:
        """Returns the place of the first edge of each node that leads to its target or beyond, `(nodes,)`.

        Args:
            nodes: `(nodes,)`.
            targets: `(nodes,)`.
            after: Whether it is to lead beyond.
        """
        low, high = self.starts[nodes], self.starts[nodes + 1]
        targets = targets + 1 if after else targets
        last = len(self.neighbours) - 1
        for _ in range(int((high - low).max(initial=0)).bit_length()):
            middle = (low + high) >> 1
            is_open = low < high
            is_below = is_open & (self.neighbours[np.minimum(middle, last)] < targets)
            low = np.where(is_below, middle + 1, low)
            high = np.where(is_open & ~is_below, middle, high)
        return low

    def leads(self, nodes: Array, targets: Array) -> Array:
        """Returns whether an edge leads from each node to its target, `(nodes,)`."""
        places = self.first(nodes, targets)
        is_there: Array = places < self.starts[nodes + 1]
        is_there[is_there] = self.neighbours[places[is_there]] == targets[is_there]
        return is_there
