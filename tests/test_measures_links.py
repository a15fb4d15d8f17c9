"""The measure of link prediction: what it adds to the metrics, and where it cannot be asked."""

from types import SimpleNamespace
from typing import Any

import pytest

from trainer.errors import Refusal
from trainer.job.measuring import TrainedTables
from trainer.measures import Links


class Known:
    """Tables of which it is known what they are worth."""

    edges: dict[str, list[int]] = {"train": [1, 2, 3], "validation": [4, 5], "test": [6, 7, 8, 9]}

    def metrics(self, split: str, seed: int) -> dict[str, float]:
        return {"mrr": 0.25 + seed, "links_coverage": 0.5} if split == "test" else {"links_coverage": 0.0}


def test_it_tells_the_test_edges_and_beside_them_the_validation_edges() -> None:
    trained: Any = SimpleNamespace(linking={"place": Known()}.__getitem__)
    found = Links("place", seed=1).measured(trained)
    assert found.metrics == {"mrr": 1.25, "links_coverage": 0.5, "validation_links_coverage": 0.0}
    assert set(found.metrics) < set(Links().names)
    assert found.line == "mrr 1.2500, 4 edges (coverage 0.50)"
    assert found.details == {
        "table": "place",
        "mrr": 1.25,
        "links_coverage": 0.5,
        "sections": [
            {"section": "test", "edges": 4, "mrr": 1.25, "links_coverage": 0.5},
            {"section": "validation", "edges": 2, "links_coverage": 0.0},
        ],
    }


def test_examples_that_are_no_walks_have_no_links() -> None:
    work: Any = SimpleNamespace(
        source=SimpleNamespace(groups=None), plan=SimpleNamespace(problem=SimpleNamespace(name="words"), run=None)
    )
    with pytest.raises(Refusal) as refusal:
        TrainedTables(work, "unused").linking("word")
    assert str(refusal.value) == "Links: the examples of problem words are no walks; give walks=."
