"""Which way to train is advised, why, and what would change what it takes."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trainer.scale.constants import Constants
from trainer.scale.ways import ONE, SERVED, STEP, Way, in_step, one_machine, parameter_servers
from trainer.scale.work import Machine, Work
from trainer.terminal import quantity

_MUCH = 1.1
"""How many times the examples a second several machines must do to be advised, or a number change to be told."""


@dataclass(frozen=True)
class Plan:
    """What is to be trained, on what, and the ways to do it.

    Args:
        work: What is trained.
        workers: How many machines train.
        machine: Each of them.
        constants: What was measured.
        servers: Parameter servers; None is as many as are needed.
    """

    work: Work
    workers: int
    machine: Machine
    constants: Constants
    servers: int | None = None

    @property
    def ways(self) -> list[Way]:
        """One machine, several in step where there are several, parameter servers."""
        told = self.machine, self.constants
        found = [one_machine(self.work, *told)]
        if self.workers > 1:
            found.append(in_step(self.work, self.workers, *told))
        return [*found, parameter_servers(self.work, self.workers, *told, self.servers)]

    def way(self, name: str) -> Way:
        """Returns one of the ways."""
        return next(way for way in self.ways if way.name == name)

    @property
    def advised(self) -> tuple[Way, str]:
        """The simplest way that fits and is not much slower than others that do, and why, as the end of a sentence."""
        fitting = [way for way in self.ways if way.fits(self.machine)]
        if not fitting:
            served = self.way(SERVED)
            wanted = served.servers_wanted["memory"]
            return served, f"with {wanted:,} of them: {served.servers:,} do not hold it, as no other way does"
        best = max(way.examples_per_second for way in fitting)
        chosen = next(way for way in fitting if way.examples_per_second * _MUCH >= best)
        return chosen, self._reason(chosen, fitting)

    def _reason(self, chosen: Way, fitting: Sequence[Way]) -> str:
        others = [way for way in self.ways if way.name != chosen.name]
        small = [way for way in others if way not in fitting]
        if small and all(way in small for way in others):
            wanted, there = quantity(small[0].memory_bytes), quantity(self.machine.memory)
            return f"because any other way wants {wanted} of memory in one machine, which has {there}"
        speeds = [f"{way.examples_per_second:,.0f} {_told(way)}" for way in others if way in fitting]
        does = f"because it does {chosen.examples_per_second:,.0f} examples a second"
        exact = "; its result is that of one machine" if chosen.name == STEP else ""
        return f"{does}, where {' and '.join(speeds)} would be done{exact}" if speeds else does

    @property
    def changes(self) -> list[tuple[str, Way]]:
        """Flags that would change what the advised way takes, each with what it would take then."""
        way, _ = self.advised
        told = [(flag, plan.way(way.name)) for flag, plan in self._others(way)]
        return [(flag, changed) for flag, changed in told if differences(way, changed)]

    def _others(self, way: Way) -> Iterator[tuple[str, "Plan"]]:
        tables = self.work.tables
        if any(table.optimizer not in ("RowWiseAdagrad", "SGD") for table in tables):
            yield "--optimizer RowWiseAdagrad", self._with_tables(optimizer="RowWiseAdagrad")
        if any(table.storage_dtype == "float32" for table in tables):
            yield "--storage-dtype bfloat16", self._with_tables(storage_dtype="bfloat16")
        work = dataclasses.replace(self.work, batch=4 * self.work.batch)
        yield f"--batch {work.batch}", dataclasses.replace(self, work=work)
        if way.name != ONE:
            network = 10 * self.machine.network
            faster = dataclasses.replace(self.machine, network=network)
            yield f"--network {8 * network / 1e9:g}Gbit", dataclasses.replace(self, machine=faster)
            yield f"--workers {2 * self.workers}", dataclasses.replace(self, workers=2 * self.workers)
        if way.name == SERVED:
            servers = 2 * way.servers
            yield f"--parameter-servers {servers}", dataclasses.replace(self, servers=servers)

    def _with_tables(self, **changed: str) -> "Plan":
        tables = tuple(dataclasses.replace(table, **changed) for table in self.work.tables)  # type: ignore[arg-type]
        return dataclasses.replace(self, work=dataclasses.replace(self.work, tables=tables))


def _told(way: Way) -> str:
    return {ONE: "by one machine", STEP: f"by {way.workers:,} in step", SERVED: "with parameter servers"}[way.name]


def differences(way: Way, changed: Way) -> list[str]:
    """Returns what is different enough to be told, as "memory 34.2 GB instead of 66.9 GB"."""
    memory, network = (way.memory_bytes, changed.memory_bytes), (way.network_bytes, changed.network_bytes)
    told = [f"memory {quantity(memory[1])} instead of {quantity(memory[0])}"] if _differ(*memory) else []
    if changed.servers != way.servers:
        told.append(f"{changed.servers:,} servers instead of {way.servers:,}")
    if _differ(*network):
        told.append(f"{quantity(network[1])} a step on the network instead of {quantity(network[0])}")
    if _differ(way.examples_per_second, changed.examples_per_second):
        told.append(f"{changed.examples_per_second / way.examples_per_second:.2g} times the examples a second")
    return told


def _differ(before: float, after: float) -> bool:
    return max(before, after) > _MUCH * min(before, after)
