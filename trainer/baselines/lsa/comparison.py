"""Latent semantic analysis and the trained skip-gram, by the same measures of their tables, in one table."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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
from trainer.problem import Problem
from trainer.run import Run
from trainer.tables import Table
from trainer.vectors import LabelledVectors

NAME = "lsa"
"""What it is called in what is printed, and its folder among the baselines of a run."""


@dataclass(frozen=True)
class Factors:
    """The tables that were factored, as measures ask them.

    Args:
        work: Of the job.
        folder: Where they lie.
        read: Those that were asked for, by name.
    """

    work: Any
    folder: str
    read: dict[str, LabelledVectors] = field(default_factory=dict)

    def vectors(self, table: str) -> LabelledVectors:
        """Returns a table as it lies in its folder, so that `python -m trainer vectors` measures the same.

        Raises:
            Refusal: There is no such table.
        """
        if table not in self.read:
            self.read[table] = LabelledVectors.load(self.folder, table)
        return self.read[table]


def compare(
    problem: Problem, head: SkipGramHead, data: Data, run: Run, measured: Mapping[str, Any], work: Any = None
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
        work: The job's `Work`, as measures ask for it.

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
    asked = Factors(work, folder)
    worth = {name: value for each in problem.measures for name, value in each.measured(asked).metrics.items()}
    # How many questions can be asked is told of the run, and is the same for both.
    worth = {name: value for name, value in worth.items() if name in measured and not name.endswith("_coverage")}
    found = [Result(NAME, worth, seconds), results.trained(problem.name, measured, list(worth))]
    print(f"\n{results.table(found, f'of tables of {dimension:,} numbers an id')}", flush=True)
    told = {"train_examples": len(data.train), "ids": ids, "lsa_pairs": pairs, "lsa_window": head.window}
    return {**told, "results": [each.to_dict() for each in found]}


def _described(trained: Any, factors: tuple[Array, Array], column: Any) -> Iterator[Table]:
    """Yields factors as tables, of which is known what is known of the trained ones."""
    for own, values in zip(trained, factors, strict=True):
        yield Table(own.name, values, column, own.counts, own.details, own.title, own.pictures)
