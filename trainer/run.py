"""A run: a job directory and what is in it."""

import json
import math
import os
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainer import paths
from trainer.errors import Refusal, nearest

CACHE = "cache"
"""The folder of encoded examples in a job directory."""

SERVERS = ".servers"
"""The folder in which a chief and its parameter servers find each other, before there is a run."""

_BEFORE_A_RUN = {CACHE, SERVERS}

CHECKPOINT = "step-"
"""What the names of checkpoints begin with."""

BEST = "best"
"""The name of the checkpoint of the best weights."""

OTHER_BEST = "other-best"
"""Its name in a bucket, in turns with the other one, so that new ones are whole before those before them go."""


@dataclass(frozen=True)
class Run:
    """The files of a job directory; `settings.json` is the first written, and makes a folder a run.

    Args:
        path: The job directory, absolute or remote.
    """

    path: str

    def file(self, *names: str) -> str:
        """Returns the path of a file or folder in the run."""
        return paths.join(self.path, *names)

    def holds(self, path: str) -> bool:
        """Tells whether a path lies in the run, and so goes when the run is replaced."""
        return path.startswith(f"{self.path.rstrip('/')}/")

    @property
    def tables(self) -> str:
        """The folder of the tables."""
        return self.file("tables")

    @property
    def examples(self) -> str:
        """The folder of what the last hidden layer makes of test examples, a table."""
        return self.file("examples")

    @property
    def logs(self) -> str:
        """The folder of TensorBoard's logs; a cloud may name another."""
        return os.environ.get("AIP_TENSORBOARD_LOG_DIR") or self.file("logs")

    @property
    def projector(self) -> str:
        """The folder of TensorBoard's projector."""
        return paths.join(self.logs, "projector")

    @property
    def checkpoints(self) -> str:
        """The folder of the checkpoints to resume from; a cloud may name another."""
        return os.environ.get("AIP_CHECKPOINT_DIR") or self.file("checkpoints")

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is a checkpoint, be it damaged; one in a bucket that is not whole has never been one."""
        folders = [paths.join(self.checkpoints, name) for name in paths.names_in(self.checkpoints) if _is_one(name)]
        return any(
            not paths.is_in_bucket(folder) or paths.exists(paths.join(folder, "state.json")) for folder in folders
        )

    @property
    def export(self) -> str:
        """The folder of the model to serve."""
        return self.file("export")

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Writes one of the run's JSON files, whole or not at all."""
        paths.write_text(self.file(name), json.dumps(value, indent=2, sort_keys=False) + "\n")

    def read_json(self, name: str) -> dict[str, Any]:
        """Returns one of the run's JSON files.

        Raises:
            Refusal: The folder holds no such file, or it is torn.
        """
        try:
            value: dict[str, Any] = json.loads(paths.read_text(self.file(name)))
        except (OSError, ValueError) as error:
            raise Refusal(
                f"{self.path}: no readable {name} is there ({error}); give a job dir that a run has left."
            ) from None
        return value


def _is_one(name: str) -> bool:
    return name.startswith(CHECKPOINT)


def is_run(path: str) -> bool:
    """Tells whether a folder holds a run."""
    return paths.exists(paths.join(path, "settings.json"))


def opened(path: str) -> Run:
    """Returns the run that a folder holds.

    Raises:
        Refusal: There is no such folder, or it holds no run.
    """
    place = paths.absolute(path).rstrip("/") or "/"
    if is_run(place):
        return Run(place)
    if paths.is_folder(place):
        raise Refusal(f"{path} holds no run; give a job dir that a run has left.")
    above, name = os.path.split(place)
    near = nearest(name, [other for other in paths.names_in(above) if is_run(paths.join(above, other))])
    raise Refusal(f"there is no run {path}{near or '; give a job dir that a run has left.'}")


def choose(job_dir: str | None, problem: str, overwrite: bool, resume: bool) -> Run:
    """Returns the run to write to; nothing is made yet.

    Args:
        job_dir: The folder that was named; None is the cloud's (`AIP_MODEL_DIR`), else the first free one of
            runs/PROBLEM, runs/PROBLEM-2 and so on (the last one there, to resume).
        problem: The problem's name.
        overwrite: Whether a run that is there may be replaced.
        resume: Whether a run that is there is gone on with; one that has never begun is started.

    Raises:
        Refusal: The folder holds a run and neither was asked for, or holds something else.
    """
    named = job_dir or os.environ.get("AIP_MODEL_DIR")
    path = paths.absolute(named or _numbered(problem, resume)).rstrip("/") or "/"
    if resume and not is_run(path) and (_others(path) or (paths.exists(path) and not paths.is_folder(path))):
        raise Refusal(
            f"--resume: {path} holds other files and no run; give a run's job dir, or an empty or new folder."
        )
    if named and not resume and not overwrite:
        if is_run(path):
            raise Refusal(f"--job-dir: {path} holds a run; add --overwrite to replace it or --resume to go on with it.")
        if paths.exists(path) and not paths.is_folder(path):
            raise Refusal(f"--job-dir: {path} is a file; a folder is wanted.")
        if _others(path):
            raise Refusal(f"--job-dir: {path} holds other files; give an empty or new folder.")
    if overwrite and _others(path) and not is_run(path):
        raise Refusal(f"--overwrite: {path} holds other files and no run; give a folder that a run has left.")
    run = Run(path)
    if not is_run(path) and not overwrite and run.has_checkpoint:  # a cloud may keep them elsewhere
        raise Refusal(f"--job-dir: {run.checkpoints} holds checkpoints of another run; give an empty or new folder.")
    _check_writable(path)
    return run


def prepare(run: Run, resume: bool) -> None:
    """Makes the folder of a run; what a replaced run has left there goes, but for what the data are encoded as."""
    for name in filter(_is_partial, paths.names_in(run.path)):  # of a job that was killed
        (paths.remove_folder if paths.is_folder(run.file(name)) else paths.remove_file)(run.file(name))
    if not resume and is_run(run.path):
        # What makes the folder a run goes last, so that a kill leaves one that can be replaced.
        for name in sorted(paths.names_in(run.path), key=lambda name: name == "settings.json"):
            path = run.file(name)
            if name not in _BEFORE_A_RUN:
                (paths.remove_folder if paths.is_folder(path) else paths.remove_file)(path)
        for name in paths.names_in(run.checkpoints):  # a cloud may keep them elsewhere, as logs
            if _is_one(name) or name in (BEST, OTHER_BEST):
                paths.remove_folder(paths.join(run.checkpoints, name))
        for logs in ("train", "validation", "projector"):  # they would be ours
            if paths.exists(paths.join(run.logs, logs)):
                paths.remove_folder(paths.join(run.logs, logs))
    paths.make_folder(run.path)


def _others(path: str) -> list[str]:
    """Returns what a folder holds that is not left by a job which was killed before it had made a run of it."""
    return [name for name in paths.names_in(path) if name not in _BEFORE_A_RUN and not _is_partial(name)]


def _is_partial(name: str) -> bool:
    return name.startswith(".") and name.endswith(".partial")


def _numbered(problem: str, resume: bool) -> str:
    first = paths.join("runs", problem)
    if not paths.exists(first):
        return first
    number = 2
    while paths.exists(f"{first}-{number}"):
        number += 1
    last = first if number == 2 else f"{first}-{number - 1}"
    return last if resume else f"{first}-{number}"


def _check_writable(path: str) -> None:
    if paths.is_remote(path):
        tried = paths.join(path, f".{uuid.uuid4().hex}.partial")
        paths.write_text(tried, "")
        paths.remove_file(tried)
        return
    above = path
    while not os.path.lexists(above):
        above = os.path.dirname(above)
    if not os.path.isdir(above):
        raise Refusal(f"--job-dir: {path} cannot be made, because {above} is a file; give another folder.")
    try:
        # Tried, because permissions alone do not tell: a file system may refuse, and an administrator may do anything.
        with tempfile.TemporaryFile(dir=above):
            pass
    except OSError:
        sentence = f"--job-dir: {path} cannot be written, because {above} is read-only here; give another folder."
        raise Refusal(sentence) from None


def finite(value: Any) -> Any:
    """Returns what JSON can hold: infinite numbers and those that are none are null.

    Example:
        >>> finite({"loss": float("nan"), "auc": [0.5]})
        {'loss': None, 'auc': [0.5]}
    """
    if isinstance(value, dict):
        return {name: finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
