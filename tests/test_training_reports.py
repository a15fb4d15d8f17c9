"""What a training reports to a tuning service, beside what Google's own library writes."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import hypertune
import keras
import pytest

from tests import planted, trips
from tests.test_training import opened
from trainer.errors import Refusal
from trainer.training import Position, train
from trainer.training.reports import FILE, KEPT, TRIAL, MetricReports, from_environment

ROOT = Path(__file__).parents[1]


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that a tuning service has asked for, in a folder that is not there yet."""
    path = tmp_path / "hypertune" / "output.metrics"
    monkeypatch.setenv(FILE, str(path))
    monkeypatch.setenv(TRIAL, "7")
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def told(path: Path, name: str) -> list[tuple[int, float]]:
    """The steps and the values of a metric's lines."""
    return [(int(line["global_step"]), float(line[name])) for line in read(path) if name in line]


def reports() -> MetricReports:
    """A process's reports, ready for an epoch."""
    made = from_environment(Position())
    assert made is not None
    made.on_train_begin()
    return made


def by_library(path: Path, epochs: Sequence[tuple[int, Mapping[str, float]]]) -> None:
    """Writes the same metrics with cloudml-hypertune."""
    library = hypertune.HyperTune()
    library.metric_path = str(path)
    for steps, metrics in epochs:
        for name, value in metrics.items():
            library.report_hyperparameter_tuning_metric(name, value, steps)


@pytest.mark.parametrize("count", [1, 3, KEPT], ids=["one epoch", "three epochs", "more lines than are kept"])
def test_the_lines_are_those_of_googles_library_but_for_the_time(service: Path, tmp_path: Path, count: int) -> None:
    epochs = [(100 * n, {"validation_loss": 1 / n, "validation_auc": 1e-9 * n}) for n in range(1, count + 1)]
    made = reports()
    for steps, metrics in epochs:
        made.report({"loss": 9.0, **metrics, "validation_examples": 50}, steps)
    by_library(tmp_path / "other", epochs)
    lines, others = service.read_text().splitlines(), (tmp_path / "other").read_text().splitlines()
    assert len(lines) == min(2 * count, KEPT)
    for line, other in zip(lines, others, strict=True):
        own, wanted = json.loads(line), json.loads(other)
        assert abs(own.pop("timestamp") - wanted.pop("timestamp")) < 60
        assert [*own.items()] == [*wanted.items()]
        assert json.dumps(json.loads(line), sort_keys=True) == line


def test_a_metric_that_is_not_finite_is_left_out(service: Path) -> None:
    reports().report({"validation_loss": math.nan, "validation_auc": 0.5, "validation_rmse": math.inf}, 3)
    assert [sorted(line) for line in read(service)] == [
        ["checkpoint_path", "global_step", "timestamp", "trial", "validation_auc"]
    ]


def test_what_the_last_line_of_a_metric_says_is_not_said_again(service: Path) -> None:
    made = reports()
    for value, steps in ((0.5, 3), (0.5, 3), (0.6, 3), (0.6, 4)):
        made.report({"validation_auc": value}, steps)
    assert told(service, "validation_auc") == [(3, 0.5), (3, 0.6), (4, 0.6)]


def test_without_a_service_nothing_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (FILE, TRIAL):
        monkeypatch.delenv(name, raising=False)
    assert from_environment(Position()) is None


def test_a_trial_that_names_no_file_reports_where_googles_library_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FILE, raising=False)
    monkeypatch.setenv(TRIAL, "7")
    made = from_environment(Position())
    assert made is not None
    assert made.path == hypertune.hypertune._DEFAULT_METRIC_PATH


def test_a_training_that_is_not_gone_on_with_begins_the_file_anew(service: Path) -> None:
    service.parent.mkdir()
    by_library(service, [(1, {"validation_auc": 0.1})])
    reports().report({"validation_auc": 0.5}, 3)
    assert told(service, "validation_auc") == [(3, 0.5)]


def test_a_training_goes_on_after_the_lines_of_its_checkpoint_whatever_else_is_there(service: Path) -> None:
    service.parent.mkdir()
    by_library(service, [(100, {"validation_auc": 0.1}), (200, {"validation_auc": 0.2})])
    before = service.read_bytes()
    service.write_bytes(before + b'\xff{"global_st\n[]\n{"global_step": "many"}\n')
    made = from_environment(Position(epoch=1, steps=150))
    assert made is not None
    made.on_train_begin()
    made.report({"validation_auc": 0.3}, 200)
    assert told(service, "validation_auc") == [(100, 0.1), (200, 0.3)]
    assert service.read_bytes().startswith(before.splitlines(keepends=True)[0])


def test_an_epoch_whose_end_is_still_to_come_reports_it_again(service: Path) -> None:
    service.parent.mkdir()
    by_library(service, [(100, {"validation_auc": 0.1})])
    made = from_environment(Position(step=100, steps=100, under_way=True))
    assert made is not None
    made.on_train_begin()
    made.report({"validation_auc": 0.1}, 100)
    assert told(service, "validation_auc") == [(100, 0.1)]


def test_a_file_that_cannot_be_written_is_refused_before_the_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(FILE, str(tmp_path / "file" / "output.metrics"))
    with pytest.raises(Refusal) as refusal:
        reports()
    assert str(refusal.value) == (
        f"CLOUD_ML_HP_METRIC_FILE: {tmp_path}/file/output.metrics cannot be written (File exists); name a file in a "
        "folder where one can be, or leave the variable unset."
    )


def test_a_report_that_cannot_be_written_costs_no_training_and_comes_with_the_next(service: Path) -> None:
    lines: list[str] = []
    made = from_environment(Position(), lines.append)
    assert made is not None
    made.on_train_begin()
    service.unlink()
    service.mkdir()
    made.report({"validation_auc": 0.1}, 1)
    assert lines == [f"{service}: not written (Is a directory), so the tuning service does not know the metrics"]
    service.rmdir()
    made.report({"validation_auc": 0.2}, 2)
    assert told(service, "validation_auc") == [(1, 0.1), (2, 0.2)]


def test_the_file_stays_the_same_one_for_a_service_that_follows_it(service: Path) -> None:
    made = reports()
    numbers = []
    for steps in (1, 2):
        made.report({"validation_auc": steps / 10}, steps)
        numbers.append(os.stat(service).st_ino)
    assert numbers[0] == numbers[1]


# In the loop and in fit


def test_each_epoch_of_the_loop_is_reported(service: Path) -> None:
    model, halves, data = opened()
    position = Position()
    made = from_environment(position)
    assert made is not None
    history: list[tuple[int, float]] = []
    kept = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: history.append((position.steps, float(logs["val_auc"])))
    )
    train(model, halves, data.train, 512, 0, 50, data.validation, callbacks=[made, kept], position=position)
    assert len(history) == 2
    assert told(service, "validation_auc") == history
    assert {line["trial"] for line in read(service)} == {"7"}


def test_the_callback_works_in_fit_too(service: Path) -> None:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[keras.metrics.MeanAbsoluteError(name="mae")], jit_compile=False)
    rows = [[float(n)] for n in range(8)]
    x, y = keras.ops.convert_to_tensor(rows), keras.ops.convert_to_tensor(rows)
    made = MetricReports(str(service), "3")
    found = model.fit(x, y, batch_size=4, epochs=2, validation_data=(x, y), callbacks=[made], verbose=0).history
    assert told(service, "validation_loss") == [*zip([2, 4], found["val_loss"], strict=True)]
    assert told(service, "validation_mae") == [*zip([2, 4], found["val_mae"], strict=True)]
    assert len(read(service)) == 4


# In a job


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    trips.are_quick(monkeypatch)


@pytest.mark.usefixtures("quick")
def test_a_job_reports_each_epoch_and_the_model_that_it_leaves_is_the_last_of_them(
    service: Path, tmp_path: Path
) -> None:
    metrics = trips.trained(tmp_path / "run", planted.PROBLEM, num_epochs=2)
    history = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    for name in ("validation_loss", "validation_auc", "validation_accuracy"):
        assert told(service, name) == [(line["steps"], line[name]) for line in history]
        assert told(service, name)[-1] == (metrics["steps"], metrics[name])
    assert {name for line in read(service) for name in line if name.startswith("validation")} == {
        *("validation_loss", "validation_auc", "validation_accuracy")
    }


@pytest.mark.usefixtures("quick")
def test_where_early_stopping_takes_the_best_model_the_last_report_is_of_that_model(
    service: Path, tmp_path: Path
) -> None:
    # At this rate every epoch is worse than the first.
    problem = planted.problem(learning_rate=0.5)
    metrics = trips.trained(tmp_path / "run", problem, early_stopping="loss", patience=1, num_epochs=9)
    found = told(service, "validation_loss")
    best = min(value for _, value in found)
    assert metrics["best_step"] < metrics["steps"]
    assert found[-1] == (metrics["steps"], metrics["validation_loss"])
    assert found[-1][1] == best
    assert [value for _, value in found].count(best) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_job_that_is_gone_on_with_leaves_the_reports_of_one_that_was_left_alone(
    service: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lines(path: Path) -> list[dict[str, Any]]:
        return [{**line, "timestamp": 0} for line in read(path)]

    trips.trained(tmp_path / "whole", planted.PROBLEM, num_epochs=3)
    whole = lines(service)
    monkeypatch.setenv(FILE, str(tmp_path / "parts"))
    trips.trained(tmp_path / "run", planted.PROBLEM, num_epochs=3, train_steps=200)
    trips.trained(tmp_path / "run", planted.PROBLEM, num_epochs=3, resume=True, allow_changed=True)
    steps = [int(line["global_step"]) for line in whole]
    # The end of the first part, within an epoch, was reported too.
    assert [line for line in lines(tmp_path / "parts") if int(line["global_step"]) in steps] == whole
