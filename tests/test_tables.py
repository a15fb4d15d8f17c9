"""Named tables on disk: values, labels, counts, manifest and health."""

import dataclasses
import json
import math
import re
import reprlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from trainer import feature_column as fc
from trainer import tables, warm_start
from trainer.errors import Refusal
from trainer.tables import Table
from trainer.tables.texts import Texts
from trainer.warm_start.keys import Values

DAY = fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue", "Wed"])
HOUR = fc.categorical_column_with_identity("hour", 24)
DISTANCE = fc.bucketized_column(fc.numeric_column("distance"), [500, 1000])
TAIL = fc.categorical_column_with_hash_bucket("tail", 500)
DAY_HOUR = fc.crossed_column([DAY, HOUR])

KINDS: list[fc.CategoricalColumn] = [DAY, HOUR, DISTANCE, TAIL, DAY_HOUR, fc.crossed_column(["day", "tail"], 500)]


def table(column: fc.CategoricalColumn = DAY_HOUR, name: str = "day_hour", dimension: int = 4) -> Table:
    numbers = np.random.default_rng(0)
    values = numbers.normal(size=(column.num_buckets, dimension)).astype(np.float32)
    counts = numbers.poisson(3, column.num_buckets)
    return Table(name, values, fc.embedding_column(column, dimension, name=name), counts)


def vocabulary(values: Any, **arguments: Any) -> fc.CategoricalColumn:
    return fc.categorical_column_with_vocabulary_list("day", values, **arguments)


def sentence(function: Any, *arguments: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        function(*arguments)
    return str(refusal.value)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A job dir's tables: `day_hour` and `tail`."""
    path = str(tmp_path / "run" / "tables")
    tables.write(path, [table(), table(TAIL, "tail", 8)])
    return path


def test_a_table_knows_what_its_rows_stand_for() -> None:
    made = table()
    assert (made.rows, made.dimension, made.labels[32]) == (72, 4, "Tue 08")
    assert (made.fields["day"][32], made.fields["hour"][32]) == ("Tue", "08")


def test_a_table_without_a_column_knows_its_rows_by_number() -> None:
    made = Table("vectors", np.zeros((3, 2)))
    assert (made.labels, made.fields) == (["0", "1", "2"], {"row": ["0", "1", "2"]})
    assert made.trained.all()


def test_a_table_whose_parts_do_not_fit_is_refused() -> None:
    column = fc.embedding_column(DAY, 2)
    assert sentence(Table, "day", np.zeros(3)) == (
        "table 'day': a matrix of values is wanted, not an array of shape (3,)."
    )
    assert sentence(Table, "day", np.zeros((4, 2)), column) == (
        "table 'day': its column has 3 ids, but its values have 4 rows."
    )
    assert sentence(Table, "day", np.zeros((3, 2)), column, np.zeros(4, int)) == (
        "table 'day': one count a row is wanted, 3, not counts of shape (4,)."
    )


def test_what_is_written_is_read_back(folder: str) -> None:
    made, stored = table(), tables.read(folder, "day_hour")
    np.testing.assert_array_equal(stored.values, made.values)
    np.testing.assert_array_equal(stored.counts, made.counts)
    assert stored.values.dtype == np.float32
    assert (stored.labels, stored.fields) == (made.labels, made.fields)


@settings(max_examples=30)
@given(
    st.data(),
    st.lists(st.text(st.characters(), min_size=1), min_size=1, max_size=6, unique=True),
    st.sampled_from([np.float16, np.float32, np.float64]),
)
def test_any_keys_values_and_counts_come_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, keys: list[str], dtype: type
) -> None:
    column = fc.embedding_column(fc.categorical_column_with_vocabulary_list("key", keys), 2)
    values = data.draw(st_numpy.arrays(dtype, (len(keys), 2)))
    counts = data.draw(st.none() | st_numpy.arrays(np.int64, (len(keys),), elements=st.integers(0, 2**62)))
    path = str(tmp_path_factory.mktemp("tables"))
    tables.write(path, [Table("key", values, column, counts)])
    stored = tables.read(path, "key")
    np.testing.assert_array_equal(stored.values, values)
    assert stored.values.dtype == dtype
    assert stored.labels == keys
    if counts is None:
        assert stored.counts is None
    else:
        np.testing.assert_array_equal(stored.counts, counts)


def test_keys_in_any_script_and_halves_of_characters_are_kept(tmp_path: Path) -> None:
    keys = ["東京", "\udc80"]
    tables.write(str(tmp_path), [table(vocabulary(keys), "city")])
    assert '"first": [\n          "東京",\n          "\\udc80"\n' in (tmp_path / "manifest.json").read_text("utf-8")
    assert tables.read(str(tmp_path), "city").labels == keys
    ids = tables.read_manifest(str(tmp_path)).tables["city"].ids
    assert ids == tables.ids_of(vocabulary(keys))


WILD = ["a\tb", "line\nend\r", "", " ", "東京", "\udcff", "back\\slash", '"quoted"', "1,5", "x" * 9]


def wild(**changes: Any) -> Table:
    column = fc.embedding_column(fc.categorical_column_with_identity("label", len(WILD)), 2)
    details = {"name": WILD, "label": WILD[::-1], "count": ["7"] * len(WILD)}
    made = Table("wild", np.eye(len(WILD), 2), column, np.arange(len(WILD)), details, "name")
    return dataclasses.replace(made, **changes)


@pytest.mark.parametrize("counts", [None, np.arange(len(WILD))])
@pytest.mark.parametrize("block", [3, 100])
def test_what_more_is_known_of_rows_comes_back(
    counts: Any, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.tables.folder._BLOCK", block)
    made = wild(counts=counts)
    tables.write(str(tmp_path), [made])
    stored = tables.read(str(tmp_path), "wild")
    assert (stored.details, stored.title) == (made.details, "name")
    assert (stored.labels, stored.fields) == (made.labels, made.fields)
    assert (stored.counts is None) == (counts is None)
    own = ["label", "label", *([] if counts is None else ["count"])]
    header = (tmp_path / "wild.tsv").read_text("utf-8", "surrogatepass").split("\n")[0].split("\t")
    assert header == [*own, "name", "label 2", "count" if counts is None else "count 2"]


def test_a_stored_table_tells_of_its_rows_what_the_table_told(tmp_path: Path) -> None:
    made = wild(pictures=np.arange(len(WILD) * 12, dtype=np.uint8).reshape(-1, 4, 3))
    tables.write(str(tmp_path), [made])
    stored = tables.read(str(tmp_path), "wild")
    described: list[tables.Described] = [made, stored]
    one, two = (
        (it.name, it.rows, it.dimension, it.trained.tolist(), it.labels_of([3, 0]), it.fields_of([3, 0]))
        for it in described
    )
    assert one == two
    assert stored.fields_of(iter([3, 0])) == {"label": ["3", "0"]}
    assert stored.titles_of(iter(range(10))) == made.titles_of(range(10)) == [*WILD[:2], "2", "3", *WILD[4:]]
    assert dataclasses.replace(stored, entry=dataclasses.replace(stored.entry, title=None)).titles_of([4]) == ["4"]
    np.testing.assert_array_equal(stored.pictures, made.pictures)


def test_a_stored_table_makes_strings_of_the_rows_that_it_is_asked_for_alone(tmp_path: Path) -> None:
    made = wild()
    tables.write(str(tmp_path), [made])
    stored = tables.read(str(tmp_path), "wild")
    asked = stored.labels_of(range(2, 5)), stored.fields_of([7]), stored.titles_of([2, 0])
    assert asked == (["2", "3", "4"], {"label": ["7"]}, ["2", WILD[0]])
    assert {"labels", "fields", "details"} & set(vars(stored)) == set()
    assert stored.title_texts == made.titles_of(range(made.rows))
    assert stored.labels is stored.labels
    assert dataclasses.replace(stored, entry=dataclasses.replace(stored.entry, title=None)).title_texts == made.labels


@given(st.lists(st.text() | st.text(st.characters(categories=["Zs", "Cc"])), min_size=1), st.data())
def test_texts_are_the_strings_that_they_were_made_of(strings: list[str], data: st.DataObject) -> None:
    found = Texts(pa.array([string.encode("utf-8", "surrogatepass") for string in strings], pa.large_binary()))
    assert (len(found), [*found], found[1:], found[-1]) == (len(strings), strings, strings[1:], strings[-1])
    rows = data.draw(st.lists(st.integers(0, len(strings) - 1)))
    assert found.of(rows) == [strings[row] for row in rows]
    assert found.blank.tolist() == [row for row, string in enumerate(strings) if not string.strip()]
    others = Texts(pa.array([b"other"] * len(strings), pa.large_binary()))
    assert found.filled(found.blank, others) == [string if string.strip() else "other" for string in strings]
    assert found == Texts(found.arrow) == Texts.made(strings, "day") == found.tolist() == strings
    assert type(found.tolist()) is list
    assert found != "text"
    assert found != [*strings, "more"]


def test_texts_have_a_short_name_whatever_their_number() -> None:
    for strings, name in (
        ([], "<0 texts>"),
        (["x"], "<1 text: 'x'>"),
        (["x", "", "\ud800"], r"<3 texts: 'x', '', '\ud800'>"),
        (["x" * 99] * 1234, f"<1,234 texts: {', '.join([reprlib.repr('x' * 99)] * 3)}, …>"),
    ):
        assert repr(Texts.made(strings, "day")) == name


def test_texts_that_are_none_are_refused() -> None:
    assert sentence(Texts.made, ["a", 1], "day") == "day holds texts, not 1; give str(value) for each."


@pytest.mark.parametrize("rows", [range(9, 11), range(100, 101), range(-2, 0), [3, 10], [-1], range(12, 9, -1)])
@pytest.mark.parametrize("ask", ["labels_of", "fields_of", "titles_of"])
def test_a_row_that_is_not_there_is_an_index_error_in_words(ask: str, rows: Any, tmp_path: Path) -> None:
    tables.write(str(tmp_path), [wild()])
    stored = tables.read(str(tmp_path), "wild")
    for table in (stored, dataclasses.replace(stored, entry=dataclasses.replace(stored.entry, title=None))):
        for asked in (rows, iter(rows)):
            with pytest.raises(IndexError) as error:
                getattr(table, ask)(asked)
            assert re.fullmatch(r"texts: there is no row (10|12|100|-[12]); give rows from 0 to 9\.", str(error.value))


@pytest.mark.parametrize("rows", [range(10, 10), range(5, 3), range(100, 100), []])
def test_no_rows_have_no_texts(rows: Any) -> None:
    assert Texts.made(list("abcdefghij"), "day").of(rows) == []
    assert Texts.made([], "day").of(rows) == []


def test_no_text_has_a_row() -> None:
    with pytest.raises(IndexError) as error:
        Texts.made([], "day").of([0])
    assert str(error.value) == "texts: there is no row 0; there is none at all."


def test_a_stored_table_that_nobody_counted_is_trained(tmp_path: Path) -> None:
    tables.write(str(tmp_path), [wild(counts=None)])
    assert tables.read(str(tmp_path), "wild").trained.all()


@pytest.mark.parametrize("colours", [(), (3,)])
def test_pictures_come_back_from_one_file_that_the_manifest_names(colours: tuple[int, ...], tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (10, 5, 4, *colours)).astype(np.uint8)
    tables.write(str(tmp_path), [wild(pictures=pictures), table()])
    assert json.loads((tmp_path / "manifest.json").read_text())["tables"]["wild"]["pictures"] == {
        "file": "wild.png",
        "height": 5,
        "width": 4,
    }
    assert tf.io.decode_png((tmp_path / "wild.png").read_bytes()).shape == (3 * 5, 4 * 4, *(colours or (1,)))
    stored = tables.read(str(tmp_path), "wild").pictures
    np.testing.assert_array_equal(stored, pictures)
    assert tables.read(str(tmp_path), "day_hour").pictures is None
    (tmp_path / "wild.png").unlink()
    assert sentence(tables.read, str(tmp_path), "wild") == (
        f"tables: {tmp_path}/wild.png is not there; copy the whole folder."
    )


def test_pictures_that_are_too_large_for_one_file_are_kept_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.formats.sprites.MOST_PIXELS", 12)
    tables.write(str(tmp_path), [wild(pictures=np.full((10, 6, 8), 9, np.uint8))])
    pictures = tables.read(str(tmp_path), "wild").pictures
    assert pictures is not None
    assert pictures.shape == (10, 2, 3)
    assert (pictures == 9).all()


def test_labels_of_another_table_are_refused(folder: str, tmp_path: Path) -> None:
    tables.write(str(tmp_path), [wild()])
    path = tmp_path / "wild.tsv"
    whole = path.read_text("utf-8", "surrogatepass").split("\n")
    lost = "\n".join(line.rpartition("\t")[0] for line in whole)  # the count is where the first detail was
    for content in (*("\n".join(["\t".join("abcde"[:columns])] * 11) for columns in (2, 5)), lost):
        path.write_text(content, "utf-8", "surrogatepass")
        assert sentence(tables.read, str(tmp_path), "wild") == (
            f"tables: {path} has other columns than the manifest says; copy the whole folder."
        )


def test_counts_that_are_none_are_refused(tmp_path: Path) -> None:
    tables.write(str(tmp_path), [wild()])
    path = tmp_path / "wild.tsv"
    path.write_bytes(path.read_bytes().replace(b"0\t0\t0\t", b"0\t0\tx\t"))
    assert sentence(tables.read, str(tmp_path), "wild") == (
        f"tables: {path} has counts that are no whole numbers; copy the whole folder."
    )


def change_manifest(folder: str, **changes: Any) -> Path:
    path = Path(folder, "manifest.json")
    manifest = json.loads(path.read_text())
    for described in manifest["tables"].values():
        described.update(changes)
    path.write_text(json.dumps(manifest))
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "nope"},
        {"title": ["name"]},
        {"details": "name"},
        {"details": None},
        {"details": ["name", 7]},
        {"details": [["name"]]},
        {"pictures": {"file": "wild.png", "height": 4}},
        {"pictures": "wild.png"},
    ],
)
def test_a_manifest_that_says_what_cannot_be_is_none(changes: dict[str, Any], tmp_path: Path) -> None:
    tables.write(str(tmp_path), [wild()])
    path = change_manifest(str(tmp_path), **changes)
    assert sentence(tables.read, str(tmp_path), "wild") == (
        f"tables: {path} is no manifest of tables; give a run's job dir, or its tables folder."
    )


def test_a_manifest_may_say_what_a_later_release_has_to_say(tmp_path: Path) -> None:
    tables.write(str(tmp_path), [wild(pictures=np.ones((len(WILD), 2, 2), np.uint8))])
    entry = tables.read(str(tmp_path), "wild").entry
    path = tmp_path / "manifest.json"
    described = json.loads(path.read_text())["tables"]["wild"]
    more = {"health": {**described["health"], "mood": "good"}, "pictures": {**described["pictures"], "format": "png"}}
    change_manifest(str(tmp_path), sounds=["moo"], name="another", **more)
    assert tables.read(str(tmp_path), "wild").entry == entry


def test_tables_of_a_release_that_knew_nothing_more_of_rows_are_read(folder: str) -> None:
    path = Path(folder, "manifest.json")
    manifest = json.loads(path.read_text())
    for described in manifest["tables"].values():
        for name in ("details", "title", "pictures"):
            del described[name]
    path.write_text(json.dumps(manifest))
    stored = tables.read(folder, "day_hour")
    assert (stored.details, stored.title, stored.pictures) == ({}, None, None)
    assert stored.labels == table().labels


def test_a_warm_start_reads_the_keys_of_a_table_of_which_more_is_known(tmp_path: Path) -> None:
    column = fc.embedding_column(vocabulary(WILD), 2)
    made = wild(column=column, details={"day": WILD[::-1], "label": WILD[::-1]}, title="day")
    tables.write(str(tmp_path), [made])
    (tensor,) = warm_start.opened(str(tmp_path), "").tensors
    keys = tensor.keys()
    assert isinstance(keys, Values)
    assert [text.decode("utf-8", "surrogatepass") for text in keys.texts.to_pylist()] == WILD


def test_tensorflow_reads_the_tables_by_name(folder: str) -> None:
    reader = tf.train.load_checkpoint(folder)
    assert reader.get_variable_to_shape_map() == {"day_hour": [72, 4], "tail": [500, 8]}
    np.testing.assert_array_equal(reader.get_tensor("day_hour"), table().values)
    assert tf.train.latest_checkpoint(folder) == f"{folder}/tables"
    np.testing.assert_array_equal(tf.train.load_variable(f"{folder}/tables", "tail"), table(TAIL, "tail", 8).values)


def test_a_folder_can_be_moved(folder: str, tmp_path: Path) -> None:
    moved = str(shutil.move(folder, tmp_path / "elsewhere"))
    assert tf.train.latest_checkpoint(moved) == f"{moved}/tables"
    np.testing.assert_array_equal(tables.read(moved, "day_hour").values, table().values)


def test_the_label_file_has_keys_label_and_count(folder: str) -> None:
    lines = Path(folder, "day_hour.tsv").read_text().split("\n")
    counts = table().counts
    assert counts is not None
    assert lines[0] == "day\thour\tlabel\tcount"
    assert lines[33] == f"Tue\t08\tTue 08\t{counts[32]}"
    assert len(lines) == 1 + 72 + 1


def test_a_folder_holds_these_files_and_no_others(folder: str) -> None:
    names = sorted(path.name for path in Path(folder).iterdir())
    assert names == [
        "checkpoint",
        "day_hour.tsv",
        "manifest.json",
        "tables.data-00000-of-00001",
        "tables.index",
        "tail.tsv",
    ]


def test_the_manifest_says_how_each_table_is_made(folder: str) -> None:
    manifest = json.loads(Path(folder, "manifest.json").read_text())
    described = manifest["tables"]["day_hour"]
    health = described.pop("health")
    assert (manifest["format"], manifest["version"]) == ("embedding-columns tables", 1)
    assert described == {
        "rows": 72,
        "dimension": 4,
        "dtype": "float32",
        "columns": ["day_X_hour_embedding"],
        "ids": {
            "kind": "cross",
            "key": "day_X_hour",
            "size": 72,
            "keys": [
                {
                    "kind": "vocabulary",
                    "key": "day",
                    "size": 3,
                    "first": ["Mon", "Tue", "Wed"],
                    "last": "Wed",
                    # sha256sum 9.1 of '["Mon", "Tue", "Wed"]'
                    "digest": "054ff86adb87c6e4",
                    "digest_sorted": "054ff86adb87c6e4",
                    "num_oov_buckets": 0,
                },
                {"kind": "identity", "key": "hour", "size": 24},
            ],
        },
        "labels": "day_hour.tsv",
        "details": [],
        "title": None,
        "pictures": None,
    }
    assert tables.Health(**health) == tables.health_of(table())
    assert tables.read_manifest(folder).tables["day_hour"].ids == described["ids"]


def test_the_columns_that_use_a_table_can_be_named(tmp_path: Path) -> None:
    tables.write(str(tmp_path), [table()], {"day_hour": ["first", "second"]})
    assert tables.read_manifest(str(tmp_path)).tables["day_hour"].columns == ("first", "second")


def test_a_job_dir_is_as_good_as_its_tables_folder(folder: str) -> None:
    assert tables.read_manifest(str(Path(folder).parent)) == tables.read_manifest(folder)


def test_names_that_no_file_can_have_are_kept_all_the_same(tmp_path: Path) -> None:
    names = ["native country", "native_country", "a/b", "Tail", "tail", "x.y-z_9"]
    made = [
        dataclasses.replace(table(DAY, "day"), name=name, values=np.full((3, 2), float(n)))
        for n, name in enumerate(names)
    ]
    tables.write(str(tmp_path), made)
    files = [tables.read_manifest(str(tmp_path)).tables[name].labels for name in names]
    assert files == ["native_country.tsv", "native_country-2.tsv", "a_b.tsv", "Tail.tsv", "tail-2.tsv", "x.y-z_9.tsv"]
    assert [tables.read(str(tmp_path), name).values[0, 0] for name in names] == [0, 1, 2, 3, 4, 5]


@given(st.lists(st.text(st.characters(), max_size=8), max_size=8))
def test_file_names_are_plain_and_all_different(names: list[str]) -> None:
    found = tables.file_names(names)
    assert len({name.lower() for name in found}) == len(names)
    assert all(
        name and set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") for name in found
    )


def test_a_model_without_tables_leaves_an_empty_manifest(tmp_path: Path) -> None:
    tables.write(str(tmp_path), [])
    assert tables.read_manifest(str(tmp_path)).tables == {}
    assert sentence(tables.read, str(tmp_path), "day") == (
        f"tables: {tmp_path} has no table 'day'; it has no table at all."
    )


def test_two_tables_under_one_name_are_refused(tmp_path: Path) -> None:
    assert sentence(tables.write, str(tmp_path), [table(), table(TAIL, "day_hour")]) == (
        "tables: two tables are called 'day_hour'; give one of them another name."
    )
    assert not list(tmp_path.iterdir())


def test_a_folder_written_twice_holds_the_second_tables(folder: str) -> None:
    changed = dataclasses.replace(table(), values=table().values + 1)
    tables.write(folder, [changed])
    np.testing.assert_array_equal(tables.read(folder, "day_hour").values, changed.values)
    assert list(tables.read_manifest(folder).tables) == ["day_hour"]


def test_a_writer_that_stops_half_way_leaves_no_manifest(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("trainer.formats.tsv.write", stop)
    with pytest.raises(KeyboardInterrupt):
        tables.write(folder, [dataclasses.replace(table(), values=table().values + 1)])
    assert sentence(tables.read_manifest, folder) == (
        f"tables: the tables in {folder} were not written to the end; give a run that has ended, or run it again."
    )


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert sentence(tables.read_manifest, f"{tmp_path}/nowhere") == (
        f"tables: there is no folder {tmp_path}/nowhere; give a run's job dir, or its tables folder."
    )


def test_a_folder_without_tables_is_refused(tmp_path: Path) -> None:
    assert sentence(tables.read_manifest, str(tmp_path)) == (
        f"tables: {tmp_path} holds no tables; give a run's job dir, or its tables folder."
    )


def test_a_run_that_has_not_ended_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text("{}")
    assert sentence(tables.read_manifest, str(tmp_path)) == (
        f"tables: the run in {tmp_path} has left no tables yet; wait for its end, or go on with it: --resume."
    )


def test_an_unknown_table_is_refused_with_the_nearest(folder: str) -> None:
    assert sentence(tables.read, folder, "day_huor") == (
        f"tables: {folder} has no table 'day_huor'; did you mean 'day_hour'?"
    )
    assert sentence(tables.read, folder, "zebra") == (f"tables: {folder} has no table 'zebra'; it has day_hour, tail.")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "7",
        '{"tables": {}}',
        '{"format": "another", "version": 1}',
        '{"format": "embedding-columns tables", "version": 1}',
        '{"format": "embedding-columns tables", "version": 1, "tables": []}',
        '{"format": "embedding-columns tables", "version": 1, "tables": {"day": {"rows": 3}}}',
    ],
)
def test_a_torn_or_foreign_manifest_is_refused(folder: str, content: str) -> None:
    Path(folder, "manifest.json").write_text(content)
    assert sentence(tables.read_manifest, folder) == (
        f"tables: {folder}/manifest.json is no manifest of tables; give a run's job dir, or its tables folder."
    )


def test_a_manifest_of_a_later_release_is_refused(folder: str) -> None:
    Path(folder, "manifest.json").write_text('{"format": "embedding-columns tables", "version": 2, "maps": []}')
    assert sentence(tables.read_manifest, folder) == (
        f"tables: {folder}/manifest.json has version 2, and this release reads version 1; "
        "install the release that wrote it, or a newer one."
    )


def test_a_manifest_without_its_checkpoint_is_refused(folder: str) -> None:
    Path(folder, "tables.index").unlink()
    assert sentence(tables.read_manifest, folder) == (
        f"tables: {folder} has a manifest but not the file tables.index; copy the whole folder."
    )


@pytest.mark.parametrize(("file", "size"), [("tables.data-00000-of-00001", 100), ("tables.index", 10)])
def test_a_torn_checkpoint_is_refused(folder: str, file: str, size: int) -> None:
    with open(Path(folder, file), "r+b") as opened:
        opened.truncate(size)
    assert sentence(tables.read, folder, "tail") == (
        f"tables: the checkpoint in {folder} is damaged: it does not hold the 500 by 8 values of 'tail'; "
        "copy the whole folder."
    )


def test_a_checkpoint_of_other_tables_is_refused(folder: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    tables.write(str(other), [table(DAY, "day_hour"), table(TAIL, "tail", 8)])
    for name in ("tables.index", "tables.data-00000-of-00001"):
        shutil.copy(other / name, folder)
    assert sentence(tables.read, folder, "day_hour") == (
        f"tables: the checkpoint in {folder} is damaged: it does not hold the 72 by 4 values of 'day_hour'; "
        "copy the whole folder."
    )


def test_labels_that_are_not_there_or_too_few_are_refused(folder: str) -> None:
    path = Path(folder, "day_hour.tsv")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert sentence(tables.read, folder, "day_hour") == (
        f"tables: {path} has 71 labels for 72 rows; copy the whole folder."
    )
    path.unlink()
    assert sentence(tables.read, folder, "day_hour") == f"tables: {path} is not there; copy the whole folder."


def test_a_manifest_is_read_without_tensorflow(folder: str) -> None:
    program = (
        "import sys; from trainer import tables, warm_start; "
        f"print(tables.read_manifest({folder!r}).tables['tail'].rows, 'tensorflow' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["500", "False"]


# How ids are made.


def test_every_kind_of_categorical_column_is_tried_below() -> None:
    def subclasses(kind: type) -> set[type]:
        return {kind}.union(*map(subclasses, kind.__subclasses__()))

    ours = {kind for kind in subclasses(fc.CategoricalColumn) if kind.__module__.startswith("trainer.")}
    inner = {kind for kind in ours if "categorical_column" in getattr(kind, "__dataclass_fields__", {})}
    assert ours - {fc.CategoricalColumn} - inner == {type(column) for column in KINDS}


@pytest.mark.parametrize("column", KINDS, ids=lambda column: tables.ids_of(column)["kind"])
def test_the_ids_of_a_column_are_json_and_like_themselves(column: fc.CategoricalColumn) -> None:
    ids = tables.ids_of(column)
    assert json.loads(json.dumps(ids)) == ids
    assert "declared" not in ids
    assert tables.difference(ids, ids) is None


def test_ids_of_words_tell_how_texts_become_words() -> None:
    column = fc.categorical_column_with_hash_bucket("name", 9, tokenize=fc.Tokens(ngrams=2, stop_words=("the",)))
    words = {"kind": "Tokens", "pattern": "[a-z0-9]+", "lower": True, "ngrams": 2, "stop_words": ["the"]}
    assert tables.ids_of(column) == {"kind": "hash", "key": "name", "size": 9, "tokenize": words}


@pytest.mark.parametrize("here", KINDS, ids=lambda column: tables.ids_of(column)["kind"])
@pytest.mark.parametrize("there", KINDS, ids=lambda column: tables.ids_of(column)["kind"])
def test_no_kind_of_ids_is_taken_for_another(there: fc.CategoricalColumn, here: fc.CategoricalColumn) -> None:
    assert (tables.difference(tables.ids_of(there), tables.ids_of(here)) is None) == (there is here)


def normalizer(number: Any) -> Any:
    return number


@pytest.mark.parametrize(
    ("there", "here", "words"),
    [
        (HOUR, DAY, "whole numbers there, a vocabulary here"),
        (vocabulary(["Tue", "Mon", "Wed"]), DAY, "the same 3 values in another order"),
        (vocabulary(["Mon", "Tue", "Thu"]), DAY, "3 values in both, but not the same ones"),
        (vocabulary(["Mon", "Tue"]), DAY, "2 values there, 3 here"),
        (vocabulary(["Mon", "Tue", "Wed"], num_oov_buckets=2), DAY, "2 out-of-vocabulary buckets there, 0 here"),
        (fc.categorical_column_with_identity("hour", 7), HOUR, "7 ids there, 24 here"),
        (fc.categorical_column_with_hash_bucket("tail", 6000), TAIL, "6,000 hash buckets there, 500 here"),
        (
            fc.bucketized_column(fc.numeric_column("distance"), [250, 1000]),
            DISTANCE,
            "the boundaries 250, 1000 there, 500, 1000 here",
        ),
        (
            fc.bucketized_column(fc.numeric_column("distance"), list(range(10))),
            DISTANCE,
            "the boundaries 0, 1, 2, 3, 4, 5, 6, … 9 there, 500, 1000 here",
        ),
        (
            fc.bucketized_column(fc.numeric_column("distance", 2), [500, 1000]),
            DISTANCE,
            "2 numbers an example there, 1 here",
        ),
        (
            fc.bucketized_column(fc.numeric_column("distance", normalizer_fn=normalizer), [500, 1000]),
            DISTANCE,
            "another normalizer_fn before the boundaries",
        ),
        (fc.crossed_column([HOUR, DAY]), DAY_HOUR, "the keys are hour, day in this order there, day, hour here"),
        (
            fc.crossed_column([DAY, HOUR, DISTANCE]),
            DAY_HOUR,
            "the keys are day, hour, distance in this order there, day, hour here",
        ),
        (
            fc.crossed_column([vocabulary(["Mon", "Wed", "Tue"]), HOUR]),
            DAY_HOUR,
            "key 'day' has the same 3 values in another order",
        ),
        (
            fc.crossed_column([DAY, fc.categorical_column_with_identity("hour", 12)]),
            DAY_HOUR,
            "key 'hour' has 12 ids there, 24 here",
        ),
        (fc.crossed_column([DAY, HOUR], 72), DAY_HOUR, "a hashed cross there, an exact cross here"),
        (fc.crossed_column(["a", "b"], 9), fc.crossed_column(["a", "b"], 8), "9 hash buckets there, 8 here"),
        (
            fc.crossed_column(["a", "b"], 8, hash_key=1),
            fc.crossed_column(["a", "b"], 8),
            "the hash key 0x1 there, 0xdecafcaffe here",
        ),
        (
            fc.crossed_column(["hour", DAY], 8),
            fc.crossed_column([HOUR, DAY], 8),
            "key 'hour' has raw values there, whole numbers here",
        ),
    ],
)
def test_a_difference_that_permutes_rows_is_told_in_words(
    there: fc.CategoricalColumn, here: fc.CategoricalColumn, words: str
) -> None:
    assert tables.difference(tables.ids_of(there), tables.ids_of(here)) == words


@pytest.mark.parametrize(
    ("there", "here"),
    [
        (fc.categorical_column_with_vocabulary_list("weekday", ["Mon", "Tue", "Wed"]), DAY),
        (vocabulary([1, 2]), vocabulary(["1", "2"])),
        (vocabulary(["quiet"]), vocabulary(["quiet"], tokenize=fc.Tokens())),
        (vocabulary(["Mon", "Tue"], default_value=1), vocabulary(["Mon", "Tue"])),
        (fc.categorical_column_with_identity("hour", 24, default_value=0), HOUR),
        (fc.crossed_column([DAY, fc.categorical_column_with_identity("dep_hour", 24)]), DAY_HOUR),
        (fc.crossed_column([fc.crossed_column([DAY, HOUR]), DISTANCE]), fc.crossed_column([DAY, HOUR, DISTANCE])),
        (fc.crossed_column(["a", "b"], 8, hash_key=0xDECAFCAFFE), fc.crossed_column(["a", "b"], 8)),
    ],
)
def test_what_leaves_every_row_in_its_place_is_no_difference(
    there: fc.CategoricalColumn, here: fc.CategoricalColumn
) -> None:
    assert tables.difference(tables.ids_of(there), tables.ids_of(here)) is None


@dataclasses.dataclass(frozen=True)
class Parity(fc.CategoricalColumn):
    """A kind of column of one's own."""

    key: str
    odd_first: bool = False
    num_buckets: int = 2

    @property
    def name(self) -> str:
        return self.key

    @property
    def raw_features(self) -> dict[str, fc.RawFeature]:
        return {self.key: fc.RawFeature("int64")}

    def fields(self, id: int) -> dict[str, str]:
        return {self.key: ("even", "odd")[(id + self.odd_first) % 2]}


def test_a_column_of_ones_own_is_the_same_only_where_it_is_declared_alike() -> None:
    ids = tables.ids_of(Parity("n"))
    assert tables.difference(ids, tables.ids_of(Parity("n"))) is None
    assert tables.difference(ids, tables.ids_of(Parity("n", odd_first=True))) == "another declaration there than here"


@pytest.mark.parametrize("column", KINDS, ids=lambda column: tables.ids_of(column)["kind"])
def test_weights_over_ids_change_none_of_them(column: fc.CategoricalColumn) -> None:
    assert tables.ids_of(fc.weighted_categorical_column(column, "share")) == tables.ids_of(column)


def test_an_order_of_ids_changes_none_of_them(tmp_path: Path) -> None:
    (tmp_path / "days").write_text("Mon\nTue\nWed\n")
    pairs = [
        (fc.sequence_categorical_column_with_identity("hour", 24), HOUR),
        (fc.sequence_categorical_column_with_hash_bucket("tail", 500), TAIL),
        (fc.sequence_categorical_column_with_vocabulary_list("day", ["Mon", "Tue", "Wed"]), DAY),
        (fc.sequence_categorical_column_with_vocabulary_file("day", tmp_path / "days"), DAY),
    ]
    for sequence, column in pairs:
        assert tables.ids_of(sequence) == tables.ids_of(column)


def test_a_vocabulary_of_a_file_makes_the_ids_of_a_list(tmp_path: Path) -> None:
    for name, content in (("days", b"Mon\r\nTue\r\nWed"), ("numbers", b"7\n05\n"), ("latin", b"\xe9t\xe9\nMon\n")):
        (tmp_path / name).write_bytes(content)
    days = fc.categorical_column_with_vocabulary_file("day", tmp_path / "days", num_oov_buckets=2)
    assert tables.ids_of(days) == tables.ids_of(vocabulary(["Mon", "Tue", "Wed"], num_oov_buckets=2))
    numbers = fc.categorical_column_with_vocabulary_file("day", tmp_path / "numbers", dtype="int64")
    assert tables.ids_of(numbers) == tables.ids_of(vocabulary([7, 5]))
    latin = fc.categorical_column_with_vocabulary_file("day", tmp_path / "latin")
    tables.write(str(tmp_path / "tables"), [table(latin, "day")])
    assert tables.read_manifest(str(tmp_path / "tables")).tables["day"].ids == tables.ids_of(latin)
    assert tables.read(str(tmp_path / "tables"), "day").labels == ["\udce9t\udce9", "Mon"]


def test_ids_that_data_will_make_are_none_yet() -> None:
    assert "data that were not read yet" in sentence(tables.ids_of, vocabulary(fc.from_data()))
    ranges = fc.bucketized_column(fc.numeric_column("distance"), fc.quantiles(3))
    assert "data that were not read yet" in sentence(tables.ids_of, ranges)


# Health.


def test_the_health_of_a_table_is_counted_over_its_rows() -> None:
    values = np.array([[3, 4], [0, 1], [9, 9], [np.nan, 1], [100, 0]], np.float32)
    found = tables.health_of(Table("t", values, counts=np.array([5, 4, 1, 7, 0])))
    assert (found.rows, found.rows_never_trained, found.rows_trained_under_5, found.rows_not_finite) == (5, 1, 2, 1)
    assert found.largest_norm == pytest.approx(math.sqrt(162), rel=1e-5)
    assert found.smallest_norm == 1


def test_the_health_of_an_uncounted_table_leaves_the_counts_out() -> None:
    found = tables.health_of(Table("t", np.eye(2)))
    assert (found.rows_never_trained, found.rows_trained_under_5, found.effective_rank) == (None, None, 2.0)


def test_a_table_that_was_never_trained_has_no_rank_and_no_norms() -> None:
    found = tables.health_of(Table("t", np.eye(2), counts=np.zeros(2, int)))
    assert (found.effective_rank, found.largest_norm, found.smallest_norm) == (None, None, None)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=5), st.integers(0, 5))
def test_the_effective_rank_is_the_entropy_of_the_singular_values(singular: list[float], seed: int) -> None:
    numbers = np.random.default_rng(seed)
    left, _ = np.linalg.qr(numbers.normal(size=(9, len(singular))))
    right, _ = np.linalg.qr(numbers.normal(size=(len(singular), len(singular))))
    shares = np.array(singular) / sum(singular)
    expected = math.exp(-(shares * np.log(shares)).sum())
    assert tables.effective_rank(left * singular @ right) == pytest.approx(expected, rel=1e-4)


def test_the_effective_rank_is_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=(50, 4))
    whole = tables.effective_rank(values)
    monkeypatch.setattr("trainer.tables.health._BLOCK", 7)
    assert tables.effective_rank(values) == whole


def test_labels_are_the_same_in_blocks(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.tables.folder._BLOCK", 7)
    tables.write(str(tmp_path / "blocks"), [table()])
    assert (tmp_path / "blocks" / "day_hour.tsv").read_bytes() == Path(folder, "day_hour.tsv").read_bytes()
