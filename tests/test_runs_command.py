"""What `python -m trainer runs` tells of folders of runs, read as a person and as a program do."""

import copy
import functools
import json
import math
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer import settings, side_by_side, task
from trainer.__main__ import main
from trainer.heads import BinaryHead, MultiClassHead, PoissonRegressionHead, RegressionHead
from trainer.run import Run
from trainer.settings import Settings
from trainer.side_by_side import Record
from trainer.terminal import width

DATA = {"name": "nyc_flights", "digest": "be67b5382e3bf6f3"}
METRICS = {
    "loss": 0.4878,
    "auc": 0.6698,
    "examples": 54145,
    "validation_loss": 0.4834,
    "validation_auc": 0.7228,
    "validation_examples": 26877,
    "steps": 605,
    "seconds": 6.884,
    "peak_memory_bytes": 1030336512,
    "data": "nyc_flights",
}
START = datetime(2026, 11, 22, 0, 45).astimezone().isoformat(timespec="seconds")
BARE = ("steps", "seconds", "validation_loss", "loss", "validation_auc", "auc")


def left(folder: Path, name: str, metrics: dict[str, Any] | None = METRICS, **changes: Any) -> Path:
    """Writes what a job leaves of its settings and metrics; some changes are of other parts than the settings."""
    data, versions = changes.pop("data", DATA), {"keras": "3.15.1", **changes.pop("versions", {})}
    own = changes.pop("declared", {})
    path = folder / name
    path.mkdir(parents=True)
    made = settings.to_dict(Settings(**{"job_dir": str(path), **changes}))
    stored = {"started": START, "settings": made, "trained_with": own, "versions": versions, "seed": 0, "data": data}
    Run(str(path)).write_json("settings.json", stored)
    if metrics is not None:
        Run(str(path)).write_json("metrics.json", metrics)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three runs of flights; the first has the best validation, the second the best test."""
    left(tmp_path / "runs", "flights")
    better = {**METRICS, "auc": 0.7, "loss": 0.48, "validation_auc": 0.72, "steps": 242}
    left(tmp_path / "runs", "flights-2", better, learning_rate=0.01, num_epochs=2)
    left(tmp_path / "runs", "flights-10", {**better, "seconds": 5.0}, learning_rate=0.1, num_epochs=2)
    return tmp_path / "runs"


def told(capsys: pytest.CaptureFixture[str], *words: object) -> list[str]:
    assert main(["runs", *map(str, words)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out.splitlines()


def named(lines: list[str]) -> list[str]:
    return [line.split("  ")[0] for line in lines]


def parsed(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    (line,) = told(capsys, *words, "--json")
    found: dict[str, Any] = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    return found


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["runs", *map(str, words)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err.removesuffix("\n").removeprefix("python -m trainer runs: ")


def terminal(monkeypatch: pytest.MonkeyPatch, places: int) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(places))


def test_the_settings_that_differ_stand_beside_the_metrics(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, folder)[1].split() == ["run", "started", "num_epochs", "learning_rate", *BARE]
    assert told(capsys, folder, "--metric", "auc") == [
        "problem flights, 3 finished runs on nyc_flights",
        "run                  started  num_epochs  learning_rate  steps  seconds  validation_auc     auc",
        "flights     2026-11-22 00:45     default        default    605      6.9         0.7228*  0.6698",
        "flights-2   2026-11-22 00:45           2           0.01    242      6.9         0.7200   0.7000",
        "flights-10  2026-11-22 00:45           2            0.1    242      5.0         0.7200   0.7000",
        "* the best on validation data",
    ]


def test_the_default_folder_is_runs(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    assert told(capsys) == told(capsys, "runs")


def test_what_is_the_same_in_all_and_no_default_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in (1, 2):
        left(tmp_path, f"flights-{seed}", seed=seed, freeze=("day", "hour"), num_epochs=3, verbose=True)
    heading, header, *_ = told(capsys, tmp_path)
    assert heading == "problem flights, 2 finished runs on nyc_flights, all with num_epochs 3, freeze day, hour"
    assert header.split() == ["run", "started", "seed", *BARE]


def test_one_run_is_told_as_well(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heading, header, line = told(capsys, folder / "flights-2")
    assert heading == "problem flights, 1 finished run on nyc_flights, with num_epochs 2, learning_rate 0.01"
    assert header.split() == ["run", "started", *BARE]
    assert line.startswith("flights-2  2026-11-22 00:45    242      6.9")


def test_a_setting_that_an_earlier_version_had_not_has_its_default(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = Run(str(folder / "flights-2")).read_json("settings.json")
    del stored["settings"]["eval_batch_size"], stored["settings"]["unfreeze_after"], stored["settings"]["warm_start"]
    Run(str(folder / "flights-2")).write_json("settings.json", stored)
    assert parsed(capsys, folder)["differing"] == {"flights": ["num_epochs", "learning_rate"]}


def test_the_arguments_of_a_problem_and_versions_are_settings_as_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left(tmp_path, "movies", problem="movies", problem_arguments={"input_share": 0.3, "deep": True})
    left(tmp_path, "movies-2", problem="movies", problem_arguments={"input_share": 0.5, "deep": True})
    left(tmp_path, "movies-3", problem="movies", problem_arguments={"deep": True}, versions={"keras": "3.16.0"})
    heading, header, *lines = told(capsys, tmp_path)
    assert heading == "problem movies, 3 finished runs on nyc_flights, all with deep yes"
    assert header.split()[:4] == ["run", "started", "input_share", "keras"]
    assert [line.split()[3:5] for line in lines] == [["0.3", "3.15.1"], ["0.5", "3.15.1"], ["-", "3.16.0"]]


def test_problems_have_a_table_each_and_a_file_is_known_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left(tmp_path, "bikes", {"rmse": 40.1, "validation_rmse": 39.5}, problem="bikes")
    left(tmp_path, "mine", problem="mine.py")
    left(tmp_path, "mine-2", problem="elsewhere/mine.py")
    lines = told(capsys, tmp_path, "--metric", "rmse", "--metric", "auc")
    end = lines.index("")
    assert lines[0] == "problem bikes, 1 finished run on nyc_flights"
    assert lines[1].split() == ["run", "started", "validation_rmse", "rmse"]
    assert lines[end + 1] == "problem mine, 2 finished runs on nyc_flights"
    assert lines[end + 2].split() == ["run", "started", "problem", "steps", "seconds", "validation_auc", "auc"]


def test_runs_are_found_at_any_depth_but_not_inside_of_runs_nor_in_hidden_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "deep/er/b", "a/checkpoints/inside", ".trash/c"):
        left(tmp_path / "runs", name)
    (tmp_path / "runs" / "glove-projector").mkdir()
    (tmp_path / "runs" / "notes.txt").write_text("good")
    (tmp_path / "runs" / "1-best").symlink_to(tmp_path / "runs" / "a")
    (tmp_path / "runs" / "deep" / "loop").symlink_to(tmp_path / "runs")
    assert named(told(capsys, tmp_path / "runs")[2:]) == ["a", "deep/er/b"]
    assert named(told(capsys, tmp_path / "runs" / "deep")[2:]) == ["er/b", "loop/a"]


def test_a_folder_that_may_not_be_read_is_passed_by(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "lost+found").mkdir()
    names_in = os.listdir

    def listdir(path: str) -> list[str]:
        if path.endswith("lost+found"):
            raise PermissionError(13, "Permission denied", path)
        return names_in(path)

    monkeypatch.setattr(os, "listdir", listdir)  # permissions alone do not stop an administrator
    assert named(told(capsys, folder)[2:5]) == ["flights", "flights-2", "flights-10"]


def test_several_folders_and_runs_are_named_from_where_they_part(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    left(tmp_path / "old", "flights")
    assert named(told(capsys, folder, tmp_path / "old")[2:6]) == [
        "old/flights",
        "runs/flights",
        "runs/flights-2",
        "runs/flights-10",
    ]
    monkeypatch.chdir(tmp_path)
    assert named(told(capsys, "runs/flights", "runs/flights-2/", "runs/flights")[2:4]) == ["flights", "flights-2"]
    assert parsed(capsys, "runs/flights-2")["runs"][0]["path"] == str(folder / "flights-2")


def test_runs_in_a_remote_folder_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    import tensorflow as tf

    for name in ("a", "b"):
        tf.io.gfile.makedirs(f"ram://test_runs_command/runs/{name}")
        stored = {"started": START, "settings": {"problem": "flights", "seed": ord(name)}}
        Run(f"ram://test_runs_command/runs/{name}").write_json("settings.json", stored)
    lines = told(capsys, "ram://test_runs_command/runs")
    assert lines == [
        "problem flights, 2 unfinished runs",
        "run           started  seed",
        "a    2026-11-22 00:45    97",
        "b    2026-11-22 00:45    98",
    ]
    assert [run["started"] for run in parsed(capsys, "ram://test_runs_command/runs")["runs"]] == [START, START]


def test_what_a_problem_s_file_says_otherwise_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {"dnn_hidden_units": [64, 32], "dnn_optimizer": "LazyAdam", "learning_rate": 0.003, "digest": "a" * 16}
    after = {**before, "dnn_hidden_units": [32], "learning_rate": 0.01, "digest": "b" * 16}
    left(tmp_path, "mine", declared=before)
    left(tmp_path, "mine-2", declared=after, learning_rate=0.01)
    left(tmp_path, "mine-3", declared={**after, "dnn_optimizer": "SGD"}, learning_rate=0.01, optimizer="SGD")
    _, header, *lines = told(capsys, tmp_path, "--metric", "auc")
    names = ["dnn_hidden_units", "dnn_optimizer", "learning_rate"]
    assert sorted(header.split()[2:5]) == names, header
    column = {name: header.split().index(name) for name in names}
    cells = [line.replace("64, 32", "64,32").replace(" 00:45", "").split() for line in lines[:3]]
    assert [[row[column[name]] for name in names] for row in cells] == [
        ["64,32", "LazyAdam", "0.003"],
        ["32", "LazyAdam", "0.01"],
        ["32", "SGD", "0.01"],
    ]
    assert lines[3:] == ["the columns, the head or the model's shape differ; each run's problem.json tells them"]
    assert told(capsys, tmp_path)[0] == "problem flights, 3 finished runs on nyc_flights"  # not all with optimizer SGD


TRAINED_WITH = {
    "dnn_hidden_units": [64, 32],
    "label": "late",
    "head": {"kind": "BinaryHead", "positive_weight": None, "threshold": 0.5},
    "dnn_optimizer": "LazyAdam",
    "learning_rate": 0.003,
    "table_optimizers": {},
    "bags": [],
    "callbacks": [],
    "validation": {"kind": "EveryNthBlock", "key": "day", "n": 10},
    "window": None,
    "num_epochs": 5,
    "digest": "f52a34107129e13b",
}


def test_runs_of_an_earlier_version_are_compared_by_what_was_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left(tmp_path, "flights")
    left(tmp_path, "flights-2", num_epochs=2, learning_rate=0.01)
    left(tmp_path, "flights-3", declared=TRAINED_WITH)
    header, *lines = told(capsys, tmp_path)[1:5]
    assert header.split() == ["run", "started", "num_epochs", "learning_rate", *BARE]
    assert [line.split()[3:5] for line in lines] == [["default"] * 2, ["2", "0.01"], ["default"] * 2]
    assert parsed(capsys, tmp_path)["differing"] == {"flights": ["num_epochs", "learning_rate"]}
    assert {"bags", "dnn_hidden_units", "num_epochs"} < {*told(capsys, tmp_path, "--all")[1].split()}
    assert named(told(capsys, tmp_path, "--sort", "label")[2:5]) == ["flights-3", "flights", "flights-2"]


def test_no_setting_is_told_whose_cells_are_all_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    without = {name: value for name, value in TRAINED_WITH.items() if name not in ("bags", "callbacks")}
    left(tmp_path, "a", declared={**TRAINED_WITH, "label": ["late"], "learning_rate": float("nan")})
    left(tmp_path, "b", declared={**without, "table_optimizers": None, "learning_rate": float("nan")})
    assert told(capsys, tmp_path)[1].split() == ["run", "started", *BARE]
    assert not {"bags", "callbacks", "table_optimizers"} & {*parsed(capsys, tmp_path)["differing"]["flights"]}


def test_nested_settings_are_told_by_their_kind_and_what_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weighted = {**TRAINED_WITH["head"], "positive_weight": 2.0}  # type: ignore[dict-item]  # it is one of several kinds
    left(tmp_path, "a", declared=TRAINED_WITH)
    left(tmp_path, "b", declared={**TRAINED_WITH, "head": weighted, "table_optimizers": {"day": ["SGD", 0.1]}})
    share = {"kind": "Share", "share": 0.1}
    left(tmp_path, "c", declared={**TRAINED_WITH, "head": {"kind": "RegressionHead"}, "validation": share})
    header, *lines = told(capsys, tmp_path, "--metric", "auc")[1:5]
    names = ["head", "table_optimizers", "validation"]
    assert header.split()[2:5] == names
    assert [re.split(r"  +", line)[2:5] for line in lines] == [
        ["BinaryHead", "-", "EveryNthBlock"],
        ["BinaryHead(positive_weight=2.0)", "day=[SGD, 0.1]", "EveryNthBlock"],
        ["RegressionHead", "-", "Share"],
    ]


def test_an_unfinished_run_and_torn_files_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left(folder, "flights-11", None)
    left(folder, "flights-12", None, num_epochs=9)
    (folder / "flights-12" / "metrics.json").write_text('{"loss": 0.4')
    left(folder, "flights-13").joinpath("metrics.json").write_text("[]")
    left(folder, "flights-14").joinpath("settings.json").write_bytes(b"\xff")
    left(folder, "flights-15").joinpath("settings.json").write_text('{"editor.fontSize": 12}')
    lines = told(capsys, folder)
    end = lines.index("")
    states = [line.split()[3] for line in lines[2:8]]
    assert lines[0] == "problem flights, 6 runs on nyc_flights"
    assert lines[1].split()[:4] == ["run", "started", "state", "num_epochs"]
    assert states == ["finished", "finished", "finished", "unfinished", "torn", "torn"]
    assert lines[5].split()[4:] == ["default", "default", *["-"] * 6]
    assert lines[9:end] == [
        "flights-12: metrics.json cannot be read (Expecting ',' delimiter: line 1 column 13 (char 12))",
        "flights-13: metrics.json holds no object",
    ]
    assert lines[end + 1 : end + 2] == ["problem unknown, 2 torn runs on nyc_flights"]
    assert lines[-2:] == [
        "flights-14: settings.json cannot be read ('utf-8' codec can't decode byte 0xff in position 0: invalid start "
        "byte)",
        "flights-15: settings.json is not one that a run has left",
    ]
    assert {run["run"]: run["metrics"] for run in parsed(capsys, folder)["runs"]}["flights-12"] is None


def places_in(value: Any, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The places of all values inside of a JSON object."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    below = [each for name, part in inside for each in places_in(part, (*place, name))]
    return [place, *below] if place else below


def replaced(value: Any, place: tuple[str | int, ...], other: Any) -> Any:
    changed = copy.deepcopy(value)
    inside = functools.reduce(lambda part, name: part[name], place[:-1], changed)
    inside[place[-1]] = other
    return changed


HUGE = pytest.param(10**400, id="huge")


@pytest.mark.parametrize("other", [math.nan, None, ["x"], {"x": []}, "", "0001-01-01", 7, HUGE])
def test_no_value_of_one_run_ends_the_listing_of_all(
    tmp_path: Path, other: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    left(tmp_path, "flights")
    for name, column in (("settings.json", "started"), ("metrics.json", "validation_auc")):
        path = left(
            tmp_path, f"with-other-{name}", declared=TRAINED_WITH, freeze=("day",), problem_arguments={"share": 0.3}
        )
        stored = Run(str(path)).read_json(name)
        for place in places_in(stored):
            Run(str(path)).write_json(name, replaced(stored, place, other))
            assert main(["runs", str(tmp_path), "--sort", column]) == 0, place  # which also looks at all columns
            assert f"\nwith-other-{name} " in capsys.readouterr().out, place
        parsed(capsys, tmp_path)


def test_a_torn_run_stands_with_its_problem_where_another_file_tells_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torn = left(folder, "flights-11").joinpath("settings.json")
    torn.write_text('{"command"')
    Run(str(torn.parent)).write_json("problem.json", {"name": "flights"})
    left(folder, "flights-12", data={"name": ["x"]})
    left(folder, "flights-13", data={"name": "nyc_flights", "digest": ["x"]}, problem="elsewhere/flights.py")
    left(folder, "flights-14", problem=7).joinpath("problem.json").write_text('{"name": []}')
    lines = told(capsys, folder)
    assert lines[0] == "problem flights, 6 runs on nyc_flights"
    assert named(lines[2:8])[3:] == ["flights-11", "flights-12", "flights-13"]
    assert lines[lines.index("") + 1] == "problem unknown, 1 torn run on nyc_flights"


def test_metrics_over_different_data_are_not_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left(folder, "flights-11", {**METRICS, "validation_auc": 0.9}, data={"name": "planted", "digest": "0"})
    lines = told(capsys, folder)
    assert lines[1].split()[:3] == ["run", "started", "data"]
    assert [line.split()[3] for line in lines[2:6]] == ["nyc_flights", "nyc_flights", "nyc_flights", "planted"]
    assert [line.split()[-2] for line in lines[2:6]] == ["0.7228*", "0.7200", "0.7200", "0.9000"]
    assert lines[6:] == [
        "* the best on validation data",
        "planted data, not real: flights-11",
        "judged on other data, so not compared with the rest: flights-11",
    ]


@pytest.mark.parametrize(
    ("others", "odd"),
    [
        ([{"validation_files": "new.csv"}], ["c"]),
        ([{"data": {"name": "other"}}], ["c"]),
        ([{"metrics": {**METRICS, "validation_examples": 5}}], ["c"]),
        ([{"validation_files": "new.csv"}, {"validation_files": "old.csv"}], ["c", "d"]),
        ([{"validation_files": "new.csv"}, {"validation_files": "new.csv"}], None),
        ([{"data": {"name": "planted"}, "metrics": None}], []),
    ],
)
def test_the_best_of_the_most_runs_that_were_judged_alike_is_marked(
    tmp_path: Path, others: list[dict[str, Any]], odd: list[str] | None, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, changes in zip("abcd", [{}, {"metrics": {**METRICS, "validation_auc": 0.73}}, *others], strict=False):
        left(tmp_path, name, **changes)
    lines = told(capsys, tmp_path)
    assert [name for line in lines[2:] for name in line.split()[:1] if "0.7300*" in line] == ["b"] * (odd is not None)
    assert "".join(lines).count("*") == 2 * (odd is not None)  # one explains it
    notes = [line for line in lines if "judged on" in line]
    apart = "the runs are judged on different data, so their metrics say nothing of one another"
    named_odd = f"judged on other data, so not compared with the rest: {', '.join(odd or [])}"
    assert notes == ([apart] if odd is None else [named_odd] if odd else [])


def test_other_rows_under_the_same_name_are_told_with_their_digest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left(tmp_path, "a", data={"name": "planted", "digest": "0a"})
    left(tmp_path, "b", {**METRICS, "validation_auc": 0.9}, data={"name": "planted", "digest": "0b"})
    lines = told(capsys, tmp_path)
    assert [line.split()[3:5] for line in lines[2:4]] == [["planted", "0a"], ["planted", "0b"]]
    assert lines[4:] == [
        "* the best on validation data",
        "planted data, not real: all",
        "the data differ: other training rows, or columns that encode the same rows otherwise",
    ]


@pytest.mark.parametrize(
    ("metric", "values", "marked"),
    [
        ("validation_auc", [0.5, 0.7, 0.7], {1, 2}),
        ("validation_rmse_over_mean", [0.5, 0.7, 0.4], {2}),
        ("validation_mean_absolute_error", [0.5, None, 0.4], {2}),
        ("validation_recall_at_10", [float("nan"), 0.1, 0.2], {2}),
        ("validation_auc", [0.7, 0.7, 0.7], set()),
        ("validation_coverage", [0.5, 0.7, 0.4], set()),
        ("auc", [0.5, 0.7, 0.4], set()),
        ("tables/day_hour/loss", [0.5, 0.7, 0.4], set()),
    ],
)
def test_the_best_is_marked_where_validation_tells_it(
    metric: str, values: list[float | None], marked: set[int]
) -> None:
    found = [{} if value is None else {metric: value} for value in values]
    assert side_by_side.best([Record("a", "/a", {}, metrics, None) for metrics in found], metric) == marked


@pytest.mark.parametrize("head", [BinaryHead(), MultiClassHead(3), PoissonRegressionHead(), RegressionHead()])
def test_the_direction_of_every_metric_of_a_head_is_known(head: Any) -> None:
    directions = {metric.name: side_by_side.direction(metric.name) for metric in head.metrics()}
    higher = {"auc", "accuracy", "r2"}
    assert directions == {name: 1 if name in higher else -1 for name in directions}
    assert side_by_side.direction("loss") == -1


def test_metrics_can_be_chosen_and_the_health_of_tables_is_told_when_asked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rank = "tables/day_hour/effective_rank"
    left(folder, "flights-11", {**METRICS, rank: 2.5, f"validation_{rank}": 2, "recall": 0.00123})
    assert told(capsys, folder)[1].split() == ["run", "started", "num_epochs", "learning_rate", *BARE]
    header, *lines = told(capsys, folder, "--metric", rank, "--metric", "auc", "--metric", "recall")[1:6]
    chosen = ["steps", "seconds", f"validation_{rank}", rank, "validation_auc", "auc", "recall"]
    assert header.split() == ["run", "started", "num_epochs", "learning_rate", *chosen]
    assert lines[3].split()[-5:] == ["2", "2.5000", "0.7228*", "0.6698", "0.00123"]
    assert told(capsys, folder, "--metric", "validation_auc")[1].split()[-2:] == ["seconds", "validation_auc"]
    everything = told(capsys, folder, "--all")[1].split()
    assert {rank, "peak_memory_bytes", "job_dir", "keras", "state", "data", "examples"} < set(everything)
    assert len(everything) == len(set(everything))


@pytest.mark.parametrize(
    ("column", "order"),
    [
        ("auc", ["flights-2", "flights-10", "flights"]),
        ("validation_auc", ["flights", "flights-2", "flights-10"]),
        ("loss", ["flights-2", "flights-10", "flights"]),
        ("seconds", ["flights-10", "flights", "flights-2"]),
        ("learning_rate", ["flights-2", "flights-10", "flights"]),
        ("run", ["flights", "flights-2", "flights-10"]),
        ("job_dir", ["flights", "flights-2", "flights-10"]),
        ("keras", ["flights", "flights-2", "flights-10"]),
    ],
)
def test_runs_are_sorted_by_any_column(
    folder: Path, column: str, order: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert named(told(capsys, folder, "--sort", column)[2:5]) == order
    assert [run["run"] for run in parsed(capsys, folder, "--sort", column)["runs"]] == order


def test_a_program_reads_all_settings_and_metrics(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left(folder, "flights-11", {**METRICS, "rmse_over_mean": float("nan"), "loss": float("inf")})
    found = parsed(capsys, folder)
    assert found["differing"] == {"flights": ["num_epochs", "learning_rate"]}
    for run in found["runs"]:
        path = folder / run["run"]
        stored = json.loads((path / "settings.json").read_text())
        assert {name: run[name] for name in stored} == stored
        assert (run["path"], run["problem"], run["state"], run["trouble"]) == (str(path), "flights", "finished", None)
        assert run["started"] == START
    assert found["runs"][0]["metrics"] == METRICS
    assert found["runs"][3]["metrics"] == {**METRICS, "rmse_over_mean": None, "loss": None}


def test_a_table_wider_than_the_terminal_has_a_column_a_run(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = told(capsys, folder)
    terminal(monkeypatch, 120)
    assert told(capsys, folder) == wide
    terminal(monkeypatch, 80)
    assert told(capsys, folder) == [
        "problem flights, 3 finished runs on nyc_flights",
        "run                       flights         flights-2        flights-10",
        "started          2026-11-22 00:45  2026-11-22 00:45  2026-11-22 00:45",
        "num_epochs                default                 2                 2",
        "learning_rate             default              0.01               0.1",
        "steps                         605               242               242",
        "seconds                       6.9               6.9               5.0",
        "validation_loss            0.4834            0.4834            0.4834",
        "loss                       0.4878            0.4800            0.4800",
        "validation_auc            0.7228*           0.7200            0.7200",
        "auc                        0.6698            0.7000            0.7000",
        "* the best on validation data",
    ]


@pytest.mark.parametrize("places", [40, 60, 79, 200])
@pytest.mark.parametrize("count", [1, 3, 30])
def test_no_line_is_wider_than_the_terminal_and_no_run_is_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, places: int, count: int
) -> None:
    for number in range(count):
        source = f"day_hour=gs://bucket/with/a/long/name/runs/flights-{number}/東京の大きな表"
        # What one run alone has is told in a sentence, and a name in a sentence is not cut.
        left(tmp_path, f"東京-{number}", seed=number, warm_start=(source,) if count > 1 else ())
    piped = told(capsys, tmp_path)
    terminal(monkeypatch, places)
    for asked in ([], ["--all"]):
        lines = told(capsys, tmp_path, *asked)
        told_runs = [word for line in lines for word in line.split()]
        assert max(map(width, lines[:-1])) <= places
        assert {f"東京-{number}" for number in range(count)} <= set(told_runs)
    assert count == 1 or all(f"flights-{number}/東京の大きな表" in "\n".join(piped) for number in range(count))


def test_wide_letters_and_letters_that_cannot_be_printed_keep_columns_straight(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left(tmp_path, "東京", optimizer="mine.py:\x1b[2J")
    left(tmp_path, "Tokyo", optimizer="SGD")
    lines = told(capsys, tmp_path)[1:]
    assert len({width(line) for line in lines}) == 1
    assert r"mine.py:\x1b[2J" in lines[2]


def test_folders_and_names_that_are_of_no_use_are_refused_in_a_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert refused(capsys) == "there is no folder runs; python -m trainer.task makes runs, or name another."
    assert refused(capsys, ".") == "no run is in .; python -m trainer.task makes one in runs, or name another folder."
    assert refused(capsys, folder, f"{tmp_path}/rusn") == (
        f"there is no folder {tmp_path}/rusn; python -m trainer.task makes runs, or did you mean 'runs'?"
    )
    assert refused(capsys, folder, "--metric", "acu") == "--metric: there is no metric 'acu'; did you mean 'auc'?"
    assert refused(capsys, folder, "--metric", "zzz") == (
        "--metric: there is no metric 'zzz'; there are loss, auc, examples, validation_loss, validation_auc, "
        "validation_examples, steps, seconds, peak_memory_bytes."
    )
    assert refused(capsys, folder, "--sort", "sede") == "--sort: there is no column 'sede'; did you mean 'seed'?"
    assert refused(capsys, folder, "--sort", "zzz") == (
        "--sort: there is no column 'zzz'; --all shows the columns that there are."
    )
    for word in ("--all", "--metric=auc"):
        assert refused(capsys, folder, "--json", word) == (
            f"{word.partition('=')[0]} goes with the table, and --json tells everything; leave one of them out."
        )
    run = folder / "flights"
    monkeypatch.chdir(run)
    for file, shown in ((run / "metrics.json", run), (Path("metrics.json"), ".")):
        assert refused(capsys, file) == f"{file} is a file of a run; give its folder, {shown}."
    (folder / "runb.sh").write_text("exit")
    monkeypatch.chdir(folder)
    assert refused(capsys, "runb.sh") == "runb.sh is a file; name a folder of runs, or a run."
    assert refused(capsys) == "there is no folder runs; python -m trainer.task makes runs, or name another."
    left(tmp_path / "new", "flights", None)
    assert refused(capsys, tmp_path / "new", "--metric", "auc") == (
        "--metric: there is no metric 'auc', since no run has left any."
    )


JSON: st.SearchStrategy[Any] = st.sampled_from([None, True, False, -1, 0, 1, 0.5, "", "a", "b", [], ["a"], ["a", "b"]])


@given(st.lists(st.fixed_dictionaries({"x": JSON, "y": JSON}, optional={"seed": JSON, "job_dir": JSON}), min_size=1))
def test_the_settings_that_differ_are_exactly_those_whose_values_differ(given: list[dict[str, Any]]) -> None:
    records = [Record("a", "/a", {"settings": each}, None, None) for each in given]
    filled = [{"seed": 0, **each} for each in given]
    filled = [{name: None if value in ([], "") else value for name, value in each.items()} for each in filled]
    expected = {name for name in ("x", "y", "seed") if any(each[name] != filled[0][name] for each in filled)}
    found = side_by_side.differing(records)
    assert (set(found), len(found)) == (expected, len(expected))
    assert not expected & side_by_side.changed(records).keys()


def test_the_run_of_a_real_job_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text("from tests.planted import PROBLEM\n")
    assert task.main(["--problem", "mine.py", "--train-steps", "3"]) == 0
    capsys.readouterr()
    stored, metrics = (Run("runs/planted").read_json(f"{name}.json") for name in ("settings", "metrics"))
    stored["settings"]["learning_rate"] = stored["trained_with"]["learning_rate"] = 0.5
    os.mkdir("runs/planted-2")  # what a second job would leave of its settings, without its half a minute
    Run("runs/planted-2").write_json("settings.json", stored)
    found = parsed(capsys)
    assert found["differing"] == {"mine": ["learning_rate"]}
    assert [run["metrics"] for run in found["runs"]] == [metrics, None]
    heading, header, *lines = told(capsys)
    assert heading == "problem mine, 2 runs on dataset, all with train_steps 3"
    names = ["validation_loss", "loss", "validation_auc", "auc", "validation_accuracy", "accuracy"]
    assert header.split() == ["run", "started", "state", "learning_rate", "steps", "seconds", *names]
    assert lines[0].split()[3:6] == ["finished", "0.02", "3"]
    assert lines[0].split()[7:] == [f"{metrics[name]:.4f}" for name in names]
    assert lines[1].split()[3:5] == ["unfinished", "0.5"]


def test_help_shows_examples_and_a_hundred_runs_are_told_without_a_library_that_takes_long(tmp_path: Path) -> None:
    for number in range(100):
        left(tmp_path, f"flights-{number}", seed=number)
    code = f"""
import sys
from trainer.__main__ import main
main(["runs", {str(tmp_path)!r}])
try:
    main(["runs", "--help"])
except SystemExit:
    pass
print(sorted({{"tensorflow", "keras", "pyarrow", "numpy"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[0] == "problem flights, 100 finished runs on nyc_flights"
    assert "  python -m trainer runs old/runs runs --sort validation_auc --metric auc" in lines
    assert lines[-1] == "[]"
