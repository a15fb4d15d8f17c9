import dataclasses
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import planted
from trainer import models
from trainer.errors import Refusal, TrainingFailure
from trainer.inputs.examples import Source
from trainer.inputs.split import Data, read
from trainer.problem import Problem
from trainer.training import Position, evaluate, train
from trainer.training.callbacks import History, Progress, TensorBoardScalars
from trainer.training.checkpoints import Checkpoints


def opened(problem: Problem = planted.PROBLEM, seed: int = 0) -> tuple[keras.Model, models.Halves, Data]:
    keras.utils.set_random_seed(seed)
    model = models.build(problem)
    halves = models.halves(model)
    return model, halves, read(Source(problem, models.inputs_of(model), ""), halves.encode)


def values(model: keras.Model) -> list[Any]:
    return [variable.numpy() for variable in model.trainable_variables + model.optimizer.variables]


def trained(last_step: int, position: Position | None = None, **arguments: Any) -> keras.Model:
    model, halves, data = opened()
    train(model, halves, data.train, 128, 0, last_step, position=position, **arguments)
    return model


def test_training_finds_the_planted_chances() -> None:
    model, halves, data = opened()
    before = evaluate(model, halves, data.validation)
    train(model, halves, data.train, 128, 0, 420)
    after = evaluate(model, halves, data.validation)
    # The best possible log loss and AUC on these rows, from the planted chances themselves.
    chances = planted.chances()
    best = float(np.mean(-chances * np.log(chances) - (1 - chances) * np.log(1 - chances)))
    assert after["loss"] < before["loss"] - 0.05
    assert best - 0.06 < after["loss"] < best + 0.06
    assert after["auc"] > 0.75 > 0.6 > before["auc"]


def test_the_loop_and_fit_give_the_same_model_after_100_steps() -> None:
    model, halves, data = opened()
    train(model, halves, data.train, 128, seed=5, last_step=100)
    fitted, other, _ = opened()
    batches = data.train.shuffled(128, 5, 0, 100)
    inputs = {
        key: keras.Input(spec.shape[1:], dtype=spec.dtype, name=key) for key, spec in batches.element_spec[0].items()
    }
    core = keras.Model(list(inputs.values()), other.logits(inputs, True))
    core.compile(optimizer=fitted.optimizer, loss=fitted.loss, jit_compile=False)
    core.fit(batches, verbose=0, shuffle=False)
    for ours, theirs in zip(values(model), values(fitted), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_the_same_seed_gives_the_same_model_bit_for_bit() -> None:
    for first, second in zip(values(trained(60)), values(trained(60)), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_resumed_training_ends_where_an_undisturbed_one_does(tmp_path: Path) -> None:
    epoch_steps = -(-len(opened()[2].train) // 128)
    whole = trained(epoch_steps + 30)
    model, halves, data = opened()
    position = Position()
    checkpoints = Checkpoints(str(tmp_path), model, position)
    train(model, halves, data.train, 128, 0, epoch_steps + 11, position=position)
    checkpoints.save()
    other, other_halves, _ = opened(seed=9)
    restored = Position()
    Checkpoints(str(tmp_path), other, restored).restore()
    assert restored == Position(epoch=1, step=11, steps=epoch_steps + 11)
    train(other, other_halves, data.train, 128, 0, epoch_steps + 30, position=restored)
    for undisturbed, resumed in zip(values(whole), values(other), strict=True):
        np.testing.assert_array_equal(undisturbed, resumed)


def test_checkpoints_refuse_to_restore_what_is_not_there(tmp_path: Path) -> None:
    model, _, _ = opened()
    with pytest.raises(Refusal) as refusal:
        Checkpoints(str(tmp_path), model, Position()).restore()
    assert str(refusal.value) == f"--resume: {tmp_path} holds no checkpoint; --overwrite starts the run anew."


def test_weights_that_are_not_finite_are_not_saved_but_a_frozen_table_may_hold_what_its_source_does(
    tmp_path: Path,
) -> None:
    model, _, _ = opened()
    checkpoints = Checkpoints(str(tmp_path), model, Position(steps=7))
    model.get_layer("hidden_0").bias.assign(np.full(16, np.inf))
    with pytest.raises(TrainingFailure) as failure:
        checkpoints.save()
    assert str(failure.value) == (
        "training: weights are not finite after step 7, so no checkpoint of it was written; all tables are finite; try "
        "a smaller --learning-rate, or look for such values in the data."
    )
    assert list(tmp_path.iterdir()) == []
    frozen, _, _ = opened(planted.PROBLEM.replacing(lambda column: dataclasses.replace(column, trainable=False)))
    models.tables_of(frozen)["day_hour"][0].table.assign(np.full((168, 4), np.nan))
    assert Checkpoints(str(tmp_path), frozen, Position(steps=7)).save() == str(tmp_path / "ckpt-7")


def test_a_training_set_is_read_once_an_epoch_in_another_order_each_time() -> None:
    _, _, data = opened()
    epochs, steps = [], -(-len(data.train) // 128)
    for epoch in range(2):
        batches = list(data.train.shuffled(128, 3, epoch * steps, (epoch + 1) * steps).as_numpy_iterator())
        epochs.append(np.concatenate([features[key] for features, _, _ in batches for key in sorted(features)[-1:]]))
    assert len(epochs[0]) == len(data.train)
    np.testing.assert_array_equal(np.sort(epochs[0], axis=0), np.sort(epochs[1], axis=0))
    assert (epochs[0] != epochs[1]).any()


def test_callbacks_are_called_as_fit_calls_them() -> None:
    seen: list[str] = []

    class Seen(keras.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            seen.append("begin")

        def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
            seen.append(f"epoch {epoch} {sorted(logs or {})}")

        def on_train_end(self, logs: Any = None) -> None:
            seen.append("end")

    model, halves, data = opened()
    train(model, halves, data.train, 512, 0, 2 * -(-len(data.train) // 512), data.validation, callbacks=[Seen()])
    logs = ["loss", "val_accuracy", "val_auc", "val_examples", "val_loss"]
    assert seen == ["begin", f"epoch 0 {logs}", f"epoch 1 {logs}", "end"]


def test_early_stopping_of_keras_stops_the_loop() -> None:
    model, halves, data = opened()
    position = Position()
    stopping = keras.callbacks.EarlyStopping("val_loss", min_delta=10)
    train(model, halves, data.train, 512, 0, 1000, data.validation, callbacks=[stopping], position=position)
    assert position == Position(epoch=2, step=0, steps=2 * -(-len(data.train) // 512))


def test_a_loss_that_is_not_finite_stops_the_training_and_names_the_tables() -> None:
    model, halves, data = opened()
    (table, _) = models.tables_of(model)["day_hour"]
    table.table.assign(np.full((168, 4), np.inf))
    with pytest.raises(TrainingFailure) as failure:
        train(model, halves, data.train, 128, 0, 200)
    assert re.fullmatch(
        r"training: the loss became (nan|inf) in step 1, whose update was not applied; tables with values that are not "
        r"finite: day_hour \(day_X_hour_embedding\); try a smaller --learning-rate, or look for such values in the "
        r"data\.",
        str(failure.value),
    )


def test_a_step_whose_loss_is_not_finite_changes_nothing() -> None:
    model, halves, data = opened()
    position = Position()
    train(model, halves, data.train, 128, 0, 5, position=position)
    data.train.weights[:] = np.nan
    before = [variable.numpy() for variable in (*model.variables, *model.optimizer.variables)]
    with pytest.raises(TrainingFailure) as failure:
        train(model, halves, data.train, 128, 0, 50, position=position)
    assert str(failure.value) == (
        "training: the loss became nan in step 6, whose update was not applied; all tables are finite; try a smaller "
        "--learning-rate, or look for such values in the data."
    )
    assert position == Position(step=5, steps=5)
    for variable, value in zip((*model.variables, *model.optimizer.variables), before, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_a_frozen_table_stays_bit_identical() -> None:
    def frozen(column: Any) -> Any:
        return dataclasses.replace(column, trainable=False)

    model, halves, data = opened(planted.PROBLEM.replacing(frozen))
    (table, _) = models.tables_of(model)["day_hour"]
    before = table.table.numpy()
    train(model, halves, data.train, 128, 0, 30)
    np.testing.assert_array_equal(table.table.numpy(), before)
    assert not any("day_hour" in variable.path for variable in model.optimizer.variables)


def test_progress_writes_lines_to_a_log_and_a_bar_to_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for out, bar in ((io.StringIO(), False), (Terminal(), True)):
        model, halves, data = opened()
        progress = Progress(len(data.train), 512, 8, out)
        train(model, halves, data.train, 512, 0, 8, data.validation, callbacks=[progress])
        assert ("█" in out.getvalue()) == bar
        last = out.getvalue().rstrip("\n").rpartition("\n")[2].rpartition("\r\033[K")[2]
        assert last.startswith("epoch 1/1  ")
        assert "validation_auc 0." in last


def test_history_and_tensorboard_hold_each_epoch(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    model, halves, data = opened()
    callbacks = [History(str(tmp_path / "history.jsonl")), TensorBoardScalars(str(tmp_path))]
    steps = -(-len(data.train) // 512)
    train(model, halves, data.train, 512, 0, 2 * steps, data.validation, callbacks=callbacks)
    lines = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [(line["epoch"], line["steps"]) for line in lines] == [(1, steps), (2, 2 * steps)]
    events = EventAccumulator(str(tmp_path / "validation")).Reload()
    tags = events.Tags()["tensors"]
    assert "epoch/auc" in tags
    written = [float(tf.make_ndarray(event.tensor_proto)) for event in events.Tensors("epoch/auc")]
    np.testing.assert_allclose(written, [line["validation_auc"] for line in lines], rtol=1e-6)
