"""One training of a trial: an ordinary job of this process, in a job dir of its own, whose lines go to a file."""

import contextlib
import gc
import json
import math
import time
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from trainer import job, paths, tables
from trainer import problem as problems
from trainer import settings as task
from trainer.errors import Refusal, TrainingFailure
from trainer.run import Run
from trainer.tuning.asked import Asked
from trainer.tuning.folder import OUTPUT
from trainer.tuning.trials import Ran, Trial, Trials, Values


def argv_of(asked: Asked, values: Values, seed: int, job_dir: str) -> list[str]:
    """Returns the flags of the task for a training of a trial, as a tuning service would write them."""
    tried = [f"--{name}={value}" for name, value in values.items()]
    return [*asked.argv, f"--seed={seed}", *tried, f"--job-dir={job_dir}"]


def ran(asked: Asked, trials: Trials, trial: Trial, seed: int) -> Ran:
    """Trains, or goes on with what was interrupted, and returns what was found.

    Raises:
        Refusal: It cannot be trained, and no other training has ended that would say that it is the trial's fault.
        TrainingFailure: The data are not those of the other trials.
    """
    start, name = time.perf_counter(), trial.run_name(seed)
    run = Run(paths.join(trials.folder, name))
    value, reason = None, None
    if not _is_finished(run):
        reason = _trained(asked, trials, trial, seed, run)
    if reason is None:
        _check_data(trials, run)
        value = run.read_json("metrics.json").get(asked.metric)
        if value is None or not math.isfinite(value):
            value, reason = None, f"{asked.metric} is not finite"
    shapes = {} if reason is not None else _shapes(run)
    return Ran(name, seed, value, round(time.perf_counter() - start, 3), reason, shapes)


def _trained(asked: Asked, trials: Trials, trial: Trial, seed: int, run: Run) -> str | None:
    """Trains, and returns why it failed, or None."""
    words = argv_of(asked, trial.values, seed, run.path)
    try:
        with _told_to(paths.join(trials.folder, OUTPUT, f"{trial.run_name(seed)}.txt"), asked.settings.verbose):
            settings = task.from_argv([*words, "--resume"], problems.flags_of, problems.names())
            job.run(settings, words, is_trial=True)
    except (Refusal, TrainingFailure) as error:
        if isinstance(error, Refusal) and not any(each.found for each in trials.all):
            raise
        return str(error)
    except Exception as error:  # whatever it is, the other trials are worth more
        return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
    finally:
        keras.utils.clear_session()
        gc.collect()
    return None


@contextlib.contextmanager
def _told_to(path: str, shows: bool) -> Iterator[None]:
    """Writes what is printed inside to a file, or leaves it where it goes."""
    if shows:
        yield
        return
    paths.make_folder(path.rpartition("/")[0])
    with (
        open(path, "a", encoding="utf-8") as file,
        contextlib.redirect_stdout(file),
        contextlib.redirect_stderr(file),
    ):
        yield


def _is_finished(run: Run) -> bool:
    """Tells whether a run has been trained and left to its end, by a process that was killed before it kept that."""
    path = run.file("metrics.json")
    return paths.exists(path) and "total_seconds" in json.loads(paths.read_text(path))


def _check_data(trials: Trials, run: Run) -> None:
    digest = run.read_json("settings.json")["data"]["digest"]
    trials.data = trials.data or digest
    if digest != trials.data:
        raise TrainingFailure(
            f"{run.path}: its data are not those of the trials before it, so they cannot be compared; give back the "
            "data as they were, or begin anew with --overwrite."
        )


def _shapes(run: Run) -> dict[str, Any]:
    if not paths.is_folder(run.tables):
        return {}
    entries = tables.read_manifest(run.tables).tables.values()
    return {each.name: [each.rows, each.dimension, _bytes(each.dtype)] for each in entries}


def _bytes(dtype: str) -> int:
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize
