"""The steps of a sequence, or those of each of its segments, as one row."""

from typing import Any

import keras
import tensorflow as tf

from trainer.errors import Refusal
from trainer.feature_column.column import checked_count
from trainer.feature_column.embedding import COMBINERS
from trainer.layers.given import as_given
from trainer.segments import pooled


@keras.saving.register_keras_serializable("trainer")
class Pooling(keras.layers.Layer):
    """One row for the steps of a sequence, or one for each of its segments; where there is no step, zeros.

    Args:
        how: "mean", "sum"; "sqrtn", the sum over the root of how many steps there are; "max", the largest of each
            number; or "first", the first step, which some call the class token.
        segments: How many segments an example has at most; None pools all steps of it.

    Raises:
        Refusal: There is no such pooling, or the number of segments is none.

    Example:
        >>> from trainer import feature_column as fc
        >>> from trainer.layers import SequenceFeatures
        >>> degrees = SequenceFeatures([fc.sequence_numeric_column("degrees")])
        >>> values, lengths = degrees({"degrees": tf.ragged.constant([[1.0, 2.0], [3.0]])})
        >>> Pooling("mean")(values, lengths).numpy().tolist()
        [[1.5], [3.0]]
        >>> Pooling("max", segments=2)(values, lengths, [[1, 1], [0, -1]]).numpy().tolist()
        [[[0.0], [2.0]], [[3.0], [0.0]]]
    """

    def __init__(self, how: str = "mean", segments: int | None = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        if how not in COMBINERS:
            raise Refusal(f"Pooling: how must be one of {', '.join(COMBINERS)}, not {how!r}.")
        self.how = how
        self.segments = None if segments is None else checked_count("Pooling", "segments", segments)
        self.supports_masking = True
        as_given(self)

    def call(
        self, values: Any, lengths: Any = None, segment_ids: Any = None, mask: Any = None, values_mask: Any = None
    ) -> Any:
        """Returns the pooled steps.

        Args:
            values: `(batch, time, width)`.
            lengths: How many steps each example has, `(batch,)`; None is all that the mask has.
            segment_ids: The segment of each step, `(batch, time)`, in `[0, segments)`; a step of another number, such
                as -1, is in none.
            mask: Which steps are there, `(batch, time)`; Keras gives that which the values carry, as those of
                `SequenceFeatures` do.
            values_mask: The same, under the name by which Keras gives it where there are lengths or segments too.

        Returns:
            `(batch, width)`, or `(batch, segments, width)`.

        Raises:
            Refusal: The values have no dimension of time, or there are segments without their number, or a number
                without them.
        """
        values = tf.cast(values, self.compute_dtype)
        self._check(values, segment_ids)
        batch, time = tf.shape(values)[0], tf.shape(values)[1]
        there = tf.ones([batch, time], tf.bool) if lengths is None else tf.sequence_mask(lengths, time)
        for given in (mask, values_mask):
            there = there if given is None else there & tf.cast(given, tf.bool)
        ids = tf.zeros([batch, time], tf.int32) if segment_ids is None else tf.cast(segment_ids, tf.int32)
        count = self.segments or 1
        places = tf.where(there & (ids >= 0) & (ids < count))  # (n, 2)
        segments = places[:, 0] * count + tf.cast(tf.gather_nd(ids, places), tf.int64)  # (n,)
        rows = pooled(self.how, tf.gather_nd(values, places), segments, tf.cast(batch, tf.int64) * count)
        shape = [batch, *([] if self.segments is None else [self.segments]), values.shape[2]]
        return tf.reshape(rows, shape)  # (batch, width) or (batch, segments, width)

    def compute_mask(self, *arguments: Any, **keywords: Any) -> None:
        """Returns None: a row has no steps."""
        del arguments, keywords

    def _check(self, values: Any, segment_ids: Any) -> None:
        if len(values.shape) != 3:
            raise Refusal(f"Pooling: values of shape (batch, time, width) are wanted, not {tuple(values.shape)}.")
        if (self.segments is None) != (segment_ids is None):
            raise Refusal(
                "Pooling: segments, how many an example has, and segment_ids, that of each step, go together; give "
                "both, or none."
            )

    def compute_output_spec(self, values: Any, lengths: Any = None, segment_ids: Any = None, **masks: Any) -> Any:
        """Returns the shape and dtype of the pooled steps."""
        del lengths, masks
        self._check(values, segment_ids)
        middle = () if self.segments is None else (self.segments,)
        return keras.KerasTensor((values.shape[0], *middle, values.shape[2]), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments."""
        return {**super().get_config(), "how": self.how, "segments": self.segments}
