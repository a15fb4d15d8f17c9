"""Training on parameter servers, with real processes on this machine."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import trainer
from tests import things, trips
from tests.clusters import Processes, cluster
from trainer import tables, task
from trainer.projector import shown

KINDS = {"chief": 1, "worker": 2, "ps": 2}
FEW = {"chief": 1, "worker": 1, "ps": 2}
SMALLEST = {"chief": 1, "worker": 1, "ps": 1}
QUICK = {"QUICK_JOBS": "1"}  # as tests/things.py knows it
forked = partial(cluster, forked=True)  # one cluster is started anew, as people start it
PROBLEM = ["--problem", str(Path(things.__file__))]


def flags(folder: Path, *others: str) -> list[str]:
    return [*PROBLEM, "--job-dir", str(folder / "run"), *others]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Processes]]:
    """A run of a chief, two workers and two parameter servers, and the processes, which have ended."""
    folder = tmp_path_factory.mktemp("servers")
    with cluster(KINDS, flags(folder), folder) as found:
        assert found.wait() == 0, found.outputs
        yield folder / "run", found


def test_all_processes_end_when_the_chief_is_done(trained: tuple[Path, Processes]) -> None:
    _, processes = trained
    for kind in ("worker", "ps"):
        for index in range(2):
            assert processes.wait(kind, index, 30) == 0
            assert "is done" in processes.output(kind, index)
    assert processes.output("ps", 1).startswith("parameter server 1 (127.0.0.1:")


def test_all_that_steps_read_and_write_lies_on_the_servers(trained: tuple[Path, Processes]) -> None:
    assert "on no server: []" in trained[1].output("chief")


def test_a_training_on_servers_learns_what_is_planted(trained: tuple[Path, Processes]) -> None:
    metrics = json.loads((trained[0] / "metrics.json").read_text())
    assert metrics["auc"] > 0.68
    assert metrics["steps"] == 3 * -(-metrics["train_examples"] // 512)
    lines = [json.loads(line) for line in (trained[0] / "history.jsonl").read_text().splitlines()]
    assert [line["steps"] for line in lines] == [metrics["steps"] * epoch // 3 for epoch in (1, 2, 3)]
    assert lines[2]["loss"] < lines[0]["loss"]


def test_a_table_in_parts_is_saved_as_one_tensor_that_no_machine_has_held(trained: tuple[Path, Processes]) -> None:
    run, _ = trained
    reader = tf.train.load_checkpoint(str(run / "tables"))
    assert reader.get_variable_to_shape_map() == {"thing": [things.THINGS, 8], "hour": [24, 4]}
    assert len(list((run / "tables").glob("tables.data-*"))) == 3  # of two servers, and of the chief
    stored = tables.read(str(run), "thing")
    assert stored.entry.health.rows_not_finite == 0
    assert stored.counts is not None
    assert int(stored.counts.sum()) == json.loads((run / "metrics.json").read_text())["train_examples"]


def test_the_projector_shows_a_table_in_parts(trained: tuple[Path, Processes]) -> None:
    found = shown(str(trained[0] / "logs" / "projector"))
    assert found["thing"] == (things.THINGS, 8)


def test_the_exported_model_answers_in_a_process_without_the_project(trained: tuple[Path, Processes]) -> None:
    run, _ = trained
    assert b"/job:" not in (run / "export" / "saved_model.pb").read_bytes()
    script = (
        "import sys, numpy as np, tensorflow as tf\n"
        "served = tf.saved_model.load(sys.argv[1]).signatures['serving_default']\n"
        "answers = served(thing=tf.range(0, 20000, 1000, tf.int64), hour=tf.range(20, dtype=tf.int64))\n"
        "print(answers['logits'].numpy().reshape(-1).tolist())\n"
        "assert not any(name.split('.')[0] == 'trainer' for name in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(run / "export")], cwd=run, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    model = trainer.load(str(run)).model
    features = {"thing": tf.range(0, 20000, 1000, tf.int64), "hour": tf.range(20, dtype=tf.int64)}
    np.testing.assert_allclose(json.loads(done.stdout), model(features).numpy().reshape(-1), rtol=1e-5)


@pytest.mark.slow
def test_a_worker_that_is_killed_and_started_again_joins_and_one_that_stays_away_is_not_missed(tmp_path: Path) -> None:
    with forked(KINDS, flags(tmp_path, "--num-epochs", "18"), tmp_path, QUICK) as found:
        found.wait_for("epoch 2/")
        found.kill("worker", 1)
        name = f"worker 1 ({found.addresses['worker'][1]})"
        found.wait_for(f"{name} has gone; 1 goes on without it, and it can be started again")
        found.start("worker", 1)
        found.wait_for(f"{name} is back")
        found.wait_for("epoch 9/")
        found.kill("worker", 0, signal.SIGTERM)  # from here on there is none but the one that came back
        assert found.wait("worker", 0, 20) == 143
        assert found.wait(seconds=180) == 0, found.outputs
        assert found.wait("worker", 1, 30) == 0
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["auc"] > 0.68


@pytest.mark.slow
def test_a_server_that_is_lost_ends_the_job_with_a_sentence_and_a_resume_goes_on(tmp_path: Path) -> None:
    with forked(KINDS, flags(tmp_path, "--num-epochs", "8"), tmp_path, QUICK) as found:
        found.wait_for("epoch 3/")
        address = found.addresses["ps"][1]
        found.kill("ps", 1)
        assert found.wait(seconds=60) == 1, found.outputs
        last = found.output("chief").strip().splitlines()[-1]
        assert last.startswith(f"parameter server 1 ({address}) has gone; ")
        assert "Traceback" not in found.output("chief")
        for kind, index in (("worker", 0), ("worker", 1), ("ps", 0)):
            assert found.wait(kind, index, 60) == 1
            assert "--resume" in found.output(kind, index)
    with forked(KINDS, flags(tmp_path, "--num-epochs", "8", "--resume"), tmp_path, QUICK) as found:
        assert found.wait() == 0, found.outputs
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["steps"] == 8 * -(-metrics["train_examples"] // 512)


@pytest.mark.slow
def test_a_chief_that_is_terminated_has_saved_and_is_gone_on_with_on_other_machines(tmp_path: Path) -> None:
    with forked(KINDS, flags(tmp_path, "--num-epochs", "6"), tmp_path, QUICK) as found:
        found.wait_for("epoch 2/")
        found.kill("chief", number=signal.SIGTERM)
        assert found.wait(seconds=20) == 143
        assert found.wait("ps", 1, 30) == 1
        assert "has ended (Terminated), and parameter server 1" in found.output("ps", 1)
    with forked(
        {"chief": 1, "worker": 1, "ps": 3}, flags(tmp_path, "--num-epochs", "6", "--resume"), tmp_path, QUICK
    ) as found:
        assert found.wait() == 0, found.outputs
        assert "goes on after step " in found.output("chief")
    lines = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    losses = [line["validation_loss"] for line in lines]
    assert len(losses) == 6
    assert losses == sorted(losses, reverse=True)  # what was learned before is still there


@pytest.mark.slow
def test_a_loss_that_is_not_finite_ends_the_job_with_a_sentence(tmp_path: Path) -> None:
    with forked(SMALLEST, flags(tmp_path, "--optimizer", "SGD", "--learning-rate", "1e38"), tmp_path) as found:
        assert found.wait() == 1, found.outputs
        last = found.output("chief").strip().splitlines()[-1]
        assert last.startswith("training: the loss became ")
        assert "try a smaller --learning-rate" in last


@pytest.mark.slow
def test_a_table_on_servers_starts_from_a_run_by_key(trained: tuple[Path, Processes], tmp_path: Path) -> None:
    others = ("--warm-start", f"thing={trained[0]}", "--freeze", "thing", "--num-epochs", "1")
    with forked(FEW, flags(tmp_path, *others), tmp_path, QUICK) as found:
        assert found.wait() == 0, found.outputs
        assert "20,000 of 20,000 rows matched by key" in found.output("chief")
    before, after = (tables.read_values(str(run), "thing") for run in (trained[0], tmp_path / "run"))
    np.testing.assert_array_equal(after, before)


@pytest.mark.slow
def test_a_server_that_does_not_come_up_is_named(tmp_path: Path) -> None:
    with forked(FEW, flags(tmp_path, "--start-seconds", "4"), tmp_path, absent=[("ps", 1)]) as found:
        assert found.wait(seconds=60) == 1
        name = f"parameter server 1 ({found.addresses['ps'][1]})"
        assert f"{name} did not come up within 4 s; start all processes of TF_CONFIG" in found.output("chief")


FLIGHTS = '''"""Flights, of which nothing is left to look at."""

import pytest

from tests import trips
from trainer.problems.flights import PROBLEM

trips.are_quick(pytest.MonkeyPatch())
'''


@pytest.mark.slow
def test_a_training_on_servers_is_as_good_as_that_of_one_process(
    tmp_path: Path, all_flights_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "quick.py").write_text(FLIGHTS)
    data = ["--data-dir", all_flights_dir]
    with forked(KINDS, [*data, "--problem", "quick.py", "--job-dir", "together"], tmp_path) as found:
        assert found.wait(seconds=300) == 0, found.outputs
    trips.are_quick(monkeypatch)
    assert task.main([*data, "--job-dir", str(tmp_path / "alone")]) == 0
    together, alone = (json.loads((tmp_path / run / "metrics.json").read_text()) for run in ("together", "alone"))
    assert abs(together["auc"] - alone["auc"]) < 0.003
