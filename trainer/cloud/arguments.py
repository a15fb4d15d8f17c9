"""A task's flags as its job can use them: each file they name goes along, and each folder is named in full."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from trainer import flags, paths, problem
from trainer import settings as task
from trainer.errors import Refusal
from trainer.settings import Settings

Places = Mapping[str, str | tuple[str, ...]]


def read(argv: Sequence[str]) -> Settings:
    """Returns the settings of a task's command line.

    Raises:
        Refusal: A flag cannot be used, or there is no such problem or file.
    """
    settings = task.from_argv(argv, problem.flags_of, problem.names())
    problem.load(settings.problem, settings.problem_arguments)
    for name, file in files(settings).items():
        if not Path(file).is_file():
            raise Refusal(f"{flags.flag_name(name)}: there is no file {file}; give the path of one from here.")
    return settings


def files(settings: Settings) -> dict[str, str]:
    """Returns the files of this machine that go along with a job, by the setting that names them.

    Example:
        >>> files(Settings(problem="mine.py", optimizer="own/adam.py:Adam"))
        {'problem': 'mine.py', 'optimizer': 'own/adam.py'}
    """
    optimizer, colon, _ = (settings.optimizer or "").rpartition(":")
    named = {
        "problem": settings.problem if settings.problem.endswith(".py") else None,
        "optimizer": optimizer if colon else None,
        "settings": settings.settings,
    }
    return {name: file for name, file in named.items() if file and not paths.is_remote(file)}


def staged(settings: Settings, folder: str) -> dict[str, str]:
    """Returns where each of `files` lies in a job's folder, by the setting that names it.

    Example:
        >>> staged(Settings(problem="own/mine.py"), "/gcs/bucket/job")
        {'problem': '/gcs/bucket/job/problem/mine.py'}
    """
    return {name: paths.join(folder, name, Path(file).name) for name, file in files(settings).items()}


def pointing(settings: Settings, staged_files: Mapping[str, str]) -> dict[str, str | tuple[str, ...]]:
    """Returns the settings that name a staged file, with the file's new path in them."""
    places: dict[str, str | tuple[str, ...]] = dict(staged_files)
    if "optimizer" in staged_files:
        places["optimizer"] = f"{staged_files['optimizer']}:{(settings.optimizer or '').rpartition(':')[2]}"
    return places


def with_places(argv: Sequence[str], places: Places) -> list[str]:
    """Returns a task's command line with other places in it; all other words stay as they were typed.

    Example:
        >>> with_places(["--seed", "1", "--data-dir", "data"], {"data_dir": "/home/me/data"})
        ['--seed', '1', '--data-dir=/home/me/data']
    """
    given = [
        f"{flags.flag_name(name)}={value}"
        for name, values in places.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    return [*flags.without(argv, places), *given]
