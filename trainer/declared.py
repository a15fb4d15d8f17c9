"""What a run says of its problem, in `problem.json` and `settings.json`, and the problem that a run has trained."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from trainer.errors import Refusal
from trainer.feature_column import FeatureColumn
from trainer.feature_column.serialization import learned_as, to_dict
from trainer.feature_column.starting import OF_SOURCE, without_old_values
from trainer.heads import Head
from trainer.problem import Problem
from trainer.terminal import shown

_PROSE = ("name", "description")
_UNLEARNED = ("search", "projector_examples", "pictures", "measures")
"""What of a problem no training goes by."""

_COLUMNS = ("dnn_feature_columns", "linear_feature_columns", "catalogues")
_BESIDE_COLUMNS = ("dnn_hidden_units", "label", "head", "validation", "walks", "grouped", "split_seed")
OF_MODEL = ("dnn_hidden_units", "dnn_activation_fn", "batch_norm", "linear_sparse_combiner", "bags", "tower", "model")
"""What of a problem changes its answers, beside its columns and its head."""

_OF_START = (*OF_SOURCE, "on_missing_rows", "trainable", "initializer")
"""What of a column says how its table was trained, and nothing of the trained one."""


def described(problem: Problem) -> dict[str, Any]:
    """Returns the columns of a problem with what they have learned, its head, and how validation was held out."""
    return {
        "name": problem.name,
        "description": problem.description,
        "dnn_feature_columns": to_dict([*map(without_old_values, problem.dnn_feature_columns)]),
        "linear_feature_columns": to_dict([*map(without_old_values, problem.linear_feature_columns)]),
        **{name: plain_value(getattr(problem, name)) for name in _BESIDE_COLUMNS},
    }


def plain(problem: Problem) -> dict[str, Any]:
    """Returns the arguments of a problem by their names, but for its columns and its prose, as JSON can hold them.

    What settings change in a problem is changed in it, so these are what the training goes by.

    Example:
        >>> from trainer import feature_column as fc
        >>> hour = fc.categorical_column_with_identity("hour", 24)
        >>> found = plain(Problem(dataset="nyc_flights", linear_feature_columns=[hour], learning_rate=0.01))
        >>> found["dataset"], found["learning_rate"], found["head"]["kind"]
        ('nyc_flights', 0.01, 'BinaryHead')
    """
    others = (*_PROSE, *_COLUMNS, *_UNLEARNED)
    names = [field.name for field in dataclasses.fields(problem) if field.name not in others]
    return {name: plain_value(getattr(problem, name)) for name in names}


def plain_value(value: Any) -> Any:
    """Returns a value as JSON can hold it: a dataclass with its kind, a function and anything else by its name."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if callable(getattr(value, "tolist", None)):  # an array or a number of NumPy, which need not be loaded for it
        return plain_value(value.tolist())
    if isinstance(value, Mapping):
        return {str(name): plain_value(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_value(each) for each in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        own = {field.name: plain_value(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"kind": type(value).__name__, **own}
    function = getattr(value, "func", value)  # of a functools.partial
    return str(getattr(function, "__qualname__", type(value).__name__))


def value_text(value: Any, others: Sequence[Any] = ()) -> str:
    """Returns a value of JSON as a person reads it, none as a dash.

    Args:
        value: Of a nested one, its kind is told and what differs from others of that kind.
        others: What it is shown beside.

    Example:
        >>> value_text([64, 32]), value_text({}), value_text(True)
        ('64, 32', '-', 'yes')
        >>> heads = [{"kind": "BinaryHead", "positive_weight": weight, "threshold": 0.5} for weight in (None, 2.0)]
        >>> [value_text(head, heads) for head in heads]
        ['BinaryHead', 'BinaryHead(positive_weight=2.0)']
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and value:
        return ", ".join(map(value_text, value))
    if isinstance(value, dict) and value:
        return _nested(value, others)
    return "-" if value in (None, [], {}, "") else shown(str(value))


def _nested(value: dict[str, Any], others: Sequence[Any]) -> str:
    kind = value.get("kind", "")
    alike = [other for other in others if isinstance(other, dict) and other.get("kind", "") == kind]
    parts = [name for name, part in value.items() if any(other.get(name) != part for other in alike)]
    parts = parts if parts or kind else list(value)
    told = {name: value_text(value[name], [other.get(name) for other in alike]) for name in parts if name != "kind"}
    texts = [f"{shown(name)}={f'[{text}]' if ', ' in text else text}" for name, text in told.items() if text != "-"]
    return f"{value_text(kind)}({', '.join(texts)})" if kind and texts else value_text(kind or ", ".join(texts))


def digest_of(content: Mapping[str, Any]) -> str:
    """Returns 16 hexadecimal digits that differ where what is said of a problem differs, but for its prose."""
    told = {name: value for name, value in content.items() if name not in _PROSE}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def restored(problem: Problem, content: Mapping[str, Any], trained_with: Mapping[str, Any]) -> Problem:
    """Returns a problem with what its columns and its head have learned in a run.

    Args:
        problem: As it is declared now.
        content: Of the run's `problem.json`.
        trained_with: What `plain` told of the problem that the run has trained.

    Raises:
        Refusal: The problem is not the one that was trained, as far as its declaration tells.
    """
    columns = [_column(problem, *pair) for name in _COLUMNS[:2] for pair in _pairs(problem, name, content)]
    for name in OF_MODEL:
        now, then = _as_read(plain_value(getattr(problem, name))), trained_with.get(name)
        if now != then:
            raise Refusal(_differs(problem, f"{name} is {now!r} there, and was {then!r}"))
    head = _head(problem, content.get("head"))
    return dataclasses.replace(problem.with_columns(columns), head=head)


def _pairs(problem: Problem, name: str, content: Mapping[str, Any]) -> list[tuple[FeatureColumn, Any]]:
    columns: Sequence[FeatureColumn] = getattr(problem, name)
    told = content.get(name, [])
    if len(columns) != len(told):
        raise Refusal(_differs(problem, f"{name} has {len(columns)} columns there, and had {len(told)}"))
    return list(zip(columns, told, strict=True))


def _column(problem: Problem, column: FeatureColumn, told: Any) -> FeatureColumn:
    found: FeatureColumn = learned_as(column, told)
    if without_start(_as_read(to_dict(without_old_values(found)))) != without_start(told):
        raise Refusal(_differs(problem, f"column '{column.name}' is declared otherwise there"))
    return found


def without_start(told: Any) -> Any:
    """Returns what is said of columns but for how their tables were trained."""
    if isinstance(told, Mapping):
        return {name: without_start(value) for name, value in told.items() if name not in _OF_START}
    return [without_start(value) for value in told] if isinstance(told, (list, tuple)) else told


def _head(problem: Problem, told: Any) -> Head:
    """Returns the head with what it has learned: the fields that are not as they are declared."""
    head: Any = problem.head
    learns, now = type(head).fitted is not Head.fitted, _as_read(plain_value(head))
    if now == told and not (learns and isinstance(now, str)):
        return problem.head
    names = {*now} if isinstance(now, Mapping) and isinstance(told, Mapping) else set()
    if not learns or names != {*(told if isinstance(told, Mapping) else ())} or now["kind"] != told["kind"]:
        raise Refusal(_differs(problem, f"head is {_named(now)} there, and was {_named(told)}"))
    changed: Head = dataclasses.replace(head, **{name: told[name] for name in names if now[name] != told[name]})
    return changed


def _named(told: Any) -> str:
    return str(told.get("kind")) if isinstance(told, Mapping) else str(told)


def _as_read(value: Any) -> Any:
    """Returns a value as it is read from JSON."""
    return json.loads(json.dumps(value))


def _differs(problem: Problem, what: str) -> str:
    return (
        f"problem {problem.name} is not what the run was trained with: {what}; give back the file as it was, or train "
        "anew."
    )
