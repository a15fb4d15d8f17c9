"""What is watched most, EASE and the trained model for the same people, in one table."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.baselines import results
from trainer.baselines.recommenders import ease, memory
from trainer.baselines.recommenders.ease import Scoring
from trainer.baselines.recommenders.ranking import People, judged, of_examples, people_of
from trainer.baselines.results import Result
from trainer.baselines.strengths import strongest
from trainer.errors import Refusal, TrainingFailure
from trainer.feature_column.serialization import encoded_key
from trainer.heads import Head
from trainer.heads.ranking import NDCG
from trainer.inputs.cache import AnyExamples
from trainer.inputs.split import Data
from trainer.layers import encodable
from trainer.problem import Problem


def compare(
    problem: Problem, head: Head, data: Data, measured: Mapping[str, Any], eval_batch_size: int = 4096
) -> dict[str, Any]:
    """Holds the trained model against what is watched most and against EASE, and prints a table.

    Both learn from all that the training people have. The strength of EASE is chosen on the validation people, and each
    reads the test people once: of them the same part goes in, and the same part is to be found, as for the trained
    model.

    Args:
        problem: What the job has trained; its head hides part of a bag.
        head: The same as it is on the trained model.
        data: Its examples, encoded for the job.
        measured: The job's own metrics.
        eval_batch_size: The most people that are judged at once.

    Returns:
        What `baselines.json` is to say.

    Raises:
        TrainingFailure: The memory does not hold what EASE needs any more.
    """
    catalogue = _Catalogue(problem, head, eval_batch_size)
    watched = of_examples(data.train, catalogue.key, catalogue.items)
    people, items = watched.shape
    print(f"\nbaselines: popularity and EASE, of {people:,} people and {items:,} items", flush=True)
    _check(people, items)
    strength, tried, linear = _ease(catalogue, watched, data.validation)
    judges = catalogue.people(data.test())
    learned = [catalogue.result(each, judges) for each in (_popularity(watched), linear)]
    learned.append(results.trained(problem.name, measured, list(learned[0].metrics)))
    count = sum(int(np.sum(some.weights > 0)) for some in judges)
    heading = f"of {count:,} test people, each by the same part of what they have"
    print(f"\n{results.table(learned, heading)}", flush=True)
    found = {"train_examples": people, "items": items, "test_examples": count, "chosen_by": catalogue.metric}
    chosen = {"ease_strength": strength, "ease_tried": {f"{value:.6g}": worth for value, worth in tried.items()}}
    return {**found, **chosen, "results": [each.to_dict() for each in learned]}


@dataclass(frozen=True)
class _Learned:
    """A recommender that has learned.

    Args:
        model: Its name.
        scoring: What it does.
        seconds: That it took to learn.
    """

    model: str
    scoring: Scoring
    seconds: float


class _Catalogue:
    """What is ranked, and how.

    Args:
        problem: Whose head hides part of a bag.
        head: The same as it is on a model.
        most: The most people that are judged at once.
    """

    def __init__(self, problem: Problem, head: Head, most: int) -> None:
        hidden: Any = problem.head.hidden
        column = problem.embeddings[hidden.table][0]
        self.key, self.items = encoded_key(encodable(column)), column.categorical_column.num_buckets
        self._head, self._most = head, most
        metrics = self._head.metrics()
        self.metric: str = next((metric for metric in metrics if isinstance(metric, NDCG)), metrics[0]).name

    def people(self, examples: AnyExamples) -> list[People]:
        """Returns people to judge by."""
        return people_of(examples, self.key, self.items, self._most)

    def judged(self, scoring: Scoring, people: Sequence[People]) -> dict[str, float]:
        """Returns the metrics of what is ranked for some people."""
        return judged(scoring, people, self._head.metrics())

    def result(self, learned: _Learned, people: Sequence[People]) -> Result:
        """Returns what a recommender is worth to some people."""
        return Result(learned.model, self.judged(learned.scoring, people), learned.seconds)


def _check(people: int, items: int) -> None:
    try:
        memory.check(people, items)
    except Refusal as refusal:  # the training may have taken some since it was looked at first
        raise TrainingFailure(str(refusal)) from None


def _popularity(watched: Any) -> _Learned:
    start = time.perf_counter()
    counts = np.asarray(watched.sum(axis=0))  # (items,)
    seconds = round(time.perf_counter() - start, 1)
    return _Learned("popularity", lambda given: np.tile(counts, (given.shape[0], 1)), seconds)


def _ease(catalogue: _Catalogue, watched: Any, validation: AnyExamples) -> tuple[float, dict[float, float], _Learned]:
    start, people = time.perf_counter(), catalogue.people(validation)

    def worth(strength: float) -> float:
        before = time.perf_counter()
        found = catalogue.judged(ease.fitted(watched, strength), people)[catalogue.metric]
        seconds = time.perf_counter() - before
        print(f"EASE, λ {strength:<9.3g}validation_{catalogue.metric} {found:.4f}  {seconds:.1f} s", flush=True)
        return found

    strength, tried = strongest(worth)
    scoring = ease.fitted(watched, strength)
    return strength, tried, _Learned(f"EASE, λ {strength:.3g}", scoring, round(time.perf_counter() - start, 1))
