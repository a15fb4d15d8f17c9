"""Runs in a bucket: whole jobs whose every path is there, what is asked of them there, and what they are told."""

import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
import tensorflow as tf

from tests import buckets, servers, trips
from tests.bucket_objects import Bucket, Cloud
from tests.test_task import LEFT, environment
from trainer import paths, tables, task
from trainer.__main__ import main
from trainer.run import Run
from trainer.training.shelf import Shelf

MINE = '''"""Which trips are late, from the city and the hour."""
import os
import time

import keras

from trainer import feature_column as fc
from trainer.heads import BinaryHead
from trainer.problem import Files, Problem


def waiting():
    seconds = float(os.environ.get("STEP_SECONDS", "0"))
    return keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(seconds))


city = fc.categorical_column_with_vocabulary_file("city", "gs://bucket/own/cities.txt", num_oov_buckets=1)
hour = fc.categorical_column_with_identity("hour", 24)
PROBLEM = Problem(
    dataset=Files("gs://bucket/own/trips.csv"),
    dnn_feature_columns=[fc.embedding_column(city, 4, name="city"), fc.embedding_column(hour, 4, name="hour")],
    dnn_hidden_units=[8],
    label="late",
    head=BinaryHead(),
    num_epochs=3,
    train_batch_size=32,
    callbacks=[waiting],
)
'''

OPTIMIZER = """from trainer.optimizers import Adagrad


class Mine(Adagrad):
    pass
"""

OUTSIDE = r"^GET /storage/v1/b/bucket(\?|$)"
"""The question for a bucket itself, which who may only read and write its objects is not answered."""

PROBLEM = "gs://bucket/own/mine.py"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """A bucket in which lie a problem, its vocabulary and its rows."""
    with buckets.served() as cloud:
        bucket = cloud.buckets["bucket"]
        bucket["own/mine.py"], bucket["own/optimizer.py"] = MINE.encode(), OPTIMIZER.encode()
        bucket["own/cities.txt"] = "Oslo\nBern\nSão Paulo\n東京\n".encode()
        bucket["own/trips.csv"] = trips.csv_text(trips.rows()).encode()
        cloud.fail(403, times=1_000_000, of=OUTSIDE)
        yield cloud


@pytest.fixture
def bucket(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """The same bucket, for this process."""
    monkeypatch.chdir(tmp_path)
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)
    return cloud.buckets["bucket"]


def started(cloud: Cloud, place: Path, *words: str, **variables: str) -> subprocess.Popen[str]:
    """A job as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "trainer.task", *words],
        cwd=place,
        env={**environment(), **cloud.environment, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@dataclass(frozen=True)
class Ended:
    """A job that has ended."""

    code: int
    lines: list[str]
    errors: str


def ended(process: subprocess.Popen[str]) -> Ended:
    out, errors = process.communicate(timeout=240)
    return Ended(process.returncode, out.splitlines(), errors)


def names_below(bucket: Bucket, folder: str) -> set[str]:
    """The names right in a folder of a bucket."""
    return {name.removeprefix(folder).partition("/")[0] for name in bucket if name.startswith(folder)} - {""}


# A job as a cloud starts it


@pytest.fixture(scope="module")
def terminated(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A job in the folders that a cloud names, which is told to end once it has a checkpoint."""
    process = started(cloud, tmp_path_factory.mktemp("job"), "--problem", PROBLEM, "--checkpoint-steps", "5", **AIP)
    end = time.monotonic() + 120
    while not any(name.endswith("/state.json") for name in cloud.buckets["bucket"]):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    return ended(process)


AIP = {
    "AIP_MODEL_DIR": "gs://bucket/job/model/",
    "AIP_CHECKPOINT_DIR": "gs://bucket/job/checkpoints/",
    "AIP_TENSORBOARD_LOG_DIR": "gs://bucket/job/logs/",
    "STEP_SECONDS": "0.1",
}


@pytest.fixture(scope="module")
def job(cloud: Cloud, terminated: Ended, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The same job, gone on with to its end by the same command."""
    words = ("--problem", PROBLEM, "--checkpoint-steps", "5", "--resume")
    return ended(started(cloud, tmp_path_factory.mktemp("again"), *words, **{**AIP, "STEP_SECONDS": "0"}))


@pytest.mark.slow
def test_a_job_that_is_told_to_end_leaves_a_checkpoint_in_the_bucket(terminated: Ended, cloud: Cloud) -> None:
    assert (terminated.code, terminated.errors) == (143, "")
    model = "gs://bucket/job/model"
    assert terminated.lines[0] == model
    assert terminated.lines[-2:] == [f"Terminated; add --resume --job-dir {model} to go on.", model]


@pytest.mark.slow
def test_it_is_gone_on_with_in_the_bucket_and_leaves_all_there(job: Ended, cloud: Cloud) -> None:
    assert (job.code, job.errors) == (0, "")
    assert any(line.startswith("goes on after step ") for line in job.lines)
    model = "gs://bucket/job/model"
    assert job.lines[-2:] == [f"look at it  python -m trainer fetch {model} && tensorboard --logdir runs", model]
    bucket = cloud.buckets["bucket"]
    assert names_below(bucket, "job/") == {"model", "checkpoints", "logs"}
    assert names_below(bucket, "job/model/") == LEFT - {"cache", "checkpoints", "logs"}
    assert names_below(bucket, "job/logs/") == {"train", "validation", "projector"}
    assert json.loads(bucket["job/model/metrics.json"])["steps"] == 24
    epochs = [json.loads(line)["epoch"] for line in bucket["job/model/history.jsonl"].splitlines()]
    assert epochs == [1, 2, 3]
    (newest, *_) = sorted(names_below(bucket, "job/checkpoints/"), reverse=True)
    assert newest == "step-00000024"
    assert cloud.refused == []


@pytest.mark.slow
def test_verbs_read_a_run_in_the_bucket_and_write_there(job: Ended, cloud: Cloud, tmp_path: Path) -> None:
    run, out = "gs://bucket/job/model", "gs://bucket/out"
    asked = [
        ["predict", run, "--files", "gs://bucket/own/trips.csv", "--out", f"{out}/answers.parquet"],
        ["evaluate", run, "--files", "gs://bucket/own/*.csv", "--out", f"{out}/results.json"],
        ["vectors", run, "hour", "--out", f"{out}/hours.txt"],
        ["projector", run, "--out", f"{out}/projector"],
    ]
    # In a process of its own, since TensorFlow opens a checkpoint without letting the stand-in's threads answer.
    code = f"from trainer.__main__ import main; print([main(words) for words in {asked!r}])"
    command, variables = [sys.executable, "-c", code], {**environment(), **cloud.environment}
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "[0, 0, 0, 0]", done
    bucket = cloud.buckets["bucket"]
    assert names_below(bucket, "out/") == {
        *("answers.parquet", "results.json", "results.calibration.png", "hours.txt", "projector")
    }
    assert "projector_config.pbtxt" in names_below(bucket, "out/projector/")


@pytest.mark.slow
def test_runs_and_tables_in_the_bucket_are_listed(
    job: Ended, bucket: Bucket, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tables", "gs://bucket/job/model"]) == 0
    assert "hour  24 × 4  float32  384 B  embedding table, whole numbers" in capsys.readouterr().out
    assert main(["runs", "gs://bucket/job"]) == 0
    assert "problem mine, 1 finished run on gs://bucket/own/trips.csv" in capsys.readouterr().out


@pytest.mark.slow
def test_tensorboard_shows_the_tables_in_the_bucket(job: Ended, bucket: Bucket) -> None:
    with servers.tensorboard("gs://bucket/job/logs") as address:
        assert json.loads(_asked(address, "runs")) == ["projector"]
        told = json.loads(_asked(address, "info", run="projector"))
        shown = {each["tensorName"]: each["tensorShape"] for each in told["embeddings"]}
        assert shown == {"city": [5, 4], "city.raw": [5, 4], "hour": [24, 4], "hour.raw": [24, 4]}
        assert len(_asked(address, "tensor", run="projector", name="hour")) == 24 * 4 * 4


@pytest.mark.slow
def test_a_run_that_came_home_is_as_one_that_was_trained_here(
    job: Ended, bucket: Bucket, cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fetch", "gs://bucket/job"]) == 0
    run = tmp_path / "runs" / "job"
    assert {path.name for path in run.iterdir()} == LEFT - {"cache"}
    here = {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}
    there = {name: bucket[name] for name in bucket if name.startswith("job/") and not name.endswith("/")}
    assert here == {name.removeprefix("job/").removeprefix("model/"): content for name, content in there.items()}
    asked = len(cloud.asked)
    served = tf.saved_model.load(str(run / "export")).signatures["serving_default"]
    assert served(city=tf.constant(["Oslo"]), hour=tf.constant([7], tf.int64))["probabilities"].shape == (1, 1)
    assert tables.read(str(run / "tables"), "city").labels_of([0]) == ["Oslo"]
    assert len(cloud.asked) == asked  # it needs the bucket no more
    with servers.tensorboard(run) as address:
        found = json.loads(_asked(address, "runs"))
        assert found == ["logs/projector"]
        assert _asked(address, "metadata", run=found[0], name="city").startswith(b"label\tcity\tcount\nOslo\tOslo\t")


@pytest.mark.slow
def test_a_run_that_came_home_goes_on(
    job: Ended, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trips.are_quick(monkeypatch)
    assert main(["fetch", "gs://bucket/job/model", "home"]) == 0
    words = ["--problem", PROBLEM, "--job-dir", "home", "--num-epochs", "4", "--resume", "--allow-changed"]
    assert task.main(words) == 0
    assert "goes on after step 24" in capsys.readouterr().out.splitlines()
    assert Run("home").read_json("metrics.json")["steps"] == 32


def _asked(address: str, what: str, **query: str) -> bytes:
    """Returns what TensorBoard's projector answers, which has found its runs some seconds after it has started."""
    url = f"{address}data/plugin/projector/{what}?{'&'.join(f'{name}={quote(text)}' for name, text in query.items())}"
    for _ in range(100):
        with urllib.request.urlopen(url, timeout=30) as answer:
            content: bytes = answer.read()
        if content != b"[]":
            return content
        time.sleep(0.1)
    raise AssertionError(f"{what} stays empty")


# Quick jobs in this process


def quick(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    trips.are_quick(monkeypatch)
    return task.main(["--problem", PROBLEM, "--num-epochs", "1", *words])


@pytest.mark.slow
def test_flights_are_trained_into_a_bucket_and_carried_over(
    bucket: Bucket, nyc_flights_dir: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run, data = "gs://bucket/runs/flights", ["--dataset", "nyc_flights/JFK", "--data-dir", nyc_flights_dir]
    assert quick(monkeypatch, "--problem", "flights", *data, "--train-steps", "20", "--job-dir", run) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == lines[-1] == run
    assert names_below(bucket, "runs/flights/") == LEFT - {"cache", "export", "pictures", "report.html"}
    words = ["--settings", f"{run}/settings.json", "--train-steps", "1", "--warm-start", f"day_hour={run}"]
    words += ["--problem", "flights", "--job-dir", "gs://bucket/runs/warm"]
    assert quick(monkeypatch, *words) == 0
    assert json.loads(bucket["runs/warm/warm_start.json"])["day_hour"]["matched"] == 168


@pytest.mark.slow
def test_every_file_that_a_flag_names_may_be_in_a_bucket_and_a_run_there_is_replaced(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket["own/more/trips.jsonl"] = b'{"city": "Oslo", "hour": 3, "late": 1}\n{"city": "Bern", "hour": "x"}\n' * 40
    files = ["--train-files", "gs://bucket/own/*/*.jsonl", "--max-bad-rows", "50%"]
    bucket["own/test/trips.csv.gz"] = gzip.compress(bucket["own/trips.csv"])
    files += ["--validation-files", "gs://bucket/own/trips.csv", "--eval-files", "gs://bucket/own/test/*"]
    optimizer = ["--optimizer", "gs://bucket/own/optimizer.py:Mine"]
    assert quick(monkeypatch, *files, *optimizer, "--job-dir", "gs://bucket/runs/files") == 0
    assert bucket["runs/files/bad_rows.jsonl"].count(b"\n") == 40
    with io.BytesIO() as file:
        np.save(file, np.eye(4, dtype=np.float32))
        bucket["own/cities.npy"] = file.getvalue()
    for old in ("checkpoints/best/state.json", "pictures/old.png", "logs/train/old"):
        bucket[f"runs/files/{old}"] = b"old"
    source = ["--warm-start", "city=gs://bucket/own/cities.npy"]
    vocabulary = ["--old-vocabulary", "city=gs://bucket/own/cities.txt"]
    assert quick(monkeypatch, *source, *vocabulary, "--job-dir", "gs://bucket/runs/files", "--overwrite") == 0
    assert json.loads(bucket["runs/files/warm_start.json"])["city"]["matched"] == 4
    assert b"old" not in bucket.values()
    assert "runs/files/bad_rows.jsonl" not in bucket
    assert main(["suggest", "gs://bucket/own/trips.csv", "--label", "late", "--out", "gs://bucket/own/made.py"]) == 0
    assert b"PROBLEM = Problem(" in bucket["own/made.py"]
    assert main(["vocabulary", "--train-files", "gs://bucket/own/*.csv", "--out", "gs://bucket/words"]) == 0
    assert bucket["words/city.txt"].decode().split() != []
    assert capsys.readouterr().err == ""


def test_what_cannot_be_used_in_a_bucket_is_a_sentence(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket["data/rows.csv"] = b"x"
    for words, sentence in (
        (
            ["--job-dir", "gs://bucket/data"],
            "--job-dir: gs://bucket/data holds other files; give an empty or new folder.",
        ),
        (
            ["--job-dir", "gs://other/run"],
            "gs://other/run/settings.json: there is no bucket gs://other; make it with gcloud storage buckets create "
            "gs://other, or give another.",
        ),
        (
            ["--job-dir", "gs://bucket/runs/new", "--train-files", "gs://other/*.csv"],
            "gs://other/*.csv: there is no bucket gs://other; make it with gcloud storage buckets create gs://other, "
            "or give another.",
        ),
        (
            ["--job-dir", "gs://bucket/runs/new", "--problem", "gs://bucket/own/yours.py"],
            "--problem: there is no file gs://bucket/own/yours.py; give a problem's name or the path of a Python file.",
        ),
        (
            ["--job-dir", "s3://bucket/run"],
            "s3://bucket/run/settings.json: files cannot be there (File system scheme 's3' not implemented (file: "
            "'s3://bucket/run/settings.json')); give a path as gs://bucket/folder, or a local one.",
        ),
    ):
        assert quick(monkeypatch, *words) == 2
        assert capsys.readouterr() == ("", f"{sentence}\n")
    assert not any(name.startswith("runs/new") for name in bucket)


def test_who_is_not_let_in_is_told_to_log_in(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with buckets.served() as closed:
        closed.fail(401, times=1_000_000)
        for name, value in closed.environment.items():
            monkeypatch.setenv(name, value)
        assert task.main(["--problem", "flights", "--job-dir", "gs://bucket/run"]) == 2
    assert capsys.readouterr() == (
        "",
        "gs://bucket/run/settings.json: you may not do that there (HTTP 401: as it was told to); log in with gcloud "
        "auth application-default login as one who may read and write it.\n",
    )


def test_a_bucket_that_one_may_read_alone_is_told_before_rows_are_read(
    cloud: Cloud, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.fail(403, of="POST /upload/.*name=runs/new/")
    assert quick(monkeypatch, "--job-dir", "gs://bucket/runs/new") == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith("gs://bucket/runs/new/.")
    assert ".partial: you may not do that there (HTTP 403: as it was told to); log in with " in error


def test_a_bucket_that_closes_meanwhile_ends_a_job_with_what_to_do_then(
    cloud: Cloud, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = "gs://bucket/runs/closes"
    cloud.fail(403, at=2, of="POST /upload/.*name=runs/closes/history.jsonl")
    assert quick(monkeypatch, "--job-dir", run, "--num-epochs", "2", "--checkpoint-steps", "8") == 1
    assert capsys.readouterr().err == (
        f"{run}: what the run leaves cannot be written (HTTP 403: as it was told to); make room there or make it "
        f"writable, then go on with --resume --job-dir {run}: checkpoint step-00000016 stays.\n"
    )


def test_a_checkpoint_that_a_bucket_does_not_take_is_tried_again(
    cloud: Cloud, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.fail(403, of="POST /upload/.*name=runs/again/checkpoints/step-00000004/.*index")
    assert quick(monkeypatch, "--job-dir", "gs://bucket/runs/again", "--checkpoint-steps", "4") == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("checkpoint after step 4")]
    assert len(told) == 1
    assert "not written (" in told[0]
    assert "; there is none yet, and it is tried again in 60 s or before" in told[0]
    assert not {*filter(re.compile("runs/again/checkpoints/.*0004").match, bucket)}


# A bucket that is mounted


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for a mounted bucket, since tests can mount none: it renames no folder and links nothing."""
    folder = tmp_path / "gcs"
    folder.mkdir()
    monkeypatch.setattr(paths, "MOUNT", f"{folder}/")
    rename = os.rename

    def rename_file(source: Any, target: Any, **places: Any) -> None:
        if str(target).startswith(str(folder)) and os.path.isdir(source):
            raise OSError(24, "Too many open files")  # as gcsfuse says it
        rename(source, target, **places)

    def no_link(source: Any, target: Any, **places: Any) -> None:
        assert not str(target).startswith(str(folder))

    monkeypatch.setattr(os, "rename", rename_file)
    monkeypatch.setattr(os, "link", no_link)
    return folder


@pytest.mark.slow
def test_a_run_in_a_mounted_bucket_renames_no_folder(
    mounted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trips.are_quick(monkeypatch)
    run = mounted / "bucket" / "run"

    def train(epochs: int, **how: Any) -> None:
        files = str(mounted / "*.csv")
        trips.trained(run, num_epochs=epochs, train_files=files, early_stopping="loss", checkpoint_steps=9, **how)

    trips.write(mounted / "trips.csv")
    train(2)
    names = {path.name for path in (run / "checkpoints").iterdir()}
    assert len(names & {"best", "other-best"}) == 1
    assert not (run / "cache").exists()
    steps = Run(str(run)).read_json("metrics.json")["steps"]
    train(3, resume=True, allow_changed=True)
    assert f"goes on after step {steps}" in capsys.readouterr().out.splitlines()
    assert not [path for path in mounted.rglob("*") if path.name.startswith(".")]


def test_best_weights_in_a_bucket_are_whole_before_those_before_them_go(bucket: Bucket, cloud: Cloud) -> None:
    shelf, some = Shelf("gs://bucket/shelf"), {"weights": tf.Variable([1.0])}
    shelf.put("best", some, {"steps": 1})
    cloud.fail(403, of="name=shelf/other-best/state.json")
    with pytest.raises(OSError, match="you may not do that there"):
        shelf.put("best", some, {"steps": 2})
    assert shelf.best == "gs://bucket/shelf/best"
    shelf.put("best", some, {"steps": 2})
    assert shelf.best == "gs://bucket/shelf/other-best"
    shelf.put("best", some, {"steps": 3})
    assert names_below(bucket, "shelf/") == {"best"}
