"""Processes and devices that train in step, real ones: they do what one does, stop together and go on together."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests import clusters, trips
from tests.clusters import ROOT, Processes
from trainer import task
from trainer.training import reports as reporting

PROBLEM = str(ROOT / "tests" / "in_step.py")
FLAGS = ["--problem", PROBLEM, "--num-epochs", "8", "--checkpoint-steps", "40", "--peer-seconds", "60"]

QUICK = {"QUICK_JOBS": "1"}  # as tests/in_step.py knows it

pytestmark = pytest.mark.slow

ON_DEVICES = """
import contextlib, sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from trainer import task
from trainer.training import reports as reporting
from trainer.training.machines import joining
from trainer.training.machines.devices import on_devices
# No machine of the tests has a GPU: two logical devices of the CPU stand in for two of them.
joining.joined = lambda *given: on_devices(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
sys.exit(task.main(sys.argv[1:]))
"""


def started(counts: dict[str, int], folder: Path, *flags: str, forked: bool = True, **given: Any) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    return clusters.cluster(counts, [*FLAGS, *flags], folder, forked=forked, **given)


def tables(run: Path) -> dict[str, Any]:
    reader = tf.train.load_checkpoint(str(run / "tables"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def metrics(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "metrics.json").read_text())
    return found


def assert_alike(run: Path, other: Path) -> None:
    ours, theirs = tables(run), tables(other)
    assert set(ours) == set(theirs) == {"word", "day", "tags"}
    for name, values in ours.items():
        np.testing.assert_allclose(values, theirs[name], rtol=0, atol=1e-5)
    for name in ("auc", "accuracy", "loss", "validation_auc", "validation_loss", "examples", "steps", "train_examples"):
        assert metrics(run)[name] == pytest.approx(metrics(other)[name], abs=1e-4), name


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("alone") / "run"
    with pytest.MonkeyPatch.context() as patch:
        trips.are_quick(patch)
        assert task.main([*FLAGS, "--job-dir", str(run)]) == 0
    return run


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Processes]]:
    folder = tmp_path_factory.mktemp("together")
    reports = {reporting.FILE: str(folder / "reports-of-{name}")}
    flags = ["--job-dir", str(folder / "run")]
    with started({"worker": 2}, folder, *flags, forked=False, environment=reports) as found:  # as people start them
        assert [found.wait("worker", index) for index in range(2)] == [0, 0], found.outputs
        yield folder / "run", found


def test_two_workers_leave_what_one_leaves_with_the_same_batches(alone: Path, together: tuple[Path, Processes]) -> None:
    run, _ = together
    assert_alike(run, alone)
    assert (run / "problem.json").read_text() == (alone / "problem.json").read_text()  # vocabulary, boundaries
    assert (run / "report.html").exists()


def test_the_chief_alone_reports_to_a_tuning_service(together: tuple[Path, Processes]) -> None:
    run, _ = together
    assert [path.name for path in run.parent.glob("reports-of-*")] == ["reports-of-worker-0"]
    lines = [json.loads(line) for line in (run.parent / "reports-of-worker-0").read_text().splitlines()]
    told = [float(line["validation_auc"]) for line in lines if "validation_auc" in line]
    assert len(told) == 8
    assert told[-1] == metrics(run)["validation_auc"]


def test_the_chief_alone_writes_the_run_and_says_how_it_goes(together: tuple[Path, Processes]) -> None:
    run, found = together
    assert [path.name for path in run.parent.iterdir() if path.is_dir()] == ["run"]
    assert "epoch 8/8" in found.output("worker", 0)
    helper = found.output("worker", 1)
    assert "epoch" not in helper
    assert helper.splitlines()[0].startswith("worker 1 (127.0.0.1:")
    assert helper.splitlines()[-1] == "344 steps done; worker 0 (" + found.addresses["worker"][0] + ") writes the run"


def test_devices_of_one_process_leave_what_one_device_leaves(alone: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-c", ON_DEVICES, *FLAGS, "--job-dir", str(run)]
    ended = subprocess.run(command, cwd=ROOT, env={**os.environ, **QUICK}, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert_alike(run, alone)


def wait_for_checkpoint(run: Path, found: Processes, beyond: int) -> None:
    end = time.monotonic() + 60
    while not [path for path in run.glob("checkpoints/step-*") if int(path.name.removeprefix("step-")) > beyond]:
        assert time.monotonic() < end, found.outputs
        time.sleep(0.02)


def test_they_stop_at_one_step_when_one_is_terminated_end_when_one_is_killed_and_go_on_bit_for_bit(
    together: tuple[Path, Processes], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    flags = ["--job-dir", str(run), "--resume"]
    slow = {**QUICK, "IN_STEP_SECONDS": "0.05"}  # for each group of steps, so that a signal comes while they train
    with started({"worker": 2}, tmp_path, *flags, environment=slow) as found:
        wait_for_checkpoint(run, found, 0)
        found.kill("worker", 1, signal.SIGTERM)
        assert [found.wait("worker", index, 30) for index in range(2)] == [143, 143], found.outputs
        assert "Traceback" not in found.outputs
    with started({"worker": 2}, tmp_path / "again", *flags, environment=slow) as found:
        wait_for_checkpoint(run, found, 120)
        # A message leaves no thread that sleeps.
        status = Path(f"/proc/{found.id_of('worker', 0)}/status").read_text()
        assert int(status.split("Threads:")[1].split()[0]) < 250
        found.kill("worker", 1)
        start = time.monotonic()
        assert found.wait("worker", 0, 60) == 1
        assert time.monotonic() - start < 60
        said = found.output("worker", 0)
        sentence = (
            f"worker 1 ({found.addresses['worker'][1]}) has gone; the others cannot go on without it; start all "
            "processes again with --resume, which goes on from the last checkpoint."
        )
        assert sentence in said
        assert "Traceback" not in said
    with started({"worker": 2}, tmp_path / "at last", *flags, environment=QUICK) as found:
        assert [found.wait("worker", index) for index in range(2)] == [0, 0], found.outputs
        assert "goes on after step" in found.output("worker", 0)
    undisturbed = tables(together[0])
    for name, values in tables(run).items():
        np.testing.assert_array_equal(values, undisturbed[name], name)
    assert metrics(run)["auc"] == metrics(together[0])["auc"]


def test_a_worker_that_does_not_come_is_named(tmp_path: Path) -> None:
    with started({"worker": 2}, tmp_path, "--start-seconds", "3", absent=[("worker", 1)]) as found:
        assert found.wait("worker", 0, 60) == 1
        assert found.output("worker", 0).splitlines()[-1] == (
            f"worker 1 ({found.addresses['worker'][1]}) did not come up within 3 s; start all processes of TF_CONFIG, "
            "or give a larger --start-seconds."
        )
    assert not (tmp_path / "runs").exists()


def test_a_worker_with_other_flags_is_named(tmp_path: Path) -> None:
    with started({"chief": 1, "worker": 1}, tmp_path, absent=[("worker", 0)]) as found:
        found.flags += ["--learning-rate", "0.5"]
        found.start("worker", 0)
        assert [found.wait("chief"), found.wait("worker")] == [2, 2], found.outputs
        assert found.output("worker").splitlines()[-1] == (
            f"TF_CONFIG: worker 0 ({found.addresses['worker'][0]}) has another learning_rate than the chief; give all "
            "processes the same flags and the same files."
        )
