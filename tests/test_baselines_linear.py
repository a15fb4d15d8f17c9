"""The mean and a ridge regression, as models to beat."""

import json
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tests import served
from trainer import baselines
from trainer import feature_column as fc
from trainer.baselines.linear.comparison import Rows, ridge_of
from trainer.baselines.linear.design import Design, counts
from trainer.errors import Refusal
from trainer.heads import RegressionHead
from trainer.inputs.memory import Examples
from trainer.layers import Encoder
from trainer.problem import Problem

PRICES = '''"""What a thing costs, by what it is called, its size and where it is."""
from trainer import feature_column as fc
from trainer.heads import RegressionHead
from trainer.problem import Files, Problem

words = fc.categorical_column_with_vocabulary_list("words", fc.from_data())
place = fc.categorical_column_with_vocabulary_list("place", ["north", "south"])
hour = fc.categorical_column_with_identity("hour", 3)
PROBLEM = Problem(
    dataset=Files("prices.csv"),
    dnn_feature_columns=[
        fc.embedding_column(words, 2, "sum", name="word"), fc.numeric_column("size"), fc.indicator_column(place), MORE
    ],
    linear_feature_columns=[place],
    bags={"words": " "},
    dnn_hidden_units=[4],
    label="price",
    head=RegressionHead(log=True),
    learning_rate=0.05,
    num_epochs=2,
    train_batch_size=64,
)
'''
WORTH = {"large": 0.7, "fine": 0.5, "old": -0.4, "small": -0.6, "room": 0.0}


def write_prices(path: Path, count: int = 800) -> str:
    """Writes prices whose logarithm is the sum of what words are worth, of the size and of the place."""
    draw = np.random.default_rng(5)
    lines = ["words,size,place,hour,price"]
    for _ in range(count):
        words = draw.choice(list(WORTH), int(draw.integers(1, 4)))
        size, south = draw.uniform(1000, 3000), int(draw.integers(2))
        log = 4 + sum(WORTH[word] for word in words) + size / 2000 + 0.3 * south + draw.normal(0, 0.1)
        place = ["north", "south"][south]
        lines.append(f"{' '.join(words)},{size:.0f},{place},{draw.integers(3)},{np.exp(log):.2f}")
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@given(st.lists(st.lists(st.integers(-1, 5), max_size=6), min_size=1, max_size=4))
def test_ids_are_counted_whether_they_lie_ragged_or_filled_up(bags: list[list[int]]) -> None:
    ragged = tf.ragged.constant(bags, tf.int64, ragged_rank=1)
    expected = [[Counter(bag)[item] for item in range(6)] for bag in bags]
    for ids in (ragged, ragged.to_tensor(-1).numpy()):
        assert counts(ids, 6).toarray().tolist() == expected


def test_weights_of_ids_are_summed() -> None:
    ids = tf.ragged.constant([[2, 0, 2], []], tf.int64, ragged_rank=1)
    weights = tf.ragged.constant([[0.5, 2.0, 0.25], []], tf.float32, ragged_rank=1)
    assert counts(ids, 3, weights).toarray().tolist() == [[2.0, 0.0, 0.75], [0.0, 0.0, 0.0]]
    dense = counts(np.array([[1, -1]]), 3, np.array([[0.5, 9.0]], np.float32))
    assert dense.toarray().tolist() == [[0.0, 0.5, 0.0]]


def test_each_column_is_there_once_and_numbers_are_scaled_by_the_training_rows() -> None:
    hour = fc.categorical_column_with_identity("hour", 3)
    size, pair = fc.numeric_column("size"), fc.numeric_column("pair", (2,))
    columns = [
        fc.embedding_column(hour, 4),
        fc.indicator_column(hour),
        size,
        hour,
        pair,
        fc.bucketized_column(size, [2]),
    ]
    raw = {
        "hour": tf.constant([[0], [2], [2]], tf.int64),
        "size": tf.constant([[1.0], [2.0], [3.0]]),
        "pair": tf.constant([[7.0, 0.0], [7.0, 0.0], [7.0, 3.0]]),
    }
    encoded = {key: np.asarray(value) for key, value in Encoder(columns)(raw).items()}
    examples = Examples(encoded, np.ones((3, 1)), np.ones((3, 1)))
    found = Design(columns, examples).of(examples).toarray()
    ids = sorted(map(tuple, found[:, :5].T.tolist()))
    assert ids == sorted([(1, 0, 0), (0, 0, 0), (0, 1, 1), (1, 0, 0), (0, 1, 1)])
    deviation, half = np.sqrt(2 / 3), np.sqrt(2)
    expected = [(0.0, 0.0, 0.0), (-1 / deviation, 0.0, 1 / deviation), (-1 / half, -1 / half, half)]
    np.testing.assert_allclose(sorted(found[:, 5:].T.tolist()), sorted(map(list, expected)), atol=1e-6)


@pytest.mark.parametrize("strength", [0.5, 30.0])
def test_a_ridge_regression_weighs_rows_and_leaves_the_mean_alone(strength: float) -> None:
    draw = np.random.default_rng(3)
    rows, labels = draw.integers(0, 3, (200, 4)).astype(float), np.exp(draw.normal(3, 1, (200, 1)))
    weights = draw.integers(0, 3, (200, 1)).astype(float)
    head = RegressionHead(3.0, 2.0, log=True)
    found = ridge_of(head, Rows(scipy.sparse.csr_array(rows), labels, weights), strength)
    target = (np.log(labels[:, 0]) - 3) / 2
    # The intercept costs nothing.
    wide = np.concatenate([rows, np.ones((200, 1))], axis=1)
    cost = strength * np.diag([1.0, 1.0, 1.0, 1.0, 0.0])
    expected = np.linalg.solve(wide.T @ (weights * wide) + cost, wide.T @ (weights[:, 0] * target))
    np.testing.assert_allclose([*found.coef_, found.intercept_], expected, atol=1e-3)


def test_a_job_holds_its_model_against_the_mean_and_a_ridge_regression(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, file = PRICES.replace("MORE", ""), write_prices(tmp_path / "prices.csv")
    run = served.trained(tmp_path, text, file, baselines=True)
    found, metrics = (json.loads((run / name).read_text()) for name in ("baselines.json", "metrics.json"))
    mean, ridge, own = found.pop("results")
    strength, tried = found.pop("ridge_strength"), found.pop("ridge_tried")
    assert [each["model"] for each in (mean, ridge, own)] == ["mean", f"ridge, λ {strength:.3g}", "mine"]
    assert tried[f"{strength:.6g}"] == min(tried.values())
    assert len(tried) == 9
    assert found == {
        "train_examples": metrics["train_examples"],
        "ids_and_numbers": len(WORTH) + 1 + 2,
        "test_examples": metrics["examples"],
        "chosen_by": "rmse",
    }
    names = ["rmse", "r2", "median_absolute_error"]
    assert {name: own[name] for name in names} == {name: metrics[name] for name in names}
    assert abs(mean["r2"]) < 0.1
    assert ridge["r2"] > 0.95  # what was planted is a sum
    assert ridge["rmse"] < 0.15 < mean["rmse"]
    assert ridge["median_absolute_error"] < mean["median_absolute_error"] / 3
    out = capsys.readouterr().out
    assert (
        f"baselines: the mean and a ridge regression, of {metrics['train_examples']} rows and 8 ids and numbers" in out
    )
    assert f"of {metrics['examples']} test rows\n" in out


@pytest.mark.slow
def test_a_problem_of_numbers_with_crosses_has_both_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trainer.baselines.crosses import comparison

    monkeypatch.setattr(comparison, "compare", partial(comparison.compare, shares=(1.0,), seeds=(0,)))
    text = PRICES.replace("MORE", "fc.embedding_column(fc.crossed_column([place, hour]), 2)")
    run = served.trained(tmp_path, text, write_prices(tmp_path / "prices.csv"), baselines=True)
    found = json.loads((run / "baselines.json").read_text())
    assert [each["model"] for each in found["results"] if "model" in each][::2] == ["mean", "mine"]
    assert len([each for each in found["results"] if "form" in each]) == 3
    assert (found["chosen_by"], found["metric"], found["crosses"]) == ("rmse", "rmse", ["hour_X_place"])


def test_a_problem_without_columns_has_no_ridge_regression() -> None:
    problem = Problem(lambda split: split, model=lambda: None, head=RegressionHead(), name="mine")
    with pytest.raises(Refusal) as refusal:
        baselines.check(problem)
    assert str(refusal.value) == (
        "--baselines: problem mine makes its model itself, so a ridge regression has no columns to read; leave "
        "--baselines out, or give dnn_feature_columns with hidden units or a tower."
    )
