"""Encoded examples that a job leaves: the next one reads no file and learns the same, and what is torn is made anew."""

import dataclasses
import json
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests import trips
from trainer import feature_column as fc
from trainer import run as runs
from trainer import task
from trainer.errors import Refusal
from trainer.inputs import files, order
from trainer.inputs.cache import Draft
from trainer.inputs.memory import Examples
from trainer.inputs.stored import Stored
from trainer.job import learning
from trainer.problem import Problem

PROBLEM = str(Path(trips.__file__))
TAKE_TIME = {"seconds", "examples_per_second", "peak_memory_bytes", "total_seconds"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    trips.are_quick(monkeypatch)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a file with two bad rows, which lies beside it."""
    folder = tmp_path_factory.mktemp("first")
    good = trips.csv_text(trips.rows())
    (folder / "trips.csv").write_text(good + "Oslo,1,24,3.5,fast,0\nOslo,1,2,much,fast,0\n", newline="")
    with pytest.MonkeyPatch.context() as patch:
        trips.are_quick(patch)
        trips.trained(folder / "run", **given(folder))
    return folder / "run"


def given(folder: Path) -> dict[str, Any]:
    return {"train_files": str(folder / "trips.csv"), "max_bad_rows": "2"}


@pytest.fixture
def no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails a test in which more than the first rows of a file are read."""

    def read(rows: files.Rows) -> Iterator[Any]:
        raise AssertionError(rows.states)

    monkeypatch.setattr(files.Rows, "__iter__", read)


@pytest.fixture
def copy(first: Path, tmp_path: Path) -> Path:
    """A copy of the first run."""
    return Path(shutil.copytree(first, tmp_path / "copy"))


def cache_of(run: Path) -> Path:
    """The folder of encoded examples of a run."""
    (folder,) = (run / "cache").iterdir()
    return folder


def assert_same_runs(run: Path, other: Path) -> None:
    trips.assert_same_tables(run, other)
    for name in ("metrics.json", "problem.json", "bad_rows.jsonl"):
        told = [[json.loads(text) for text in _texts(each / name)] for each in (run, other)]
        if name == "metrics.json":
            told = [
                [{key: value for key, value in each.items() if key not in TAKE_TIME} for each in one] for one in told
            ]
        assert told[0] == told[1], name
    for file in (other / "tables").iterdir():
        if file.suffix in (".tsv", ".json"):
            assert (run / "tables" / file.name).read_bytes() == file.read_bytes(), file.name


def _texts(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return text.splitlines() if path.suffix == ".jsonl" else [text]


@pytest.mark.parametrize("how", ["beside it", "in its place", "from its files"])
def test_a_second_run_reads_no_file_and_learns_the_same(how: str, first: Path, copy: Path, no_reading: None) -> None:
    run, settings = copy.with_name("second"), given(first.parent)
    if how == "in its place":
        run, settings = copy, {**settings, "overwrite": True}
    elif how == "from its files":
        settings["cache_memory"] = "0"
    trips.trained(run, **settings)
    assert_same_runs(run, first)
    assert (run / "cache").exists() == (how == "in its place")


def test_what_is_kept_says_how_many_examples_are_out_of_vocabulary(first: Path) -> None:
    metrics = json.loads((first / "metrics.json").read_text())
    shares = [metrics[f"tables/tags/out_of_vocabulary_{name}"] for name in ("train", "validation", "test")]
    fresh = trips.raw(**given(first.parent))
    for share, examples in zip(shares, (fresh.train, fresh.validation, fresh.test()), strict=True):
        loud = [b"loud" in bag for bag in examples.in_memory().features["tags"].to_list()]
        assert share == pytest.approx(np.mean(loud), abs=1e-6)


def test_another_run_keeps_what_its_columns_are_made_of_in_place_of_what_was_there(copy: Path, first: Path) -> None:
    before = cache_of(copy).name
    half = fc.numeric_column("fare", default_value=0.0, normalizer_fn=lambda dollars: dollars / 20)
    other = dataclasses.replace(trips.PROBLEM, dnn_feature_columns=[*trips.PROBLEM.dnn_feature_columns[:-1], half])
    found = trips.read_by(copy, other, **given(first.parent))
    assert not found.is_kept
    assert cache_of(copy).name != before
    assert trips.read_by(copy.with_name("next"), other, **given(first.parent)).is_kept
    whole = trips.read_by(first, **given(first.parent))
    halves, wholes = (each.data.train.in_memory().features for each in (found, whole))
    (key,) = {*halves} - {*wholes}
    (other_key,) = {*wholes} - {*halves}
    np.testing.assert_allclose(2 * halves[key], wholes[other_key])


def test_a_file_that_has_changed_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "trips.csv"
    trips.write(file)
    assert not trips.read_by(tmp_path / "a", train_files=str(file)).is_kept
    assert trips.read_by(tmp_path / "b", train_files=str(file)).is_kept
    trips.write(file, trips.rows(301))
    found = trips.read_by(tmp_path / "c", train_files=str(file))
    assert not found.is_kept
    assert sum(map(len, trips.sets_of(found))) == 301


# What is torn


def cut_json(folder: Path) -> None:
    file = folder / "cache.json"
    file.write_text(file.read_text()[:-100])


def cut_arrow(folder: Path) -> None:
    file = folder / "train.arrow"
    file.write_bytes(file.read_bytes()[:-100])


def flip(name: str) -> Callable[[Path], None]:
    def flipped(folder: Path) -> None:
        file = folder / name
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)

    flipped.__name__ = f"flip {name}"
    return flipped


def lose(name: str) -> Callable[[Path], None]:
    def lost(folder: Path) -> None:
        (folder / name).unlink()

    lost.__name__ = f"lose {name}"
    return lost


TEARS = [
    cut_json,
    cut_arrow,
    flip("train.arrow"),
    flip("test.arrow"),
    flip("keys-0.arrow"),
    lose("keys-0.arrow"),
    lose("validation.arrow"),
]


@pytest.mark.parametrize("tear", TEARS, ids=lambda tear: tear.__name__)
def test_a_torn_cache_is_made_anew(tear: Callable[[Path], None], copy: Path, first: Path) -> None:
    whole = trips.read_by(first, **given(first.parent))
    assert whole.is_kept
    tear(cache_of(copy))
    found = trips.read_by(copy, **given(first.parent))
    assert not found.is_kept
    for examples, expected in zip(trips.sets_of(found), trips.sets_of(whole), strict=True):
        assert trips.arrays_of(examples) == trips.arrays_of(expected)
    assert {name: [*keys] for name, keys in found.met.keys.items()} == {
        name: [*keys] for name, keys in whole.met.keys.items()
    }
    assert {path.name: path.stat().st_size for path in cache_of(copy).iterdir()} == {
        path.name: path.stat().st_size for path in cache_of(first).iterdir()
    }


def test_what_a_killed_job_has_left_is_in_nobody_s_way(tmp_path: Path) -> None:
    file, run = trips.write(tmp_path / "trips.csv"), tmp_path / "run"
    left = run / "cache" / ".abcdefgh.partial"
    left.mkdir(parents=True)
    (left / "train.arrow").write_bytes(b"ARROW1")
    assert runs.choose(str(run), "trips", overwrite=False, resume=False).path == str(run)
    assert not trips.read_by(run, train_files=file).is_kept
    assert cache_of(run).name[0] != "."  # and nothing is beside it
    assert trips.read_by(tmp_path / "next", train_files=file).is_kept


def test_nothing_is_kept_where_a_job_ends_before_all_is_read(tmp_path: Path) -> None:
    file = tmp_path / "trips.csv"
    file.write_text("city,user,hour,fare,tags,late\n")
    assert task.main(["--problem", PROBLEM, "--job-dir", str(tmp_path / "a" / "b"), "--train-files", str(file)]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["trips.csv"]


def test_a_disk_without_room_for_encoded_rows_ends_the_job_with_a_sentence_and_nothing_is_left(tmp_path: Path) -> None:
    trips.write(tmp_path / "trips.csv", trips.rows())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # as a full disk does, a file can grow no more
    try:
        with pytest.raises(Refusal) as refusal:
            trips.read_by(tmp_path / "runs" / "run", train_files=str(tmp_path / "trips.csv"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    (start, place, end) = str(refusal.value).partition(": the encoded rows cannot be kept there (")
    assert start.startswith(str(tmp_path / "runs" / "run" / "cache"))
    assert place
    assert end.endswith("); make room for them, or give another --job-dir.")
    assert [path.name for path in tmp_path.iterdir()] == ["trips.csv"]


# Examples that lie in files


def are_small(patch: pytest.MonkeyPatch) -> None:
    """Lets an epoch of few rows take several buffers, each of several blocks."""
    patch.setattr(order, "BLOCK", 16)
    patch.setattr(order, "BUFFER_BYTES", 16 * 60 * 4)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    are_small(monkeypatch)


class Stops(keras.callbacks.Callback):
    """Is Ctrl-C once some steps are done."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if int(self.model.optimizer.iterations) >= self.step:
            raise KeyboardInterrupt


def with_callback(make: Callable[[], Any]) -> Problem:
    return dataclasses.replace(trips.PROBLEM, callbacks=[make])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three epochs from memory, which no other of these tests lies beside, nor its file."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "trips").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        trips.are_quick(patch)
        are_small(patch)
        trips.trained(folder / "run", **from_files(folder / "run", cache_memory=None))
        found = trips.read_by(folder / "run", **from_files(folder / "run", cache_memory=None))
        assert isinstance(found.data.train, Examples)
        assert found.data.train.order.buffers >= 4
    return folder / "run"


def from_files(undisturbed: Path, **settings: Any) -> dict[str, Any]:
    """The settings of a run from files of examples, of the rows that a run was trained on undisturbed."""
    file = undisturbed.parent / "trips" / "trips.csv"
    file = file if file.exists() else Path(trips.write(file))
    return {"train_files": str(file), "num_epochs": 3, "cache_memory": "0", **settings}


def test_examples_that_memory_does_not_hold_train_the_same_tables_before_ctrl_c_and_after_it(
    undisturbed: Path, tmp_path: Path, small_blocks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, settings = tmp_path / "run", from_files(undisturbed)
    with pytest.raises(KeyboardInterrupt):
        trips.trained(run, with_callback(lambda: Stops(12)), **settings)  # in the second epoch
    monkeypatch.setattr(files.Rows, "__iter__", None)
    assert {type(each) for each in trips.sets_of(trips.read_by(run, **settings))} == {Stored}
    trips.trained(run, resume=True, allow_changed=True, **settings)  # the callback is another
    trips.assert_same_tables(run, undisturbed)
    digests = [json.loads((each / "settings.json").read_text())["data"]["digest"] for each in (run, undisturbed)]
    assert digests[0] == digests[1]


class Damages(keras.callbacks.Callback):
    """Flips a byte in the middle of each part of a file after the first epoch."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == 0:
            data = np.fromfile(self.file, np.uint8)
            data[len(data) // 8 :: len(data) // 4] ^= 1
            with self.file.open("r+b") as file:
                file.write(data.tobytes())


def test_a_file_of_examples_that_is_damaged_under_a_training_ends_it_and_it_can_be_gone_on_with(
    undisturbed: Path,
    tmp_path: Path,
    small_blocks: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run, shown = tmp_path / "run", learning._Training._shown

    def damaging(training: Any) -> list[Any]:
        return [*shown(training), Damages(cache_of(run) / "train.arrow")]

    monkeypatch.setattr(learning._Training, "_shown", damaging)
    words = ["--problem", PROBLEM, "--job-dir", str(run)]
    for name, value in from_files(undisturbed).items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    assert task.main(words) == 1
    assert capsys.readouterr().err == (
        f"{cache_of(run)}/train.arrow: the encoded rows in it are not as they were written, and were removed; go on "
        "with --resume, which makes them anew.\n"
    )
    monkeypatch.setattr(learning._Training, "_shown", shown)
    assert task.main([*words, "--resume"]) == 0
    trips.assert_same_tables(run, undisturbed)
    assert (cache_of(run) / "train.arrow").exists()


# Drafts


def parts(widths: list[int]) -> list[Examples]:
    """Examples with a dense bag of some width in each part."""
    found = []
    for place, width in enumerate(widths):
        features = {"bag": np.full((20, width), place, np.int64), "x": np.random.default_rng(place).random((20, 1))}
        labels = np.arange(20)[:, np.newaxis]
        found.append(Examples(features, labels, np.ones((20, 1), np.float32), {"bag": np.arange(20) < place}))
    return found


@pytest.mark.parametrize("widths", [[2, 2, 2, 2], [2, 2, 3, 1], [1, 2, 2, 2]])
@pytest.mark.parametrize("folder", [None, "kept"])
def test_a_draft_holds_the_same_examples_whatever_the_memory(
    widths: list[int], folder: str | None, tmp_path: Path, small_blocks: None
) -> None:
    found = []
    for memory in (0, 1500, 10**9):
        with Draft(None if folder is None else str(tmp_path / str(memory) / folder / "digest"), memory) as draft:
            for part in parts(widths):
                draft.collector("train").add(part)
            examples = draft.collector("train").finish()
            assert examples is not None
            assert isinstance(examples, Stored) == (memory < 10**9 and len({*widths}) == 1)
            found.append(trips.arrays_of(examples))
            assert len(examples) == 80
            assert examples.shares_outside() == {"bag": 6 / 80}
    assert found[0] == found[1] == found[2]


def test_a_draft_that_nobody_finishes_leaves_no_folder(tmp_path: Path) -> None:
    with Draft(str(tmp_path / "run" / "cache" / "digest")) as draft:
        draft.collector("train").add(parts([2])[0])
        assert len([*tmp_path.rglob("train.arrow")]) == 1
    assert list(tmp_path.iterdir()) == []
