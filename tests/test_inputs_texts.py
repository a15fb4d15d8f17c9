"""Running text as rows: every word once and in order, in passages that are the same however the file is read."""

import bz2
import gzip
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trainer.encoding.coded import decoded
from trainer.errors import Refusal
from trainer.inputs import streams, texts
from trainer.inputs.bad_rows import BadRows
from trainer.inputs.features import Reading
from trainer.inputs.files import Progress, Rows, State, opened
from trainer.inputs.shard import Shard
from trainer.inputs.tensors import tensors_of
from trainer.inputs.texts import TextFile
from trainer.inputs.values import Wanted
from trainer.rows import CsvFormat, Limit, TextFormat

EXAMPLES = 300 if os.environ.get("CI") else 200
"""How many texts hypothesis writes."""

PIECES = ["a", "bc", "seven", "né", "東京", "😀", "\0", " ", " ", "\t", "\f"]
PIECES += ["\n", "\n", "\n\n", "\r\n", "\r\n\r\n", "\r"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=60).map("".join).map(str.encode)
WANTED = {"text": Wanted("string")}


def rows(path: Path, how: TextFormat, shard: Shard | None = None, limit: Limit | None = None) -> list[bytes]:
    """The rows of a file, as its readers get them."""
    made = Rows([State.of(str(path))], Reading(WANTED, texts=how), BadRows(limit), shard=shard or Shard())
    return [text for part in made for text in decoded(tensors_of(part, WANTED)["text"]).numpy().reshape(-1).tolist()]


def passages(data: bytes, how: TextFormat, block: int = texts.BLOCK, word: int = texts.WORD) -> list[bytes]:
    """The rows of bytes, read in blocks of a size."""
    with mock.patch.object(texts, "BLOCK", block), mock.patch.object(texts, "WORD", word):
        file = TextFile("a.txt", how)
        with mock.patch.object(streams, "Stream", return_value=pa.BufferReader(data)):
            pieces = list(file.pieces(["text"]))
        return [row.encode() for piece in pieces for row in file.part(piece, ["text"]).columns["text"].to_pylist()]


@settings(max_examples=EXAMPLES)
@given(data=TEXTS, characters=st.integers(1, 40), block=st.sampled_from([1, 3, 16, 1000]))
@example(data=b"a\r\nb", characters=2, block=1)
@example(data=b"ab\n\n", characters=1, block=1)
def test_passages_have_the_words_of_a_text_in_their_order_however_it_is_read(
    data: bytes, characters: int, block: int
) -> None:
    found = passages(data, TextFormat(characters=characters), block)
    assert b" ".join(found).split() == data.split()
    assert found == passages(data, TextFormat(characters=characters)) == [row.strip() for row in found if row.strip()]
    longest = max(map(len, data.decode().split()), default=0)
    assert all(len(row.decode()) <= max(characters, longest) for row in found)


@settings(max_examples=EXAMPLES)
@given(data=TEXTS, block=st.sampled_from([1, 7, 1000]))
def test_lines_are_rows_of_their_own(data: bytes, block: int) -> None:
    wanted = [line.strip() for line in data.splitlines() if line.strip()]
    assert passages(data, TextFormat(lines=True), block) == wanted


@settings(max_examples=EXAMPLES)
@given(data=TEXTS, word=st.integers(1, 5), characters=st.integers(1, 8), block=st.sampled_from([1, 1000]))
def test_no_letter_is_lost_where_long_words_are_cut(data: bytes, word: int, characters: int, block: int) -> None:
    found = passages(data, TextFormat(characters=characters), block, word)
    assert b"".join(b"".join(found).split()) == b"".join(data.split())
    assert all(len(row.decode()) <= max(characters, word) for row in found)


def test_a_passage_ends_with_a_blank_line_else_a_line_else_a_word_in_its_second_half() -> None:
    how = TextFormat(characters=20)
    assert passages(b"one two\n\nthree four\n\nfive six\nseven", how) == [b"one two\n\nthree four", b"five six\nseven"]
    assert passages(b"one two three\nfour five six seven", how) == [b"one two three", b"four five six seven"]
    assert passages(b"one\n\ntwo three four five six", how) == [b"one\n\ntwo three four", b"five six"]
    assert passages("東京 大阪 名古屋 札幌 福岡 神戸 京都".encode(), TextFormat(characters=8)) == [
        "東京 大阪".encode(),
        "名古屋 札幌".encode(),
        "福岡 神戸 京都".encode(),
    ]


def test_a_word_is_cut_only_where_it_is_longer_than_a_word_may_be() -> None:
    how = TextFormat(characters=4)
    assert passages(b"a bbbbbbbb c", how, word=8) == [b"a", b"bbbbbbbb", b"c"]
    assert passages(b"a bbbbbbbbb c", how, word=8) == [b"a", b"bbbbbbbb", b"b c"]
    assert passages("éééééé".encode(), how, word=1) == ["éééé".encode(), "éé".encode()]


@pytest.mark.parametrize(
    ("ending", "compress"),
    [
        (".txt", bytes),
        ("", bytes),
        (".md", bytes),
        (".txt.gz", gzip.compress),
        (".txt.bz2", bz2.compress),
        (".zst", lambda data: pa.compress(data, "zstd", asbytes=True)),
    ],
)
def test_a_file_of_no_other_kind_is_text_plain_or_compressed(
    tmp_path: Path, ending: str, compress: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"novel{ending}"
    path.write_bytes(compress(b"\xef\xbb\xbfThe days are long.\r\n\r\nThe nights, too; and \xc3\xa9.\r\n"))
    assert rows(path, TextFormat(characters=24)) == [b"The days are long.", "The nights, too; and é.".encode()]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "text,late\na b,1\nc,0\n"),
        ("a.tsv", "text\tlate\na b\t1\nc\t0\n"),
        ("a.jsonl", '{"text": "a b"}\n{"text": "c"}\n'),
    ],
)
def test_a_file_of_a_known_kind_is_what_its_name_says(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert rows(path, TextFormat()) == [b"a b", b"c"]


def test_without_a_form_of_texts_any_other_file_is_csv(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("text\na b\n", encoding="utf-8")
    assert type(opened(str(path), Reading(WANTED, csv=CsvFormat()))).__name__ == "CsvFile"
    assert type(opened(str(path), Reading(WANTED, texts=TextFormat()))).__name__ == "TextFile"


def test_an_empty_file_among_others_has_no_rows(tmp_path: Path) -> None:
    for name, content in (("a.txt", ""), ("b.txt", " \n\n\t\n"), ("c.txt", "word")):
        (tmp_path / name).write_text(content, encoding="utf-8")
    states = [State.of(str(tmp_path / name)) for name in ("a.txt", "b.txt", "c.txt")]
    progress = Progress()
    parts = list(Rows(states, Reading(WANTED, texts=TextFormat()), progress=progress))
    assert [decoded(tensors_of(part, WANTED)["text"]).numpy().tolist() for part in parts] == [[b"word"]]
    assert (progress.rows_done, progress.bytes_done) == (1, 9)


BAD = [
    (TextFormat(lines=True), 3, [b"one", b"two", b"four", b"five", b"six"]),
    (TextFormat(characters=10), 3, [b"one\n\ntwo", b"five\nsix"]),
]


@pytest.mark.parametrize(("how", "line", "left"), BAD)
def test_what_is_no_utf8_is_a_bad_row_with_its_line(
    tmp_path: Path, how: TextFormat, line: int, left: Sequence[bytes]
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\n\ntwo\n \xe9\nfour\r\nfive\nsix")
    with pytest.raises(Refusal) as refusal:
        rows(path, how)
    assert str(refusal.value) == (
        f"{path}: line {line + 1} is not UTF-8, and UTF-8 is wanted; correct it, or set such rows aside with "
        "--max-bad-rows."
    )
    assert rows(path, how, limit=Limit(1)) == left


def test_workers_have_each_row_once(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("".join(f"word{number} " for number in range(2000)), encoding="utf-8")
    how = TextFormat(characters=200)
    with mock.patch.object(texts, "BLOCK", 1000):
        parts = [rows(path, how, Shard(count=3, index=index)) for index in range(3)]
        whole = rows(path, how)
    assert sorted(row for part in parts for row in part) == sorted(whole)
    assert all(parts)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"word " * 1000)[:-20])
    with pytest.raises(Refusal, match=r"a\.txt\.gz: it cannot be read as text \("):
        rows(path, TextFormat())


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: TextFormat(characters=0), "TextFormat: characters is a whole number of at least 1, not 0."),
        (lambda: TextFormat(""), "TextFormat: feature is the name of the feature that has the text, not ''."),
    ],
)
def test_a_form_that_is_none_is_refused(make: Callable[[], TextFormat], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        make()
    assert str(refusal.value) == sentence
