"""A problem's search as the study of a tuning service."""

import json
from pathlib import Path

import pytest

from tests.test_heads_goals import MarginHead
from trainer import problem as problems
from trainer.cloud import arguments, study
from trainer.cloud.study import Study
from trainer.errors import Refusal
from trainer.problem import Range, Searched

SEARCH: dict[str, Searched] = {
    "learning_rate": Range(1e-4, 1e-1, scale="log"),
    "share": Range(0, 0.5),
    "num_epochs": Range(2, 10),
    "width": Range(2, 64, scale="log"),
    "train_batch_size": (1024, 256, 512),
    "optimizer": ("LazyAdam", "Ftrl"),
}

OWN = '''"""A problem with an argument of its own."""
import dataclasses

from tests import planted, test_cloud_study, test_heads_goals
from trainer.problem import Range


def problem(*, width: int = 4):
    """Returns it."""
    return planted.problem(name=None, search={search}, head={head})
'''


def own(tmp_path: Path, search: str = "{'width': Range(2, 64)}", head: str = "planted.PROBLEM.head") -> str:
    """A problem file."""
    file = tmp_path / "mine.py"
    file.write_text(OWN.replace("{search}", search).replace("{head}", head))
    return str(file)


def of(metric: str | None, *argv: str) -> Study:
    return study.of(arguments.read(argv), metric)


def refused(metric: str | None, *argv: str) -> str:
    with pytest.raises(Refusal) as refusal:
        of(metric, *argv)
    return str(refusal.value)


def test_a_study_is_written_as_the_service_of_vertex_ai_reads_it() -> None:
    assert Study(SEARCH, "validation_rmse", False).specification == {
        "metrics": [{"metricId": "validation_rmse", "goal": "MINIMIZE"}],
        "parameters": [
            {
                "parameterId": "learning_rate",
                "doubleValueSpec": {"minValue": 1e-4, "maxValue": 1e-1},
                "scaleType": "UNIT_LOG_SCALE",
            },
            {
                "parameterId": "share",
                "doubleValueSpec": {"minValue": 0.0, "maxValue": 0.5},
                "scaleType": "UNIT_LINEAR_SCALE",
            },
            {
                "parameterId": "num_epochs",
                "integerValueSpec": {"minValue": "2", "maxValue": "10"},
                "scaleType": "UNIT_LINEAR_SCALE",
            },
            {
                "parameterId": "width",
                "integerValueSpec": {"minValue": "2", "maxValue": "64"},
                "scaleType": "UNIT_LOG_SCALE",
            },
            {
                "parameterId": "train_batch_size",
                "discreteValueSpec": {"values": [256.0, 512.0, 1024.0]},
                "scaleType": "UNIT_LINEAR_SCALE",
            },
            {"parameterId": "optimizer", "categoricalValueSpec": {"values": ["LazyAdam", "Ftrl"]}},
        ],
        "measurementSelectionType": "LAST_MEASUREMENT",
    }


def test_googles_library_reads_a_study_and_would_have_made_it_alike() -> None:
    from google.cloud import aiplatform_v1
    from google.cloud.aiplatform import hyperparameter_tuning as by_hand

    kinds, text = aiplatform_v1.types.StudySpec, json.dumps(Study(SEARCH, "validation_rmse", False).specification)
    read = kinds.from_json(text, ignore_unknown_fields=False)
    wanted = {
        "learning_rate": by_hand.DoubleParameterSpec(min=1e-4, max=1e-1, scale="log"),
        "share": by_hand.DoubleParameterSpec(min=0, max=0.5, scale="linear"),
        "num_epochs": by_hand.IntegerParameterSpec(min=2, max=10, scale="linear"),
        "width": by_hand.IntegerParameterSpec(min=2, max=64, scale="log"),
        "train_batch_size": by_hand.DiscreteParameterSpec(values=[256, 512, 1024], scale="linear"),
        "optimizer": by_hand.CategoricalParameterSpec(values=["LazyAdam", "Ftrl"]),
    }
    assert [*read.parameters] == [spec._to_parameter_spec(name) for name, spec in wanted.items()]
    assert [*read.metrics] == [kinds.MetricSpec(metric_id="validation_rmse", goal=kinds.MetricSpec.GoalType.MINIMIZE)]
    assert read.measurement_selection_type == kinds.MeasurementSelectionType.LAST_MEASUREMENT


def test_the_first_trial_is_in_the_middle_of_all_and_its_flags_are_written_as_the_service_writes_them() -> None:
    assert Study(SEARCH, "validation_rmse", False).first_trial == [
        *("--learning_rate", "0.00316228", "--share", "0.25", "--num_epochs", "6", "--width", "11"),
        *("--train_batch_size", "512.0", "--optimizer", "LazyAdam"),
    ]


@pytest.mark.parametrize("name", problems.names())
def test_the_first_trial_of_each_problem_is_a_job_that_can_be_had(name: str) -> None:
    argv = ["--problem", name, *of(None, "--problem", name).first_trial]
    settings = arguments.read(argv).settings
    assert settings.learning_rate in (0.003, 0.00948683, 0.03, 0.0447214, 0.316228)
    assert settings.num_epochs in (6, 18, None)
    assert settings.train_batch_size in (64, 128, 256, 1024, None)
    assert set(settings.dimensions.values()) <= {4, 8, 16, 100, 128}


def test_the_metric_is_the_first_of_the_head_or_the_one_that_is_asked_for(tmp_path: Path) -> None:
    found = [of(metric, "--problem", "flights") for metric in (None, "loss", "accuracy:min")]
    assert [(made.metric, made.is_up) for made in found] == [
        ("validation_auc", True),
        ("validation_loss", False),
        ("validation_accuracy", False),
    ]
    file = own(tmp_path, head="test_heads_goals.DeclaredHead()")
    assert of(None, "--problem", file).metric == "validation_margin"


def test_what_the_command_line_says_is_not_searched(tmp_path: Path) -> None:
    words = ["--problem", "flights", "--train_batch_size=512", "--num-epochs", "3", "--dimension", "day_hour=8"]
    left = ["learning_rate", "hidden_units", "dimension.carrier_hour", "dimension.origin_hour"]
    assert [*of(None, *words).search] == left
    file = own(tmp_path, "{'width': Range(2, 64), 'learning_rate': (0.1, 0.2)}")
    assert [*of(None, "--problem", file, "--width", "8").search] == ["learning_rate"]


def test_what_cannot_be_tuned_is_refused(tmp_path: Path) -> None:
    assert refused(None, "--problem", own(tmp_path, "{}")) == (
        "--tune: problem mine searches nothing; write what to search in its Problem(…), as in "
        'search={"learning_rate": Range(1e-4, 1e-1, scale="log")}, with Range from trainer.problem.'
    )
    file = own(tmp_path)
    assert refused(None, "--problem", file, "--width", "8") == (
        "--tune: the task's flags say all that problem mine searches (width); leave one of them out."
    )
    assert refused(None, "--problem", file, "--job-dir", "runs/mine") == (
        "--tune: each trial leaves a run of its own, and --job-dir is one for all; leave it out."
    )
    assert refused("acu", "--problem", file) == "--metric: there is no validation metric 'acu'; did you mean 'auc'?"


def test_a_metric_with_a_space_in_its_name_is_refused(tmp_path: Path) -> None:
    file = own(tmp_path, head="test_cloud_study.SpacedHead()")
    assert refused(None, "--problem", file) == (
        "--metric: Vertex AI takes no metric with a space in its name, as 'mean margin'; give it another."
    )


class SpacedHead(MarginHead):
    """A head whose metric has two words in its name."""

    goals = {"mean margin": "max"}
