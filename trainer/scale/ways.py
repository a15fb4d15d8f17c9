"""The ways to train something: on one machine, on several in step, beside parameter servers; and which is advised."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

from trainer.scale import sizes, times
from trainer.scale.constants import Constants, Seconds
from trainer.scale.work import Machine, Work

ONE, STEP, SERVED = "one machine", "in step", "parameter servers"


@dataclass(frozen=True)
class Way:
    """One way to train something, and what it takes.

    Args:
        name: "one machine", "in step" or "parameter servers".
        workers: That train.
        servers: That hold the tables; 0 where the workers do.
        examples: Of all workers, in the time of one step.
        memory: Bytes of the machine that holds most, by what takes them.
        network: Bytes of a step of one worker, each counted where it is sent, by what travels.
        seconds: Of a step of one worker, by what takes them.
        checkpoint_bytes: Of a checkpoint.
        checkpoint_seconds: Of a checkpoint, which all servers write together.
        servers_wanted: By "memory" and "pace", the fewest servers that will do.
    """

    name: str
    workers: int
    servers: int
    examples: int
    memory: Mapping[str, float]
    network: Mapping[str, float]
    seconds: Mapping[str, float]
    checkpoint_bytes: float
    checkpoint_seconds: float
    servers_wanted: Mapping[str, int] = dataclasses.field(default_factory=dict)

    @property
    def memory_bytes(self) -> float:
        """Of the machine that holds most."""
        return sum(self.memory.values())

    @property
    def worker_bytes(self) -> float:
        """What a step of one worker puts on the network."""
        return sum(self.network.values())

    @property
    def network_bytes(self) -> float:
        """What all workers together put on the network in the time of a step."""
        return self.workers * self.worker_bytes

    @property
    def step_seconds(self) -> float:
        """Of a step of one worker."""
        return sum(self.seconds.values())

    @property
    def examples_per_second(self) -> float:
        """Of all workers together."""
        return self.examples / self.step_seconds

    def fits(self, machine: Machine) -> bool:
        """Tells whether every machine has the memory."""
        return self.memory_bytes <= machine.memory


def one_machine(work: Work, machine: Machine, constants: Constants) -> Way:
    """Returns what one machine takes that does all."""
    return dataclasses.replace(in_step(work, 1, machine, constants), name=ONE)


def in_step(work: Work, workers: int, machine: Machine, constants: Constants) -> Way:
    """Returns what workers take that each hold all tables, share a batch, and exchange what they found.

    Each worker reads the rows of its share, and updates the rows of all shares.
    """
    share, seconds = math.ceil(work.batch / workers), constants.on(machine.cores)
    network, spent = {"rows": 0.0, "dense sums": 0.0}, {"tables": 0.0, "updates": 0.0}
    whole = packed = 0.0
    for table in work.tables:
        found, of_others = table.different(share), 0.0
        if workers > 1 and table.is_dense(share):
            whole += sizes.whole_numbers(table.rows, table.dimension)
        elif workers > 1:
            of_others = workers * found
            packed += of_others * (1 + table.dimension)
            network["rows"] += sizes.gathered_bytes(found, table.dimension, workers)
        spent["tables"] += seconds.table + times.looked_up(table, share * table.ids + of_others, seconds)
        spent["updates"] += times.updated(table, table.different(share * workers), seconds)
    network["dense sums"] = sizes.summed_bytes(work.parameters + whole, workers)
    if workers > 1:
        spent["packing"] = times.packed(len(work.tables), packed + whole, seconds)
        spent["network"] = _exchanged(work, workers, share, network, machine, constants)
        spent["waiting"] = constants.turn
    spent["dense part"] = times.dense(work, share, seconds)
    return Way(
        name=STEP,
        workers=workers,
        servers=0,
        examples=work.batch,
        memory={**_held(work, constants), "process": constants.process_bytes},
        network=network,
        seconds=spent,
        checkpoint_bytes=work.checkpoint_bytes,
        checkpoint_seconds=times.checkpoint(work.checkpoint_bytes, 1, machine.disk or constants.checkpoint_rate),
    )


def _exchanged(
    work: Work, workers: int, share: float, network: Mapping[str, float], machine: Machine, constants: Constants
) -> float:
    """Returns the seconds of one sum of all that is dense, and of one gather for each dimension of rows."""
    gathers = len({table.dimension for table in work.tables if not table.is_dense(share)})
    hops = (2 + gathers) * (workers - 1)
    return times.collective(sum(network.values()), hops, constants, machine.network)


def parameter_servers(
    work: Work, workers: int, machine: Machine, constants: Constants, servers: int | None = None
) -> Way:
    """Returns what workers take that ask servers for rows and send back gradients, none waiting for another.

    Args:
        work: Its batch is that of one worker.
        workers: That train, beside the chief and the servers.
        machine: Each of them.
        constants: What was measured.
        servers: None is as many as memory and pace want.
    """
    seconds, network, rate = constants.on(machine.cores), served(work), min(machine.network, constants.served_rate)
    alone = _alone(work, seconds, sum(network.values()) / rate)
    # Each worker's step keeps the servers, all together, and the chief so long; what all ask beyond a step is a wait.
    of_servers = alone["updates"] + (network["rows"] + network["dense part"]) / rate
    of_chief = constants.dispatch + work.batch * seconds.example + network["examples"] / rate
    pace = max(sum(alone.values()) + constants.call + visits(work, 1) * constants.visit, workers * of_chief)
    wanted = {
        "memory": math.ceil(sum(_held(work, constants).values()) / max(machine.memory - constants.process_bytes, 1.0)),
        "pace": math.ceil(workers * of_servers / pace),
    }
    many = servers or max(*wanted.values(), 1)
    alone["calls"] = constants.call + visits(work, many) * constants.visit
    busy = {"waiting for servers": of_servers / many, "waiting for the chief": of_chief}
    slowest = max(busy, key=lambda name: busy[name])
    waited = max(0.0, workers * busy[slowest] - sum(alone.values()))
    return Way(
        name=SERVED,
        workers=workers,
        servers=many,
        examples=workers * work.batch,
        memory={**_held(work, constants, many), "process": constants.process_bytes},
        network=network,
        seconds={**alone, **({slowest: waited} if waited else {})},
        checkpoint_bytes=work.checkpoint_bytes,
        checkpoint_seconds=times.checkpoint(work.checkpoint_bytes, many, machine.disk or constants.checkpoint_rate),
        servers_wanted=wanted,
    )


def visits(work: Work, servers: int) -> int:
    """Returns how many variables a worker's step reads and updates: a part of each table on each server, and the dense
    part's weights and biases.

    Example:
        >>> from trainer.scale import Table
        >>> visits(Work((Table(1000, 16),) * 8, (64, 32)), servers=2)
        22
    """
    return len(work.tables) * servers + 2 * (len(work.hidden) + 1)


def served(work: Work) -> dict[str, float]:
    """Returns the bytes of a worker's step: rows, the dense part and its gradient, and examples from the chief."""
    rows = [sizes.served_bytes(table.different(work.batch), table.dimension) for table in work.tables]
    return {
        "rows": sum(rows),
        "dense part": 8.0 * work.parameters,
        "examples": float(work.batch * work.example_bytes),
    }


def _alone(work: Work, seconds: Seconds, network: float) -> dict[str, float]:
    """Returns the seconds of a worker's step if it were the only one, but for calls."""
    looked_up = [times.looked_up(table, work.batch * table.ids, seconds) for table in work.tables]
    return {
        "tables": len(work.tables) * seconds.table + sum(looked_up),
        "updates": sum(times.updated(table, table.different(work.batch), seconds) for table in work.tables),
        "network": network,
        "dense part": times.dense(work, work.batch, seconds),
    }


def _held(work: Work, constants: Constants, machines: int = 1) -> dict[str, float]:
    """Returns the bytes of tables, slots and the dense part, of which each machine holds its share."""
    parts = {
        "tables": sum(table.weight_bytes for table in work.tables),
        "slots": sum(table.slot_bytes for table in work.tables),
        "dense part": work.dense_bytes,
    }
    return {name: constants.memory_times * size / machines for name, size in parts.items()}
