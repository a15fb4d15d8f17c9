"""CSV of any bytes: what Python's own reader reads, or a bad row that is counted."""

import csv
import io
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trainer import feature_column as fc
from trainer.errors import Refusal
from trainer.inputs import blocks
from trainer.inputs.bad_rows import BadRows
from trainer.inputs.blocks import Block, Dialect
from trainer.inputs.features import Reading
from trainer.inputs.files import Rows, State
from trainer.inputs.values import Wanted
from trainer.inputs.wanted import features_wanted
from trainer.problem import CsvFormat, Problem
from trainer.rows import Limit

EXAMPLES = 300 if os.environ.get("CI") else 200
"""How many files hypothesis writes."""

ANY = Limit(10**9)
PIECES = ["a", "bc", "7", "-1", "1.5", '"', '""', '"x"', ",", ",", ";", "\n", "\n", "\r\n", "\r", "é", " ", "\0"]
TEXTS = st.lists(st.sampled_from([*PIECES, '"a,b"', ',"y\nz",', '"q""q"']), max_size=30).map("".join)


def by_python(text: str, **how: Any) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text, newline=""), **how) if row]


def in_blocks(data: bytes, dialect: Dialect, size: int) -> list[Block]:
    """The blocks of a text, those with bytes read row by row too."""
    found = []
    for block in blocks.Rows(io.BytesIO(data), dialect, size):
        if block.data is not None:
            read = blocks.Rows(io.BytesIO(block.data), dialect, line=block.line).one_by_one()
            assert (read.bad, block.count) == ([], blocks.lines_in(block.data))
            block = read
        found.append(block)
    return found


@settings(max_examples=EXAMPLES)
@given(text=TEXTS, size=st.sampled_from([1, 3, 7, 20, 1000]), spaces=st.booleans())
@example(text='a"b\nc,"d\n', size=1, spaces=False)
@example(text='"a\r\nb"\r\n"c"', size=3, spaces=False)
def test_blocks_have_the_rows_that_python_reads_wherever_they_are_cut(text: str, size: int, spaces: bool) -> None:
    found = in_blocks(text.encode(), Dialect(",", spaces), size)
    if not any(block.bad for block in found):
        assert [row for block in found for row in block.rows] == by_python(text, skipinitialspace=spaces)
    lines = [line for block in found for line in block.lines] + [line for block in found for line, _ in block.bad]
    assert len(set(lines)) == len(lines)
    assert all(1 <= line <= blocks.lines_in(text.encode()) for line in lines)


def test_the_lines_of_rows_are_those_of_the_text() -> None:
    text = b'a\n\n"b\nc"\r\nd\re\n'
    for size in (1, 5, 100):
        found = in_blocks(text, Dialect(), size)
        pairs = [pair for block in found for pair in zip(block.lines, block.rows, strict=True)]
        assert pairs == [(1, ["a"]), (3, ["b\nc"]), (5, ["d"]), (6, ["e"])]


def test_a_quote_that_never_closes_costs_its_own_line_alone() -> None:
    text = b'a\nb,"c\nd\ne\n'
    for size in (1, 4, 100):
        found = in_blocks(text, Dialect(), size)
        assert [row for block in found for row in block.rows] == [["a"], ["d"], ["e"]]
        sentence = "begins a quoted value that never ends, and a closing quote is wanted"
        assert [bad for block in found for bad in block.bad] == [(2, sentence)]


@pytest.mark.parametrize("quote", [b"", b'"'])
def test_a_row_without_an_end_is_passed_over_in_bounded_memory(quote: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "ROW_LIMIT", 1000)
    text = b"a\n" + quote + b"x" * 5000 + b"\nb\nc\n"
    rows = blocks.Rows(io.BytesIO(text), Dialect(), 100)
    longest, found = 0, []
    for block in rows:
        longest = max(longest, len(rows._buffer))
        found.append(block)
    assert longest < 2500
    read = [blocks.Rows(io.BytesIO(block.data or b""), Dialect()).one_by_one().rows for block in found if block.data]
    assert [row for part in read for row in part] == [["a"], ["b"], ["c"]]
    assert [line for block in found for line, _ in block.bad] == [2]


# Features of whole files


WANTED = {"word": Wanted("string"), "number": Wanted("int64"), "size": Wanted("float32", default=(0.5,))}


def read(path: Path, how: CsvFormat | None = None, wanted: dict[str, Wanted] = WANTED) -> tuple[list[Any], BadRows]:
    """The rows of a file, and its bad rows."""
    bad = BadRows(ANY)
    found: list[Any] = []
    for features in Rows([State.of(str(path))], Reading(wanted, csv=how or CsvFormat()), bad):
        columns = []
        for key, feature in features.items():
            texts = wanted[key].dtype == "string"
            values = feature.values.different.to_pylist() if texts else []
            columns.append([values[code] for code in feature.values.codes] if texts else feature.values.tolist())
        found.extend(zip(*columns, strict=True))
    return found, bad


def number_of(text: str) -> float | None:
    """What a text of letters of this file is as a number."""
    text = text.strip(" ")
    try:
        return float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        return None


@settings(max_examples=EXAMPLES)
@given(body=TEXTS, size=st.sampled_from([5, 30, 1000]))
def test_a_file_gives_the_rows_that_python_reads_or_counts_them_as_bad(
    body: str, size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.csv"
    path.write_text("word,number,size\n" + body, encoding="utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks.Rows.__init__, "__defaults__", (size, 1))
        found, bad = read(path)
    if any("never ends" in row.wanted for row in bad.found):
        return
    expected = []
    for row in by_python(body):
        if len(row) != 3:
            continue
        number, real = number_of(row[1] or "-1"), number_of(row[2] or "0.5")
        if not row[1].strip(" "):
            number = -1.0
        if not row[2].strip(" "):
            real = 0.5
        if number is not None and real is not None and number == round(number):
            expected.append((row[0].encode(), int(number), real))
    assert found == expected
    assert len(found) + len(bad) == bad.rows == len(by_python(body))


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
def test_the_delimiter_is_found_by_the_header(tmp_path: Path, delimiter: str) -> None:
    (tmp_path / "a.csv").write_text(delimiter.join(["size", "word", "number"]) + "\n" + delimiter.join(["1", "a", "2"]))
    assert read(tmp_path / "a.csv")[0] == [(b"a", 2, 1.0)]


def test_a_delimiter_that_is_given_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("word:number:size\nx,y:1:2\n")
    assert read(tmp_path / "a.csv", CsvFormat(":"))[0] == [(b"x,y", 1, 2.0)]
    with pytest.raises(Refusal) as refusal:
        CsvFormat("ab")
    assert str(refusal.value) == "CsvFormat: delimiter is one letter of ASCII, such as ';', not 'ab'."


def test_a_file_without_a_header_row_has_the_names_that_are_given(tmp_path: Path) -> None:
    (tmp_path / "a.data").write_text('a, 1, 2.5\n"b", 2,  3\n\n')
    how = CsvFormat(column_names=["word", "number", "size"], skip_initial_space=True)
    assert read(tmp_path / "a.data", how)[0] == [(b"a", 1, 2.5), (b"b", 2, 3.0)]


def test_spaces_after_a_delimiter_are_passed_over_and_those_in_quotes_kept(tmp_path: Path) -> None:
    how = CsvFormat(skip_initial_space=True)
    for text in ("word,number,size\n  a b, 1,2\n", 'word,number,size\n  a b, 1,2\n "  c",2, "3"\n'):
        (tmp_path / "a.csv").write_text(text)
        found, bad = read(tmp_path / "a.csv", how)
        assert (found, len(bad)) == ([(b"a b", 1, 2.0), (b"  c", 2, 3.0)][: text.count("\n") - 1], 0)


def test_the_numbers_of_one_column_stand_in_one_cell_where_bags_say_what_is_between_them(tmp_path: Path) -> None:
    wind = fc.numeric_column("wind", shape=(3,))
    problem = Problem(dataset=None, dnn_feature_columns=[wind], bags={"wind": "|"})
    wanted = features_wanted(problem, {"wind": "float32"})
    (tmp_path / "rows.csv").write_text("wind\n1|2.5|-3\n1|2\n")
    rows = Rows([State.of(str(tmp_path / "rows.csv"))], Reading(wanted), BadRows(Limit.parsed("1")))
    assert [part.features["wind"].values.tolist() for part in rows.parts()] == [[[1.0, 2.5, -3.0]]]
    assert [str(row) for row in rows.bad.found] == [
        f"{tmp_path}/rows.csv: line 3 has '1|2' as 'wind', and 3 numbers is wanted"
    ]
