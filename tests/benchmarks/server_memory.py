"""Memory of parameter servers that hold a large table between them: `python -m tests.benchmarks.server_memory`.

A chief, two workers and two servers train a table of 20,000,000 rows of 32 with Adagrad, whose slot is as large as the
table, and leave a whole run. A server's memory is the peak of its process (`VmHWM`) less what was resident before the
chief connected; the share is that of the table with its slot. `--quick` takes a tenth of the rows.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.clusters import Processes, cluster

COUNTS = {"chief": 1, "worker": 2, "ps": 2}
BAR = 0.6
"""The largest share of the table and its slot that the memory of a server may be."""

_SLOTS = {"Adagrad": 1, "LazyAdam": 2, "SGD": 0}


def measured(rows: int, dimension: int = 32, optimizer: str = "Adagrad") -> dict[str, Any]:
    """Trains a table on two servers and returns their memory in bytes, and its share of the table and its slots.

    Args:
        rows: Of the table.
        dimension: Of the table.
        optimizer: One with slots of the table's shape.
    """
    flags = [
        "--problem",
        str(Path(__file__).with_name("many_rows.py")),
        "--rows",
        str(rows),
        "--width",
        str(dimension),
    ]
    with tempfile.TemporaryDirectory() as folder:
        flags += ["--optimizer", optimizer, "--job-dir", f"{folder}/run"]
        with cluster(COUNTS, flags, Path(folder), absent=[("chief", 0)]) as found:
            return _watched(found, Path(folder) / "run", 4 * rows * dimension * (1 + _SLOTS[optimizer]))


def _watched(found: Processes, run: Path, size: int) -> dict[str, Any]:
    servers = range(COUNTS["ps"])
    for index in servers:
        found.wait_for("serves", "ps", index)
    before = [_memory(found.id_of("ps", index), "VmRSS") for index in servers]
    found.start("chief")
    start, trained = time.perf_counter(), 0.0
    of_training = whole = before
    while found.is_running("chief"):
        whole = [_memory(found.id_of("ps", index), "VmHWM") or most for index, most in zip(servers, whole, strict=True)]
        if not trained:
            of_training = whole
            trained = time.perf_counter() - start if (run / "metrics.json").exists() else 0.0
        time.sleep(0.2)
    if found.wait() != 0:
        raise SystemExit(found.outputs)
    return {
        "bytes": size,
        "training": [most - own for most, own in zip(of_training, before, strict=True)],
        "whole run": [most - own for most, own in zip(whole, before, strict=True)],
        "share": max(most - own for most, own in zip(whole, before, strict=True)) / size,
        "seconds to metrics": trained,
        "seconds": time.perf_counter() - start,
    }


def _memory(process: int, name: str) -> int:
    """Returns a line of a process's status in bytes, 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="2,000,000 rows")
    parser.add_argument("--optimizer", default="Adagrad", choices=list(_SLOTS))
    parser.add_argument("--json", metavar="FILE", type=Path)
    given = parser.parse_args()
    rows = 2_000_000 if given.quick else 20_000_000
    found = measured(rows, optimizer=given.optimizer)
    print(f"{rows:,} × 32 with {given.optimizer}: table and slots {found['bytes'] / 1e6:,.0f} MB")
    for what in ("training", "whole run"):
        each = ", ".join(f"{most / 1e6:,.0f} MB ({most / found['bytes']:.3f})" for most in found[what])
        print(f"  each server, {what:<10} {each}; bar {BAR}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(f"  {found['seconds to metrics']:.0f} s to the metrics, {found['seconds']:.0f} s in all")


if __name__ == "__main__":
    main()
