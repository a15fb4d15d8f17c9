"""Columns as plain dictionaries: for a run's problem.json, a saved model's config, and digests."""

import dataclasses
import functools
import hashlib
import importlib
import json
from collections.abc import Mapping
from typing import Any

from trainer import feature_column
from trainer.errors import Refusal
from trainer.feature_column.column import FeatureColumn
from trainer.feature_column.nested import rebuilt
from trainer.feature_column.vocabulary import FromData, Quantiles, SavedVocabulary
from trainer.feature_column.vocabulary_list import VocabularyListColumn


def to_dict(value: Any) -> Any:
    """Returns a column, or a value inside one, as what JSON can hold.

    Functions are kept by the place they can be imported from, a `functools.partial` with its arguments.

    Raises:
        Refusal: A function has no name.

    Example:
        >>> to_dict(feature_column.categorical_column_with_identity("hour", 24))
        {'kind': 'IdentityColumn', 'key': 'hour', 'num_buckets': 24, 'default_value': None}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: to_dict(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"kind": type(value).__name__, **fields}
    if isinstance(value, (list, tuple)):
        return [to_dict(item) for item in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if hasattr(value, "tolist"):  # NumPy's numbers and arrays
        return to_dict(value.tolist())
    if isinstance(value, functools.partial):
        keywords = {name: to_dict(argument) for name, argument in value.keywords.items()}
        return {"partial": to_dict(value.func), "arguments": to_dict(value.args), "keywords": keywords}
    if hasattr(value, "get_config") and not isinstance(value, type):
        return {"keras_object": f"{type(value).__module__}:{type(value).__qualname__}", "config": value.get_config()}
    if not hasattr(value, "__qualname__"):
        raise Refusal(f"to_dict: {value!r} has no name to import it by; give a function at the top of a module.")
    return {"function": f"{value.__module__}:{value.__qualname__}"}


def from_dict(value: Any) -> Any:
    """Returns what `to_dict` was given.

    Raises:
        Refusal: A kind of column or a function named there does not exist.

    Example:
        >>> from_dict(to_dict(feature_column.categorical_column_with_identity("hour", 24)))
        IdentityColumn(key='hour', num_buckets=24, default_value=None)
    """
    if isinstance(value, (list, tuple)):
        return tuple(from_dict(item) for item in value)
    if not isinstance(value, dict):
        return value
    if "function" in value:
        return _imported(value["function"])
    if "partial" in value:
        keywords = {name: from_dict(argument) for name, argument in value["keywords"].items()}
        return functools.partial(from_dict(value["partial"]), *from_dict(value["arguments"]), **keywords)
    if "keras_object" in value:
        return _imported(value["keras_object"]).from_config(value["config"])
    kind = getattr(feature_column, value.get("kind", ""), None)
    if kind is None:
        raise Refusal(f"from_dict: a kind of column is wanted, not {value.get('kind')!r}.")
    return kind(**{key: from_dict(item) for key, item in value.items() if key != "kind"})


def _imported(place: str) -> Any:
    module, _, name = place.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        raise Refusal(
            f"from_dict: the function {name} of {module} cannot be imported; define it at the top of a module."
        ) from None
    return found


def learned_as(column: Any, told: Any) -> Any:
    """Returns a declared column with the values, boundaries and dimensions of another, of which a dictionary tells.

    All else stays as it is declared, functions among it: what is told of these does not make them anew.

    Args:
        column: A column.
        told: What `to_dict` has made of a column that is declared alike and has learned what it needs.
    """
    if not isinstance(told, Mapping) or told.get("kind") != type(column).__name__:
        return column
    changed: dict[str, Any] = {}
    for field in dataclasses.fields(column):
        value, other = getattr(column, field.name), told.get(field.name)
        if isinstance(value, (FromData, Quantiles)) and isinstance(other, list):
            changed[field.name] = from_dict(other)
        elif field.name == "dimension" and value is None and isinstance(other, int):
            changed[field.name] = other  # by the rule of thumb, of the number of values that were learned
        elif isinstance(value, FeatureColumn):
            changed[field.name] = learned_as(value, other)
        elif isinstance(value, tuple) and any(isinstance(item, FeatureColumn) for item in value):
            others = other if isinstance(other, list) and len(other) == len(value) else [None] * len(value)
            changed[field.name] = tuple(map(learned_as, value, others))
    return dataclasses.replace(column, **changed) if changed else column


def digest(column: FeatureColumn) -> str:
    """Returns 8 hexadecimal digits that differ between columns that make ids or numbers differently."""
    text = json.dumps(to_dict(without_values(column)), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def without_values(column: Any) -> Any:
    """Returns a column whose vocabularies are known by their size and digest alone."""
    return rebuilt(column, _without_values)


def _without_values(column: Any) -> Any:
    if not isinstance(column, VocabularyListColumn) or not column.has_values:
        return column
    vocabulary = SavedVocabulary(column.vocabulary_size, column.vocabulary_digest)
    return dataclasses.replace(column, vocabulary_list=vocabulary)


def with_values(column: Any, values: Mapping[str, Any]) -> Any:
    """Returns a column whose vocabularies are filled in again by their digest, where it is known."""

    def filled(part: Any) -> Any:
        if not isinstance(part, VocabularyListColumn) or not isinstance(part.vocabulary_list, SavedVocabulary):
            return part
        return dataclasses.replace(part, vocabulary_list=values.get(part.vocabulary_list.digest, part.vocabulary_list))

    return rebuilt(column, filled)


def encoded_key(column: FeatureColumn) -> str:
    """Returns the key under which an encoded column travels from the encoder to the tables.

    Names of columns do not tell columns apart: a numeric column and an identity column on "hour" share one, and so
    do two crosses of the same keys in another order.
    """
    return f"{column.name}.{digest(column)}"
