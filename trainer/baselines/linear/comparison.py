"""The mean, a ridge regression and the trained model on the same test rows, in one table."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.baselines import results
from trainer.baselines.linear.design import Array, Design
from trainer.baselines.results import Result
from trainer.baselines.strengths import strongest
from trainer.heads import RegressionHead
from trainer.inputs.cache import AnyExamples
from trainer.inputs.split import Data
from trainer.problem import Problem


@dataclass(frozen=True)
class Rows:
    """What a linear model reads of examples.

    Args:
        matrix: Sparse, `(rows, width)`.
        labels: `(rows, 1)`.
        weights: `(rows, 1)`.
    """

    matrix: Any
    labels: Array
    weights: Array

    @classmethod
    def of(cls, design: Design, examples: AnyExamples) -> "Rows":
        """Returns what a design makes of examples."""
        parts = list(examples.parts())
        labels, weights = (np.concatenate([getattr(part, name) for part in parts]) for name in ("labels", "weights"))
        return cls(design.of(examples), labels, weights)


def compare(
    problem: Problem, head: RegressionHead, data: Data, measured: Mapping[str, Any], eval_batch_size: int = 4096
) -> dict[str, Any]:
    """Holds the trained model against the mean and a ridge regression of its columns, and prints a table.

    Both learn what the head learns, so of a head with `log` the logarithm. What the weights of the ridge regression
    cost is chosen on the validation rows, and each reads the test rows once.

    Args:
        problem: What the job has trained.
        head: Its head, fitted.
        data: Its examples, encoded for the job.
        measured: The job's own metrics.
        eval_batch_size: Rows that are judged at once.

    Returns:
        What `baselines.json` is to say.
    """
    design = Design(problem.columns, data.train)
    train, validation = Rows.of(design, data.train), Rows.of(design, data.validation)
    rows, width = train.matrix.shape
    print(f"\nbaselines: the mean and a ridge regression, of {rows:,} rows and {width:,} ids and numbers", flush=True)
    judge = _Judge(head, eval_batch_size)
    metric = head.metrics()[0].name
    strength, tried, ridge, seconds = _chosen(judge, metric, train, validation)
    test = Rows.of(design, data.test())
    start = time.perf_counter()
    mean = np.average(head.logits_of(train.labels), weights=train.weights)
    found = [
        Result("mean", judge(np.full(len(test.labels), mean), test), round(time.perf_counter() - start, 1)),
        Result(f"ridge, λ {strength:.3g}", judge(ridge.predict(test.matrix), test), seconds),
    ]
    found.append(results.trained(problem.name, measured, list(found[0].metrics)))
    count = int(np.sum(test.weights > 0))
    print(f"\n{results.table(found, f'of {count:,} test rows')}", flush=True)
    told = {f"{value:.6g}": worth for value, worth in tried.items()}
    return {
        "train_examples": rows,
        "ids_and_numbers": width,
        "test_examples": count,
        "chosen_by": metric,
        "ridge_strength": strength,
        "ridge_tried": told,
        "results": [each.to_dict() for each in found],
    }


@dataclass(frozen=True)
class _Judge:
    """Judges logits by a head's own metrics.

    Args:
        head: Of the problem.
        batch_size: Rows at once.
    """

    head: RegressionHead
    batch_size: int

    def __call__(self, logits: Array, rows: Rows) -> dict[str, float]:
        """Returns the metrics of logits `(rows,)`."""
        metrics = self.head.metrics()
        for start in range(0, len(logits), self.batch_size):
            part = slice(start, start + self.batch_size)
            for metric in metrics:
                guess = logits[part, np.newaxis].astype(np.float32)
                metric.update_state(rows.labels[part], guess, rows.weights[part])
        return {metric.name: float(metric.result()) for metric in metrics}


def _chosen(judge: _Judge, metric: str, train: Rows, validation: Rows) -> tuple[float, dict[float, float], Any, float]:
    """Returns the best λ, the metric of each that was tried, the ridge regression with the best, and the seconds."""
    start, fitted, tried = time.perf_counter(), {}, {}

    def worth(strength: float) -> float:
        before = time.perf_counter()
        fitted[strength] = ridge_of(judge.head, train, strength)
        tried[strength] = judge(fitted[strength].predict(validation.matrix), validation)[metric]
        seconds = time.perf_counter() - before
        print(f"ridge, λ {strength:<9.3g}validation_{metric} {tried[strength]:.4f}  {seconds:.1f} s", flush=True)
        return -tried[strength]

    strength, _ = strongest(worth)
    return strength, tried, fitted[strength], round(time.perf_counter() - start, 1)


def ridge_of(head: RegressionHead, train: Rows, strength: float) -> Any:
    """Returns a ridge regression of what a head learns.

    Args:
        head: Of the problem, fitted.
        train: The training rows.
        strength: λ, what the square of a weight costs beside the squared error of a row.

    Source:
        Arthur Hoerl and Robert Kennard, "Ridge regression: biased estimation for nonorthogonal problems", 1970.
    """
    from sklearn.linear_model import Ridge  # which takes a while to import

    logits, weights = (np.reshape(each, -1) for each in (head.logits_of(train.labels), train.weights))
    return Ridge(strength, solver="sparse_cg").fit(train.matrix, logits, sample_weight=weights)
