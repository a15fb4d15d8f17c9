"""Walks on the graph of a problem's rows as its examples, and the edges that are held out as others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.encoding import Coded
from trainer.errors import Refusal
from trainer.inputs.gathering import Array, Deal, Gathering
from trainer.inputs.shard import Shard
from trainer.inputs.sides import SETS, TRAIN
from trainer.inputs.walking.edges import Edges, Graphs, Rows, read
from trainer.inputs.walking.graph import Graph
from trainer.inputs.walking.names import Names
from trainer.inputs.walking.steps import Walker
from trainer.walks import Walks

WORDS = 1 << 19
"""Words of a block of walks, about."""

BLOCK = 8192
"""The most walks of a block."""


@dataclass(frozen=True)
class Sets:
    """The edges of each set, each in one of them alone.

    Args:
        names: Of their nodes and relations.
        edges: By the set's name.
        dealt: The sets of those that were dealt from the training rows, other than "train".
    """

    names: Names
    edges: dict[str, Edges]
    dealt: tuple[str, ...]


class Walking(Gathering):
    """Makes a graph of the training edges, and walks on it.

    Args:
        how: It is walked.
        rows: Returns the batches of the features of a split's rows.
        given: Returns the splits that have rows of their own, "train" first.
        called: Returns what a person calls the rows of a split.
        deal: Deals edges to the sets that have none of their own.
    """

    def __init__(
        self,
        how: Walks,
        rows: Rows,
        given: Callable[[], list[str]],
        called: Callable[[str], str],
        deal: Deal,
    ) -> None:
        self.how: Walks = how
        self._rows, self._given, self._called, self._deal = rows, given, called, deal
        self._sets: Sets | None = None
        self._graph: Graph | None = None

    def sets(self, tell: Callable[[int], None] = lambda rows: None) -> Sets:
        """Returns the edges of each set, with what they are called; rows are read where they were not yet.

        Args:
            tell: Is given the number of rows to train on, batch after batch.

        Raises:
            Refusal: There is no row, or the rows cannot be used.
        """
        if self._sets is None:
            found = read(self.how, self._given(), self._rows, self.most, self._called, tell)
            self._sets = self._apart(found)
        return self._sets

    @property
    def graph(self) -> Graph:
        """The training edges as what is walked on.

        Raises:
            Refusal: None of them leads from one node to another.
        """
        if self._graph is None:
            sets = self.sets()
            self._graph = Graph.of(sets.edges["train"], sets.names, self.how.directed)
            if not len(self._graph.neighbours):
                raise Refusal(
                    f"{self._called('train')}: no edge that is left to train on leads from one node to another; give "
                    "more edges, or hold fewer out."
                )
        return self._graph

    def gather(self, split: str, tell: Callable[[int], None]) -> None:
        """Reads the edges, of all splits at once."""
        self.sets(tell)

    def count(self, split: str) -> int | None:
        """Returns how many walks or edges a split has, or None before all its rows are read."""
        if self._sets is None or self.most is not None:
            return None
        return len(self.sides("train")) if split == "train" else len(self._sets.edges[split])

    def sides(self, split: str) -> Array:
        """Returns the set of each example of a split, `(examples,)`: walks first, then edges that were dealt."""
        sets = self.sets()
        if split != "train":
            return np.full(len(sets.edges[split]), SETS.index(split))
        held_out = [np.full(len(sets.edges[name]), SETS.index(name)) for name in sets.dealt]
        return np.concatenate([np.full(self._walks, TRAIN), *held_out])

    def batches(self, split: str, shard: Shard | None = None) -> tf.data.Dataset:
        """Returns walks as batches of sentences, and edges after them.

        Returns:
            `(features, labels, weights)`: the one feature is ragged and coded, `(batch, None)`; labels are zeros, and
            weights ones, `(batch, 1)`.
        """
        sets = self.sets()
        if split != "train":
            return self._served(-(-len(sets.edges[split]) // BLOCK), self._held_out(split), shard)
        size = max(1, min(BLOCK, WORDS // (2 * self.how.length)))
        found = self._served(-(-self._walks // size), self._walked(size), shard)
        for name in sets.dealt:
            found = found.concatenate(self._served(-(-len(sets.edges[name]) // BLOCK), self._held_out(name), shard))
        return found

    @property
    def _walks(self) -> int:
        """How many there are."""
        count = len(self.graph.beginnings) * self.how.per_node
        return count if self.most is None else min(count, self.most)

    def _walked(self, size: int) -> "Block":
        how, graph, count = self.how, self.graph, self._walks
        walker, beginnings = Walker(graph, how.length, how.p, how.q, how.seed), graph.beginnings

        def block(number: Any) -> tuple[Array, Array]:
            numbers = np.arange(number * size, min((number + 1) * size, count))
            nodes, lengths, relations = walker.walks(beginnings[numbers % len(beginnings)], numbers)
            return _sentences(nodes, lengths, relations)

        return block

    def _held_out(self, name: str) -> "Block":
        sets = self.sets()
        edges = sets.edges[name]

        def block(number: Any) -> tuple[Array, Array]:
            some = edges.at(np.arange(number * BLOCK, min((number + 1) * BLOCK, len(edges))))
            nodes = np.stack([some.sources, some.targets], axis=1)
            relations = None if some.relations is None else sets.names.forward(some.relations)[:, np.newaxis]
            return _sentences(nodes, np.full(len(some), 2), relations)

        return block

    def _served(self, blocks: int, block: "Block", shard: Shard | None) -> tf.data.Dataset:
        """Returns blocks of sentences as batches."""
        words = tf.constant(self.sets().names.words.to_numpy(zero_copy_only=False), tf.string)
        numbers = tf.data.Dataset.range(blocks)
        numbers = numbers if shard is None else numbers.shard(shard.count, shard.index)

        @tf.autograph.experimental.do_not_convert
        def batch(number: Any) -> Any:
            codes, lengths = tf.numpy_function(block, [number], (tf.int32, tf.int64), stateful=False)
            lengths = tf.ensure_shape(lengths, [None])
            # All words come with each batch, but where they are more than the sentences have.
            different, places = (words, codes) if words.shape[0] <= WORDS else _unique(words, codes)
            sentences = tf.RaggedTensor.from_row_lengths(tf.ensure_shape(places, [None]), lengths, validate=False)
            ones = tf.ones_like(lengths)[:, tf.newaxis]  # (batch, 1)
            return {self.how.feature: Coded(different, sentences)}, 0 * ones, tf.cast(ones, tf.float32)

        return numbers.map(batch, num_parallel_calls=2, deterministic=True)

    def _apart(self, found: Graphs) -> Sets:
        """Returns the edges of the sets, none that is held out among those to train on."""
        names, edges = found.names, dict(found.edges)
        keys = {name: each.keys(names, self.how.directed) for name, each in edges.items()}
        for name, later in (("validation", ["test"]), ("train", ["validation", "test"])):
            if name in edges:
                others = np.concatenate([np.zeros(0, np.int64), *(keys[other] for other in later if other in keys)])
                edges[name] = edges[name].at(~np.isin(keys[name], others))
        whole = edges["train"]
        # Edges of one hash are those between the same nodes in either direction, which are on one side together.
        hashes, places = np.unique(Graphs(names, edges).hashes("train"), return_inverse=True)
        sides = self._deal(hashes, "edges")[places]
        dealt = [name for side, name in enumerate(SETS) if side != TRAIN and (sides == side).any()]
        edges.update({name: whole.at(sides == SETS.index(name)) for name in ("train", *dealt)})
        return Sets(names, edges, tuple(dealt))


Block = Callable[[Any], tuple[Array, Array]]
"""Returns the words of the sentences of a block by its number, one after the other, and how many each has."""


def _sentences(nodes: Array, lengths: Array, relations: Array | None) -> tuple[Array, Array]:
    """Returns the words of sentences one after the other, and how many each has, int32 and int64.

    Args:
        nodes: `(sentences, nodes)`.
        lengths: How many nodes count, `(sentences,)`.
        relations: The words between them, `(sentences, nodes - 1)`; None of a plain graph.
    """
    words = nodes
    if relations is not None:
        words = np.empty((len(nodes), 2 * nodes.shape[1] - 1), np.int32)
        words[:, ::2], words[:, 1::2], lengths = nodes, relations, 2 * lengths - 1
    words = words.astype(np.int32, copy=False)
    is_there = np.arange(words.shape[1]) < lengths[:, np.newaxis]
    return words[is_there], lengths.astype(np.int64)


def _unique(words: Any, codes: Any) -> tuple[Any, Any]:
    """Returns the words of a batch, each once, and the places of all among them."""
    different, places = tf.unique(codes)
    return tf.gather(words, different), places
