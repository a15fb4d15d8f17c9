"""Latent semantic analysis and the trained skip-gram, by the same measures of their tables, in one table."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from trainer import tables
from trainer.baselines import results
from trainer.baselines.lsa import lsa
from trainer.baselines.lsa.cooccurrences import Array, of_examples
from trainer.baselines.results import Result
from trainer.feature_column.serialization import encoded_key
from trainer.heads import SkipGramHead
from trainer.inputs.split import Data
from trainer.layers import encodable
from trainer.measures import Trained
from trainer.problem import Problem
from trainer.run import Run
from trainer.tables import Table

NAME = "lsa"
"""What it is called in what is printed, and its folder among the baselines of a run."""


def compare(
    problem: Problem,
    head: SkipGramHead,
    data: Data,
    run: Run,
    measured: Mapping[str, Any],
    tables_in: Callable[[str], Trained],
) -> dict[str, Any]:
    """Holds the trained tables against latent semantic analysis of the same training sequences, and prints a table.

    Its tables have the names, the width and the keys of the trained ones, and are left in the run, in
    `baselines/lsa`.

    Args:
        problem: What the job has trained.
        head: Its head.
        data: Its examples, encoded for the job.
        run: Where the trained tables lie.
        measured: The job's own metrics, with what the problem's measures have found.
        tables_in: Returns the tables of a folder as measures ask them.

    Returns:
        What `baselines.json` is to say.
    """
    column = problem.embeddings[head.table][0]
    trained = [tables.read(run.path, name) for name in (head.table, head.output_table)]
    ids, dimension = trained[0].rows, trained[0].dimension
    print(f"\nbaselines: latent semantic analysis, of {len(data.train):,} sequences of {ids:,} ids", flush=True)
    start = time.perf_counter()
    counts = of_examples(data.train, encoded_key(encodable(column)), ids, head.window)
    pairs, information = counts.nnz, lsa.positive_information(counts)
    del counts
    print(f"lsa, {pairs:,} pairs of ids counted, {information.nnz:,} of them more often than by chance", flush=True)
    factors = lsa.factored(information, dimension)
    seconds = round(time.perf_counter() - start, 1)
    folder = run.file("baselines", NAME)
    tables.write(folder, [*_described(trained, factors, column)])
    asked = tables_in(folder)
    found = {name: value for each in problem.measures for name, value in each.measured(asked).metrics.items()}
    worth = {name: value for name, value in found.items() if name in measured and _tells_apart(name)}
    both = [Result(NAME, worth, seconds), results.trained(problem.name, measured, list(worth))]
    print(f"\n{results.table(both, f'of tables of {dimension:,} numbers an id')}", flush=True)
    told = {"train_examples": len(data.train), "ids": ids, "lsa_pairs": pairs, "lsa_window": head.window}
    return {**told, "results": [each.to_dict() for each in both]}


def _described(trained: Any, factors: tuple[Array, Array], column: Any) -> Iterator[Table]:
    """Yields factors as tables, of which is known what is known of the trained ones."""
    for own, values in zip(trained, factors, strict=True):
        yield Table(own.name, values, column, own.counts, own.details, own.title, own.pictures)


def _tells_apart(metric: str) -> bool:
    """Tells whether a metric is of test data, and not of how many questions can be asked, which are as many of both."""
    return not metric.startswith("validation_") and not metric.endswith("_coverage")
