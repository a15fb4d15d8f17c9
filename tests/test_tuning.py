"""Dimensions that are tried one by one, searches, and what is left of both."""

import contextlib
import csv
import dataclasses
import importlib.util
import io
import json
import os
import signal
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests import forks, servers, trips
from tests import shown as readme
from trainer import __main__ as program
from trainer.errors import Refusal
from trainer.feature_column.embedding import by_rule
from trainer.problem import Range
from trainer.tuning import asked, proposals, trials
from trainer.tuning.trials import Ran, Trial

TURNS = '''"""A planted answer that takes two numbers a key: the place of each on a circle."""
import os

import keras
import numpy as np
import tensorflow as tf

from trainer import feature_column as fc
from trainer.heads import RegressionHead
from trainer.problem import Problem, Range


def rows(split):
    draw = np.random.default_rng({"train": 1, "test": 2}[split])
    keys, sides = draw.integers(0, 16, 2000), draw.normal(size=(2000, 2)).astype(np.float32)
    turns = keys * np.pi / 8
    label = np.cos(turns) * sides[:, 0] + np.sin(turns) * sides[:, 1] + 0.3 * draw.normal(size=2000)
    return {"key": keys, "across": sides[:, 0], "along": sides[:, 1]}, label.astype(np.float32)


def tower(inputs):
    return keras.ops.sum(inputs[:, :2] * keras.layers.Dense(2, use_bias=False)(inputs[:, 2:]), 1, keepdims=True)


class Stopping(keras.callbacks.Callback):
    """Ends the process as a person would, once."""

    def on_epoch_end(self, epoch, logs=None):
        if os.path.exists("stop") and os.path.exists("runs/turns-tune/trial-02-seed-0/settings.json"):
            os.remove("stop")
            raise KeyboardInterrupt


PROBLEM = Problem(
    dataset=lambda split: tf.data.Dataset.from_tensor_slices(rows(split)).batch(500),
    dnn_feature_columns=[
        fc.embedding_column(fc.categorical_column_with_identity("key", 16), 3, name="key"),
        fc.numeric_column("across"),
        fc.numeric_column("along"),
    ],
    tower=tower,
    head=RegressionHead(),
    learning_rate=0.05,
    num_epochs=EPOCHS,
    train_batch_size=100,
    search=SEARCH,
)
'''
SEARCH = '{"learning_rate": (0.05, 1e30), "dimension.key": Range(1, 2)}'
CURVE = ("--problem", "turns.py", "--dimension", "key=1,2,4,auto", "--seeds", "2")
GRID = ("--problem", "turns.py", "--oracle", "grid", "--trials", "4")


def write(folder: Path, epochs: int = 5, search: str = SEARCH) -> None:
    text = TURNS.replace("EPOCHS", str(epochs)).replace("SEARCH", search)
    (folder / "turns.py").write_text(text)


def tune(*words: str) -> int:
    return program.main(["tune", *words])


@dataclasses.dataclass
class Tuned:
    folder: Path
    out: str

    @property
    def found(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "trials.json").read_text())
        return content


def tuned(folder: Path, *words: str) -> Tuned:
    """Tunes in a folder, whose problem is turns.py, and returns what was printed."""
    before, out = Path.cwd(), io.StringIO()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out):
            assert tune(*words) == 0
    finally:
        os.chdir(before)
    return Tuned(folder / "runs" / "turns-tune", out.getvalue())


@pytest.fixture(scope="module")
def curve(tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    folder = tmp_path_factory.mktemp("curve")
    write(folder)
    return tuned(folder, *CURVE)


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    folder = tmp_path_factory.mktemp("search")
    write(folder, epochs=3)
    return tuned(folder, *GRID)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, epochs=1)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert tune(*words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err


# Dimensions


def test_the_dimension_that_a_planted_answer_takes_is_found(curve: Tuned) -> None:
    means = {
        trial["values"]["dimension.key"]: [ran["value"] for ran in trial["ran"]] for trial in curve.found["trials"]
    }
    assert [*means] == [1, 2, 4]
    assert min(means[1]) > 2 * max(means[2])
    assert min(means[1]) > 2 * max(means[4])
    (taken,) = [line for line in curve.out.splitlines() if line.startswith("taken: ")]
    assert taken.startswith("taken: dimension.key 2, by validation_rmse 0.3")
    assert taken.endswith("; validation alone has decided")


def test_a_table_tells_rows_bytes_metric_and_what_the_rule_of_thumb_says(curve: Tuned) -> None:
    lines = curve.out.splitlines()
    start = lines.index("table key: validation_rmse, mean ± spread of 2 seeds")
    assert lines[start + 1].split() == ["dimension", "rows", "×", "dimension", "bytes", "validation_rmse"]
    cells = [line.split() for line in lines[start + 2 : start + 5]]
    assert [row[:6] for row in cells] == [
        ["1", "16", "×", "1", "64", "B"],
        ["2", "16", "×", "2", "128", "B"],
        ["4", "16", "×", "4", "256", "B"],
    ]
    assert [" ".join(row[9:]).split("; ")[0] for row in cells][:2] == ["", "fourth root of 16 rows"]
    assert "best" in lines[start + 3] + lines[start + 4]
    assert lines[start + 5].startswith("noise of a difference: 0.0")


def test_each_training_has_a_line_and_the_test_metrics_come_last(curve: Tuned) -> None:
    lines = curve.out.splitlines()
    assert lines[0] == lines[-1] == str(curve.folder)
    assert [line.partition("  validation_rmse")[0] for line in lines[1:7]] == [
        f"{place} of 6  dimension.key {dimension}, seed {seed}"
        for place, (dimension, seed) in enumerate([(d, s) for d in (1, 2, 4) for s in (0, 1)], 1)
    ]
    assert " s, about " in lines[1]
    assert lines[-2] == "python -m trainer.task --problem turns.py --dimension key=2"
    metrics = [
        json.loads((curve.folder / f"trial-02-seed-{seed}" / "metrics.json").read_text())["rmse"] for seed in (0, 1)
    ]
    assert lines[-3].startswith("test metrics of it, which decided nothing: loss ")
    assert lines[-3].endswith(f"rmse {sum(metrics) / 2:.4f}")


def test_the_curve_is_drawn(curve: Tuned) -> None:
    assert f"drawn in {curve.folder / 'dimension.png'}" in curve.out.splitlines()
    with Image.open(curve.folder / "dimension.png") as image:
        assert image.size == (1600, 900)


def test_trials_are_rows_of_a_file(curve: Tuned) -> None:
    with (curve.folder / "trials.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["trial"], row["dimension.key"], row["seed"], row["run"]) for row in rows] == [
        (str(trial), dimension, str(seed), f"trial-0{trial}-seed-{seed}")
        for trial, dimension in ((1, "1"), (2, "2"), (3, "4"))
        for seed in (0, 1)
    ]
    assert all(float(row["value"]) > 0 and not row["reason"] for row in rows)


def test_trials_are_runs_that_are_shown_side_by_side(curve: Tuned, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["runs", str(curve.folder)]) == 0
    shown = capsys.readouterr().out
    assert "problem turns, 6 finished runs on <lambda>" in shown
    assert shown.splitlines()[1].split()[:4] == ["run", "started", "seed", "dimension"]
    assert "the data differ" not in shown
    left = {path.name for path in (curve.folder / "trial-01-seed-0").iterdir()}
    assert {"metrics.json", "tables", "settings.json", "logs"} <= left
    assert not left & {"export", "pictures", "report.html"}


def test_more_dimensions_and_seeds_go_on_with_what_is_there_and_other_settings_are_refused(
    curve: Tuned, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(curve.folder.parents[1])
    before = curve.found
    words = ["--problem", "turns.py", "--dimension.key=2,4", "--seeds=2"]
    assert tune(*words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition("  ")[2] for line in lines[1:5]] == ["as before"] * 4
    assert curve.found == before
    sentence = refused(capsys, *words, "--num-epochs", "1", "--metric", "r2")
    assert sentence == (
        f"python -m trainer tune: {curve.folder} was started with metric 'rmse:min', not 'r2:max', and num_epochs 5, "
        "not 1; give the same, another --tune-dir, or begin anew with --overwrite.\n"
    )


def test_the_rule_of_thumb_of_a_learned_vocabulary_is_told_by_the_rows_that_were_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    trips.write(tmp_path / "trips.csv")
    (tmp_path / "mine.py").write_text(
        '"""Trips."""\nimport dataclasses\nfrom tests import trips\nfrom trainer import feature_column as fc\n'
        'city = fc.categorical_column_with_vocabulary_list("city", fc.from_data())\n'
        'column = fc.embedding_column(city, name="city")\n'
        "PROBLEM = dataclasses.replace(trips.PROBLEM, dnn_feature_columns=[column], bags=(), name='mine')\n"
    )
    words = ["--problem", "mine.py", "--train-files", "trips.csv", "--num-epochs=1", "--seeds", "1"]
    assert tune(*words, "--dimension", "city=1,auto") == 0
    found = json.loads((tmp_path / "runs" / "mine-tune" / "trials.json").read_text())["trials"]
    rows = found[0]["ran"][0]["tables"]["city"][0]
    assert [trial["values"] for trial in found] == [{"dimension.city": 1}, {"dimension.city": by_rule(rows)}]
    shown = capsys.readouterr().out
    assert f"fourth root of {rows} rows; declared" in shown
    assert "one seed does not tell what is noise; --seeds 3 does" in shown
    values = [trial["ran"][0]["value"] for trial in found]
    is_largest = "the best is the largest that was tried; larger ones may be better" in shown
    assert is_largest == (values[1] > values[0])
    # The rows are encoded once, by the first trial.
    assert len([*tmp_path.glob("runs/mine-tune/*/cache")]) == 1


@pytest.mark.slow
def test_pixels_take_more_dimensions_than_the_fourth_root_of_their_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--problem", "digits", "--dimension", "pixel=2,4,16,auto", "--seeds", "2", "--num-epochs", "15"]
    assert tune(*words) == 0
    found = json.loads((tmp_path / "runs" / "digits-tune" / "trials.json").read_text())["trials"]
    by_dimension = {trial["values"]["dimension.pixel"]: trial["ran"][0]["value"] for trial in found}
    assert [*by_dimension] == [2, 3, 4, 16]
    assert by_dimension[16] > by_dimension[3] + 0.03
    assert by_dimension[16] > 0.95
    printed = capsys.readouterr().out
    assert "64 × 3   768 B" in printed
    after = readme.after("python -m trainer tune --problem digits")
    assert len(after) == 5
    assert "\n".join(after) in "\n".join(readme.shape(printed))


# Searches


def test_a_search_tries_what_the_problem_declares_and_a_failing_trial_does_not_end_it(search: Tuned) -> None:
    found = {tuple(trial["values"].values()): trial["ran"][0] for trial in search.found["trials"]}
    assert {*found} == {(0.05, 1), (0.05, 2), (1e30, 1), (1e30, 2)}
    failed = [ran for values, ran in found.items() if values[0] == 1e30]
    assert [ran["value"] for ran in failed] == [None, None]
    assert all(ran["reason"].startswith("training: the loss became nan in step") for ran in failed)
    lines = search.out.splitlines()
    assert sum("  failed: training: the loss became nan" in line for line in lines) == 2
    header = next(place for place, line in enumerate(lines) if line.split()[:1] == ["trial"])
    assert lines[header].split() == ["trial", "learning_rate", "dimension.key", "validation_rmse", "seconds"]
    assert [line.split()[1:3] for line in lines[header + 1 : header + 3]] == [["0.05", "2"], ["0.05", "1"]]
    assert [line.split()[3] for line in lines[header + 3 : header + 5]] == ["failed", "failed"]
    assert lines[-2] == "python -m trainer.task --problem turns.py --learning-rate 0.05 --dimension key=2"


@pytest.mark.slow
def test_tensorboard_lists_the_trials_with_their_values_and_metrics(search: Tuned) -> None:
    with servers.tensorboard(search.folder) as address:
        experiment = _asked(address, "experiment", {})
        assert {info["name"] for info in experiment["hparamInfos"]} == {"learning_rate", "dimension.key"}
        assert [info["name"]["tag"] for info in experiment["metricInfos"]] == ["validation_rmse"]
        wanted = {"startIndex": 0, "sliceSize": 10, "allowedStatuses": ["STATUS_UNKNOWN"]}
        columns = {"colParams": [{"metric": {"tag": "validation_rmse"}}]}
        groups = _asked(address, "session_groups", {**wanted, **columns})["sessionGroups"]
    found = {
        (group["hparams"]["learning_rate"], group["hparams"]["dimension.key"]): {
            value["name"]["tag"]: value["value"] for value in group.get("metricValues", [])
        }
        for group in groups
    }
    assert {*found} == {(0.05, 1.0), (0.05, 2.0), (1e30, 1.0), (1e30, 2.0)}
    for trial in search.found["trials"]:
        value = trial["ran"][0]["value"]
        wanted_metrics = {} if value is None else {"validation_rmse": pytest.approx(value)}
        assert found[tuple(trial["values"].values())] == wanted_metrics


def _asked(address: str, what: str, body: Mapping[str, Any]) -> Any:
    """Returns what TensorBoard's HParams tab is answered, which has found its runs some seconds after it started."""
    url = f"{address}data/plugin/hparams/{what}"
    for _ in range(100):
        request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            content = json.loads(answer.read())
        if content.get("hparamInfos") or len(content.get("sessionGroups", [])) == 4:
            return content
        time.sleep(0.1)
    raise AssertionError(f"{what} stays empty")


def test_an_interrupted_search_goes_on_with_what_it_has_found(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(place, epochs=2, search='{"dimension.key": (1, 2)}')
    text = (place / "turns.py").read_text()
    (place / "turns.py").write_text(text.replace("    search=", "    callbacks=[Stopping],\n    search="))
    (place / "stop").touch()
    words = ["--problem", "turns.py", "--trials", "2", "--oracle", "random"]
    assert tune(*words) == 130
    folder = place / "runs" / "turns-tune"
    shown = capsys.readouterr().out.splitlines()
    assert shown[-2:] == ["Interrupted; the same command goes on.", str(folder)]
    before = json.loads((folder / "trials.json").read_text())["trials"]
    assert tune(*words) == 0
    after = json.loads((folder / "trials.json").read_text())["trials"]
    assert after[: len(before) - 1] == before[:-1]
    assert [trial["values"] for trial in after][: len(before)] == [trial["values"] for trial in before]
    assert all(trial["ran"][0]["value"] for trial in after)
    output = next((folder / "output").glob(f"trial-0{len(before)}-*")).read_text()
    assert "goes on after step" in output


@pytest.mark.slow
def test_a_search_that_is_killed_goes_on(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(place, epochs=40, search='{"learning_rate": Range(0.01, 0.1, scale="log"), "dimension.key": (2, 4)}')
    folder = place / "runs" / "turns-tune"
    words = ["--problem", "turns.py", "--trials", "3", "--checkpoint-steps", "20"]
    with (place / "out.txt").open("w") as out:
        process = forks.start("trainer", ["tune", *words], place, os.environ, out.fileno())
        wanted = folder / "trial-02-seed-0" / "checkpoints"
        until = time.monotonic() + 120
        while not [*wanted.glob("step-*")] and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = json.loads((folder / "trials.json").read_text())["trials"]
    assert [len(trial["ran"]) for trial in before] == [1, 0]
    assert tune(*words) == 0
    after = json.loads((folder / "trials.json").read_text())["trials"]
    assert (after[0], after[1]["values"], len(after)) == (before[0], before[1]["values"], 3)
    assert all(trial["ran"][0]["value"] for trial in after)
    assert "as before" in capsys.readouterr().out.splitlines()[1]
    assert "goes on after step" in (folder / "output" / "trial-02-seed-0.txt").read_text()


@pytest.mark.parametrize("oracle", asked.ORACLES)
def test_an_oracle_that_is_told_of_the_same_trials_proposes_the_same(place: Path, oracle: str) -> None:
    search = '{"learning_rate": Range(1e-4, 1e-1, scale="log"), "dimension.key": (1, 2), "num_epochs": Range(1, 9)}'
    write(place, search=search)
    given = asked.read(["--problem", "turns.py", "--oracle", oracle, "--trials", "6"])

    def proposed(until: int, done: list[Trial]) -> list[Trial]:
        proposals_now = proposals.Search(given)
        found: list[Trial] = []
        while len(found) < until and (values := proposals_now.next(found)) is not None:
            kept = done[len(found)] if len(found) < len(done) else None
            value = float(len(found)) if kept is None else kept.found[0]
            found.append(Trial(len(found) + 1, values, (Ran("run", 0, value, 1.0),)))
        return found

    first = proposed(3, [])
    everything = proposed(6, [])
    assert proposed(6, first) == everything
    assert everything[:3] == first
    assert len({tuple(trial.values.items()) for trial in everything}) == 6
    for trial in everything:
        assert 1e-4 <= trial.values["learning_rate"] <= 1e-1
        assert trial.values["dimension.key"] in (1, 2)
        assert trial.values["num_epochs"] in range(1, 10)


def test_planted_data_are_told_where_something_is_found_on_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert tune("--problem", "bikes", "--no-download", "--train-steps", "2", "--trials", "1") == 0
    told = "planted data, not real: what trial-01-seed-0 has printed tells why"
    assert told in capsys.readouterr().out.splitlines()


# What is asked for


def test_a_dry_run_tells_what_would_be_tried_and_writes_nothing(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune(*CURVE, "--dry-run") == 0
    folder = place / "runs" / "turns-tune"
    assert capsys.readouterr().out.splitlines() == [
        "problem turns: A planted answer that takes two numbers a key: the place of each on a circle.",
        "  dimension.key  1, 2, 4, auto (declared: 3)",
        "each with seeds 0, 1",
        "validation_rmse decides, the lowest; the test data do not",
        "no training is there yet",
        str(folder),
    ]
    assert tune("--problem", "turns.py", "--dry-run", "--metric", "r2", "--seed", "7") == 0
    assert capsys.readouterr().out.splitlines()[1:-2] == [
        "10 trials, proposed by KerasTuner's bayesian oracle, of",
        "  learning_rate  0.05, 1e+30",
        "  dimension.key  from 1 to 2",
        "each with seed 7",
        "validation_r2 decides, the highest; the test data do not",
    ]
    assert not folder.exists()


def test_what_the_command_line_says_is_not_searched_and_the_rest_is_of_the_task(place: Path) -> None:
    del place
    words = ["--problem", "turns.py", "--dimension", "key=2", "--train_steps", "3", "--trials=5", "--dry_run"]
    found = asked.read(words)
    assert [*found.search] == ["learning_rate"]
    assert found.argv == ("--problem", "turns.py", "--train_steps", "3", "--dimension=key=2")
    assert (found.settings.train_steps, found.problem.embeddings["key"][0].dimension) == (3, 2)
    assert asked.read([*CURVE, "--seed", "4"]).seeds == range(4, 6)


def test_what_cannot_be_tried_is_refused_in_one_sentence(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem = ("--problem", "turns.py")
    for words, sentence in (
        (["--dimension", "kee=1,2"], "--dimension: problem turns has no table 'kee'; did you mean 'key'?"),
        (
            ["--dimension", "key=1,x"],
            "--dimension: a whole number of at least 1 is wanted for 'key', or auto, not 'x'.",
        ),
        (
            ["--dimension", "key=1,1"],
            "--dimension: table 'key' or one of its dimensions is given twice; give each once.",
        ),
        (
            ["--dimension", "key=1,2", "--trials", "3"],
            "--trials: it is of a search, and --dimension says all that is tried; leave one of them out.",
        ),
        (["--job-dir", "x"], "python -m trainer tune: there is no flag --job-dir; did you mean '--tune-dir'?"),
        (["--metric", "rmes"], "--metric: there is no validation metric 'rmes'; did you mean 'rmse'?"),
        (["--oracle", "grids"], "--oracle: there is no 'grids'; did you mean 'grid'?"),
        (["--tune-dir", "turns.py"], f"--tune-dir: {place / 'turns.py'} is a file; a folder is wanted."),
        (
            ["--tune-dir", "."],
            f"--tune-dir: {place} holds other files and no tuning; give an empty or new folder.",
        ),
        (
            ["--dimension", "key=2", "--learning-rate", "0.1"],
            "python -m trainer tune: the flags say all that problem turns searches (learning_rate, dimension.key); "
            "leave one of them out.",
        ),
    ):
        assert refused(capsys, *problem, *words) == f"{sentence}\n"
    write(place, search="{}")
    assert refused(capsys, *problem) == (
        "python -m trainer tune: problem turns searches nothing; give --dimension TABLE=2,4,8, or write what to search "
        'in its Problem(…), as in search={"learning_rate": Range(1e-4, 1e-1, scale="log")}, with Range from '
        "trainer.problem.\n"
    )


def test_a_search_without_keras_tuner_is_refused_with_what_to_install(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del place
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "keras_tuner" else find(name))
    assert refused(capsys, "--problem", "turns.py") == (
        "python -m trainer tune: a search takes the package keras-tuner; pip install 'embedding-columns[tune]', or "
        "give --dimension TABLE=2,4,8.\n"
    )


def test_a_tuning_whose_trials_all_fail_ends_with_a_failure_and_is_begun_anew_when_asked(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--problem", "turns.py", "--dimension", "key=1,2", "--seeds=1"]
    assert tune(*words, "--learning-rate", "1e30") == 1
    folder = place / "runs" / "turns-tune"
    assert capsys.readouterr().err == (
        f"python -m trainer tune: no trial could be trained to its end; {folder} tells why.\n"
    )
    (folder / "mine.txt").write_text("kept")
    assert tune(*words, "--overwrite", "--train-steps", "2") == 0
    assert (folder / "mine.txt").exists()
    assert all(trial["ran"][0]["value"] for trial in json.loads((folder / "trials.json").read_text())["trials"])


# The noise


def of(*values: float) -> Trial:
    return Trial(1, {}, tuple(Ran("run", seed, value, 1.0) for seed, value in enumerate(values)))


def test_noise_is_that_of_the_trial_in_the_middle_and_one_seed_says_nothing_of_it() -> None:
    assert trials.noise([of(1.0), of(2.0)]) is None
    assert trials.noise([of(1.0, 1.2), of(2.0, 2.2), of(3.0, 9.0)]) == pytest.approx(0.02**0.5)


def test_a_trial_of_which_a_training_failed_has_no_mean_and_is_not_the_best() -> None:
    failed = dataclasses.replace(of(9.0), ran=(Ran("a", 0, 9.0, 1.0), Ran("b", 1, None, 1.0, "nan")))
    assert failed.mean is None
    assert trials.best([failed], is_up=True) is None
    middle = of(2.0, 4.0)
    assert trials.best([failed, of(1.0), middle], is_up=True) is middle


def test_a_file_of_trials_that_is_torn_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trials.json").write_text("{")
    with pytest.raises(Refusal) as refusal:
        trials.read(str(tmp_path))
    assert str(refusal.value).startswith(f"{tmp_path}/trials.json: it cannot be read (")
    assert str(refusal.value).endswith("; begin anew with --overwrite.")


def test_a_number_of_a_range_has_four_digits_and_stays_in_it() -> None:
    assert proposals._rounded(0.00123456, Range(1e-4, 1e-1)) == 0.001235
    assert proposals._rounded(0.0999999, Range(1e-4, 0.09999)) == 0.09999
    assert proposals._rounded(7, Range(1, 9)) == 7
