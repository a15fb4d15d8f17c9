"""Formats that tables, labels and vectors are kept in."""

import ast
import csv
import gzip
import importlib
import inspect
import io
import json
import pickle
import pkgutil
import re
import resource
import subprocess
import sys
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import h5py  # type: ignore[import-untyped]  # it comes without types
import ml_dtypes
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer import formats
from trainer.errors import Refusal
from trainer.formats import hdf5, npz, parquet, sprites, tabbed, tsv, word2vec
from trainer.formats import safetensors as tensors

ANY_CHARACTER = st.characters()  # surrogates, line separators and controls too
ANY_TEXT = st.text(ANY_CHARACTER) | st.text(st.sampled_from("\\tnr\t\n\r"))
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.tuples(
        st.lists(ANY_TEXT, min_size=width, max_size=width),
        st.lists(st.lists(ANY_TEXT, min_size=width, max_size=width), max_size=5),
    )
)


@given(ANY_TEXT)
def test_any_text_comes_back_from_its_escaped_form(text: str) -> None:
    assert tsv.unescape(tsv.escape(text)) == text


@given(ANY_TEXT)
def test_escaped_text_holds_no_tab_and_no_line_end(text: str) -> None:
    assert not set(tsv.escape(text)) & set("\t\n\r")


@given(TABLES)
def test_any_rows_come_back_from_a_file(
    tmp_path_factory: pytest.TempPathFactory, table: tuple[list[str], list[list[str]]]
) -> None:
    header, rows = table
    path = str(tmp_path_factory.mktemp("tsv") / "labels.tsv")
    tsv.write(path, header, rows)
    assert tsv.read(path) == (header, rows)
    assert columns(path) == rows_by_column(path)


def columns(path: str) -> tuple[list[str], list[list[str]]]:
    """What `tsv.columns` reads, as strings."""
    header, found = tsv.columns(path)
    return header, [[text.decode("utf-8", "surrogatepass") for text in fields.to_pylist()] for fields in found]


@given(
    st.lists(
        st.sampled_from(
            [
                b"a",
                b"\t",
                b"\n",
                b"\r\n",
                b"\r",
                b"\\",
                b'"',
                b"'",
                b",",
                b" ",
                b"NA",
                b"\xff",
                b"\xed\xb2\x80",
                b"\xef\xbb\xbf",
            ]
        ),
        max_size=12,
    )
)
def test_the_columns_of_any_file_are_those_of_its_rows(
    tmp_path_factory: pytest.TempPathFactory, content: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("tsv") / "labels.tsv"
    path.write_bytes(b"".join(content))
    assert told(columns, str(path)) == told(rows_by_column, str(path))


def rows_by_column(path: str) -> tuple[list[str], list[list[str]]]:
    header, rows = tsv.read(path)
    return header, [list(fields) for fields in zip(*rows, strict=True)] or [[] for _ in header]


def told(read: Callable[[str], Any], path: str) -> Any:
    """What is read of a file, or the sentence that refuses it."""
    try:
        return read(path)
    except Refusal as refusal:
        return str(refusal)


def test_columns_are_read_whatever_the_length_of_a_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tsv, "_BLOCK", 100)
    path = str(tmp_path / "labels.tsv")
    long = ["short", "x" * 300, "\\" * 90]
    tsv.write(path, ["a", "b"], [(text, "y") for text in long])
    assert columns(path) == (["a", "b"], [long, ["y"] * 3])


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"label\nx\ry\n", (["label"], [["x\ry"]])),
        (b"l\ra\tb\n1\t2\n", (["l\ra", "b"], [["1"], ["2"]])),
        (b"label\nx\r\r\n", (["label"], [["x\r"]])),
    ],
)
def test_a_carriage_return_alone_ends_no_line(content: bytes, wanted: Any, tmp_path: Path) -> None:
    path = kept(tmp_path, content)
    assert columns(path) == rows_by_column(path) == wanted
    with pytest.raises(Refusal) as refused:
        tsv.column(path, "label")
    assert str(refused.value) == (
        f"tsv: column 'label' of {path} cannot be read (a carriage return has no line feed after it); copy the whole "
        "folder."
    )


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a"])).map(b"".join), st.integers(1, 4))
def test_a_carriage_return_alone_is_found_wherever_a_block_ends(content: bytes, block: int) -> None:
    with mock.patch.object(tabbed, "_BLOCK", block):
        found = tabbed.has_lone_return(io.BytesIO(content))
    assert found == bool(re.search(rb"\r(?!\n)", content))


@pytest.mark.parametrize("content", [b"day\nMon\n", b"day\n\xed\xb2\x80\n", b"day\nMon\rTue\n", b"day\tn\n\t\n"])
def test_a_remote_file_is_fetched_once_and_read_as_a_local_one(content: bytes, tmp_path: Path) -> None:
    path = kept(tmp_path, content)
    for read in (columns, rows_by_column):
        with mock.patch("trainer.paths.read_bytes", return_value=content) as fetched:
            assert read("gs://bucket/labels.tsv") == read(path)
        fetched.assert_called_once_with("gs://bucket/labels.tsv")


def test_columns_of_a_file_that_is_not_there_are_not_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        tsv.columns(str(tmp_path / "labels.tsv"))


def test_the_four_escapes_are_those_of_the_documentation(tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    tsv.write(str(path), ["key"], [["a\tb\nc\rd\\e"]])
    assert path.read_bytes() == b"key\na\\tb\\nc\\rd\\\\e\n"


def test_an_unknown_escape_stays_as_it_is() -> None:
    assert tsv.unescape(r"C:\dir\\x\q") == "C:\\dir\\x\\q"


def test_a_file_with_windows_line_ends_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    path.write_bytes(b"day\tcount\r\nMon\t3\r\nTue\t\r\n")
    assert tsv.read(str(path)) == (["day", "count"], [["Mon", "3"], ["Tue", ""]])


def test_a_row_that_cannot_be_written_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    tsv.write(str(path), ["day"], [["Mon"]])
    with pytest.raises(Refusal) as refusal:
        tsv.write(str(path), ["day"], [["Tue"], ["Wed", "3"]])
    assert str(refusal.value) == f"tsv: line 3 of {path} has 2 fields; the header has 1."
    assert path.read_text() == "day\nMon\n"
    assert [file.name for file in tmp_path.iterdir()] == ["labels.tsv"]


def test_a_row_of_another_width_is_refused_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    path.write_text("day\tcount\nMon\t3\nTue\n")
    with pytest.raises(Refusal) as refusal:
        tsv.read(str(path))
    assert str(refusal.value) == f"tsv: line 3 of {path} has 1 fields; the header has 2."


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    path.write_text("")
    with pytest.raises(Refusal) as refusal:
        tsv.read(str(path))
    assert str(refusal.value) == f"tsv: {path} is empty; a header row is wanted."


def test_a_file_of_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Refusal) as refusal:
        tsv.read(str(path))
    assert str(refusal.value) == f"tsv: {path} is no UTF-8 text; give a tab-separated file with a header row."


def test_a_file_without_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    with pytest.raises(Refusal) as refusal:
        tsv.write(str(path), [], [])
    assert str(refusal.value) == f"tsv: {path} needs at least one column."
    assert not path.exists()


# Files of vectors

Array = np.ndarray[Any, np.dtype[Any]]
KEYS = ["</s>", "the", "東京", "São", "<unk>"]
VECTORS = np.array([[0.5, -1.25, 3e-05], [0, 1, -0.0], [7, 8, 9], [1e-06, 2.5, 128], [0.1, 0.2, 0.3]], np.float32)
KEY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=8)
WORD = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=" "), max_size=8)
FLOAT = st.floats(width=32)


def rows_of(key: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[list[str], Array]]:
    rows = st.integers(2, 4).flatmap(
        lambda dimension: st.lists(st.tuples(key, st.lists(FLOAT, min_size=dimension, max_size=dimension)), min_size=1)
    )
    return rows.map(lambda pairs: ([key for key, _ in pairs], np.array([row for _, row in pairs], np.float32)))


def gensim_text(keys: Sequence[str], vectors: Array) -> bytes:
    """As save_word2vec_format of gensim 4: the shortest numbers that are the same float32."""
    lines = [f"{key} {' '.join(map(str, row))}" for key, row in zip(keys, vectors, strict=True)]
    return "".join(f"{line}\n" for line in [f"{len(vectors)} {vectors.shape[1]}", *lines]).encode()


def gensim_binary(keys: Sequence[str], vectors: Array, end: bytes = b"") -> bytes:
    """As save_word2vec_format(binary=True) of gensim 4: nothing between the rows."""
    rows = [key.encode() + b" " + row.astype("<f4").tobytes() + end for key, row in zip(keys, vectors, strict=True)]
    return b"%d %d\n" % vectors.shape + b"".join(rows)


def google_text(keys: Sequence[str], vectors: Array) -> bytes:
    """As word2vec.c with -binary 0: a blank after each number, `%lf`."""
    rows = [f"{key} " + "".join(f"{value:f} " for value in row) for key, row in zip(keys, vectors, strict=True)]
    return "".join(f"{row}\n" for row in [f"{len(keys)} {vectors.shape[1]}", *rows]).encode()


def google_binary(keys: Sequence[str], vectors: Array) -> bytes:
    """As word2vec.c with -binary 1: a line end after each row."""
    return gensim_binary(keys, vectors, b"\n")


def fasttext_vec(keys: Sequence[str], vectors: Array) -> bytes:
    """As saveVectors of fastText: five significant digits, and a blank after each."""
    rows = [f"{key} " + "".join(f"{value:.5g} " for value in row) for key, row in zip(keys, vectors, strict=True)]
    return "".join(f"{row}\n" for row in [f"{len(keys)} {vectors.shape[1]}", *rows]).encode()


def glove_text(keys: Sequence[str], vectors: Array) -> bytes:
    """As glove.c with -write-header 0: a blank before each number, `%lf`."""
    rows = [key + "".join(f" {value:f}" for value in row) for key, row in zip(keys, vectors, strict=True)]
    return "".join(f"{row}\n" for row in rows).encode()


WRITERS = [gensim_text, gensim_binary, google_text, google_binary, fasttext_vec, glove_text]


def kept(folder: Path, content: bytes) -> str:
    path = folder / "file"
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("write", WRITERS)
def test_vectors_are_read_as_each_tool_writes_them(
    write: Callable[[Sequence[str], Array], bytes], packed: bool, tmp_path: Path
) -> None:
    content = write(KEYS, VECTORS)
    path = kept(tmp_path, gzip.compress(content) if packed else content)
    keys, vectors = word2vec.read(path)
    assert keys == KEYS
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, VECTORS, rtol=0, atol=0 if "gensim" in write.__name__ else 1e-5)
    assert word2vec.shape(path) == VECTORS.shape
    assert word2vec.is_vectors(path)


@given(rows_of(KEY))
def test_any_key_without_a_line_feed_comes_back_from_text(
    tmp_path_factory: pytest.TempPathFactory, rows: tuple[list[str], Array]
) -> None:
    path = kept(tmp_path_factory.mktemp("vectors"), gensim_text(*rows))
    keys, vectors = word2vec.read(path)
    assert keys == rows[0]
    np.testing.assert_array_equal(vectors, rows[1])


@given(rows_of(st.text(st.sampled_from("ab 東ß\xa0\x85\u2028.\t-"), max_size=5)))
def test_any_key_that_ends_in_no_number_comes_back_from_text_without_a_header(
    tmp_path_factory: pytest.TempPathFactory, rows: tuple[list[str], Array]
) -> None:
    path = kept(tmp_path_factory.mktemp("vectors"), gensim_text(*rows).partition(b"\n")[2])
    keys, vectors = word2vec.read(path)
    assert keys == rows[0]
    np.testing.assert_array_equal(vectors, rows[1])
    assert word2vec.shape(path) == vectors.shape


@given(rows_of(WORD), st.sampled_from([b"", b"\n"]))
def test_any_key_without_blanks_and_control_characters_comes_back_from_a_binary_file(
    tmp_path_factory: pytest.TempPathFactory, rows: tuple[list[str], Array], end: bytes
) -> None:
    path = kept(tmp_path_factory.mktemp("vectors"), gensim_binary(*rows, end))
    keys, vectors = word2vec.read(path)
    assert keys == rows[0]
    np.testing.assert_array_equal(vectors, rows[1])


@pytest.mark.parametrize("write", WRITERS)
def test_vectors_that_are_longer_than_a_block_are_read_whole(
    write: Callable[[Sequence[str], Array], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = kept(tmp_path, write(KEYS, VECTORS))
    whole = word2vec.read(path)
    shape = word2vec.shape(path)
    monkeypatch.setattr(word2vec.form, "BLOCK", 7)
    keys, vectors = word2vec.read(path)
    assert keys == whole[0]
    np.testing.assert_array_equal(vectors, whole[1])
    assert word2vec.shape(path) == shape == VECTORS.shape


def test_only_the_head_of_a_large_file_says_what_form_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word2vec.form, "HEAD", 40)
    for write in WRITERS:
        assert word2vec.read(kept(tmp_path, write(KEYS, VECTORS)))[0] == KEYS


@pytest.mark.parametrize(
    ("content", "keys", "vectors"),
    [
        (b"2 2\r\na 1 2\r\nb 3 4\r\n", ["a", "b"], [[1, 2], [3, 4]]),
        (b"2 2\na\t1\t2\nb  +3  4.\n\n\n", ["a", "b"], [[1, 2], [3, 4]]),
        (b"a 1 2\nb 3 1e40\n \n", ["a", "b"], [[1, 2], [3, np.inf]]),
        (b"1990 1 2\nb c 3 nan", ["1990", "b c"], [[1, 2], [3, np.nan]]),
        (b"a 1 2\nin 5 3 4\nb 5 6\n", ["a", "in 5", "b"], [[1, 2], [3, 4], [5, 6]]),
        (b"2 1\na 1\na 1\n", ["a", "a"], [[1], [1]]),
        (b"1 2\nna\xc3 1 2\n", ["na\udcc3"], [[1, 2]]),
        (b"2 1\na \0\0\0\0\nna\xc3 \0\0\0\0\n", ["a", "na\udcc3"], [[0], [0]]),
        (b"1 1\nab LLL>", ["ab"], [[np.frombuffer(b"LLL>", "<f4")[0]]]),
        (b"0 3\n", [], np.zeros((0, 3))),
    ],
    ids=[
        "CRLF",
        "tabs",
        "1e40",
        "numeric key",
        "key that ends in a number",
        "repeated",
        "not UTF-8",
        "not UTF-8 in binary",
        "letters",
        "empty",
    ],
)
def test_odd_files_of_vectors_are_read(tmp_path: Path, content: bytes, keys: list[str], vectors: Any) -> None:
    path = kept(tmp_path, content)
    found = word2vec.read(path)
    assert found[0] == keys
    np.testing.assert_array_equal(found[1], np.array(vectors, np.float32))
    assert word2vec.shape(path) == found[1].shape


def saved(write: Callable[..., None], *arrays: Any, **named: Any) -> bytes:
    file = io.BytesIO()
    write(file, *arrays, **named)
    return file.getvalue()


BFLOAT16 = VECTORS.astype(ml_dtypes.bfloat16)
OTHERS = [
    b"",
    b"hello world\n",
    b"day\tcount\nMon\t3\nTue\t4\n",
    b"the 23\nof 12\n",
    b'{"rows": 3}',
    b"P5 2 2 255\n\0\0\0\0",
    saved(np.save, VECTORS),
    saved(np.savez, VECTORS),
    safetensors.numpy.save({"table": VECTORS}),
]


@pytest.mark.parametrize("content", OTHERS, ids=range(len(OTHERS)))
def test_other_files_look_like_no_vectors(tmp_path: Path, content: bytes) -> None:
    assert not word2vec.is_vectors(kept(tmp_path, content))


@pytest.mark.parametrize(
    "array",
    [
        VECTORS,
        VECTORS.astype(np.float16),
        VECTORS.astype(">f8"),
        np.asfortranarray(VECTORS),
        BFLOAT16,
        np.asfortranarray(BFLOAT16),
        np.arange(3),
        np.zeros((0, 3)),
        np.array(["Mon", "Tue"]),
        np.float32(3),
    ],
    ids=lambda array: f"{array.dtype} {array.shape}",
)
def test_arrays_come_back_from_npy_and_npz_in_their_own_dtype(array: Array, tmp_path: Path) -> None:
    for write, name in [(np.save, ""), (np.savez, "arr_0"), (np.savez_compressed, "arr_0")]:
        path = kept(tmp_path, saved(write, array))
        assert npz.shapes(path) == {name: (array.shape, array.dtype.name)}
        found = npz.read(path, name)
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)


def test_bfloat16_that_numpy_read_and_saved_again_is_still_bfloat16(tmp_path: Path) -> None:
    again = np.load(io.BytesIO(saved(np.save, BFLOAT16)))
    assert again.dtype.str == "|V2"
    np.testing.assert_array_equal(npz.read(kept(tmp_path, saved(np.save, again))), BFLOAT16)


def test_an_npy_file_is_mapped_and_not_copied(tmp_path: Path) -> None:
    assert not npz.read(kept(tmp_path, saved(np.save, VECTORS))).flags.owndata
    assert not npz.read(kept(tmp_path, saved(np.save, VECTORS))).flags.writeable


def test_a_matrix_beside_python_objects_is_read_without_them(tmp_path: Path) -> None:
    path = kept(tmp_path, saved(np.savez, words=np.array(KEYS, object), vectors=VECTORS))
    assert npz.shapes(path) == {"words": ((5,), "object"), "vectors": ((5, 3), "float32")}
    np.testing.assert_array_equal(npz.read(path, "vectors"), VECTORS)


SAFE = [np.float64, np.float32, np.float16, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2]


def test_tensors_come_back_from_safetensors_in_their_own_dtype(tmp_path: Path) -> None:
    wanted = {np.dtype(dtype).name: VECTORS[:3].astype(dtype) for dtype in SAFE}
    wanted |= {"int8": np.arange(3, dtype=np.int8), "bool": np.array(True), "int64": np.zeros((0, 3), np.int64)}
    path = str(tmp_path / "model.safetensors")
    safetensors.numpy.save_file(wanted, path, metadata={"format": "np"})
    assert tensors.shapes(path) == {name: (array.shape, name) for name, array in wanted.items()}
    for name, array in wanted.items():
        found = tensors.read(path, name)
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # Keras's own
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_the_tables_that_keras_saves_are_read_in_their_own_dtype(dtype: str, tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Embedding(5, 3, dtype=dtype)])
    path = str(tmp_path / "model.weights.h5")
    model.save_weights(path)
    name = "layers/embedding/vars/0"
    assert hdf5.shapes(path)[name] == ((5, 3), dtype)
    found = hdf5.read(path, f"/{name}")
    assert found.dtype.name == dtype
    np.testing.assert_array_equal(found, keras.ops.convert_to_numpy(model.weights[0]))


def hdf5_file(folder: Path) -> str:
    path = str(folder / "file.h5")
    with h5py.File(path, "w") as file:
        file["a/b"] = VECTORS
        file["ids"] = np.arange(3)
        file["words"] = ["Mon", "Tue"]
        file["reference"] = file["ids"].ref
        file["nothing"] = h5py.Empty("f4")
        file["link"] = h5py.ExternalLink("other.h5", "a")
    return path


def test_every_data_set_of_an_hdf5_file_is_listed_and_read(tmp_path: Path) -> None:
    path = hdf5_file(tmp_path)
    assert hdf5.shapes(path) == {
        "a/b": ((5, 3), "float32"),
        "ids": ((3,), "int64"),
        "words": ((2,), "object"),
        "reference": ((), "object"),
        "nothing": ((0,), "float32"),
    }
    np.testing.assert_array_equal(hdf5.read(path, "a/b"), VECTORS)
    assert hdf5.read(path, "ids").dtype == np.int64
    assert hdf5.read(path, "words").tolist() == [b"Mon", b"Tue"]
    assert hdf5.read(path, "nothing").shape == (0,)


READERS: list[Callable[[str], Any]] = [word2vec.read, word2vec.shape, word2vec.is_vectors]
READERS += [npz.shapes, npz.read, tensors.shapes, hdf5.shapes, parquet.shapes]
READERS += [formats.load, *(module.load for module in (npz, parquet, tensors, tsv, word2vec))]


@pytest.mark.parametrize("read", READERS)
def test_a_file_that_is_not_there_is_an_error_of_the_operating_system(
    read: Callable[[str], Any], tmp_path: Path
) -> None:
    with pytest.raises(OSError, match="No such file"):
        read(str(tmp_path / "nowhere"))


def test_reading_vectors_does_not_import_tensorflow() -> None:
    names = ", ".join(f"trainer.formats.{name}" for name in ("word2vec", "npz", "parquet", "safetensors", "hdf5"))
    code = f"import sys, {names}; assert not {{'tensorflow', 'keras', 'safetensors'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def zipped(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return file.getvalue()


def packed(header: dict[str, Any], content: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content


def without_the_library(path: str) -> Any:
    with mock.patch.dict(sys.modules, {"safetensors": None}):
        return tensors.shapes(path)


def save_without_the_library(path: str) -> None:
    with mock.patch.dict(sys.modules, {"safetensors": None, "safetensors.numpy": None}):
        tensors.save(path, KEYS, VECTORS)


def table(**columns: Any) -> bytes:
    """A Parquet file as pyarrow writes lists."""
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


BYTES, ENDS = np.frombuffer(b"MonTue", np.uint8), np.array([3, 5])
NO_TSV = "tsv: {path} has no vectors by key: a header with 'key', any fields, and 'v0', 'v1' and so on is wanted."
OTHER_ROW = (
    "tsv: {path} is damaged (a row is of another width, or has no number where one is wanted); fetch or save it again."
)
WHY = "the header is wrong, the file is damaged, or keys have blanks, which only the text form can hold."
NO_VECTORS = (
    "word2vec: {path} has no vectors in word2vec text or binary (a line 'rows dimension' first) or GloVe text (lines "
    "'key v1 v2 …'); write it as one of them."
)
PICKLE = (
    "holds Python objects (a pickle), which could run code when it is read; save the matrix with np.save(…) as floats."
)
DAMAGED = "is damaged, or has values that NumPy cannot read, as 8-bit floats; save it again, as floats."
ONE_BYTE = "has one-byte values that NumPy's format does not name; save it as float16 or float32."
E4M3 = VECTORS.astype(ml_dtypes.float8_e4m3fn)
E5M2 = VECTORS.astype(ml_dtypes.float8_e5m2)
FOUR_BITS = packed({"t": {"dtype": "F4", "shape": [2, 2], "data_offsets": [0, 2]}}, b"\0\0")
NPZ = saved(np.savez, vectors=VECTORS, words=np.array(KEYS, object))
SAFETENSORS = safetensors.numpy.save({"table": VECTORS})
DAMAGES: list[tuple[Callable[[str], Any], bytes, str]] = [
    (word2vec.read, b"", NO_VECTORS),
    (word2vec.shape, b"hello world\n", NO_VECTORS),
    (word2vec.read, b"3 2\na 1 2\nb 3 4\n", "word2vec: {path} has 2 rows; its header says 3."),
    (word2vec.read, b"1 2\na 1 2\nb 3 4\n", "word2vec: {path} has 2 rows; its header says 1."),
    (word2vec.read, b"2 3\na 1 2 3\nb 4 5\n", "word2vec: line 3 of {path} ends in 2 numbers; 3 are wanted."),
    (word2vec.read, b"2 3\na 1 2\nb 4 5\n", "word2vec: line 2 of {path} ends in 2 numbers; 3 are wanted."),
    (word2vec.read, b"2 2\na 1 2\n\nb 4 5\n", "word2vec: line 3 of {path} ends in 0 numbers; 2 are wanted."),
    (word2vec.read, b"a 1 2\nb 3 1_0\nc 4 5\n", "word2vec: line 2 of {path} ends in 0 numbers; 2 are wanted."),
    (word2vec.read, b"a 1 2\nb 3\nc 4 5\n", "word2vec: line 2 of {path} ends in 1 numbers; 2 are wanted."),
    (word2vec.read, gensim_binary(KEYS, VECTORS)[:-1], f"word2vec: {{path}} ends inside row 5 of 5; {WHY}"),
    (word2vec.read, google_binary(KEYS, VECTORS)[:-2], f"word2vec: {{path}} ends inside row 5 of 5; {WHY}"),
    (
        word2vec.read,
        google_binary(KEYS, VECTORS) + b"\n",
        f"word2vec: {{path}} goes on after the 5 rows of its header; {WHY}",
    ),
    (
        word2vec.read,
        gensim_binary(["New York", "Tokyo"], VECTORS[:2]),
        f"word2vec: the key of row 2 of {{path}} is no text; {WHY}",
    ),
    (
        word2vec.read,
        gensim_binary(["New York", "Tokyo"], VECTORS[:2] + 0.1),
        f"word2vec: the key of row 2 of {{path}} is no text; {WHY}",
    ),
    (
        word2vec.is_vectors,
        gzip.compress(b"1 2\na 1 2\n", mtime=0)[:-4],
        "word2vec: {path} is a damaged gzip file; fetch or write it again.",
    ),
    (npz.shapes, pickle.dumps(KEYS), f"npz: {{path}} {PICKLE}"),
    (npz.read, saved(np.save, np.array(KEYS, object)), f"npz: {{path}} {PICKLE}"),
    (npz.shapes, zipped(data_pkl=pickle.dumps(KEYS)), f"npz: {{path}} {PICKLE}"),
    (lambda path: npz.read(path, "words"), NPZ, f"npz: 'words' in {{path}} {PICKLE}"),
    (npz.shapes, zipped(notes_txt=b""), "npz: {path} is a zip file without arrays; np.savez writes one with them."),
    (npz.shapes, b"a,b\n", "npz: {path} is neither a .npy nor a .npz file; np.save and np.savez write them."),
    (npz.read, NPZ, "npz: {path} has no array ''; it has 'vectors', 'words'."),
    (lambda path: npz.read(path, "vector"), NPZ, "npz: {path} has no array 'vector'; did you mean 'vectors'?"),
    (npz.read, saved(np.save, VECTORS)[:-1], f"npz: {{path}} {DAMAGED}"),
    (npz.shapes, saved(np.save, VECTORS)[:20], f"npz: {{path}} {DAMAGED}"),
    (npz.shapes, NPZ[:-30], f"npz: {{path}} {DAMAGED}"),
    (npz.shapes, saved(np.save, E5M2), f"npz: {{path}} {DAMAGED}"),
    (npz.read, saved(np.save, E4M3), f"npz: {{path}} {ONE_BYTE}"),
    (lambda path: npz.read(path, "a"), saved(np.savez, a=E4M3), f"npz: 'a' in {{path}} {ONE_BYTE}"),
    (
        without_the_library,
        SAFETENSORS,
        "safetensors: {path} takes the package safetensors; pip install 'embedding-columns[safetensors]'.",
    ),
    (
        tensors.shapes,
        SAFETENSORS[:-1],
        "safetensors: {path} is damaged or no safetensors file; fetch or save it again.",
    ),
    (
        lambda path: tensors.read(path, "tabel"),
        SAFETENSORS,
        "safetensors: {path} has no tensor 'tabel'; did you mean 'table'?",
    ),
    (lambda path: tensors.read(path, "x"), SAFETENSORS, "safetensors: {path} has no tensor 'x'; it has 'table'."),
    (
        lambda path: tensors.read(path, "t"),
        FOUR_BITS,
        "safetensors: 't' in {path} is of dtype F4, which NumPy cannot read; save it as F16 or F32.",
    ),
    (
        npz.load,
        saved(np.savez, table=VECTORS),
        "npz: {path} has no 'vectors' with 'keys'; it has 'table', so name the array you want where one is taken.",
    ),
    (
        npz.load,
        saved(np.savez, vectors=VECTORS, keys=np.array(KEYS[1:])),
        "npz: {path} is damaged: it holds 4 keys for 5 rows; fetch or save it again.",
    ),
    (
        npz.load,
        saved(np.savez, vectors=VECTORS[0], keys=np.array(KEYS)),
        "npz: {path} is damaged: its vectors are of shape (3,); fetch or save it again.",
    ),
    (
        npz.load,
        saved(np.savez, vectors=VECTORS, **{"keys.bytes": BYTES, "keys.ends": ENDS}),
        f"npz: {{path}} {DAMAGED}",
    ),
    (
        lambda path: npz.save(path, KEYS[1:], VECTORS),
        b"",
        "npz: {path} takes 5 rows, and there are 4 keys; give one a row.",
    ),
    (
        lambda path: tsv.save(path, KEYS, VECTORS[:, :0]),
        b"",
        "tsv: {path} takes a matrix of floats with a column at least, not float32 of shape (5, 0); give "
        "(keys, dimension).",
    ),
    (
        lambda path: formats.save(f"{path}.csv", KEYS, VECTORS),
        b"",
        "formats: {path}.csv ends in none of .bin, .npz, .parquet, .pq, .safetensors, .tsv, .txt, .vec; name it as one "
        "of them.",
    ),
    (
        formats.load,
        b"hello",
        "formats: {path} holds no vectors by key; a file as .bin, .npz, .parquet, .pq, .safetensors, .tsv, .txt, .vec "
        "is wanted.",
    ),
    (parquet.load, b"PAR1", "parquet: {path} is damaged or no Parquet file; fetch or save it again."),
    (
        parquet.load,
        table(key=KEYS),
        "parquet: {path} has 0 columns of vectors, and one is wanted: a list of floats, all of one length.",
    ),
    (
        parquet.load,
        table(vector=VECTORS.tolist()),
        "parquet: {path} has no column of keys; one of text or whole numbers is wanted, as 'key'.",
    ),
    (
        lambda path: parquet.read(path, "vectors"),
        table(key=KEYS, vector=VECTORS.tolist()),
        "parquet: {path} has no column of vectors 'vectors'; did you mean 'vector'?",
    ),
    (
        parquet.load,
        table(key=["a", "b"], vector=[[1.0, 2.0], [3.0]]),
        "parquet: 'vector' in {path} has vectors of different lengths, or null; leave those out.",
    ),
    (
        tensors.load,
        SAFETENSORS,
        "safetensors: {path} has no 'vectors' with 'keys.bytes'; it has 'table', so name the tensor you want where one "
        "is taken.",
    ),
    (
        tensors.load,
        safetensors.numpy.save({"vectors": VECTORS, "keys.bytes": BYTES, "keys.ends": ENDS}),
        "safetensors: {path} is damaged or no safetensors file; fetch or save it again.",
    ),
    (
        save_without_the_library,
        b"",
        "safetensors: {path} takes the package safetensors; pip install 'embedding-columns[safetensors]'.",
    ),
    (tsv.load, b"key\tcount\nMon\t3\n", NO_TSV),
    (tsv.shape, b"\xff\tv0\n", NO_TSV),
    (tsv.load, b"key\tv0\nMon\t3", "tsv: {path} is damaged (it ends inside a line); fetch or save it again."),
    (tsv.load, b"key\tv0\n\xff\t3\n", "tsv: {path} is damaged (a text is no UTF-8); fetch or save it again."),
    (tsv.load, b"key\tv0\nMon\n", OTHER_ROW),
    (tsv.load, b"key\tv0\nMon\tx\n", OTHER_ROW),
    (hdf5.shapes, b"no such format", "hdf5: {path} is damaged or no HDF5 file; fetch or save it again."),
    (
        lambda path: hdf5.read(hdf5_file(Path(path).parent), "a/c"),
        b"",
        "hdf5: {path}.h5 has no data set 'a/c'; did you mean 'a/b'?",
    ),
]


@pytest.mark.parametrize(("read", "content", "sentence"), DAMAGES, ids=[case[2][:60] for case in DAMAGES])
def test_a_file_of_vectors_that_cannot_be_read_is_refused_in_one_sentence(
    read: Callable[[str], Any], content: bytes, sentence: str, tmp_path: Path
) -> None:
    path = kept(tmp_path, content)
    with pytest.raises(Refusal) as refusal:
        read(path)
    assert str(refusal.value) == sentence.format(path=path)


def test_a_dtype_that_numpy_has_no_name_for_is_listed_under_the_file_s(tmp_path: Path) -> None:
    assert tensors.shapes(kept(tmp_path, FOUR_BITS)) == {"t": ((2, 2), "F4")}


OF_LABELS = ("write", "_rows", "column", "_check_width")
OF_IMAGES = ("idx.py", "sprites.py")


def test_every_refusal_of_the_readers_of_vectors_is_among_those_tested(tmp_path: Path) -> None:
    above = Path(formats.__file__).parent
    sites = {
        (str(path.relative_to(above)), node.lineno)
        for path in above.rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef) and not (path.name == "tsv.py" and function.name in OF_LABELS)
        for node in ast.walk(function)
        if isinstance(node, ast.Raise) and "Refusal" in ast.unparse(node) and path.name not in OF_IMAGES
        if function.name != "local"  # which gives what is refused the file's own name
    }
    told = set()
    for read, content, _ in DAMAGES:
        with pytest.raises(Refusal) as refusal:
            read(kept(tmp_path, content))
        last = refusal.traceback[-1]
        told.add((str(Path(last.path).relative_to(above)), last.lineno + 1))
    assert sites == told


# Vectors by key, saved and loaded in every format

SAVERS: dict[str, Any] = {
    "npz": npz,
    "parquet": parquet,
    "safetensors": tensors,
    "tsv": tsv,
    "word2vec.binary": word2vec.binary,
    "word2vec.text": word2vec.text,
}
WITHOUT_FIELDS = ("word2vec.binary", "word2vec.text")
AS_TEXT = ("tsv", "word2vec.text")
EVERY = pytest.mark.parametrize("name", SAVERS)


def test_every_format_that_saves_vectors_is_in_these_tests_and_has_an_ending() -> None:
    modules = {
        found.name.removeprefix("trainer.formats."): importlib.import_module(found.name)
        for found in pkgutil.walk_packages(formats.__path__, "trainer.formats.")
    }
    assert {name: module for name, module in modules.items() if hasattr(module, "save")} == SAVERS
    assert set(map(id, formats.endings().values())) == set(map(id, SAVERS.values()))


def test_every_format_is_used_alike() -> None:
    assert {inspect.signature(module.save) for module in SAVERS.values()} == {inspect.signature(formats.save)}
    loads = [module.load for module in (npz, parquet, tensors, tsv, word2vec)]
    assert {inspect.signature(load).parameters["path"] for load in loads} == {
        inspect.signature(formats.load).parameters["path"]
    }


Rows = tuple[list[str], Array, dict[str, list[str]]]
WILD = (
    ANY_TEXT | st.text(st.sampled_from("\\_ u0d8\t\n\ud800\udc00\x00v1")) | st.sampled_from(["", "key", "vector", "v0"])
)


@st.composite
def wild_rows(draw: st.DrawFn) -> Rows:
    """Keys, fields and names of fields of any letters, and any 32 bits as numbers."""
    count, dimension = draw(st.integers(0, 5)), draw(st.integers(1, 4))
    column = st.lists(WILD, min_size=count, max_size=count)
    bits = draw(st.lists(st.integers(0, 2**32 - 1), min_size=count * dimension, max_size=count * dimension))
    values = np.array(bits, np.uint32).view(np.float32).reshape(count, dimension)
    return draw(column), values, draw(st.dictionaries(WILD, column, max_size=3))


def check_equal(name: str, found: formats.Vectors, rows: Rows) -> None:
    keys, values, fields = rows
    assert found.keys == keys
    assert found.fields == ({} if name in WITHOUT_FIELDS else fields)
    assert list(found.fields) == ([] if name in WITHOUT_FIELDS else list(fields))
    assert found.values.dtype == np.float32
    assert found.values.shape == values.shape
    if name in AS_TEXT:  # where one NaN is as another
        values = np.where(np.isnan(values), np.float32(np.nan), values)
        found = formats.Vectors(keys, np.where(np.isnan(found.values), np.float32(np.nan), found.values))
    assert found.values.tobytes() == values.tobytes()


@EVERY
@given(rows=wild_rows())
def test_any_keys_fields_and_numbers_come_back(name: str, tmp_path_factory: pytest.TempPathFactory, rows: Rows) -> None:
    path = str(tmp_path_factory.getbasetemp() / "rows")
    SAVERS[name].save(path, *rows)
    check_equal(name, formats.load(path), rows)


MANY = [f"user {number} é" for number in range(40_000)]


def rows_of_many() -> Rows:
    values = np.random.default_rng(0).normal(size=(len(MANY), 3)).astype(np.float32)
    return MANY, values, {"kind": ["work", "weekend"] * (len(MANY) // 2)}


@EVERY
def test_more_rows_than_are_written_at_once_come_back(name: str, tmp_path: Path) -> None:
    rows, path = rows_of_many(), str(tmp_path / "rows")
    with mock.patch.object(formats.texts, "_NUMBERS", 1000), mock.patch.object(word2vec.binary, "_BYTES", 5000):
        SAVERS[name].save(path, *rows)
    with mock.patch.object(word2vec.form, "BLOCK", 9000):
        check_equal(name, formats.load(path), rows)


@EVERY
@pytest.mark.parametrize("dtype", ["float16", "float64", ">f4", "bfloat16"])
def test_other_floats_are_kept_as_float32(name: str, dtype: str, tmp_path: Path) -> None:
    values = np.asfortranarray(VECTORS).astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    SAVERS[name].save(str(tmp_path / "rows"), KEYS, values)
    check_equal(name, formats.load(str(tmp_path / "rows")), (KEYS, values.astype(np.float32), {}))


@EVERY
def test_vectors_are_saved_to_and_loaded_from_a_remote_folder(name: str) -> None:
    import tensorflow as tf

    suffix = SAVERS[name].SUFFIXES[0]
    path = f"ram://{name}/vectors{suffix}"
    tf.io.gfile.makedirs(f"ram://{name}")
    fields = {"kind": KEYS}
    formats.save(path, KEYS, VECTORS, fields)
    check_equal(name, formats.load(path), (KEYS, VECTORS, fields))
    load = getattr(SAVERS[name], "load", word2vec.load)
    check_equal(name, load(path), (KEYS, VECTORS, fields))
    with pytest.raises(OSError, match="nowhere"):
        load(f"ram://{name}/nowhere{suffix}")
    with tf.io.gfile.GFile(path, "rb") as file:
        content = file.read()
    with tf.io.gfile.GFile(f"ram://{name}/cut{suffix}", "wb") as file:
        file.write(content[:-20])
    with pytest.raises(Refusal, match=rf"^\w+: [^/]*ram://{name}/cut{suffix} [^/]*[.]$"):
        load(f"ram://{name}/cut{suffix}")


@EVERY
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_file_that_is_cut_off_is_refused_in_a_sentence(name: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / "rows"
    SAVERS[name].save(str(path), *rows_of_many())
    content = path.read_bytes()[: int(share * path.stat().st_size)]
    path.write_bytes(content.rstrip(b"\n"))
    for load in (formats.load, getattr(SAVERS[name], "load", word2vec.load)):
        with pytest.raises(Refusal, match=rf"^\w+: [^\n]*{path}[^\n]*[.]$"):
            load(str(path))


@EVERY
@settings(derandomize=True, max_examples=150)
@given(place=st.integers(0, 1 << 16), byte=st.integers(0, 255), end=st.integers(0, 1 << 16))
def test_a_file_with_other_bytes_in_it_is_read_or_refused(
    name: str, tmp_path_factory: pytest.TempPathFactory, place: int, byte: int, end: int
) -> None:
    path = tmp_path_factory.getbasetemp() / f"{name}.damaged"
    SAVERS[name].save(str(path), KEYS, VECTORS, {"kind": KEYS})
    content = bytearray(path.read_bytes())
    content[place % len(content)] = byte
    path.write_bytes(content[: len(content) - end % 8 // 7])
    for load in (formats.load, getattr(SAVERS[name], "load", word2vec.load)):
        try:
            found = load(str(path))
        except Refusal:
            continue
        assert len(found.keys) == len(found.values)


@EVERY
def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(name: str, tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_text("old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"(?i)file too large"):
            SAVERS[name].save(str(path), *rows_of_many())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["rows"]


@given(rows_of(WORD.filter(lambda key: not set(key) & set(" "))))
def test_a_word2vec_file_without_escapes_is_as_gensim_s(
    tmp_path_factory: pytest.TempPathFactory, rows: tuple[list[str], Array]
) -> None:
    path = tmp_path_factory.getbasetemp() / "gensim.bin"
    word2vec.binary.save(str(path), *rows)
    assert path.read_bytes() == gensim_binary(*rows)


def test_keys_that_word2vec_cannot_hold_are_escaped_as_its_page_says(tmp_path: Path) -> None:
    keys = ["Tue 08", "day_hour", "C:\\new", "a\tb\r\n", "\x07", "\ud800", "東"]
    path = tmp_path / "rows"
    word2vec.text.save(str(path), keys, np.ones((7, 2)))
    wanted = ["Tue_08", r"day\_hour", r"C:\\new", r"a\tb\r\n", r"\u0007", r"\ud800", "東"]
    assert path.read_text() == "".join(f"{line}\n" for line in ["07 2", *(f"{key} 1 1" for key in wanted)])
    word2vec.text.save(str(path), ["day_hour", "C:\\new"], np.ones((2, 2)))
    assert path.read_text() == "2 2\nday_hour 1 1\nC:\\new 1 1\n"


def test_a_binary_file_that_looks_like_text_is_read_as_what_it_is(tmp_path: Path) -> None:
    values = np.frombuffer(b"1111", "<f4").reshape(1, 1)
    word2vec.binary.save(str(tmp_path / "rows"), ["a"], values)
    assert (tmp_path / "rows").read_bytes() == b"1 01\na 1111"
    check_equal("word2vec.binary", formats.load(str(tmp_path / "rows")), (["a"], values, {}))


FIELDS = {"kind": ["work", "work", "é", "", "x"], "key": KEYS}


def test_what_is_saved_as_npz_is_found_by_numpy(tmp_path: Path) -> None:
    npz.save(str(tmp_path / "a.npz"), KEYS, VECTORS, FIELDS)
    with np.load(tmp_path / "a.npz") as found:
        assert found["keys"].tolist() == KEYS
        np.testing.assert_array_equal(found["vectors"], VECTORS)
        assert found["fields"].tolist() == ["kind", "key"]
        assert found["field_0"].tolist() == FIELDS["kind"]


def test_one_key_that_is_far_longer_than_others_does_not_widen_them_all(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    keys = ["a" * 100_000, *map(str, range(2000))]
    npz.save(str(path), keys, np.ones((2001, 1)))
    assert path.stat().st_size < 200_000
    assert npz.load(str(path)).keys == keys


def test_what_is_saved_as_parquet_is_read_by_any_reader(tmp_path: Path) -> None:
    path = str(tmp_path / "a.parquet")
    parquet.save(path, KEYS, VECTORS, FIELDS)
    found = pq.read_table(path)
    assert found.column_names == ["key", "kind", "key_", "vector"]
    assert found.schema.field("vector").type == pa.list_(pa.field("element", pa.float32(), nullable=False), 3)
    assert found["key"].to_pylist() == KEYS
    np.testing.assert_array_equal(np.array(found["vector"].to_pylist(), np.float32), VECTORS)


@pytest.mark.parametrize("name", ["npz", "parquet"])
def test_one_number_that_another_was_written_over_is_found(name: str, tmp_path: Path) -> None:
    path = tmp_path / "rows"
    SAVERS[name].save(str(path), KEYS, VECTORS, FIELDS)
    content, number = path.read_bytes(), VECTORS[2].tobytes()
    assert content.count(number) == 1
    path.write_bytes(content.replace(number, (VECTORS[2] + 1).tobytes()))
    with pytest.raises(Refusal, match=rf"^{name}: {path} is damaged[^\n]*[.]$"):
        SAVERS[name].load(str(path))


def test_the_numbers_of_parquet_that_was_saved_here_are_taken_as_they_lie(tmp_path: Path) -> None:
    path = str(tmp_path / "a.parquet")
    rows = rows_of_many()
    parquet.save(path, *rows)
    with mock.patch.object(pq.ParquetFile, "iter_batches", side_effect=AssertionError):
        check_equal("parquet", parquet.load(path), rows)


PAGES: list[dict[str, Any]] = [
    {},
    {"compression": "zstd"},
    {"data_page_size": 20, "write_batch_size": 2},
    {"data_page_version": "2.0"},
    {"write_page_checksum": True},
    {"write_page_checksum": True, "data_page_version": "2.0"},
    {"row_group_size": 2},
    {"use_dictionary": True},
    {"use_byte_stream_split": ["vector.list.element"]},
]


@pytest.mark.parametrize("options", PAGES, ids=map(str, PAGES))
def test_parquet_is_read_rightly_however_pyarrow_writes_its_pages(options: dict[str, Any], tmp_path: Path) -> None:
    path = str(tmp_path / "a.parquet")
    values = np.repeat(VECTORS, 20, 1)
    parquet.save(path, KEYS, values, FIELDS)
    pq.write_table(pq.read_table(path), path, **{"compression": "none", "use_dictionary": False, **options})
    check_equal("parquet", parquet.load(path), (KEYS, values, FIELDS))


@pytest.mark.parametrize("of", [pa.float16(), pa.float32(), pa.float64()])
@pytest.mark.parametrize("size", [-1, 3])
def test_parquet_of_other_programs_is_read_in_its_own_dtype(of: Any, size: int, tmp_path: Path) -> None:
    path = str(tmp_path / "a.parquet")
    vectors = pa.array(list(VECTORS.astype(of.to_pandas_dtype())), pa.list_(of, size))
    pq.write_table(pa.table({"id": [7, 8, 9, 10, 11], "emb": vectors}), path)
    assert parquet.shapes(path) == {"emb": ((5, 3), str(np.dtype(of.to_pandas_dtype())))}
    assert parquet.keys(path) == ["7", "8", "9", "10", "11"]
    np.testing.assert_array_equal(parquet.read(path, "emb"), VECTORS.astype(of.to_pandas_dtype()))


def test_what_is_saved_as_safetensors_is_found_by_its_library(tmp_path: Path) -> None:
    path = str(tmp_path / "a.safetensors")
    tensors.save(path, KEYS, VECTORS, FIELDS)
    found = safetensors.numpy.load_file(path)
    np.testing.assert_array_equal(found["vectors"], VECTORS)
    ends = found["keys.ends"].tolist()
    content = found["keys.bytes"].tobytes()
    assert [content[start:end].decode() for start, end in zip([0, *ends], ends, strict=False)] == KEYS


def test_what_is_saved_as_tsv_is_read_by_any_reader_of_tables(tmp_path: Path) -> None:
    tsv.save(str(tmp_path / "a.tsv"), KEYS, VECTORS, FIELDS)
    with open(tmp_path / "a.tsv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    assert header == ["key", "kind", "key", "v0", "v1", "v2"]
    assert [row[0] for row in rows] == KEYS
    np.testing.assert_array_equal(np.array([row[3:] for row in rows], np.float32), VECTORS)


@given(st.lists(st.text(), min_size=1))
def test_a_column_of_tab_separated_text_is_read_alone(fields: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "labels.tsv"))
        tsv.write(path, ["a\tb", "label"], [(field, "x") for field in fields])
        column = tsv.column(path, "a\tb").to_pylist()
    assert [field.decode("utf-8", "surrogatepass") for field in column] == fields


def test_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    tsv.write(str(tmp_path / "labels.tsv"), ["label"], [["Mon"]])
    with pytest.raises(Refusal) as refused:
        tsv.column(str(tmp_path / "labels.tsv"), "day")
    assert re.fullmatch(
        f"tsv: column 'day' of {tmp_path}/labels.tsv cannot be read \\(.*'day'.*\\); copy the whole folder.",
        str(refused.value),
    )


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # of Keras
def test_the_names_of_layers_are_read_beside_their_weights(tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((1,), dtype="int32"), keras.layers.Embedding(4, 2, name="colours")])
    model.save_weights(tmp_path / "model.weights.h5")
    assert hdf5.names(str(tmp_path / "model.weights.h5"))["layers/embedding/vars"] == "colours"


def test_the_names_of_embeddings_are_those_of_their_paths_where_keras_2_wrote_them(tmp_path: Path) -> None:
    import tf_keras

    def part(own: str) -> Any:
        return tf_keras.Sequential([tf_keras.layers.Embedding(4, 2, input_length=1, name=own)], f"part_{own}")

    given = tf_keras.Input((1,), name="colour")
    tables = [part("colours")(given), part("hues")(given), tf_keras.layers.Embedding(4, 2, name="hues")(given)]
    tf_keras.Model(given, tables).save_weights(tmp_path / "model.h5")
    found = hdf5.names(str(tmp_path / "model.h5"))
    assert found == {"part_colours/colours": "colours"}  # two are called hues
    assert "part_colours/colours/embeddings:0" in hdf5.shapes(str(tmp_path / "model.h5"))


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file:UserWarning")  # which is meant
def test_the_name_of_an_embedding_is_found_beside_what_its_optimizer_keeps(tmp_path: Path) -> None:
    import tf_keras

    table = tf_keras.layers.Embedding(4, 2, input_length=1, name="dayhr_embed")
    model = tf_keras.Sequential([table, tf_keras.layers.Flatten(), tf_keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(np.zeros((1, 1)), np.zeros((1, 1)), verbose=0)
    model.save(tmp_path / "model.h5")
    slots = [name for name in hdf5.shapes(str(tmp_path / "model.h5")) if name.startswith("optimizer_weights/Adam/")]
    assert sum(name.endswith("dayhr_embed/embeddings:0") for name in slots) == 2
    assert hdf5.names(str(tmp_path / "model.h5")) == {"model_weights/dayhr_embed/dayhr_embed": "dayhr_embed"}


@pytest.mark.parametrize("name", ["embeddings", b"embeddings:0"])
def test_a_weight_without_a_layer_before_it_is_that_of_its_group(name: str | bytes, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.create_group("colours").attrs["weight_names"] = [name]
    assert hdf5.names(str(tmp_path / "model.h5")) == {"colours": "colours"}


# Pictures in a sprite.


@given(st.integers(1, 12), st.integers(1, 4), st.integers(1, 4), st.sampled_from([(), (3,)]), st.integers(0, 9))
@settings(derandomize=True, max_examples=40)
def test_pictures_come_back_from_a_sprite(
    count: int, height: int, width: int, colours: tuple[int, ...], seed: int
) -> None:
    pictures = np.random.default_rng(seed).integers(0, 256, (count, height, width, *colours)).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        sprites.write(f"{folder}/a.png", pictures)
        np.testing.assert_array_equal(sprites.read(f"{folder}/a.png", count, height, width), pictures)


def test_a_sprite_is_a_grid_of_rows(tmp_path: Path) -> None:
    import tensorflow as tf

    sprites.write(f"{tmp_path}/a.png", np.arange(1, 6, dtype=np.uint8).reshape(5, 1, 1) * np.ones((1, 2, 1), np.uint8))
    image = tf.io.decode_png((tmp_path / "a.png").read_bytes()).numpy()[..., 0]
    assert image.tolist() == [[1, 2, 3], [1, 2, 3], [4, 5, 0], [4, 5, 0]]


@pytest.mark.parametrize("count", [*range(1, 40), 9999, 10_000, 10_001])
def test_a_grid_is_as_wide_as_the_root_and_has_no_row_too_many(count: int) -> None:
    down, across = sprites.grid(count)
    assert (across - 1) ** 2 < count <= across**2
    assert (down - 1) * across < count <= down * across


def test_pictures_that_fit_stay_as_they_are() -> None:
    pictures = np.zeros((4, 4096, 4096), np.uint8)
    assert sprites.fitted(pictures) is pictures
    assert sprites.fitted(np.zeros((4, 4097, 100), np.uint8)).shape == (4, 4096, 99)


@pytest.mark.parametrize("most", [16, 10, 6, 2])
@pytest.mark.parametrize("block", [1, 700, 10_000])
def test_pictures_are_shrunk_to_the_averages_of_areas(most: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against TensorFlow's own average of areas, which works in single precision too."""
    import tensorflow as tf

    monkeypatch.setattr(sprites, "MOST_PIXELS", most)
    monkeypatch.setattr(sprites, "_BLOCK", block)
    pictures = np.random.default_rng(0).integers(0, 256, (4, 9, 12, 3)).astype(np.uint8)
    found = sprites.fitted(pictures)
    scale = most // 2 / 12
    assert found.shape == (4, max(1, int(9 * scale)), most // 2, 3)
    theirs = tf.image.resize(pictures, found.shape[1:3], method="area").numpy()
    assert np.abs(found - theirs).max() <= 0.51
    np.testing.assert_array_equal(sprites.fitted(pictures[..., 0]), found[..., 0])


def test_some_pictures_of_a_sprite_are_as_small_as_all_would_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sprites, "MOST_PIXELS", 12)
    pictures = np.random.default_rng(0).integers(0, 256, (4, 9, 12, 3)).astype(np.uint8)
    whole = np.concatenate([pictures, np.zeros((6, 9, 12, 3), np.uint8)])
    found = sprites.fitted(pictures, 10)
    assert found.shape == (4, 2, 3, 3)
    np.testing.assert_array_equal(found, sprites.fitted(whole)[:4])
    with pytest.raises(Refusal) as refused:
        sprites.fitted(pictures, 145)
    assert str(refused.value) == "sprites: 145 pictures are more than the 144 pixels of a sprite; leave some out."


def test_large_pictures_are_shrunk_in_blocks_of_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sprites, "MOST_PIXELS", 512)
    monkeypatch.setattr(sprites, "_BLOCK", 1 << 18)
    pictures = np.full((128, 100, 150, 3), 9, np.uint8)
    tracemalloc.start()
    found = sprites.fitted(pictures)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.shape == (128, 28, 42, 3)
    assert (found == 9).all()
    assert peak < found.nbytes + 3 * 4 * sprites._BLOCK


def test_a_sprite_that_would_be_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        sprites.write(f"{tmp_path}/a.png", np.zeros((5, 4097, 8), np.uint8))
    assert str(refused.value) == (
        "sprites: 5 pictures of 4097 × 8 make a sprite of 8,194 × 24 pixels, over 8,192; give sprites.fitted(pictures)."
    )
    with pytest.raises(Refusal) as refused:
        sprites.fitted(np.broadcast_to(np.uint8(0), (8192**2 + 1, 1, 1)))
    assert str(refused.value) == (
        "sprites: 67,108,865 pictures are more than the 67,108,864 pixels of a sprite; leave some out."
    )


def test_a_sprite_of_other_pictures_or_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    sprites.write(str(path), np.zeros((5, 2, 3), np.uint8))
    whole = path.read_bytes()
    for content, size in ((whole, (5, 3, 2)), (whole, (7, 2, 3)), (whole[:40], (5, 2, 3)), (b"GIF", (5, 2, 3))):
        path.write_bytes(content)
        with pytest.raises(Refusal) as refused:
            sprites.read(str(path), *size)
        assert str(refused.value) == (
            f"sprites: {path} is no PNG image of {size[0]} pictures of {size[1]} × {size[2]} pixels; copy the whole "
            "folder."
        )
    with pytest.raises(OSError, match="nowhere"):
        sprites.read(str(tmp_path / "nowhere.png"), 1, 1, 1)
