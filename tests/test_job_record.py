"""What a run says of itself before its first step."""

import dataclasses
import functools
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests import planted
from trainer.declared import described, digest_of, plain
from trainer.heads import BinaryHead, RegressionHead
from trainer.job.plan import Plan
from trainer.job.record import write_record
from trainer.job.steps import opened
from trainer.problem import ByDate, ByValue, CsvFormat, Grouped, Problem, TextFormat, Walks
from trainer.run import Run
from trainer.settings import Settings


def tower(inputs: Any) -> Any:
    return inputs


CHANGES: dict[str, Any] = {
    "dnn_hidden_units": (8, 4),
    "label": "late",
    "head": RegressionHead(),
    "dnn_optimizer": "SGD",
    "linear_optimizer": "Ftrl",
    "learning_rate": np.float32(0.5),
    "linear_learning_rate": 0.5,
    "table_optimizers": {"day_hour": ("SGD", 0.5)},
    "dnn_activation_fn": functools.partial(keras.activations.leaky_relu, negative_slope=0.1),
    "dnn_dropout": 0.5,
    "batch_norm": True,
    "batch_norm_momentum": 0.5,
    "loss_reduction": "sum",
    "linear_sparse_combiner": "mean",
    "weight_column": "weight",
    "bags": ("day",),
    "tower": tower,
    "model": tower,
    "callbacks": (tower,),
    "validation": ByValue("fold", (1,)),
    "window": ByDate("day", 9),
    "csv": CsvFormat(";"),
    "texts": TextFormat("passage", 1000),
    "test_share": 0.01,
    "max_bad_rows": "1%",
    "from_rows": tower,
    "from_batch": tower,
    "planted": tower,
    "num_epochs": 7,
    "train_batch_size": 7,
    "learning_rate_decay": "cosine",
    "dataset": "nyc_flights",
    "grouped": Grouped("user"),
    "walks": Walks("from", "to"),
    "split_seed": 3,
    "average": 0.5,
    "early_stopping": "auc",
    "patience": 9,
}


def test_every_argument_of_a_problem_but_columns_search_prose_and_what_is_shown_or_measured_is_told() -> None:
    names = {field.name for field in dataclasses.fields(Problem)}
    left_out = {"dnn_feature_columns", "linear_feature_columns", "catalogues", "search", "name", "description"}
    left_out |= {"projector_examples", "pictures", "measures"}
    assert names == set(CHANGES) | left_out


@pytest.mark.parametrize("name", CHANGES)
def test_an_argument_that_differs_is_told_so(name: str) -> None:
    before = plain(planted.PROBLEM)
    other = object.__new__(Problem)  # some of these go together with others alone
    for field in dataclasses.fields(Problem):
        value = CHANGES[name] if field.name == name else getattr(planted.PROBLEM, field.name)
        object.__setattr__(other, field.name, value)
    after = plain(other)
    json.dumps(after, allow_nan=False)
    assert {key for key in after if after[key] != before[key]} == {name}


@dataclasses.dataclass(frozen=True)
class Own(BinaryHead):
    scale: Any
    function: Any = max


def test_a_head_that_json_cannot_hold_is_told_in_words(tmp_path: Path) -> None:
    problem = dataclasses.replace(planted.PROBLEM, head=Own(np.float32(2)))
    run = Run(str(tmp_path / "run"))
    write_record(opened(Plan(Settings(), problem, run)))
    assert run.read_json("problem.json")["head"] == {
        "kind": "Own",
        "label_vocabulary": None,
        "scale": 2.0,
        "function": "max",
    }
    assert run.read_json("settings.json")["trained_with"]["head"]["scale"] == 2.0


def test_runs_of_other_columns_have_other_digests() -> None:
    def digest(problem: Problem) -> str:
        return digest_of(described(problem))

    other = dataclasses.replace(planted.PROBLEM, linear_feature_columns=planted.PROBLEM.linear_feature_columns[:1])
    renamed = dataclasses.replace(planted.PROBLEM, name="another", description="In other words.")
    assert digest(other) != digest(planted.PROBLEM) == digest(renamed)
