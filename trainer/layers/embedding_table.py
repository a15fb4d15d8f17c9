"""A named trainable matrix, one row a key, looked up without ever being copied."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.encoding.encoding import values_of
from trainer.encoding.weighted import aligned
from trainer.errors import Refusal
from trainer.feature_column.embedding import COMBINERS, STORAGE_DTYPES, SUMS
from trainer.feature_column.serialization import from_dict, to_dict
from trainer.layers import placement, sharded
from trainer.layers.given import as_given
from trainer.layers.placement import Shard
from trainer.optimizers import remote
from trainer.optimizers.copies import here
from trainer.segments import firsts, pooled
from trainer.tables.sharded import Part, ShardedValues, all_rows
from trainer.warm_start import Report, Start
from trainer.warm_start.assignment import fill

BLOCK = 65_536
"""Rows that are drawn at a time: the whole of a large table drawn at once takes three times its memory."""
DRAWN = (keras.initializers.RandomNormal, keras.initializers.RandomUniform, keras.initializers.TruncatedNormal)
"""Initializers whose numbers do not depend on how many rows there are."""


@keras.saving.register_keras_serializable("trainer")
class EmbeddingTable(keras.layers.Layer):
    """Rows of a table for ids, combined where an example has several; an example without ids gets zeros.

    A missing id, -1, reads no row, and its gradient reaches none. Only the rows that a batch uses are read, and with
    an optimizer of `trainer.optimizers` only they are written.

    Args:
        rows: The number of ids.
        dimension: The floats of a row.
        combiner: "mean", "sum", "sqrtn", "max", the largest of each number, or "first", the row of the first id that
            has one.
        initializer: A Keras initializer, its name or a function of shape and dtype; None is
            `truncated_normal(0, 1 / sqrt(dimension))`.
        max_norm: A looked-up row longer than this is scaled down to it; the table keeps it as it is.
        unit_norm: Whether looked-up rows are scaled to length 1; the table keeps them as they are.
        warm_start: A function that returns what the table starts from, a `warm_start.Start`; called once, when the
            layer is built, and not kept when the layer is saved.
        storage_dtype: "float32", or "bfloat16" for half the memory: rows are cast when they are read, and optimizers of
            `trainer.optimizers` update them in float32 and round at random, so that small steps are not lost.

    A table may have an optimizer of its own: `optimizers.Parts(rest, {"the layer's name": its_own})`.

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
        warm_start: Callable[[], Start] | None = None,
        storage_dtype: str = "float32",
        unit_norm: bool = False,
        **arguments: Any,
    ) -> None:
        super().__init__(autocast=False, **arguments)
        as_given(self)
        if combiner not in COMBINERS:
            raise Refusal(f"EmbeddingTable: combiner must be one of {', '.join(COMBINERS)}, not {combiner!r}.")
        if storage_dtype not in STORAGE_DTYPES:
            wanted = " or ".join(STORAGE_DTYPES)
            raise Refusal(f"EmbeddingTable: storage_dtype must be {wanted}, not {storage_dtype!r}.")
        self.rows, self.dimension, self.combiner, self.storage_dtype = rows, dimension, combiner, storage_dtype
        self.initializer, self.max_norm, self.warm_start = initializer, max_norm, warm_start
        self.unit_norm = unit_norm
        self.warm_started: Report | None = None
        self.sharded: ShardedValues | None = None

    def build(self, ids_shape: Any = None) -> None:
        """Makes the table, and warm-starts it: the one time that its source is read."""
        del ids_shape
        start = None if self.warm_start is None else self.warm_start()
        if placement.current() is None:
            self._build_here(start)
        else:
            self._build_on_servers(start)
        self.warm_started = None if start is None else start.report
        self.built = True

    def _build_here(self, start: Start | None) -> None:
        in_place = _exists_at_once()
        by_block = start is None and in_place and self.rows > BLOCK and self._draws_alike
        first = "zeros" if by_block else self._drawn if start is None else self._given(start, in_place)
        self.table = self._variable(Shard(0, self.rows), first)
        if start is not None and in_place:
            fill(start, self.table, self.drawn)
        elif by_block:
            for place in range(0, self.rows, BLOCK):
                ids = np.arange(place, min(place + BLOCK, self.rows))
                self.table.value.scatter_update(tf.IndexedSlices(self.drawn(ids), ids))

    def _build_on_servers(self, start: Start | None) -> None:
        shards = placement.shards_of(self.rows)
        variables = [self._variable(shard, "zeros") for shard in shards]
        parts = [Part(shard.first, made.value) for shard, made in zip(shards, variables, strict=True)]
        if start is not None:
            sharded.take(parts, start, self.drawn)
        elif self.rows > BLOCK and self._draws_alike:
            sharded.fill(parts, self.drawn, BLOCK)
        else:  # as a table that lies here is drawn
            sharded.fill(parts, lambda ids: self._drawn((len(ids), self.dimension)), self.rows)
        self.sharded = ShardedValues(parts)
        self.table = variables[0] if len(variables) == 1 else None

    def _variable(self, shard: Shard, initializer: Any) -> Any:
        # Read through the autocast value, a table would be cast whole at every step. All parts have one name: what is
        # told of a table's variable by its path is told of each.
        with remote.on(shard.device):
            made = self.add_weight(
                name="table",
                shape=(shard.rows, self.dimension),
                initializer=initializer,
                dtype=self._stored,
                autocast=False,
            )
        made.is_table = True  # optimizers keep one accumulator a row where they can
        if shard.rows < self.rows:
            remote.mark(made, self.rows, shard.first)
        return made

    def _given(self, start: Start, in_place: bool) -> Callable[..., Any]:
        """Returns the initializer of a table that starts from another; `fill` does the rest of it in place."""
        if in_place:
            return lambda shape, dtype=None: tf.cast(start.released(), dtype)
        with tf.init_scope():
            values = start.complete(self.drawn, self._stored)
        return lambda shape, dtype=None: values

    @property
    def _stored(self) -> Any:
        return "bfloat16" if self.storage_dtype == "bfloat16" else self.variable_dtype

    def _drawn(self, shape: Any, dtype: Any = None) -> Any:
        del dtype  # bfloat16 has too few different numbers to draw from
        return tf.cast(self._initializer()(shape, dtype=self.variable_dtype), self._stored)

    def _initializer(self) -> Any:
        if self.initializer is None:
            return keras.initializers.TruncatedNormal(stddev=1 / math.sqrt(self.dimension))
        return keras.initializers.get(self.initializer) if isinstance(self.initializer, str) else self.initializer

    @property
    def _draws_alike(self) -> bool:
        """Tells whether rows are drawn alike, however many there are at a time."""
        kinds = (*DRAWN, keras.initializers.Zeros, keras.initializers.Ones, keras.initializers.Constant)
        return isinstance(self._initializer(), kinds)

    def drawn(self, ids: np.ndarray[Any, Any]) -> Any:
        """Returns what the initializer draws for some rows, `(n, dimension)`, in the dtype of the table."""
        initializer = self._initializer()
        if not self._draws_alike:
            return tf.gather(self._drawn((self.rows, self.dimension)), ids)
        if isinstance(initializer, DRAWN) and isinstance(initializer.seed, int):
            # With one seed every block would hold the same numbers.
            config = {**initializer.get_config(), "seed": (initializer.seed + int(ids[0])) % 2**31}
            initializer = type(initializer).from_config(config)
        return tf.cast(initializer((len(ids), self.dimension)), self._stored)

    def call(self, ids: Any, weights: Any = None) -> Any:
        """Returns the combined rows.

        Args:
            ids: `(batch,)`, `(batch, k)`, or ragged or sparse `(batch, None)`: whole numbers in `[0, rows)`, or -1
                where there is none.
            weights: One number for each id; None weighs all alike. The mean divides by the sum of the weights, "sqrtn"
                by the root of the sum of their squares, and both leave out weights of 0 or less; a sum takes all; "max"
                and "first" take none.

        Returns:
            `(batch, dimension)`, in the layer's compute dtype.
        """
        ids = values_of({"ids": ids}, "ids")  # (batch, k)
        if not ids.dtype.is_integer:
            raise Refusal(f"EmbeddingTable: ids should be whole numbers, not {ids.dtype.name}; cast them.")
        if weights is not None:
            if self.combiner not in SUMS:
                raise Refusal(
                    f"EmbeddingTable: combiner '{self.combiner}' takes rows as they are, without weights; give "
                    f"combiner={' or '.join(map(repr, SUMS))}."
                )
            weights = aligned(values_of({"weights": weights}, "weights"), ids, "EmbeddingTable")
        if ids.shape[1] != 1 or weights is not None or isinstance(ids, tf.RaggedTensor):
            return tf.cast(self._combined(ids, weights), self.compute_dtype)  # (batch, dimension)
        return tf.cast(self._single(tf.squeeze(ids, 1)), self.compute_dtype)  # (batch, dimension)

    def _single(self, ids: Any) -> Any:
        """Returns the row of each example, `(batch, dimension)`, given its id, `(batch,)`."""
        present, most = ids >= 0, tf.reduce_max(ids)
        # An example without an id reads a row that another one reads, times 0, so the batch touches no further row. It
        # costs less than to pick out the others, and than a tf.cond, whose gradient is another. None is read for none.
        count = tf.where(most >= 0, tf.size(ids), 0)
        rows = self.looked_up(tf.where(present, ids, most)[:count])
        rows = tf.pad(rows, [[0, tf.size(ids) - count], [0, 0]])  # (batch, dimension)
        return rows * tf.cast(present, rows.dtype)[:, tf.newaxis]

    def looked_up(self, keys: Any = None) -> Any:
        """Returns rows of the table as they are looked up, none longer than `max_norm`, `(n, dimension)`.

        Args:
            keys: Which, `(n,)`, each in `[0, rows)`; None is all of them, read whole, of a table that is not in parts.
        """
        if self.sharded is not None:
            rows = sharded.lookup(self.sharded.parts, keys, self.variable_dtype)
        else:
            table = here(self.table.value)
            rows = tf.cast(table if keys is None else tf.gather(table, keys), self.variable_dtype)
        rows = rows if self.max_norm is None else tf.clip_by_norm(rows, self.max_norm, axes=1)
        return tf.math.l2_normalize(rows, axis=1) if self.unit_norm else rows

    def _combined(self, ids: Any, weights: Any) -> Any:
        """Returns the rows of each example as the combiner makes one of them, `(batch, dimension)`."""
        keys, examples, weights = self._present(ids, weights)  # each (n,)
        batch = ids.nrows() if isinstance(ids, tf.RaggedTensor) else tf.shape(ids, out_type=tf.int64)[0]
        if self.combiner == "first":  # and no other row is read
            places = firsts(examples, batch)
            keys, examples = tf.gather(keys, places), tf.gather(examples, places)
        return pooled(self.combiner, self.looked_up(keys), examples, batch, weights)  # (batch, dimension)

    def _present(self, ids: Any, weights: Any) -> tuple[Any, Any, Any]:
        """Returns the ids that read a row, the example of each, and its weight."""
        ragged = isinstance(ids, tf.RaggedTensor)
        flat_ids = ids.flat_values if ragged else ids
        keep = flat_ids >= 0
        if weights is not None:
            weights = tf.cast(weights.flat_values if ragged else weights, self.variable_dtype)
            keep = keep if self.combiner == "sum" else keep & (weights > 0)
        places = tf.where(keep)  # (n, 1) of ragged ids, else (n, 2): example, place
        examples = tf.gather(ids.value_rowids(), places[:, 0]) if ragged else places[:, 0]
        kept = None if weights is None else tf.gather_nd(weights, places)
        return tf.gather_nd(flat_ids, places), examples, kept

    @property
    def values(self) -> Any:
        """The table as it is now, float32 `(rows, dimension)`; of one in parts, what fetches its rows when asked."""
        if self.table is None:
            return self.sharded
        return np.asarray(self.table.numpy(), np.float32)

    @property
    def is_finite(self) -> bool:
        """Whether all numbers in the table are finite."""
        parts = [Part(0, self.table.value)] if self.sharded is None else self.sharded.parts
        return all_rows(parts, tf.math.is_finite)

    def compute_output_spec(self, ids: Any, weights: Any = None) -> Any:
        """Returns the shape and dtype of the combined rows."""
        del weights
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
            "storage_dtype": self.storage_dtype,
            "unit_norm": self.unit_norm,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "EmbeddingTable":
        """Makes the layer from its configuration."""
        return cls(**{**config, "initializer": from_dict(config["initializer"])})


def _exists_at_once() -> bool:
    """Tells whether a variable that is made here exists at once, and once, so that its rows can be set in place."""
    return tf.executing_eagerly() and not tf.distribute.has_strategy()
