"""Tables of runs, checkpoints and files of vectors, written for the projector by `python -m trainer projector`."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.test_projector import labelled, tensors
from trainer import feature_column as fc
from trainer import tables
from trainer.__main__ import main
from trainer.formats import tsv
from trainer.tables import Table

DAY = fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue", "Wed"], num_oov_buckets=1)
HOUR = fc.categorical_column_with_identity("hour", 24)
CROSS = fc.crossed_column([fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue"]), HOUR])


def values(rows: int, dimension: int = 4) -> np.ndarray[Any, Any]:
    return np.random.default_rng(rows).normal(size=(rows, dimension)).astype(np.float32)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A job dir with two tables, one of them with details."""
    films = Table(
        "film", values(3), counts=np.array([4, 0, 1]), details={"title": ["Alien", "", "Heat"]}, title="title"
    )
    week = Table("day_hour", values(48), fc.embedding_column(CROSS, 4, name="day_hour"))
    tables.write(str(tmp_path / "run" / "tables"), [films, week])
    return tmp_path / "run"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A TensorFlow checkpoint by name with a table, its slot and a dense layer."""
    arrays = {"emb/day": values(4), "emb/day/Adagrad": values(4), "dense/kernel": values(4), "dense/bias": values(1)[0]}
    prefix = str(tmp_path / "old" / "model.ckpt-1000")
    (tmp_path / "old").mkdir()
    tf.raw_ops.SaveV2(
        prefix=prefix, tensor_names=list(arrays), shape_and_slices=[""] * len(arrays), tensors=list(arrays.values())
    )
    return Path(prefix)


def test_a_run_is_written_again_with_its_labels_counts_and_details(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["projector", str(run)]) == 0
    folder = str(run / "logs" / "projector")
    assert capsys.readouterr().out.splitlines() == [
        "film: 3 × 4",
        "film.raw: 3 × 4",
        "day_hour: 48 × 4",
        "day_hour.raw: 48 × 4",
        f"look at it  tensorboard --logdir {folder}",
        folder,
    ]
    assert list(tensors(folder)) == ["film", "film.raw", "day_hour", "day_hour.raw"]
    np.testing.assert_array_equal(tensors(folder)["day_hour.raw"], values(48))
    assert labelled(folder, "film") == (
        ["label", "row", "count"],
        [["Alien", "0", "4"], ["1", "1", "0"], ["Heat", "2", "1"]],
    )
    assert labelled(folder, "day_hour")[1][30] == ["Tue 06", "Tue", "6"]


def test_one_table_of_a_run_can_go_elsewhere(run: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "elsewhere")
    assert main(["projector", str(run), "--tables", "film", "--out", out, "--no-layouts"]) == 0
    assert list(tensors(out)) == ["film", "film.raw"]
    assert not (run / "logs").exists()


def test_of_a_checkpoint_what_looks_like_a_table_is_shown(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["projector", str(checkpoint)]) == 0
    folder = str(tmp_path / "runs" / "model.ckpt-1000-projector")
    assert list(tensors(folder)) == ["emb_day", "emb_day.raw"]
    np.testing.assert_array_equal(tensors(folder)["emb_day.raw"], values(4))
    assert [row[0] for row in labelled(folder, "emb_day")[1]] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("file", ["days.txt", "days.tsv"])
def test_a_file_says_what_the_rows_of_a_checkpoint_stand_for(checkpoint: Path, tmp_path: Path, file: str) -> None:
    path = str(tmp_path / file)
    if file.endswith(".tsv"):
        tsv.write(path, ["day", "kind"], [["Mon", "work"], ["Tue", "work"], ["Sat", "rest"], ["Sun", "rest"]])
    else:
        Path(path).write_text("Mon\nTue\nSat\nSun\n")
    out = str(tmp_path / "out")
    given = ["--tables", "emb/day", "--labels", f"emb/day={path}", "--out", out]
    assert main(["projector", str(checkpoint), *given]) == 0
    header, rows = labelled(out, "emb_day")
    assert [row[0] for row in rows] == ["Mon", "Tue", "Sat", "Sun"]
    assert header == (["label", "row", "kind"] if file.endswith(".tsv") else ["label", "row"])


def test_a_matrix_that_does_not_look_like_a_table_is_shown_when_asked_for(checkpoint: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    assert main(["projector", str(checkpoint), "--tables", "dense/kernel", "--out", out]) == 0
    assert list(tensors(out)) == ["dense_kernel", "dense_kernel.raw"]


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
def test_a_keras_model_and_vectors_of_words_are_shown(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Embedding(5, 4, name="word"), keras.layers.Flatten()])
    model.save(tmp_path / "model.keras")
    assert main(["projector", str(tmp_path / "model.keras"), "--out", str(tmp_path / "a")]) == 0
    np.testing.assert_array_equal(tensors(str(tmp_path / "a"))["word.raw"], model.get_layer("word").embeddings.numpy())
    (tmp_path / "glove.txt").write_text("sun 1 2 3 4\nmoon 5 6 7 9\nsea 0 1 0 1\n")
    assert main(["projector", str(tmp_path / "glove.txt"), "--out", str(tmp_path / "b")]) == 0
    (name, _) = tensors(str(tmp_path / "b"))
    assert [row[0] for row in labelled(str(tmp_path / "b"), name)[1]] == ["sun", "moon", "sea"]


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["projector", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err.removeprefix("python -m trainer projector: ").removesuffix("\n")


def test_what_cannot_be_shown_is_refused_in_a_sentence(
    run: Path, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "two.txt").write_text("Mon\nTue\n")
    (tmp_path / "empty.tsv").write_text("")
    place, days = str(checkpoint), f"emb/day={tmp_path}/two.txt"
    assert refused(capsys) == "one source is wanted, a path or a quoted pattern, not 0; see --help."
    assert refused(capsys, place, place) == "one source is wanted, a path or a quoted pattern, not 2; see --help."
    assert refused(capsys, str(run), "--tables", "fil") == f"{run}/tables has no table 'fil'; did you mean 'film'?"
    assert refused(capsys, place, "--tables", "emb/dya") == f"{place} has no 'emb/dya'; did you mean 'emb/day'?"
    assert refused(capsys, place, "--tables", "dense/bias") == (
        "a matrix is wanted, and 'dense/bias' (4) is none; choose another of --tables."
    )
    assert refused(capsys, place, "--labels", "day") == "--labels is TABLE=FILE, not 'day'."
    assert refused(capsys, place, "--labels", "emb/dya=x") == (
        "--labels emb/dya: there is no such table; did you mean 'emb/day'?"
    )
    assert refused(capsys, place, "--labels", days) == (
        f"{tmp_path}/two.txt: there are 4 rows, so label is wanted as often, not 2 times."
    )
    assert refused(capsys, place, "--labels", f"emb/day={tmp_path}/empty.tsv") == (
        f"{tmp_path}/empty.tsv cannot be read (tsv: {tmp_path}/empty.tsv is empty; a header row is wanted); give a "
        "text file of a label a line."
    )
    assert refused(capsys, str(run), "--labels", "film=x") == (
        "--labels film: the tables of a run say what their rows stand for; leave it out."
    )
