"""The folder of a tuning: begun, gone on with where it was interrupted, or begun anew."""

import json
from typing import Any

from trainer import paths
from trainer import settings as task
from trainer.declared import described, digest_of, plain, plain_value
from trainer.errors import Refusal
from trainer.job import changes
from trainer.run import is_run
from trainer.tuning import trials
from trainer.tuning.asked import PROG, Asked
from trainer.tuning.trials import Trials

OUTPUT = "output"
"""The folder of what trials print."""


def opened(asked: Asked) -> Trials:
    """Returns the trials of a folder, none where it is new; nothing is written.

    More dimensions, seeds or trials may be asked for than before; all else is to be the same.

    Raises:
        Refusal: The folder holds a tuning that was started with something else, or other files.
    """
    folder = paths.absolute(asked.folder)
    record = _record(asked)
    if paths.exists(folder) and not paths.is_folder(folder):
        raise Refusal(f"--tune-dir: {folder} is a file; a folder is wanted.")
    before = None if asked.tuning.overwrite else trials.read(folder)
    if before is None:
        if paths.names_in(folder) and not paths.exists(paths.join(folder, trials.FILE)):
            raise Refusal(f"--tune-dir: {folder} holds other files and no tuning; give an empty or new folder.")
        return Trials(folder, record)
    stored, found = before
    different = changes.changes(stored, record, stored["problem"], record["problem"])
    if different:
        raise Refusal(
            f"{PROG}: {folder} was started with {changes.joined([*different.values()])}; give the same, another "
            "--tune-dir, or begin anew with --overwrite."
        )
    return found


def emptied(folder: str) -> None:
    """Removes what a tuning has left, its runs last, so that a kill leaves a folder that can be emptied again."""
    names = [trials.TABLE, OUTPUT, "logs", *(name for name in paths.names_in(folder) if name.endswith(".png"))]
    names += [name for name in paths.names_in(folder) if name.startswith("trial-") and _is_ours(folder, name)]
    for name in (*names, trials.FILE):
        path = paths.join(folder, name)
        if paths.is_folder(path):
            paths.remove_folder(path)
        elif paths.exists(path):
            paths.remove_file(path)


def _is_ours(folder: str, name: str) -> bool:
    path = paths.join(folder, name)
    return paths.is_folder(path) and (is_run(path) or set(paths.names_in(path)) <= {"cache"})


def _record(asked: Asked) -> dict[str, Any]:
    """Returns what a tuning is started with, in the words of a run's own files."""
    problem = described(asked.problem)
    own = {"metric": f"{asked.metric.removeprefix('validation_')}:{'max' if asked.is_up else 'min'}"}
    if asked.search:
        own |= {"oracle": asked.tuning.oracle, "search": plain_value(asked.search)}
    record = {
        "settings": {**task.to_dict(asked.settings), **own},
        "trained_with": {**plain(asked.problem), "digest": digest_of(problem)},
        "data": {"digest": None},
        "problem": problem,
    }
    made: dict[str, Any] = json.loads(json.dumps(record))
    return made
