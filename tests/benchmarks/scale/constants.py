"""Measures the constants of a plan on this machine, each part in processes of its own."""

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.pairs import machine
from tests.benchmarks.scale import collectives, jobs, serving
from tests.benchmarks.scale.settings import HERE, Setting
from tests.clusters import ROOT
from trainer.scale import Constants, Seconds, Table, Work


def alone(module: str, *words: str) -> Any:
    """Runs a module of this folder and returns the JSON that it prints last.

    Raises:
        RuntimeError: It fails.
    """
    command = [sys.executable, "-m", f"tests.benchmarks.scale.{module}", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def measured(is_quick: bool) -> tuple[Constants, dict[str, Any]]:
    """Returns the constants, and what they come from."""
    quick, about = ["--quick"] if is_quick else [], machine()
    held = alone("holding", *quick)
    cores = ["1"] if is_quick else [str(count) for count in range(1, min(2, os.cpu_count() or 1) + 1)]
    computed = {count: alone("computing", count, *quick) for count in cores}
    exchanged, served = collectives.measured(is_quick), serving.measured(computed[cores[-1]]["seconds"], is_quick)
    found = Constants(
        machine=f"{about['processor']}, {about['cores']} cores",
        date=time.strftime("%Y-%m-%d"),
        tensorflow=about["tensorflow"],
        seconds={count: Seconds(**each["seconds"]) for count, each in computed.items()},
        hop=exchanged["hop"],
        turn=0.0,
        collective_rate=exchanged["collective_rate"],
        call=served["call"],
        dispatch=served["dispatch"],
        visit=served["visit"],
        served_rate=served["served_rate"],
        **held,
    )
    # Its two processes in step are what the settings of the benchmark start too.
    found = found if is_quick else dataclasses.replace(found, turn=waiting(found))
    return found, {"computed": computed, "exchanged": exchanged, "served": served}


def waiting(known: Constants) -> float:
    """Returns by how many seconds a step of two in step is longer than its parts, of a job of another size."""
    tables, rows, batch = 3, 20_000, 4096
    words = {"problem": f"{HERE}/timed_tables.py", "optimizer": "Adagrad", "train-batch-size": batch, "tables": tables}
    words |= {"rows": rows, "examples": 64 * batch}
    flags = [word for name, value in words.items() for word in (f"--{name}", str(value))]
    setting = Setting("", tuple(flags), Work((Table(rows, 16),) * tables, (64, 32), batch), ())
    with (
        tempfile.TemporaryDirectory() as folder,
        jobs.started(jobs.IN_STEP, flags, Path(folder) / "job", False) as job,
    ):
        rounds = jobs.in_turns({"": job}, 3, 2.0)[""]
        job.stop()
    step = statistics.median(each.seconds / each.steps for each in rounds)
    return max(0.0, step - setting.planned("2 in step", known).step_seconds)
