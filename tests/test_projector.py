"""Tables in TensorBoard's projector: the files, and what a TensorBoard makes of them."""

import json
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.projector import projector_plugin
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

from trainer import feature_column as fc
from trainer import projector
from trainer.formats import tsv
from trainer.projector import files
from trainer.projector.callback import ProjectorCallback
from trainer.tables import Table

DAY = fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue", "Wed"])
HOUR = fc.categorical_column_with_identity("hour", 24)
TAIL = fc.categorical_column_with_hash_bucket("tail", 60)


def table(column: fc.CategoricalColumn, name: str, dimension: int, counted: bool = True) -> Table:
    numbers = np.random.default_rng(0)
    values = numbers.normal(2, 1, size=(column.num_buckets, dimension)).astype(np.float32)
    counts = numbers.poisson(3, column.num_buckets) if counted else None
    return Table(name, values, fc.embedding_column(column, dimension, name=name), counts)


DAY_HOUR = table(fc.crossed_column([DAY, HOUR]), "day_hour", 4)
WIDE = table(TAIL, "tail", 64, counted=False)


def config(folder: str) -> ProjectorConfig:
    return projector_plugin.text_format.Parse(Path(folder, "projector_config.pbtxt").read_text(), ProjectorConfig())


def tensors(folder: str) -> dict[str, np.ndarray[Any, Any]]:
    """Reads each tensor as TensorBoard's plugin does: as text, and where that is no UTF-8, as bytes."""
    found = {}
    for embedding in config(folder).embeddings:
        path = str(Path(folder, embedding.tensor_path))
        try:
            values = projector_plugin._read_tensor_tsv_file(path)
        except UnicodeDecodeError:
            values = projector_plugin._read_tensor_binary_file(path, embedding.tensor_shape)
        assert list(values.shape) == list(embedding.tensor_shape)
        found[embedding.tensor_name] = values
    return found


def metadata(folder: str, name: str) -> tuple[list[str], list[list[str]]]:
    path = next(embedding.metadata_path for embedding in config(folder).embeddings if embedding.tensor_name == name)
    return tsv.read(str(Path(folder, path)))


def test_a_narrow_table_is_shown_centred_with_unit_rows_and_raw(tmp_path: Path) -> None:
    folder = projector.write(str(tmp_path), [DAY_HOUR])
    found = tensors(folder)
    assert list(found) == ["day_hour", "day_hour.raw"]
    np.testing.assert_array_equal(found["day_hour.raw"], DAY_HOUR.values)
    centred = DAY_HOUR.values - DAY_HOUR.values[DAY_HOUR.trained].mean(axis=0)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    np.testing.assert_allclose(found["day_hour"], centred / norms * 0.999, atol=1e-6)


def test_a_wide_table_is_shown_as_it_is(tmp_path: Path) -> None:
    found = tensors(projector.write(str(tmp_path), [WIDE]))
    assert list(found) == ["tail"]
    np.testing.assert_array_equal(found["tail"], WIDE.values)


@pytest.mark.parametrize("dimension", [1, 2])
def test_a_table_of_one_or_two_dimensions_is_padded_to_three(tmp_path: Path, dimension: int) -> None:
    made = table(DAY, "day", dimension)
    found = tensors(projector.write(str(tmp_path), [made]))
    assert found["day"].shape == found["day.raw"].shape == (3, 3)
    np.testing.assert_array_equal(found["day.raw"][:, :dimension], made.values)
    assert not found["day"][:, dimension:].any()
    assert not found["day.raw"][:, dimension:].any()


def test_a_row_in_the_middle_of_all_others_stays_there(tmp_path: Path) -> None:
    made = Table("t", np.array([[0, 0, 0, 0], [1, 2, 3, 4], [-1, -2, -3, -4]], np.float32))
    found = tensors(projector.write(str(tmp_path), [made]))["t"]
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [0, 0.999, 0.999], atol=1e-6)


def test_labels_come_first_then_the_keys_then_the_count(tmp_path: Path) -> None:
    header, rows = metadata(projector.write(str(tmp_path), [DAY_HOUR]), "day_hour.raw")
    assert DAY_HOUR.counts is not None
    assert header == ["label", "day", "hour", "count"]
    assert rows[32] == ["Tue 08", "Tue", "08", str(DAY_HOUR.counts[32])]
    assert len(rows) == 72


def test_an_uncounted_table_has_a_header_all_the_same(tmp_path: Path) -> None:
    header, rows = metadata(projector.write(str(tmp_path), [WIDE]), "tail")
    assert (header, rows[7]) == (["label", "tail"], ["bucket 07", "bucket 07"])


def test_a_key_called_label_or_count_does_not_hide_ours(tmp_path: Path) -> None:
    cross = fc.crossed_column(
        [
            fc.categorical_column_with_vocabulary_list("label", ["a", "b"]),
            fc.categorical_column_with_identity("count", 2),
        ]
    )
    header, rows = metadata(projector.write(str(tmp_path), [table(cross, "t", 4)]), "t")
    assert header == ["label", "label (key)", "count (key)", "count"]
    assert rows[3][:3] == ["b 1", "b", "1"]


@settings(deadline=None)
@given(st.lists(st.text(st.characters()) | st.text(st.sampled_from(" \t\n\r")), min_size=2, max_size=8, unique=True))
def test_no_label_adds_or_drops_a_line(tmp_path_factory: pytest.TempPathFactory, keys: list[str]) -> None:
    column = fc.categorical_column_with_vocabulary_list("key", keys)
    folder = projector.write(str(tmp_path_factory.mktemp("logs")), [table(column, "t", 4, counted=False)])
    content = Path(folder, "t.metadata.tsv").read_bytes().decode("utf-8")
    lines = content.removesuffix("\n").split("\n")
    assert len(lines) == len(keys) + 1
    assert all(len(line.split("\t")) == 2 and all(field.strip() for field in line.split("\t")) for line in lines)


def test_blank_labels_are_named_and_tabs_are_escaped(tmp_path: Path) -> None:
    column = fc.categorical_column_with_vocabulary_list("key", ["", "a\tb", "\udc80"])
    folder = projector.write(str(tmp_path), [table(column, "t", 4, counted=False)])
    lines = Path(folder, "t.metadata.tsv").read_text().split("\n")
    assert lines == ["label\tkey", "(blank)\t(blank)", "a\\tb\ta\\tb", "?\t?", ""]


def test_a_big_table_is_shown_by_its_most_frequent_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(projector, "MOST_ROWS", 3)
    made = Table("t", np.arange(20, dtype=np.float32).reshape(5, 4) ** 2, counts=np.array([1, 9, 0, 7, 7]))
    folder = projector.write(str(tmp_path), [made])
    np.testing.assert_array_equal(tensors(folder)["t.raw"], made.values[[1, 3, 4]])
    assert metadata(folder, "t")[1] == [["1", "1", "9"], ["3", "3", "7"], ["4", "4", "7"]]
    assert caplog.messages == ["projector: 't' has 5 rows; the most frequent 3 are shown."]


def test_the_most_rows_are_those_that_the_page_asks_for() -> None:
    page = Path(projector_plugin.__file__).parent / "tf_projector_plugin" / "projector_binary.js"
    limit = re.search(r"num_rows=\$\{(\w+)\}", page.read_text())
    assert limit is not None
    assert re.search(rf"\b{limit[1]}=(1e5|100000)\b", page.read_text())
    assert projector.MOST_ROWS == 100_000


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.zeros((3, 4)), "has all its rows alike"),
        (np.ones((3, 64)), "has all its rows alike"),
        (np.array([[1.0, 2.0], [np.nan, 0.0]]), "has values that are not finite"),
        (np.array([[1.0, 2.0], [1e300, 0.0]]), "has values that are not finite"),
        (np.ones((1, 4)), "has fewer than two rows"),
    ],
)
def test_a_table_that_would_break_the_page_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, values: np.ndarray[Any, Any], reason: str
) -> None:
    folder = projector.write(str(tmp_path), [Table("broken", values), DAY_HOUR])
    assert list(tensors(folder)) == ["day_hour", "day_hour.raw"]
    assert caplog.messages == [f"projector: 'broken' {reason}, so it is left out."]


def test_names_are_made_fit_for_the_page(tmp_path: Path) -> None:
    values = DAY_HOUR.values
    folder = projector.write(str(tmp_path), [Table("a b", values), Table("a_b", values), Table("a_b.raw", values)])
    assert list(tensors(folder)) == ["a_b", "a_b.raw", "a_b-2", "a_b.raw-2", "a_b.raw-3", "a_b.raw.raw"]


def test_asset_paths_stay_inside_the_folder(tmp_path: Path) -> None:
    folder = projector.write(str(tmp_path / "a" / "b"), [Table("../../outside", DAY_HOUR.values)])
    for embedding in config(folder).embeddings:
        for path in (embedding.tensor_path, embedding.metadata_path):
            assert Path(folder, path).resolve().parent == Path(folder).resolve()
    assert [path.name for path in (*tmp_path.iterdir(), *(tmp_path / "a").iterdir())] == ["a", "b"]


def test_a_step_has_a_folder_of_its_own(tmp_path: Path) -> None:
    folders = [projector.write(str(tmp_path), [DAY_HOUR], step) for step in (100, 2000)]
    assert folders == [f"{tmp_path}/step-000000100", f"{tmp_path}/step-000002000"]
    assert all(tensors(folder) for folder in folders)


def test_a_folder_is_one_run_however_often_it_is_written(tmp_path: Path) -> None:
    projector.write(str(tmp_path), [DAY_HOUR, WIDE])
    projector.write(str(tmp_path), [WIDE])
    assert list(tensors(str(tmp_path))) == ["tail"]
    (event_file,) = tmp_path.glob("events.out.tfevents.*")
    assert [event.file_version for event in EventFileLoader(str(event_file)).Load()] == ["brain.Event:2"]


def test_a_writer_that_stops_half_way_leaves_no_table_to_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    projector.write(str(tmp_path), [DAY_HOUR])

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(projector, "tensor", stop)
    with pytest.raises(KeyboardInterrupt):
        projector.write(str(tmp_path), [DAY_HOUR])
    assert tensors(str(tmp_path)) == {}


@pytest.mark.parametrize(
    ("first", "file"),
    [
        (b"\xff\x00\x00\x3f", "t.bytes"),
        (b"\n\r\n\xff", "t.bytes"),
        (b"A\nBC", "t.tsv"),  # a line of text, and no number
        (b"\n\nA\n", "t.tsv"),
        (b"\x00\x00\x00\x3f", "t.tsv"),
    ],
)
def test_a_large_tensor_is_bytes_unless_they_would_be_taken_for_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: bytes, file: str
) -> None:
    monkeypatch.setattr(files, "MOST_TEXT", 0)
    values = np.tile(np.frombuffer(first.ljust(4, b"\n"), "<f4"), (50, 64))
    values[1] = 2
    folder = projector.write(str(tmp_path), [Table("t", values)])
    assert [embedding.tensor_path for embedding in config(folder).embeddings] == [file]
    np.testing.assert_array_equal(tensors(folder)["t"], values)


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_any_tensor_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(20, 50)).astype(np.float32)
    folder = str(tmp_path_factory.mktemp("logs"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "MOST_TEXT", 0)
        projector.write(folder, [Table("t", values)])
    np.testing.assert_array_equal(tensors(folder)["t"], values)


def test_the_callback_writes_the_tables_as_they_are_when_training_ends(tmp_path: Path) -> None:
    layer = keras.layers.Embedding(3, 4)
    model = keras.Sequential([keras.Input((1,)), layer, keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    before = layer.embeddings.numpy()
    callback = ProjectorCallback(lambda: [Table("day", layer.embeddings.numpy())], str(tmp_path / "projector"))
    model.fit(np.array([[0], [1]]), np.array([5.0, 7.0]), epochs=2, verbose=0, callbacks=[callback])
    shown = tensors(str(tmp_path / "projector"))["day.raw"]
    np.testing.assert_array_equal(shown, layer.embeddings.numpy())
    assert not np.array_equal(shown, before)


# A real TensorBoard.


@pytest.fixture(scope="module")
def tensorboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a TensorBoard over runs/x, with a broken table among the others."""
    runs = tmp_path_factory.mktemp("runs")
    log_dir = str(runs / "x" / "logs" / "projector")
    projector.write(log_dir, [Table("broken", np.zeros((3, 4))), DAY_HOUR, table(DAY, "day", 1), WIDE])
    projector.write(log_dir, [DAY_HOUR], 100)
    program = "from tensorboard.main import run_main; run_main()"
    flags = ["--logdir", str(runs), "--port", "0", "--host", "127.0.0.1", "--load_fast", "false"]
    errors = runs / "stderr"
    with open(errors, "w") as stderr:
        process = subprocess.Popen([sys.executable, "-c", program, *flags], stdout=stderr, stderr=stderr)
    try:
        yield f"{_address(errors, process)}data/plugin/projector"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    for _ in range(300):
        if found := re.search(r"http://127\.0\.0\.1:\d+/", log.read_text()):
            return found[0]
        try:
            process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            continue
        break
    raise AssertionError(log.read_text())


def get(address: str, route: str, **query: str) -> bytes:
    with urllib.request.urlopen(f"{address}/{route}?{urllib.parse.urlencode(query)}", timeout=30) as response:
        content: bytes = response.read()
        return content


@pytest.fixture(scope="module")
def run(tensorboard: str) -> str:
    """The name of the run, once TensorBoard has found both."""
    runs: list[str] = []
    for _ in range(100):
        runs = sorted(json.loads(get(tensorboard, "runs")))
        if len(runs) == 2:
            break
        time.sleep(0.2)
    assert runs == ["x/logs/projector", "x/logs/projector/step-000000100"]
    return runs[0]


@pytest.mark.slow
def test_tensorboard_lists_the_tables_with_their_shapes(tensorboard: str, run: str) -> None:
    info = json.loads(get(tensorboard, "info", run=run))
    assert [(found["tensorName"], found["tensorShape"]) for found in info["embeddings"]] == [
        ("day_hour", [72, 4]),
        ("day_hour.raw", [72, 4]),
        ("day", [3, 3]),
        ("day.raw", [3, 3]),
        ("tail", [60, 64]),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "made"), [("day_hour.raw", DAY_HOUR), ("tail", WIDE)])
def test_tensorboard_serves_the_values(tensorboard: str, run: str, name: str, made: Table) -> None:
    content = get(tensorboard, "tensor", run=run, name=name, num_rows="100000")
    np.testing.assert_array_equal(np.frombuffer(content, "<f4").reshape(made.shape), made.values)


@pytest.mark.slow
def test_tensorboard_serves_a_line_of_labels_for_each_row(tensorboard: str, run: str) -> None:
    header, *lines = get(tensorboard, "metadata", run=run, name="day_hour", num_rows="100000").decode().splitlines()
    assert header == "label\tday\thour\tcount"
    assert len(lines) == 72
    assert [line.split("\t")[0] for line in lines] == DAY_HOUR.labels
