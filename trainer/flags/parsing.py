"""A frozen dataclass as command-line flags: one field, one flag."""

import argparse
import copy
import dataclasses
import types
import typing
from collections.abc import Callable, Collection, Sequence
from typing import Any, NoReturn

from trainer.errors import Refusal, nearest
from trainer.flags.words import flag_name, joined


def flag(
    default: Any,
    help: str,
    metavar: str | None = None,
    least: int | None = None,
    choices: Sequence[str] = (),
    group: str | None = "settings",
    is_word: bool = False,
    takes_several: bool = False,
    is_pair: bool = False,
) -> Any:
    """Returns a dataclass field that `parse` turns into a flag, or into what words without a flag are.

    Args:
        default: The value when the flag is not given.
        help: One line; the default is added by `--help`.
        metavar: What stands for the value in `--help`.
        least: The smallest number allowed.
        choices: The words allowed.
        group: The heading under which `--help` shows it; None for a field that no flag sets.
        is_word: Whether the field, a tuple of strings, takes the words that follow no flag.
        takes_several: Whether the flag of a tuple takes all words up to the next flag; else it takes one.
        is_pair: Whether its value is KEY=VALUE, which `--flag.KEY VALUE` says too, as a tuning service writes it.
    """
    metadata = {
        "help": help,
        "metavar": metavar,
        "least": least,
        "choices": tuple(choices),
        "group": group,
        "is_word": is_word,
        "takes_several": takes_several,
        "is_pair": is_pair,
    }
    if isinstance(default, dict):  # which has no hash, and may not be shared
        return dataclasses.field(default_factory=lambda: dict(default), hash=False, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def values_of(settings: type[Any]) -> dict[str, tuple[type, float | None]]:
    """Returns the kind of the value of each flag that may be given once, by the field's name, and the least allowed.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Dish:
        ...     persons: int | None = flag(None, "who eat", least=1)
        ...     herbs: tuple[str, ...] = flag((), "in it; repeatable")
        >>> values_of(Dish)
        {'persons': (<class 'int'>, 1)}
    """
    hints = typing.get_type_hints(settings)
    single = [field for field in _shown(settings) if typing.get_origin(hints[field.name]) is not tuple]
    return {field.name: (_kind(hints[field.name]), field.metadata["least"]) for field in single}


class _Parser(argparse.ArgumentParser):
    """An argument parser whose mistakes are refusals instead of a usage text."""

    def error(self, message: str) -> NoReturn:
        message = message.removeprefix("argument ")
        raise Refusal(message if message.endswith((".", "?")) else f"{message}.")


def parser(settings: type[Any], prog: str, description: str, epilog: str | None = None) -> argparse.ArgumentParser:
    """Returns the argument parser of a settings dataclass; fields that are not given stay absent from its result."""
    made = _Parser(
        prog=prog,
        description=description,
        epilog=epilog,
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    groups: dict[str, Any] = {}
    hints = typing.get_type_hints(settings)
    for field in _shown(settings):
        title = field.metadata["group"]
        group = groups.setdefault(title, None) or made.add_argument_group(title)
        groups[title] = group
        try:
            _add(group, field, hints[field.name])
        except argparse.ArgumentError:
            raise Refusal(f"{flag_name(field.name)}: another setting has this flag; rename the argument.") from None
    return made


def parse(
    settings: type[Any],
    argv: Sequence[str],
    prog: str,
    description: str,
    epilog: str | None = None,
    elsewhere: Callable[[str], str | None] = lambda flag: None,
) -> dict[str, Any]:
    """Returns the fields that a command line gives, by name; `--help` prints and exits with 0.

    `-` and `_` are both accepted in a flag's name.

    Args:
        settings: The dataclass.
        argv: The command line.
        prog: What `--help` and refusals call the command.
        description: Shown by `--help` before the flags.
        epilog: Shown after them.
        elsewhere: Returns why a flag that is unknown here is known to somebody, as the end of a sentence, or None.

    Raises:
        Refusal: A flag is unknown, has no value, or has one that its field cannot take.
    """
    made = parser(settings, prog, description, epilog)
    given, unknown = made.parse_known_args(joined(argv, _pairs(settings)))
    if unknown:
        word = unknown[0].partition("=")[0]
        raise Refusal(f"{prog}: {elsewhere(word) or _not_known(word, settings)}")
    return _values(given)


def glance(settings: type[Any], argv: Sequence[str], names: Collection[str]) -> dict[str, Any]:
    """Returns some fields that a command line gives, whatever else is in it.

    Raises:
        Refusal: A flag of these fields has no value, or one that its field cannot take.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Dish:
        ...     name: str = flag("soup", "what it is called")
        >>> glance(Dish, ["--salt", "3", "--name", "stew", "--help"], ["name"])
        {'name': 'stew'}
    """
    made = _Parser(add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS)
    hints = typing.get_type_hints(settings)
    for field in _shown(settings):
        if field.name in names:
            _add(made, field, hints[field.name])
    return _values(made.parse_known_args(joined(argv, _pairs(settings)))[0])


def _values(given: argparse.Namespace) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in vars(given).items()}


def _pairs(settings: type[Any]) -> set[str]:
    return {flag_name(field.name) for field in _shown(settings) if field.metadata["is_pair"]}


def _shown(settings: type[Any]) -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(settings) if field.metadata["group"] is not None]


def together(name: str, classes: Sequence[type[Any]], without: Collection[str] = ()) -> type[Any]:
    """Returns a frozen dataclass with the fields of several, but for some; of two with one name the last is taken."""
    fields = {}
    for one in classes:
        hints = typing.get_type_hints(one)
        fields.update(
            {field.name: (field.name, hints[field.name], copy.copy(field)) for field in dataclasses.fields(one)}
        )
    kept = [field for field_name, field in fields.items() if field_name not in without]
    return dataclasses.make_dataclass(name, kept, frozen=True)


def _not_known(word: str, settings: type[Any]) -> str:
    fields = [field for field in _shown(settings) if not field.metadata["is_word"]]
    if not word.startswith("-") and any(field.metadata["is_word"] for field in _shown(settings)):
        return f"'{word}' follows a flag; write words before the flags."
    if not word.startswith("-"):
        example = f"{flag_name(fields[0].name)} {fields[0].default}"
        return f"'{word}' belongs to no flag; flags start with '--', as in {example}."
    known = [flag_name(field.name) for field in fields]
    known += [flag_name(f"no-{field.name}") for field in fields if field.default is True]
    return f"there is no flag {word}{nearest(word, known) or '; --help lists the flags.'}"


def _add(group: Any, field: dataclasses.Field[Any], hint: Any) -> None:
    text, default = field.metadata["help"], field.default
    if default not in (None, (), False):
        text += f" (default {str(default).lower() if isinstance(default, bool) else default})"
    text = text.replace("%", "%%")
    kind = _kind(hint)
    if field.metadata["is_word"]:
        group.add_argument(field.name, nargs="*", metavar=field.metadata["metavar"], help=text)
        return
    if kind is bool:
        action: Any = "store_true" if default is False else argparse.BooleanOptionalAction
        group.add_argument(flag_name(field.name), dest=field.name, action=action, help=text)
        return
    several, is_tuple = field.metadata["takes_several"], typing.get_origin(hint) is tuple
    group.add_argument(
        flag_name(field.name),
        dest=field.name,
        action="extend" if several else "append" if is_tuple else "store",
        nargs="+" if several else None,
        type=_reader(kind, field),
        metavar=field.metadata["metavar"] or kind.__name__.upper(),
        help=text,
    )


def _kind(hint: Any) -> type:
    if typing.get_origin(hint) is tuple or isinstance(hint, types.UnionType):
        return next(kind for kind in typing.get_args(hint) if isinstance(kind, type) and kind is not type(None))
    return hint


def _reader(kind: type, field: dataclasses.Field[Any]) -> Any:
    least, choices = field.metadata["least"], field.metadata["choices"]

    def read(text: str) -> Any:
        wanted = {int: "a whole number", float: "a number"}.get(kind, "a text")
        if least is not None:
            wanted += f" of at least {least}" if kind is int else f" above {least}"
        try:
            value = whole_number(text) if kind is int else kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{wanted} is wanted, not '{text}'") from None
        if least is not None and not (value >= least if kind is int else least < value < float("inf")):
            raise argparse.ArgumentTypeError(f"{wanted} is wanted, not '{text}'")
        if choices and value not in choices:
            ending = nearest(text, choices) or f"; it is one of {', '.join(choices)}."
            raise argparse.ArgumentTypeError(f"there is no '{text}'{ending}")
        return value

    return read


def whole_number(text: str) -> int:
    """Returns a whole number, which a tuning service may write as 512.0.

    Raises:
        ValueError: It is none.
    """
    try:
        return int(text)
    except ValueError:
        if float(text).is_integer():
            return int(float(text))
        raise
