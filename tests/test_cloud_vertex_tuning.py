import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.cloud import aiplatform_v1

from tests import submissions
from tests.submissions import SENDING, VERTEX, Place, as_sent
from trainer.cloud import arguments, package, study, vertex
from trainer.cloud.vertex import request
from trainer.cloud.vertex.request import Container
from trainer.commands import submit

JOB = "projects/123456/locations/us-central1/hyperparameterTuningJobs/7001"
TUNING = dataclasses.replace(SENDING, tune=True, trials=4)
WORDS = [
    *("--backend=vertex", "--project=my-project", "--region=us-central1", "--staging-bucket=gs://bucket"),
    *("--display-name", "it's $HOME", "--tune", "--trials=6", "--parallel-trials=3", "--labels=team=maps", "--spot"),
]


CONTAINER = Container("packages/ab12/embedding_columns-0.1.0.tar.gz", None, ("--train-steps", "20"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> package.Package:
    return package.build(tmp_path_factory.mktemp("dist"))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, built: package.Package) -> Iterator[Place]:
    with submissions.reached(tmp_path, monkeypatch, built) as made:
        yield made


def trial(number: int, state: str, values: dict[str, Any], metric: float | None = None) -> dict[str, Any]:
    """A trial as the API's JSON has it."""
    parameters = [{"parameterId": name, "value": value} for name, value in values.items()]
    made: dict[str, Any] = {"id": str(number), "state": state, "parameters": parameters}
    if metric is not None:
        made["finalMeasurement"] = {"stepCount": "100", "metrics": [{"metricId": "validation_auc", "value": metric}]}
    return made


def test_the_request_of_a_tuning_job_is_what_vertex_takes() -> None:
    settings = dataclasses.replace(VERTEX, tune=True, trials=6, labels=("team=maps",))
    found = study.of(arguments.read(["--learning-rate", "0.01"]), None)
    custom = request.custom_job(settings, "try 1", CONTAINER)
    made = request.tuning_job(settings, "try 1", CONTAINER, found.specification)
    assert made == {
        "displayName": "try 1",
        "studySpec": found.specification,
        "maxTrialCount": 6,
        "parallelTrialCount": 2,
        "trialJobSpec": custom["jobSpec"],
        "labels": {"team": "maps"},
    }
    assert [parameter["parameterId"] for parameter in made["studySpec"]["parameters"]] == list(found.search)
    assert "learning_rate" not in found.search


def test_what_the_server_receives_of_a_tuning_job_is_the_dry_run_s_yaml_field_by_field(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert submit.main([*WORDS, "--dry-run", "--", "--seed", "3"]) == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    assert submit.main([*WORDS, "--no-wait", "--", "--seed", "3"]) == 0
    assert place.vertex.created == [as_sent(shown, aiplatform_v1.HyperparameterTuningJob)]
    assert capsys.readouterr().out == f"{JOB}\n"


def test_trials_are_told_as_they_end_and_the_best_with_what_trains_so_again(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    first = trial(1, "SUCCEEDED", {"learning_rate": 0.003, "train_batch_size": 512.0}, 0.7)
    second = trial(2, "ACTIVE", {"learning_rate": 0.01, "train_batch_size": 1024.0})
    third = {**trial(3, "INFEASIBLE", {"learning_rate": 0.1}), "infeasibleReason": "The trial has failed."}
    better = trial(2, "SUCCEEDED", {"learning_rate": 0.01, "train_batch_size": 1024.0}, 0.75)
    place.vertex.states.clear()
    place.vertex.states.extend(
        [
            {"state": "JOB_STATE_PENDING"},
            {"state": "JOB_STATE_RUNNING", "trials": [first, second]},
            {"state": "JOB_STATE_RUNNING", "trials": [first, second, third]},
            {"state": "JOB_STATE_SUCCEEDED", "trials": [first, better, third]},
        ]
    )
    assert vertex.submit(TUNING, ["--seed", "3"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "trial 1: learning_rate=0.003, train_batch_size=512: validation_auc 0.7",
        "trial 3: learning_rate=0.1: failed: The trial has failed.",
        "trial 2: learning_rate=0.01, train_batch_size=1024: validation_auc 0.75",
        "gs://bucket/try-1/2/model",
    ]
    assert err.splitlines()[1:] == [
        f"submit: {JOB} is created",
        "  job: https://console.cloud.google.com/agent-platform/locations/us-central1/training/7001?project=my-project",
        "  log: https://console.cloud.google.com/logs/query;query=resource.type%3D%22ml_job%22%0A"
        "resource.labels.job_id%3D%227001%22?project=my-project",
        "  output: gs://bucket/try-1",
        "submit: job 7001 is pending",
        "submit: job 7001 is running",
        "submit: job 7001 has succeeded; the best of its 3 trials is 2, with validation_auc 0.75; its run lies in "
        "gs://bucket/try-1/2/model; bring it home with python -m trainer fetch gs://bucket/try-1/2 runs/try-1-2, "
        "or train so again with python -m trainer.task --seed 3 --learning-rate 0.01 --train-batch-size 1024",
    ]
    assert "logs" not in place.vertex.calls


def test_the_least_is_the_best_where_less_is_better(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    trials = [trial(n, "SUCCEEDED", {"learning_rate": 0.1}) for n in (1, 2)]
    for one, loss in zip(trials, (0.2, 0.3), strict=True):
        one["finalMeasurement"] = {"metrics": [{"metricId": "validation_loss", "value": loss}]}
    place.vertex.states[0] = {"state": "JOB_STATE_SUCCEEDED", "trials": trials}
    assert vertex.submit(dataclasses.replace(TUNING, metric="loss"), []) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "gs://bucket/try-1/1/model"
    assert place.vertex.created[0]["studySpec"]["metrics"] == [{"metricId": "validation_loss", "goal": "MINIMIZE"}]


def test_a_tuning_job_without_a_report_has_no_best_trial(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    trials = [trial(1, "INFEASIBLE", {"learning_rate": 0.1}), trial(2, "SUCCEEDED", {"learning_rate": 0.2})]
    place.vertex.states[0] = {"state": "JOB_STATE_SUCCEEDED", "trials": trials}
    assert vertex.submit(TUNING, []) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == ["trial 1: learning_rate=0.1: failed", "trial 2: learning_rate=0.2: failed"]
    assert err.splitlines()[-1] == ("submit: job 7001 has succeeded; none of its 2 trials has reported validation_auc")


@pytest.mark.parametrize("flag", ["trials", "parallel_trials"])
def test_what_says_something_of_trials_wants_tuning(place: Place, flag: str) -> None:
    name = f"--{flag.replace('_', '-')}"
    changes: dict[str, Any] = {flag: 3}
    assert submissions.failure(**changes) == (
        f"refused: {name}: it says something of --tune; give --tune as well, or leave {name} out."
    )


def test_a_tuning_job_fails_as_others_do(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.vertex.walk("RUNNING", "FAILED", error="Too many trials failed.")
    assert vertex.submit(TUNING, []) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "submit: job 7001 has failed: Too many trials failed; what it has left is in gs://bucket/try-1."
    )
