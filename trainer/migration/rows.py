"""A person's own rows as tensors: the first of them, and one of them as it is printed."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.encoding import Coded
from trainer.errors import Refusal, nearest


def tensors_of(features: Any, wanted: Mapping[str, str]) -> dict[str, Any]:
    """Returns the features that columns read as dense, ragged or sparse tensors.

    Args:
        features: Arrays, lists or tensors by key: a mapping, or a data frame.
        wanted: The keys, with the name of a column that reads each.

    Raises:
        Refusal: They are no mapping, lack a key, are no tensors, or differ in their number of rows.
    """
    if not hasattr(features, "keys"):
        raise Refusal(
            "check_parity: features by key are wanted, such as {'hour': [8, 17]}, not " + f"{type(features).__name__}."
        )
    found = {}
    for key, column in wanted.items():
        if key not in features:
            raise Refusal(
                f"check_parity: feature '{key}' is wanted by column '{column}' and is not there"
                f"{nearest(key, features) or '; give rows that have it.'}"
            )
        found[key] = _tensor(key, features[key])
    _check_batch(found)
    return found


def as_tensors(features: Mapping[str, Any]) -> dict[str, Any]:
    """Returns features as readers yield them, or arrays and lists, as dense and ragged tensors."""
    return {key: _uncoded(values) for key, values in features.items()}


def rows_at(features: Mapping[str, Any], places: Any) -> dict[str, Any]:
    """Returns some rows of dense and ragged features, in the order of their places."""
    return {key: tf.gather(values, places) for key, values in features.items()}


def batch_of(values: Any) -> int:
    """Returns the number of rows of a tensor."""
    if isinstance(values, tf.SparseTensor):
        return int(values.dense_shape[0])
    return int(values.nrows()) if isinstance(values, tf.RaggedTensor) else int(values.shape[0])


def first_rows(features: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Returns the first rows of features, each tensor of its own kind."""
    return {key: _first(values, count) for key, values in features.items()}


def row_of(features: Mapping[str, Any], row: int) -> dict[str, Any]:
    """Returns the raw values of one row as numbers, strings and lists of them."""
    return {key: _row(values, row) for key, values in features.items()}


def flat(value: Any) -> Iterator[Any]:
    """Yields the numbers and strings in a raw value of one row.

    Example:
        >>> list(flat([["a"], [], "b"]))
        ['a', 'b']
    """
    if isinstance(value, list):
        for item in value:
            yield from flat(item)
    else:
        yield value


def _uncoded(values: Any) -> Any:
    if isinstance(values, tf.SparseTensor):
        return tf.RaggedTensor.from_sparse(values)
    if isinstance(values, Coded):
        return values.decoded()
    return values if isinstance(values, tf.RaggedTensor) else tf.convert_to_tensor(values)


def _tensor(key: str, values: Any) -> Any:
    if isinstance(values, (tf.Tensor, tf.RaggedTensor, tf.SparseTensor)):
        return values
    try:
        return tf.convert_to_tensor(np.asarray(values) if hasattr(values, "to_numpy") else values)
    except (TypeError, ValueError):
        pass
    try:
        return tf.ragged.constant(values)
    except (TypeError, ValueError) as error:
        raise Refusal(
            f"check_parity: feature '{key}' should be a tensor, an array or a list of values, one or several a row, "
            f"not {type(values).__name__} ({str(error).splitlines()[0]})."
        ) from None


def _check_batch(features: Mapping[str, Any]) -> None:
    for key, values in features.items():
        if values.shape.rank == 0:
            raise Refusal(f"check_parity: feature '{key}' is a single value; give a list of rows.")
    sizes = {key: batch_of(values) for key, values in features.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"'{key}' has {size}" for key, size in sizes.items())
        raise Refusal(f"check_parity: as many rows of each feature are wanted; {told}.")
    if 0 in sizes.values():
        raise Refusal("check_parity: there are no rows in the features; give at least one.")


def _first(values: Any, count: int) -> Any:
    if isinstance(values, tf.SparseTensor):
        rest = tf.shape(values, out_type=tf.int64)[1:]
        return tf.sparse.slice(values, tf.zeros_like(values.dense_shape), tf.concat([[count], rest], axis=0))
    return values[:count]


def _row(values: Any, row: int) -> Any:
    if isinstance(values, tf.SparseTensor):
        return _plain(values.values.numpy()[values.indices.numpy()[:, 0] == row].tolist())
    one = values[row]
    return _plain(one.to_list() if isinstance(one, tf.RaggedTensor) else np.asarray(one.numpy()).tolist())


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
