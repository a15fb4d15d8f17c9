"""Seconds: of the computing of a step, of what travels in it, and of a checkpoint. All are added up, none overlaps."""

from itertools import pairwise

from trainer.scale.constants import Constants, Seconds
from trainer.scale.work import Table, Work


def dense(work: Work, examples: float, seconds: Seconds) -> float:
    """Returns the seconds of the dense part: 6 flops a weight and example, two forward and four back.

    `step + examples · (example + 6 · weights · flop)`
    """
    weights = sum(before * after for before, after in pairwise(work.widths))
    return seconds.step + examples * (seconds.example + 6 * weights * seconds.flop)


def looked_up(table: Table, ids: float, seconds: Seconds) -> float:
    """Returns the seconds of ids of a table: rows read, and gradients of the same row added up.

    `ids · (id + dimension · id_number)`
    """
    return ids * (seconds.id + table.dimension * seconds.id_number)


def updated(table: Table, rows: float, seconds: Seconds) -> float:
    """Returns the seconds of the update of some rows of a table, each once.

    `rows · (row + dimension · row_number)`, both by the optimizer
    """
    return rows * (seconds.row[table.optimizer] + table.dimension * seconds.row_number[table.optimizer])


def packed(tables: int, numbers: float, seconds: Seconds) -> float:
    """Returns the seconds of packing what the others get and unpacking what comes, beside its travelling.

    `exchange + tables · pack + numbers · pack_number`

    Args:
        tables: How many.
        numbers: Of all workers' rows, ids among them, and of tables that travel whole.
        seconds: Of the parts of a step.
    """
    return seconds.exchange + tables * seconds.pack + numbers * seconds.pack_number


def collective(sent: float, hops: int, constants: Constants, network: float) -> float:
    """Returns the seconds in which workers exchange something.

    `hops · hop + sent / min(network, collective_rate)`

    Args:
        sent: Bytes that a worker sends.
        hops: Messages from one worker to the next, each after the one before: `2 · (workers - 1)` of a sum, and as many
            of a gather.
        constants: What was measured.
        network: Bytes a second.
    """
    return hops * constants.hop + sent / min(network, constants.collective_rate)


def checkpoint(size: float, writers: int, rate: float) -> float:
    """Returns the seconds of a checkpoint of which each writer writes its share: `bytes / writers / rate`.

    Example:
        >>> checkpoint(132e9, 3, 1e9)
        44.0
    """
    return size / writers / rate
