"""Edges as arrays of codes, with the names of their nodes and relations beside them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf

from trainer.errors import Refusal
from trainer.inputs.gathering import Array
from trainer.inputs.hashing import mixed_array, row_hash
from trainer.inputs.memory import elements
from trainer.inputs.piles import Column, Pile, parts_of
from trainer.inputs.walking.names import Names
from trainer.walks import Walks

Rows = Callable[[str], tf.data.Dataset]


@dataclass(frozen=True)
class Edges:
    """Edges of a graph, or triples.

    Args:
        sources: The codes of the nodes where they begin, `(edges,)`, int32.
        targets: Where they end.
        relations: What they mean; None of a plain graph.
    """

    sources: Array
    targets: Array
    relations: Array | None = None

    def __len__(self) -> int:
        return len(self.sources)

    def at(self, places: Array) -> "Edges":
        """Returns the edges at some places, or where a mask is true."""
        relations = None if self.relations is None else self.relations[places]
        return Edges(self.sources[places], self.targets[places], relations)

    def keys(self, names: Names, directed: bool) -> Array:
        """Returns a whole number for each edge, the same for those that are the same edge, `(edges,)`, int64.

        A triple is another one the other way round; an edge that has no direction is not.

        Args:
            names: Of all nodes and relations.
            directed: Whether edges have a direction.
        """
        first, last, nodes = self.sources.astype(np.int64), self.targets.astype(np.int64), len(names.nodes)
        if self.relations is not None:
            return (first * len(names.relations) + self.relations) * nodes + last
        return first * nodes + last if directed else np.minimum(first, last) * nodes + np.maximum(first, last)


def read(
    how: Walks,
    splits: Sequence[str],
    rows: Rows,
    most: int | None = None,
    called: Callable[[str], str] = str,
    tell: Callable[[int], None] = lambda rows: None,
) -> "Graphs":
    """Returns the edges of some splits under common codes, each edge of a split once, in the order of their rows.

    Args:
        how: Names the features.
        splits: Those that have rows of their own.
        rows: Returns the batches of the features of a split's rows.
        most: How many rows of each are read at most; None is all.
        called: Returns what a person calls the rows of a split.
        tell: Is given the number of rows of the first split, batch after batch.

    Raises:
        Refusal: A split has no row, or one cannot be used.
    """
    columns = {}
    for split in splits:
        columns[split] = _columns(how, rows(split), most, tell if split == splits[0] else lambda rows: None)
        if not columns[split]:
            raise Refusal(f"{called(split)}: there is no row in them; at least one is wanted.")
    nodes, codes = _together([columns[split][key] for split in splits for key in (how.source, how.target)])
    edges = [Edges(*pair) for pair in zip(codes[::2], codes[1::2], strict=True)]
    names = Names(nodes)
    if how.relation is not None:
        relations, meanings = _together([columns[split][how.relation] for split in splits])
        names = Names(nodes, relations)
        edges = [Edges(each.sources, each.targets, means) for each, means in zip(edges, meanings, strict=True)]
    edges = [_once(each, names, how.directed) for each in edges]
    return Graphs(names, dict(zip(splits, edges, strict=True)))


@dataclass(frozen=True)
class Graphs:
    """The edges of splits, and what their codes mean."""

    names: Names
    edges: Mapping[str, Edges]

    def hashes(self, split: str) -> Array:
        """Returns a number of 64 bits for each edge, by its names alone; the same for both directions, `(edges,)`."""
        edges = self.edges[split]
        nodes = _hashed(self.names.nodes)
        found = nodes[edges.sources] + nodes[edges.targets]
        if edges.relations is not None:
            found = found + mixed_array(_hashed(self.names.relations))[edges.relations]
        return mixed_array(found)


def _columns(how: Walks, batches: tf.data.Dataset, most: int | None, tell: Callable[[int], None]) -> dict[str, Column]:
    piles, total = {key: Pile() for key in how.keys}, 0

    @tf.autograph.experimental.do_not_convert
    def parts(features: Mapping[str, Any]) -> Any:
        return {key: parts_of(_text(features[key])) for key in how.keys}

    for found in elements(batches.map(parts, num_parallel_calls=tf.data.AUTOTUNE)):
        count = len(found[how.source]["values"])
        kept = np.arange(count) < (count if most is None else most - total)
        for key, pile in piles.items():
            pile.add(found[key], kept)
        total += count
        tell(count)
        if most is not None and total >= most:
            break
    return {key: pile.joined() for key, pile in piles.items() if total}


def _text(values: Any) -> Any:
    return values if values.dtype == tf.string else tf.strings.as_string(values)


def _together(columns: Iterable[Column]) -> tuple[Any, list[Array]]:
    """Returns the different strings of several columns, and the codes of each column among them."""
    chunks = [pa.DictionaryArray.from_arrays(column.values.reshape(-1), column.different) for column in columns]
    unified = pa.chunked_array(chunks).unify_dictionaries()
    return unified.chunk(0).dictionary, [chunk.indices.to_numpy() for chunk in unified.chunks]


def _once(edges: Edges, names: Names, directed: bool) -> Edges:
    first = np.unique(edges.keys(names, directed), return_index=True)[1]
    return edges if len(first) == len(edges) else edges.at(np.sort(first))


def _hashed(names: Any) -> Array:
    found: Array = row_hash({"": tf.constant(names.to_numpy(zero_copy_only=False), tf.string)}).numpy()
    return found
