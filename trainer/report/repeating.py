"""What a run was told, what it differs in from the defaults, and the command line that repeats it."""

import contextlib
import dataclasses
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.flags import flag_name
from trainer.problem import flags_of
from trainer.report.files import Files
from trainer.report.wording import NONE, writable
from trainer.settings import PROG, Settings

_OWN = ("job_dir", "overwrite", "resume", "settings", "dry_run", "verbose")
"""What belongs to the one run that it was given to, and is not repeated."""

_ARGUMENTS = "problem_arguments"


@dataclass(frozen=True)
class Setting:
    """A setting of a run.

    Args:
        flag: Its flag.
        value: What the run had.
        default: What it would have had else; None where nobody knows.
    """

    flag: str
    value: str
    default: str | None


def settings(files: Files) -> tuple[list[Setting], list[Setting]]:
    """Returns the settings that differ from the default, and the others."""
    given: list[Setting] = []
    rest: list[Setting] = []
    for name, value, default, is_known in _each(files):
        shown = Setting(flag_name(name), _text(value), _text(default) if is_known else None)
        (rest if is_known and _alike(value, default) else given).append(shown)
    return given, rest


def command(files: Files) -> str | None:
    """Returns the command line that trains the same again, in a job dir of its own; None where nothing tells it.

    Example:
        >>> command(Files({"settings": {"num_epochs": 7, "job_dir": "runs/x", "download": False}}))
        'python -m trainer.task --num-epochs 7 --no-download'
    """
    if not isinstance(files.settings.get("settings"), Mapping):
        return None
    given = [
        word
        for name, value, default, is_known in _each(files)
        if name not in _OWN and not (is_known and _alike(value, default))
        for word in _words(name, value)
    ]
    return " ".join([PROG, *map(shlex.quote, map(writable, given))])


def as_given(files: Files) -> str | None:
    """Returns the command line of the run."""
    line = files.settings.get("command")
    return line if isinstance(line, str) else None


def _each(files: Files) -> Iterator[tuple[str, Any, Any, bool]]:
    """Yields each setting's name, its value, its default, and whether that is known; the problem's own come last."""
    stored = files.settings.get("settings")
    stored = stored if isinstance(stored, Mapping) else {}
    defaults = {field.name: _default(field) for field in dataclasses.fields(Settings)}
    for name, value in stored.items():
        if name != _ARGUMENTS:
            yield name, value, defaults.get(name), name in defaults
    arguments = stored.get(_ARGUMENTS)
    if isinstance(arguments, Mapping) and arguments:
        own = _own_defaults(stored.get("problem"))
        for name, value in arguments.items():
            yield name, value, own.get(name), name in own


def _own_defaults(problem: Any) -> Mapping[str, Any]:
    # The problem may be a file that has gone, or that no longer runs: then its arguments are shown as given.
    with contextlib.suppress(Exception):
        own = flags_of(problem)
        return {} if own is None else {field.name: _default(field) for field in dataclasses.fields(own)}
    return {}


def _default(field: "dataclasses.Field[Any]") -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _alike(value: Any, default: Any) -> bool:
    return bool(_plain(value) == _plain(default))


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _words(name: str, value: Any) -> Sequence[str]:
    """Returns a setting as the words of a command line."""
    if value is None:
        return ()
    if isinstance(value, bool):
        return (flag_name(name),) if value else (f"--no-{flag_name(name)[2:]}",)
    if isinstance(value, list | tuple):
        return [word for each in value for word in _words(name, each)]
    text = str(value)
    return (f"{flag_name(name)}={text}",) if text.startswith("-") else (flag_name(name), text)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ((), [], {}, ""):
        return NONE
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
