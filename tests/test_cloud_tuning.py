"""The rehearsal of a hyperparameter tuning job: its first trial."""

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trainer.cloud import Submission, environment, local
from trainer.cloud.package import Package
from trainer.cloud.study import Study
from trainer.commands import submit
from trainer.errors import Refusal, TrainingFailure
from trainer.problem import Range

ROOT = Path(__file__).parents[1]
TUNE = Submission(tune=True)
TRIAL = (
    *("--learning_rate", "0.003", "--train_batch_size", "1024.0", "--num_epochs", "6", "--hidden_units", "32"),
    *("--dimension.day_hour", "8.0", "--dimension.carrier_hour", "8.0", "--dimension.origin_hour", "8.0"),
)

OWN = '''"""A problem whose table can be searched."""
import numpy as np
import tensorflow as tf
from trainer import feature_column as fc
from trainer.problem import Problem, Range

def rows(split):
    hours = np.random.default_rng(len(split)).integers(24, size=2000)
    return tf.data.Dataset.from_tensor_slices(({"hour": hours}, (hours > 12).astype(int))).batch(500)

def problem(*, width: int = 4):
    hour = fc.embedding_column(fc.categorical_column_with_identity("hour", 24), width, name="hour")
    search = {"width": (2, 3), "learning_rate": Range(1e-3, 1e-1, scale="log")}
    return Problem(rows, [hour], dnn_hidden_units=[8], train_batch_size=128, num_epochs=2, search=search)
'''


@pytest.fixture
def caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that submit is started in."""
    monkeypatch.chdir(tmp_path)
    for name in ("AIP_MODEL_DIR", "AIP_CHECKPOINT_DIR", "AIP_TENSORBOARD_LOG_DIR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_trial_has_the_flags_of_the_middle_after_those_that_were_typed(caller: Path) -> None:
    job = local.rehearsal(TUNE, ["--seed", "1"])
    assert job.argv == ("--seed", "1", *TRIAL, f"--data-dir={caller}/data", f"--job-dir={caller}/runs/flights")
    assert local.rehearsal(TUNE, ["--num-epochs", "2"]).argv[:6] == ("--num-epochs", "2", *TRIAL[:4])


def test_a_trial_is_told_its_number_its_file_and_folders_of_its_own(caller: Path) -> None:
    job = local.rehearsal(Submission(tune=True, base_output_dir="out"), [])
    assert job.variables == {
        "CLOUD_ML_JOB_ID": "rehearsal",
        "AIP_MODEL_DIR": f"{caller}/out/1/model/",
        "AIP_CHECKPOINT_DIR": f"{caller}/out/1/checkpoints/",
        "AIP_TENSORBOARD_LOG_DIR": f"{caller}/out/1/logs/",
        "CLOUD_ML_TRIAL_ID": "1",
        "CLOUD_ML_HP_METRIC_FILE": "hypertune/output.metrics",
    }
    assert not [word for word in job.argv if word.startswith("--job-dir")]


def test_each_replica_is_told_the_trial_in_what_it_is_told_of_the_others(caller: Path) -> None:
    for tune, trial in ((True, {"trial": "1"}), (False, {})):
        settings = Submission(tune=tune, workers=2)
        chief, worker = local.told(local.rehearsal(settings, [])).values()
        assert json.loads(chief["CLUSTER_SPEC"])["task"] == {"type": "workerpool0", "index": 0, **trial}
        assert json.loads(worker["TF_CONFIG"])["task"] == {"type": "worker", "index": 0, **trial}


def test_a_dry_run_prints_the_command_of_the_trial(caller: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert submit.main(["--tune", "--metric", "loss", "--dry-run"]) == 0
    words = shlex.split(capsys.readouterr().out)
    assert words[words.index("trainer.task") + 1 :][: len(TRIAL)] == [*TRIAL]
    assert "CLOUD_ML_HP_METRIC_FILE=hypertune/output.metrics" in words


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--metric auc", "--metric: it says something of --tune; give --tune as well, or leave --metric out."),
        ("--tune --metric acu", "--metric: there is no validation metric 'acu'; did you mean 'auc'?"),
        (
            "--tune -- --job-dir runs/one",
            "--tune: each trial leaves a run of its own, and --job-dir is one for all; leave it out.",
        ),
    ],
)
def test_what_cannot_be_tuned_is_refused(caller: Path, words: str, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        submit.main(words.split())
    assert str(refusal.value) == sentence


# What a trial has reported

STUDY = Study({"num_epochs": Range(2, 10), "train_batch_size": (64, 128)}, "validation_auc", True)
REPORTS = (
    '{"global_step": "10", "timestamp": 1.0, "trial": "1", "checkpoint_path": "", "validation_auc": "0.5"}\n'
    '{"global_step": "1020", "timestamp": 1.0, "trial": "1", "checkpoint_path": "", "validation_auc": "0.625"}\n'
    '{"global_step": "1020", "timestamp": 1.0, "trial": "1", "checkpoint_path": "", "validation_loss": "0.1"}\n'
)


def test_the_last_report_is_what_a_trial_is_judged_by() -> None:
    assert STUDY.verdict(REPORTS) == (
        "trial 1 (num_epochs 6, train_batch_size 64.0) has reported validation_auc 0.625 after 1,020 steps; the "
        "highest of all trials would win."
    )


@pytest.mark.parametrize(
    ("reports", "told"),
    [("", "nothing"), (REPORTS.replace("validation_auc", "validation_rmse"), "validation_loss, validation_rmse")],
)
def test_a_trial_that_has_reported_no_such_metric_has_failed(reports: str, told: str) -> None:
    with pytest.raises(TrainingFailure) as failure:
        STUDY.verdict(reports)
    assert str(failure.value) == (
        f"--tune: the trial has reported {told}, and not validation_auc, by which it would be judged; a metric is "
        "reported after each epoch in which it is finite."
    )


@pytest.fixture
def these_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process's own packages in place of a clean environment, which takes long to make and has its own tests."""

    @contextmanager
    def ready(package: Package) -> Iterator[Path]:
        yield Path(sys.executable)

    monkeypatch.setattr(environment, "ready", ready)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.mark.slow
@pytest.mark.usefixtures("these_packages")
def test_a_rehearsed_trial_leaves_its_run_in_a_folder_of_its_own_and_says_what_it_has_reported(
    caller: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (caller / "mine.py").write_text(OWN)
    assert submit.main(["--tune", "--base-output-dir", "out", "--", "--problem", "mine.py"]) == 0
    metrics = json.loads((caller / "out" / "1" / "model" / "metrics.json").read_text())
    assert capfd.readouterr().err.splitlines()[-1] == (
        "submit: trial 1 (width 2.0, learning_rate 0.01) has reported validation_auc "
        f"{metrics['validation_auc']:.6g} after {metrics['steps']:,} steps; the highest of all trials would win."
    )
    assert metrics["tables/hour/dimension"] == 2
    assert sorted(path.name for path in caller.iterdir()) == ["mine.py", "out"]
