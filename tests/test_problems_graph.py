"""Problem `graph`: what its flags say, and what its vectors tell of edges and of groups."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans

from tests import karate
from trainer import problem as problems
from trainer.job import run
from trainer.measures import Links
from trainer.problem import Walks
from trainer.problems import graph
from trainer.settings import Settings
from trainer.vectors import LabelledVectors


def test_its_flags_say_how_the_graph_is_walked() -> None:
    walked = Walks("head", "tail", "relation", length=20, is_relation_optional=True)
    problem = problems.load("graph")
    assert (problem.walks, problem.measures) == (walked, [Links("node")])
    assert problem.csv.headerless == [("head", "tail"), ("head", "relation", "tail")]
    arguments: dict[str, Any] = {"source": "a", "target": "b", "relation": "", "p": 0.5, "q": 2.0, "directed": True}
    given = problems.load("graph", {**arguments, "columns": "b, a", "delimiter": " ", "walk_length": 3, "num_walks": 2})
    assert given.walks == Walks("a", "b", None, "node", 3, 2, 0.5, 2.0, True, is_relation_optional=True)
    assert (given.csv.column_names, given.csv.delimiter, given.csv.headerless) == (["b", "a"], " ", [("a", "b")])


def test_planted_edges_join_nodes_of_one_group_mostly_and_those_of_the_test_are_others() -> None:
    parts = {split: graph.planted(split, "a", "b") for split in ("train", "test")}
    pairs = {split: {*zip(part["a"].tolist(), part["b"].tolist(), strict=True)} for split, part in parts.items()}
    assert not pairs["train"] & pairs["test"]
    for found in pairs.values():
        near = [a.split(" node")[0] == b.split(" node")[0] for a, b in found]
        assert np.mean(near) > 0.8


@pytest.mark.slow
def test_planted_edges_are_told_and_groups_lie_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "run")
    run(Settings("graph", job_dir=folder, dimension=("node=16",), train_batch_size=64))
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    names = {"auc", "mrr", "hits@10", "links_coverage"}
    assert names | {f"validation_{name}" for name in names} <= metrics.keys()
    assert metrics["auc"] > 0.8
    assert metrics["links_coverage"] > 0.9
    told = json.loads((tmp_path / "run" / "measures.json").read_text())["links"]
    assert [section["section"] for section in told["sections"]] == ["test", "validation"]
    out = capsys.readouterr().out
    assert "planted: 1,200 walks to train on, " in out
    assert f"links       mrr {metrics['mrr']:.4f}, hits@10 " in out
    found = LabelledVectors.load(folder, "node").cluster(graph.PLANTED_GROUPS, seed=1)
    assert {len({key.split(" node")[0] for key in group.keys}) for group in found} == {1}


@pytest.mark.slow
def test_triples_of_files_without_a_header_are_asked_for_at_both_ends(tmp_path: Path) -> None:
    triples = [(f"n{place}", f"r{by}", f"n{(place + 1 + 2 * by) % 20}") for place in range(20) for by in (0, 1)]
    parts = {"train": triples[6:], "valid": triples[:2], "test": [*triples[2:6], ("n0", "r1", "unheard of")]}
    for name, rows in parts.items():
        (tmp_path / f"{name}.txt").write_text("".join("\t".join(row) + "\n" for row in rows))
    train, valid, test = (str(tmp_path / f"{name}.txt") for name in parts)
    place = str(tmp_path / "run")
    files: Any = {"train_files": train, "validation_files": valid, "eval_files": test}
    run(Settings("graph", job_dir=place, train_steps=3, **files))
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["links_coverage"] == 0.8
    assert metrics["validation_links_coverage"] == 1.0
    assert 0 < metrics["mrr"] < 1
    assert "auc" not in metrics
    keys = {*LabelledVectors.load(str(tmp_path / "run"), "node_output").keys}
    assert {"n0", "r0", "~r0", "r1", "~r1"} <= keys
    assert "unheard of" not in keys


@pytest.mark.slow
def test_the_two_halves_of_a_karate_club_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "friends.csv").write_text("head,tail\n" + "".join(f"{a},{b}\n" for a, b in karate.EDGES))
    run(
        Settings(
            "graph",
            train_files=str(tmp_path / "friends.csv"),
            validation_share=0.01,
            eval_share=0.01,
            job_dir=str(tmp_path / "run"),
            dimension=("node=4",),
            train_batch_size=64,
            num_epochs=15,
            learning_rate=0.5,
            problem_arguments={"num_walks": 50, "window": 3},
        )
    )
    vectors = LabelledVectors.load(str(tmp_path / "run"), "node")
    halves = KMeans(2, n_init=10, random_state=0).fit_predict(vectors.matrix)
    right = np.mean([(key in karate.OF_MR_HI) == half for key, half in zip(vectors.keys, halves, strict=True)])
    assert len(vectors) == 34
    assert max(right, 1 - right) * 34 >= 32
