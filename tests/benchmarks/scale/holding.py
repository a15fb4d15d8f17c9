"""What a process holds and writes: `python -m tests.benchmarks.scale.holding` prints it.

A small table is trained, which brings everything that a process has; then a large one with its slots, by whose bytes
the memory grows so many times; then both are written as a checkpoint is, which ends on the disk.
"""

import gc
import json
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.scale.computing import Case, side

ROWS, EXAMPLES = 2_000_000, 2**14


def peak() -> int:
    """Returns the most bytes that this process has had."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def trained(rows: int, dimension: int) -> Any:
    """Returns a model of one table that has been trained for some steps."""
    made = side(Case(1, dimension, 1024), rows, EXAMPLES)
    made.prepare()
    made.train(40)
    return made.model


def checkpoint_rate(variables: Mapping[str, Any]) -> float:
    """Returns the bytes a second of variables written as a checkpoint is: the median of three times."""
    from trainer.training import saving

    found = []
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        for _ in range(3):
            made, start = Path(folder) / "checkpoint", time.perf_counter()
            saving.write(str(made), variables, {})
            seconds = time.perf_counter() - start
            found.append(sum(file.stat().st_size for file in made.iterdir()) / seconds)
            shutil.rmtree(made)
    return statistics.median(found)


def main(rows: int) -> None:
    """Prints the constants as JSON."""
    from trainer.terminal import load_tensorflow

    load_tensorflow()
    trained(1000, 4)
    gc.collect()
    before = peak()
    model = trained(rows, 64)
    made = [*model.variables, *model.optimizer.variables]
    variables = {str(place): variable.value for place, variable in enumerate(made)}
    held = sum(4 * variable.shape.num_elements() for variable in variables.values())
    found = {"process_bytes": float(before), "memory_times": (peak() - before) / held}
    print(json.dumps({**found, "checkpoint_rate": checkpoint_rate(variables)}))


if __name__ == "__main__":
    main(200_000 if "--quick" in sys.argv else ROWS)
