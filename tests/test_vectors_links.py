"""Link prediction against its plain definition: the place of each true end, other true ones left out."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.inputs.walking import Edges, Names
from trainer.vectors import LabelledVectors, links
from trainer.vectors.linking import Linking

NODES, RELATIONS = 9, 2
CODE = st.integers(0, NODES - 1)
TRIPLES = st.lists(st.tuples(CODE, CODE, st.integers(0, RELATIONS - 1)), min_size=3, max_size=25, unique=True)


def edges_of(triples: list[tuple[int, ...]], plain: bool) -> Edges:
    sources, targets, relations = np.array(triples, np.int32).reshape(-1, 3).T
    return Edges(sources, targets, None if plain else relations)


def linking_of(triples: list[tuple[int, int, int]], plain: bool, directed: bool, seed: int = 0) -> Linking:
    """Whole numbers as vectors, many of whose products are alike; the last node has none."""
    names = Names(
        pa.array([b"n%d" % node for node in range(NODES)]), None if plain else pa.array([b"r%d" % r for r in (0, 1)])
    )
    words = [word.decode() for word in names.words.to_pylist()]
    draws = np.random.default_rng(seed)
    keys = [word for word in draws.permutation(words).tolist() if word != f"n{NODES - 1}"]
    tables = [LabelledVectors(keys, draws.integers(-2, 3, (len(keys), 3)).astype(np.float32)) for _ in range(2)]
    thirds = {"train": triples[::3], "validation": triples[1::3], "test": triples[2::3]}
    return Linking(
        tables[0], tables[1], names, {name: edges_of([*some], plain) for name, some in thirds.items()}, directed
    )


def plainly(linking: Linking, split: str) -> tuple[list[float], float]:
    """The places of both ends of each edge of a set, and how many of these have vectors."""
    centre, context = linking.centres, linking.contexts
    nodes = [f"n{node}" for node in range(NODES - 1)]
    is_plain = linking.names.relations is None

    def named(edges: Edges) -> list[tuple[str, str, str]]:
        codes = edges.sources if edges.relations is None else edges.relations
        relations = ["" if is_plain else f"r{code}" for code in codes.tolist()]
        return [
            (f"n{a}", f"n{b}", r)
            for a, b, r in zip(edges.sources.tolist(), edges.targets.tolist(), relations, strict=True)
        ]

    true = {edge for edges in linking.edges.values() for edge in named(edges)}
    if is_plain and not linking.directed:
        true |= {(b, a, r) for a, b, r in true}

    def score(head: str, tail: str, relation: str, asks_head: bool) -> Any:
        if asks_head and not linking.directed:
            return (centre[tail] + (0 if is_plain else centre[f"~{relation}"])) @ context[head]
        if asks_head:
            return (context[tail] + (0 if is_plain else context[relation])) @ centre[head]
        return (centre[head] + (0 if is_plain else centre[relation])) @ context[tail]

    asked = [edge for edge in named(linking.edges[split]) if {*edge[:2]} <= {*nodes} and edge[0] != edge[1]]
    places = []
    for head, tail, relation in asked:
        for asks_head in (False, True):
            mine = score(head, tail, relation, asks_head)
            others = [(node, tail) if asks_head else (head, node) for node in nodes]
            others = [pair for pair in others if (*pair, relation) not in true and pair[0] != pair[1]]
            scores = [score(*pair, relation, asks_head) for pair in others]
            places.append(1 + sum(each > mine for each in scores) + sum(each == mine for each in scores) / 2)
    return places, len(asked) / max(1, len(linking.edges[split]))


@settings(max_examples=60, deadline=None)
@given(TRIPLES, st.booleans(), st.booleans(), st.integers(0, 9))
def test_both_ends_of_an_edge_have_the_places_of_the_plain_definition(
    triples: list[tuple[int, int, int]], plain: bool, directed: bool, seed: int
) -> None:
    linking = linking_of(triples, plain, directed, seed)
    for split in ("validation", "test"):
        found, (places, coverage) = linking.metrics(split), plainly(linking, split)
        assert found["links_coverage"] == coverage
        if places:
            assert found["mrr"] == pytest.approx(np.mean([1 / place for place in places]))
            assert found["hits@10"] == pytest.approx(np.mean([place <= 10 for place in places]))
        else:
            assert found.keys() == {"links_coverage"}


def test_many_questions_are_asked_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = np.random.default_rng(1)
    linking = linking_of([tuple(draws.integers([NODES, NODES, 2]).tolist()) for _ in range(40)], False, False)
    whole = linking.metrics("test")
    monkeypatch.setattr(links, "_SCORES", 3 * NODES)
    assert linking.metrics("test") == whole


def test_words_that_no_training_row_held_have_no_vector() -> None:
    linking = linking_of([(0, 1, 0), (1, 2, 0), (2, 3, 0), (3, 0, 0), (1, 3, 0), (4, 3, 0)], True, False)
    counts = [0 if key == "n4" else 1 for key in linking.centres.keys]
    counted = LabelledVectors(linking.centres.keys, linking.centres.matrix, counts=counts)
    assert linking.metrics("test")["links_coverage"] == 1
    found = Linking(counted, linking.contexts, linking.names, linking.edges)
    assert found.metrics("test")["links_coverage"] == 0.5


def test_edges_are_told_from_pairs_that_are_none() -> None:
    """Two groups of nodes, of which edges join those of one alone."""
    keys = [f"n{node}" for node in range(20)]
    sides = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)[np.arange(20) % 2]
    edges = np.array([(a, b) for a in range(20) for b in range(a) if (a - b) % 2 == 0], np.int32).T
    parts = {"train": edges[:, ::2], "test": edges[:, 1::2]}
    names, table = Names(pa.array([key.encode() for key in keys])), LabelledVectors(keys, sides)
    made = {name: Edges(*each) for name, each in parts.items()}
    assert Linking(table, table, names, made).metrics("test")["auc"] == 1.0
    turned = LabelledVectors(keys, sides[:, ::-1])
    assert Linking(table, turned, names, made).metrics("test")["auc"] == 0.0
    even = LabelledVectors(keys, np.ones((20, 1)))
    assert Linking(even, even, names, made).metrics("test")["auc"] == 0.5


@pytest.mark.parametrize("directed", [False, True])
def test_a_pair_without_an_edge_is_none(directed: bool) -> None:
    draws = np.random.default_rng(3)
    edges = draws.integers(0, 12, (2, 60))
    both = edges if directed else np.concatenate([edges, edges[::-1]], axis=1)
    first, last = links.pairs_without_edge(np.arange(12), (both[0], both[1]), 500, seed=1)
    assert len(first) == 500
    wanted = {(a, b) for a in range(12) for b in range(12) if a != b} - set(zip(*both.tolist(), strict=True))
    assert {*zip(first.tolist(), last.tolist(), strict=True)} == wanted
    again = links.pairs_without_edge(np.arange(12), (both[0], both[1]), 500, seed=1)
    assert [each.tolist() for each in again] == [first.tolist(), last.tolist()]


def test_where_every_pair_is_an_edge_there_is_none_without_and_no_curve() -> None:
    pairs = np.array([(a, b) for a in range(4) for b in range(a)], np.int32).T
    table = LabelledVectors([f"n{node}" for node in range(4)], np.eye(4))
    made = {"train": Edges(*pairs[:, :3]), "test": Edges(*pairs[:, 3:])}
    found = Linking(table, table, Names(pa.array([b"n0", b"n1", b"n2", b"n3"])), made).metrics("test")
    assert found.keys() == {"mrr", "hits@10", "links_coverage"}
    assert found["mrr"] == 1.0
