"""Random walks on the graph that rows make: where they go, how likely, and which edges none of them takes."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer import feature_column as fc
from trainer.errors import Refusal
from trainer.heads import SkipGramHead
from trainer.inputs import split
from trainer.inputs.examples import Source
from trainer.inputs.memory import elements
from trainer.inputs.shard import Shard
from trainer.inputs.walking import Edges, Names, Walking, walking
from trainer.inputs.walking.graph import Graph
from trainer.inputs.walking.steps import Walker
from trainer.problem import CsvFormat, Files, Problem, Share, Walks

NODE = fc.embedding_column(fc.categorical_column_with_vocabulary_list("node", fc.from_data()), 2)

HEAD = SkipGramHead("node_embedding")
PLAIN = Walks("from", "to", length=5, per_node=3)

Edge = tuple[str, ...]


def source_of(
    train: Sequence[Edge], test: Sequence[Edge] = (("a", "b", "r"),), how: Walks = PLAIN, **arguments: Any
) -> Source:
    """A problem's data of edges that are held in memory."""

    def dataset(split: str) -> tf.data.Dataset:
        rows = train if split == "train" else test
        columns = {key: [row[place] for row in rows] for place, key in enumerate(how.keys)}
        return tf.data.Dataset.from_tensor_slices(columns).batch(3)

    made = Problem(dataset, [NODE], bags=["node"], head=HEAD, walks=how, name="edges", **arguments)
    return Source(made, {"node": "string"}, "data")


def walking_of(source: Source) -> Walking:
    assert isinstance(source.groups, Walking)
    return source.groups


def sentences(batches: tf.data.Dataset) -> list[list[str]]:
    return [
        [word.decode() for word in sentence]
        for features, _, _ in elements(batches)
        for sentence in features["node"].decoded().to_list()
    ]


def sets_of(source: Source) -> dict[str, list[list[str]]]:
    """The sentences of each set, as a training has them."""
    data = split.read(source, None)
    found = {"train": data.train, "validation": data.validation, "test": data.test()}
    return {
        name: [[word.decode() for word in each] for each in examples.in_memory().features["node"].to_list()]
        for name, examples in found.items()
    }


def circle(count: int) -> list[Edge]:
    return [(f"n{place}", f"n{(place + 1) % count}") for place in range(count)]


# Where walks go

CODE = st.integers(0, 7)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(CODE, CODE, st.integers(0, 1)), min_size=1, max_size=20, unique=True),
    st.booleans(),
    st.sampled_from([(1.0, 1.0), (0.25, 4.0), (3.0, 0.5)]),
)
def test_a_walk_goes_along_edges_and_ends_where_none_leads_on(
    triples: list[tuple[int, int, int]], directed: bool, pq: tuple[float, float]
) -> None:
    names = Names(pa.array([b"%d" % node for node in range(8)]), pa.array([b"r", b"s"]))
    graph = Graph.of(Edges(*np.array(triples, np.int32).T), names, directed)
    steps = {(a, 8 + word, b) for a, b, word in triples if a != b}
    steps |= set() if directed else {(b, word + 2, a) for a, word, b in steps}
    assert graph.beginnings.tolist() == sorted({a for a, _, _ in steps})
    if not steps:
        return
    beginnings = np.repeat(graph.beginnings, 2)
    nodes, lengths, words = Walker(graph, 4, *pq).walks(beginnings, np.arange(len(beginnings)))
    assert words is not None
    assert nodes[:, 0].tolist() == beginnings.tolist()
    for walk, said, length in zip(nodes.tolist(), words.tolist(), lengths.tolist(), strict=True):
        assert {(walk[at], said[at], walk[at + 1]) for at in range(length - 1)} <= steps
        assert length == 4 or (directed and not any(a == walk[length - 1] for a, _, _ in steps))


def test_a_walk_on_triples_says_how_it_goes_from_node_to_node() -> None:
    triples = [(a, b, f"r{a[1:]}") for a, b in circle(9)]
    source = source_of(triples, [("x", "y", "r")], Walks("from", "to", "is", length=4, per_node=2))
    found = sentences(source.batches("train"))
    walks = [walk for walk in found if len(walk) == 7]
    assert len(found) == source.rows("train") == len(walks) + 1  # and the edge that is held out
    steps = {(a, word, b) for a, b, word in triples} | {(b, f"~{word}", a) for a, b, word in triples}
    assert {tuple(walk[at : at + 3]) for walk in walks for at in (0, 2, 4)} <= steps
    assert set(Counter(walk[0] for walk in walks).values()) == {2}


def test_a_walk_of_a_plain_graph_is_the_nodes_it_visits() -> None:
    found = sentences(
        source_of(circle(6), how=Walks("from", "to", length=9, per_node=1, directed=True)).batches("train")
    )
    # Where an edge is held out the walk ends before it.
    assert all(walk == [f"n{(int(walk[0][1]) + step) % 6}" for step in range(len(walk))] for walk in found)


def plainly(edges: Sequence[tuple[int, int]], p: float, q: float, before: int, here: int) -> dict[int, float]:
    """How likely node2vec's definition makes each node next, of edges that lead one way."""
    weights: dict[int, float] = defaultdict(float)
    for a, b in edges:
        if a == here:
            weights[b] += 1 / p if b == before else 1 if (before, b) in edges else 1 / q
    return {node: weight / sum(weights.values()) for node, weight in weights.items()}


NAMED = Names(pa.array([str(node).encode() for node in range(6)]), pa.array([b"r", b"s", b"t"]))
BOTH_WAYS = [(0, 1), (0, 2), (1, 2), (2, 3), (3, 4), (2, 4), (4, 5), (0, 5)]
ONE_WAY = [(0, 1), (1, 0), (1, 2), (0, 2), (2, 0), (2, 1), (1, 3), (3, 1), (3, 0), (0, 3)]


@pytest.mark.parametrize(("p", "q"), [(1, 1), (0.1, 1), (0.25, 4), (4, 0.25), (0.2, 0.5), (2, 3), (1, 0.5)])
@pytest.mark.parametrize("directed", [False, True])
def test_a_step_is_as_likely_as_node2vec_says(p: float, q: float, directed: bool) -> None:
    edges = ONE_WAY if directed else BOTH_WAYS
    steps = edges if directed else [*edges, *((b, a) for a, b in edges)]
    found = transitions(Edges(*np.array(edges, np.int32).T), p, q, directed)
    assert_likely(found, lambda before, here: plainly(steps, p, q, before, here))


def test_several_relations_to_one_node_are_several_edges() -> None:
    triples = np.array([(0, 1), (0, 1), (0, 1), (1, 2), (0, 2), (2, 3), (1, 3)], np.int32).T
    edges = Edges(triples[0], triples[1], np.array([0, 1, 2, 0, 0, 0, 0], np.int32))
    steps = [*zip(*triples.tolist(), strict=True)]
    steps += [(b, a) for a, b in steps]
    found = transitions(edges, 0.25, 2, False)
    assert_likely(found, lambda before, here: plainly(steps, 0.25, 2, before, here))
    numbers = np.arange(20_000)
    nodes, _, words = Walker(Graph.of(edges, NAMED, False), 3, 0.25, 2).walks(numbers % 2, numbers)
    assert words is not None
    back = words[(nodes[:, 0] == 0) & (nodes[:, 1] == 1) & (nodes[:, 2] == 0)]
    assert len(back) > 4000
    for step, first in ((0, 6), (1, 9)):  # each of the three there, and backward, as often
        shares = np.bincount(back[:, step] - first, minlength=3) / len(back)
        assert np.abs(shares - 1 / 3).max() < 4.5 * (2 / 9 / len(back)) ** 0.5


def transitions(edges: Edges, p: float, q: float, directed: bool) -> Counter[tuple[int, int, int]]:
    graph = Graph.of(edges, NAMED, directed)
    numbers = np.arange(20_000)
    nodes, lengths, _ = Walker(graph, 6, p, q, seed=5).walks(graph.beginnings[numbers % len(graph.beginnings)], numbers)
    assert (lengths == 6).all()
    return Counter(tuple(walk[place : place + 3]) for walk in nodes.tolist() for place in range(4))


def assert_likely(found: Counter[tuple[int, int, int]], wanted: Any) -> None:
    totals: Counter[tuple[int, int]] = Counter()
    for (before, here, _), count in found.items():
        totals[before, here] += count
    for (before, here), total in totals.items():
        for node, chance in wanted(before, here).items():
            spread = (chance * (1 - chance) / total) ** 0.5
            assert abs(found[before, here, node] / total - chance) <= 4.5 * spread + 1e-12, (before, here, node)


def test_an_edge_leads_where_it_leads() -> None:
    graph = Graph.of(Edges(*np.array(ONE_WAY, np.int32).T), NAMED, directed=True)
    pairs = np.array([(a, b) for a in range(6) for b in range(6)]).T
    assert graph.leads(*pairs).tolist() == [(a, b) in ONE_WAY for a, b in pairs.T.tolist()]
    assert graph.nbytes == 7 * 8 + 10 * 4
    assert graph.beginnings.tolist() == [0, 1, 2, 3]


def test_an_edge_that_is_there_twice_or_both_ways_is_one_and_one_to_itself_is_not_walked() -> None:
    rows = [("a", "b"), ("b", "a"), ("a", "b"), ("a", "c"), ("c", "c"), ("d", "d"), ("e", "f")]
    sets = walking_of(source_of(rows, [("e", "f")])).sets()
    assert sum(len(edges) for edges in sets.edges.values()) == 5  # ab, ac, cc, dd; ef
    edges = sets.edges["train"]
    graph = Graph.of(edges, sets.names, directed=False)
    assert len(graph.neighbours) == 2 * int((edges.sources != edges.targets).sum())


# One walk is a function of the seed and its number


@pytest.mark.parametrize("p", [1.0, 0.5])
def test_walks_are_the_same_in_blocks_of_any_size(p: float, monkeypatch: pytest.MonkeyPatch) -> None:
    source = source_of(circle(30), how=Walks("from", "to", length=8, per_node=3, p=p))
    whole = sentences(source.batches("train"))
    monkeypatch.setattr(walking, "BLOCK", 7)
    assert sentences(source.batches("train")) == whole
    parts = [sentences(source.batches("train", Shard(index, 2))) for index in range(2)]
    assert sorted(parts[0] + parts[1]) == sorted(whole)
    assert min(map(len, parts)) > 20


def test_words_that_are_more_than_a_block_has_are_given_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    source = source_of(circle(30))
    whole = sentences(source.batches("train"))
    monkeypatch.setattr(walking, "WORDS", 20)
    batches = [features["node"] for features, _, _ in elements(source.batches("train"))]
    assert max(len(batch.values) for batch in batches) <= 20
    assert sentences(source.batches("train")) == whole


def test_another_seed_walks_elsewhere() -> None:
    found = [
        sentences(source_of(circle(30), how=Walks("from", "to", length=8, seed=seed)).batches("train"))
        for seed in (0, 0, 1)
    ]
    assert found[0] == found[1] != found[2]
    assert [walk[0] for walk in found[0]] == [walk[0] for walk in found[2]]


# Which edges are held out


def pairs_of(found: Sequence[Sequence[str]]) -> set[frozenset[str]]:
    return {frozenset(pair) for walk in found for pair in itertools.pairwise(walk)}


def test_no_walk_takes_an_edge_that_is_held_out_in_either_direction() -> None:
    rows = [*circle(40), *((b, a) for a, b in circle(40))]
    sets = sets_of(source_of(rows, [("n0", "n1"), ("n6", "n5")], validation=Share(0.2)))
    train, validation = pairs_of(sets["train"]), pairs_of(sets["validation"])
    assert sets["test"] == [["n0", "n1"], ["n6", "n5"]]
    assert len(sets["validation"]) == len(validation) == 8  # of the 38 that are left, exactly
    assert len(train) == 30
    assert not train & (validation | pairs_of(sets["test"]))


def test_files_that_are_given_are_kept_out_and_shares_of_others_drawn_by_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    triples = [(f"n{place}", f"n{(place * 7 + 1) % 50}", f"r{place % 3}") for place in range(50)]

    def write(name: str, rows: Sequence[Edge]) -> None:
        Path(name).write_text("".join(f"{a}\t{r}\t{b}\n" for a, b, r in rows))

    def source(validation: str | None = None, test: str | None = None) -> Source:
        how = Walks("a", "b", "is", length=6)
        csv = CsvFormat("\t", ["a", "is", "b"])
        made = Problem(
            Files("train.txt", validation, test), [NODE], bags=["node"], head=HEAD, walks=how, csv=csv, name="x"
        )
        found = Source(made, {"node": "string"}, "data")
        found.prepare()
        return found

    write("train.txt", triples)
    write("valid.txt", triples[:4])
    write("test.txt", triples[2:7])
    sets = sets_of(source(validation="valid.txt", test="test.txt"))
    assert sets["validation"] == [[a, r, b] for a, b, r in triples[:2]]  # what is test is no validation
    assert sets["test"] == [[a, r, b] for a, b, r in triples[2:7]]
    walked = {tuple(walk[place : place + 3]) for walk in sets["train"] for place in range(0, len(walk) - 2, 2)}
    assert {(a, r, b) for a, r, b in walked if r[0] != "~"} == {(a, r, b) for a, b, r in triples[7:]}

    drawn = sets_of(source())
    assert [len(drawn[name]) for name in ("validation", "test")] == [5, 5]
    write("train.txt", [(b, a, r) for a, b, r in triples[::-1]])
    again = sets_of(source())
    for name in ("validation", "test"):  # whatever the order of rows, and of an edge's two nodes
        assert {frozenset(each) for each in again[name]} == {frozenset(each) for each in drawn[name]}


def test_triples_between_two_nodes_of_one_relation_are_on_one_side_in_either_direction() -> None:
    rows = [(a, b, "r") for a, b in circle(30)]
    rows += [(b, a, r) for a, b, r in rows]
    sets = sets_of(source_of(rows, [("x", "y", "r")], Walks("from", "to", "is"), validation=Share(0.3)))
    held_out = [frozenset(each) for each in sets["validation"]]
    assert set(Counter(held_out).values()) == {2}
    assert len(held_out) == 18
    walked = {frozenset((walk[at], walk[at + 2])) for walk in sets["train"] for at in range(0, len(walk) - 2, 2)}
    assert not walked & {each - {"r"} for each in held_out}


def test_labels_are_zeros_and_weights_ones() -> None:
    source = source_of(circle(5))
    for name in ("train", "test"):
        for features, labels, weights in elements(source.batches(name)):
            rows = int(features["node"].codes.nrows())
            assert labels.numpy().tolist() == [[0]] * rows
            assert weights.numpy().tolist() == [[1.0]] * rows
            assert (labels.dtype, weights.dtype) == (tf.int64, tf.float32)


def test_columns_learn_of_walks_alone() -> None:
    rows = [*circle(20), ("apart", "away")]
    source = source_of(rows, [("apart", "away"), ("n3", "unheard of")])
    learned = [word for raw in split.training_rows(source) for each in raw["node"].decoded().to_list() for word in each]
    assert {word.decode() for word in learned} == {f"n{place}" for place in range(20)}


def test_nodes_may_be_whole_numbers() -> None:
    def dataset(split: str) -> tf.data.Dataset:
        nodes = [1, 2, 3, 4] if split == "train" else [7, 8, 9, 10]
        return tf.data.Dataset.from_tensor_slices({"from": nodes, "to": [*nodes[1:], nodes[0]]}).batch(4)

    made = Problem(dataset, [NODE], bags=["node"], head=HEAD, walks=Walks("from", "to", length=2), name="edges")
    names = walking_of(Source(made, {"node": "string"}, "data")).sets().names
    assert sorted(map(int, names.nodes.to_pylist())) == [1, 2, 3, 4, 7, 8, 9, 10]


def test_the_first_rows_alone_are_walked_where_a_few_are_shown() -> None:
    source = source_of(circle(50))
    source.sample(9, "unused")
    assert walking_of(source).sets().names.nodes.to_pylist()[:3] == [b"n0", b"n1", b"n2"]
    found = sentences(source.batches("train"))
    assert len([walk for walk in found if len(walk) == 5]) == 9
    assert source.rows("train") is None


def test_a_row_without_a_node_is_a_bad_row(tmp_path: Path) -> None:
    (tmp_path / "edges.csv").write_text("from,to\na,b\nc,\nb,c\n")
    made = Problem(
        Files(str(tmp_path / "edges.csv")), [NODE], bags=["node"], head=HEAD, walks=Walks("from", "to"), name="x"
    )
    source = Source(made, {"node": "string"}, "data")
    with pytest.raises(Refusal) as refusal:
        source.prepare()
    assert str(refusal.value) == (
        f"{tmp_path / 'edges.csv'}: line 3 has '' as 'to', and a string is wanted; correct it, or set such rows aside "
        "with --max-bad-rows."
    )


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "dataset, train: there is no row in them; at least one is wanted."),
        (
            [("a", "b")],
            "dataset, train: of 1 edges, 0 to test on and 1 for validation leave none to train on; give more rows, or "
            "smaller shares.",
        ),
        (
            [("a", "a"), ("b", "b"), ("c", "c")],
            "dataset, train: no edge that is left to train on leads from one node to another; give more edges, or hold "
            "fewer out.",
        ),
    ],
)
def test_a_graph_on_which_nobody_can_walk_is_refused(rows: list[Edge], sentence: str) -> None:
    def dataset(split: str) -> Any:
        columns: Mapping[str, list[str]] = {
            "from": [a for a, _ in rows] if split == "train" else ["x"],
            "to": [b for _, b in rows] if split == "train" else ["y"],
        }
        return tf.data.Dataset.from_tensor_slices({key: tf.constant(each, tf.string) for key, each in columns.items()})

    made = Problem(dataset, [NODE], bags=["node"], head=HEAD, walks=Walks("from", "to"), name="edges")
    source = Source(made, {"node": "string"}, "data")
    with pytest.raises(Refusal) as refusal:
        source.batches("train")
    assert str(refusal.value) == sentence


# What words are called


def test_no_two_words_are_the_same() -> None:
    names = Names(pa.array([b"a", b"r", b"~s", b">s"]), pa.array([b"r", b"s"]))
    words = names.words.to_pylist()
    assert words == [b"a", b"r", b"~s", b">s", b">>r", b">>s", b"~~r", b"~~s"]
    assert len(set(words)) == len(words)
    assert words[names.forward(1)] == b">>s"
    assert words[names.backward(1)] == b"~~s"


def test_plain_names_stay_plain() -> None:
    names = Names(pa.array([b"a", b"b"]), pa.array([b"r", b"~r"]))
    assert names.words.to_pylist() == [b"a", b"b", b"r", b"~r", b"~~r", b"~~~r"]


@pytest.mark.parametrize(
    ("rows", "how", "walked"),
    [
        (
            "a\tr\tb\nb\tr\tc\nc\tr\ta\n",
            Walks("from", "to", "is", is_relation_optional=True),
            {"a", "b", "c", "r", "~r"},
        ),
        ("a\tb\nb\tc\nc\ta\n", Walks("from", "to", "is", is_relation_optional=True), {"a", "b", "c"}),
        ("to\tfrom\nb\ta\nc\tb\na\tc\n", Walks("from", "to", "is", is_relation_optional=True), {"a", "b", "c"}),
        ("is\tto\tfrom\nr\tb\ta\nr\tc\tb\nr\ta\tc\n", Walks("from", "to"), {"a", "b", "c"}),
    ],
)
def test_data_without_a_relation_may_be_a_plain_graph(tmp_path: Path, rows: str, how: Walks, walked: set[str]) -> None:
    (tmp_path / "edges.txt").write_text(rows)
    (tmp_path / "held out.txt").write_text(rows.replace("a", "x"))
    files = Files(str(tmp_path / "edges.txt"), str(tmp_path / "held out.txt"))
    csv = CsvFormat(headerless=[("from", "to"), ("from", "is", "to")])
    source = Source(
        Problem(files, [NODE], bags=["node"], head=HEAD, walks=how, csv=csv, name="x"), {"node": "string"}, "data"
    )
    source.prepare()
    assert {word for walk in sentences(source.batches("train")) for word in walk} == walked


def test_planted_data_may_be_a_plain_graph_too() -> None:
    def planted(split: str) -> dict[str, np.ndarray[Any, Any]]:
        nodes = np.array([f"{split}{place}" for place in range(9)])
        return {"from": nodes, "to": np.roll(nodes, 1)}

    how = Walks("from", "to", "is", is_relation_optional=True)
    made = Problem(None, [NODE], bags=["node"], head=HEAD, walks=how, planted=planted, name="x")
    names = walking_of(Source(made, {"node": "string"}, "data")).sets().names
    assert (len(names.nodes), names.relations) == (18, None)
    needed = Problem(None, [NODE], bags=["node"], head=HEAD, walks=Walks("from", "to", "is"), planted=planted, name="x")
    with pytest.raises(Refusal, match=r"^Problem: data set planted has no feature 'is'; it has from, to\.$"):
        walking_of(Source(needed, {"node": "string"}, "data")).sets()
