"""What a job is going to do, checked as far as it can be before TensorFlow is loaded."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trainer import problem as problems
from trainer import run as runs
from trainer import warm_start
from trainer.baselines import crosses
from trainer.errors import Refusal, nearest
from trainer.feature_column import EmbeddingColumn
from trainer.feature_column.nested import is_learned
from trainer.problem import Problem
from trainer.run import Run
from trainer.settings import Settings


@dataclass(frozen=True)
class Plan:
    """Settings, the problem as they change it, and the run it goes to."""

    settings: Settings
    problem: Problem
    run: Run
    argv: tuple[str, ...] = ()


def planned(settings: Settings, argv: Sequence[str] = ()) -> Plan:
    """Returns the plan of a job.

    Raises:
        Refusal: The problem, a table's name, a warm start or the job dir cannot be used, or `--baselines` finds no
            cross to exchange.
    """
    problem = with_settings(problems.load(settings.problem), settings)
    if settings.baselines and all(map(is_learned, problem.columns)):
        crosses.exchanged(problem)
    run = runs.choose(
        settings.job_dir, problem.name or "model", settings.overwrite or settings.dry_run, settings.resume
    )
    return Plan(settings, problem, run, tuple(argv))


def with_settings(problem: Problem, settings: Settings) -> Problem:
    """Returns a problem as the settings change it: its data, its training, and where its tables start.

    Raises:
        Refusal: A flag names a table that the problem has not, or a source that cannot start it.
    """
    given: dict[str, Any] = {
        "dataset": settings.dataset,
        "num_epochs": settings.num_epochs,
        "train_batch_size": settings.train_batch_size,
        "learning_rate": settings.learning_rate,
        "dnn_optimizer": settings.optimizer,
    }
    problem = dataclasses.replace(problem, **{name: value for name, value in given.items() if value is not None})
    sources, frozen = settings.warm_starts, set(settings.freeze)
    for flag, names in (("--warm-start", list(sources)), ("--freeze", settings.freeze)):
        if names and problem.model is not None:
            raise Refusal(
                f"{flag}: problem {problem.name} makes its model itself, so '{names[0]}' starts and freezes where that "
                "declares it; give ckpt_to_load_from or trainable=False to its embedding_column."
            )
        for name in names:
            if name not in problem.embeddings:
                there = ", ".join(sorted(problem.embeddings)) or "none"
                ending = nearest(name, problem.embeddings) or f"; it has {there}."
                raise Refusal(f"{flag}: problem {problem.name} has no table '{name}'{ending}")

    def changed(column: EmbeddingColumn) -> EmbeddingColumn:
        source, tensor = sources.get(column.table, (column.ckpt_to_load_from, column.tensor_name_in_ckpt))
        trainable = column.trainable and column.table not in frozen
        return dataclasses.replace(column, ckpt_to_load_from=source, tensor_name_in_ckpt=tensor, trainable=trainable)

    problem = problem.replacing(changed)
    for column, *_ in problem.embeddings.values():
        if column.ckpt_to_load_from is not None and is_learned(column):
            warm_start.check(column)
    return problem
