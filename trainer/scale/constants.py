"""What was measured on one machine, by `python -m tests.benchmarks.scale --write-constants`."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("constants.json")


@dataclass(frozen=True)
class Seconds:
    """What the parts of a step take on some cores, in seconds.

    Args:
        step: A step with nothing in it.
        table: What a table adds, however few ids it has.
        example: An example: its place in the order, its labels, its loss.
        id: An id: its row is read, and its gradient added to those of the same row.
        id_number: A number of such a row.
        flop: A multiplication with its addition counts as two.
        row: By optimizer, a row updated.
        row_number: By optimizer, a number of such a row.
        exchange: What a step of several in step has beside what travels: agreeing on how much it is.
        pack: A table whose rows, or whose gradient, are packed for the others, and theirs unpacked.
        pack_number: A number, or an id, of all that come so.
    """

    step: float
    table: float
    example: float
    id: float
    id_number: float
    flop: float
    row: Mapping[str, float]
    row_number: Mapping[str, float]
    exchange: float
    pack: float
    pack_number: float


@dataclass(frozen=True)
class Constants:
    """What was measured.

    Args:
        machine: Its processor, and how many cores.
        date: Of the measurement.
        tensorflow: The version.
        seconds: Of a step, by the cores that it had, as "1" and "2".
        hop: Seconds of a message from one process to the next in a collective, however short.
        turn: Seconds by which a step of several in step is longer than its parts: they are never quite even.
        collective_rate: Bytes a second that a worker sends in collectives, where the network is no limit.
        call: Seconds of a step that the chief gives to a worker beside parameter servers, with nothing in it.
        dispatch: Seconds of the chief for such a step, in which it can give out no other.
        visit: Seconds of a variable on a server in such a step, which is read and updated.
        served_rate: Bytes a second between a worker and parameter servers, where the network is no limit.
        process_bytes: Memory of a process before there is a table.
        memory_times: How many times the bytes of tables and slots a process takes for them.
        checkpoint_rate: Bytes a second of a checkpoint that one process writes.
    """

    machine: str
    date: str
    tensorflow: str
    seconds: Mapping[str, Seconds]
    hop: float
    turn: float
    collective_rate: float
    call: float
    dispatch: float
    visit: float
    served_rate: float
    process_bytes: float
    memory_times: float
    checkpoint_rate: float

    def on(self, cores: int) -> Seconds:
        """Returns the seconds on some cores; on more than were measured, those on most."""
        return self.seconds[str(max(int(each) for each in self.seconds if int(each) <= max(cores, 1)))]


def load(file: Path = FILE) -> Constants:
    """Returns the constants of a file; those that come with the package where none is named."""
    told = json.loads(file.read_text(encoding="utf-8"))
    return Constants(**{**told, "seconds": {cores: Seconds(**each) for cores, each in told["seconds"].items()}})


def text(constants: Constants) -> str:
    """Returns constants as the JSON that `load` reads, each number with four digits."""
    return json.dumps(_rounded(dataclasses.asdict(constants)), indent=2) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return float(f"{value:.3e}") if isinstance(value, float) else value
