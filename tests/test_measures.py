"""What is measured of tables: what a problem may declare."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests import planted
from trainer.errors import Refusal
from trainer.measures import Analogies, Measure, Measured, Similarities, Trained


@dataclass(frozen=True)
class Rows(Measure):
    """A measure of one's own: how many rows a table has."""

    table: str
    name: str = "rows"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def measured(self, trained: Trained) -> Measured:
        rows = len(trained.vectors(self.table))
        return Measured({self.name: rows}, f"{rows} rows")


def test_a_problem_has_measures_of_its_tables() -> None:
    measures = (Analogies("q.txt", "day_hour"), Similarities("p.tsv", "day_hour"), Rows("day_hour"))
    problem = replace(planted.PROBLEM, measures=measures)
    assert [measure.files for measure in problem.measures] == [("q.txt",), ("p.tsv",), ()]
    assert [name for measure in problem.measures for name in measure.names] == [
        "analogies",
        "analogies_coverage",
        "similarities",
        "similarities_coverage",
        "rows",
    ]
    assert (Analogies("q.txt").table, Similarities("p.tsv", name="simlex").names) == (
        "word",
        ("simlex", "simlex_coverage"),
    )


@pytest.mark.parametrize(
    ("measures", "sentence"),
    [
        ([Analogies("q.txt", "day_hours")], "Analogies: there is no table 'day_hours'; did you mean 'day_hour'?"),
        ([Similarities("p.tsv")], "Similarities: there is no table 'word'; there is day_hour."),
        (
            [Similarities("p.tsv", "day_hour"), Similarities("q.tsv", "day_hour")],
            "Problem: two of its measures have the metric 'similarities'; give one of them another name=.",
        ),
        (["questions-words.txt"], "Problem: measures holds measures, as Analogies(FILE), not str."),
    ],
)
def test_measures_that_a_problem_cannot_have_are_refused(measures: Any, sentence: str) -> None:
    with pytest.raises(Refusal) as refused:
        replace(planted.PROBLEM, measures=measures)
    assert str(refused.value) == sentence


def test_which_tables_a_model_of_one_s_own_has_is_seen_once_it_is_made() -> None:
    problem = replace(planted.PROBLEM, model=lambda: None, measures=[Rows("another")])
    assert problem.measures == [Rows("another")]
