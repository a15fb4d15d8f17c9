"""What a run was trained with, who has set it, and the command line that repeats it."""

import contextlib
import dataclasses
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.flags import flag_name
from trainer.problem import Problem, flags_of
from trainer.report.declared import written
from trainer.report.files import Files, mapping, text
from trainer.report.wording import NONE, writable
from trainer.settings import ARGUMENTS, PROG, RUN_ONLY, Settings

_OF_PROBLEM = "problem_arguments"

_WHO = ("flag", "problem", "default")


@dataclass(frozen=True)
class Setting:
    """A setting of a run.

    Args:
        name: Its flag, or the name of a problem's argument that has none.
        value: What the run was trained with.
        by: Who has set it: "flag", "problem", or "default" where nobody has.
        default: What it is where nobody sets it; None where nobody knows.
    """

    name: str
    value: str
    by: str
    default: str | None


@dataclass(frozen=True)
class _Value:
    """What a setting or an argument is, and what it would be else, where that is known."""

    name: str
    value: Any
    default: Any
    is_known: bool

    @property
    def is_default(self) -> bool:
        return self.is_known and bool(_stored(self.value) == _stored(self.default))

    def set_by(self, who: str, name: str, value: Any) -> Setting:
        return Setting(name, _text(value), who, _text(_stored(self.default)) if self.is_known else None)


def settings(files: Files) -> list[Setting]:
    """Returns what a run was trained with: what flags set, then what the problem sets, then what nobody has set.

    What no flag sets is what the problem has for it.

    Example:
        >>> given = {"learning_rate": None, "optimizer": "SGD"}
        >>> trained_with = {"learning_rate": 0.1, "bags": [], "dnn_optimizer": "SGD"}
        >>> for setting in settings(Files({"settings": given, "trained_with": trained_with})):
        ...     print(setting.name, setting.value, setting.by)
        --optimizer SGD flag
        --learning-rate 0.1 problem
        bags — default
    """
    own = {argument.name: argument for argument in _arguments(files)}
    found = []
    for given in _flags(files):
        # An argument of the problem that has a flag is told of once, as that flag.
        argument = own.pop(ARGUMENTS.get(given.name, given.name), given)
        name = flag_name(given.name)
        if given.is_default:
            found.append(_of_problem(argument, name))
        else:
            found.append(argument.set_by("flag", name, given.value))
    found += [_of_problem(argument, argument.name) for argument in own.values()]
    return sorted(found, key=lambda setting: _WHO.index(setting.by))


def _of_problem(argument: _Value, name: str) -> Setting:
    return argument.set_by("default" if argument.is_default else "problem", name, argument.value)


def command(files: Files) -> str | None:
    """Returns the command line that trains the same again, in a job dir of its own; None where nothing tells it.

    What was migrated from elsewhere starts with weights that no command line has.

    Example:
        >>> command(Files({"settings": {"num_epochs": 7, "job_dir": "runs/x", "download": False}}))
        'python -m trainer.task --num-epochs 7 --no-download'
    """
    if not files.given or "migrated" in files.settings:
        return None
    words = [word for given in _flags(files) if not given.is_default for word in _words(given.name, given.value)]
    return " ".join([PROG, *map(shlex.quote, map(writable, words))])


def as_given(files: Files) -> str | None:
    """Returns the command line of the run."""
    return text(files.settings.get("command"))


def _flags(files: Files) -> Iterator[_Value]:
    """Yields what can be told by flags, but for what belongs to the one run; the problem's own come last."""
    defaults = _defaults(Settings)
    for name, value in files.given.items():
        if name != _OF_PROBLEM and name not in RUN_ONLY:
            yield _Value(name, value, defaults.get(name), name in defaults)
    arguments = mapping(files.given.get(_OF_PROBLEM))
    if arguments:
        own = _own_defaults(files.given.get("problem"))
        for name, value in arguments.items():
            yield _Value(name, value, own.get(name), name in own)


def _arguments(files: Files) -> Iterator[_Value]:
    """Yields the arguments of the problem that was trained, without what flags say at length."""
    defaults = _defaults(Problem)
    for name, value in files.trained_with.items():
        if not (name == "dataset" and files.given.get("train_files")):
            yield _Value(name, value, defaults.get(name), name in defaults)


def _own_defaults(problem: Any) -> Mapping[str, Any]:
    # The problem may be a file that has gone, or that no longer runs: then its arguments are shown as given.
    with contextlib.suppress(Exception):
        own = flags_of(problem)
        return {} if own is None else _defaults(own)
    return {}


def _defaults(kind: type[Any]) -> dict[str, Any]:
    """Returns the defaults of a dataclass by the names of its fields, of those that have one."""
    found = {
        field.name: field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        for field in dataclasses.fields(kind)
    }
    return {name: default for name, default in found.items() if default is not dataclasses.MISSING}


def _stored(value: Any) -> Any:
    """Returns a value as a run's files have it."""

    def described(own: Any) -> Any:
        return {"kind": type(own).__name__, **vars(own)} if dataclasses.is_dataclass(own) else str(own)

    return json.loads(json.dumps(value, default=described))


def _words(name: str, value: Any) -> Sequence[str]:
    """Returns a setting as the words of a command line."""
    if value is None:
        return ()
    if isinstance(value, bool):
        return (flag_name(name),) if value else (f"--no-{flag_name(name)[2:]}",)
    if isinstance(value, list | tuple):
        return [word for each in value for word in _words(name, each)]
    word = str(value)
    return (f"{flag_name(name)}={word}",) if word.startswith("-") else (flag_name(name), word)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ([], {}, ""):
        return NONE
    if isinstance(value, list):
        return ", ".join(each if isinstance(each, str) else written(each) for each in value)
    return written(value) if isinstance(value, Mapping) else str(value)
