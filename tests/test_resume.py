"""Jobs that are interrupted by signals, kills and full disks, and gone on with."""

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests import disks, planted, trips
from tests.benchmarks import kills
from trainer import tables
from trainer.errors import Refusal, Terminated, TrainingFailure, raising_terminated
from trainer.job.plan import Plan, with_settings
from trainer.job.steps import carry_out
from trainer.problem import Problem
from trainer.run import Run
from trainer.settings import Settings
from trainer.training import interrupts, saving

ROOT = Path(__file__).parents[1]

SPINS = '''"""A problem whose data are a call of TensorFlow that takes long, once there is a file of its name."""

import pathlib

import tensorflow as tf

from tests import planted


@tf.function
def spin():
    count = tf.constant(0.0)
    while count < 1e12:
        count += 1.0
    return count


def dataset(split):
    pathlib.Path(__file__).with_suffix(".ready").touch()
    spin()


PROBLEM = planted.problem(dataset=dataset)
'''


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    trips.are_quick(monkeypatch)


def started(place: Path, *words: str) -> subprocess.Popen[str]:
    """A job as a process of its own."""
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "trainer.task", *words],
            cwd=place,
            env={**os.environ, "PYTHONPATH": paths},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_for(there: Callable[[], Any], process: subprocess.Popen[str]) -> None:
    while not there():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def signalled(process: subprocess.Popen[str], *numbers: int) -> tuple[float, int, list[str], str]:
    """Sends signals; returns the seconds that the process then took, its code, and what it wrote."""
    start = time.perf_counter()
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.3)
    out, error = process.communicate(timeout=60)
    return time.perf_counter() - start, process.returncode, out.splitlines(), error


# Kills


def test_a_run_that_is_killed_again_and_again_ends_as_one_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (case,) = kills.cases(tmp_path, is_quick=True)
    count, wrong = kills.battery(case, tmp_path, seed=0)
    print(capsys.readouterr().out)
    assert (count, wrong) == (3, [])


# Signals


def test_sigterm_saves_and_ends_with_143(tmp_path: Path) -> None:
    (tmp_path / "small.py").write_text(kills.SMALL)
    words = ["--problem", "small.py", "--job-dir", "run", "--num-epochs", "5000", "--checkpoint-steps", "200"]
    process = started(tmp_path, *words)
    folder = tmp_path / "run" / "checkpoints"
    wait_for(lambda: [*folder.glob("step-*")], process)
    seconds, code, lines, error = signalled(process, signal.SIGTERM)
    assert (code, error) == (143, "")
    assert seconds < 10
    assert lines[-2:] == [f"Terminated; add --resume --job-dir {tmp_path}/run to go on.", f"{tmp_path}/run"]
    newest = max(folder.iterdir())
    steps = saving.check(str(newest))["position"]["steps"]
    assert newest.name == f"step-{steps:08}"
    assert steps >= 200
    assert not (tmp_path / "run" / "tables").exists()


@pytest.mark.parametrize(
    ("numbers", "code", "most"), [((signal.SIGTERM,), 143, 9.0), ((signal.SIGINT, signal.SIGINT), 130, 3.0)]
)
def test_a_signal_is_heard_within_a_call_of_tensorflow_too(
    numbers: tuple[int, ...], code: int, most: float, tmp_path: Path
) -> None:
    (tmp_path / "spins.py").write_text(SPINS)
    process = started(tmp_path, "--problem", "spins.py", "--job-dir", "run")
    wait_for((tmp_path / "spins.ready").exists, process)
    time.sleep(0.5)
    seconds, found, lines, error = signalled(process, *numbers)
    assert (found, error) == (code, "")
    assert seconds < most
    told = [f"Stopped at once; --resume --job-dir {tmp_path}/run goes on from its first step."]
    assert lines[-1:] == ([] if code == 143 else told)


def test_sigterm_becomes_an_exception_but_where_it_is_ignored() -> None:
    with pytest.raises(Terminated), raising_terminated():
        signal.raise_signal(signal.SIGTERM)
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with raising_terminated(), interrupts.held() as signals:
            signal.raise_signal(signal.SIGTERM)
            assert signals.asked is None
            with pytest.raises(Terminated):  # it came to another process, and all stop
                signals.let_through(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_signals_are_held_until_they_are_let_through() -> None:
    with raising_terminated():
        with interrupts.held() as signals:
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)  # a cloud that is in a hurry
            assert signals.asked == signal.SIGTERM
            with pytest.raises(Terminated):
                signals.let_through()
        with interrupts.held() as signals:
            signal.raise_signal(signal.SIGINT)
            assert signals.asked == signal.SIGINT
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)


# Starting, and going on with something else


def trained(run: Path, problem: Problem = planted.PROBLEM, **settings: Any) -> dict[str, Any]:
    given = Settings(**settings)
    plan = Plan(given, problem, Run(str(run)))
    return carry_out(dataclasses.replace(plan, problem=with_settings(problem, given, plan.restores)))


class Fails(keras.callbacks.Callback):
    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if int(self.model.optimizer.iterations) >= self.steps:
            raise RuntimeError("as if killed")


def failed(run: Path, steps: int, problem: Problem = planted.PROBLEM, **settings: Any) -> None:
    with pytest.raises(RuntimeError, match="as if killed"):
        trained(run, dataclasses.replace(problem, callbacks=[lambda: Fails(steps)]), **settings)


def table(run: Path) -> Any:
    return tables.read(str(run / "tables"), "day_hour").values


SMALL = dataclasses.replace(planted.PROBLEM, train_batch_size=1024, num_epochs=3)  # 18 steps an epoch


def test_a_run_without_a_checkpoint_begins_anew_with_its_warm_start(
    quick: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(tmp_path / "source", SMALL, train_steps=1)
    warm = {"warm_start": (f"day_hour={tmp_path}/source",), "train_steps": 5}
    trained(tmp_path / "alone", SMALL, **warm)
    failed(tmp_path / "run", 2, SMALL, **warm)
    capsys.readouterr()
    trained(tmp_path / "run", SMALL, **warm, resume=True, allow_changed=True)
    lines = capsys.readouterr().out.splitlines()
    assert "there is no checkpoint to go on from yet, so the training begins with its first step" in lines
    assert any(line.startswith("warm start of 'day_hour'") for line in lines)
    np.testing.assert_array_equal(table(tmp_path / "run"), table(tmp_path / "alone"))


def test_resume_starts_a_run_that_has_never_begun(
    quick: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(tmp_path / "run", SMALL, train_steps=2, resume=True)
    assert "so the training begins with its first step" in capsys.readouterr().out
    assert Run(str(tmp_path / "run")).read_json("metrics.json")["steps"] == 2


def test_all_that_has_changed_is_named_and_refused(quick: None, tmp_path: Path) -> None:
    trained(tmp_path / "run", SMALL, train_steps=2)
    edited = dataclasses.replace(SMALL, dnn_dropout=0.5, linear_feature_columns=SMALL.linear_feature_columns[:1])
    with pytest.raises(Refusal) as refusal:
        trained(tmp_path / "run", edited, train_steps=3, learning_rate=0.5, resume=True)
    assert str(refusal.value) == (
        "--resume: the run was started with train_steps 2, not 3, learning_rate 0.02, not 0.5, dnn_dropout None, not "
        "0.5, and other columns or training data; give the same, go on with --allow-changed, or start "
        "anew with --overwrite."
    )
    # What says the same in other words has not changed.
    trained(tmp_path / "run", SMALL, train_steps=2, learning_rate=0.02, train_batch_size=1024, resume=True)
    trained(tmp_path / "run", SMALL, train_steps=2, data_dir=os.path.abspath("data"), planted=True, resume=True)
    with pytest.raises(Refusal, match="what one optimizer has noted is of no use to another"):
        trained(tmp_path / "run", SMALL, train_steps=2, optimizer="SGD", resume=True, allow_changed=True)


def test_what_has_changed_is_gone_on_with_where_that_is_allowed(
    quick: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(str(tmp_path / "run"))
    failed(tmp_path / "run", 25, SMALL, checkpoint_steps=25)
    saved = {"checkpoint_steps": 5, "resume": True, "allow_changed": True}
    failed(tmp_path / "run", 30, dataclasses.replace(SMALL, callbacks=()), **saved)
    capsys.readouterr()
    metrics = trained(tmp_path / "run", SMALL, train_batch_size=2048, learning_rate=0.5, **saved)
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("--allow-changed: the run was started with ") for line in lines)
    assert "epoch 2 begins anew, since its examples come in another order now" in lines
    assert metrics["steps"] == 25 + 2 * 9
    (rate,) = [
        saving.tensor(str(folder), name, state)
        for folder in [max((tmp_path / "run" / "checkpoints").iterdir())]
        for state in [saving.check(str(folder))]
        for name, path in state["variables"].items()
        if path.endswith("/learning_rate")
    ][:1]
    assert float(rate) == 0.5
    assert run.read_json("settings.json")["settings"]["learning_rate"] == 0.5


def test_another_version_of_tensorflow_is_a_line(
    quick: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(str(tmp_path / "run"))
    trained(tmp_path / "run", SMALL, train_steps=2)
    stored = run.read_json("settings.json")
    now, stored["versions"]["tensorflow"] = stored["versions"]["tensorflow"], "2.20.0"
    run.write_json("settings.json", stored)
    trained(tmp_path / "run", SMALL, train_steps=2, resume=True)
    assert (
        f"the run was started with tensorflow 2.20.0, not {now}; its numbers may differ in the last digits"
        in capsys.readouterr().out.splitlines()
    )


# Disks


class Once(keras.callbacks.Callback):
    """Does something at the end of the second epoch."""

    def __init__(self, does: Callable[[], object]) -> None:
        super().__init__()
        self.does = does

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == 1:
            self.does()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with disks.small(tmp_path / "disk", 4_000) as folder:
        yield folder


def ended(run: Path, does: Callable[[], object]) -> str:
    """What a job says whose disk becomes full, or read-only, in its second epoch."""
    with pytest.raises(TrainingFailure) as failure:
        trained(run, dataclasses.replace(SMALL, callbacks=[lambda: Once(does)]), checkpoint_steps=10)
    return str(failure.value)


def test_a_full_disk_ends_a_job_with_a_sentence_and_nothing_is_lost(quick: None, disk: Path, tmp_path: Path) -> None:
    run = disk / "run"
    told = ended(run, lambda: disks.fill(disk))
    assert told.startswith(f"{run}: what the run leaves cannot be written (")
    ending = f"on with --resume --job-dir {run}: checkpoint step-000000[345]0 stays."
    assert re.search(rf"\); make room there or make it writable, then go {ending}$", told)
    disks.empty(disk)
    trained(run, SMALL, resume=True, allow_changed=True)
    trained(tmp_path / "alone", SMALL)
    np.testing.assert_array_equal(table(run), table(tmp_path / "alone"))
    lines = [json.loads(line)["epoch"] for line in (run / "history.jsonl").read_text().splitlines()]
    assert lines == [1, 2, 3]


def test_a_job_dir_that_becomes_read_only_ends_a_job_with_a_sentence(quick: None, disk: Path, tmp_path: Path) -> None:
    run = disk / "run"

    def lock(how: str) -> None:
        if disks.is_mounted(disk):
            # The folder over itself: files of it that are open would keep its disk from changing.
            words = ["mount --bind {0} {0}", "mount -o remount,bind,ro {0}"] if how == "ro" else ["umount {0}"]
            for line in words:
                subprocess.run(line.format(run).split(), check=True)
        else:
            (disks.fill if how == "ro" else disks.empty)(disk)

    told = ended(run, lambda: lock("ro"))
    assert told.startswith(f"{run}")
    assert "Read-only file system" in told or not disks.is_mounted(disk)
    lock("rw")
    trained(run, SMALL, resume=True, allow_changed=True)
    trained(tmp_path / "alone", SMALL)
    np.testing.assert_array_equal(table(run), table(tmp_path / "alone"))


# Early stopping


def stopped(run: Path, **settings: Any) -> dict[str, Any]:
    given = {"early_stopping": "auc", "patience": 2, "num_epochs": 12, "learning_rate": 0.3}
    return trained(run, SMALL, **{**given, **settings})


def test_early_stopping_takes_the_best_model_and_survives_a_resume(
    quick: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = stopped(tmp_path / "alone")
    lines = [json.loads(line) for line in (tmp_path / "alone" / "history.jsonl").read_text().splitlines()]
    scores = [line["validation_auc"] for line in lines]
    best = int(np.argmax(scores))
    assert len(scores) == best + 3 < 12
    assert (metrics["best_epoch"], metrics["best_step"]) == (best + 1, 18 * (best + 1))
    assert metrics["validation_auc"] == pytest.approx(max(scores))
    printed = capsys.readouterr().out
    assert "early stopping: validation_auc has not become better for 2 epochs\n" in printed
    assert f"the model is that of epoch {best + 1}, step {18 * (best + 1)}: validation_auc {max(scores):.4f}" in printed
    # Killed after the best epoch, it ends alike; ended, it has nothing to do; with more patience it goes on.
    after = 18 * (best + 1) + 7
    problem = dataclasses.replace(SMALL, callbacks=[lambda: Fails(after)])
    with pytest.raises(RuntimeError, match="as if killed"):
        trained(
            tmp_path / "run", problem, early_stopping="auc", patience=2, num_epochs=12, learning_rate=0.3,
            checkpoint_steps=after - 2,
        )  # fmt: skip
    for _ in range(2):
        again = stopped(tmp_path / "run", resume=True, allow_changed=True)
        assert (again["best_epoch"], again["auc"], again["steps"]) == (best + 1, metrics["auc"], metrics["steps"])
        np.testing.assert_array_equal(table(tmp_path / "run"), table(tmp_path / "alone"))
    more = stopped(tmp_path / "run", resume=True, allow_changed=True, patience=3)
    assert more["steps"] > metrics["steps"]
