"""How fast a run answers to files, and in how much memory: `python -m tests.benchmarks.predict`.

The flights problem is trained once; its test rows, drawn with replacement, are written as CSV and answered by
`python -m trainer predict` into Parquet, each time in a process of its own.

    rate    rows a second from the first row read to the file in its place, over the examples a second of the training
    memory  most memory of a process on four times as many rows, over that on the rows
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from tests.benchmarks.pairs import machine, write
from tests.benchmarks.processes import measured
from tests.benchmarks.ratios import report
from trainer import models
from trainer import problem as problems
from trainer.encoding.coded import decoded
from trainer.inputs.examples import Source

ROOT = Path(__file__).parents[2]
DATA = str(ROOT / "data")
TIMES = 4
BARS = {"rate": 0.5, "memory": 1.1}
_PART = 250_000


def trained(folder: Path, *words: str) -> dict[str, Any]:
    """Trains the flights problem and returns the metrics of its run."""
    command = [sys.executable, "-m", "trainer.task", "--job-dir", str(folder / "run"), "--data-dir", DATA, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, Any] = json.loads((folder / "run" / "metrics.json").read_text(encoding="utf-8"))
    return found


def rows_of_flights() -> pa.Table:
    """Returns the test rows of flights."""
    problem = problems.load("flights")
    source = Source(problem, models.inputs_of(models.assembled(problem)), DATA)
    source.prepare()
    parts = [{key: decoded(values).numpy() for key, values in raw.items()} for raw, *_ in source.batches("test")]
    table = pa.table({key: pa.array(np.concatenate([part[key] for part in parts])) for key in parts[0]})
    return table.cast(
        pa.schema([(f.name, pa.string() if pa.types.is_binary(f.type) else f.type) for f in table.schema])
    )


def csv_file(table: pa.Table, path: Path, rows: int) -> str:
    """Writes rows of a table, drawn with replacement, and returns the path of the file."""
    with path.open("wb") as file:
        for start in range(0, rows, _PART):
            draw = np.random.default_rng(start).integers(table.num_rows, size=min(_PART, rows - start))
            how = pa_csv.WriteOptions(include_header=not start, quoting_style="none")
            pa_csv.write_csv(table.take(pa.array(draw)), file, how)
    return str(path)


def predicted(folder: Path, file: str, rows: int) -> tuple[float, int]:
    """Answers a file in a process of its own; returns the rows a second that it says, and its most memory in bytes."""
    out = folder / "out.parquet"
    words = ["predict", str(folder / "run"), "--files", file, "--out", str(out), "--overwrite"]
    _, told, memory = measured("-m", "trainer", *words)
    if pq.read_metadata(out).num_rows != rows:
        raise RuntimeError(told)
    found = re.search(r"([\d,]+) rows/s", told)
    rate = float(found[1].replace(",", "")) if found else float("nan")
    return rate, memory


def main() -> None:
    """Measures, prints, and writes JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and short: shows that it runs, measures nothing")
    parser.add_argument("--json", metavar="FILE", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1_000_000)
    flags = parser.parse_args()
    if flags.quick:
        flags.rounds, flags.rows = 1, 5000
    print(", ".join(f"{name} {value}" for name, value in machine().items()), flush=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        metrics = trained(folder, *(("--train-steps", "20") if flags.quick else ()))
        training = float(metrics["examples_per_second"])
        table = rows_of_flights()
        few, many = (csv_file(table, folder / f"{times}.csv", times * flags.rows) for times in (1, TIMES))
        turns = [predicted(folder, few, flags.rows) for _ in range(flags.rounds)]
        rates, peaks = zip(*turns, strict=True)
        peak, much = int(np.median(peaks)), predicted(folder, many, TIMES * flags.rows)[1]
    sizes = {"rows": flags.rows, "peak": peak}
    rate = {"rows": flags.rows, "rows a second": round(np.median(rates)), "training": round(training)}
    found = [
        report("rate", {**rate, "ratios": [each / training for each in rates]}, BARS["rate"], False),
        report(
            "memory", {**sizes, f"peak of {TIMES} times as many": much, "ratios": [much / peak]}, BARS["memory"], True
        ),
    ]
    write(flags.json, {"machine": machine(), "rows": found})


if __name__ == "__main__":
    main()
