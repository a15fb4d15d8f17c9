"""Features that a person has in memory, as the same rows of a file would be read."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf

from trainer.encoding.coded import Coded, decoded
from trainer.errors import Refusal, nearest
from trainer.inputs.arrow import plain
from trainer.inputs.bad_rows import BadRow
from trainer.inputs.features import described
from trainer.inputs.tensors import tensors_of
from trainer.inputs.values import Wanted, fits, text_of, typed, why

WHO = "predict"


def taken(features: Mapping[str, Any], wanted: Mapping[str, Wanted]) -> dict[str, Any]:
    """Returns the features that are wanted as a batch of tensors.

    Args:
        features: By key, one value an example or a list of them: lists, arrays, tensors, or the columns of a data
            frame. None and NaN are missing, as '' and -1 are.
        wanted: What is wanted of each feature.

    Raises:
        Refusal: A feature is not there, of another length, or has a value that cannot be used.
    """
    columns = {key: _column(features, key) for key in wanted}
    lengths = {key: len(column) for key, column in columns.items()}
    if len({*lengths.values()}) > 1:
        one, two = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
        raise Refusal(
            f"{WHO}: '{one}' has {lengths[one]:,} rows and '{two}' {lengths[two]:,}; give as many of each feature."
        )
    found = {}
    for key, each in wanted.items():
        if not fits(columns[key].type, each):
            raise Refusal(f"{WHO}: '{key}' holds {columns[key].type}, and the model reads it as {described(each)}.")
        found[key], good = typed(columns[key], each)
        if not good.all():
            place = int(np.argmin(good))
            text = text_of(columns[key], place)
            raise Refusal(f"{BadRow(WHO, 'row', place + 1, key, text, why(each, text))}.")
    return tensors_of(found, wanted)


def _column(features: Mapping[str, Any], key: str) -> Any:
    if key not in features:
        there = f"; there are {', '.join(map(str, features.keys())) or 'none'}."
        raise Refusal(f"{WHO}: feature '{key}' is not there{nearest(key, map(str, features.keys())) or there}")
    try:
        column = pa.array(_values(features[key]), from_pandas=True)
    except (TypeError, ValueError, OverflowError) as error:  # Arrow's are ValueErrors
        text = " ".join(str(error).split()).removesuffix(".")
        raise Refusal(
            f"{WHO}: '{key}' should be a list or an array with one value an example, or one list ({text})."
        ) from None
    return plain(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column)


def _values(given: Any) -> Any:
    """Returns values as what Arrow makes an array of."""
    if isinstance(given, tf.SparseTensor):
        given = tf.RaggedTensor.from_sparse(given)
    if isinstance(given, (tf.RaggedTensor, Coded)):
        found = decoded(given)
        given = found.to_list() if isinstance(found, tf.RaggedTensor) else found
    if isinstance(given, (tf.Tensor, tf.Variable)):
        given = given.numpy()
    if isinstance(given, (str, bytes)) or not hasattr(given, "__len__"):
        raise TypeError(f"it is {given!r}")
    if isinstance(given, np.ndarray) and given.ndim > 1:
        return list(given.reshape(len(given), -1)) if given.shape[1:] != (1,) else given[:, 0]
    return given
