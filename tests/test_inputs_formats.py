import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.encoding.coded import decoded
from trainer.errors import Refusal
from trainer.inputs import arrow, blocks, files, json_lines, numbers, parquet, tensors, tfrecord
from trainer.inputs.arrow import ArrowFile
from trainer.inputs.bad_rows import BadRow, BadRows
from trainer.inputs.features import Reading
from trainer.inputs.json_lines import JsonLinesFile
from trainer.inputs.parquet import ParquetFile
from trainer.inputs.tfrecord import TFRecordFile
from trainer.inputs.values import Feature, Texts, Wanted, rows_of
from trainer.rows import Limit

EXAMPLES = 300 if os.environ.get("CI") else 200
"""How many files of JSON lines hypothesis writes."""

Row = dict[str, Any]

WANTED = {
    "city": Wanted("string"),
    "user": Wanted("int64"),
    "fare": Wanted("float32", default=(0.0,)),
    "words": Wanted("string", (None,), "|"),
    "point": Wanted("float32", (3,), "|"),
}
ROWS: list[Row] = [
    {
        "city": ["Zürich", "東京", "", None, 'a "b", c', "line\nbreak", "😀"][number % 7],
        "user": None if number % 5 == 4 else 2**53 + number,
        "fare": None if number % 4 == 3 else number / 8,
        "words": ["über", "b c", "d"][: number % 4],
        "point": [number, 0.5, -0.25],
    }
    for number in range(1000)
]
EXPECTED = [
    {
        "city": (row["city"] or "").encode(),
        "user": -1 if row["user"] is None else row["user"],
        "fare": row["fare"] or 0.0,
        "words": [word.encode() for word in row["words"]],
        "point": row["point"],
    }
    for row in ROWS
]


def compressed(path: str, data: bytes) -> None:
    kind = {".gz": "gzip", ".zst": "zstd"}.get(Path(path).suffix)
    with pa.OSFile(path, "wb") if kind is None else pa.CompressedOutputStream(path, kind) as file:
        file.write(data)


def table_of(rows: Sequence[Row]) -> Any:
    strings, floats = pa.list_(pa.string()), pa.list_(pa.float64())
    kinds = {"city": pa.string(), "user": pa.int64(), "fare": pa.float64(), "words": strings, "point": floats}
    return pa.Table.from_pylist(list(rows), pa.schema(kinds) if not rows or "city" in rows[0] else None)


def serialized(row: Mapping[str, Any]) -> bytes:
    features = {}
    for name, value in row.items():
        if value is None:
            continue
        values = value if isinstance(value, list) else [value]
        if all(isinstance(each, str | bytes) for each in values):
            found = [each.encode() if isinstance(each, str) else each for each in values]
            features[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=found))
        elif all(isinstance(each, int) for each in values):
            features[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        else:
            features[name] = tf.train.Feature(float_list=tf.train.FloatList(value=values))
    example: bytes = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    return example


def write_csv(path: str, rows: Sequence[Row]) -> None:
    lines: list[str] = []
    writer = csv.DictWriter(mock.Mock(write=lines.append), list(rows[0]))
    writer.writeheader()
    for row in rows:
        joined = {key: "|".join(map(str, value)) for key, value in row.items() if isinstance(value, list)}
        writer.writerow(row | joined)
    compressed(path, "".join(lines).encode())


def write_parquet(path: str, rows: Sequence[Row]) -> None:
    pq.write_table(table_of(rows), path, row_group_size=300)


def write_feather(path: str, rows: Sequence[Row]) -> None:
    feather.write_feather(table_of(rows), path, compression="lz4", chunksize=300)


def write_ipc(path: str, rows: Sequence[Row]) -> None:
    table = table_of(rows)
    with pa.ipc.new_file(path, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table, 300)


def write_stream(path: str, rows: Sequence[Row]) -> None:
    table = table_of(rows)
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table, 300)


def write_json(path: str, rows: Sequence[Row]) -> None:
    # Every other line lacks its nulls and has another order.
    written = [
        row if number % 2 else {key: row[key] for key in reversed(row) if row[key] is not None}
        for number, row in enumerate(rows)
    ]
    lines = [f"{json.dumps(row, ensure_ascii=bool(number % 3))}\n" for number, row in enumerate(written)]
    compressed(path, "".join(lines).encode())


def write_records(path: str, records: Sequence[bytes]) -> None:
    with tf.io.TFRecordWriter(path, "GZIP" if path.endswith(".gz") else "") as writer:
        for record in records:
            writer.write(record)


def write_examples(path: str, rows: Sequence[Row]) -> None:
    floats = [{key: [*map(float, row[key])] if key == "point" else row[key] for key in row} for row in rows]
    write_records(path, [serialized(row) for row in floats])


WRITERS: dict[str, Callable[[str, Sequence[Row]], None]] = {
    **dict.fromkeys(("rows.csv", "rows.csv.gz", "rows.csv.zst"), write_csv),
    **dict.fromkeys(("rows.parquet", "rows.pq"), write_parquet),
    **dict.fromkeys(("rows.feather",), write_feather),
    **dict.fromkeys(("rows.arrow",), write_ipc),
    **dict.fromkeys(("rows.ipc", "stream.arrow"), write_stream),
    **dict.fromkeys(("rows.jsonl", "rows.ndjson", "rows.json", "rows.jsonl.gz", "rows.jsonl.zst"), write_json),
    **dict.fromkeys(("rows.tfrecord", "rows.tfrecords", "rows.tfrecord.gz"), write_examples),
}


def cells(feature: Feature) -> list[Any]:
    if isinstance(feature.values, Texts):
        different = feature.values.different.to_pylist()
        values = [different[code] for code in feature.values.codes]
    else:
        values = feature.values.tolist()
    if feature.lengths is None:
        return values
    ends = np.cumsum(feature.lengths)
    return [values[end - length : end] for end, length in zip(ends, feature.lengths, strict=True)]


def rows_in(features: Mapping[str, Feature]) -> list[Row]:
    found = {key: cells(feature) for key, feature in features.items()}
    return [{key: values[place] for key, values in found.items()} for place in range(rows_of(features))]


def read(path: str, wanted: Mapping[str, Wanted] = WANTED) -> list[Row]:
    return [row for features in files.Rows([files.State.of(path)], Reading(wanted)) for row in rows_in(features)]


def read_with_bad(path: str, wanted: Mapping[str, Wanted]) -> tuple[list[Row], list[BadRow]]:
    bad = BadRows(Limit(1_000_000))
    found = [row for features in files.Rows([files.State.of(path)], Reading(wanted), bad) for row in rows_in(features)]
    return found, bad.found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("json")


@pytest.fixture
def in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "BLOCK", 3000)
    monkeypatch.setattr(tfrecord, "BATCH_ROWS", 77)
    for module in (arrow, parquet):
        monkeypatch.setattr(module, "SLICE", 77)
    monkeypatch.setattr(parquet, "GROUP_ROWS", 200)


def test_each_format_has_a_case_in_the_battery() -> None:
    assert {Path(name).suffix for name in WRITERS} >= {*files.KINDS, ".csv"}


@pytest.mark.parametrize("name", WRITERS)
def test_each_format_reads_as_the_same_features(name: str, tmp_path: Path) -> None:
    WRITERS[name](str(tmp_path / name), ROWS)
    assert read(str(tmp_path / name)) == EXPECTED


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.usefixtures("in_small_pieces")
def test_each_format_reads_the_same_in_small_pieces(name: str, tmp_path: Path) -> None:
    WRITERS[name](str(tmp_path / name), ROWS)
    assert read(str(tmp_path / name)) == EXPECTED


@pytest.mark.parametrize("name", WRITERS)
def test_each_format_reads_the_same_from_a_remote_folder(name: str, tmp_path: Path) -> None:
    WRITERS[name](str(tmp_path / name), ROWS)
    # A folder for each: where rows.jsonl is, ram:// takes rows.json for a folder.
    remote = f"ram://{tmp_path.name}/{name}"
    tf.io.gfile.makedirs(f"ram://{tmp_path.name}")
    tf.io.gfile.copy(str(tmp_path / name), remote, overwrite=True)
    assert read(remote) == EXPECTED


@pytest.mark.parametrize("name", WRITERS)
def test_each_format_reads_a_part_of_its_columns(name: str, tmp_path: Path) -> None:
    WRITERS[name](str(tmp_path / name), ROWS)
    expected = [{"words": row["words"], "city": row["city"]} for row in EXPECTED]
    assert read(str(tmp_path / name), {key: WANTED[key] for key in ("words", "city")}) == expected


@pytest.mark.parametrize("name", WRITERS)
def test_each_format_is_read_inside_a_data_set(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    WRITERS[name](path, ROWS)
    data = tensors.dataset(lambda: files.Rows([files.State.of(path)], Reading(WANTED)), WANTED)
    # Two at once: reading is done in threads of TensorFlow, TFRecord by data sets inside of this one.
    both = tf.data.Dataset.range(2).interleave(lambda _: data, num_parallel_calls=2, cycle_length=2)
    users = np.concatenate([batch["user"].numpy() for batch in both])
    assert sorted(users) == sorted(2 * [row["user"] for row in EXPECTED])
    words = [word for batch in data for word in decoded(batch["words"]).flat_values.numpy()]
    assert words == [word for row in EXPECTED for word in row["words"]]


@pytest.mark.parametrize("name", WRITERS)
def test_each_format_names_a_bad_row_by_its_number(name: str, tmp_path: Path) -> None:
    path, rows = str(tmp_path / name), [{"user": str(number)} for number in range(1, 1001)]
    rows[699] = {"user": "noon"}
    WRITERS[name](path, rows)
    with pytest.raises(Refusal) as refusal:
        read(path, {"user": Wanted("int64")})
    place = "line 701" if ".csv" in name else "line 700" if ".json" in name or ".ndjson" in name else "row 700"
    assert str(refusal.value) == (
        f"{path}: {place} has 'noon' as 'user', and a whole number is wanted; correct it, or set such rows aside with "
        "--max-bad-rows."
    )


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.usefixtures("in_small_pieces")
def test_each_format_tells_how_far_it_was_read(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    WRITERS[name](path, ROWS)
    file = files.opened(path, Reading(WANTED))
    positions = [file.position() for _ in file.pieces(list(WANTED))]
    size = Path(path).stat().st_size
    assert positions == sorted(positions)
    assert 0 < positions[0] <= positions[-1] <= size
    assert positions[-1] >= 0.9 * size


@pytest.mark.parametrize("name", WRITERS)
def test_each_format_refuses_a_column_that_is_not_there(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    WRITERS[name](path, ROWS)
    with pytest.raises(Refusal) as refusal:
        read(path, {"town": Wanted("string")})
    names = "city, fare, point, user, words"
    assert str(refusal.value) == f"{path}: there is no column 'town'; it has {names}."


@pytest.mark.parametrize("name", [name for name in WRITERS if ".csv" not in name])
def test_a_format_with_types_refuses_one_that_is_none_of_its_feature(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    WRITERS[name](path, ROWS)
    with pytest.raises(Refusal) as refusal:
        read(path, {"fare": Wanted("string")})
    assert str(refusal.value) == (
        f"{path}: column 'fare' holds {'float' if 'tfrecord' in name else 'double'}, and the problem reads it as "
        "string; declare it as what it is, or write the file with another type."
    )


WHAT = {
    "x.parquet": "a Parquet file is wanted",
    "x.feather": "an Arrow file is wanted",
    "x.jsonl": "JSON lines are wanted, one object a line",
    "x.tfrecord": "a TFRecord file of tf.train.Example is wanted",
}


@pytest.mark.parametrize("name", WHAT)
def test_a_file_without_a_byte_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"")
    with pytest.raises(Refusal) as refusal:
        read(str(path))
    assert str(refusal.value) == f"{path}: it is empty; {WHAT[name]}."


@pytest.mark.parametrize("name", ["x.jsonl.gz", "x.tfrecord.gz"])
def test_a_compressed_file_of_nothing_is_refused(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    compressed(path, b"")
    with pytest.raises(Refusal) as refusal:
        read(path)
    assert str(refusal.value) == f"{path}: it is empty; {WHAT[name.removesuffix('.gz')]}."


@pytest.mark.parametrize("name", WHAT)
def test_a_file_that_is_not_there_is_refused(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    with pytest.raises(Refusal) as refusal:
        files.opened(path, Reading(WANTED))
    assert str(refusal.value) == f"{path}: it is not there any more; start again once all files are in place."


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("x.parquet", "cannot be read as Parquet ("),
        ("x.feather", "cannot be read as an Arrow file ("),
        ("x.jsonl", "its first lines are no JSON objects; JSON lines are wanted, one object a line."),
        ("x.jsonl.gz", "cannot be read as JSON lines (zlib inflate failed: incorrect header check)."),
        ("x.tfrecord", "cannot be read as TFRecord (corrupted record at 0 (Is this even a TFRecord file?))."),
        ("x.tfrecord.gz", "cannot be read as TFRecord (inflate() failed with error -3: incorrect header check)."),
    ],
)
def test_a_file_of_something_else_is_refused(name: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"this is something else\n" * 20)
    with pytest.raises(Refusal) as refusal:
        read(str(path))
    assert str(refusal.value).startswith(f"{path}: {'' if what.startswith('its') else 'it '}{what}")
    assert str(refusal.value).endswith(".")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", [name for name in WRITERS if name not in ("rows.csv", "rows.json", "rows.ndjson")])
@pytest.mark.parametrize("bytes_lost", [1, 30, 5000])
def test_a_file_that_was_cut_short_is_refused_or_has_a_bad_last_row(name: str, bytes_lost: int, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](str(path), ROWS)
    path.write_bytes(path.read_bytes()[:-bytes_lost])
    if name == "rows.jsonl" and bytes_lost == 1:  # the line end alone
        assert read(str(path)) == EXPECTED
        return
    with pytest.raises(Refusal) as refusal:
        read(str(path))
    what = "line 9|line 1,000" if name == "rows.jsonl" else "it cannot be read as|it ends within a record"
    assert str(refusal.value).startswith(tuple(f"{path}: {each}" for each in what.split("|")))


@pytest.mark.parametrize("name", ["x.parquet", "x.feather"])
def test_two_columns_of_one_name_are_refused(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    (pq.write_table if name.endswith("parquet") else write_table)(table, path)
    with pytest.raises(Refusal) as refusal:
        read(path)
    assert str(refusal.value) == f"{path}: two columns are named 'a'; give each its own name."


def write_table(table: Any, path: str) -> None:
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)


@pytest.mark.parametrize(("name", "what"), [("x.parquet.gz", "a Parquet file"), ("x.arrow.zst", "an Arrow file")])
def test_a_format_that_compresses_inside_is_refused_compressed_as_a_whole(name: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"x")
    with pytest.raises(Refusal) as refusal:
        read(str(path))
    expected = f"{path}: it is compressed as a whole, and {what} is compressed inside; decompress it."
    assert str(refusal.value) == expected


def test_feather_of_version_1_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.feather"
    path.write_bytes(b"FEA1" + bytes(100) + b"FEA1")
    with pytest.raises(Refusal) as refusal:
        read(str(path))
    assert str(refusal.value) == f"{path}: it is Feather of version 1; write it again, as version 2."


@pytest.mark.parametrize("name", ["x.parquet", "x.feather", "x.arrow"])
def test_a_file_with_names_and_no_rows_has_no_rows(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    {"x.parquet": pq.write_table, "x.feather": write_table, "x.arrow": write_empty_stream}[name](
        table_of(ROWS[:0]), path
    )
    assert files.opened(path, Reading(WANTED)).names == list(WANTED)
    assert read(path) == []


def write_empty_stream(table: Any, path: str) -> None:
    pa.ipc.new_stream(path, table.schema).close()


@pytest.mark.parametrize("name", ["x.parquet", "x.arrow"])
def test_names_with_a_dot_are_names(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    nested = pa.array([{"b": 7, "d": 8}])
    table = pa.table({"a": ["x"], "a.b": [1], "a.b.c": [["y", "z"]], "s": nested, "s.b": [2], "": [3]})
    (pq.write_table if name.endswith("parquet") else write_table)(table, path)
    wanted = {"a": Wanted("string"), "a.b": Wanted("int64"), "a.b.c": Wanted("string", (None,)), "s.b": Wanted("int64")}
    assert read(path, wanted) == [{"a": b"x", "a.b": 1, "a.b.c": [b"y", b"z"], "s.b": 2}]
    assert read(path, {"": Wanted("int64")}) == [{"": 3}]


RARE = {
    "large": pa.array(["a", None], pa.large_string()),
    "view": pa.array(["a", None], pa.string_view()),
    "bytes": pa.array([b"a", None], pa.binary(1)),
    "coded": pa.array(["a", None]).dictionary_encode(),
    "coded_large": pa.array(["a", None], pa.large_string()).dictionary_encode(),
}
RARE_BAGS = {
    "lists": pa.array([["a", "b"], None], pa.list_(pa.string())),
    "large_lists": pa.array([["a", "b"], None], pa.large_list(pa.large_string())),
    "fixed_lists": pa.array([["a", "b"], None], pa.list_(pa.string(), 2)),
    "lists_of_views": pa.array([["a", "b"], None], pa.list_(pa.string_view())),
}
RARE_NUMBERS = {
    "coded_numbers": pa.array([7, None], pa.int32()).dictionary_encode(),
    "decimals": pa.array([7, None], pa.decimal128(9, 2)),
    "halves": pa.array([np.float16(7), None], pa.float16()),
    "bytes_of_8_bits": pa.array([7, None], pa.uint8()),
    "largest": pa.array([7, None], pa.uint64()),
}
ARROW_ALONE = {
    "runs": pa.RunEndEncodedArray.from_arrays(pa.array([1, 2], pa.int32()), pa.array(["a", None])),
    "view_lists": pa.array([["a", "b"], None], pa.list_view(pa.string())),
}


@pytest.mark.parametrize("name", ["x.parquet", "x.arrow"])
def test_columns_of_rare_types_are_read_as_what_they_hold(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    columns = RARE | RARE_BAGS | RARE_NUMBERS | (ARROW_ALONE if name.endswith("arrow") else {})
    (pq.write_table if name.endswith("parquet") else write_table)(pa.table(columns), path)
    bags = [*RARE_BAGS, "view_lists"]
    wanted = {
        key: Wanted("int64") if key in RARE_NUMBERS else Wanted("string", (None,) if key in bags else ())
        for key in columns
    }
    first, second = read(path, wanted)
    assert first == {key: 7 if key in RARE_NUMBERS else [b"a", b"b"] if key in bags else b"a" for key in columns}
    assert second == {key: -1 if key in RARE_NUMBERS else [] if key in bags else b"" for key in columns}


def test_a_large_row_group_is_never_in_memory_whole(tmp_path: Path) -> None:
    path, rows = str(tmp_path / "x.parquet"), 1_500_000
    numbers_ = pa.array(np.random.default_rng(0).permutation(rows))
    texts = numbers_.cast(pa.string())
    coded = pa.array(numbers_.to_numpy() % 10).cast(pa.string())
    columns = {"number": numbers_, "text": texts, "coded": coded}
    pq.write_table(pa.table(columns), path, row_group_size=rows, compression="none", use_dictionary=["coded"])
    whole = numbers_.nbytes + texts.nbytes
    del columns, texts, coded
    file, before, most, first = ParquetFile(path), pa.total_allocated_bytes(), 0, 1
    for piece in file.pieces(file.names):
        part = file.part(piece, file.names)
        assert part.rows <= arrow.SLICE
        assert part.columns["number"].equals(numbers_[first - 1 : first - 1 + part.rows])
        assert pa.types.is_dictionary(part.columns["coded"].type)
        assert part.numbers().tolist() == [*range(first, first + part.rows)]
        first += part.rows
        most = max(most, pa.total_allocated_bytes() - before)
        del piece, part
    assert first == rows + 1 == (file.rows or 0) + 1
    assert most < whole / 3


def test_row_groups_are_decoded_by_the_threads_that_need_them(tmp_path: Path) -> None:
    path = str(tmp_path / "x.parquet")
    write_parquet(path, ROWS)
    file = ParquetFile(path)
    assert [*file.pieces(["city"])] == [
        parquet.Group(0, 1),
        parquet.Group(1, 301),
        parquet.Group(2, 601),
        parquet.Group(3, 901),
    ]
    assert file.rows == 1000


def test_a_row_group_of_many_bytes_is_read_in_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "x.parquet")
    write_parquet(path, ROWS)
    monkeypatch.setattr(parquet, "GROUP_BYTES", 3000)
    file = ParquetFile(path)
    kinds = [type(piece) for piece in file.pieces(["point"])]
    assert kinds == [arrow.Slice, arrow.Slice, arrow.Slice, parquet.Group]  # the last has a third of the rows
    assert {type(piece) for piece in file.pieces(["fare"])} == {parquet.Group}
    assert read(path) == EXPECTED


def test_a_damaged_page_of_parquet_is_refused_where_it_has_a_check_sum(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(
        pa.table({"a": np.arange(1000)}), path, write_page_checksum=True, use_dictionary=False, compression="none"
    )
    data = bytearray(path.read_bytes())
    data[2000] ^= 1
    path.write_bytes(data)
    with pytest.raises(Refusal) as refusal:
        read(str(path), {"a": Wanted("int64")})
    assert str(refusal.value).startswith(f"{path}: it cannot be read as Parquet (could not verify page integrity")


def test_batches_of_a_stream_may_have_dictionaries_of_their_own(tmp_path: Path) -> None:
    path = str(tmp_path / "x.arrow")
    batches = [
        pa.record_batch({"a": pa.array(values).dictionary_encode()}) for values in (["x", "y"], ["z", None, "x"])
    ]
    with pa.ipc.new_stream(path, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    assert read(path, {"a": Wanted("string")}) == [{"a": value} for value in (b"x", b"y", b"z", b"", b"x")]


def test_dictionaries_of_a_file_may_grow(tmp_path: Path) -> None:
    path = str(tmp_path / "x.arrow")
    batches = [
        pa.record_batch({"a": pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(texts))})
        for codes, texts in (([0, 0], ["x"]), ([1, 0], ["x", "y"]))
    ]
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with pa.ipc.new_file(path, batches[0].schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    assert read(path, {"a": Wanted("string")}) == [{"a": value} for value in (b"x", b"x", b"y", b"x")]


@pytest.mark.parametrize("make", [pa.ipc.new_file, pa.ipc.new_stream])
def test_a_large_batch_is_read_in_slices(make: Callable[..., Any], tmp_path: Path) -> None:
    path, rows = str(tmp_path / "x.arrow"), 2 * arrow.SLICE + 5
    batch = pa.record_batch({"a": np.arange(rows)})
    with make(path, batch.schema) as writer:
        writer.write_batch(batch)
        writer.write_batch(batch.slice(0, 3))
    file = ArrowFile(path)
    parts = [file.part(piece, ["a"]) for piece in file.pieces(["a"])]
    assert [part.rows for part in parts] == [arrow.SLICE, arrow.SLICE, 5, 3]
    assert np.concatenate([part.numbers() for part in parts]).tolist() == [*range(1, rows + 4)]


def test_a_damaged_index_of_an_arrow_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.arrow"
    write_table(pa.table({"a": pa.array([*"xyyxyyyx"]).dictionary_encode()}), str(path))
    data, codes = path.read_bytes(), np.array([0, 1, 1, 0, 1, 1, 1, 0], np.int32)
    assert data.count(codes.tobytes()) == 1
    path.write_bytes(data.replace(codes.tobytes(), (999 * codes).tobytes()))
    with pytest.raises(Refusal) as refusal:
        read(str(path), {"a": Wanted("string")})
    assert str(refusal.value).startswith(f"{path}: it cannot be read as an Arrow file (")


JSON_WANTED = {
    "text": Wanted("string"),
    "whole": Wanted("int64"),
    "below": Wanted("int64", below=10, least=0),
    "real": Wanted("float32", default=(0.5,)),
    "words": Wanted("string", (None,), "|"),
    "pair": Wanted("float32", (2,)),
}
GOOD = {"text": "a", "whole": 1, "below": 2, "real": 1.5, "words": ["x", "y"], "pair": [1, 2.5]}
READ = {"text": b"a", "whole": 1, "below": 2, "real": 1.5, "words": [b"x", b"y"], "pair": [1.0, 2.5]}


def json_lines_of(folder: Path, *lines: bytes | str | Row) -> str:
    """Writes a file that begins with a good line."""
    path = folder / "x.jsonl"
    written = [line if isinstance(line, str | bytes) else json.dumps(line) for line in (GOOD, *lines)]
    path.write_bytes(b"\n".join(line.encode() if isinstance(line, str) else line for line in written))
    return str(path)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{", "is no JSON object (Expecting property name enclosed in double quotes at column 2), and one is wanted"),
        ("noon", "is no JSON object (Expecting value at column 1), and one is wanted"),
        ('{"text": "a"} {"text": "b"}', "is no JSON object (Extra data at column 15), and one is wanted"),
        ('{"text": "a" "b"}', "is no JSON object (Expecting ',' delimiter at column 14), and one is wanted"),
        ('{"text": "a\tb"}', "is no JSON object (Invalid control character at at column 12), and one is wanted"),
        (
            "\ufeff{}",
            "is no JSON object (Unexpected UTF-8 BOM (decode using utf-8-sig) at column 1), and one is wanted",
        ),
        ("\x0c{}", "is no JSON object (Expecting value at column 1), and one is wanted"),
        ('{"other": Inf}', "is no JSON object (Expecting value at column 11), and one is wanted"),
        ('{"other": -NaN}', "is no JSON object (Expecting value at column 11), and one is wanted"),
        (f'{{"a": {"[" * 100_000}', "is no JSON object (it is nested too deeply), and one is wanted"),
        (f'{{"whole": {"1" * 5000}}}', "is no JSON object (a number in it is too long), and one is wanted"),
        ("[1]", "is no JSON object (but a list), and one is wanted"),
        ('"a"', "is no JSON object (but a string), and one is wanted"),
        ("7", "is no JSON object (but a number), and one is wanted"),
        ("7.5", "is no JSON object (but a number), and one is wanted"),
        ("true", "is no JSON object (but a truth), and one is wanted"),
        ("null", "is no JSON object (but null), and one is wanted"),
        (b'{"text": "\xff"}', "is not UTF-8, and UTF-8 is wanted"),
        (b'{"other": "\xff"}', "is not UTF-8, and UTF-8 is wanted"),
        (GOOD | {"text": "\ud800x"}, "has '\\ud800x' as 'text', and UTF-8 is wanted"),
        (GOOD | {"words": ["\udc00"]}, """has '["\\udc00"]' as 'words', and UTF-8 is wanted"""),
        (GOOD | {"text": True}, "has 'true' as 'text', and a string is wanted"),
        (GOOD | {"text": 1.0}, "has '1.0' as 'text', and a string is wanted"),
        (GOOD | {"text": ["a"]}, """has '["a"]' as 'text', and a string is wanted"""),
        (GOOD | {"text": {"é": 1}}, """has '{"é": 1}' as 'text', and a string is wanted"""),
        (GOOD | {"whole": "noon"}, "has 'noon' as 'whole', and a whole number is wanted"),
        (GOOD | {"whole": 1.5}, "has '1.5' as 'whole', and a whole number is wanted"),
        (GOOD | {"whole": [1]}, "has '[1]' as 'whole', and a whole number is wanted"),
        (GOOD | {"whole": {}}, "has '{}' as 'whole', and a whole number is wanted"),
        (
            GOOD | {"whole": 2**63},
            f"has '{2**63}' as 'whole', and a whole number of at least -2**63 and below 2**63 is wanted",
        ),
        (
            GOOD | {"whole": 1e19},
            "has '1e+19' as 'whole', and a whole number of at least -2**63 and below 2**63 is wanted",
        ),
        (GOOD | {"below": 10}, "has '10' as 'below', and a whole number from 0 to 9 is wanted"),
        ('{"real": NaN, "pair": [1, 2]}', "has 'nan' as 'real', and a number is wanted"),
        ('{"real": -Infinity, "pair": [1, 2]}', "has '-inf' as 'real', and a number is wanted"),
        ('{"real": 1e400, "pair": [1, 2]}', "has 'inf' as 'real', and a number is wanted"),
        (GOOD | {"real": 1e39}, "has '1e+39' as 'real', and a number that 32 bits hold is wanted"),
        (GOOD | {"words": ["a", None, 1.5]}, """has '["a", null, 1.5]' as 'words', and a string is wanted"""),
        (GOOD | {"words": [["a"]]}, """has '[["a"]]' as 'words', and a string is wanted"""),
        (GOOD | {"pair": [1, 2, 3]}, "has '[1.0, 2.0, 3.0]' as 'pair', and 2 numbers is wanted"),
        (GOOD | {"pair": None}, "has '' as 'pair', and 2 numbers is wanted"),
    ],
)
def test_a_bad_line_of_json_is_named(line: Any, what: str, tmp_path: Path) -> None:
    path = json_lines_of(tmp_path, "", line, GOOD)
    found, bad = read_with_bad(path, JSON_WANTED)
    assert found == [READ, READ]
    assert [str(row) for row in bad] == [f"{path}: line 3 {what}"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"text": 7}, {"text": b"7"}),
        ({"text": 10**30}, {"text": b"1" + b"0" * 30}),
        ({"text": None}, {"text": b""}),
        ({"text": "2020-01-01"}, {"text": b"2020-01-01"}),
        ({"text": "\x00😀\u2028"}, {"text": "\x00😀\u2028".encode()}),
        ({"whole": 2**53 + 1}, {"whole": 2**53 + 1}),
        ({"whole": -(2**63)}, {"whole": -(2**63)}),
        ({"whole": str(2**63 - 1)}, {"whole": 2**63 - 1}),
        ({"whole": 3.0}, {"whole": 3}),
        ({"whole": True}, {"whole": 1}),
        ({"whole": None}, {"whole": -1}),
        ({"real": 3}, {"real": 3.0}),
        ({"real": "2.5"}, {"real": 2.5}),
        ({"real": False}, {"real": 0.0}),
        ({"real": None}, {"real": 0.5}),
        ({"words": "x|y"}, {"words": [b"x", b"y"]}),
        ({"words": ""}, {"words": []}),
        ({"words": 7}, {"words": [b"7"]}),
        ({"words": ["x|y", None, 7, ""]}, {"words": [b"x|y", b"", b"7", b""]}),
        ({"words": None}, {"words": []}),
        ({"pair": ["1", 2.5]}, {"pair": [1.0, 2.5]}),
    ],
)
def test_a_line_of_json_may_have_values_of_another_kind(values: Row, expected: Row, tmp_path: Path) -> None:
    lines = [GOOD | values, GOOD]
    assert read(json_lines_of(tmp_path, *lines), JSON_WANTED) == [READ, READ | expected, READ]


def test_a_line_of_json_without_an_end_in_sight_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "ROW_LIMIT", 1 << 20)
    monkeypatch.setattr(json_lines, "BLOCK", 1000)
    path = json_lines_of(tmp_path, GOOD, GOOD | {"text": "a" * (1 << 21)}, GOOD, {"pair": 7})
    found, bad = read_with_bad(path, JSON_WANTED)
    assert found == [READ, READ, READ]
    assert [str(row).removeprefix(f"{path}: ") for row in bad] == [
        "line 3 is over 1 MB long, and rows of at most that are wanted",
        "line 5 has '7.0' as 'pair', and 2 numbers is wanted",
    ]


def test_the_last_of_two_equal_keys_counts(tmp_path: Path) -> None:
    path = json_lines_of(
        tmp_path, '{"text": "a", "text": "b", "pair": [1, 2]}', '{"te\\u0078t": "a", "text": null, "pair": [1, 2]}'
    )
    assert [row["text"] for row in read(path, JSON_WANTED)] == [b"a", b"b", b""]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n \t\n"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n", " \r\n"])
def test_lines_of_json_may_end_in_any_way(start: str, end: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    lines = [json.dumps(GOOD), f"  {json.dumps(GOOD)}\t", json.dumps(GOOD | {"below": 99})]
    path.write_bytes((start + end.join(lines)).encode())
    found, bad = read_with_bad(str(path), JSON_WANTED)
    assert found == [READ, READ]
    text = (start + end.join(lines)).replace("\r\n", "\n").replace("\r", "\n")
    assert [row.number for row in bad] == [text[: text.index("99")].count("\n") + 1]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('[\n{"a": 1}\n]', "it begins with a JSON list; JSON lines are wanted, one object a line."),
        ('{\n"a": 1\n}', "its first lines are no JSON objects; JSON lines are wanted, one object a line."),
        (" \n\n", "it is empty; JSON lines are wanted, one object a line."),
        ('{"a": 1}\n'.encode("utf-16").decode("latin-1"), "it is not UTF-8; save the file as UTF-8."),
    ],
)
def test_json_that_is_no_lines_is_refused(text: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(Refusal) as refusal:
        read(str(path), JSON_WANTED)
    assert str(refusal.value) == f"{path}: {what}"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1.5, "double"),
        (True, "bool"),
        (["a"], "list<item: string>"),
        ({"a": 1}, "struct<>"),
        ([["a"]], "list<item: list<item: null>>"),
    ],
)
def test_a_key_of_another_kind_in_all_lines_is_refused(value: Any, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"text": value}))
    with pytest.raises(Refusal) as refusal:
        read(str(path), {"text": Wanted("string")})
    assert str(refusal.value) == (
        f"{path}: column 'text' holds {kind}, and the problem reads it as string; declare it as what it is, or write "
        "the file with another type."
    )


def test_lines_of_json_in_order_are_read_by_arrow_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "x.jsonl")
    write_json(path, ROWS)
    monkeypatch.delattr(JsonLinesFile, "_row")
    assert read(path) == EXPECTED


def test_a_kind_that_the_first_lines_lack_is_read_by_arrow_from_its_second_block_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_lines, "LOOK_LINES", 1)
    monkeypatch.setattr(json_lines, "BLOCK", 1000)
    path = json_lines_of(tmp_path, *(GOOD | {"whole": number + 0.0} for number in range(100)))
    file = JsonLinesFile(path, JSON_WANTED)
    by_arrow = [file._by_arrow(piece.data or b"", list(JSON_WANTED)) is not None for piece in file.pieces([])]
    assert not any(by_arrow)
    parts = [file.part(piece, list(JSON_WANTED)) for piece in file.pieces([])]
    monkeypatch.delattr(JsonLinesFile, "_row")
    again = [file.part(piece, list(JSON_WANTED)) for piece in file.pieces([])][1:]
    for first, second in zip(parts[1:], again, strict=True):
        assert {key: array.to_pylist() for key, array in first.columns.items()} == {
            key: array.to_pylist() for key, array in second.columns.items()
        }


def test_a_function_of_rows_reads_any_json_as_texts(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    lines: list[Row] = [
        {"a": "x", "b": 1, "c": 1.5, "d": True, "e": [1, "é"], "f": {"g": None}},
        {"a": 7, "b": None, "c": 2, "d": "no", "e": "z", "f": 1e22},
    ]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    seen: list[Row] = []

    def from_rows(columns: Mapping[str, Any]) -> Mapping[str, Any]:
        seen.append({key: values.tolist() for key, values in columns.items()})
        return {"text": columns["a"]}

    reading = Reading({"text": Wanted("string")}, from_rows)
    [features] = files.Rows([files.State.of(str(path))], reading)
    assert rows_in(features) == [{"text": b"x"}, {"text": b"7"}]
    expected = {"a": ["x", "7"], "b": ["1", ""], "c": ["1.5", "2"], "d": ["true", "no"], "e": ['[1, "é"]', "z"]}
    assert [{key: each[key] for key in "abcdef"} for each in seen] == [expected | {"f": ['{"g": null}', "1e+22"]}]


ANYTHING = st.floats() | st.integers(-(2**54), 2**54) | st.none() | st.text(max_size=3)


@settings(max_examples=EXAMPLES)
@given(values=st.lists(ANYTHING, min_size=1, max_size=5))
def test_a_number_is_the_same_text_whatever_stands_beside_it(folder: Path, values: list[Any]) -> None:
    path, found = folder / "texts.jsonl", []
    path.write_text("".join(f"{json.dumps({'a': value})}\n" for value in (1.5, *values)))
    for can_use_arrow in (True, False):
        for block in (1, 1 << 20):
            with reading_json(can_use_arrow, block):
                file = JsonLinesFile(str(path), {})
                parts = [file.part(piece, ["a"]) for piece in file.pieces(["a"])]
            found.append([value for part in parts for value in part.columns["a"].cast(pa.string()).to_pylist()])
    assert found == 4 * found[:1]


@contextmanager
def reading_json(can_use_arrow: bool, block: int, look: int = 500) -> Iterator[None]:
    by_arrow = JsonLinesFile._by_arrow if can_use_arrow else lambda *_: None
    with (
        mock.patch.object(json_lines, "LOOK_LINES", look),
        mock.patch.object(json_lines, "BLOCK", block),
        mock.patch.object(JsonLinesFile, "_by_arrow", by_arrow),
    ):
        yield


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10),
    st.sampled_from([2**24 + 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**30, 10**400]),
    st.floats(),
    st.sampled_from([0.0, -0.0, 3.0, 1e15, 2.0**53, 1e16, 9.3e18, 1e38, 3.5e38, 1e-46, 5e-324]),
    st.text(st.characters(exclude_categories=[]), max_size=4),
    st.sampled_from(["", " ", "7", " 7\t", "0x10", "1e3", "1_0", "nan", "inf", "Inf", "a|b", "|", "2020-01-01"]),
)
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.lists(st.lists(SCALARS, max_size=1), max_size=1)) | (
    st.dictionaries(st.sampled_from("ab"), SCALARS, max_size=2)
)
KEYS = [*JSON_WANTED, "other", "\udc00"]
KINDS: dict[str, list[st.SearchStrategy[Any]]] = {
    "text": [st.text(max_size=5), st.integers()],
    "whole": [
        st.integers(-(2**63), 2**63 - 1),
        st.integers(-(2**60), 2**60).map(float),
        st.booleans(),
        st.integers().map(str),
    ],
    "below": [st.integers(-1, 9), st.integers(0, 9).map(float), st.integers(0, 9).map(str)],
    "real": [st.floats(width=32, allow_nan=False), st.integers(), st.floats(-1e38, 1e38), st.booleans()],
    "words": [st.lists(st.text(max_size=3), max_size=3), st.sampled_from(["", "a", "a|b"])],
    "pair": [st.lists(st.floats(width=16), min_size=2, max_size=2), st.lists(st.integers(), min_size=2, max_size=2)],
}
RAW = [
    *(
        b"",
        b" \t",
        b"{}",
        b"[1]",
        b"7",
        b"null",
        b"{",
        b"}",
        b"{}{}",
        b"{} {}",
        b"[{}",
        b"{}]",
        b"\x0c{}",
        b"\0",
        b"{}\0",
    ),
    *(b'{"other": Inf}', b'{"other":-Inf}', b'{"other":[-NaN]}', b'{"other": NaN}', b'{"other": "Inf"}'),
    *(b'{"whole": 1, "whole": 2}', b'{"other":1, "other":2}', b'{"whole": 1,}', b"{'whole': 1}", b'{"whole": +1}'),
    *(
        b'{"whole": 1.}',
        b'{"whole": 1e2}',
        b'{"whole": -0}',
        b'{"whole":1E400}',
        b'{"wh\\u006fle": 3}',
        b'{"whole":01}',
    ),
    *(b'{"text": "\xff"}', b'{"other": "\xff"}', b'{"text": "\xed\xa0\x80"}', b'{"text": "\t"}', b'{"text": "\\x"}'),
    *(b'{"text": "\\ud83d\\ude00"}', b'{"text": "\xf0\x9f\x98\x80"}', b"\xef\xbb\xbf{}", b'{"text": "\x7f"}'),
    *(b'{"real": 123456789012345678901234567890.5e-10}', b'{"pair": [1, 1e-400]}', b'{"text": "/*"} //', b'{"a": {}'),
    *(b'{"other":{"text":1}}', b'{"whole":\r1}', b'{"text": "\\ud800"}', b'{"other": "\\udc00"}', b'{"\\ud800": 1}'),
]


@st.composite
def json_files(draw: Any) -> bytes:
    """Files of which many have whole columns of one kind, as Arrow reads them, and some a line of anything."""
    columns: dict[Any, Any] = {key: draw(st.sampled_from(kinds)) for key, kinds in KINDS.items()}
    orderly = st.fixed_dictionaries({}, optional=columns) | st.fixed_dictionaries(columns)
    anything = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4)
    mixed = st.builds(lambda row, other: row | other, st.fixed_dictionaries(columns), anything)
    choices: list[list[Any]] = [[orderly], [orderly], [orderly, mixed], [orderly, anything, mixed]]
    kinds = draw(st.sampled_from(choices))
    separators = draw(st.sampled_from([(", ", ": "), (",", ":"), (" ,\t", " : ")]))

    def written(row: Row) -> bytes:
        text = json.dumps(row, ensure_ascii=draw(st.booleans()), separators=separators)
        return text.encode("utf-8", "surrogatepass")

    lines = [written(row) for row in draw(st.lists(st.one_of(kinds), max_size=8))]
    if len(kinds) > 2:
        for raw in draw(st.lists(st.sampled_from(RAW), max_size=2)):
            lines.insert(draw(st.integers(0, len(lines))), raw)
    ends = st.sampled_from(draw(st.sampled_from(["n", "n", "N", "nNrb"])))
    written_ends = {"n": b"\n", "N": b"\r\n", "r": b"\r", "b": b"\n \n"}
    text = b"".join(line + written_ends[draw(ends)] for line in [b"{}", *lines])
    return text if draw(st.booleans()) else text.rstrip(b"\r\n")


def python_fits(value: Any, wanted: Wanted) -> bool:
    allowed = (str, int) if wanted.dtype == "string" else (str, int, float, bool)
    values = value if wanted.shape and isinstance(value, list) else [value]
    return all(each is None or type(each) in allowed for each in values)


def python_value(value: Any, wanted: Wanted) -> Any:
    """Returns what a scalar is read as; None where it cannot be."""
    if wanted.dtype == "string":
        return b"" if value is None else str(value).encode()
    if isinstance(value, str) and value.strip():
        found, _, good = numbers.of_texts(pa.array([value]), wanted.dtype)
        number = found.tolist()[0] if good[0] else None
    elif value is None or isinstance(value, str):
        number = -1 if wanted.dtype == "int64" else None if wanted.default is None else wanted.default[0]
    elif wanted.dtype == "int64":
        number = int(value) if value == value and abs(value) < 2**64 and int(value) == value else None
        number = number if number is not None and -(2**63) <= number < 2**63 else None
    else:
        number = narrow(value)
    is_outside = wanted.below is not None and number is not None and not -1 <= number < wanted.below
    return None if is_outside else number


def narrow(value: float) -> float | None:
    try:
        with np.errstate(over="ignore"):
            found = float(np.float32(float(value)))
    except OverflowError:
        return None
    return found if np.isfinite(found) else None


def python_values(value: Any, wanted: Wanted) -> Any:
    if not wanted.shape:
        return python_value(value, wanted)
    if isinstance(value, str):
        value = value.split(wanted.separator) if value and wanted.separator else [value] if value else []
    values = [] if value is None else value if isinstance(value, list) else [value]
    found = [python_value(each, wanted) for each in values]
    is_whole = None in wanted.shape or len(found) == 2
    return None if None in found or not is_whole else found


def as_python_reads(data: bytes) -> tuple[list[Row], list[tuple[int, str | None]]]:
    """Returns the rows of a file and its bad lines, by the plainest means."""
    rows: list[Row] = []
    bad: list[tuple[int, str | None]] = []
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip(b" \t"):
            continue
        try:
            row = json.loads(line.decode())
        except ValueError:
            row = None
        if not isinstance(row, dict):
            bad.append((number, None))
            continue
        values = {key: row.get(key) for key in JSON_WANTED}
        wrong = [
            key for key, value in values.items() if has_half_letters(value) or not python_fits(value, JSON_WANTED[key])
        ]
        if not wrong:
            found = {key: python_values(value, JSON_WANTED[key]) for key, value in values.items()}
            wrong = [key for key, value in found.items() if value is None]
        if wrong:
            bad.append((number, wrong[0]))
        else:
            rows.append(found)
    return rows, bad


def has_half_letters(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


@settings(max_examples=EXAMPLES)
@given(data=json_files(), look=st.sampled_from([1, 2, 500]), block=st.sampled_from([1, 100, 1 << 20]))
def test_json_lines_read_as_pythons_json_reads_them(folder: Path, data: bytes, look: int, block: int) -> None:
    path = folder / "x.jsonl"
    path.write_bytes(data)
    expected, bad = as_python_reads(data)
    for can_use_arrow in (True, False):
        # What the first lines have, or no line has, would be refused before or after a row is read.
        lines = mock.patch.multiple(JsonLinesFile, types={}, told=set(JSON_WANTED))
        with reading_json(can_use_arrow, block, look), lines:
            found, bad_found = read_with_bad(str(path), JSON_WANTED)
        assert found == expected
        assert [(row.number, row.column) for row in bad_found] == bad


def tf_records(folder: Path, *rows: Row | bytes) -> str:
    path = str(folder / "x.tfrecord")
    write_records(path, [row if isinstance(row, bytes) else serialized(row) for row in rows])
    return path


TF_WANTED = {"text": Wanted("string"), "hour": Wanted("int64", below=24), "words": Wanted("string", (None,), "|")}
TF_GOOD = {"text": "a", "hour": 7, "words": ["x", "y"]}


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (b"\xff\xff\xff", "is no tf.train.Example, and one is wanted"),
        (TF_GOOD | {"hour": "noon"}, "has 'noon' as 'hour', and an int64_list as in the first records is wanted"),
        (TF_GOOD | {"hour": 1.5}, "has '1.5' as 'hour', and an int64_list as in the first records is wanted"),
        (TF_GOOD | {"text": 7}, "has '7' as 'text', and a bytes_list as in the first records is wanted"),
        (TF_GOOD | {"text": ["a", b"\xff"]}, "has 'a, \\xff' as 'text', and a single value is wanted"),
        (TF_GOOD | {"hour": [1, 2]}, "has '1, 2' as 'hour', and a single value is wanted"),
        (TF_GOOD | {"hour": 24}, "has '24' as 'hour', and a whole number from 0 to 23 is wanted"),
    ],
)
def test_a_bad_record_is_named(row: Any, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfrecord, "LOOK_RECORDS", 2)
    path = tf_records(tmp_path, TF_GOOD, TF_GOOD, row, TF_GOOD, row)
    found, bad = read_with_bad(path, TF_WANTED)
    assert found == 3 * [{"text": b"a", "hour": 7, "words": [b"x", b"y"]}]
    assert [str(each) for each in bad] == [f"{path}: row {number} {what}" for number in (3, 5)]


def test_a_list_without_values_is_missing_whatever_its_kind(tmp_path: Path) -> None:
    empty: Row = {"text": [], "hour": [], "words": []}
    path = tf_records(tmp_path, empty, TF_GOOD, {}, empty)
    missing = {"text": b"", "hour": -1, "words": []}
    assert read(path, TF_WANTED) == [missing, {"text": b"a", "hour": 7, "words": [b"x", b"y"]}, missing, missing]


def test_a_key_without_any_value_is_of_the_kind_that_is_wanted(tmp_path: Path) -> None:
    path = tf_records(tmp_path, {"text": [], "hour": [], "words": []}, {})
    assert TFRecordFile(path, TF_WANTED).types == {"hour": pa.int64(), "text": pa.binary(), "words": pa.binary()}
    assert read(path, TF_WANTED) == 2 * [{"text": b"", "hour": -1, "words": []}]


def test_a_bag_of_a_record_may_be_a_text_or_a_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfrecord, "LOOK_RECORDS", 2)
    monkeypatch.setattr(tfrecord, "BATCH_ROWS", 2)
    wanted = {"words": TF_WANTED["words"]}
    texts: list[Row] = [{"words": "x|y"}, {}, {"words": "z"}, {"words": "z|x"}]
    assert read(tf_records(tmp_path, *texts), wanted) == [
        {"words": words} for words in ([b"x", b"y"], [], [b"z"], [b"z", b"x"])
    ]
    lists: list[Row] = [{"words": "x"}, {}, {"words": ["z", "x"]}, {"words": "y"}]
    assert read(tf_records(tmp_path, *lists), wanted) == [
        {"words": words} for words in ([b"x"], [], [b"z", b"x"], [b"y"])
    ]


@pytest.mark.parametrize("name", ["x.tfrecord.zst", "x.tfrecord.bz2", "x.tfrecords.lz4"])
def test_records_compressed_in_another_way_are_refused(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    with pytest.raises(Refusal) as refusal:
        files.opened(path, Reading(TF_WANTED))
    kind = {"zst": "zstd", "bz2": "bz2", "lz4": "lz4"}[name.rpartition(".")[2]]
    assert str(refusal.value) == f"{path}: TFRecord files are read plain or compressed with gzip, not with {kind}."


def test_compressed_records_under_a_plain_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tfrecord"
    write_records(f"{path}.gz", [serialized(TF_GOOD)])
    Path(f"{path}.gz").rename(path)
    with pytest.raises(Refusal) as refusal:
        read(str(path), TF_WANTED)
    assert str(refusal.value) == f"{path}: it is compressed with gzip; give it a name that ends with .gz."


def test_records_that_are_no_examples_are_refused(tmp_path: Path) -> None:
    path = tf_records(tmp_path, b"\xff\xff\xff", b"\xff")
    with pytest.raises(Refusal) as refusal:
        read(path, TF_WANTED)
    assert str(refusal.value) == f"{path}: its first records are no tf.train.Example; write it as Examples."


@pytest.mark.parametrize("kept", [1, 11])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_records_that_end_inside_of_a_frame_are_refused(kept: int, ending: str, tmp_path: Path) -> None:
    whole = Path(tf_records(tmp_path, *5 * [TF_GOOD])).read_bytes()
    path = str(tmp_path / f"short.tfrecord{ending}")
    for data in (whole + whole[:kept], whole[:kept]):
        compressed(path, data)
        with pytest.raises(Refusal) as refusal:
            read(path, TF_WANTED)
        assert str(refusal.value) == f"{path}: it ends within a record; write it again, to its end."


def test_several_files_of_gzip_in_one_are_read_all(tmp_path: Path) -> None:
    path = tmp_path / "x.tfrecord.gz"
    write_records(str(path), 3 * [serialized(TF_GOOD)])
    path.write_bytes(2 * path.read_bytes())
    assert len(read(str(path), TF_WANTED)) == 6


def test_a_damaged_record_is_refused(tmp_path: Path) -> None:
    path = Path(tf_records(tmp_path, *2000 * [TF_GOOD]))
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(data)
    with pytest.raises(Refusal) as refusal:
        read(str(path), TF_WANTED)
    start = len(data) // 2000 * 1999 + 12  # behind its length and the check sum of that
    assert str(refusal.value) == f"{path}: it cannot be read as TFRecord (corrupted record at {start})."


def test_large_records_are_read_few_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfrecord, "BATCH_BYTES", 10_000)
    file = TFRecordFile(tf_records(tmp_path, *10 * [{"text": "a" * 3000}]), {"text": Wanted("string")})
    assert [len(piece.records) for piece in file.pieces(["text"])] == [3, 3, 3, 1]
