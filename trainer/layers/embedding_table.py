"""A named trainable matrix, one row a key, looked up without ever being copied."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.errors import Refusal
from trainer.feature_column.embedding import COMBINERS
from trainer.feature_column.serialization import from_dict, to_dict


@keras.saving.register_keras_serializable("trainer")
class EmbeddingTable(keras.layers.Layer):
    """Rows of a table for ids, combined where an example has several; an example without ids gets zeros.

    A missing id, -1, reads no row, and its gradient reaches none. Only the rows that a batch uses are read, and with
    an optimizer of `trainer.optimizers` only they are written.

    Args:
        rows: The number of ids.
        dimension: The floats of a row.
        combiner: "mean", "sum" or "sqrtn".
        initializer: A Keras initializer, its name or a function of shape and dtype; None is
            `truncated_normal(0, 1 / sqrt(dimension))`.
        max_norm: A looked-up row longer than this is scaled down to it; the table keeps it as it is.
        initial_values: A function that returns what the table starts from, `(rows, dimension)`; called once, when the
            layer is built, and not kept when the layer is saved.

    Example:
        >>> table = EmbeddingTable(4, 2, initializer="ones", combiner="sum")
        >>> table(np.array([[0, 3], [1, -1], [-1, -1]])).numpy().tolist()
        [[2.0, 2.0], [1.0, 1.0], [0.0, 0.0]]
    """

    def __init__(
        self,
        rows: int,
        dimension: int,
        combiner: str = "mean",
        initializer: Callable[..., Any] | str | None = None,
        max_norm: float | None = None,
        initial_values: Callable[[], np.ndarray[Any, Any]] | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(autocast=False, **arguments)
        if combiner not in COMBINERS:
            raise Refusal(f"EmbeddingTable: combiner must be one of {', '.join(COMBINERS)}, not {combiner!r}.")
        self.rows, self.dimension, self.combiner = rows, dimension, combiner
        self.initializer, self.max_norm, self.initial_values = initializer, max_norm, initial_values
        self.supports_jit = False

    def build(self, ids_shape: Any = None) -> None:
        """Makes the table, and warm-starts it: the one time that its source is read."""
        del ids_shape
        initializer = self.initializer or keras.initializers.TruncatedNormal(stddev=1 / math.sqrt(self.dimension))
        # Read through the autocast value, a table would be cast whole at every step.
        self.table = self.add_weight(
            name="table",
            shape=(self.rows, self.dimension),
            initializer="zeros" if self.initial_values is not None else initializer,
            autocast=False,
        )
        if self.initial_values is not None:
            values = self.initial_values()
            with tf.init_scope():
                self.table.assign(values)
        self.built = True

    def call(self, ids: Any) -> Any:
        """Returns the combined rows.

        Args:
            ids: `(batch,)` or `(batch, k)`, whole numbers in `[0, rows)`, or -1 where there is none.

        Returns:
            `(batch, dimension)`, in the layer's compute dtype.
        """
        ids = tf.convert_to_tensor(ids)
        ids = ids[:, tf.newaxis] if ids.shape.rank == 1 else ids  # (batch, k)
        present = tf.where(ids >= 0)  # (n, 2): example, place
        examples = present[:, 0]
        rows = tf.gather(self.table.value, tf.gather_nd(ids, present))  # (n, dimension)
        if self.max_norm is not None:
            rows = tf.clip_by_norm(rows, self.max_norm, axes=1)
        batch = tf.shape(ids, out_type=tf.int64)[0]
        combined = tf.math.unsorted_segment_sum(rows, examples, batch)  # (batch, dimension)
        if self.combiner != "sum" and ids.shape[1] != 1:
            counts = tf.reduce_sum(tf.cast(ids >= 0, combined.dtype), axis=1, keepdims=True)  # (batch, 1)
            counts = tf.sqrt(counts) if self.combiner == "sqrtn" else counts
            combined = tf.math.divide_no_nan(combined, counts)
        return tf.cast(combined, self.compute_dtype)  # (batch, dimension)

    def compute_output_spec(self, ids: Any) -> Any:
        """Returns the shape and dtype of the combined rows."""
        return keras.KerasTensor((ids.shape[0], self.dimension), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments, without what the table started from."""
        initializer = self.initializer
        return {
            **super().get_config(),
            "rows": self.rows,
            "dimension": self.dimension,
            "combiner": self.combiner,
            "initializer": initializer if initializer is None or isinstance(initializer, str) else to_dict(initializer),
            "max_norm": self.max_norm,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "EmbeddingTable":
        """Makes the layer from its configuration."""
        return cls(**{**config, "initializer": from_dict(config["initializer"])})
