"""The models to beat: what `--baselines` compares is the problem's head's to say.

A head that hides part of a bag ranks what may be in it, and is held against what is watched most and EASE; one that
learns from sequences against latent semantic analysis, by the problem's measures; a head for numbers against the mean
and a ridge regression of the problem's columns; and every other, and one for numbers whose problem has crosses too,
against forms of the problem that differ in how its crosses are written.
"""

from typing import TYPE_CHECKING, Any

from trainer.baselines.crosses import forms
from trainer.baselines.recommenders import memory
from trainer.errors import Refusal
from trainer.feature_column.nested import is_learned
from trainer.heads import RegressionHead, SkipGramHead
from trainer.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import keras

    from trainer.inputs.examples import Source
    from trainer.inputs.split import Data
    from trainer.measures import Trained
    from trainer.run import Run


def check(problem: Problem, examples: int | None = None) -> None:
    """Refuses, before the training, a problem that cannot be compared after it.

    Args:
        problem: The problem; one that has still to learn from its data is let through.
        examples: How many training examples there are; None is not known yet.

    Raises:
        Refusal: There are no columns for a ridge regression, no measure of what a skip-gram has learned, or no cross to
            write in another way; or the memory does not hold what EASE needs.
    """
    if problem.head.hidden is not None:
        if examples is not None:
            memory.check(examples, problem.embeddings[problem.head.hidden.table][0].categorical_column.num_buckets)
    elif isinstance(problem.head, SkipGramHead):
        _check_measures(problem)
    elif isinstance(problem.head, RegressionHead):
        _check_columns(problem)
    elif all(map(is_learned, problem.columns)):
        forms.exchanged(problem)


def compare(
    problem: Problem,
    model: "keras.Model",
    source: "Source",
    data: "Data",
    run: "Run",
    measured: "Mapping[str, Any]",
    tables_in: "Callable[[str], Trained]",
    eval_batch_size: int = 4096,
) -> None:
    """Trains the models to beat, prints a table and writes `baselines.json`.

    Args:
        problem: What the job has trained.
        model: Its model.
        source: Its data set.
        data: Its examples, encoded for the job.
        run: Where `baselines.json` goes, and tables of theirs.
        measured: The job's own metrics.
        tables_in: Returns the tables of a folder as measures ask them.
        eval_batch_size: Examples a step of evaluation.
    """
    run.write_json("baselines.json", _compared(problem, model, source, data, run, measured, tables_in, eval_batch_size))


def _compared(
    problem: Problem,
    model: "keras.Model",
    source: "Source",
    data: "Data",
    run: "Run",
    measured: "Mapping[str, Any]",
    tables_in: "Callable[[str], Trained]",
    eval_batch_size: int,
) -> dict[str, Any]:
    if problem.head.hidden is not None:
        from trainer.baselines.recommenders import comparison as of_recommenders

        return of_recommenders.compare(problem, problem.head.on(model), data, measured, eval_batch_size)
    if isinstance(problem.head, SkipGramHead):
        from trainer.baselines.lsa import comparison as of_sequences

        return of_sequences.compare(problem, problem.head, data, run, measured, tables_in)
    found: dict[str, Any] = {}
    if isinstance(problem.head, RegressionHead):
        from trainer.baselines.linear import comparison as of_lines

        found = of_lines.compare(problem, problem.head, data, measured, eval_batch_size)
    if not found or _has_crosses(problem):
        from trainer.baselines.crosses import comparison as of_crosses

        crossed = of_crosses.compare(problem, source, data, eval_batch_size)
        found |= {**crossed, "results": [*found.get("results", []), *crossed["results"]]}
    return found


def _has_crosses(problem: Problem) -> bool:
    try:
        return bool(forms.exchanged(problem))
    except Refusal:
        return False


def _check_columns(problem: Problem) -> None:
    if problem.model is not None:
        raise Refusal(
            f"--baselines: problem {problem.name} makes its model itself, so a ridge regression has no columns to "
            "read; leave --baselines out, or give dnn_feature_columns with hidden units or a tower."
        )


def _check_measures(problem: Problem) -> None:
    if not problem.measures:
        raise Refusal(
            f"--baselines: problem {problem.name} measures nothing of its tables, so nothing tells which are better; "
            "leave --baselines out, or give what measures ask, as --analogies or --similarities."
        )
