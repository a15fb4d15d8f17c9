import dataclasses
import io
import json
import platform
import re
import signal
from collections.abc import Callable, Mapping
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import planted
from trainer import layers, models, optimizers
from trainer.errors import Refusal, TrainingFailure
from trainer.inputs.examples import Source
from trainer.inputs.memory import Examples
from trainer.inputs.split import Data, read
from trainer.problem import Problem
from trainer.training import Position, evaluate, evaluating, train
from trainer.training.allocation import keep_freed_memory
from trainer.training.callbacks import History, Progress, TensorBoardScalars
from trainer.training.checkpoints import Checkpoints
from trainer.training.evaluating import rows_at_once
from trainer.training.pace import Pace
from trainer.training.unfreeze import Unfreeze, unfreeze


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


def test_fewer_examples_are_judged_at_once_where_they_are_long() -> None:
    def passages(words: int) -> Examples:
        bags = tf.RaggedTensor.from_row_lengths(np.zeros(10 * words, np.int64), [words] * 10)
        return Examples({"words": bags}, np.zeros((10, 1), np.float32), np.ones((10, 1), np.float32), narrow=["words"])

    assert [rows_at_once(passages(words), 4096) for words in (0, 252, 253, 484, 10**5)] == [4096, 4096, 255, 134, 1]
    assert rows_at_once(passages(484), 24) == 24


def test_a_step_of_evaluation_has_as_many_examples_as_are_judged_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model, halves, data = opened()
    before = evaluate(model, halves, data.validation)
    monkeypatch.setattr(evaluating, "rows_at_once", lambda examples, batch_size: 7)
    with mock.patch.object(Examples, "batches", autospec=True, side_effect=Examples.batches) as batches:
        after = evaluate(model, halves, data.validation)
    assert batches.call_args.args[1] == 7
    assert after == pytest.approx(before, rel=1e-5)


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
    batches = data.train.shuffled(128, 5, 0, 0, 100)
    inputs = {
        key: keras.Input(spec.shape[1:], dtype=spec.dtype, name=key) for key, spec in batches.element_spec[0].items()
    }
    core = keras.Model(list(inputs.values()), other.logits(inputs, True))
    core.compile(optimizer=fitted.optimizer, loss=fitted.loss, jit_compile=False)
    core.fit(batches, verbose=0, shuffle=False)
    for ours, theirs in zip(values(model), values(fitted), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_the_sum_of_losses_trains_as_a_mean_of_a_larger_rate_and_is_told_as_the_mean() -> None:
    told = []
    for reduction, rate in (("mean", 0.128), ("sum", 0.001)):
        model, halves, data = opened(
            dataclasses.replace(planted.PROBLEM, loss_reduction=reduction, dnn_optimizer="SGD", learning_rate=rate)
        )
        position = Position()
        train(model, halves, data.train, 128, 0, 10, position=position)
        told.append([evaluate(model, halves, data.validation)["loss"], position.loss[0] / position.loss[1]])
    assert told[0] == pytest.approx(told[1], rel=1e-3)


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
    assert Checkpoints(str(tmp_path), frozen, Position(steps=7)).save() == str(tmp_path / "step-00000007")


@pytest.mark.parametrize("group", [3, 1000])
def test_losses_and_metrics_do_not_depend_on_how_many_steps_a_call_takes(
    group: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def numbers() -> list[Any]:
        model, halves, data = opened()
        seen = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: found.append(dict(logs)))
        found: list[Any] = []
        train(model, halves, data.train, 128, 0, 60, data.validation, 64, [seen])
        return found

    monkeypatch.setattr(Pace, "follow", lambda pace, steps, seconds: None)
    one_by_one = numbers()
    monkeypatch.setattr(Pace, "steps", group)
    monkeypatch.setattr(Pace, "__init__", lambda pace: None)
    assert numbers() == one_by_one


def test_a_signal_in_an_evaluation_leaves_the_end_of_the_epoch_to_be_done() -> None:
    class Interrupting(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch + 1 == self.params["steps"]:
                signal.raise_signal(signal.SIGINT)

    model, halves, data = opened()
    steps, position, ends = -(-len(data.train) // 512), Position(), []
    seen = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append((epoch, *sorted(logs))))
    with pytest.raises(KeyboardInterrupt):
        train(model, halves, data.train, 512, 0, steps, data.validation, 64, [seen, Interrupting()], position)
    assert (position.step, position.under_way, ends) == (steps, True, [])
    train(model, halves, data.train, 512, 0, steps, data.validation, 64, [seen], position)
    assert (position, position.under_way) == (Position(epoch=1, steps=steps), False)
    assert ends == [(0, "loss", "val_accuracy", "val_auc", "val_examples", "val_loss")]


def test_a_training_set_is_read_once_an_epoch_in_another_order_each_time() -> None:
    _, _, data = opened()
    epochs, steps = [], -(-len(data.train) // 128)
    for epoch in range(2):
        batches = list(data.train.shuffled(128, 3, epoch, 0, steps).as_numpy_iterator())
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


@pytest.mark.parametrize("is_under_way", [False, True], ids=["the end of an epoch told", "still to be told"])
def test_tensorboard_passes_over_what_was_written_after_the_checkpoint_that_is_gone_on_from(
    tmp_path: Path, is_under_way: bool
) -> None:
    from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

    def write(position: Position, *steps: int) -> None:
        callback = TensorBoardScalars(str(tmp_path), position)
        callback.set_model(model)
        callback.on_train_begin()
        for step in steps:
            model.optimizer.iterations.assign(step)
            callback.on_epoch_end(0, {"loss": step + position.steps / 100})
        callback.on_train_end()
        # Files are read by their names, which have the second: those of one second would be in no order.
        (file,) = (tmp_path / "train").glob("*.v2")
        file.rename(file.with_name(f"events.out.tfevents.{position.steps}"))

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    write(Position(), 10, 20, 30)
    write(Position(steps=20, under_way=is_under_way), *([20, 30, 40] if is_under_way else [30, 40]))
    write(Position(steps=40), 50)
    events = EventAccumulator(str(tmp_path / "train")).Reload().Tensors("epoch/loss")
    second = 20.2 if is_under_way else 20
    assert [event.step for event in events] == [10, 20, 30, 40, 50]
    assert [float(tf.make_ndarray(event.tensor_proto)) for event in events] == pytest.approx(
        [10, second, 30.2, 40.2, 50.4]
    )


# Tables that are frozen, and those that are trained later

ROWS, BATCH, EPOCH_STEPS = 9, 8, 50

KINDS: dict[str, Callable[[], Any]] = {
    **{name: partial(getattr(optimizers, name), 0.1, weight_decay=0.1) for name in optimizers.names()},
    "SGD with momentum": partial(optimizers.SGD, 0.1, momentum=0.9, weight_decay=0.1),
    "keras.AdamW": partial(keras.optimizers.AdamW, 0.1, weight_decay=0.1),
    "parts": lambda: parts(),
    "scaled parts": lambda: optimizers.LossScaleOptimizer(parts(), dynamic_growth_steps=3),
}


def parts() -> optimizers.Parts:
    own = {"late": optimizers.Adagrad(0.2, weight_decay=0.1)}
    return optimizers.Parts(optimizers.LazyAdam(0.1, weight_decay=0.1), own, waiting=["late"])


def with_a_frozen_table(kind: str, seed: int = 0) -> keras.Model:
    """A compiled model of two tables; that named "late" is frozen."""
    keras.utils.set_random_seed(seed)
    inputs = {name: keras.Input((2,), dtype="int64", name=f"{name}_ids") for name in ("late", "soon")}
    late = layers.EmbeddingTable(ROWS, 4, name="late", trainable=False)(inputs["late"])
    soon = layers.EmbeddingTable(7, 3, name="soon")(inputs["soon"])
    logits = keras.layers.Dense(1, name="logits")(keras.layers.Concatenate()([late, soon]))
    model = keras.Model(list(inputs.values()), keras.layers.Dropout(0.1, seed=3)(logits))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(KINDS[kind](), loss, jit_compile=False)
    return model


def small_examples() -> Examples:
    draw, count = np.random.default_rng(0), BATCH * EPOCH_STEPS
    ids = {"late_ids": draw.integers(0, ROWS, (count, 2)), "soon_ids": draw.integers(0, 7, (count, 2))}
    return Examples(ids, draw.integers(0, 2, (count, 1)).astype(np.float32), np.ones((count, 1), np.float32))


def run_loop(model: keras.Model, last_step: int, *callbacks: Any, position: Position | None = None) -> None:
    train(model, models.halves(model), small_examples(), BATCH, 1, last_step, callbacks=callbacks, position=position)


def run_fit(model: keras.Model, last_step: int, *callbacks: Any) -> None:
    batches = small_examples().shuffled(BATCH, 1, 0, 0, last_step)
    epochs = last_step // EPOCH_STEPS
    model.fit(batches, epochs=epochs, steps_per_epoch=EPOCH_STEPS, callbacks=list(callbacks), shuffle=False, verbose=0)


RUNS = [run_loop, run_fit]


def late_table(model: keras.Model) -> Any:
    return model.get_layer("late").table


def everything(model: keras.Model) -> list[Any]:
    return [variable.numpy() for variable in [*model.variables, *model.optimizer.variables]]


def slots(model: keras.Model) -> list[Any]:
    return [(slot.name, slot.numpy()) for slot in model.optimizer.variables]


class Watch(keras.callbacks.Callback):
    """Keeps what the optimizer and the table hold before and after the third epoch begins."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == 1:
            self.before, self.table = slots(self.model), late_table(self.model).numpy()
            self.other = self.model.get_layer("soon").table.numpy()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == 2:
            self.after = slots(self.model)


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_table_has_no_slot_and_stays_bit_identical_until_the_epoch_that_unfreezes_it(kind: str) -> None:
    ended = []
    for run in RUNS:
        model, out, watch = with_a_frozen_table(kind), io.StringIO(), Watch()
        start, other = late_table(model).numpy(), model.get_layer("soon").table.numpy()
        run(model, 3 * EPOCH_STEPS, Unfreeze(2, out), watch)
        # After 100 steps.
        np.testing.assert_array_equal(watch.table, start)
        assert (watch.other != other).any(axis=1).all()
        assert not [name for name, value in watch.before if value.shape[:1] == (ROWS,) or name.startswith("late")]
        # Then the others keep their slots; those of the table are as many as its optimizer has, from one number.
        kept = [(name, value) for name, value in watch.after if not name.startswith("late")]
        np.testing.assert_equal(kept, watch.before)
        new = [value for name, value in watch.after if name.startswith("late")]
        assert len(new) == {"SGD": 0, "Ftrl": 2, "LazyAdam": 2, "keras.AdamW": 2}.get(kind, 1)
        assert all(np.unique(value).size == 1 and len(value) == ROWS for value in new)
        # And it is trained.
        assert out.getvalue() == "epoch 3: late is trained from here on\n"
        assert not np.isclose(late_table(model).numpy(), start).all(axis=1).any()
        assert int(model.optimizer.iterations) == 3 * EPOCH_STEPS
        ended.append(everything(model))
    for looped, fitted in zip(*ended, strict=True):
        np.testing.assert_allclose(looped, fitted, atol=1e-5)


@pytest.mark.parametrize("kind", ["keras.AdamW", "scaled parts"])
def test_a_table_unfrozen_before_the_first_step_is_as_one_that_never_was_frozen(kind: str) -> None:
    never, at_once = with_a_frozen_table(kind), with_a_frozen_table(kind)
    never.get_layer("late").trainable = True
    run_loop(never, EPOCH_STEPS)
    run_loop(at_once, EPOCH_STEPS, Unfreeze(0, io.StringIO()))
    for left, right in zip(everything(never), everything(at_once), strict=True):
        np.testing.assert_array_equal(left, right)


class Killed(keras.callbacks.Callback):
    """Stops a training where the third epoch has just begun."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == 2:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def undisturbed() -> Callable[[str], list[Any]]:
    @cache
    def ended(kind: str) -> list[Any]:
        model = with_a_frozen_table(kind)
        run_loop(model, 3 * EPOCH_STEPS, Unfreeze(2, io.StringIO()))
        return everything(model)

    return ended


KILLED = [EPOCH_STEPS + 7, 2 * EPOCH_STEPS, "as the epoch begins", 2 * EPOCH_STEPS + 7]


@pytest.mark.parametrize(
    ("kind", "killed"), [*product(["keras.AdamW", "scaled parts"], KILLED), ("SGD", 2 * EPOCH_STEPS + 7)]
)
def test_a_training_that_unfreezes_is_resumed_bit_for_bit(
    kind: str, killed: Any, undisturbed: Callable[[str], list[Any]], tmp_path: Path
) -> None:
    model, position = with_a_frozen_table(kind), Position()
    checkpoints = Checkpoints(str(tmp_path), model, position)
    callbacks = [Unfreeze(2, io.StringIO()), checkpoints]
    if isinstance(killed, int):
        run_loop(model, killed, *callbacks, position=position)
    else:
        with pytest.raises(KeyboardInterrupt):
            run_loop(model, 3 * EPOCH_STEPS, *callbacks, Killed(), position=position)
        assert position == Position(epoch=2, step=0, steps=2 * EPOCH_STEPS)
        checkpoints.save()
    other, restored = with_a_frozen_table(kind, seed=9), Position()
    again = Checkpoints(str(tmp_path), other, restored)
    again.restore(unfreeze)
    assert restored == position
    run_loop(other, 3 * EPOCH_STEPS, Unfreeze(2, io.StringIO()), again, position=restored)
    for left, right in zip(undisturbed(kind), everything(other), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_checkpoint_with_slots_of_a_table_is_not_restored_where_it_stays_frozen(tmp_path: Path) -> None:
    model, position = with_a_frozen_table("LazyAdam"), Position()
    run_loop(
        model,
        2 * EPOCH_STEPS,
        Unfreeze(1, io.StringIO()),
        Checkpoints(str(tmp_path), model, position),
        position=position,
    )
    with pytest.raises(Refusal) as refusal:
        Checkpoints(str(tmp_path), with_a_frozen_table("LazyAdam"), Position()).restore()
    assert str(refusal.value) == (
        f"--resume: {tmp_path}/step-{2 * EPOCH_STEPS:08} was written by another model; resume with the run's own "
        "settings, or start anew with --overwrite."
    )


# Keras asks a variable for an array as NumPy 2 no longer wants to be asked.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
@pytest.mark.parametrize("kind", ["keras.AdamW", "scaled parts"])
def test_a_model_that_was_unfrozen_is_saved_and_loaded_with_all_its_slots(kind: str, tmp_path: Path) -> None:
    model = with_a_frozen_table(kind)
    run_fit(model, 2 * EPOCH_STEPS, Unfreeze(1, io.StringIO()))
    assert tf.train.Checkpoint(model=model).save(str(tmp_path / "whole"))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for left, right in zip(model.variables, loaded.variables, strict=True):
        right.assign(left)  # Keras saves no state of a dropout
    for one in (model, loaded):
        run_fit(one, EPOCH_STEPS)
    for left, right in zip(everything(model), everything(loaded), strict=True):
        np.testing.assert_array_equal(left, right)


def test_the_steps_of_the_loop_are_traced_anew_once() -> None:
    traced: list[int] = []

    class Counts(keras.layers.Layer):
        def call(self, values: Any) -> Any:
            traced.append(1)
            return values

    ids = keras.Input((2,), dtype="int64", name="late_ids")
    table = layers.EmbeddingTable(ROWS, 4, name="late", trainable=False)
    model = keras.Model([ids], keras.layers.Dense(1)(Counts()(table(ids))))
    model.compile(optimizers.LazyAdam(0.1), "mse", jit_compile=False)
    traced.clear()
    run_loop(model, 4 * EPOCH_STEPS, Unfreeze(2, io.StringIO()))
    assert len(traced) == 2


def test_a_table_s_own_optimizer_waits_in_a_model_that_is_built_until_the_table_is_trained() -> None:
    problem = planted.PROBLEM.replacing(lambda column: dataclasses.replace(column, trainable=False))
    model, halves, data = opened(dataclasses.replace(problem, table_optimizers={"day_hour": ("RowWiseAdagrad", 0.5)}))
    own = model.optimizer.parts["day_hour"]
    steps = -(-len(data.train) // 4096)
    train(model, halves, data.train, 4096, 0, 2 * steps, callbacks=[Unfreeze(1, io.StringIO())])
    assert (int(own.iterations), int(model.optimizer.iterations)) == (steps, 2 * steps)
    assert [slot.shape for slot in own.variables if len(slot.shape)] == [(168,)]


class Hidden(keras.optimizers.SGD):
    """Keeps a slot where nobody looks for it."""

    def build(self, variables: list[Any]) -> None:
        super().build(variables)
        self.means = {"first": self.add_variable((), name="mean")}


@pytest.mark.parametrize("run", RUNS)
def test_an_optimizer_that_cannot_train_more_is_refused_before_the_first_step(run: Any) -> None:
    model = with_a_frozen_table("SGD")
    model.compile(Hidden(0.1), "mse", jit_compile=False)
    before = everything(model)
    with pytest.raises(Refusal) as refusal:
        run(model, 2 * EPOCH_STEPS, Unfreeze(1, io.StringIO()))
    assert str(refusal.value).endswith(
        "/mean' is neither an attribute nor in a list of one slot a variable, so a table "
        "cannot be trained later; keep slots in such lists, or use another optimizer."
    )
    for left, right in zip(before, everything(model), strict=False):
        np.testing.assert_array_equal(left, right)


def test_the_c_library_is_asked_to_keep_what_is_freed_where_it_is_glibc(monkeypatch: pytest.MonkeyPatch) -> None:
    assert keep_freed_memory() == (platform.libc_ver()[0] == "glibc")
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert not keep_freed_memory()
