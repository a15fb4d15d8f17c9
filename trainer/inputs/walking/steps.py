"""Walks, thousands at a time, each a function of the seed and of its number alone."""

from dataclasses import dataclass

import numpy as np

from trainer.inputs.gathering import Array
from trainer.inputs.hashing import STEP, mixed_array
from trainer.inputs.walking.graph import Graph

_HALF = np.uint64(32)


class Draws:
    """A stream of random numbers for each walk: SplitMix64 from where seed and number put it.

    Args:
        seed: Of all.
        numbers: Of the walks, `(walks,)`.

    Source:
        Guy Steele, Doug Lea and Christine Flood, "Fast splittable pseudorandom number generators", 2014.
    """

    def __init__(self, seed: int, numbers: Array) -> None:
        salt = mixed_array(np.array([(seed + 1) * STEP % 2**64], np.uint64)).view(np.uint64)
        self._states = mixed_array(numbers.astype(np.uint64) * np.uint64(STEP) + salt).view(np.uint64)

    def next(self, walks: Array | slice = slice(None)) -> Array:
        """Returns the next number of each of some walks, `(walks,)`, uint64."""
        self._states[walks] += np.uint64(STEP)
        return mixed_array(self._states[walks]).view(np.uint64)


def below(numbers: Array, bounds: Array) -> Array:
    """Returns whole numbers drawn evenly from 0 up to bounds by the upper 32 bits of random ones, int64."""
    return ((numbers >> _HALF) * bounds.astype(np.uint64) >> _HALF).astype(np.int64)


def share(numbers: Array) -> Array:
    """Returns numbers drawn evenly from `[0, 1)` by the upper 53 bits of random ones, float64."""
    found: Array = (numbers >> np.uint64(11)) * 2.0**-53
    return found


@dataclass(frozen=True)
class Walker:
    """Walks on a graph.

    Args:
        graph: The graph.
        length: Nodes of a walk.
        p: How unlikely it is to go back, as in `Walks`.
        q: How unlikely it is to go away from the node before.
        seed: Of all walks.
    """

    graph: Graph
    length: int
    p: float = 1.0
    q: float = 1.0
    seed: int = 0

    def walks(self, beginnings: Array, numbers: Array) -> tuple[Array, Array, Array | None]:
        """Returns walks.

        Args:
            beginnings: The nodes to begin at, `(walks,)`.
            numbers: The number of each walk, `(walks,)`.

        Returns:
            The nodes that each visits, `(walks, length)`, int32, what comes after its end being of no meaning; how many
            these are, `(walks,)`; and the words of the relations between them, `(walks, length - 1)`, None of a plain
            graph.
        """
        graph, count, draws = self.graph, len(numbers), Draws(self.seed, numbers)
        nodes = np.zeros((self.length, count), np.int32)  # a step of all walks lies together
        words = None if graph.words is None else np.zeros((self.length - 1, count), np.int32)
        lengths = np.full(count, self.length, np.int64)
        nodes[0], going = beginnings, np.arange(count)
        for step in range(1, self.length):
            here = nodes[step - 1, going]
            leads_on = graph.starts[here + 1] > graph.starts[here]
            if not leads_on.all():
                lengths[going[~leads_on]] = step
                going, here = going[leads_on], here[leads_on]
            before = None if step == 1 or self.p == self.q == 1 else nodes[step - 2, going]
            taken = self._even(here, draws.next(going)) if before is None else self._biased(here, before, going, draws)
            nodes[step, going] = graph.neighbours[taken]
            if words is not None and graph.words is not None:
                words[step - 1, going] = graph.words[taken]
        return nodes.T, lengths, None if words is None else words.T

    def _even(self, here: Array, numbers: Array) -> Array:
        starts = self.graph.starts[here]
        return starts + below(numbers, self.graph.starts[here + 1] - starts)

    def _biased(self, here: Array, before: Array, walks: Array, draws: Draws) -> Array:
        """Returns an edge for each walk, as likely as node2vec says, by rejection: a dart at a board of columns.

        Each edge is a column that is as high as an edge can be likely, and the dart is thrown again where it flies over
        what this edge is. Edges back that are likelier than all others have what is above them beside the others.

        Source:
            Ke Yang and others, "KnightKing: a fast distributed graph random walk engine", 2019.
        """
        graph, taken, still = self.graph, np.zeros(len(here), np.int64), np.arange(len(here))
        most, over = max(1.0, 1 / self.q), 0.0
        degrees = graph.starts[here + 1] - graph.starts[here]
        first = backs = np.zeros(len(here), np.int64)
        if 1 / self.p > most:
            over, first = 1 / self.p - most, graph.first(here, before)
            backs = graph.first(here, before, after=True) - first
        while len(still):
            node, columns = here[still], degrees[still]
            thrown = share(draws.next(walks[still])) * (columns * most + backs[still] * over)
            column = (thrown / most).astype(np.int64)
            is_beside = (column >= columns) & (backs[still] > 0)
            place = graph.starts[node] + np.minimum(column, columns - 1)
            hits = is_beside | self._hits(graph.neighbours[place], before[still], thrown - column * most)
            if is_beside.any():
                beside = ((thrown - columns * most) / over).astype(np.int64)[is_beside]
                beside = np.minimum(beside, backs[still][is_beside] - 1)
                place[is_beside] = first[still][is_beside] + beside
            taken[still[hits]], still = place[hits], still[~hits]
        return taken

    def _hits(self, nodes: Array, before: Array, heights: Array) -> Array:
        """Returns whether nodes are so likely after those before."""
        away, is_back = 1 / self.q, nodes == before
        hits: Array = np.where(is_back, heights < 1 / self.p, heights < min(1.0, away))
        unsure = np.flatnonzero(~is_back & ~hits)  # all others are as likely, whether they are near or not
        if len(unsure) and away != 1:
            is_near = self.graph.leads(before[unsure], nodes[unsure])
            hits[unsure] = heights[unsure] < np.where(is_near, 1.0, away)
        return hits
