"""The keyword arguments of a function as flags."""

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any

from trainer.errors import Refusal
from trainer.flags.parsing import flag
from trainer.flags.words import flag_name

METAVARS: dict[type, str | None] = {int: "N", float: "X", str: "TEXT", bool: None}
"""The types that an argument of a function may have to be a flag, and what stands for its value in `--help`."""


def of_function(function: Callable[..., Any], owner: str, group: str) -> type[Any]:
    """Returns a frozen dataclass whose fields are the keyword arguments of a function, with the help of its docstring.

    Args:
        function: With keyword-only arguments of type int, float, str or bool, or one of them and None, each with a
            default.
        owner: Who the function belongs to, for the refusal.
        group: The heading under which `--help` shows the flags.

    Raises:
        Refusal: An argument cannot be a flag.

    Example:
        >>> def problem(*, input_share: float = 0.3) -> None: ...
        >>> of_function(problem, "movies", "problem movies")().input_share
        0.3
    """
    fields, texts = [], _argument_texts(inspect.getdoc(function) or "")
    arguments = _arguments(function, owner)
    for name, argument in arguments.items():
        is_union = typing.get_origin(argument.annotation) in (types.UnionType, typing.Union)
        members = typing.get_args(argument.annotation) if is_union else [argument.annotation]
        kinds = [kind for kind in members if kind is not NoneType]
        is_keyword = argument.kind is inspect.Parameter.KEYWORD_ONLY and argument.default is not argument.empty
        if not is_keyword or len(kinds) != 1 or kinds[0] not in tuple(METAVARS):
            raise Refusal(
                f"{owner}: argument '{name}' of {function.__name__}() cannot be a flag; write it after * with a type "
                f"and a default, as in (*, {name}: int = 3), where the type is int, float, str or bool, or one of "
                "them | None."
            )
        kind, who = kinds[0], f"of {function.__name__}()"
        if not isinstance(argument.default, (kind, NoneType, int if kind is float else kind)):
            raise Refusal(
                f"{owner}: argument '{name}' {who} has the default {argument.default!r}, which is no {kind.__name__}; "
                "give it one that is."
            )
        if kind is bool and argument.default is not False and f"no_{name}" in arguments:
            off = flag_name(f"no_{name}")
            raise Refusal(f"{owner}: '{name}' and 'no_{name}' {who} are both the flag {off}; rename one of them.")
        made = flag(argument.default, texts.get(name, ""), METAVARS[kind], group=group)
        fields.append((name, kind if argument.annotation is kind else kind | None, made))
    return dataclasses.make_dataclass("Arguments", fields, frozen=True)


def _arguments(function: Callable[..., Any], owner: str) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function, eval_str=True).parameters
    except (NameError, AttributeError, SyntaxError, TypeError) as error:
        raise Refusal(
            f"{owner}: a type of {function.__name__}() cannot be read ({error}); name types that its file knows."
        ) from None


def _argument_texts(docstring: str) -> dict[str, str]:
    """Returns what the section `Args` of a docstring says of each argument, in one line without a full stop."""
    section = re.search(r"^Args:\n((?:[ ]+.*\n?|\n)*)", docstring, re.MULTILINE)
    entries = re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", section[1] if section else "", re.MULTILINE)
    return {name: " ".join(text.split()).removesuffix(".") for name, text in entries}
