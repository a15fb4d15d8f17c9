"""The words of texts that are counted, as an encoding makes them."""

import functools
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf

from trainer.encoding.tokens import Tokenizer
from trainer.feature_column import Tokens


class Words:
    """Counted texts to counted words.

    Example:
        >>> words, rows = Words(Tokens())(pa.array([b"Quiet room", b"Room"]), np.array([1, 3]))
        >>> words.to_pylist(), rows.tolist()
        ([b'quiet', b'room', b'room'], [1, 1, 3])
    """

    def __init__(self, tokens: Tokens) -> None:
        tokenizer, texts = Tokenizer(tokens), tf.TensorSpec([None], tf.string)
        self._words = tf.function(tokenizer, [texts], autograph=False)
        self._counted = tf.function(tokenizer.counted, [texts, tf.TensorSpec([None], tf.int64)], autograph=False)

    def __call__(self, texts: Any, rows: np.ndarray[Any, Any] | None) -> tuple[Any, np.ndarray[Any, Any]]:
        """Returns the words of texts, and how often each is there; some may be there several times.

        Args:
            texts: An Arrow array of bytes.
            rows: How often each text is there; None is once.
        """
        rows = np.ones(len(texts), np.int64) if rows is None else rows
        words, counts = self._counted(_tensor(texts), tf.constant(rows, tf.int64))
        return pa.array(words.numpy(), pa.binary()), counts.numpy()

    def of(self, texts: Any) -> Any:
        """Returns the words of each text, an Arrow array of lists of bytes.

        Args:
            texts: An Arrow array of bytes or strings, none of them null.
        """
        found = self._words(_tensor(texts))
        words = pa.array(found.flat_values.numpy(), pa.binary())
        return pa.ListArray.from_arrays(pa.array(found.row_splits.numpy(), pa.int32()), words)


def _tensor(texts: Any) -> Any:
    return tf.constant(texts.cast(pa.binary()).to_numpy(zero_copy_only=False), tf.string)


@functools.lru_cache(maxsize=64)
def words_by(tokens: Tokens) -> Words:
    """Returns what makes words of texts, made once."""
    return Words(tokens)
