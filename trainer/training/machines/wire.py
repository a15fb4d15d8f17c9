"""Messages between processes that TensorFlow has brought together: sums of vectors, and matrices under one another.

A collective op finds its counterparts by a key, and a key has one shape, that of the first message, however often a
loop comes by. `tf.distribute` takes a new key at each call of a function, so inside a loop it cannot send what differs
in size from step to step, as the rows do that a batch has used. Here a key is worked out from the size.
"""

from typing import Any

import tensorflow as tf

from trainer.training.machines.exchange import Links

_GROUP = 1 << 20
"""Of the processes that send to one another; those of `tf.distribute` count from 1."""

_SIZES = 1 << 10
"""Keys that a place in a program has, one for each rounded size."""

_PARTS = 3
"""Sizes are rounded up to two to this power parts of a power of two, so by an eighth at most."""


class Wire:
    """What carries messages. All processes have to send the same ones, in the same order.

    Args:
        rank: The place of this process among them.
        count: How many there are.
        device: That sends and receives.
    """

    def __init__(self, rank: int, count: int, device: str) -> None:
        self._rank, self._count, self._device, self._key = rank, count, device, 1
        self._keys: dict[Any, int] = {}

    def total(self, vector: Any) -> Any:
        """Returns the sum of a vector of each process, now."""
        return self._now(self._sum, tf.convert_to_tensor(vector))

    def gathered(self, matrix: Any) -> Any:
        """Returns the matrices of all processes under one another, now; they have one shape."""
        return self._now(self._gather, tf.convert_to_tensor(matrix))

    def _now(self, send: Any, value: Any) -> Any:
        kind = (send.__name__, value.dtype, *value.shape)
        if kind not in self._keys:  # a key is never forgotten, so that one for each message would fill the memory
            self._key += 1
            self._keys[kind] = self._key
        return send(value, self._keys[kind])

    def links(self) -> Links:
        """Returns what carries messages inside a `tf.function`, where each has a place of its own."""
        return Links(self._count, self._rank, self._place(self._sum), self._gather_rows)

    def _place(self, send: Any) -> Any:
        def sent(value: Any) -> Any:
            self._key += 1
            return send(value, self._key)

        return sent

    def _gather_rows(self, matrix: Any) -> Any:
        """Returns the matrices of all under one another, of as many rows each as the caller has made them have."""
        first = self._key + 1
        self._key += _SIZES
        rows = tf.shape(matrix)[0]
        padded, number = rounded(rows)
        whole = self._gather(tf.pad(matrix, [[0, padded - rows], [0, 0]]), first + number)
        by_process = tf.reshape(whole, [self._count, padded, matrix.shape[1]])
        return tf.reshape(by_process[:, :rows], [-1, matrix.shape[1]])

    def _sum(self, vector: Any, key: Any) -> Any:
        with tf.device(self._device):
            return tf.raw_ops.CollectiveReduceV2(
                input=vector, merge_op="Add", final_op="Id", max_subdivs_per_device=-1, **self._to_all(key)
            )

    def _gather(self, matrix: Any, key: Any) -> Any:
        with tf.device(self._device):
            return tf.raw_ops.CollectiveGatherV2(input=matrix, **self._to_all(key))

    def _to_all(self, key: Any) -> dict[str, Any]:
        return {
            "group_size": tf.constant(self._count),
            "group_key": tf.constant(_GROUP),
            "instance_key": tf.convert_to_tensor(key, tf.int32),
            "ordering_token": [],
            "timeout_seconds": 0.0,  # any other makes threads that sleep for as long, two for each message
        }


def rounded(rows: Any) -> tuple[Any, Any]:
    """Returns a number of rows, rounded up, and the number of this size among all sizes, from 0 on.

    Example:
        >>> [[int(each) for each in rounded(tf.constant(rows))] for rows in (0, 7, 8, 100, 129)]
        [[0, 0], [7, 7], [8, 8], [104, 37], [144, 41]]
    """
    rows = tf.maximum(rows, 0)
    # The place of the highest bit; below two to the power of _PARTS each number is a size of its own.
    highest = tf.cast(
        tf.math.floor(
            tf.math.log(tf.cast(tf.maximum(rows, 1), tf.float64)) / tf.math.log(tf.constant(2.0, tf.float64)) + 1e-12
        ),
        tf.int32,
    )
    shift = tf.maximum(highest - _PARTS, 0)
    parts = tf.bitwise.right_shift(rows + tf.bitwise.left_shift(1, shift) - 1, shift)  # up to two powers of two
    return tf.bitwise.left_shift(parts, shift), parts + shift * 2**_PARTS
