"""Tables in TensorBoard's projector: the files, and what a TensorBoard makes of them."""

import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.projector import projector_plugin
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

from tests import planted
from tests.servers import tensorboard as serving
from trainer import datasets, layers, paths, problem, projector
from trainer import feature_column as fc
from trainer.errors import Refusal
from trainer.formats import sprites, tsv
from trainer.job import run
from trainer.job.plan import Plan, with_settings
from trainer.job.steps import carry_out
from trainer.projector import ProjectorCallback, files, layout, metadata, points
from trainer.run import Run
from trainer.settings import Settings
from trainer.tables import Table, read_manifest

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
    """Reads each tensor as TensorBoard's plugin does: from the newest checkpoint that the folder names."""
    if not config(folder).embeddings:
        return {}
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(folder))
    found = {embedding.tensor_name: reader.get_tensor(embedding.tensor_name) for embedding in config(folder).embeddings}
    assert sorted(found) == sorted(reader.get_variable_to_shape_map())  # the page lists all that are there
    for embedding in config(folder).embeddings:
        assert list(found[embedding.tensor_name].shape) == list(embedding.tensor_shape)
    return found


def labelled(folder: str, name: str) -> tuple[list[str], list[list[str]]]:
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
    header, rows = labelled(projector.write(str(tmp_path), [DAY_HOUR]), "day_hour.raw")
    assert DAY_HOUR.counts is not None
    assert header == ["label", "day", "hour", "count"]
    assert rows[32] == ["Tue 08", "Tue", "8", str(DAY_HOUR.counts[32])]
    assert len(rows) == 72


def test_an_uncounted_table_has_a_header_all_the_same(tmp_path: Path) -> None:
    header, rows = labelled(projector.write(str(tmp_path), [WIDE]), "tail")
    assert (header, rows[7]) == (["label", "tail"], ["bucket 07", "bucket 07"])


def test_a_key_called_label_or_count_does_not_hide_ours(tmp_path: Path) -> None:
    cross = fc.crossed_column(
        [
            fc.categorical_column_with_vocabulary_list("label", ["a", "b"]),
            fc.categorical_column_with_identity("count", 2),
        ]
    )
    header, rows = labelled(projector.write(str(tmp_path), [table(cross, "t", 4)]), "t")
    assert header == ["label", "label (key)", "count (key)", "count"]
    assert rows[3][:3] == ["b 1", "b", "1"]


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
    monkeypatch.setattr(points, "MOST_ROWS", 3)
    made = Table("t", np.arange(20, dtype=np.float32).reshape(5, 4) ** 2, counts=np.array([1, 9, 0, 7, 7]))
    folder = projector.write(str(tmp_path), [made])
    np.testing.assert_array_equal(tensors(folder)["t.raw"], made.values[[1, 3, 4]])
    assert labelled(folder, "t")[1] == [["1", "1", "9"], ["3", "3", "7"], ["4", "4", "7"]]
    assert caplog.messages == ["projector: 't' has 5 rows; the most frequent 3 are shown."]


def test_the_most_rows_are_those_that_the_page_asks_for() -> None:
    page = Path(projector_plugin.__file__).parent / "tf_projector_plugin" / "projector_binary.js"
    limit = re.search(r"num_rows=\$\{(\w+)\}", page.read_text())
    assert limit is not None
    assert re.search(rf"\b{limit[1]}=(1e5|100000)\b", page.read_text())
    assert points.MOST_ROWS == 100_000


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
    assert list(tensors(folder)) == ["a_b", "a_b.raw", "a_b-2", "a_b-2.raw", "a_b.raw-2", "a_b.raw-2.raw"]


def test_asset_paths_stay_inside_the_folder(tmp_path: Path) -> None:
    folder = projector.write(str(tmp_path / "a" / "b"), [Table("../../outside", DAY_HOUR.values)])
    for embedding in config(folder).embeddings:
        for path in (embedding.metadata_path, embedding.bookmarks_path):
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

    monkeypatch.setattr(files, "write_tensors", stop)
    with pytest.raises(KeyboardInterrupt):
        projector.write(str(tmp_path), [DAY_HOUR])
    assert tensors(str(tmp_path)) == {}
    assert not (tmp_path / "checkpoint").exists()


def test_tables_that_can_no_longer_be_shown_leave_none_of_before_to_the_page(tmp_path: Path) -> None:
    projector.write(str(tmp_path), [DAY_HOUR])
    projector.write(str(tmp_path), [Table("alike", np.ones((3, 4), np.float32))])
    assert not (tmp_path / "checkpoint").exists()
    assert list(config(str(tmp_path)).embeddings) == []
    assert list(tensors(projector.write(str(tmp_path), [DAY_HOUR]))) == ["day_hour", "day_hour.raw"]


def test_any_tensor_is_read_as_it_was_written(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=(20, 50)).astype(np.float32)
    np.testing.assert_array_equal(tensors(projector.write(str(tmp_path), [Table("t", values)]))["t"], values)


def test_a_folder_that_was_moved_still_opens(tmp_path: Path) -> None:
    projector.write(str(tmp_path / "here"), [DAY_HOUR])
    (tmp_path / "here").rename(tmp_path / "there")
    assert list(tensors(str(tmp_path / "there"))) == ["day_hour", "day_hour.raw"]


def test_what_an_earlier_call_has_left_is_gone_and_what_others_have_left_stays(tmp_path: Path) -> None:
    projector.write(str(tmp_path), [DAY_HOUR])
    projector.write(str(tmp_path), [WIDE], 5)
    (tmp_path / "mine.metadata.tsv").touch()
    projector.write(str(tmp_path), [WIDE])
    names = {path.name.partition(".vm.")[0] for path in tmp_path.iterdir() if "tfevents" not in path.name}
    assert names == {
        "checkpoint",
        "mine.metadata.tsv",
        "projector_config.pbtxt",
        "step-000000005",
        "tail.metadata.tsv",
        "tail.views.json",
        "tensors.data-00000-of-00001",
        "tensors.index",
    }


def test_a_folder_with_checkpoints_of_a_model_is_refused(tmp_path: Path) -> None:
    tf.train.Checkpoint(step=tf.Variable(1)).save(str(tmp_path / "ckpt"))
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(Refusal) as caught:
        projector.write(str(tmp_path), [DAY_HOUR])
    assert str(caught.value) == (
        f"projector: {tmp_path} holds checkpoints of a model; give a folder of its own, as logs/projector."
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_projector_of_something_else_is_refused_and_no_file_of_others_is_touched(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    others = [tmp_path / "outside.metadata.tsv", tmp_path / "logs" / "labels.tsv"]
    for file in others:
        file.touch()
    (tmp_path / "logs" / "projector_config.pbtxt").write_text(
        'embeddings { tensor_name: "a" metadata_path: "labels.tsv" bookmarks_path: "../outside.metadata.tsv" }'
    )
    with pytest.raises(Refusal) as caught:
        projector.write(tmp_path / "logs", [DAY_HOUR])
    assert str(caught.value) == (
        f"projector: {tmp_path}/logs holds a projector of something else; give a folder of its own."
    )
    assert all(file.exists() for file in others)


def test_a_projector_whose_checkpoint_is_ours_is_replaced_though_its_config_does_not_say_so(tmp_path: Path) -> None:
    projector.write(tmp_path, [DAY_HOUR])
    path = tmp_path / files.CONFIG
    path.write_text(path.read_text().partition("\n")[2])
    assert list(tensors(projector.write(tmp_path, [WIDE]))) == ["tail"]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refusal) as caught:
        projector.write(str(tmp_path / "file"), [DAY_HOUR])
    assert str(caught.value) == f"projector: {tmp_path}/file cannot be made (File exists); give another folder."


def test_a_table_that_cannot_be_described_costs_nothing_that_is_there(tmp_path: Path) -> None:
    folder = projector.write(str(tmp_path), [DAY_HOUR])
    with pytest.raises(Refusal, match="detail 'year' is a list of texts"):
        projector.write(str(tmp_path), [Table("t", np.eye(3, 4), details={"year": np.arange(3)})])  # type: ignore[dict-item]
    assert list(tensors(folder)) == ["day_hour", "day_hour.raw"]


def test_a_folder_that_tensorboard_cannot_read_labels_from_is_told_with_what_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = projector.write("ram://bucket/logs/projector", [DAY_HOUR])
    assert caplog.messages == [
        "projector: TensorBoard reads labels from a local folder alone; to look at them: gcloud storage cp -r "
        "ram://bucket/logs/projector projector && tensorboard --logdir projector"
    ]
    assert {"projector_config.pbtxt", "checkpoint", "tensors.index"} <= set(paths.names_in(folder))
    reader = tf.train.load_checkpoint(folder)
    np.testing.assert_array_equal(reader.get_tensor("day_hour.raw"), DAY_HOUR.values)


# Labels and colours.


def columns(made: Table) -> dict[str, list[str]]:
    return metadata.columns_of(made, range(made.rows))


def rows_with(count: bool = False, title: str | None = None, **details: list[str]) -> Table:
    size = len(next(iter(details.values())))
    values = np.random.default_rng(0).normal(size=(size, 4)).astype(np.float32)
    return Table("t", values, counts=np.arange(size) ** 2 if count else None, details=details, title=title)


def test_the_title_is_the_label_and_more_that_is_known_stands_beside_the_key() -> None:
    made = rows_with(title="film", film=["Alien", "", "Heat"], year=["1979", "1968", ""])
    assert columns(made) == {
        "label": ["Alien", "1", "Heat"],  # a row without a title is known by its label
        "row": ["0", "1", "2"],
        "year": ["1979", "1968", "(blank)"],
    }


def test_of_many_lists_the_first_of_each_is_a_colour() -> None:
    genres = [f"{'Drama' if n % 3 else 'Crime'}|other {n}" for n in range(60)]
    found = columns(rows_with(genres=genres))
    assert list(found) == ["label", "row", "genres", "genres (first)"]
    assert found["genres (first)"] == [genre.partition("|")[0] for genre in genres]


@pytest.mark.parametrize("form", ["{}-05-17", "A film ({})", "{}-05-17T10:00"])
def test_of_many_dates_the_decade_is_a_colour(form: str) -> None:
    found = columns(rows_with(when=[form.format(1950 + n) for n in range(60)]))
    assert found["when (decade)"] == [f"{1950 + n // 10 * 10}s" for n in range(60)]


def test_of_years_some_of_which_are_absent_the_decade_is_a_colour() -> None:
    found = columns(rows_with(year=["", *(str(1900 + n) for n in range(119))]))
    assert found["year (range)"][:2] == ["(blank)", "1900s"]
    assert len(set(found["year (range)"])) == 13


def test_of_numbers_some_of_which_are_absent_their_range_is_a_colour() -> None:
    found = columns(rows_with(length=["?", *(str(n / 4) for n in range(100))]))["length (range)"]
    assert (found[0], found[1], found[100]) == ("(blank)", "from 0", "from 22.5")
    assert len(set(found)) == 11


def test_of_many_titles_there_is_a_coarser_colour_too() -> None:
    titles = [f"Film {n} ({1950 + n})" for n in range(60)]
    found = columns(rows_with(title="film", film=titles))
    assert list(found) == ["label", "row", "film (decade)"]


def test_a_sign_that_separates_in_one_word_of_many_makes_no_lists_of_them() -> None:
    found = columns(rows_with(count=True, word=["|", ";", "a;b", *(f"w{n}" for n in range(100))]))
    assert list(found) == ["label", "row", "word", "frequency", "count"]


def test_where_a_decade_says_nothing_the_year_or_the_month_does() -> None:
    days = [f"2013-{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 8)]
    assert list(columns(rows_with(day=days))) == ["label", "row", "day", "day (month)"]
    years = [f"{1950 + n // 12}-{n % 12 + 1:02d}-01" for n in range(60)]
    assert list(columns(rows_with(day=years))) == ["label", "row", "day", "day (year)"]


def test_a_number_that_no_machine_holds_stays_as_it_is() -> None:
    assert columns(rows_with(key=["0x" + "f" * 5000, "9" * 400]))["key"] == ["0x" + "f" * 5000, "9" * 400]


def test_of_many_words_how_frequent_they_are_is_a_colour() -> None:
    found = columns(rows_with(count=True, word=[f"w{n}" for n in range(60)]))
    assert list(found) == ["label", "row", "word", "frequency", "count"]
    assert [found["frequency"][n] for n in (0, 1, 3, 4, 10, 59)] == [
        "never",
        "1 to 9",
        "1 to 9",
        "10 to 99",
        "100 to 999",
        "1,000 to 9,999",
    ]


def test_of_many_words_that_nobody_counted_the_initial_is_a_colour_and_rare_ones_are_one() -> None:
    words = [chr(0x4E00 + n) + "x" for n in range(70)] + ["apple", "Axe"] * 5
    found = columns(rows_with(word=words))["word (initial)"]
    assert len(set(found)) == 50
    assert found[-2:] == ["A", "A"]
    assert "(other)" in found


@pytest.mark.parametrize(
    ("texts", "numeric"),
    [
        ([f"{n:03d}" for n in range(60)], True),
        (["1e5", "-2.5", ".5", "7."], True),
        (["1_000", "2"], False),  # a number to Python, and none to the page
        (["nan", "1"], False),
        (["", "1"], False),
    ],
)
def test_numbers_are_told_as_the_page_tells_them(texts: list[str], numeric: bool) -> None:
    assert metadata.is_numeric(texts) is numeric


def test_what_the_page_would_take_for_another_number_is_written_as_it_shows_it() -> None:
    texts = ["08", "1e5", "0x10", "2.50", "-7", "12"]
    assert columns(rows_with(size=texts))["size"] == ["8", "100000", "16", "2.5", "-7", "12"]


def test_a_label_stays_as_it_is_where_the_page_would_take_it_for_another_number() -> None:
    hour = columns(table(fc.categorical_column_with_identity("hour", 24), "hour", 4))
    assert (hour["label"][8], hour["hour"][8]) == ("hour 08", "8")
    assert (hour["label"][12], hour["hour"][12]) == ("hour 12", "12")
    agent = columns(rows_with(title="agent", agent=["007", "M", "12", "12345678901234567890", "Infinity"]))
    assert agent["label"] == ["agent 007", "M", "12", "agent 12345678901234567890", "agent Infinity"]


def test_numbers_need_no_coarser_colour() -> None:
    assert list(columns(rows_with(length=[str(n) for n in range(60)]))) == ["label", "row", "length"]


def test_two_columns_of_one_name_stay_two() -> None:
    assert list(columns(rows_with(row=["a", "b"], frequency=["x", "y"]))) == [
        "label",
        "row",
        "row (2)",
        "frequency (key)",
    ]


@pytest.mark.parametrize("unseen", ["\ufeff", "\u200b", "\x00", "\u2028 ", "\t", "\n"])
def test_a_label_that_cannot_be_seen_is_called_blank(unseen: str) -> None:
    assert columns(rows_with(key=[unseen, "a"]))["key"] == ["(blank)", "a"]


@pytest.mark.parametrize("counted", [True, False])
@settings(max_examples=30)
@given(seed=st.integers(0, 1000))
def test_no_letter_lies_in_two_of_the_pieces_that_the_page_reads(
    tmp_path_factory: pytest.TempPathFactory, counted: bool, seed: int
) -> None:
    numbers = np.random.default_rng(seed)
    letters = "aß中😀"
    # Lines are shorter than a piece.
    words = ["".join(numbers.choice(list(letters), size=numbers.integers(1, 4))) for _ in range(200)]
    last = {"count": [str(number) for number in range(200)]} if counted else {"kind": words[::-1]}
    path = str(tmp_path_factory.mktemp("logs") / "t.tsv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metadata, "_CHUNK", 50)
        metadata.write(path, {"label": words, **last})
    content = Path(path).read_bytes()
    for start in range(0, len(content), 50):
        content[start : start + 50].decode()  # a letter in two pieces would be refused
    _, rows = tsv.read(path)
    assert [row[0] for row in rows] == words
    if counted:
        assert [int(row[1]) for row in rows] == list(range(200))
    else:
        assert [row[1].rstrip(" ") for row in rows] == words[::-1]


# Views and pictures.


def views(folder: str, name: str) -> list[dict[str, Any]]:
    path = next(part.bookmarks_path for part in config(folder).embeddings if part.tensor_name == name)
    found: list[dict[str, Any]] = json.loads(Path(folder, path).read_text())
    return found


def test_each_colour_has_a_view_of_the_layout_and_one_of_the_axes(tmp_path: Path) -> None:
    folder = projector.write(str(tmp_path), [DAY_HOUR])
    found = views(folder, "day_hour")
    by = ["day", "hour", "count"]
    assert [view["label"] for view in found] == [f"{what} by {key}" for key in by for what in ("t-SNE", "PCA")]
    assert [view["selectedColorOptionName"] for view in found] == [key for key in by for _ in range(2)]
    assert {tuple(view["dataSetDimensions"]) for view in found} == {(72, 4)}
    assert [view["label"] for view in views(folder, "day_hour.raw")] == [f"PCA by {key}" for key in by]


def test_a_layout_keeps_each_point_s_axes_which_the_page_would_forget(tmp_path: Path) -> None:
    folder = projector.write(str(tmp_path), [DAY_HOUR])
    shown = tensors(folder)["day_hour"]
    view = views(folder, "day_hour")[0]
    assert list(view["projections"][0]) == ["linear-x", "linear-y", "pca-0", "pca-1", "pca-2", "pca-3"]
    axes = np.array([[place[f"pca-{axis}"] for axis in range(4)] for place in view["projections"]])
    variances = np.linalg.eigvalsh(shown.T @ shown / len(shown))[::-1]
    np.testing.assert_allclose((axes**2).mean(axis=0), variances, rtol=1e-3)
    np.testing.assert_allclose(axes @ axes.T, shown @ shown.T, atol=1e-3)  # distances are those of the table


def test_neighbours_lie_beside_each_other_in_the_layout(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0)
    middles = 5 * numbers.normal(size=(3, 8))
    groups = np.repeat(np.arange(3), 20)
    values = (middles[groups] + numbers.normal(size=(60, 8))).astype(np.float32)
    place = views(projector.write(str(tmp_path), [Table("t", values)]), "t")[0]["projections"]
    flat = np.array([[point["linear-x"], point["linear-y"]] for point in place])
    apart = np.linalg.norm(flat[:, None] - flat, axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (groups[apart.argmin(axis=1)] == groups).mean() > 0.95


def test_a_layout_is_the_same_each_time() -> None:
    assert DAY_HOUR.values.shape == (72, 4)
    first, second = (layout.neighbourhoods(points.unit_rows(DAY_HOUR.values)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("values", [np.eye(4, 3), np.array([[1.0, 0], [-1, 0]]).repeat(3, 0)[:, :1] * 0])
def test_too_few_rows_have_no_layout(values: np.ndarray[Any, Any]) -> None:
    assert layout.neighbourhoods(np.asarray(values, np.float32)) is None


def test_without_layouts_the_views_of_the_axes_are_there(tmp_path: Path) -> None:
    folder = projector.write(str(tmp_path), [DAY_HOUR], layouts=False)
    assert [view["label"] for view in views(folder, "day_hour")] == ["PCA by day", "PCA by hour", "PCA by count"]


def test_what_takes_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.projector.folder._TOLD_ROWS", 60)
    told: list[str] = []
    projector.write(str(tmp_path), [DAY_HOUR, WIDE], tell=told.append)
    assert told == ["projector: laying out the 72 rows of day_hour beside their neighbours"]


def test_pictures_of_the_rows_that_are_shown_make_a_sprite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "MOST_ROWS", 3)
    pictures = np.random.default_rng(0).integers(0, 256, (4, 5, 7), np.uint8)
    made = Table("digits", np.eye(4, dtype=np.float32), counts=np.array([5, 1, 7, 6]), pictures=pictures)
    folder = projector.write(str(tmp_path), [made])
    for part in config(folder).embeddings:
        assert list(part.sprite.single_image_dim) == [7, 5]  # width, height
        found = sprites.read(str(Path(folder, part.sprite.image_path)), 3, 5, 7)
        np.testing.assert_array_equal(found, pictures[[0, 2, 3]])


# In a model of one's own.


WORDS = ["sun", "moon", "sea"]


def stock_model() -> keras.Model:
    """A stock Keras model with two tables, trained by nothing of ours."""
    ids = keras.Input((1,), dtype="int32")
    parts = [keras.layers.Embedding(3, 4, name="word")(ids), keras.layers.Embedding(5, 2, name="place")(ids)]
    model = keras.Model(ids, keras.layers.Dense(1)(keras.layers.Flatten()(keras.layers.Concatenate()(parts))))
    model.compile("sgd", "mse")
    return model


def fitted(model: keras.Model, callback: ProjectorCallback, epochs: int = 2) -> None:
    model.fit(np.array([[0], [1]]), np.array([5.0, 7.0]), epochs=epochs, verbose=0, callbacks=[callback])


def test_the_callback_writes_the_tables_as_they_are_when_training_ends(tmp_path: Path) -> None:
    model = stock_model()
    before = model.get_layer("word").embeddings.numpy()
    fitted(model, ProjectorCallback(log_dir=str(tmp_path)))
    assert list(tensors(str(tmp_path))) == ["word", "word.raw", "place", "place.raw"]
    shown = tensors(str(tmp_path))["word.raw"]
    np.testing.assert_array_equal(shown, model.get_layer("word").embeddings.numpy())
    assert not np.array_equal(shown, before)


def test_the_callback_writes_each_so_many_epochs_into_a_folder_of_its_own(tmp_path: Path) -> None:
    fitted(stock_model(), ProjectorCallback("word", every_epochs=2, log_dir=str(tmp_path)), epochs=5)
    steps = sorted(path.name for path in tmp_path.glob("step-*"))
    assert steps == ["step-000000002", "step-000000004"]  # a batch an epoch
    shown = [tensors(str(tmp_path / step))["word.raw"] for step in steps] + [tensors(str(tmp_path))["word.raw"]]
    assert not np.array_equal(shown[0], shown[1])
    assert not np.array_equal(shown[1], shown[2])


@pytest.mark.parametrize(
    ("labels", "header", "first"),
    [
        (WORDS, ["label", "row"], ["sun", "0"]),
        ({"word": WORDS}, ["label", "row"], ["sun", "0"]),
        ({"name": WORDS, "kind": ["sky", "sky", "earth"]}, ["label", "row", "kind"], ["sun", "0", "sky"]),
        ({"word": {"name": WORDS, "count": [3, 2, 1]}}, ["label", "row", "count"], ["sun", "0", "3"]),
        ([b"sun", b"moon", b"sea"], ["label", "row"], ["sun", "0"]),
        (tf.constant(WORDS), ["label", "row"], ["sun", "0"]),
        (np.array(WORDS), ["label", "row"], ["sun", "0"]),
        (pd.Series(WORDS, index=[7, 8, 9]), ["label", "row"], ["sun", "0"]),
        (pd.DataFrame({"word": WORDS, "count": [3, 2, 1]}), ["label", "row", "count"], ["sun", "0", "3"]),
        ({"word": WORDS, "kind": ["sky", "sky", "earth"]}, ["label", "row", "kind"], ["sun", "0", "sky"]),
    ],
)
def test_the_callback_takes_labels_in_several_forms(
    tmp_path: Path, labels: Any, header: list[str], first: list[str]
) -> None:
    model = stock_model()
    fitted(model, ProjectorCallback(model.get_layer("word"), labels, log_dir=str(tmp_path)))
    found, rows = labelled(str(tmp_path), "word")
    assert (found, rows[0]) == (header, first)


def test_the_callback_knows_what_the_rows_of_our_columns_stand_for(tmp_path: Path) -> None:
    inputs = layers.inputs([fc.embedding_column(DAY, 4, name="day")])
    features = layers.DenseFeatures([fc.embedding_column(DAY, 4, name="day")])
    model = keras.Model(inputs, keras.layers.Dense(1)(features(inputs)))
    model.compile("sgd", "mse")
    data = tf.data.Dataset.from_tensors(({"day": tf.constant(["Mon", "Wed"])}, tf.constant([1.0, 2.0])))
    model.fit(data, verbose=0, shuffle=False, callbacks=[ProjectorCallback(log_dir=str(tmp_path))])
    assert [row[0] for row in labelled(str(tmp_path), "day")[1]] == ["Mon", "Tue", "Wed"]


REFUSED = [
    (lambda: ProjectorCallback(every_epochs=0), "every_epochs is a whole number of at least 1, not 0."),
    (lambda: ProjectorCallback("wrod"), "the model has no embedding layer 'wrod'; did you mean 'word'?"),
    (
        lambda: ProjectorCallback(keras.layers.Dense(1, name="d")),
        "keras.layers.Embedding or EmbeddingTable is wanted, not Dense 'd'.",
    ),
    (
        lambda: ProjectorCallback("word", ["sun"]),
        "layer 'word': there are 3 rows, so label is wanted as often, not 1 times.",
    ),
    (
        lambda: ProjectorCallback("word", {"name": "sun"}),
        "layer 'word': name is wanted as a list of one a row, not str.",
    ),
    (
        lambda: ProjectorCallback("word", {"sun": 0, "moon": 1, "sea": 2}),
        "layer 'word': sun is wanted as a list of one a row, not int; of an index by word, sorted(index, "
        "key=index.get) is one.",
    ),
    (
        lambda: ProjectorCallback("word", {"sun", "moon", "sea"}),
        "layer 'word': label is wanted as a list of one a row, not set.",
    ),
    (
        lambda: ProjectorCallback("word", np.array([WORDS])),
        "layer 'word': label is wanted as one a row, not of shape (1, 3).",
    ),
    (
        lambda: ProjectorCallback(keras.layers.Embedding(3, 4, name="away")),
        "layer 'away' is not in the model that is trained; give one that is.",
    ),
    (lambda: ProjectorCallback([]), "layers is empty; leave it out to show all."),
    (lambda: ProjectorCallback(labels=WORDS), "give labels by the names of the layers: word, place."),
    (
        lambda: ProjectorCallback(labels={"word": WORDS, "plaec": WORDS}),
        "labels are given for 'plaec'; did you mean 'place'?",
    ),
    (
        lambda: ProjectorCallback("word", {"word": {"name": WORDS, "count": [0.5, 1, 2]}}),
        "layer 'word': count is wanted as whole numbers; call a column of others by another name.",
    ),
]


@pytest.mark.parametrize(("make", "sentence"), REFUSED, ids=[sentence[:50] for _, sentence in REFUSED])
def test_the_callback_refuses_before_the_first_step(tmp_path: Path, make: Any, sentence: str) -> None:
    model = stock_model()
    before = model.get_layer("word").embeddings.numpy()

    def trained() -> None:
        callback = make()
        callback.log_dir = str(tmp_path)
        fitted(model, callback)

    with pytest.raises(Refusal) as caught:
        trained()
    assert str(caught.value) == f"ProjectorCallback: {sentence}"
    assert not model.optimizer.iterations.numpy()
    np.testing.assert_array_equal(model.get_layer("word").embeddings.numpy(), before)
    assert not list(tmp_path.iterdir())


def test_a_model_without_embeddings_is_refused(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(
        Refusal, match=r"^ProjectorCallback: the model has no layer of embeddings; keras\.layers\.Embedding is one\.$"
    ):
        fitted(model, ProjectorCallback(log_dir=str(tmp_path)))


def test_two_layers_of_one_name_are_both_shown(tmp_path: Path) -> None:
    towers = []
    for rows in (3, 5):
        ids = keras.Input((1,), dtype="int32")
        towers.append(keras.Model(ids, keras.layers.Flatten()(keras.layers.Embedding(rows, 4, name="embedding")(ids))))
    ids = keras.Input((1,), dtype="int32")
    merged = keras.layers.Concatenate()([tower(ids) for tower in towers])
    model = keras.Model(ids, keras.layers.Dense(1)(merged))
    model.compile("sgd", "mse")
    fitted(model, ProjectorCallback(log_dir=tmp_path))
    assert {name: len(values) for name, values in tensors(str(tmp_path)).items()} == {
        "embedding": 3,
        "embedding.raw": 3,
        "embedding-2": 5,
        "embedding-2.raw": 5,
    }
    with pytest.raises(Refusal, match="2 layers are called 'embedding'"):
        fitted(model, ProjectorCallback("embedding", log_dir=tmp_path))


def test_labels_of_a_model_that_is_not_built_are_checked_before_the_first_step(tmp_path: Path) -> None:
    model = keras.Sequential([keras.layers.Embedding(3, 4, name="word"), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(Refusal, match="there are 3 rows"):
        fitted(model, ProjectorCallback(labels=["sun"], log_dir=tmp_path))
    assert not model.optimizer.iterations.numpy()


# In a job.


def planted_job(folder: Path, **changes: Any) -> Run:
    """Runs a short job over planted data, and returns the run."""
    given = Settings(train_batch_size=2048, num_epochs=2, **changes)
    place = Run(str(folder))
    carry_out(Plan(given, with_settings(planted.PROBLEM, given), place))
    return place


def test_a_job_shows_its_tables_every_so_many_epochs_and_in_the_end(tmp_path: Path) -> None:
    left = planted_job(tmp_path / "run", projector_every_epochs=1)
    steps = [json.loads(line)["steps"] for line in Path(left.file("history.jsonl")).read_text().splitlines()]
    folders = sorted(Path(left.projector).glob("step-*"))
    assert [int(folder.name.removeprefix("step-")) for folder in folders] == steps
    shown = [tensors(str(folder))["day_hour.raw"] for folder in (*folders, left.projector)]
    np.testing.assert_array_equal(shown[1], shown[2])  # the last epoch is the end
    assert not np.array_equal(shown[0], shown[1])
    assert [view["label"][:3] for view in views(str(folders[0]), "day_hour")] == ["PCA"] * 3
    assert "t-SNE by hour" in [view["label"] for view in views(left.projector, "day_hour")]


def test_what_only_shows_what_was_learned_stops_no_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trainer.projector.write", fail)
    monkeypatch.setattr("trainer.pictures.write", fail)
    left = planted_job(tmp_path / "run", projector_every_epochs=1)
    sentence = "not written: OSError: [Errno 28] No space left on device"
    assert capsys.readouterr().err.splitlines() == [
        *[f"the projector: {sentence}"] * 2,
        f"pictures: {sentence}",
        f"the projector: {sentence}",
    ]
    assert left.read_json("metrics.json")["total_seconds"] > 0
    assert {"tables", "export", "checkpoints"} <= {path.name for path in Path(left.path).iterdir()}


def test_an_interruption_of_the_last_layout_keeps_what_was_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("trainer.projector.write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        planted_job(tmp_path / "run")
    left = Run(str(tmp_path / "run"))
    assert 0 < left.read_json("metrics.json")["loss"] < 1
    assert list(read_manifest(left.tables).tables) == ["day_hour"]
    assert Path(left.export, "saved_model.pb").exists()
    assert capsys.readouterr().out.endswith(f"add --resume --job-dir {left.path} to go on.\n{left.path}\n")


def test_a_folder_of_logs_that_holds_checkpoints_is_refused_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIP_TENSORBOARD_LOG_DIR", str(tmp_path / "logs"))
    tf.train.Checkpoint(step=tf.Variable(1)).save(str(tmp_path / "logs" / "projector" / "ckpt"))
    with pytest.raises(Refusal, match="holds checkpoints of a model"):
        planted_job(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_is_replaced_whatever_its_projector_folder_holds(tmp_path: Path) -> None:
    left = planted_job(tmp_path / "run")
    tf.train.Checkpoint(step=tf.Variable(1)).save(f"{left.projector}/ckpt")
    planted_job(tmp_path / "run", overwrite=True)
    assert list(tensors(left.projector)) == ["day_hour", "day_hour.raw"]


def test_a_replaced_run_leaves_no_step_where_a_cloud_keeps_the_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIP_TENSORBOARD_LOG_DIR", str(tmp_path / "logs"))
    planted_job(tmp_path / "run", projector_every_epochs=1)
    planted_job(tmp_path / "run", overwrite=True)
    assert not list((tmp_path / "logs" / "projector").glob("step-*"))


# A real TensorBoard.


def get(address: str, route: str, **query: str) -> bytes:
    place = f"{address}data/plugin/projector/{route}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(place, timeout=30) as response:
        content: bytes = response.read()
        return content


def runs_of(address: str, wanted: int) -> list[str]:
    """Returns the names of the runs, once TensorBoard has found so many."""
    found: list[str] = []
    for _ in range(100):
        found = sorted(json.loads(get(address, "runs")))
        if len(found) == wanted:
            break
        time.sleep(0.2)
    assert len(found) == wanted, found
    return found


def served(address: str, run_name: str) -> dict[str, tuple[np.ndarray[Any, Any], list[str], list[Any]]]:
    """Returns the values, the lines of labels after the first, and the views of each tensor of a run, by name."""
    found = {}
    for part in json.loads(get(address, "info", run=run_name))["embeddings"]:
        query = {"run": run_name, "name": part["tensorName"]}
        values = np.frombuffer(get(address, "tensor", **query, num_rows="100000"), "<f4").reshape(part["tensorShape"])
        lines = get(address, "metadata", **query, num_rows="100000").decode().removesuffix("\n").split("\n")
        found[part["tensorName"]] = (values, lines[1:], json.loads(get(address, "bookmarks", **query)))
    return found


@pytest.fixture(scope="module")
def tensorboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a TensorBoard over runs/x, with a broken table among the others."""
    runs = tmp_path_factory.mktemp("runs")
    log_dir = str(runs / "x" / "logs" / "projector")
    projector.write(log_dir, [Table("broken", np.zeros((3, 4))), DAY_HOUR, table(DAY, "day", 1), WIDE])
    projector.write(log_dir, [WIDE], 100, layouts=False)
    with serving(runs) as address:
        yield address


@pytest.mark.slow
def test_tensorboard_serves_the_tables_with_their_labels_and_views(tensorboard: str) -> None:
    first, second = runs_of(tensorboard, 2)
    assert (first, second) == ("x/logs/projector", "x/logs/projector/step-000000100")
    found = served(tensorboard, first)
    assert list(found) == ["day_hour", "day_hour.raw", "day", "day.raw", "tail"]
    np.testing.assert_array_equal(found["day_hour.raw"][0], DAY_HOUR.values)
    np.testing.assert_array_equal(found["tail"][0], WIDE.values)
    for values, lines, bookmarks in found.values():
        assert len(values) == len(lines)
        assert bookmarks
    assert [line.split("\t")[0] for line in found["day_hour"][1]] == DAY_HOUR.labels
    assert list(served(tensorboard, second)) == ["tail"]


@pytest.mark.slow
def test_a_running_tensorboard_finds_a_step_that_comes_later(tmp_path: Path) -> None:
    log_dir = tmp_path / "x" / "logs" / "projector"
    projector.write(log_dir, [WIDE], 100, layouts=False)
    with serving(tmp_path) as address:
        assert runs_of(address, 1) == ["x/logs/projector/step-000000100"]
        later = Table("tail", WIDE.values + 1, WIDE.column)
        projector.write(log_dir, [later], 200, layouts=False)
        step = runs_of(address, 2)[1]
        np.testing.assert_array_equal(served(address, step)["tail"][0], later.values)


PROBLEMS: dict[str, dict[str, Any]] = {
    "bikes": {},
    "digits": {},
    "flights": {"dataset": "nyc_flights/JFK"},
    "graph": {},
    "homes": {},
    "movies": {"download": False},
    "words": {},
}
"""Of each problem, the settings with which its tables are there soonest."""


def test_each_problem_is_among_those_whose_tables_are_looked_at() -> None:
    assert sorted(PROBLEMS) == sorted(problem.names())


@pytest.mark.slow
def test_each_table_of_each_problem_is_served_whole(
    tmp_path: Path, nyc_flights_dir: str, capsys: pytest.CaptureFixture[str]
) -> None:
    datasets.prepare(datasets.builder("sklearn_digits", nyc_flights_dir), download=False)
    capsys.readouterr()  # of which TFDS tells
    for name, changes in PROBLEMS.items():
        data_dir = nyc_flights_dir if name in ("digits", "flights") else Settings.data_dir
        run(Settings(problem=name, data_dir=data_dir, train_steps=2, job_dir=str(tmp_path / name), **changes))
    with serving(tmp_path) as address:
        assert runs_of(address, len(PROBLEMS)) == [f"{name}/logs/projector" for name in PROBLEMS]
        for name in PROBLEMS:
            found = served(address, f"{name}/logs/projector")
            entries = read_manifest(str(tmp_path / name)).tables
            assert set(entries) <= set(found)
            for entry in entries.values():
                values, lines, bookmarks = found[entry.name]
                assert len(values) == len(lines) == entry.rows
                assert bookmarks
    assert capsys.readouterr().err == ""
