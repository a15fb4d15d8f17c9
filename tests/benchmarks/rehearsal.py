"""Whether a rehearsal trains what one process trains: `python -m tests.benchmarks.rehearsal`, problem flights.

Trains it whole with `python -m trainer.task`, then as `python -m trainer submit --backend local` with two workers in
step, and with two workers beside two parameter servers; prints the AUC of the test rows of each.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BAR = 0.003
"""How far the AUC of two workers in step may be from that of one process."""

WAYS = {
    "one process": ["trainer.task"],
    "2 workers in step": ["trainer", "submit", "--backend", "local", "--workers", "2", "--"],
    "2 workers, 2 servers": ["trainer", "submit", "--workers", "2", "--parameter-servers", "2", "--"],
}


def trained(way: str, run: Path, data_dir: str) -> dict[str, Any]:
    """Trains flights in a way and returns the numbers of its run, with the seconds of the whole command."""
    words = [*WAYS[way], "--problem", "flights", "--data-dir", data_dir, "--job-dir", str(run)]
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise SystemExit(f"{way}: exit code {done.returncode}")
    metrics: dict[str, Any] = json.loads((run / "metrics.json").read_text())
    return {**metrics, "command_seconds": time.perf_counter() - start}


def main() -> None:
    """Prints the table, and writes it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", default="data", help="where nyc_flights is prepared")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    data_dir = str(Path(arguments.data_dir).absolute())
    rows: list[dict[str, Any]] = []
    print("way                        auc  from one process  validation auc  steps  seconds")
    with tempfile.TemporaryDirectory() as folder:
        for place, way in enumerate(WAYS):
            found = trained(way, Path(folder, str(place)), data_dir)
            rows.append({"row": way, **found, "difference": found["auc"] - rows[0]["auc"] if rows else 0.0})
            numbers = f"{found['auc']:.5f}  {rows[-1]['difference']:>+16.5f}  {found['validation_auc']:>14.5f}"
            print(f"{way:<23}{numbers}  {found['steps']:>5}  {found['command_seconds']:>7.0f}", flush=True)
    print(f"2 workers in step: {abs(rows[1]['difference']):.5f} from one process, wanted at most {BAR}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": rows, "bar": BAR}, indent=2))


if __name__ == "__main__":
    main()
