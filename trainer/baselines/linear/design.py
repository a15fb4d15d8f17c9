"""Encoded examples as one sparse matrix: a column an id, which counts it, and a column a number."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse
import tensorflow as tf

from trainer.feature_column import CategoricalColumn, FeatureColumn
from trainer.feature_column.serialization import encoded_key
from trainer.inputs.cache import AnyExamples
from trainer.inputs.memory import Examples
from trainer.layers import encodable
from trainer.layers.columns import weights_key

Array = np.ndarray[Any, Any]


class Design:
    """What a linear model of some columns reads of examples, each column once, however often it is used.

    Numbers are scaled by the mean and the deviation of the examples that it is made for, since their unit would decide
    what their weights cost; ids are not.

    Args:
        columns: Of a problem, learned.
        examples: The training examples.
    """

    def __init__(self, columns: Sequence[FeatureColumn], examples: AnyExamples) -> None:
        parts = {(encoded_key(encodable(column)), weights_key(column)): encodable(column) for column in columns}
        self._ids = {keys: part.num_buckets for keys, part in parts.items() if isinstance(part, CategoricalColumn)}
        self._numbers = [key for (key, _), part in parts.items() if not isinstance(part, CategoricalColumn)]
        if self._numbers:
            self._mean, self._scale = _moments(self._flat(examples))

    def of(self, examples: AnyExamples) -> Any:
        """Returns the matrix of some examples, `(examples, width)`, in compressed rows."""
        return scipy.sparse.vstack([self._of_part(part) for part in examples.parts()], format="csr")

    def _of_part(self, part: Examples) -> Any:
        features = part.features
        found = [
            counts(features[key], size, None if weights is None else features[weights])
            for (key, weights), size in self._ids.items()
        ]
        if self._numbers:
            found.append(scipy.sparse.csr_array((self._flat(part) - self._mean) / self._scale))
        return scipy.sparse.hstack(found, format="csr")

    def _flat(self, examples: AnyExamples) -> Array:
        """Returns the numbers of examples, `(examples, numbers)`."""
        parts = [[part.features[key] for key in self._numbers] for part in examples.parts()]
        rows = [np.concatenate([np.reshape(each, (len(each), -1)) for each in part], axis=1) for part in parts]
        return np.concatenate(rows).astype(np.float64)


def _moments(numbers: Array) -> tuple[Array, Array]:
    deviation = numbers.std(axis=0)
    return numbers.mean(axis=0), np.where(deviation > 0, deviation, 1.0)


def counts(ids: Any, size: int, weights: Any = None) -> Any:
    """Returns how often each id is in an example, or the sum of its weights, as a sparse matrix `(examples, size)`.

    Args:
        ids: `(examples, None)`, ragged or filled up with -1, which is none.
        size: How many ids there are.
        weights: As the ids; None counts each once.

    Example:
        >>> counts(tf.ragged.constant([[2, 0, 2], [-1]], tf.int64), size=3).toarray().tolist()
        [[1.0, 0.0, 2.0], [0.0, 0.0, 0.0]]
    """
    ragged = ids if isinstance(ids, tf.RaggedTensor) else tf.RaggedTensor.from_tensor(ids)
    flat, rows = np.asarray(ragged.flat_values), np.asarray(ragged.value_rowids())
    each = np.ones(len(flat)) if weights is None else np.asarray(getattr(weights, "flat_values", weights)).reshape(-1)
    there = flat >= 0
    shape = (int(ragged.nrows()), size)
    made = scipy.sparse.csr_array((each[there].astype(np.float64), (rows[there], flat[there])), shape=shape)
    made.sum_duplicates()
    return made
