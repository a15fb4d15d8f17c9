"""Raw features of a batch as flat values and how many each example has, the missing ones left out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf

from trainer.encoding.coded import Coded
from trainer.errors import Refusal, nearest


@dataclass(frozen=True)
class Bag:
    """The values of one feature in a batch.

    Args:
        values: An Arrow array of the values of all examples, one after the other.
        lengths: How many each example has, `(batch,)`.
    """

    values: Any
    lengths: np.ndarray[Any, Any]

    @property
    def kind(self) -> str:
        """What the values are: "string" or "int64"."""
        return "string" if pa.types.is_binary(self.values.type) else "int64"


def batches_of(who: str, data: Any) -> Iterator[Mapping[str, Any]]:
    """Yields the raw features of each batch.

    Args:
        who: What a refusal begins with.
        data: One batch, a mapping of features by key, or an iterable of batches; a batch in a tuple comes first
            there, before labels and weights.

    Raises:
        Refusal: A batch is no mapping, or the data cannot be gone through.
    """
    if not isinstance(data, (Mapping, Iterable)) or isinstance(data, (str, bytes)):
        raise Refusal(f"{who}: batches of raw features are wanted, mappings from key to values, not {data!r}.")
    for batch in [data] if isinstance(data, Mapping) else data:
        features = batch[0] if isinstance(batch, tuple) and batch else batch
        if not isinstance(features, Mapping):
            kind = type(features).__name__
            raise Refusal(f"{who}: a batch of raw features is wanted, a mapping from key to values, not a {kind}.")
        yield features


def feature_of(features: Mapping[str, Any], key: str) -> Any:
    """Returns a raw feature as it came.

    Raises:
        Refusal: The features lack the key.
    """
    if key not in features:
        raise Refusal(f"features: '{key}' is wanted by a column and is not there{nearest(key, features) or '.'}")
    return features[key]


def bag_of(features: Mapping[str, Any], key: str, who: str, kind: str | None = None) -> Bag:
    """Returns the values of a raw feature; '', -1 and None are missing.

    Args:
        features: Raw features by key: arrays, lists, tensors, ragged or sparse ones, `(batch,)` or `(batch, k)`.
        key: The feature.
        who: What a refusal begins with.
        kind: "string" or "int64"; None takes either.

    Raises:
        Refusal: The feature is not there, or is of another kind.

    Example:
        >>> bag_of({"word": [["a", ""], ["b", "c"]]}, "word", "example").lengths.tolist()
        [1, 2]
    """
    values, lengths = _parts(feature_of(features, key), f"{who}: feature '{key}'")
    values, found = _typed(values, kind)
    if found not in ({kind} if kind else {"string", "int64"}):
        wanted = {"string": "strings", "int64": "whole numbers", None: "strings or whole numbers"}[kind]
        raise Refusal(f"{who}: feature '{key}' should be {wanted}, not {found}; declare the column's dtype.")
    return present(values, lengths)


def counted(features: Mapping[str, Any], key: str, who: str, kind: str) -> tuple[Any, np.ndarray[Any, Any] | None]:
    """Returns the values of a raw feature that are not missing, and how often each is there; None is once.

    Coded values come as the different ones, which costs less than all of them.

    Args:
        features: As in `bag_of`.
        key: The feature.
        who: What a refusal begins with.
        kind: "string" or "int64".

    Raises:
        Refusal: The feature is not there, or is of another kind.

    Example:
        >>> import tensorflow as tf
        >>> days = Coded(tf.constant(["Fri", ""]), tf.constant([0, 1, 0]))
        >>> counted({"day": days}, "day", "example", "string")[1].tolist()
        [2]
    """
    coded = features.get(key)
    if not isinstance(coded, Coded):
        return bag_of(features, key, who, kind).values, None
    codes = np.asarray(getattr(coded.codes, "flat_values", coded.codes)).reshape(-1)
    rows = np.bincount(codes, minlength=int(coded.values.shape[0]))
    bag = bag_of({key: coded.values}, key, who, kind)
    rows = rows[bag.lengths > 0].astype(np.int64)
    there = rows > 0  # the different ones may be those of more rows than the codes
    return bag.values.filter(pa.array(there)), rows[there]


def present(values: Any, lengths: np.ndarray[Any, Any]) -> Bag:
    """Returns a bag of the values that are not '', -1 or None."""
    missing: Any = b"" if pa.types.is_binary(values.type) else -1
    kept = pc.fill_null(pc.not_equal(values, pa.scalar(missing, values.type)), False)
    mask = kept.to_numpy(zero_copy_only=False)
    if mask.all():
        return Bag(values, lengths)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    return Bag(values.filter(kept), np.bincount(rows[mask], minlength=len(lengths)))


def _parts(value: Any, feature: str) -> tuple[Any, np.ndarray[Any, Any]]:
    if isinstance(value, Coded):
        codes, lengths = _parts(value.codes, feature)
        return _arrow(value.values.numpy(), feature).take(codes), lengths
    if isinstance(value, tf.RaggedTensor):
        ragged = value.merge_dims(1, -1) if value.shape.rank > 2 else value
        return _arrow(ragged.flat_values.numpy(), feature), ragged.row_lengths().numpy()
    if isinstance(value, tf.SparseTensor):
        lengths = np.bincount(value.indices[:, 0].numpy(), minlength=int(value.dense_shape[0]))
        return _arrow(value.values.numpy(), feature), lengths
    if isinstance(value, (list, tuple)):
        return _listed(_arrow(value, feature))
    array = np.asarray(value)
    if not array.ndim:
        raise Refusal(f"{feature} has one value and no batch of them; call .batch(1000) on the data.")
    lengths = np.full(len(array), array.size // max(len(array), 1))
    return _arrow(array.reshape(-1), feature), lengths


def _listed(values: Any) -> tuple[Any, np.ndarray[Any, Any]]:
    if not pa.types.is_list(values.type):
        return values, np.ones(len(values), np.int64)
    lengths = pc.fill_null(pc.list_value_length(values), 0)
    return values.flatten(), lengths.to_numpy().astype(np.int64)


def _arrow(values: Any, feature: str) -> Any:
    try:
        return pa.array(values)
    except UnicodeError:  # strings that hold bytes of no UTF-8, as they are decoded here
        return pa.array([value.encode("utf-8", "surrogateescape") for value in values])
    except (ValueError, TypeError, pa.ArrowException):
        raise Refusal(
            f"{feature} holds values of several kinds, or of one that is neither strings nor numbers; give an array, "
            "a list or a tensor of one kind."
        ) from None


def _typed(values: Any, kind: str | None) -> tuple[Any, str]:
    types, given = pa.types, values.type
    if types.is_null(given):
        return values.cast(pa.int64() if kind == "int64" else pa.binary()), kind or "string"
    if types.is_integer(given):
        return values.cast(pa.int64(), safe=False), "int64"
    if types.is_string(given) or types.is_binary(given) or types.is_large_string(given) or types.is_large_binary(given):
        return values.cast(pa.binary()), "string"
    return values, {"float": "float32", "double": "float64", "halffloat": "float16"}.get(str(given), str(given))
