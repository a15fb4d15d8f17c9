"""How a column makes ids, as a manifest says it, and how two ways differ, in words."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from trainer.feature_column import (
    BucketizedColumn,
    CategoricalColumn,
    CrossedColumn,
    HashBucketColumn,
    IdentityColumn,
    VocabularyListColumn,
    serialization,
)

_TENSORFLOW_HASH_KEY = 0xDECAFCAFFE

_SENTENCES = {
    "vocabulary": {
        "size": "{there} values there, {here} here",
        "num_oov_buckets": "{there} out-of-vocabulary buckets there, {here} here",
    },
    "identity": {"size": "{there} ids there, {here} here"},
    "hash": {"size": "{there} hash buckets there, {here} here"},
    "buckets": {
        "width": "{there} numbers an example there, {here} here",
        "boundaries": "the boundaries {there} there, {here} here",
        "normalizer_fn": "another normalizer_fn before the boundaries",
    },
    "cross": {},
    "hashed cross": {
        "size": "{there} hash buckets there, {here} here",
        "hash_key": "the hash key {there} there, {here} here",
    },
    "raw": {},
}
_UNKNOWN = {"declared": "another declaration there than here"}

_KINDS = {
    "vocabulary": "a vocabulary",
    "identity": "whole numbers",
    "hash": "hashed values",
    "buckets": "ranges of numbers",
    "cross": "an exact cross",
    "hashed cross": "a hashed cross",
    "raw": "raw values",
}


def ids_of(column: CategoricalColumn | str) -> dict[str, Any]:
    """Returns how a column makes ids, readable, and equal where two columns give a value the same row.

    Args:
        column: A categorical column, or a raw feature's key as a hashed cross takes it.

    Example:
        >>> from trainer import feature_column as fc
        >>> ids_of(fc.categorical_column_with_identity("hour", 24))
        {'kind': 'identity', 'key': 'hour', 'size': 24}
    """
    if isinstance(column, str):
        return {"kind": "raw", "key": column}
    inner = getattr(column, "categorical_column", None)
    if isinstance(inner, CategoricalColumn):  # weights or an order are laid over ids, and change none
        return ids_of(inner)
    if isinstance(column, CrossedColumn):
        return _cross(column)
    if isinstance(column, VocabularyListColumn):
        return _vocabulary(column)
    if isinstance(column, IdentityColumn):
        return {"kind": "identity", "key": column.key, "size": column.num_buckets}
    if isinstance(column, HashBucketColumn):
        return {"kind": "hash", "key": column.key, "size": column.hash_bucket_size, **_tokens(column)}
    if isinstance(column, BucketizedColumn):
        return _buckets(column)
    declared = serialization.to_dict(column)
    return {"kind": declared["kind"], "key": column.name, "declared": declared}


def _cross(column: CrossedColumn) -> dict[str, Any]:
    keys = [ids_of(leaf) for leaf in column.leaves]
    if column.hash_bucket_size is None:
        return {"kind": "cross", "key": column.name, "size": column.num_buckets, "keys": keys}
    hash_key = _TENSORFLOW_HASH_KEY if column.hash_key is None else column.hash_key
    return {
        "kind": "hashed cross",
        "key": column.name,
        "size": column.hash_bucket_size,
        "hash_key": hex(hash_key),
        "keys": keys,
    }


def _vocabulary(column: VocabularyListColumn) -> dict[str, Any]:
    # 7 and "7" are one key: the same values read from another file keep their rows.
    values = [str(value) for value in column.vocabulary]
    return {
        "kind": "vocabulary",
        "key": column.key,
        "size": len(values),
        "first": values[:3],
        "last": values[-1],
        "digest": _digest(values),
        "digest_sorted": _digest(sorted(values)),
        "num_oov_buckets": column.num_oov_buckets,
        **_tokens(column),
    }


def _tokens(column: VocabularyListColumn | HashBucketColumn) -> dict[str, Any]:
    # A row is that of a word, whichever texts it comes from, so that this makes no difference to what a row means.
    return {} if column.tokenize is None else {"tokenize": serialization.to_dict(column.tokenize)}


def _buckets(column: BucketizedColumn) -> dict[str, Any]:
    source = column.source_column
    return {
        "kind": "buckets",
        "key": source.key,
        "boundaries": list(column.edges),
        "width": source.width,
        "normalizer_fn": serialization.to_dict(source.normalizer_fn),
    }


def _digest(values: list[str]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]


def difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str | None:
    """Returns in words why a row means something else in two tables, or None where each row means the same.

    Keys may have other names, so that a table of `origin` can serve `dest`; in a cross, names tell the order.

    Args:
        there: `ids_of` the column of a stored table.
        here: `ids_of` the column that would take its rows.

    Example:
        >>> from trainer import feature_column as fc
        >>> hashed = [fc.categorical_column_with_hash_bucket("tail", size) for size in (500, 600)]
        >>> difference(*map(ids_of, hashed))
        '500 hash buckets there, 600 here'
    """
    kind = here["kind"]
    if there["kind"] != kind:
        return f"{_KINDS.get(there['kind'], there['kind'])} there, {_KINDS.get(kind, kind)} here"
    if kind in ("cross", "hashed cross"):
        return _cross_difference(there, here)
    if kind == "vocabulary" and there["size"] == here["size"] and there["digest"] != here["digest"]:
        return _vocabulary_difference(there, here)
    return _first_difference(there, here)


def _cross_difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str | None:
    names = [[key["key"] for key in ids["keys"]] for ids in (there, here)]
    if len(names[0]) != len(names[1]) or (names[0] != names[1] and sorted(names[0]) == sorted(names[1])):
        return f"the keys are {', '.join(names[0])} in this order there, {', '.join(names[1])} here"
    for left, right in zip(there["keys"], here["keys"], strict=True):
        if found := difference(left, right):
            return f"key '{right['key']}' has {found}"
    return _first_difference(there, here)


def _vocabulary_difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    if there["digest_sorted"] == here["digest_sorted"]:
        return f"the same {here['size']:,} values in another order"
    return f"{here['size']:,} values in both, but not the same ones"


def _first_difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str | None:
    for field, sentence in _SENTENCES.get(here["kind"], _UNKNOWN).items():
        if comparable(there.get(field)) != comparable(here[field]):
            return sentence.format(there=_readable(there.get(field)), here=_readable(here[field]))
    return None


def comparable(value: Any) -> Any:
    """Returns what a manifest says of a column as it is after a round trip through JSON, and without layers' names.

    A name that Keras has made up differs from one layer to the next that does the same.

    Example:
        >>> comparable({"config": {"name": "rescaling_2", "trainable": True, "scale": (0.5, 2)}})
        {'config': {'trainable': True, 'scale': [0.5, 2]}}
    """
    if isinstance(value, (list, tuple)):
        return [comparable(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy's numbers and arrays
        return value.tolist()
    if not isinstance(value, Mapping):
        return value
    is_layer = "trainable" in value  # the config of a dtype has a name too, which matters
    return {key: comparable(item) for key, item in value.items() if not (is_layer and key == "name")}


def _readable(value: Any) -> str:
    if isinstance(value, list):
        edges = [f"{edge:g}" for edge in value]
        return ", ".join(edges if len(edges) <= 8 else [*edges[:7], f"… {edges[-1]}"])
    return f"{value:,}" if isinstance(value, int) else str(value)
