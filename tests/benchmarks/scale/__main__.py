"""What training on several processes takes, and what the plan says of it: `python -m tests.benchmarks.scale`.

Jobs run as several processes on this machine and as one, and train in turns; the medians of the rounds are told. The
bytes are those that the machine sends itself, in a network of its own where Linux lets a program have one; where not,
nothing else should talk on the loopback device meanwhile. Constants of the plan are measured before, of other models
and sizes, each part alone; `--write-constants` keeps them for `python -m trainer plan`, `--constants-only` measures
nothing else, and `--known` takes those that are there. `--only` runs the jobs with a text in their name.
"""

import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks import server_memory
from tests.benchmarks.pairs import opened, parser, write
from tests.benchmarks.scale import constants, jobs, network, timed_tables
from tests.benchmarks.scale.jobs import Round
from tests.benchmarks.scale.settings import SIDES, Setting, settings
from tests.clusters import ROOT
from trainer import datasets, scale
from trainer.scale import Constants, Machine, Table, Work
from trainer.scale.constants import FILE, text

BYTES_BAR, MEMORY_BAR, NEAR = 1.3, server_memory.BAR, 0.3
"""How many times its rows a step may send; the share of a table that a server may hold; how far the plan may be off."""
SERVERS = "memory of one of 2 servers over a table with its slots"


def measured(setting: Setting, rounds: int, is_quick: bool) -> tuple[dict[str, list[Round]], int]:
    """Returns the rounds of a job, by side, and the bytes of a checkpoint of the first."""
    if setting.name == "flights":  # once, before several jobs want to
        datasets.prepare(datasets.builder("nyc_flights", str(ROOT / "data")), download=False)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        sides = {
            side: running.enter_context(jobs.started(SIDES[side], setting.flags, Path(folder) / str(place), is_quick))
            for place, side in enumerate(setting.sides)
        }
        return jobs.in_turns(sides, rounds, 0.2 if is_quick else 2.0), sides[setting.sides[0]].stop()


def rows_of(setting: Setting, rounds: dict[str, list[Round]], known: Constants) -> list[dict[str, Any]]:
    """Returns what is told of a job: step times and bytes beside the plan's, and ratios beside the bars."""
    found = []
    for side in setting.sides:
        way = setting.planned(side, known)
        step = 1000 * statistics.median(each.seconds / each.steps for each in rounds[side])
        found.append(_row(f"{setting.name}, {side}: ms a step", step, 1000 * way.step_seconds))
        if side != "one process":
            sent = statistics.median(each.bytes / each.steps for each in rounds[side]) / 1e6
            found.append(_row(f"{setting.name}, {side}: MB a step on the network", sent, way.network_bytes / 1e6))
    if {"one process", "2 in step"} <= set(rounds):
        pairs = zip(rounds["one process"], rounds["2 in step"], strict=True)
        ratios = [(one.seconds / one.steps) / (two.seconds / two.steps) for one, two in pairs]
        planned = [setting.planned(side, known).step_seconds for side in ("one process", "2 in step")]
        name = f"{setting.name}, 2 in step over one process: examples a second"
        found.append(_row(name, statistics.median(ratios), planned[0] / planned[1], setting.bar, min(ratios)))
    if setting.name.startswith("a table") and "2 in step" in rounds:
        found.append(_of_bytes(setting, rounds["2 in step"]))
    return found


def _of_bytes(setting: Setting, rounds: Sequence[Round]) -> dict[str, Any]:
    """Returns the bytes that a step sends beyond what is dense, over those of the rows of its batch."""
    (table,), batch = setting.work.tables, setting.work.batch
    ids = timed_tables.drawn(1, table.rows, 64 * batch)[0]["id0"]
    batches = np.split(np.random.default_rng(1).permutation(ids), 64)
    used = statistics.fmean(len(np.unique(each)) for each in batches)
    dense = 2 * scale.sizes.summed_bytes(setting.work.parameters, 2)
    sent = [each.bytes / each.steps - dense for each in rounds]
    ratios = [each / (used * (8 + 4 * table.dimension)) for each in sent]
    name = f"{setting.name}, 2 in step: bytes without the dense part over rows · (8 + 4 · dimension)"
    return _row(name, statistics.median(ratios), None, -BYTES_BAR, max(ratios))


def of_servers(rows: int, known: Constants) -> dict[str, Any]:
    """Returns the memory of the larger of two servers over the table of some rows that they hold, and its slot."""
    work = Work((Table(rows, 32),), (16,), 1024)
    way = scale.parameter_servers(work, 2, Machine(), known, 2)
    share = (way.memory_bytes - known.process_bytes) / work.tables[0].bytes
    return _row(f"{SERVERS}, {rows:,} × 32", server_memory.measured(rows)["share"], share, -MEMORY_BAR)


def _row(
    name: str, value: float, planned: float | None, bar: float | None = None, worst: float | None = None
) -> dict[str, Any]:
    """Returns a row; a negative bar is the most that is wanted."""
    made = {"row": name, "measured": value, "planned": planned, "bar": bar, "worst": worst}
    made["near"] = None if planned is None else abs(planned / value - 1) <= NEAR
    made["met"] = None if bar is None else value >= bar if bar > 0 else value <= -bar
    return made


def line(row: dict[str, Any]) -> str:
    """Returns a row as a line of the README's table."""
    bar, planned = row["bar"], row["planned"]
    wanted = (
        "" if bar is None else f"at {'least' if bar > 0 else 'most'} {abs(bar):g}: {'met' if row['met'] else 'missed'}"
    )
    beside = "" if planned is None else f"{planned:.3g} ({planned / row['measured']:.2f})"
    return f"| {row['row']} | {row['measured']:.3g} | {beside} | {wanted} |"


def main() -> None:
    """Measures, prints a table, and writes it as JSON, and the constants, where asked to."""
    made = parser(__doc__)
    made.add_argument("--write-constants", action="store_true", help="keep the constants for python -m trainer plan")
    made.add_argument("--constants-only", action="store_true", help="measure no jobs")
    made.add_argument(
        "--known", action="store_true", help="take the constants that are there instead of measuring them"
    )
    flags = made.parse_args()
    is_alone = not flags.constants_only and network.alone()
    about = {**opened(flags, ()), "alone_on_the_network": is_alone}
    known, parts = (scale.load(), {}) if flags.known else constants.measured(flags.quick)
    if flags.write_constants:
        FILE.write_text(text(known), encoding="utf-8")
    print(text(known))
    found: list[dict[str, Any]] = []
    print("| | measured | planned (over measured) | wanted |\n|---|---|---|---|", flush=True)
    for setting in [] if flags.constants_only else settings(flags.quick):
        if flags.only.lower() in setting.name.lower():
            rounds, checkpoint = measured(setting, flags.rounds, flags.quick)
            planned = setting.planned("one process", known).checkpoint_bytes / 1e6
            rows = rows_of(setting, rounds, known)
            rows.append(_row(f"{setting.name}: MB of a checkpoint", checkpoint / 1e6, planned))
            print("\n".join(map(line, rows)), flush=True)
            found += rows
    if flags.only.lower() in SERVERS.lower() and not flags.constants_only:
        found.append(of_servers(200 if flags.quick else 20_000_000, known))
        print(line(found[-1]), flush=True)
    write(flags.json, {"machine": about, "rows": found, "constants": parts})


if __name__ == "__main__":
    main()
