"""Checkpoints as folders: written whole, checked whole, and never trusted torn."""

import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import disks
from trainer import models, paths
from trainer.errors import Refusal, TrainingFailure
from trainer.inputs.memory import Examples
from trainer.tables import pieces
from trainer.training import Position, saving, train
from trainer.training.checkpoints import Checkpoints, When
from trainer.training.remembered import Remembered
from trainer.training.shelf import Shelf
from trainer.training.tensors import tensors


def variables() -> dict[str, Any]:
    draw = np.random.default_rng(0)
    return {
        "table": tf.Variable(draw.normal(size=(333, 7)).astype(np.float32)),
        "steps": tf.Variable(3, dtype=tf.int64),
        "seeds": tf.Variable([1, 2], dtype=tf.uint32),
        "row": tf.Variable(draw.normal(size=(1, 700)).astype(np.float32)),
        "half": tf.Variable(draw.normal(size=(900,)), dtype=tf.bfloat16),
    }


@pytest.mark.parametrize("place", ["ram://checkpoint", "local"])
@pytest.mark.parametrize("piece", [1000, 1 << 28])
def test_what_is_written_is_read_again_bit_for_bit_however_it_is_cut(
    place: str, piece: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "PIECE_BYTES", piece)
    folder = f"{place}-{piece}" if paths.is_remote(place) else str(tmp_path / place)
    there = variables()
    saving.write(folder, there, {"loss": 0.1})
    state = saving.check(folder)
    assert state["loss"] == 0.1
    for name, variable in there.items():
        found = saving.tensor(folder, name, state)
        assert (found.dtype, found.numpy().tobytes()) == (variable.dtype, variable.numpy().tobytes())
    files = [name for name in paths.names_in(folder) if "data" in name]
    assert len(files) == (13 if piece == 1000 else 1)


def torn(folder: Path, spoil: str) -> str:
    """Spoils a checkpoint and returns what is said of it."""
    (data,) = folder.glob("tensors.data-*")
    content = bytearray(data.read_bytes())
    if spoil == "a flipped byte":
        content[len(content) // 2] ^= 1
    if spoil == "a truncated file":
        del content[-10:]
    data.write_bytes(content)
    if spoil == "a missing file":
        data.unlink()
    if spoil == "a torn state":
        (folder / "state.json").write_text((folder / "state.json").read_text()[:50])
    if spoil == "no state":
        (folder / "state.json").unlink()
    with pytest.raises(saving.Torn) as told:
        saving.check(str(folder))
    return str(told.value)


SPOILT = {
    "a flipped byte": "Checksum does not match",
    "a truncated file": "bytes, and ",
    "a missing file": "No such file or directory",
    "a torn state": "",
    "no state": "No such file or directory",
}


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_checkpoint_that_is_not_as_it_was_written_is_known_as_torn(spoil: str, tmp_path: Path) -> None:
    saving.write(str(tmp_path / "one"), variables(), {})
    assert SPOILT[spoil] in torn(tmp_path / "one", spoil)


def test_the_folder_of_checkpoints_keeps_the_newest_and_loses_what_is_half_written(tmp_path: Path) -> None:
    shelf, some = Shelf(str(tmp_path)), {"steps": tf.Variable(1)}
    for steps in (90, 100, 100, 7):
        shelf.put(shelf.free_name(steps), some, {})
    assert shelf.names == ["step-00000100-2", "step-00000100", "step-00000090", "step-00000007"]
    (tmp_path / ".step-00000200.partial").mkdir()
    (tmp_path / ".step-00000200.partial" / "state.json").touch()
    shelf.clean()
    shelf.keep(2, bad=["step-00000100-2"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000090", "step-00000100"]
    bucket = Shelf("ram://half")
    bucket.put("step-00000001", some, {})
    saving.write("ram://half/step-00000002", some, {})
    paths.remove_file("ram://half/step-00000002/state.json")
    bucket.clean()
    assert bucket.names == ["step-00000001"]


class Unwritten(Exception):
    pass


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_of_its_name(tmp_path: Path) -> None:
    def check(name: str, values: Any) -> None:
        raise Unwritten

    for folder in (str(tmp_path), "ram://shelf"):
        shelf, some = Shelf(folder), {"steps": tf.Variable(1)}
        for steps in (1, 2, 3):
            shelf.put("best", some, {"steps": steps})
            assert saving.check(shelf.best)["steps"] == steps
        shelf.put("step-00000001", some, {})
        with pytest.raises(Unwritten):
            shelf.put("step-00000002", some, {}, check)
        assert paths.names_in(folder) == ["best", "step-00000001"]


# Trainings


def opened(seed: int = 0, units: int = 4) -> keras.Model:
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((3,), name="x")
    hidden = keras.layers.Dropout(0.5)(keras.layers.Dense(units, activation="relu")(inputs))
    model = keras.Model([inputs], keras.layers.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.05), "mse", jit_compile=False)
    return model


def examples() -> Examples:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(320, 3)).astype(np.float32)
    return Examples({"x": x}, x[:, :1] * 2 + 1, np.ones((320, 1), np.float32))


def run(model: keras.Model, last_step: int, *callbacks: Any, position: Position, steps: int | None = None) -> None:
    halves = models.Halves(None, lambda features, training: model(features, training=training))
    train(model, halves, examples(), 32, 1, last_step, callbacks=callbacks, position=position, group_steps=steps)


def everything(model: keras.Model) -> list[bytes]:
    return [variable.value.numpy().tobytes() for variable in tensors(model).values()]


def saved(folder: Path, *steps: int, **when: Any) -> tuple[keras.Model, Checkpoints]:
    """A training that was saved after some steps."""
    model, position = opened(), Position()
    checkpoints = Checkpoints(str(folder), model, position, When(seconds=1e9, keep=9, **when))
    for last in steps:
        run(model, last, position=position)
        checkpoints.save()
    return model, checkpoints


def restored(folder: Path, **more: Any) -> tuple[keras.Model, Position, list[str]]:
    """Another process's training that goes on, how far it is, and what was told."""
    model, position = opened(seed=9), Position()
    lines: list[str] = []
    Checkpoints(str(folder), model, position, tell=lines.append, **more).restore()
    return model, position, lines


def test_a_training_with_dropout_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    alone = opened()
    run(alone, 25, position=Position())
    saved(tmp_path, 13)
    model, position, lines = restored(tmp_path)
    assert (position, position.under_way, lines) == (Position(1, 3, 13), False, ["goes on after step 13"])
    run(model, 25, position=position)
    assert everything(model) == everything(alone)


def test_a_torn_checkpoint_is_left_out_for_the_one_before_and_goes_with_the_next(tmp_path: Path) -> None:
    saved(tmp_path, 5, 9)
    before, _ = saved(tmp_path / "other", 5)
    why = torn(tmp_path / "step-00000009", "a flipped byte")
    model, position, lines = restored(tmp_path)
    assert position == Position(0, 5, 5)
    assert lines == [
        f"checkpoint {tmp_path}/step-00000009 is left out: {why}; step-00000005 is taken",
        "goes on after step 5",
    ]
    assert everything(model) == everything(before)
    again = Checkpoints(str(tmp_path), model, position, When(keep=2), tell=lines.append)
    again.restore()
    run(model, 7, position=position)
    again.save()
    assert again.shelf.names == ["step-00000007", "step-00000005"]


def test_a_torn_checkpoint_makes_room_before_the_only_one_that_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path, 5, 9)
    torn(tmp_path / "step-00000009", "a flipped byte")
    model, position = opened(), Position()
    checkpoints = Checkpoints(str(tmp_path), model, position, tell=lambda line: None)
    checkpoints.restore()

    def full(*given: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(saving, "write", full)
    with pytest.raises(OSError, match="No space left on device"):
        checkpoints.save()
    assert checkpoints.shelf.names == ["step-00000005"]
    saving.check(str(tmp_path / "step-00000005"))


def test_best_weights_that_were_being_replaced_are_taken_back(tmp_path: Path) -> None:
    _, checkpoints = saved(tmp_path, 5)
    checkpoints.save_best()
    (tmp_path / "best").rename(tmp_path / ".best.old.partial")  # as a kill between two renamings leaves them
    checkpoints.shelf.clean()
    assert checkpoints.restore_best() == 5
    assert not [*tmp_path.glob(".*")]


def test_where_no_checkpoint_can_be_read_one_sentence_says_so_and_nothing_is_set(tmp_path: Path) -> None:
    saved(tmp_path, 5, 9)
    five, nine = (torn(tmp_path / f"step-0000000{steps}", "a truncated file") for steps in (5, 9))
    model = opened()
    checkpoints = Checkpoints(str(tmp_path), model, Position())
    before = everything(model)
    with pytest.raises(Refusal) as refusal:
        checkpoints.restore()
    assert str(refusal.value) == (
        f"--resume: no checkpoint in {tmp_path} can be read: step-00000009: {nine}; step-00000005: {five}; "
        "--overwrite starts the run anew."
    )
    assert everything(model) == before


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    saved(tmp_path, 5)
    with pytest.raises(Refusal, match="step-00000005 was written by another model; resume with the run's own"):
        Checkpoints(str(tmp_path), opened(units=5), Position()).restore()


def test_checkpoints_lie_in_a_bucket_too(tmp_path: Path) -> None:
    model, position = opened(), Position()
    checkpoints = Checkpoints("ram://bucket/checkpoints", model, position, When(1e9, 4, 2))
    run(model, 11, checkpoints, position=position, steps=4)
    assert checkpoints.shelf.names == ["step-00000011", "step-00000008"]
    paths.remove_file("ram://bucket/checkpoints/step-00000011/state.json")  # as if killed before it was whole
    other, restored_position = opened(9), Position()
    Checkpoints("ram://bucket/checkpoints", other, restored_position).restore()
    run(other, 11, position=restored_position)
    assert everything(other) == everything(model)


def test_checkpoints_are_written_at_multiples_of_steps_and_by_the_clock(tmp_path: Path) -> None:
    model, position, seen = opened(), Position(), []
    watch = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(position.steps))
    checkpoints = Checkpoints(str(tmp_path / "steps"), model, position, When(1e9, 7, 9))
    run(model, 24, watch, checkpoints, position=position, steps=7)
    assert {7, 14, 21} <= set(seen)
    assert [*reversed(checkpoints.shelf.names)] == [f"step-{steps:08}" for steps in (7, 14, 21, 24)]
    model, position = opened(), Position()
    checkpoints = Checkpoints(str(tmp_path / "clock"), model, position, When(1e-6, None, 99))
    run(model, 5, watch, checkpoints, position=position)
    assert "step-00000001" in checkpoints.shelf.names


def test_the_seeds_that_keras_draws_from_are_saved_too(tmp_path: Path) -> None:
    model, position = opened(), Position()
    keras.random.normal((2,))
    Checkpoints(str(tmp_path), model, position).save()
    wanted = keras.random.normal((5,)).numpy()
    keras.random.normal((2,))
    restored(tmp_path)
    np.testing.assert_array_equal(keras.random.normal((5,)), wanted)


class Owned(keras.callbacks.Callback):
    def on_train_begin(self, logs: Any = None) -> None:
        self.best, self.waited, self.size = np.float32(9), 0, float("inf")
        self.name: Any = None
        self.started, self.history = "now", [1]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.best, self.waited, self.name, self.size = np.float32(0.1), 2, "epoch", 0.1
        self.history.append(2)


def test_plain_attributes_of_callbacks_are_remembered() -> None:
    first, second = Owned(), Owned()
    first.on_train_begin()
    kept = Remembered([first])
    kept.begin(None)
    assert kept.state() == [{"kind": "Owned", "attributes": {}}]
    first.on_epoch_end(0)
    state = json.loads(json.dumps(kept.state()))
    assert {*state[0]["attributes"]} == {"best", "waited", "name", "size"}
    second.on_train_begin()
    Remembered([second]).begin(state)
    assert vars(second).items() >= {"best": np.float32(0.1), "waited": 2, "name": "epoch", "size": 0.1}.items()
    assert isinstance(second.best, np.float32)
    assert (second.history, second.started) == ([1], "now")
    Remembered([keras.callbacks.Callback()]).begin(state)  # another kind takes nothing


# Keras asks a variable for an array as NumPy 2 no longer wants to be asked.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
def test_a_learning_rate_that_keras_has_lowered_stays_so(tmp_path: Path) -> None:
    def lowering() -> Any:
        return keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1e9, min_lr=0)

    def trained(last: int, position: Position, model: keras.Model) -> None:
        callback = lowering()
        parts: Any = {"callbacks": Remembered([callback])}
        checkpoints = Checkpoints(str(tmp_path), model, position, When(1e9), parts)
        if position.steps == 0 and checkpoints.shelf.names:
            checkpoints.restore()
        run(model, last, callback, checkpoints, position=position)

    model = opened()
    trained(30, Position(), model)
    wanted = everything(model)
    Shelf(str(tmp_path)).keep(0)
    trained(20, Position(), opened())
    model = opened(seed=3)
    trained(30, Position(), model)
    assert everything(model) == wanted


def test_another_order_of_the_examples_begins_the_epoch_anew(tmp_path: Path) -> None:
    model, position = opened(), Position()
    checkpoints = Checkpoints(str(tmp_path), model, position, order=["data", 32])
    run(model, 13, position=position)
    checkpoints.save()
    _, position, lines = restored(tmp_path, order=["data", 64])
    assert (position, position.loss, position.under_way) == (Position(1, 0, 13), (0.0, 0.0), False)
    assert lines == [
        "epoch 2 begins anew, since its examples come in another order now",
        "goes on after step 13",
    ]


# Disks


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with disks.small(tmp_path / "disk", 96) as folder:
        yield folder


def test_a_checkpoint_for_which_there_is_no_room_is_a_line_and_the_training_goes_on(disk: Path) -> None:
    model, position = opened(), Position()
    lines: list[str] = []
    checkpoints = Checkpoints(str(disk / "c"), model, position, When(1e9, 4, 9), tell=lines.append)
    run(model, 4, position=position)
    checkpoints.save()
    disks.fill(disk)

    def empty(batch: int, logs: Any) -> None:
        if position.steps > 8:
            disks.empty(disk)

    room = keras.callbacks.LambdaCallback(on_train_batch_end=empty)
    run(model, 13, room, checkpoints, position=position, steps=4)
    (line,) = lines
    assert line.startswith("checkpoint after step 8: not written (")
    assert line.endswith("; step-00000004 stays, and it is tried again in 1e+09 s or before")
    assert checkpoints.shelf.names == ["step-00000013", "step-00000012", "step-00000004"]
    assert not list((disk / "c").glob(".*"))


def test_the_oldest_of_several_checkpoints_makes_room_for_the_next(disk: Path) -> None:
    model, position = opened(), Position()
    checkpoints = Checkpoints(str(disk / "c"), model, position, When(keep=9))
    for last in (1, 2, 3):
        run(model, last, position=position)
        checkpoints.save()
    disks.fill(disk)
    run(model, 4, position=position)
    checkpoints.save()
    assert checkpoints.shelf.names == ["step-00000004", "step-00000003", "step-00000002"]


def test_a_last_checkpoint_for_which_there_is_no_room_ends_the_training_with_a_sentence(disk: Path) -> None:
    model, position = opened(), Position()
    checkpoints = Checkpoints(str(disk / "c"), model, position, When(1e9))
    run(model, 4, position=position)
    checkpoints.save()
    disks.fill(disk)
    with pytest.raises(TrainingFailure) as failure:
        run(model, 9, checkpoints, position=position)
    told = str(failure.value)
    assert told.startswith(f"{disk}/c: the checkpoint after step 9 cannot be written (")
    assert told.endswith("); make room there or make it writable, then go on with --resume: step-00000004 stays.")
    saving.check(str(disk / "c" / "step-00000004"))
