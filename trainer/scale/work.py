"""What is to be trained, and on what: tables, the dense part, and a machine."""

from dataclasses import dataclass
from itertools import pairwise

from trainer.scale import sizes

OPTIMIZERS = ("Adagrad", "Ftrl", "LazyAdam", "RowWiseAdagrad", "SGD")
"""Those whose slots and seconds are known."""


@dataclass(frozen=True)
class Table:
    """A table, how often it is asked, and what updates it.

    Args:
        rows: Of the table.
        dimension: Numbers of a row.
        ids: Of the table that an example has.
        optimizer: One of `OPTIMIZERS`.
        storage_dtype: "float32" or "bfloat16".
        zipf: The exponent of the frequencies of its ids; 0 is all alike, the most different rows that a batch can have.

    Example:
        >>> Table(1_000_000_000, 32, optimizer="RowWiseAdagrad").bytes
        132000000000
    """

    rows: int
    dimension: int
    ids: int = 1
    optimizer: str = "Adagrad"
    storage_dtype: str = "float32"
    zipf: float = 0.0

    @property
    def weight_bytes(self) -> int:
        """The bytes of the table alone."""
        return sizes.weight_bytes(self.rows, self.dimension, self.storage_dtype)

    @property
    def slot_bytes(self) -> int:
        """The bytes of what the optimizer keeps of it."""
        return sizes.slot_bytes(self.rows, self.dimension, self.optimizer)

    @property
    def bytes(self) -> int:
        """The bytes of the table and its slots."""
        return self.weight_bytes + self.slot_bytes

    def different(self, examples: float) -> float:
        """Returns how many of its rows some examples use."""
        return sizes.different(self.rows, examples * self.ids, self.zipf)

    def is_dense(self, examples: float) -> bool:
        """Tells whether workers in step add up its whole gradient: it has fewer rows than their examples have ids."""
        return self.rows < examples * self.ids


@dataclass(frozen=True)
class Work:
    """What is trained.

    Args:
        tables: All of them.
        hidden: The widths of the dense layers above them; one logit follows.
        batch: Examples a step: of all workers together where they are in step, of each beside parameter servers.
        numbers: Dense inputs beside the tables.

    Example:
        >>> Work((Table(1000, 16), Table(1000, 16)), (64, 32), 1024).parameters
        4225
    """

    tables: tuple[Table, ...]
    hidden: tuple[int, ...] = (64, 32)
    batch: int = 1024
    numbers: int = 0

    @property
    def widths(self) -> tuple[int, ...]:
        """Of the dense part: what goes in, each layer, the logit."""
        return (sum(table.dimension for table in self.tables) + self.numbers, *self.hidden, 1)

    @property
    def parameters(self) -> int:
        """Weights and biases of the dense part."""
        return sum((before + 1) * after for before, after in pairwise(self.widths))

    @property
    def dense_bytes(self) -> int:
        """The bytes of the dense part and its slots, which are those of the first table's optimizer."""
        slots = sizes.slot_bytes(self.parameters, 1, self.tables[0].optimizer)
        return 4 * self.parameters + slots

    @property
    def checkpoint_bytes(self) -> int:
        """The bytes of a checkpoint: tables, the dense part, and the slots of both."""
        return sum(table.bytes for table in self.tables) + self.dense_bytes

    @property
    def example_bytes(self) -> int:
        """What travels of an example: 8 bytes an id, 4 a number, and 4 each for label and weight."""
        return sum(8 * table.ids for table in self.tables) + 4 * self.numbers + 8


@dataclass(frozen=True)
class Machine:
    """One of the machines, all alike.

    Args:
        memory: In bytes.
        network: Bytes a second that it can send, and receive at the same time.
        cores: That a worker has for itself.
        disk: Bytes a second of checkpoints; None is what was measured.
    """

    memory: float = 64e9
    network: float = 1.25e9
    cores: int = 2
    disk: float | None = None
