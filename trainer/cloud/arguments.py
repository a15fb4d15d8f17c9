"""A task's flags, read as the job is going to read them, and as it gets them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainer import flags, paths, problems
from trainer import problem as problem_room
from trainer import settings as task
from trainer.cloud import reading
from trainer.problem import Problem
from trainer.settings import Settings

Places = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True)
class Asked:
    """What a job is asked for.

    Args:
        argv: Its flags, as typed.
        settings: What they say.
        problem: The problem that they name.
        files: What the problem's own code has read to declare it, absolute paths of this machine.
    """

    argv: tuple[str, ...]
    settings: Settings
    problem: Problem
    files: tuple[str, ...] = ()

    @property
    def has_own_problem(self) -> bool:
        """Whether the problem is a file of this machine."""
        return self.settings.problem.endswith(".py") and is_here(self.settings.problem)


def is_here(path: str) -> bool:
    """Tells whether a path is one of this machine alone; a bucket that is mounted is on a cloud's machine too.

    Example:
        >>> is_here("runs/london"), is_here("gs://bucket/london"), is_here("/gcs/bucket/london")
        (True, False, False)
    """
    return not paths.is_remote(path) and not path.startswith("/gcs/")


def read(argv: Sequence[str]) -> Asked:
    """Returns what a task's command line asks for.

    Raises:
        Refusal: A flag cannot be used, or there is no such problem or file.
    """
    problems.forget()  # what it reads is to be seen
    with reading.watched() as files:
        settings = task.from_argv(argv, problem_room.flags_of, problem_room.names())
        problem = problem_room.load(settings.problem, settings.problem_arguments)
    return Asked(tuple(argv), settings, problem, tuple(files))


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
