"""Brings a run home from a bucket: one folder that TensorBoard opens, and that goes on and answers as any other."""

import os
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from trainer import commands, flags, paths
from trainer import run as runs
from trainer.errors import Refusal, TrainingFailure
from trainer.flags import flag
from trainer.paths.copying import Copy, bring, files_below
from trainer.terminal import listed, natural, quantity

PROG = f"{commands.PROG} fetch"
DESCRIPTION = f"""{__doc__}

  {PROG} gs://bucket/job
  {PROG} gs://bucket/runs/flights runs/flights
  tensorboard --logdir runs

SOURCE is a job dir, or the folder that a cloud gave a job, where model/, checkpoints/ and logs/ lie beside one another;
gs://, mounted under /gcs/, or local. TARGET holds all of the run or nothing."""

_MODEL, _BESIDE = "model", ("checkpoints", "logs")
"""What the folders of `AIP_MODEL_DIR`, `AIP_CHECKPOINT_DIR` and `AIP_TENSORBOARD_LOG_DIR` are called."""


@dataclass(frozen=True)
class Settings:
    """What the fetching can be told."""

    places: tuple[str, ...] = flag(
        (), "the run, and the folder that it comes to (default: runs/NAME)", "SOURCE TARGET", is_word=True
    )
    overwrite: bool = flag(False, "replace the run that TARGET holds", group="output")
    cache: bool = flag(False, "bring encoded rows too, which a training makes again where they are not", group="output")


def main(argv: Sequence[str]) -> int:
    """Copies a run and returns the exit code.

    Args:
        argv: The run, the folder that it comes to, and flags.

    Raises:
        Refusal: There is no run, or it cannot come there.
        TrainingFailure: A file has changed meanwhile, or cannot be written.
    """
    given = Settings(**flags.parse(Settings, argv, PROG, DESCRIPTION))
    if len(given.places) not in (1, 2):
        raise Refusal(f"{PROG}: a SOURCE is wanted, and a TARGET or none, not {len(given.places)} words; see --help.")
    source = paths.absolute(given.places[0]).rstrip("/")
    named = given.places[1] if given.places[1:] else paths.join("runs", _name(source))
    target = paths.absolute(named).rstrip("/")
    _check_target(source, target, given.overwrite)
    folders, start = _folders(source), time.perf_counter()
    copies = _copies(folders, _partial(target), given.cache)
    size = _brought(copies, target)
    print(f"{len(copies):,} files, {quantity(size)} in {time.perf_counter() - start:.1f} s")
    if not paths.exists(paths.join(target, "metrics.json")):
        resume = f"python -m trainer.task --resume --job-dir {shlex.quote(named)}"
        print(f"it has not finished; {resume}, with the flags that it had, goes on with it")
    print(f"look at it  tensorboard --logdir {shlex.quote(named)}\n{target}")
    return 0


def _name(source: str) -> str:
    above, name = os.path.split(source)
    return os.path.basename(above) if name == _MODEL else name


def _check_target(source: str, target: str, overwrite: bool) -> None:
    """Refuses a folder that a run cannot come to."""
    if paths.is_in_bucket(target):
        raise Refusal(f"{PROG}: TARGET is a folder here, and {target} is not; gcloud storage cp -r copies to a bucket.")
    if source == target or source.startswith(f"{target}/") or target.startswith(f"{source}/"):
        raise Refusal(f"{PROG}: {source} and {target} lie in one another; give another TARGET.")
    old = _partial(f"{target}.old")
    if os.path.isdir(old) and not os.path.exists(target):  # of a kill between two renamings
        os.rename(old, target)
    if not os.path.lexists(target):
        return
    if not os.path.isdir(target):
        raise Refusal(f"{PROG}: {target} is a file; a folder is wanted.")
    if runs.is_run(target) and not overwrite:
        raise Refusal(f"{PROG}: {target} holds a run; add --overwrite to replace it, or give another folder.")
    if paths.names_in(target) and not runs.is_run(target):
        raise Refusal(f"{PROG}: {target} holds other files and no run; give an empty or new folder.")


def _folders(source: str) -> list[tuple[str, str]]:
    """Returns the folders that a run lies in, each after what it is called in one folder; "" is the run itself."""
    run = source if runs.is_run(source) else paths.join(source, _MODEL)
    if not runs.is_run(run):
        raise Refusal(f"{PROG}: {_wrong(source)}")
    above, name = os.path.split(run)
    beside = [(other, paths.join(above, other)) for other in _BESIDE] if name == _MODEL else []
    return [*((other, folder) for other, folder in beside if paths.is_folder(folder)), ("", run)]


def _wrong(source: str) -> str:
    """Returns why a folder cannot be fetched, and what can."""
    if not paths.is_folder(source):
        return f"there is no folder {source}; give the one of a run."
    below = sorted(paths.names_in(source), key=natural)
    near = [name for name in below if any(runs.is_run(paths.join(source, name, *inner)) for inner in ((), (_MODEL,)))]
    if near:
        return f"{source} holds several runs, {listed(near)}; give one, as {paths.join(source, near[0])}."
    return f"{source} holds no run; give the folder of one, in which settings.json or {_MODEL}/settings.json lies."


def _copies(folders: Sequence[tuple[str, str]], target: str, cache: bool) -> list[Copy]:
    """Returns the files of a run and where they go."""
    passed = {runs.SERVERS} if cache else {runs.SERVERS, runs.CACHE}
    found: dict[str, Copy] = {}  # by where it goes; the run's own has it before one of a folder beside the run
    for place, folder in folders:
        for file in files_below(folder, passed):
            to = os.path.join(target, place, file)
            found[to] = Copy(paths.join(folder, file), to)
    return [*found.values()]


def _partial(target: str) -> str:
    above, name = os.path.split(target)
    return os.path.join(above, f".{name}.partial")


def _brought(copies: Sequence[Copy], target: str) -> int:
    """Copies files beside a folder, which then takes its name, and returns their bytes."""
    partial, old = _partial(target), _partial(f"{target}.old")
    try:
        shutil.rmtree(partial, ignore_errors=True)  # of a fetch that was killed
        with _Progress() as progress:
            size = bring(copies, progress.show)
        shutil.rmtree(old, ignore_errors=True)
        if runs.is_run(target):
            os.rename(target, old)
        os.rename(partial, target)
        shutil.rmtree(old, ignore_errors=True)
    except (Refusal, TrainingFailure):
        raise
    except OSError as error:
        why = error.strerror or str(error)
        raise TrainingFailure(
            f"{PROG}: {target} cannot be written ({why}); make room there or make it writable, or give another folder."
        ) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return size


class _Progress:
    """A line that changes on a terminal, and lines now and then in a log."""

    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._start = self._shown = time.perf_counter()

    def show(self, done: int, total: int) -> None:
        """Shows how far it came, when it is time."""
        now = time.perf_counter()
        if now - self._shown < (0.2 if self._is_terminal else 30.0):
            return
        self._shown, seconds = now, now - self._start
        parts = [f"fetching  {quantity(done)} of {quantity(total)}", f"{quantity(done / seconds)}/s"]
        if done:
            parts.append(f"{seconds * (total / done - 1):.0f} s left")
        print(f"{self._begin}{'  '.join(parts)}", end="" if self._is_terminal else "\n", flush=True)

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *error: object) -> None:
        print(self._begin, end="", flush=True)

    @property
    def _begin(self) -> str:
        return "\r\033[K" if self._is_terminal else ""
