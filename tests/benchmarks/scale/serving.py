"""What a worker and parameter servers take to serve a step: measured as a part of the constants.

A chief, one worker and two servers train models of one table or more, narrow or wide, on one server or on both, in the
job's loop. From their seconds, less what the computing takes by `computing`, come those of a step, of a visit to a
variable on a server, and the bytes a second; the chief's own are those of its processor in the step that takes least.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tests.benchmarks.scale.computing import Case, seconds_by, side
from tests.benchmarks.scale.explaining import explaining
from tests.clusters import ROOT, addresses
from trainer.scale import Table, Work, ways

ROUNDS, STEPS, ROWS, EXAMPLES = 3, 60, 100_000, 2**15
CASES = (
    (Case(1, 4, 64), 1),
    (Case(4, 4, 64), 1),
    (Case(1, 4, 64), 2),
    (Case(4, 4, 64), 2),
    (Case(1, 4, 64, hidden=(16,) * 6), 1),
    (Case(1, 64, 8192), 1),
    (Case(2, 64, 8192), 2),
)
"""Each with how many servers its tables lie on."""


def parts(case: Case, servers: int, rows: int) -> dict[str, float]:
    """Returns how many calls, visits and bytes the step of a case has."""
    work = Work((Table(rows, case.dimension),) * case.tables, case.hidden, case.batch)
    return {"call": 1, "visit": ways.visits(work, servers), "byte": sum(ways.served(work).values())}


def chief(folder: str, steps: int, rows: int) -> None:
    """Trains all cases, and prints the seconds of a step of each."""
    from trainer.cluster import from_environment
    from trainer.layers.placement import Placement, on_servers
    from trainer.training.machines import servers

    found = []
    with servers.joined(from_environment(), folder):
        devices = servers.current().devices  # type: ignore[union-attr]
        for case, count in CASES[: len(CASES) if rows == ROWS else 2]:
            with on_servers(Placement(devices[:count])):
                seconds, of_chief = seconds_of(case, steps, rows)
            found.append({"seconds": seconds, "of_chief": of_chief})
    print(json.dumps(found), flush=True)


def seconds_of(case: Case, steps: int, rows: int) -> tuple[float, float]:
    """Returns the seconds of a step, and those of the chief's processor in it: the medians of rounds."""
    from trainer.layers.placement import dealt_out

    made, found = side(case, rows, EXAMPLES), []
    with dealt_out():
        made.prepare()
    made.train(10)
    for _ in range(ROUNDS):
        busy = time.process_time()
        found.append((made.train(steps), (time.process_time() - busy) / steps))
    seconds, of_chief = (statistics.median(each) for each in zip(*found, strict=True))
    return seconds, of_chief


def child(folder: str, is_quick: bool) -> None:
    """Does what this process is for."""
    from trainer.cluster import from_environment
    from trainer.terminal import load_tensorflow

    load_tensorflow()
    cluster = from_environment()
    if not cluster.serves:
        chief(folder, *((10, 1000) if is_quick else (STEPS, ROWS)))
        return
    from trainer.training.machines import serving

    serving.serve(cluster, folder)


def fitted(found: Sequence[Mapping[str, float]], computing: Mapping[str, Any], rows: int) -> dict[str, float]:
    """Returns the seconds of a call and of a visit, and the bytes a second, that explain the measured ones best."""
    left = [
        max(each["seconds"] - seconds_by(case, computing, rows), 1e-6)
        for (case, _), each in zip(CASES, found, strict=False)
    ]
    seconds = explaining([parts(case, servers, rows) for case, servers in CASES[: len(left)]], left)
    return {
        "call": seconds["call"],
        "dispatch": min(each["of_chief"] for each in found),
        "visit": seconds["visit"],
        "served_rate": 1 / max(seconds["byte"], 1e-12),
    }


def measured(computing: Mapping[str, Any], is_quick: bool) -> dict[str, Any]:
    """Returns the constants of parameter servers, and what they come from.

    Args:
        computing: The seconds of the parts of a step, on all cores.
        is_quick: Whether they may be anything.

    Raises:
        RuntimeError: A process fails.
    """
    cluster, made = addresses({"chief": 1, "worker": 1, "ps": 2}), []
    quick = ["--quick"] if is_quick else []
    with tempfile.TemporaryDirectory() as folder:
        for kind, index in (("ps", 0), ("ps", 1), ("worker", 0), ("chief", 0)):
            config = json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})
            environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CONFIG": config}
            command = [sys.executable, "-m", "tests.benchmarks.scale.serving", "--child", folder, *quick]
            pipes = subprocess.PIPE if kind == "chief" else subprocess.DEVNULL
            made.append(subprocess.Popen(command, env=environment, stdout=pipes, stderr=pipes, text=True))
        try:
            printed, error = made[-1].communicate(timeout=300)
        finally:
            for process in made:
                process.kill()
                process.wait()
    if made[-1].returncode:
        raise RuntimeError(error)
    found = json.loads(printed.splitlines()[-1])
    return {**fitted(found, computing, 1000 if is_quick else ROWS), "found": found}


if __name__ == "__main__":
    child(sys.argv[sys.argv.index("--child") + 1], "--quick" in sys.argv)
