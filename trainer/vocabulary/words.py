"""The words of texts that are counted, as an encoding makes them."""

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
        self._words = tf.function(Tokenizer(tokens), autograph=False)

    def __call__(self, texts: Any, rows: np.ndarray[Any, Any] | None) -> tuple[Any, np.ndarray[Any, Any] | None]:
        """Returns the words of texts one after the other, and how often each is there.

        Args:
            texts: An Arrow array of bytes.
            rows: How often each text is there; None is once.
        """
        found = self._words(tf.constant(texts.to_numpy(zero_copy_only=False), tf.string))
        repeated = None if rows is None else np.repeat(rows, found.row_lengths().numpy())
        return pa.array(found.flat_values.numpy(), pa.binary()), repeated
