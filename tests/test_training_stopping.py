"""Which metric early stopping goes by, and which way is better."""

import math
from typing import Any

import keras
import pytest

from trainer.errors import Refusal
from trainer.heads import BinaryHead, MultiClassHead, PoissonRegressionHead, RegressionHead
from trainer.training.stopping import EarlyStopping, goal

WAYS = {
    "auc": (BinaryHead(), True),
    "accuracy": (MultiClassHead(3), True),
    "rmse": (RegressionHead(), False),
    "r2": (RegressionHead(), True),
    "rmse_over_mean": (PoissonRegressionHead(2.0), False),
    "rmsle": (PoissonRegressionHead(2.0), False),
    "loss": (BinaryHead(), False),
}


@pytest.mark.parametrize("name", WAYS)
def test_the_metrics_of_heads_say_which_way_is_better(name: str) -> None:
    head, is_up = WAYS[name]
    assert goal(name, head.metrics()) == (name, is_up)


def test_what_cannot_be_gone_by_is_refused() -> None:
    own = [keras.metrics.Mean(name="margin")]
    refused = {
        "margn": "--early-stopping: there is no validation metric 'margn'; did you mean 'margin'?",
        "seconds": "--early-stopping: there is no validation metric 'seconds'; there are loss, margin.",
        "margin": "--early-stopping: metric 'margin' does not say whether more of it is better; give margin:max or "
        "margin:min.",
        "margin:up": "--early-stopping: margin:max or margin:min is wanted, not 'margin:up'.",
    }
    for text, sentence in refused.items():
        with pytest.raises(Refusal) as refusal:
            goal(text, own)
        assert str(refusal.value) == sentence
    assert goal("margin:max", own) == ("margin", True)


def judged(values: list[float], is_up: bool, patience: int) -> tuple[int | None, int, int]:
    """The best epoch, how often the model was kept, and the epochs until the training stopped."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    kept: list[Any] = []
    stopping = EarlyStopping("auc", is_up, patience, lambda: kept.append(1), tell=lambda line: None)
    stopping.set_model(model)
    model.stop_training = False
    for epoch, value in enumerate(values):
        stopping.on_epoch_end(epoch, {"val_auc": value})
        if model.stop_training:
            break
    return (None if stopping.best is None else stopping.best.epoch), len(kept), epoch + 1


def test_a_training_stops_after_some_epochs_that_are_no_better() -> None:
    nan = math.nan
    assert judged([1, 3, 2, 3, 9], True, 2) == (2, 2, 4)
    assert judged([3, 2, 1, 2, 0], False, 2) == (5, 4, 5)
    assert judged([nan, 2, nan, nan], True, 2) == (2, 1, 4)
    assert judged([nan, nan, nan], True, 1) == (None, 0, 3)
