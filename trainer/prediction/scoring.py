"""Raw features to logits, and to what is made of them, as two compiled functions."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer import models
from trainer.encoding.coded import decoded
from trainer.encoding.encoding import refusal_of
from trainer.errors import Refusal

Array = np.ndarray[Any, Any]


class Scoring:
    """What a model makes of batch after batch of raw features.

    Args:
        model: A model of raw features to logits.
        made: What is made of logits `(batch, units)`: arrays of a row an example, by name.
        batch_size: The most rows that go through the model at once; the memory that it takes does not depend on more.
    """

    def __init__(self, model: keras.Model, made: Callable[[Any], Mapping[str, Any]], batch_size: int = 4096) -> None:
        halves, self._keys = models.halves(model), models.inputs_of(model)
        self.batch_size, self.rows = batch_size, 0

        def encode(features: Mapping[str, Any]) -> dict[str, Any]:
            if halves.encode is not None:
                return dict(halves.encode(features))
            return {key: _sliceable(decoded(values)) for key, values in features.items()}

        def answer(encoded: Mapping[str, Any]) -> dict[str, Any]:
            return dict(made(halves.logits(encoded, False)))

        self._encode = tf.function(encode, autograph=False, reduce_retracing=True)
        self._answer = tf.function(answer, autograph=False, reduce_retracing=True)

    def __call__(self, features: Mapping[str, Any]) -> dict[str, Array]:
        """Returns what is made of a batch, by name.

        Args:
            features: Raw features by key, as `inputs` gives them; those that the model does not read are passed over.

        Raises:
            Refusal: A value is none that its column takes.
        """
        encoded = self.encoded(features)
        rows = _rows(next(iter(encoded.values())))
        parts = [
            self._answer({key: values[start : start + self.batch_size] for key, values in encoded.items()})
            for start in range(0, max(rows, 1), self.batch_size)
        ]
        return {name: np.concatenate([part[name].numpy() for part in parts]) for name in parts[0]}

    def encoded(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the encoded features of a batch, as the model takes them.

        Args:
            features: As they are called with.

        Raises:
            Refusal: A value is none that its column takes.
        """
        given = {key: values for key, values in features.items() if key in self._keys}
        try:
            found: dict[str, Any] = self._encode(given)
        except tf.errors.InvalidArgumentError as error:
            if (sentence := refusal_of(error)) is None:
                raise
            raise Refusal(f"{sentence}, counted from row {self.rows:,} of the data.") from None
        self.rows += _rows(next(iter(found.values())))
        return found


def _sliceable(values: Any) -> Any:
    if not isinstance(values, tf.SparseTensor):
        return values
    return tf.sparse.to_dense(values, "" if values.dtype == tf.string else -1)


def _rows(values: Any) -> int:
    return int(values.nrows() if isinstance(values, tf.RaggedTensor) else tf.shape(values)[0])
