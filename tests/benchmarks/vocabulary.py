"""How fast vocabularies are counted: `python -m tests.benchmarks.vocabulary`.

The files are those of `tests.benchmarks.inputs`, their 26 columns of strings alone. The peer is pandas: it reads the
same file, CSV by its C parser and Parquet by pyarrow, and calls `value_counts` of each column. Both sides are processes
of their own and take turns; what is timed is their work, once their libraries are loaded, from the first byte that is
read to the last count, and on our side to the last vocabulary that is written. "whole" is the time of a process of
ours, libraries and all.

    parquet    rows a second of `python -m trainer vocabulary` over those of pandas, from Parquet
    csv        the same from CSV
    suggest    seconds of a whole process of `python -m trainer suggest` on the 40 columns of those files
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from tests.benchmarks.encoding import STRINGS
from tests.benchmarks.inputs import csv_file, tables
from tests.benchmarks.pairs import machine, write
from tests.benchmarks.processes import measured
from tests.benchmarks.ratios import report

ROOT = Path(__file__).parents[2]
BARS = {"parquet": 2.0, "csv": 2.0, "suggest": 20.0}
MOST_MEMORY = 1.5e9
PANDAS = """
import sys
import time
import pandas
import pyarrow
read = pandas.read_parquet if sys.argv[1].endswith(".parquet") else lambda path: pandas.read_csv(path, dtype=str)
start = time.perf_counter()
rows = read(sys.argv[1])
counts = [rows[name].value_counts() for name in rows.columns]
print(time.perf_counter() - start)
"""
OURS = """
import sys
import time
from trainer.terminal import load_tensorflow
load_tensorflow()
from trainer.analysis import writing
from trainer.commands import vocabulary
from trainer.inputs import readers
start = time.perf_counter()
vocabulary.main(sys.argv[1:])
print(time.perf_counter() - start)
"""


def strings_file(path: Path, rows: int) -> str:
    """Writes the columns of strings as CSV or Parquet, by the end of the name, and returns the path."""
    parts = (table.select(STRINGS) for table in tables(rows))
    if path.suffix == ".parquet":
        writer: Any = None
        for part in parts:
            writer = writer or pq.ParquetWriter(path, part.schema)
            writer.write_table(part)
        writer.close()
    else:
        with path.open("wb") as file:
            for place, part in enumerate(parts):
                pa_csv.write_csv(part, file, pa_csv.WriteOptions(include_header=not place, quoting_style="none"))
    return str(path)


def counted_row(suffix: str) -> Callable[[argparse.Namespace, Path], dict[str, Any]]:
    """Returns what compares both sides on files with an ending."""

    def row(flags: argparse.Namespace, folder: Path) -> dict[str, Any]:
        path = strings_file(folder / f"rows{suffix}", flags.rows)
        ours = ["-c", OURS, "--train-files", path, "--out", str(folder / "vocabulary"), "--overwrite"]
        turns = [(measured(*ours), measured("-c", PANDAS, path)) for _ in range(flags.rounds)]
        mine, theirs = ([float(turn[side][1].splitlines()[-1]) for turn in turns] for side in (0, 1))
        return {
            "rows": flags.rows,
            "rows a second": round(flags.rows / float(np.median(mine))),
            "pandas": round(flags.rows / float(np.median(theirs))),
            "whole": float(np.median([turn[0][0] for turn in turns])),
            "memory": max(turn[0][2] for turn in turns),
            "memory of pandas": max(turn[1][2] for turn in turns),
            "ratios": [their / my for my, their in zip(mine, theirs, strict=True)],
        }

    return row


def suggest_row(flags: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The seconds of a suggestion."""
    path = csv_file(folder / "rows.csv", flags.suggest_rows)
    turns = [measured("-m", "trainer", "suggest", path, "--label", "label") for _ in range(flags.rounds)]
    return {
        "rows": flags.suggest_rows,
        "memory": max(memory for *_, memory in turns),
        "ratios": [seconds for seconds, *_ in turns],
    }


ROWS: dict[str, Callable[[argparse.Namespace, Path], dict[str, Any]]] = {
    "parquet": counted_row(".parquet"),
    "csv": counted_row(".csv"),
    "suggest": suggest_row,
}


def main() -> None:
    """Measures, prints, and writes JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="ROW", default="", help="only the rows with this in their name")
    parser.add_argument("--quick", action="store_true", help="small and short: shows that it runs, measures nothing")
    parser.add_argument("--json", metavar="FILE", type=Path)
    for name, value in (("rounds", 5), ("rows", 5_000_000), ("suggest-rows", 1_000_000)):
        parser.add_argument(f"--{name}", type=int, default=value)
    flags = parser.parse_args()
    if flags.quick:
        flags.rounds, flags.rows, flags.suggest_rows = 1, 5000, 5000
    print(", ".join(f"{name} {value}" for name, value in machine().items()), flush=True)
    found = []
    for name, row in ROWS.items():
        if flags.only in name:
            with tempfile.TemporaryDirectory() as folder:
                measured_row = row(flags, Path(folder))
                is_time = name == "suggest"
                fits = is_time or measured_row["memory"] <= MOST_MEMORY
                found.append(report(name, measured_row, BARS[name], is_time, fits))
    write(flags.json, {"machine": machine(), "rows": found})


if __name__ == "__main__":
    main()
