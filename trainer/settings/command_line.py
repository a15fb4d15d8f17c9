"""Settings as a person gives them: flags, over those of a run's `settings.json`."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trainer import flags, paths
from trainer.errors import Refusal
from trainer.settings import stored as stored_room
from trainer.settings.checks import check
from trainer.settings.job import Settings
from trainer.terminal import load_tensorflow

PROG = "python -m trainer.task"
DESCRIPTION = "Trains a problem and leaves a run: metrics, tables, projector, export."


def from_argv(
    argv: Sequence[str], flags_of: Callable[[str], type[Any] | None] | None = None, problems: Sequence[str] = ()
) -> Settings:
    """Returns the settings of a command line, over those of the file that `--settings` names.

    Args:
        argv: The command line.
        flags_of: Returns the flags of a problem's own, as a dataclass, or None where it has none; without it only
            the flags of the task are known.
        problems: The problems whose flags are told apart from what no problem knows.

    Raises:
        Refusal: A flag, the problem or the file cannot be used.
    """
    first = flags.glance(Settings, argv, ["problem", "settings", "verbose"])
    stored = stored_room.read(first["settings"]) if "settings" in first else {}
    name = first.get("problem", stored.get("problem", Settings.problem))
    own = _own_flags(name, flags_of, first.get("verbose", False))
    everything = Settings if own is None else flags.together("Settings", [Settings, own])

    def elsewhere(word: str) -> str | None:
        return _elsewhere(word, name, flags_of, problems)

    given = flags.parse(everything, argv, PROG, DESCRIPTION, elsewhere=elsewhere)
    before = stored.get("problem_arguments", {}) if stored.get("problem") == name else {}
    if own is not None or flags_of is not None:
        defaults = _defaults(own)
        before = {**defaults, **{key: value for key, value in before.items() if key in defaults}}
        before.update({key: given.pop(key) for key in defaults if key in given})
    made = Settings(**{**_without_other_data(stored, given), **given, "problem_arguments": before})
    check(made)
    return made


def _own_flags(name: str, flags_of: Callable[[str], type[Any] | None] | None, verbose: bool) -> type[Any] | None:
    if flags_of is None:
        return None
    if name.endswith(".py") and paths.exists(name):
        load_tensorflow(verbose)  # a file of one's own may import it, and would let its chatter through
    own = flags_of(name)
    taken = {"help", *(word for field in dataclasses.fields(Settings) for word in (field.name, f"no_{field.name}"))}
    for argument in _defaults(own):
        if argument in taken:
            raise Refusal(
                f"--problem: {name} has an argument '{argument}', and {flags.flag_name(argument)} is a flag of the "
                "task; give the argument another name."
            )
    return own


def _defaults(own: type[Any] | None) -> dict[str, Any]:
    return {} if own is None else {field.name: field.default for field in dataclasses.fields(own)}


def _elsewhere(
    word: str, name: str, flags_of: Callable[[str], type[Any] | None] | None, problems: Sequence[str]
) -> str | None:
    if flags_of is None or not word.startswith("--"):
        return None
    argument = word.removeprefix("--").replace("-", "_")
    for other in problems:
        known = _defaults(flags_of(other)) if other != name else {}
        if argument in known or argument.removeprefix("no_") in known:
            return f"{word} is a flag of --problem {other}, not of {name}; leave it out or give --problem {other}."
    return None


def _without_other_data(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns stored settings without the data that a command line puts others in the place of."""
    data = {"dataset", "train_files", "validation_files", "eval_files", "validation_share", "eval_share", "split_by"}
    dropped = data if {"dataset", "train_files"} & given.keys() else set()
    return {name: value for name, value in stored.items() if name not in dropped}
