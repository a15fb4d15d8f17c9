"""Strings of which each different one is there once: to convert and to look up a few costs less than all of them."""

from typing import Any, Union

import tensorflow as tf


class Coded(tf.experimental.ExtensionType):
    """Values as codes into the different ones among them, as Arrow's dictionaries have them.

    Args:
        values: The different values, `(different,)`.
        codes: Of each value, its place among them: `(batch,)`, `(batch, k)` or ragged `(batch, None)`, int32.

    Example:
        >>> days = Coded(tf.constant(["Fri", "Sat"]), tf.constant([0, 0, 1]))
        >>> days.decoded().numpy().tolist()
        [b'Fri', b'Fri', b'Sat']
    """

    values: tf.Tensor
    codes: Union[tf.Tensor, tf.RaggedTensor]  # noqa: UP007  # the one form of it that an ExtensionType reads

    @property
    def dtype(self) -> Any:
        """Of the values."""
        return self.values.dtype

    @property
    def shape(self) -> Any:
        """Of the codes, and so of what they stand for."""
        return self.codes.shape

    def mapped(self, function: Any) -> Any:
        """Returns a function of each value, dense or ragged as the codes are; it is called with the different ones."""
        found = function(self.values)
        if isinstance(self.codes, tf.RaggedTensor):
            return self.codes.with_flat_values(tf.gather(found, self.codes.flat_values))
        return tf.gather(found, self.codes)

    def decoded(self) -> Any:
        """Returns the values themselves, dense or ragged as the codes are."""
        return self.mapped(tf.identity)

    def with_codes(self, codes: Any) -> "Coded":
        """Returns the same values in other places."""
        return Coded(self.values, codes)


def decoded(values: Any) -> Any:
    """Returns coded values as a tensor; what is not coded is returned as it is."""
    return values.decoded() if isinstance(values, Coded) else values
