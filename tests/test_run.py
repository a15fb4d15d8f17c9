import os
from pathlib import Path

import pytest

from trainer import paths
from trainer import run as runs
from trainer.errors import Refusal
from trainer.run import Run


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("AIP_MODEL_DIR", "AIP_CHECKPOINT_DIR", "AIP_TENSORBOARD_LOG_DIR"):
        monkeypatch.delenv(name, raising=False)


def made(path: str) -> Run:
    run = Run(os.path.abspath(path))
    runs.prepare(run, resume=False)
    run.write_json("settings.json", {"seed": 0})
    return run


def choose(job_dir: str | None, overwrite: bool = False, resume: bool = False) -> str:
    return os.path.relpath(runs.choose(job_dir, "flights", overwrite, resume).path)


def refused(job_dir: str | None, overwrite: bool = False, resume: bool = False) -> str:
    with pytest.raises(Refusal) as refusal:
        choose(job_dir, overwrite, resume)
    return str(refusal.value)


def test_runs_without_a_name_are_numbered() -> None:
    assert choose(None) == "runs/flights"
    made("runs/flights")
    assert choose(None) == "runs/flights-2"
    made("runs/flights-2")
    assert choose(None) == "runs/flights-3"
    assert choose(None, resume=True) == "runs/flights-2"


def test_choosing_makes_no_folder() -> None:
    choose(None)
    choose("somewhere")
    assert os.listdir() == []


def test_a_named_run_is_refused_without_overwrite_or_resume() -> None:
    path = made("mine").path
    assert (
        refused("mine") == f"--job-dir: {path} holds a run; add --overwrite to replace it or --resume to go on with it."
    )
    assert choose("mine", overwrite=True) == choose("mine", resume=True) == "mine"


def test_a_folder_with_other_files_is_never_replaced() -> None:
    Path("mine").mkdir()
    Path("mine/thesis.tex").write_text("years")
    path = os.path.abspath("mine")
    assert refused("mine") == f"--job-dir: {path} holds other files; give an empty or new folder."
    assert refused("mine", overwrite=True) == (
        f"--overwrite: {path} holds other files and no run; give a folder that a run has left."
    )


def test_a_file_in_the_place_of_the_folder_is_refused() -> None:
    Path("mine").write_text("a file")
    path = os.path.abspath("mine")
    assert refused("mine") == f"--job-dir: {path} is a file; a folder is wanted."
    assert refused("mine/deeper") == (
        f"--job-dir: {path}/deeper cannot be made, because {path} is a file; give another folder."
    )


def test_a_folder_that_cannot_be_written_is_refused() -> None:
    # The superuser may write anywhere but where the kernel itself refuses.
    path = "/proc" if os.geteuid() == 0 else os.path.abspath("locked")
    Path("locked").mkdir(mode=0o500)
    assert refused(f"{path}/run") == (
        f"--job-dir: {path}/run cannot be written, because {path} is read-only here; give another folder."
    )


def test_a_run_that_has_never_begun_is_started_by_resume_and_other_files_are_left_alone() -> None:
    assert choose("mine", resume=True) == "mine"
    Path("mine/cache").mkdir(parents=True)
    Path("mine/.abc.partial").touch()  # of a job that was killed as it wrote its first file
    assert choose("mine", resume=True) == choose("mine") == "mine"
    runs.prepare(Run(os.path.abspath("mine")), resume=False)
    assert os.listdir("mine") == ["cache"]
    Path("mine/thesis.tex").touch()
    assert refused("mine", resume=True) == (
        f"--resume: {os.path.abspath('mine')} holds other files and no run; give a run's job dir, or an empty or new "
        "folder."
    )


def test_checkpoints_of_another_run_that_a_cloud_keeps_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIP_CHECKPOINT_DIR", os.path.abspath("kept"))
    Path("kept/step-00000009").mkdir(parents=True)
    Path("kept/notes.txt").touch()
    assert refused("mine") == (
        f"--job-dir: {os.path.abspath('kept')} holds checkpoints of another run; give an empty or new folder."
    )
    assert choose(made("mine").path, resume=True) == "mine"
    runs.prepare(Run(os.path.abspath("mine")), resume=False)
    assert os.listdir("kept") == ["notes.txt"]


def test_overwriting_leaves_nothing_of_the_old_run() -> None:
    run = made("mine")
    Path("mine/metrics.json").write_text("{}")
    runs.prepare(run, resume=True)
    assert os.listdir("mine") == ["metrics.json", "settings.json"] or sorted(os.listdir("mine")) == [
        "metrics.json",
        "settings.json",
    ]
    runs.prepare(run, resume=False)
    assert os.listdir("mine") == []


def test_a_cloud_names_the_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIP_MODEL_DIR", str(tmp_path / "model"))
    monkeypatch.setenv("AIP_CHECKPOINT_DIR", str(tmp_path / "checkpoints"))
    monkeypatch.setenv("AIP_TENSORBOARD_LOG_DIR", str(tmp_path / "logs"))
    run = runs.choose(None, "flights", overwrite=False, resume=False)
    assert (run.path, run.checkpoints, run.logs) == (
        str(tmp_path / "model"),
        str(tmp_path / "checkpoints"),
        str(tmp_path / "logs"),
    )


def test_a_torn_file_of_a_run_is_refused() -> None:
    run = made("mine")
    Path("mine/metrics.json").write_text('{"auc": 0.6')
    with pytest.raises(
        Refusal, match=r"mine: no readable metrics.json is there \(.+\); give a job dir that a run has left"
    ):
        run.read_json("metrics.json")


def test_logs_that_a_cloud_keeps_elsewhere_go_with_the_run_that_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIP_TENSORBOARD_LOG_DIR", "logs")
    run = runs.choose("mine", "flights", overwrite=False, resume=False)
    for folder in ("logs/train", "logs/validation", "logs/projector", "logs/others"):
        Path(folder).mkdir(parents=True)
    runs.prepare(run, resume=False)  # a run of another place may keep its logs there
    assert len(os.listdir("logs")) == 4
    run.write_json("settings.json", {})
    runs.prepare(run, resume=False)
    assert os.listdir("logs") == ["others"]


def test_a_run_that_was_being_replaced_when_it_was_killed_can_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    run = made("mine")
    for name in ("tables", "a", "z"):
        os.mkdir(run.file(name))

    def killed(path: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(paths, "remove_folder", killed)
        with pytest.raises(KeyboardInterrupt):
            runs.prepare(run, resume=False)
    assert choose("mine", overwrite=True) == "mine"
    runs.prepare(run, resume=False)
    assert os.listdir("mine") == []
