"""`python -m trainer fetch` as a person meets it; the runs are a few objects, but for those of tests/test_bucket.py."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import buckets, disks
from tests.bucket_objects import Bucket, Cloud, Held
from trainer import paths
from trainer.__main__ import main

PROG = "python -m trainer fetch"
RUN = {
    "settings.json": b"{}",
    "metrics.json": b'{"auc": 0.7}',
    "tables/manifest.json": b"[]",
    "export/variables/variables.index": bytes(range(256)) * 400,
    "cache/digest/train.arrow": b"rows",
    ".servers/chief.json": b"{}",
    ".abc.partial": b"half",
}
CHECKPOINTS = {"step-00000024/state.json": b"{}", "step-00000024/tensors.index": b"index"}
LOGS = {"train/events.out.tfevents.1": b"events", "projector/projector_config.pbtxt": b""}
HOME = {
    **{name: content for name, content in RUN.items() if name[0] != "." and not name.startswith("cache/")},
    **{f"checkpoints/{name}": content for name, content in CHECKPOINTS.items()},
    **{f"logs/{name}": content for name, content in LOGS.items()},
}
"""What is at home of a run."""


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A bucket with a run as a cloud leaves it, and one in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    with buckets.served() as cloud:
        for name, value in cloud.environment.items():
            monkeypatch.setenv(name, value)
        fill(cloud.buckets["bucket"])
        yield cloud


def fill(bucket: Bucket) -> None:
    for folder, files in (("job/model/", RUN), ("job/checkpoints/", CHECKPOINTS), ("job/logs/", LOGS)):
        bucket[folder] = b""
        bucket.update({f"{folder}{name}": content for name, content in files.items()})
    bucket.update({f"runs/x/{name}": content for name, content in HOME.items()})
    bucket["runs/x/cache/digest/train.arrow"] = b"rows"


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("source", "name"),
    [("gs://bucket/job", "job"), ("gs://bucket/job/model/", "job"), ("gs://bucket/runs/x", "x")],
    ids=["base", "model", "run"],
)
def test_a_run_comes_home_as_one_folder(
    source: str, name: str, cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fetch", source]) == 0
    assert files_in(tmp_path / "runs" / name) == HOME
    told, look, place = capsys.readouterr().out.splitlines()
    assert told.startswith(f"{len(HOME)} files, 102.4 kB in ")
    assert look == f"look at it  tensorboard --logdir runs/{name}"
    assert place == str(tmp_path / "runs" / name)
    assert [*(tmp_path / "runs").iterdir()] == [tmp_path / "runs" / name]


def test_a_run_in_a_mounted_bucket_comes_home_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "MOUNT", f"{tmp_path}/gcs/")
    for folder, files in (("model", RUN), ("checkpoints", CHECKPOINTS), ("logs", LOGS)):
        for name, content in files.items():
            path = tmp_path / "gcs" / "bucket" / "job" / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    assert main(["fetch", f"{tmp_path}/gcs/bucket/job", f"{tmp_path}/home"]) == 0
    assert files_in(tmp_path / "home") == HOME


def test_encoded_rows_come_where_they_are_asked_for(cloud: Cloud, tmp_path: Path) -> None:
    assert main(["fetch", "gs://bucket/job", "home", "--cache"]) == 0
    assert files_in(tmp_path / "home") == {**HOME, "cache/digest/train.arrow": b"rows"}


def test_a_run_that_has_not_finished_is_told_to_go_on(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    del cloud.buckets["bucket"]["job/model/metrics.json"]
    assert main(["fetch", "gs://bucket/job", "a home"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == (
        "it has not finished; python -m trainer.task --resume --job-dir 'a home', with the flags that it had, goes on "
        "with it"
    )


def test_what_lies_in_the_run_comes_before_what_lies_beside_it(cloud: Cloud, tmp_path: Path) -> None:
    cloud.buckets["bucket"]["job/model/logs/projector/projector_config.pbtxt"] = b"newer"
    assert main(["fetch", "gs://bucket/job", "home"]) == 0
    assert files_in(tmp_path / "home") == {**HOME, "logs/projector/projector_config.pbtxt": b"newer"}


def test_objects_whose_names_are_no_files_stay_there(cloud: Cloud, tmp_path: Path) -> None:
    for name in ("../outside", "./here", "/root", "tables//twice", "tables/../up"):
        cloud.buckets["bucket"][f"job/model/{name}"] = b"odd"
    assert main(["fetch", "gs://bucket/job", "home"]) == 0
    assert files_in(tmp_path) == {f"home/{name}": content for name, content in HOME.items()}


# What is at home already


def test_a_run_at_home_is_replaced_whole(cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "settings.json").write_text("old")
    (tmp_path / "home" / "old").write_text("old")
    assert main(["fetch", "gs://bucket/job", "home"]) == 2
    assert capsys.readouterr().err == (
        f"{PROG}: {tmp_path}/home holds a run; add --overwrite to replace it, or give another folder.\n"
    )
    assert main(["fetch", "gs://bucket/job", "home", "--overwrite"]) == 0
    assert files_in(tmp_path) == {f"home/{name}": content for name, content in HOME.items()}


def test_what_a_kill_has_left_is_no_hindrance(cloud: Cloud, tmp_path: Path) -> None:
    for folder in (".home.partial", ".home.old.partial"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "settings.json").write_text(folder)
    assert main(["fetch", "gs://bucket/job", "home"]) == 2  # between two renamings: the old one is there again
    assert (tmp_path / "home" / "settings.json").read_text() == ".home.old.partial"
    assert main(["fetch", "gs://bucket/job", "home", "--overwrite"]) == 0
    assert files_in(tmp_path) == {f"home/{name}": content for name, content in HOME.items()}


# What goes wrong


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "a SOURCE is wanted, and a TARGET or none, not 0 words; see --help."),
        (["gs://bucket/runs"], "gs://bucket/runs holds several runs, x, y; give one, as gs://bucket/runs/x."),
        (["gs://bucket/trials"], "gs://bucket/trials holds several runs, 1, 2, 10; give one, as gs://bucket/trials/1."),
        (["gs://bucket/none"], "there is no folder gs://bucket/none; give the one of a run."),
        (
            ["gs://bucket/job/logs"],
            "gs://bucket/job/logs holds no run; give the folder of one, in which settings.json or model/settings.json "
            "lies.",
        ),
        (
            ["gs://bucket/job", "gs://bucket/home"],
            "TARGET is a folder here, and gs://bucket/home is not; gcloud storage cp -r copies to a bucket.",
        ),
        (["HERE/runs", "HERE/runs/x"], "HERE/runs and HERE/runs/x lie in one another; give another TARGET."),
        (["gs://bucket/job", "HERE/file"], "HERE/file is a file; a folder is wanted."),
        (["gs://bucket/job", "HERE/other"], "HERE/other holds other files and no run; give an empty or new folder."),
    ],
    ids=["nothing", "runs", "trials", "no folder", "no run", "to a bucket", "inside", "file", "other files"],
)
def test_what_cannot_be_fetched_is_a_sentence(
    words: list[str], sentence: str, cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("runs/y", "trials/1/model", "trials/2/model", "trials/10/model"):
        cloud.buckets["bucket"][f"{name}/settings.json"] = b"{}"
    (tmp_path / "file").touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").touch()
    assert main(["fetch", *(word.replace("HERE", str(tmp_path)) for word in words)]) == 2
    assert capsys.readouterr() == ("", f"{PROG}: {sentence.replace('HERE', str(tmp_path))}\n")


def failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What is said of a fetch that fails, which leaves what was at home."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "settings.json").write_text("old")
    assert main(["fetch", "gs://bucket/job", "home", "--overwrite"]) == 1
    assert files_in(tmp_path) == {"home/settings.json": b"old"}
    return capsys.readouterr().err


def test_a_file_that_goes_meanwhile_leaves_what_was_there(
    cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.fail(404, of="^GET /bucket/job/logs/train/")
    assert failed(tmp_path, capsys) == (
        "gs://bucket/job/logs/train/events.out.tfevents.1 has changed while it was fetched (it has gone); fetch it "
        "again.\n"
    )


class Growing(Bucket):
    """A bucket one of whose objects is longer each time that it is looked at."""

    def held(self, name: str) -> Held:
        """Returns an object."""
        if name == "job/model/metrics.json":
            self[name] = self[name] + b" "
        return super().held(name)


def test_a_file_that_changes_meanwhile_leaves_what_was_there(
    cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.buckets["bucket"] = Growing()
    fill(cloud.buckets["bucket"])
    assert " has changed while it was fetched (it had " in failed(tmp_path, capsys)


def test_a_full_disk_is_a_sentence(cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with disks.small(tmp_path / "disk", 80) as disk:
        disks.fill(disk)
        assert main(["fetch", "gs://bucket/job", f"{disk}/home"]) == 1
        disks.empty(disk)
        assert not [*disk.glob("*home*")]
    error = capsys.readouterr().err
    assert error.startswith(f"{PROG}: {disk}/home cannot be written (")
    assert error.endswith("); make room there or make it writable, or give another folder.\n")


def test_a_ctrl_c_leaves_nothing(cloud: Cloud, tmp_path: Path) -> None:
    cloud.delay = 0.05
    cloud.asked.clear()

    def interrupt() -> None:
        while not any(asked.path.startswith("/bucket/") for asked in cloud.asked):
            threading.Event().wait(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        assert main(["fetch", "gs://bucket/job", "home"]) == 130
    finally:
        thread.join()
        signal.signal(signal.SIGINT, before)
    assert [*tmp_path.iterdir()] == []


# How it goes


def test_several_files_come_at_a_time(cloud: Cloud, tmp_path: Path) -> None:
    cloud.delay = 0.05
    cloud.buckets["bucket"].update({f"job/model/pictures/{number}.png": b"x" for number in range(20)})
    assert main(["fetch", "gs://bucket/job", "home"]) == 0
    assert cloud.most_at_once > 8


def test_a_terminal_shows_how_far_it_came(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.delay = 0.1
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["fetch", "gs://bucket/job", "home"]) == 0
    first, *lines = capsys.readouterr().out.split("\r\033[K")
    assert first == ""
    assert lines[0].startswith("fetching  ")
    assert " of 102.4 kB  " in lines[0]
    assert lines[-1].startswith(f"{len(HOME)} files, ")
