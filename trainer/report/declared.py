"""What a problem has declared, from its problem.json: columns as a person would write them, the head, the rest."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer import feature_column, heads
from trainer.report.files import Files
from trainer.report.wording import NONE, shortened, words

_LISTED = 8
"""The values of a long list, as a vocabulary, that are shown."""

_NAMES = {
    "dnn_feature_columns": "deep columns",
    "linear_feature_columns": "wide columns",
    "dnn_hidden_units": "hidden units",
}


@dataclass(frozen=True)
class Declaration:
    """A part of a problem: its name, and what was declared, each in a line of its own."""

    name: str
    lines: Sequence[str]


def declarations(files: Files) -> list[Declaration]:
    """Returns the parts of a problem that were declared, without those that stand among the settings."""
    found = []
    for name, value in files.problem.items():
        if name not in ("name", "description", *files.trained_with):
            is_list = isinstance(value, list) and any(isinstance(each, Mapping) for each in value)
            lines = [written(each) for each in value] if is_list else [written(value)]
            found.append(Declaration(_NAMES.get(name, words(name)), lines if value not in ([], None) else [NONE]))
    return found


def written(value: Any) -> str:
    """Returns a value of a problem.json as Python would make it, without what is the default; long lists are cut.

    Example:
        >>> written({"kind": "IdentityColumn", "key": "hour", "num_buckets": 24, "default_value": None})
        "IdentityColumn(key='hour', num_buckets=24)"
        >>> written(list(range(100)))
        '[0, 1, 2, 3, 4, 5, 6, 7, … 92 more]'
    """
    if isinstance(value, Mapping):
        kind = value.get("kind")
        if isinstance(kind, str):
            return f"{kind}({', '.join(_fields(kind, value))})"
        if "function" in value:
            return str(value["function"]).rpartition(":")[2]
        return f"{{{', '.join(f'{key}: {written(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        more = f", \N{HORIZONTAL ELLIPSIS} {len(value) - _LISTED:,} more" if len(value) > _LISTED else ""
        return f"[{', '.join(map(written, value[:_LISTED]))}{more}]"
    return shortened(repr(value))


def _fields(kind: str, value: Mapping[str, Any]) -> list[str]:
    declared = getattr(feature_column, kind, getattr(heads, kind, None))
    fields = dataclasses.fields(declared) if dataclasses.is_dataclass(declared) else ()
    defaults = {field.name: field.default for field in fields}
    return [
        f"{name}={written(each)}"
        for name, each in value.items()
        if name != "kind" and not (name in defaults and _plain(each) == defaults[name])
    ]


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
