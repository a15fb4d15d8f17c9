"""Formats that tables and labels are kept in."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.errors import Refusal
from trainer.formats import tsv

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
