"""What says that rows are edges and examples are walks, and what cannot be said beside it."""

from collections.abc import Callable
from typing import Any

import pytest

from trainer import feature_column as fc
from trainer.errors import Refusal
from trainer.heads import BinaryHead, SkipGramHead
from trainer.problem import ByDate, EveryNthBlock, Files, Grouped, Problem, Share, TextFormat, Walks

NODE = fc.embedding_column(fc.categorical_column_with_vocabulary_list("node", fc.from_data()), 2)

HEAD = SkipGramHead("node_embedding")


def problem(**arguments: Any) -> Problem:
    given = {
        "dataset": "edges",
        "dnn_feature_columns": [NODE],
        "bags": ["node"],
        "walks": Walks("a", "b"),
        "head": HEAD,
    }
    return Problem(**{**given, **arguments})


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Walks("a", "b", length=1), "Walks: length is a whole number of at least 2, not 1."),
        (lambda: Walks("a", "b", per_node=True), "Walks: per_node is a whole number of at least 1, not True."),
        (lambda: Walks("a", "b", p=0), "Walks: p is a number above 0, not 0."),
        (lambda: Walks("a", "b", q=float("inf")), "Walks: q is a number above 0, not inf."),
        (lambda: Walks("a", "a"), "Walks: source, target and relation are different features, not a, a."),
        (lambda: Walks("a", "b", "a"), "Walks: source, target and relation are different features, not a, b, a."),
    ],
)
def test_walks_that_cannot_be_are_refused(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        make()
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"grouped": Grouped("a")},
            "Problem: rows are edges that are walked, or they are grouped; give one of walks and grouped.",
        ),
        ({"label": "b"}, "Problem: a walk has no label, which is one row's; leave label out, or walks."),
        (
            {"weight_column": "w"},
            "Problem: a walk has no weight_column, which is one row's; leave weight_column out, or walks.",
        ),
        (
            {"window": ByDate("day", 3)},
            "Problem: a walk has no window, which is one row's; leave window out, or walks.",
        ),
        ({"texts": TextFormat()}, "Problem: a walk has no texts, which is one row's; leave texts out, or walks."),
        (
            {"head": BinaryHead()},
            "Problem: a walk has no label, and BinaryHead takes one; take a head that does without, as SkipGramHead.",
        ),
        (
            {"linear_feature_columns": [fc.numeric_column("age")]},
            "Problem: the examples are walks, which have 'node' alone, and a column reads 'age'; leave it out, or give "
            "Walks its name as feature.",
        ),
        ({"bags": []}, "Problem: a walk has several values of 'node'; give bags=['node']."),
        ({"bags": {"node": "|"}}, "Problem: a walk has several values of 'node'; give bags=['node']."),
        (
            {"validation": EveryNthBlock("a", 3)},
            "Problem: edges are held out one by one, as Share(0.1) says, not EveryNthBlock(key='a', n=3); leave it "
            "out.",
        ),
        (
            {"validation": Share(0.1, "a")},
            "Problem: edges are held out one by one, as Share(0.1) says, not by 'a'; leave it out.",
        ),
        (
            {"dataset": Files("a.csv", split_by="b")},
            "Problem: edges are held out one by one, as Share(0.1) says, not by 'b'; leave it out.",
        ),
    ],
)
def test_what_does_not_go_with_walks_is_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        problem(**arguments)
    assert str(refusal.value) == sentence


def test_walks_go_with_a_column_of_their_nodes() -> None:
    assert problem().walks == Walks("a", "b", None, "node", 40, 10, 1.0, 1.0, False, 0)
    assert Walks("a", "b", "r").keys == ("a", "b", "r")
