"""What nodes and relations are called, and what each is in a sentence."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

BACKWARD = "~"
"""What stands before the name of a relation that is walked against its direction."""


@dataclass(frozen=True)
class Names:
    """Nodes and relations by their codes; a word of a sentence is a node or a relation in one of its directions.

    The words are the nodes, then the relations, then these against their direction. No two of them are the same: where
    a relation is called as a node is, or one backward as something else, more marks stand before it.

    Args:
        nodes: Their names, an Arrow array of bytes.
        relations: The same; None of a plain graph.

    Example:
        >>> names = Names(pa.array([b"cat", b"~is a"]), pa.array([b"is a", b"cat"]))
        >>> names.words.to_pylist()
        [b'cat', b'~is a', b'>is a', b'>cat', b'~~is a', b'~~cat']
    """

    nodes: Any
    relations: Any = None

    @cached_property
    def words(self) -> Any:
        """All words, an Arrow array of bytes."""
        if self.relations is None:
            return self.nodes
        forward = _marked(self.relations, "", ">", self.nodes)
        backward = _marked(self.relations, BACKWARD, BACKWARD, pa.concat_arrays([self.nodes, forward]))
        return pa.concat_arrays([self.nodes, forward, backward])

    def forward(self, relations: Any) -> Any:
        """Returns the words of relations."""
        return relations + len(self.nodes)

    def backward(self, relations: Any) -> Any:
        """Returns the words of relations against their direction."""
        return relations + len(self.nodes) + len(self.relations)


def _marked(relations: Any, marks: str, more: str, taken: Any) -> Any:
    """Returns the names of relations with as few marks before them as make each another than those that are taken."""
    while True:
        found = pc.binary_join_element_wise(pa.scalar(marks.encode()), relations, pa.scalar(b""))
        if not pc.any(pc.is_in(found, value_set=taken)).as_py():
            return found
        marks += more
