"""When early stopping ends a training, and which epoch is the best."""

import math
from typing import Any

import keras

from trainer.training.stopping import EarlyStopping


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
