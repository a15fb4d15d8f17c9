"""Brings a trained canned Estimator over as a run, with all its weights, and holds its answers against the old ones."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer import commands, flags, problem
from trainer import settings as task
from trainer.errors import Refusal
from trainer.flags import flag
from trainer.rows import Limit
from trainer.terminal import load_tensorflow

PROG = f"{commands.PROG} migrate"
DESCRIPTION = f"""{__doc__}

  {PROG} old/model_dir --problem mine.py
  {PROG} old/model_dir --problem mine.py --check-files 'rows/*.csv' --job-dir runs/mine

mine.py declares the columns, layers and optimizers that the Estimator had, in the words of its arguments. The run holds
the tables, a checkpoint, the model to serve and the projector, as if a job here had trained it: predict, vectors and a
warm start take it, and python -m trainer.task --resume trains it on. --check-files holds its logits against those of
the newest export under the model dir, row by row and column by column; where they differ by more than --tolerance, the
exit code is 1. What does not fit, a tensor left over or a weight without one, is refused, and both sides are listed."""


@dataclass(frozen=True)
class Settings:
    """What the migration can be told."""

    model_dir: tuple[str, ...] = flag(
        (), "the Estimator's model dir, the prefix of a checkpoint, or an export", "MODEL_DIR", is_word=True
    )
    problem: str | None = flag(None, "a Python file with PROBLEM or problem(), or a problem's name", "FILE|NAME")
    check_files: str | None = flag(
        None, "rows to hold the old answers and the new ones against each other", "GLOB", group="check"
    )
    export_dir: str | None = flag(
        None, "the old SavedModel (default: the newest under the model dir)", "DIR", group="check"
    )
    tolerance: float = flag(
        1e-5, "how far logits may be apart, and in shares of themselves above 1", "X", least=0, group="check"
    )
    max_bad_rows: str = flag("0", "rows of the files that may be set aside, as 10 or 1%", "N|N%", group="check")
    job_dir: str | None = flag(
        None, "where the run is left (default runs/PROBLEM, then runs/PROBLEM-2 and so on)", "DIR", group="run"
    )
    overwrite: bool = flag(False, "replace the run that the job dir holds", group="run")
    verbose: bool = flag(False, "show TensorFlow's own messages", group="run")


_OWN = [each.name for each in dataclasses.fields(Settings)]


def main(argv: Sequence[str]) -> int:
    """Leaves the run, prints how far it agrees with the old model, and returns the exit code.

    Args:
        argv: The model dir, flags, and those of the problem's own.

    Raises:
        Refusal: The problem, the checkpoint, the old export or a file cannot be used, or the run's folder is taken.
    """
    first = flags.glance(Settings, argv, ["problem", "verbose"])
    if str(first.get("problem", "")).endswith(".py"):
        load_tensorflow(first.get("verbose", False))  # a file of one's own may import it
    own = problem.flags_of(first["problem"]) if "problem" in first else None
    everything = Settings if own is None else flags.together("Settings", [Settings, own])
    words = flags.parse(everything, argv, PROG, DESCRIPTION)
    given = Settings(**{name: words.pop(name) for name in _OWN if name in words})
    model_dir = commands.only(given.model_dir, PROG, "model dir is wanted")
    settings = _of_task(given, own, words)
    limit = Limit.parsed(given.max_bad_rows)
    if given.export_dir is not None and given.check_files is None:
        raise Refusal(f"{PROG}: --export-dir is held against the rows of --check-files; give these too.")
    load_tensorflow(given.verbose)
    from trainer.job import migrating

    plan = migrating.planned(settings, argv)
    check = None
    if given.check_files is not None:
        check = migrating.Check(given.check_files, given.export_dir, given.tolerance, limit)
    return migrating.carry_out(plan, model_dir, check)


def _of_task(given: Settings, own: type[Any] | None, words: Mapping[str, Any]) -> task.Settings:
    """Returns the settings of a task that would train the problem."""
    before = {} if own is None else {field.name: field.default for field in dataclasses.fields(own)}
    return task.Settings(
        problem=commands.wanted(given.problem, PROG, "problem"),
        problem_arguments={**before, **words},
        job_dir=given.job_dir,
        overwrite=given.overwrite,
        verbose=given.verbose,
    )
