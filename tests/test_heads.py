from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from trainer import heads
from trainer.errors import Refusal
from trainer.heads import BinaryHead, Head, MultiClassHead, RegressionHead

HEADS: list[Head] = [BinaryHead(), MultiClassHead(3), RegressionHead()]
IDS = [type(head).__name__ for head in HEADS]


def sigmoid(logits: Any) -> Any:
    return 1 / (1 + np.exp(-logits))


def softmax(logits: Any) -> Any:
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def logits_of(head: Head, examples: int = 400) -> Any:
    return np.random.default_rng(1).normal(size=(examples, head.units)).astype(np.float32)


def labels_of(head: Head, examples: int = 400) -> Any:
    draw = np.random.default_rng(2)
    if isinstance(head, RegressionHead):
        return draw.normal(size=(examples, 1)).astype(np.float32)
    return draw.integers(0, max(head.units, 2), (examples, 1))


def cross_entropy(labels: Any, logits: Any) -> Any:
    return -np.log(np.take_along_axis(softmax(logits), labels, axis=1)[:, 0])


def log_loss(labels: Any, logits: Any) -> Any:
    return -np.log(np.where(labels == 1, sigmoid(logits), 1 - sigmoid(logits)))[:, 0]


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "BinaryHead": log_loss,
    "MultiClassHead": cross_entropy,
    "RegressionHead": lambda labels, logits: ((labels - logits) ** 2)[:, 0],
}

METRICS: dict[str, dict[str, Callable[[Any, Any], float]]] = {
    "BinaryHead": {
        "auc": lambda labels, logits: roc_auc_score(labels[:, 0], logits[:, 0]),
        "accuracy": lambda labels, logits: np.mean((logits > 0) == labels),
    },
    "MultiClassHead": {"accuracy": lambda labels, logits: np.mean(logits.argmax(axis=1) == labels[:, 0])},
    "RegressionHead": {"rmse": lambda labels, logits: float(np.sqrt(np.mean((labels - logits) ** 2)))},
}


def test_the_battery_has_every_head() -> None:
    kinds = {name for name, kind in vars(heads).items() if isinstance(kind, type) and issubclass(kind, Head)}
    assert kinds - {"Head"} == set(IDS) == set(LOSSES) == set(METRICS)


@pytest.mark.parametrize("head", HEADS, ids=IDS)
def test_the_loss_is_the_mean_over_examples(head: Head) -> None:
    labels, logits = labels_of(head), logits_of(head)
    expected = LOSSES[type(head).__name__](labels, logits)
    assert float(head.loss()(labels, logits)) == pytest.approx(expected.mean(), rel=1e-5)
    weights = np.arange(400.0) % 3
    weighted = float(head.loss()(labels, logits, sample_weight=weights))
    assert weighted == pytest.approx((weights * expected).mean(), rel=1e-5)


@pytest.mark.parametrize("head", HEADS, ids=IDS)
def test_metrics_are_what_their_names_say(head: Head) -> None:
    labels, logits = labels_of(head), logits_of(head)
    metrics = {metric.name: metric for metric in head.metrics()}
    assert list(metrics) == list(METRICS[type(head).__name__])
    for name, expected in METRICS[type(head).__name__].items():
        for part in range(0, 400, 100):
            metrics[name].update_state(labels[part : part + 100], logits[part : part + 100])
        assert float(metrics[name].result()) == pytest.approx(expected(labels, logits), abs=1e-3)
    assert all(new is not old for new, old in zip(head.metrics(), metrics.values(), strict=True))


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (BinaryHead(), {"logits": [[-1.0], [2.0]], "probabilities": sigmoid(np.array([[-1.0], [2.0]]))}),
        (
            MultiClassHead(3),
            {
                "logits": [[0.0, 1.0, -1.0], [3.0, 0.0, 0.0]],
                "probabilities": softmax(np.array([[0.0, 1.0, -1.0], [3.0, 0.0, 0.0]])),
                "classes": [1, 0],
            },
        ),
        (RegressionHead(), {"predictions": [[0.5], [-3.0]]}),
    ],
    ids=IDS,
)
def test_predictions_are_made_from_logits(head: Head, expected: dict[str, Any]) -> None:
    logits = keras.ops.convert_to_tensor(next(iter(expected.values())))
    predictions = head.predictions(logits)
    assert list(predictions) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(predictions[name], values, rtol=1e-6)


@pytest.mark.parametrize("num_classes", [1, 0, -3])
def test_fewer_than_two_classes_are_refused(num_classes: int) -> None:
    with pytest.raises(Refusal) as refusal:
        MultiClassHead(num_classes)
    assert str(refusal.value) == f"MultiClassHead: num_classes must be at least 2, not {num_classes}."


def test_a_head_of_ones_own_must_say_all_four_things() -> None:
    class Half(Head):
        @property
        def units(self) -> int:
            return 1

        def loss(self) -> Any:
            return None

    with pytest.raises(TypeError, match=r"metrics.*predictions"):
        Half()  # type: ignore[abstract]  # the mistake under test


def test_heads_of_one_declaration_are_equal() -> None:
    assert BinaryHead() == BinaryHead()
    assert RegressionHead() == RegressionHead()
    assert MultiClassHead(3) == MultiClassHead(3) != MultiClassHead(4)
