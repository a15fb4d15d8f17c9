"""The training job as a person meets it: `python -m trainer.task`, what it prints, what it leaves, what it refuses."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import shown, trips
from trainer import datasets, problem, tables, task
from trainer.inputs import tfds

ROOT = Path(__file__).parents[1]
TOWER = str(ROOT / "tests" / "examples" / "own_tower.py")
TAKES_TIME = {"seconds", "examples_per_second", "peak_memory_bytes", "total_seconds"}
EVALUATED = ["loss", "auc", "accuracy", "examples"]
LEFT = {
    "cache",
    "checkpoints",
    "export",
    "history.jsonl",
    "logs",
    "metrics.json",
    "pictures",
    "problem.json",
    "report.html",
    "settings.json",
    "tables",
}
"""What is in the folder of a run."""


def environment() -> dict[str, str]:
    """The environment of a terminal, in which no test has quietened TensorFlow."""
    ours = ("TF_", "ABSL_", "AIP_", "KERAS_", "PYTHON")
    return {**{name: value for name, value in os.environ.items() if not name.startswith(ours)}, "PYTHONPATH": str(ROOT)}


def job(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trainer.task", *words]
    return subprocess.run(command, cwd=place, env=environment(), capture_output=True, text=True, check=False)


def everything_in(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.lstat().st_mtime_ns for path in sorted(folder.rglob("*"))}


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def values(run: Path) -> dict[str, Any]:
    checkpoint = tf.train.load_checkpoint(str(run / "tables"))
    return {name: checkpoint.get_tensor(name) for name in checkpoint.get_variable_to_shape_map()}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which the runs of these tests are left, and which is the current one."""
    folder = tmp_path_factory.mktemp("place").resolve()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("AIP_MODEL_DIR", "AIP_CHECKPOINT_DIR", "AIP_TENSORBOARD_LOG_DIR"):
            patch.delenv(name, raising=False)
        yield folder


@pytest.fixture(scope="module")
def flights(place: Path, nyc_flights_dir: str) -> subprocess.CompletedProcess[str]:
    """A short training on flights from JFK, into runs/flights."""
    return job(place, "--dataset", "nyc_flights/JFK", "--data-dir", nyc_flights_dir, "--train-steps", "60")


def newest_checkpoint(run: Path) -> Path:
    return max((run / "checkpoints").glob("step-*"))


@dataclass
class Interrupted:
    """A run that met Ctrl-C in its second epoch, as it was left."""

    words: list[str]
    code: int
    lines: list[str]
    errors: str
    files: set[str]
    table: tables.StoredTable
    position: list[int]
    updates: int


@pytest.fixture(scope="module")
def interrupted(place: Path) -> Interrupted:
    words = ["--problem", TOWER, "--job-dir", "runs/tower", "--train-batch-size", "16", "--num-epochs", "2"]
    command = [sys.executable, "-m", "trainer.task", *words]
    # A process that is started where Ctrl-C is ignored, as in the background of a shell, ignores it as well.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        started = subprocess.Popen(
            command, cwd=place, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with started as process:
        lines = []
        for line in process.stdout or ():
            lines.append(line)
            if line.startswith("epoch 1/2"):
                time.sleep(0.2)  # into the steps of the second
                process.send_signal(signal.SIGINT)
        errors = process.stderr.read() if process.stderr else ""
    run = place / "runs" / "tower"
    files = {path.name for path in run.iterdir()}
    folder = newest_checkpoint(run)
    checkpoint, state = tf.train.load_checkpoint(str(folder / "tensors")), read(folder / "state.json")
    position = [state["position"][name] for name in ("epoch", "step", "steps")]
    (iterations,) = [name for name, path in state["variables"].items() if path.endswith("iteration")]
    updates = int(checkpoint.get_tensor(iterations))
    lines = "".join(lines).splitlines()
    table = tables.read(str(run), "day_hour")
    return Interrupted(words, process.returncode, lines, errors, files, table, position, updates)


@pytest.fixture(scope="module")
def tower(place: Path, interrupted: Interrupted) -> Path:
    """The run that was interrupted, gone on with to its end."""
    assert task.main([*interrupted.words, "--resume"]) == 0
    return place / "runs" / "tower"


def test_help_imports_no_tensorflow(place: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "trainer.task", "--help"]
    done = subprocess.run(command, cwd=place, env=environment(), capture_output=True, text=True, check=False)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert done.returncode == 0
    assert done.stdout.startswith("usage: python -m trainer.task ")
    assert imported & {"tensorflow", "keras", "tensorboard", "tensorflow_datasets", "google", "pyarrow"} == set()


def test_the_path_of_the_run_is_the_first_and_the_last_line(
    place: Path, flights: subprocess.CompletedProcess[str]
) -> None:
    lines = flights.stdout.splitlines()
    assert (flights.returncode, flights.stderr) == (0, "")
    assert lines[0] == lines[-1] == str(place / "runs" / "flights")
    assert "look at it  tensorboard --logdir runs, or open runs/flights/report.html" in lines
    assert any(
        re.fullmatch(r"test +17,637 rows  loss 0\.\d{4}  auc 0\.\d{4}  accuracy 0\.\d{4}", line) for line in lines
    )


def test_the_readme_shows_what_a_run_prints(flights: subprocess.CompletedProcess[str]) -> None:
    (text,) = re.findall(r"^```\n(/.*?)^```$", shown.README, re.DOTALL | re.MULTILINE)
    lines = [".+" if line == "…" else re.escape(line) for line in shown.shape(text)]
    assert re.fullmatch("\n".join(lines), "\n".join(shown.shape(flights.stdout)), re.DOTALL)


def test_a_run_leaves_its_files(place: Path, flights: subprocess.CompletedProcess[str]) -> None:
    run = place / "runs" / "flights"
    assert {path.name for path in run.iterdir()} == LEFT
    assert (run / "pictures" / "day_hour.png").read_bytes().startswith(b"\x89PNG")
    assert read(run / "problem.json")["name"] == "flights"
    assert len((run / "history.jsonl").read_text().splitlines()) == 2  # 60 steps reach into the second epoch


def test_metrics_are_one_flat_object(place: Path, flights: subprocess.CompletedProcess[str]) -> None:
    metrics = read(place / "runs" / "flights" / "metrics.json")
    asked = ["train_examples", "steps", "seconds", "examples_per_second", "peak_memory_bytes", "data", "total_seconds"]
    own = [name for name in metrics if not name.startswith("tables/")]
    assert own == [*EVALUATED, *(f"validation_{name}" for name in EVALUATED), *asked]
    assert metrics["tables/day_hour/rows"] == 168
    assert metrics.pop("data") == "nyc_flights/JFK"
    assert all(isinstance(value, int | float) for value in metrics.values())
    assert (metrics["steps"], metrics["examples"]) == (60, 17_637)
    assert metrics["auc"] > 0.6


def test_settings_tell_how_to_repeat_the_run(place: Path, flights: subprocess.CompletedProcess[str]) -> None:
    stored = read(place / "runs" / "flights" / "settings.json")
    assert stored["command"].startswith("python -m trainer.task --dataset nyc_flights/JFK ")
    assert stored["settings"]["train_steps"] == 60
    assert {"embedding-columns", "tensorflow", "keras", "python"} <= set(stored["versions"])
    assert stored["data"]["name"] == "nyc_flights/JFK"
    assert re.fullmatch(r"[0-9a-f]{16}", stored["data"]["digest"])


def test_tables_are_a_checkpoint_with_labels(place: Path, flights: subprocess.CompletedProcess[str]) -> None:
    run = place / "runs" / "flights"
    found = values(run)
    lines = (run / "tables" / "day_hour.tsv").read_text().splitlines()
    assert sorted(read(run / "tables" / "manifest.json")["tables"]) == sorted(found)
    assert found["day_hour"].shape[0] == 168
    assert lines[0].split("\t") == ["day", "hour", "label", "count"]
    assert [lines[1].split("\t")[2], lines[-1].split("\t")[2]] == ["Mon 00", "Sun 23"]
    assert sum(int(line.split("\t")[3]) for line in lines[1:]) == read(run / "metrics.json")["train_examples"]


def test_tensorboard_finds_train_validation_and_projector(
    place: Path, flights: subprocess.CompletedProcess[str]
) -> None:
    logs = place / "runs" / "flights" / "logs"
    assert {path.name for path in logs.iterdir()} == {"train", "validation", "projector"}
    for folder in logs.iterdir():
        assert list(folder.glob("events.out.tfevents.*"))
    assert 'tensor_name: "day_hour"' in (logs / "projector" / "projector_config.pbtxt").read_text()


def test_the_exported_model_reproduces_the_metrics_of_the_run(
    place: Path, flights: subprocess.CompletedProcess[str], nyc_flights_dir: str
) -> None:
    run = place / "runs" / "flights"
    serve = tf.saved_model.load(str(run / "export")).signatures["serving_default"]
    names = read(run / "export" / "features.json")
    auc, loss = keras.metrics.AUC(num_thresholds=2000), keras.metrics.BinaryCrossentropy()
    builder = datasets.builder("nyc_flights/JFK", nyc_flights_dir)
    for features in tfds.read(builder, "test"):
        answer = serve(**{name: features[key] for key, name in names.items()})
        assert answer["probabilities"].shape == answer["logits"].shape == (len(features["late"]), 1)
        auc.update_state(features["late"][:, None], answer["probabilities"])
        loss.update_state(features["late"][:, None], answer["probabilities"])
    metrics = read(run / "metrics.json")
    assert float(auc.result()) == pytest.approx(metrics["auc"], abs=1e-5)
    assert float(loss.result()) == pytest.approx(metrics["loss"], abs=1e-5)


@pytest.mark.slow
def test_a_second_run_has_a_folder_of_its_own_and_the_same_metrics(
    place: Path,
    flights: subprocess.CompletedProcess[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trips.are_quick(monkeypatch)
    assert task.main(["--settings", "runs/flights/settings.json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == lines[-1] == str(place / "runs" / "flights-2")
    first, second = (read(place / "runs" / name / "metrics.json") for name in ("flights", "flights-2"))
    same = set(first) - TAKES_TIME
    assert {name: second[name] for name in same} == pytest.approx({name: first[name] for name in same}, abs=1e-6)
    assert first["train_examples"] == second["train_examples"]


def test_a_dry_run_shows_what_would_be_trained_and_writes_nothing(
    place: Path, flights: subprocess.CompletedProcess[str], nyc_flights_dir: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything_in(place), everything_in(Path(nyc_flights_dir))
    assert task.main(["--dataset", "nyc_flights/JFK", "--data-dir", nyc_flights_dir, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert (everything_in(place), everything_in(Path(nyc_flights_dir))) == before
    assert re.search(r"^deep  EmbeddingColumn +day_X_hour_embedding +\d+ floats$", out, re.MULTILINE)
    assert re.search(r"^wide  HashBucketColumn +tailnum +[\d,]+ ids$", out, re.MULTILINE)
    assert re.search(r"^table day_hour +168 rows × \d+ = \d+\.\d kB$", out, re.MULTILINE)
    assert re.search(r"^parameters [\d,]+, with the optimizer's slots \S+ [kM]B$", out, re.MULTILINE)
    assert re.search(r"^steps +[\d,]+ at most, of [\d,]+ rows; 91,779 rows less", out, re.MULTILINE)
    assert len(re.findall(r"^label \[[01]\]$", out, re.MULTILINE)) == 3
    assert "Tue 05" in out  # 2013 began on a Tuesday
    assert re.fullmatch(
        rf"Nothing was written; without --dry-run the run goes to {re.escape(str(place))}/runs/flights-\d",
        out.splitlines()[-1],
    )


def test_ctrl_c_ends_with_130_and_leaves_a_run_that_can_be_read(place: Path, interrupted: Interrupted) -> None:
    path = str(place / "runs" / "tower")
    assert (interrupted.code, interrupted.errors) == (130, "")
    assert interrupted.lines[-2:] == [f"Interrupted; add --resume --job-dir {path} to go on.", path]
    assert {"settings.json", "tables", "checkpoints"} <= interrupted.files
    assert "metrics.json" not in interrupted.files
    assert interrupted.table.values.shape == (168, 8)
    assert interrupted.table.labels[0] == "Mon 00"


def test_ctrl_c_comes_between_two_steps(interrupted: Interrupted) -> None:
    epoch, step, steps = interrupted.position
    assert epoch == 1
    assert steps == interrupted.updates
    assert 0 <= step < steps


def test_an_interrupted_run_is_gone_on_with_to_its_end(tower: Path, interrupted: Interrupted) -> None:
    epochs = [json.loads(line)["epoch"] for line in (tower / "history.jsonl").read_text().splitlines()]
    metrics = read(tower / "metrics.json")
    assert epochs == [1, 2]
    assert metrics["steps"] == 2 * -(-metrics["train_examples"] // 16)
    assert metrics["accuracy"] > 0.85
    assert (values(tower)["day_hour"] != interrupted.table.values).any()


@pytest.mark.slow  # the second notebook does the same with bikes
def test_a_table_that_is_warm_started_and_frozen_stays_bit_for_bit(place: Path, tower: Path) -> None:
    carried = ["--warm-start", f"day_hour={tower}", "--freeze", "day_hour"]
    words = ["--problem", TOWER, "--job-dir", "runs/carried", "--seed", "5", "--train-steps", "20"]
    assert task.main([*words, *carried]) == 0
    np.testing.assert_array_equal(values(place / "runs" / "carried")["day_hour"], values(tower)["day_hour"])


SPOILS = '''"""Spoils its table in the second epoch, as long as there is a file that says how."""

from pathlib import Path

import keras
import numpy as np

from tests import planted

HOW = Path(__file__).with_suffix(".txt")


class Spoils(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1 and HOW.exists():
            table = self.model.get_layer("dense_features").tables["day_hour"].table
            table.assign(np.full(table.shape, float(HOW.read_text())))


def hidden(values):
    return keras.ops.relu(keras.ops.nan_to_num(values))


def shown(values):
    return keras.ops.tanh(values)


PROBLEM = planted.problem(callbacks=[Spoils], num_epochs=3, train_batch_size=1024, dnn_activation_fn=%s)
'''

EVERY_EPOCH = ("--checkpoint-steps", "18")
NOT_FINITE = (
    "tables with values that are not finite: day_hour (day_X_hour_embedding); try a smaller --learning-rate, or look "
    "for such values in the data.\n"
)


def checkpoint_of_the_first_epoch(run: Path) -> None:
    """Asserts that it is the last one, whole and finite."""
    folder = newest_checkpoint(run)
    assert folder.name == "step-00000018"
    stored = tf.train.load_checkpoint(str(folder / "tensors"))
    arrays = [stored.get_tensor(name) for name in stored.get_variable_to_shape_map()]
    assert read(folder / "state.json")["position"]["steps"] == 18
    assert any(array.shape == (168, 4) for array in arrays)
    assert all(np.isfinite(array).all() for array in arrays)


def gone_on_with(words: list[str], run: Path, how: Path) -> None:
    how.unlink()
    assert task.main([*words, "--resume"]) == 0
    epochs = [json.loads(line)["epoch"] for line in (run / "history.jsonl").read_text().splitlines()]
    assert list(dict.fromkeys(epochs)) == [1, 2, 3]
    assert read(run / "metrics.json")["steps"] == 3 * 18
    assert np.isfinite(values(run)["day_hour"]).all()


def test_a_loss_that_is_not_finite_ends_with_1_and_leaves_a_checkpoint_to_go_on_from(place: Path) -> None:
    (place / "spoils.py").write_text(SPOILS % "shown")
    (place / "spoils.txt").write_text("nan")
    words, run = ["--problem", "spoils.py", "--job-dir", "runs/spoils", *EVERY_EPOCH], place / "runs" / "spoils"
    done = job(place, *words)
    sentence = "training: the loss became nan in step 19, whose update was not applied; " + NOT_FINITE
    assert (done.returncode, done.stderr) == (1, sentence)
    assert done.stdout.splitlines()[-1].startswith("epoch 1/3  ")
    checkpoint_of_the_first_epoch(run)
    assert not (run / "metrics.json").exists()
    gone_on_with(words, run, place / "spoils.txt")


def test_a_table_that_is_not_finite_under_a_loss_that_is_ends_with_1_too(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (place / "hides.py").write_text(SPOILS % "hidden")  # as ReLU does where TensorFlow fuses it with a product
    (place / "hides.txt").write_text("nan")
    words, run = ["--problem", "hides.py", "--job-dir", "runs/hides", *EVERY_EPOCH], place / "runs" / "hides"
    assert task.main(words) == 1
    sentence = "training: weights are not finite after step 36, so no checkpoint of it was written; " + NOT_FINITE
    assert capfd.readouterr().err == sentence
    checkpoint_of_the_first_epoch(run)
    gone_on_with(words, run, place / "hides.txt")


SOURCES = (
    "a run's job dir, a TensorFlow checkpoint or the folder of one, a SavedModel, .keras, .h5, .npz, .npy, "
    ".parquet, .safetensors, .tsv, word2vec or GloVe"
)
REFUSALS = {
    "--problm flights": "python -m trainer.task: there is no flag --problm; did you mean '--problem'?",
    "--problem flihgts": "--problem: there is no problem 'flihgts'; did you mean 'flights'?",
    "--problem mine.py": "--problem: there is no file mine.py; give a problem's name or the path of a Python file.",
    "--warm-start day_huor=empty": "--warm-start: problem flights has no table 'day_huor'; did you mean 'day_hour'?",
    "--freeze day_huor": "--freeze: problem flights has no table 'day_huor'; did you mean 'day_hour'?",
    "--freeze user --problem {examples}/own_model.py": "--freeze: problem own_model makes its model itself, so 'user' "
    "starts and freezes where that declares it; give ckpt_to_load_from or trainable=False to its embedding_column.",
    "--dimension user=2 --problem {examples}/own_model.py": "--dimension: problem own_model makes its model itself, so "
    "'user' has the dimension that is declared there; give another to its embedding_column.",
    "--warm-start day_hour": "--warm-start: TABLE=SOURCE is wanted, as in day_hour=runs/jfk, not 'day_hour'.",
    "--warm-start day_hour=empty": "warm start of 'day_hour': empty holds nothing that a table can start from; give "
    f"{SOURCES}.",
    "--warm-start day_hour=nowhere": f"warm start of 'day_hour': there is no nowhere; give {SOURCES}.",
    "--warm-start day_hour=runs/tower": "warm start of 'day_hour': 'day_hour' in runs/tower is 168 by 8, and the table "
    "is 168 by {dimension}; give the table a dimension of 8, or leave the warm start out.",
    "--job-dir file": "--job-dir: {place}/file is a file; a folder is wanted.",
    "--job-dir file/run": "--job-dir: {place}/file/run cannot be made, because {place}/file is a file; give another "
    "folder.",
    "--job-dir runs/tower": "--job-dir: {place}/runs/tower holds a run; add --overwrite to replace it or --resume to "
    "go on with it.",
    "--job-dir full": "--job-dir: {place}/full holds other files; give an empty or new folder.",
    "--job-dir full --overwrite": "--overwrite: {place}/full holds other files and no run; give a folder that a run "
    "has left.",
    "--job-dir full --resume": "--resume: {place}/full holds other files and no run; give a run's job dir, or an empty "
    "or new folder.",
    "--allow-changed": "--allow-changed: it is of a run that is gone on with; give --resume too.",
    "--patience 2": "--patience: it is of --early-stopping; give --early-stopping METRIC too, or leave it out.",
    "--early-stopping acu": "--early-stopping: there is no validation metric 'acu'; did you mean 'auc'?",
    "--early-stopping auc:more": "--early-stopping: auc:max or auc:min is wanted, not 'auc:more'.",
    "--train-steps 0": "--train-steps: a whole number of at least 1 is wanted, not '0'.",
    "--num-epochs -1": "--num-epochs: a whole number of at least 1 is wanted, not '-1'.",
    "--train-batch-size=-5": "--train-batch-size: a whole number of at least 1 is wanted, not '-5'.",
    "--learning-rate 0": "--learning-rate: a number above 0 is wanted, not '0'.",
    "--optimizer LazyAdm": "--optimizer: there is no optimizer 'LazyAdm'; did you mean 'LazyAdam'?",
    "--optimizer mine.py:Mine": "--optimizer: there is no file mine.py; give FILE.py:NAME.",
    "--dataset nyc_flights/JKF": "nyc_flights: no config 'JKF' among all, EWR, JFK, LGA; did you mean 'JFK'?",
    "--train-batch-size 9 --resume --job-dir runs/tower --problem {examples}/own_tower.py --num-epochs 2": "--resume: "
    "the run was started with train_batch_size 16, not 9; give the same, go on with --allow-changed, or start anew "
    "with --overwrite.",
}


@pytest.fixture
def mistakes(place: Path, tower: Path) -> Path:
    """The current folder with what a job dir or a source can be, besides what it should be."""
    for folder in ("empty", "full"):
        (place / folder).mkdir(exist_ok=True)
    for file in ("file", "full/notes.txt"):
        (place / file).touch()
    return place


@pytest.mark.parametrize("flags", REFUSALS)
def test_a_mistake_is_one_sentence_and_exit_code_2_and_nothing_is_written(
    flags: str, mistakes: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = everything_in(mistakes)
    examples = str(ROOT / "tests" / "examples")
    words = [word.format(examples=examples) for word in flags.split()]
    assert task.main(words) == 2
    dimension = problem.load("flights").embeddings["day_hour"][0].dimension
    assert capfd.readouterr().err == REFUSALS[flags].format(place=mistakes, dimension=dimension) + "\n"
    assert everything_in(mistakes) == before


@pytest.mark.slow
def test_a_mistake_that_tensorflow_has_to_find_is_one_sentence_too(place: Path) -> None:
    before = everything_in(place)
    done = job(place, "--dataset", "nyc_flihgts")
    sentence = "--dataset: no data set 'nyc_flihgts' here or in TFDS; did you mean 'nyc_flights'?\n"
    assert (done.returncode, done.stderr) == (2, sentence)
    assert everything_in(place) == before


def test_a_mistake_ends_the_process_with_2_before_tensorflow_is_there(place: Path) -> None:
    done = job(place, "--problm", "flights")
    sentence = "python -m trainer.task: there is no flag --problm; did you mean '--problem'?\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", sentence)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is a folder of Linux in which nobody can write")
def test_a_job_dir_that_nobody_can_write_is_refused_to_an_administrator_too(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert task.main(["--job-dir", "/proc/run"]) == 2
    sentence = "--job-dir: /proc/run cannot be written, because /proc is read-only here; give another folder.\n"
    assert capfd.readouterr() == ("", sentence)


@pytest.mark.slow
def test_the_week_of_jfk_can_be_carried_to_lga(
    place: Path, flights: subprocess.CompletedProcess[str], nyc_flights_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips.are_quick(monkeypatch)
    words = ["--dataset", "nyc_flights/LGA", "--data-dir", nyc_flights_dir, "--train-steps", "60"]
    carried = ["--warm-start", "day_hour=runs/flights", "--freeze", "day_hour", "--job-dir", "runs/lga"]
    assert task.main([*words, *carried]) == 0
    jfk, lga = values(place / "runs" / "flights"), values(place / "runs" / "lga")
    np.testing.assert_array_equal(jfk["day_hour"], lga["day_hour"])
    assert (jfk["hour"] != lga["hour"]).any()
    assert read(place / "runs" / "lga" / "metrics.json")["auc"] > 0.6
