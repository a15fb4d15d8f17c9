"""What a job is going to do, checked as far as it can be before TensorFlow is loaded."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trainer import baselines, warm_start
from trainer import problem as problems
from trainer import run as runs
from trainer.errors import Refusal, nearest
from trainer.feature_column import EmbeddingColumn
from trainer.feature_column.nested import is_learned
from trainer.feature_column.starting import checked_missing_rows
from trainer.flags import flag_name
from trainer.problem import Files, Problem, Share
from trainer.run import Run
from trainer.settings import NEVER, Settings


@dataclass(frozen=True)
class Plan:
    """Settings, the problem as they change it, and the run it goes to.

    Args:
        settings: Of the job.
        problem: As the settings change it.
        run: Where it goes; without a path where another process writes it.
        argv: The command line.
        helps: Whether this process trains in step with a chief, which writes the run and gives it the first weights.
        is_trial: Whether it is one of many that are compared, and leaves its metrics and tables alone: no model to
            serve, pictures, projector or report.
    """

    settings: Settings
    problem: Problem
    run: Run
    argv: tuple[str, ...] = ()
    helps: bool = False
    is_trial: bool = False

    @property
    def is_filled(self) -> bool:
        """Whether the tables will be filled from elsewhere, so that the sources they start from may be gone."""
        return self.helps or self.restores

    @property
    def restores(self) -> bool:
        """Whether a checkpoint is going to fill the tables; a run that was killed before its first has none."""
        return not self.helps and self.settings.resume and runs.is_run(self.run.path) and self.run.has_checkpoint


def check_servers(settings: Settings) -> None:
    """Refuses what a job with parameter servers cannot do.

    Raises:
        Refusal: `--baselines` is given.
    """
    if settings.baselines:
        raise Refusal("--baselines: they are trained on one machine; leave it out beside parameter servers.")


def planned(settings: Settings, argv: Sequence[str] = (), helps: bool = False) -> Plan:
    """Returns the plan of a job.

    Args:
        settings: Of the job.
        argv: The command line.
        helps: Whether this process trains in step with a chief, which writes the run.

    Raises:
        Refusal: The problem, a table's name, a warm start, a file of a measure or the job dir cannot be used,
            `--baselines` has nothing to compare, or `--unfreeze-after` no table to train later, or no epoch to train it
            in.
    """
    problem = problems.load(settings.problem, settings.problem_arguments)
    overwrites = settings.overwrite or settings.dry_run
    run = Run("") if helps else runs.choose(settings.job_dir, problem.name or "model", overwrites, settings.resume)
    problem = with_settings(problem, settings, Plan(settings, problem, run, helps=helps).is_filled)
    _check_unfreezing(problem, settings)
    if settings.baselines:
        baselines.check(problem)
    if not helps:  # the chief alone measures
        _check_measures(problem, settings)
    return Plan(settings, problem, run, tuple(argv), helps)


def with_settings(problem: Problem, settings: Settings, is_filled: bool = False) -> Problem:
    """Returns a problem as the settings change it: its data, its training, its tables' sizes and where they start.

    Args:
        problem: As it is declared.
        settings: Of the job.
        is_filled: Whether something else fills the tables, so that the sources they start from may be gone.

    Raises:
        Refusal: A flag names a table that the problem has not, or a source that cannot start it.
    """
    given: dict[str, Any] = {
        "dataset": settings.dataset if settings.train_files is None else _files(problem, settings),
        "validation": _validation(problem, settings),
        "split_seed": settings.split_seed,
        "num_epochs": settings.num_epochs,
        "train_batch_size": settings.train_batch_size,
        "learning_rate": settings.learning_rate,
        "dnn_optimizer": settings.optimizer,
        "early_stopping": settings.early_stopping,
        "patience": settings.patience,
        "projector_examples": settings.projector_examples,
    }
    problem = dataclasses.replace(problem, **{name: value for name, value in given.items() if value is not None})
    if settings.early_stopping == NEVER:
        problem = dataclasses.replace(problem, early_stopping=None)
    if settings.patience is not None and problem.early_stopping is None:
        raise Refusal("--patience: it is of --early-stopping; give --early-stopping METRIC too, or leave it out.")
    stands_in = settings.data_dir == Settings.data_dir if settings.planted is None else settings.planted
    if given["dataset"] is not None or not stands_in:
        # They stand in for the problem's own data alone, and unasked only where nobody said where these are.
        problem = dataclasses.replace(problem, planted=None)
    _check_tables(problem, settings)
    _check_layers(problem, settings)
    problem, frozen = problem.resized(settings), set(settings.freeze)

    def changed(column: EmbeddingColumn) -> EmbeddingColumn:
        column = dataclasses.replace(column, trainable=column.trainable and column.table not in frozen)
        if is_filled:
            return dataclasses.replace(column, ckpt_to_load_from=None, tensor_name_in_ckpt=None, old_vocabulary=None)
        return _started(column, settings)

    problem = problem.replacing(changed)
    for column, *_ in problem.embeddings.values():
        if column.ckpt_to_load_from is not None and is_learned(column):
            warm_start.check(column)
    return problem


def _check_tables(problem: Problem, settings: Settings) -> None:
    """Refuses flags of tables that the problem has not, or that its own model declares."""
    start = "starts and freezes where that declares it; give ckpt_to_load_from or trainable=False to its"
    size = "has the dimension that is declared there; give another to its"
    told = (
        ("--dimension", [*settings.dimensions], size),
        ("--warm-start", [*settings.warm_starts], start),
        ("--freeze", settings.freeze, start),
    )
    for flag, names, elsewhere in told:
        if names and problem.model is not None:
            raise Refusal(
                f"{flag}: problem {problem.name} makes its model itself, so '{names[0]}' {elsewhere} embedding_column."
            )
        for name in names:
            if name not in problem.embeddings:
                there = ", ".join(sorted(problem.embeddings)) or "none"
                ending = nearest(name, problem.embeddings) or f"; it has {there}."
                raise Refusal(f"{flag}: problem {problem.name} has no table '{name}'{ending}")


def _check_layers(problem: Problem, settings: Settings) -> None:
    """Refuses widths of hidden layers that the problem makes itself, or that nothing would go into."""
    if settings.widths is None:
        return
    made = {"tower": problem.tower, "model": problem.model}
    why = next((f"makes its {name} itself" for name, each in made.items() if each is not None), None)
    if why is None and not problem.dnn_feature_columns:
        why = "has no dnn_feature_columns, which go into hidden layers"
    if why is not None:
        raise Refusal(f"--hidden-units: problem {problem.name} {why}; leave it out.")


def _check_measures(problem: Problem, settings: Settings) -> None:
    """Refuses files that measures could not read after the training; what has named one is told."""
    for measure in problem.measures:
        given = [name for name, value in settings.problem_arguments.items() if value in measure.files]
        measure.check(flag_name(given[0]) if given else type(measure).__name__)


def _files(problem: Problem, settings: Settings) -> Files:
    share = problem.test_share if settings.eval_share is None else settings.eval_share
    files = (str(settings.train_files), settings.validation_files, settings.eval_files)
    return Files(*files, test_share=share, split_by=settings.split_by)


def _validation(problem: Problem, settings: Settings) -> Share | None:
    """Returns how validation rows are held out, where the settings say it; None leaves it to the problem."""
    share, by = settings.validation_share, settings.split_by
    if share is None and (by is None or not isinstance(problem.validation, Share)):
        if by is not None and settings.train_files is None:
            raise Refusal(
                f"--split-by: problem {problem.name} holds its validation rows out by {problem.validation}; give "
                "--validation-share too, or leave it out."
            )
        return None
    own = problem.validation.share if isinstance(problem.validation, Share) else Share.share
    return Share(own if share is None else share, by)


def _started(column: EmbeddingColumn, settings: Settings) -> EmbeddingColumn:
    if column.table not in settings.warm_starts:
        return column
    source, tensor = settings.warm_starts[column.table]
    on_missing_rows = settings.missing_rows.get(column.table, column.on_missing_rows)
    return dataclasses.replace(
        column,
        ckpt_to_load_from=source,
        tensor_name_in_ckpt=tensor,
        old_vocabulary=settings.old_vocabularies.get(column.table),
        on_missing_rows=checked_missing_rows("--on-missing-rows", on_missing_rows),
    )


def _check_unfreezing(problem: Problem, settings: Settings) -> None:
    after = settings.unfreeze_after
    if after is None:
        return
    # What a problem's own model freezes is seen once it is made, and where --train-steps ends once the data are read.
    if problem.model is None and all(column.trainable for columns in problem.embeddings.values() for column in columns):
        raise Refusal(
            f"--unfreeze-after: problem {problem.name} has no frozen table; give --freeze TABLE too, or "
            "trainable=False to its embedding_column."
        )
    by_epochs = settings.train_steps is None or settings.num_epochs is not None
    if by_epochs and after >= problem.num_epochs:
        raise Refusal(
            f"--unfreeze-after: the training ends after {problem.num_epochs} epochs, so a table that is frozen for "
            f"{after} would never be trained; give a smaller number, or a larger --num-epochs."
        )
