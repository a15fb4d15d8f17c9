"""Formats that tables, labels and vectors are kept in."""

import ast
import gzip
import io
import json
import pickle
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import h5py  # type: ignore[import-untyped]  # it comes without types
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer import formats
from trainer.errors import Refusal
from trainer.formats import hdf5, npz, sprites, tsv, word2vec
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


@settings(deadline=None)
@given(TABLES)
def test_any_rows_come_back_from_a_file(
    tmp_path_factory: pytest.TempPathFactory, table: tuple[list[str], list[list[str]]]
) -> None:
    header, rows = table
    path = str(tmp_path_factory.mktemp("tsv") / "labels.tsv")
    tsv.write(path, header, rows)
    assert tsv.read(path) == (header, rows)


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


@settings(deadline=None)
@given(rows_of(KEY))
def test_any_key_without_a_line_feed_comes_back_from_text(
    tmp_path_factory: pytest.TempPathFactory, rows: tuple[list[str], Array]
) -> None:
    path = kept(tmp_path_factory.mktemp("vectors"), gensim_text(*rows))
    keys, vectors = word2vec.read(path)
    assert keys == rows[0]
    np.testing.assert_array_equal(vectors, rows[1])


@settings(deadline=None)
@given(rows_of(st.text(st.sampled_from("ab 東ß\xa0\x85\u2028.\t-"), max_size=5)))
def test_any_key_that_ends_in_no_number_comes_back_from_text_without_a_header(
    tmp_path_factory: pytest.TempPathFactory, rows: tuple[list[str], Array]
) -> None:
    path = kept(tmp_path_factory.mktemp("vectors"), gensim_text(*rows).partition(b"\n")[2])
    keys, vectors = word2vec.read(path)
    assert keys == rows[0]
    np.testing.assert_array_equal(vectors, rows[1])
    assert word2vec.shape(path) == vectors.shape


@settings(deadline=None)
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
    monkeypatch.setattr(word2vec, "_BLOCK", 7)
    keys, vectors = word2vec.read(path)
    assert keys == whole[0]
    np.testing.assert_array_equal(vectors, whole[1])
    assert word2vec.shape(path) == shape == VECTORS.shape


def test_only_the_head_of_a_large_file_says_what_form_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word2vec, "_HEAD", 40)
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
READERS += [npz.shapes, npz.read, tensors.shapes, hdf5.shapes]


@pytest.mark.parametrize("read", READERS)
def test_a_file_that_is_not_there_is_an_error_of_the_operating_system(
    read: Callable[[str], Any], tmp_path: Path
) -> None:
    with pytest.raises(OSError, match="No such file"):
        read(str(tmp_path / "nowhere"))


def test_reading_vectors_does_not_import_tensorflow() -> None:
    names = ", ".join(f"trainer.formats.{name}" for name in ("word2vec", "npz", "safetensors", "hdf5"))
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
        gzip.compress(b"1 2\na 1 2\n")[:-4],
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
        "safetensors: reading {path} takes the package safetensors; pip install 'embedding-columns[safetensors]'.",
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


def test_every_refusal_of_the_readers_of_vectors_is_among_those_tested(tmp_path: Path) -> None:
    sites = {
        (path.name, node.lineno)
        for path in Path(formats.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Raise) and "Refusal" in ast.unparse(node) and path.name not in ("tsv.py", "sprites.py")
    }
    told = set()
    for read, content, _ in DAMAGES:
        with pytest.raises(Refusal) as refusal:
            read(kept(tmp_path, content))
        last = refusal.traceback[-1]
        told.add((Path(last.path).name, last.lineno + 1))
    assert sites == told


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


# Pictures in a sprite.


@given(st.integers(1, 12), st.integers(1, 4), st.integers(1, 4), st.sampled_from([(), (3,)]), st.integers(0, 9))
@settings(derandomize=True, deadline=None, max_examples=40)
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
@pytest.mark.parametrize("block", [2, 100])
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
