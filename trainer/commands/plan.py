"""Reckons what a large table takes on one machine and on several: memory, network, step time, checkpoints.

Nothing is run. Each number is that of a formula in trainer/scale/README.md, with constants that were measured.
"""

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer import commands, flags, scale
from trainer.errors import Refusal
from trainer.flags import flag
from trainer.scale import OPTIMIZERS, Machine, Plan, Table, Way, Work
from trainer.terminal import aligned, byte_count, quantity

PROG = f"{commands.PROG} plan"
DESCRIPTION = f"""{__doc__}
  {PROG} --rows 1e9 --dimension 32 --batch 4096 --workers 32 --optimizer RowWiseAdagrad
  {PROG} --rows 20M --dimension 16 --tables 8 --zipf 1.1 --network 25Gbit"""
_MOST = 3
"""How many of what costs most is told."""


@dataclass(frozen=True)
class Settings:
    """What the plan can be told."""

    rows: str | None = flag(None, "rows of a table, as 1e9, 20M or 5000", "N", group="what is trained")
    dimension: int = flag(32, "numbers of a row", "N", least=1, group="what is trained")
    tables: int = flag(1, "how many such tables there are", "N", least=1, group="what is trained")
    ids: int = flag(1, "ids of a table that an example has", "N", least=1, group="what is trained")
    zipf: float = flag(
        0.0, "exponent of how often ids come; 0, all alike, makes the most different rows", "X", group="what is trained"
    )
    optimizer: str = flag("Adagrad", "what updates the tables", "NAME", choices=OPTIMIZERS, group="what is trained")
    storage_dtype: str = flag(
        "float32", "of the tables", "TYPE", choices=("float32", "bfloat16"), group="what is trained"
    )
    hidden: str = flag("64,32", "widths of the dense layers", "N,N", group="what is trained")
    batch: int = flag(
        4096,
        "examples a step: of all workers together in step, of each beside parameter servers",
        "N",
        least=1,
        group="what is trained",
    )
    workers: int = flag(1, "machines that train", "N", least=1, group="machines")
    parameter_servers: int | None = flag(
        None, "machines that hold tables (default: as many as are needed)", "N", least=1, group="machines"
    )
    memory: str = flag("64GB", "of a machine", "SIZE", group="machines")
    network: str = flag("10Gbit", "what a machine sends a second, as 10Gbit or 1.2GB", "RATE", group="machines")
    disk: str | None = flag(None, "checkpoint bytes a second (default: as measured)", "RATE", group="machines")
    cores: int = flag(2, "of a machine; more than were measured count as those", "N", least=1, group="machines")
    checkpoint_seconds: float = flag(600.0, "between two checkpoints", "S", least=0, group="machines")
    json: bool = flag(False, "print one JSON object with the same numbers", group="output")


def main(argv: Sequence[str]) -> int:
    """Prints what a job takes and returns the exit code.

    Args:
        argv: Flags.

    Raises:
        Refusal: A flag cannot be used.
    """
    given = Settings(**flags.parse(Settings, argv, PROG, DESCRIPTION))
    plan = planned(given)
    if given.json:
        print(json.dumps(content(plan, given), allow_nan=False))
    else:
        print("\n".join(lines(plan, given)))
    return 0


def planned(given: Settings) -> Plan:
    """Returns the plan that the flags ask for.

    Raises:
        Refusal: A number cannot be read, or there are more workers than examples.
    """
    if given.rows is None:
        raise Refusal(f"{PROG}: --rows is wanted, as in --rows 1e9; see --help.")
    if given.zipf < 0:
        raise Refusal(f"--zipf: a number of at least 0 is wanted, not {given.zipf:g}.")
    if given.batch < given.workers:
        raise Refusal(f"--batch: {given.workers:,} workers want a batch of at least as many, not {given.batch:,}.")
    rows = _whole("--rows", given.rows)
    table = Table(rows, given.dimension, given.ids, given.optimizer, given.storage_dtype, given.zipf)
    hidden = tuple(_whole("--hidden", width) for width in given.hidden.split(",") if width.strip())
    memory, constants = byte_count("--memory", given.memory), scale.load()
    if memory <= constants.process_bytes:
        least = quantity(constants.process_bytes)
        raise Refusal(f"--memory: more than {least} is wanted, which a process takes before it has a table.")
    disk = None if given.disk is None else _rate("--disk", given.disk)
    machine = Machine(memory, _rate("--network", given.network), given.cores, disk)
    work = Work((table,) * given.tables, hidden, given.batch)
    return Plan(work, given.workers, machine, constants, given.parameter_servers)


def lines(plan: Plan, given: Settings) -> list[str]:
    """Returns the plan as a person reads it."""
    table, way, why = plan.work.tables[0], *plan.advised
    several = f"{len(plan.work.tables):,} tables" if len(plan.work.tables) > 1 else "a table"
    dtype = "" if table.storage_dtype == "float32" else f" in {table.storage_dtype}"
    rows = [["", *(_heading(each) for each in plan.ways)]]
    rows += map(list, zip(*(_numbers(each, plan, given) for each in [None, *plan.ways]), strict=True))
    changes = [[flag, ", ".join(scale.differences(way, changed))] for flag, changed in plan.changes]
    return [
        f"{several} of {table.rows:,} × {table.dimension}{dtype}, {table.optimizer}, batch {plan.work.batch:,}",
        f"machines of {quantity(plan.machine.memory)} and {8 * plan.machine.network / 1e9:g} Gbit/s; seconds as "
        f"measured on {plan.constants.machine}, {plan.constants.date}",
        "",
        *aligned(rows, range(1, len(rows[0]))),
        "",
        f"advised: {way.name}, {why}",
        "",
        *aligned([[f"{name} goes to", _shares(parts)] for name, parts in _parts(way).items() if sum(parts.values())]),
        *(["", "what would change it", *aligned(changes)] if changes else []),
    ]


def content(plan: Plan, given: Settings) -> dict[str, Any]:
    """Returns the plan as JSON holds it: bytes, seconds and examples."""
    way, why = plan.advised
    return {
        "settings": dataclasses.asdict(given),
        "measured": {"machine": plan.constants.machine, "date": plan.constants.date},
        "ways": [_told(each, plan) for each in plan.ways],
        "advised": way.name,
        "why": why,
        "changes": {flag: _told(changed, plan) for flag, changed in plan.changes},
    }


def _told(way: Way, plan: Plan) -> dict[str, Any]:
    return {
        **dataclasses.asdict(way),
        "fits": way.fits(plan.machine),
        "memory_bytes": way.memory_bytes,
        "network_bytes": way.network_bytes,
        "step_seconds": way.step_seconds,
        "examples_per_second": way.examples_per_second,
    }


def _heading(way: Way) -> str:
    workers = f"{way.workers:,} worker{'s' * (way.workers > 1)}"
    servers = f"{workers}, {way.servers:,} server{'s' * (way.servers > 1)}"
    return {"in step": f"{workers} in step", "parameter servers": servers}.get(way.name, way.name)


def _numbers(way: Way | None, plan: Plan, given: Settings) -> list[str]:
    """Returns a column of the table; None is that of the names."""
    if way is None:
        return [
            f"fits {quantity(plan.machine.memory)}",
            "memory of a machine",
            "servers for memory, for pace",
            "network a step, in all",
            "network a step, a worker",
            "step",
            "examples a second",
            "checkpoint",
            "checkpoint takes",
            f"of every {given.checkpoint_seconds:g} s",
        ]
    wanted = way.servers_wanted
    return [
        "yes" if way.fits(plan.machine) else "no",
        quantity(way.memory_bytes),
        f"{wanted['memory']:,}, {wanted['pace']:,}" if wanted else "-",
        quantity(way.network_bytes),
        quantity(way.worker_bytes),
        f"{1000 * way.step_seconds:,.1f} ms",
        f"{way.examples_per_second:,.0f}",
        quantity(way.checkpoint_bytes),
        f"{way.checkpoint_seconds:,.1f} s",
        f"{way.checkpoint_seconds / given.checkpoint_seconds:.1%}",
    ]


def _parts(way: Way) -> dict[str, Mapping[str, float]]:
    return {"step time": way.seconds, "memory": way.memory, "network": way.network}


def _shares(parts: Mapping[str, float]) -> str:
    total = sum(parts.values())
    most = sorted(parts, key=lambda name: -parts[name])[:_MOST]
    return ", ".join(f"{name} {parts[name] / total:.0%}" for name in most if parts[name])


def _whole(flag_name: str, text: str) -> int:
    found = re.fullmatch(r"\s*(\d[\d_,]*\.?\d*(?:e\+?\d+)?)\s*([kMG]?)\s*", text, re.ASCII)
    number = float(re.sub("[_,]", "", found[1])) * 1000 ** " kMG".index(found[2] or " ") if found else 0.0
    if not 1 <= number < 1e18 or number != int(number):
        raise Refusal(f"{flag_name}: a whole number of at least 1 is wanted, as 1e9 or 20M, not '{text}'.")
    return int(number)


def _rate(flag_name: str, text: str) -> float:
    word = re.sub(r"(/s|ps)$", "", text.strip(), flags=re.IGNORECASE)
    bits = re.fullmatch(r"(.*?)b(it)?s?", word) or re.fullmatch(r"(.*?)bits?", word, re.IGNORECASE)
    try:
        rate = byte_count(flag_name, bits[1]) / 8 if bits else byte_count(flag_name, word)
    except Refusal:
        rate = 0
    if not rate:
        raise Refusal(f"{flag_name}: a rate such as 10Gbit or 1.2GB is wanted, not '{text}'.")
    return float(rate)
