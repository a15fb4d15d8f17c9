"""What is told of the columns of files: by hand-counted tables, in parts and at once, in each format, by Beam."""

import gzip
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import trips
from trainer import analysis
from trainer import feature_column as fc
from trainer.__main__ import main
from trainer.analysis import Analysis, Column, findings, report, writing
from trainer.analysis.facts import Facts
from trainer.datasets.nyc_flights import csv_path
from trainer.inputs.files import State
from trainer.vocabulary import learned

moderately = settings(max_examples=60)


def column(values: Any, name: str = "x", **given: Any) -> Column:
    """What is known of a column of these values, an Arrow array or what one is made of."""
    found = Analysis(**given)
    array = values if isinstance(values, (pa.Array, pa.DictionaryArray)) else pa.array(values)
    found.add({name: array}, len(array))
    (known,) = found.columns()
    return known


def told(known: Column) -> Any:
    """What the summary tells of a column."""
    return writing.described(known, findings.Odd.of(known), writing.Vocabulary())


# Kinds and counts


@pytest.mark.parametrize(
    ("values", "kind", "texts", "missing"),
    [
        (["b", "a", "", None, "b"], "text", ["b", "a"], 2),
        (["10", "9", "10", ""], "whole numbers", ["10", "9"], 1),
        (["3.0", "3", " 4 "], "whole numbers", ["3", "4"], 0),
        (["007", "7"], "text", ["007", "7"], 0),  # its zeros are part of it
        (["0x10"], "text", ["0x10"], 0),
        (["1.5", "2"], "numbers", [], 0),
        (["1e3", "-.5", "+2."], "numbers", [], 0),
        (["1,5"], "text", ["1,5"], 0),
        ([str(2**63 - 1), "-9223372036854775808"], "whole numbers", [str(-(2**63)), str(2**63 - 1)], 0),
        ([str(2**63)], "text", [str(2**63)], 0),
        (pa.array([2**64 - 1], pa.uint64()), "text", [str(2**64 - 1)], 0),
        (["nan"], "text", ["nan"], 0),
        ([3, 1, 3, None], "whole numbers", ["3", "1"], 1),
        ([2**62, -(2**62)], "whole numbers", [str(-(2**62)), str(2**62)], 0),
        ([1.0, float("nan"), 3.0], "whole numbers", ["1", "3"], 1),
        ([1.5, None], "numbers", [], 1),
        ([True, False, True], "whole numbers", ["1", "0"], 0),
        ([None, None], "empty", [], 2),
        (["", ""], "empty", [], 2),
        ([["a", "b"], [], None, ["a"]], "text", ["a", "b"], 2),
        ([["a"], [""], [None], []], "text", ["a"], 3),
        ([b"\xff", b"a", b"a"], "text", ["a", r"\xff"], 0),
        (pa.array(["a", None, "a"]).dictionary_encode(), "text", ["a"], 1),
        (pa.array([19_000], pa.date32()), "text", ["2022-01-08"], 0),
    ],
)
def test_a_column_has_the_kind_of_all_its_values_and_these_in_order(
    values: Any, kind: str, texts: list[str], missing: int
) -> None:
    known = column(values)
    assert (known.kind, known.texts(), known.missing) == (kind, texts, missing)
    assert known.is_exact
    assert known.error == 0


def test_the_values_of_a_row_are_split_where_it_is_said_what_stands_between_them() -> None:
    known = column(["a|b", "", "b||c", "b"], bags={"x": "|"})
    assert (known.texts(), known.counts.tolist(), known.missing) == (["b", "a", "c"], [3, 1, 1], 1)
    assert known.is_bag


def test_the_words_of_a_text_are_counted_as_a_column_makes_them() -> None:
    texts = ["Quiet room", None, "…", "ROOM, quiet room 2"]
    known = column(texts, bags={"x": fc.Tokens(stop_words=("2",))})
    assert (known.texts(), known.counts.tolist(), known.missing) == (["room", "quiet"], [3, 2], 2)
    coded = column(pa.array(texts).dictionary_encode(), bags={"x": fc.Tokens(stop_words=("2",))})
    assert (coded.texts(), coded.counts.tolist(), coded.missing) == (["room", "quiet"], [3, 2], 2)
    words = fc.categorical_column_with_vocabulary_list("x", fc.from_data(), tokenize=fc.Tokens(stop_words=("2",)))
    (made,) = learned([words], {"x": ["Quiet room", "", "…", "ROOM, quiet room 2"]})
    assert list(made.vocabulary) == known.texts()


def test_numbers_have_quantiles_and_ends_with_all_their_digits() -> None:
    assert told(column([str(2**53 + 1), "5", "-7"]))["greatest"] == 2**53 + 1
    found = told(column([float(place) for place in range(101)]))
    assert found["quantiles"] == [10.0 * place for place in range(11)]
    assert (found["least"], found["greatest"]) == (0.0, 100.0)


def test_what_is_no_value_of_rows_is_told_and_not_read() -> None:
    assert findings.Odd.of(column([{"a": 1}])).notes == ["holds struct<a: int64>, which is not read"]


def test_a_column_that_some_files_have_not_is_missing_there() -> None:
    found = Analysis()
    found.add({"a": pa.array(["x"])}, 1)
    found.add({"b": pa.array([1, 2])}, 2)
    assert [(known.name, known.missing) for known in found.columns(["b"])] == [("b", 1), ("a", 2)]


def test_numbers_of_one_file_and_texts_of_another_are_texts() -> None:
    found = Analysis()
    found.add({"a": pa.array([7, 7])}, 2)
    found.add({"a": pa.array(["x", "7"])}, 2)
    (known,) = found.columns()
    assert (known.kind, known.texts(), known.counts.tolist()) == ("text", ["7", "x"], [3, 1])


values = st.one_of(
    st.lists(st.sampled_from(["", "a", "b", " B", "7", "07", "1.5", "é", "東"]), max_size=30),
    st.lists(st.one_of(st.none(), st.integers(-3, 5)), max_size=30).map(lambda found: pa.array(found, pa.int64())),
    st.lists(st.floats(-5, 5, width=32), max_size=30).map(lambda found: pa.array(found, pa.float32())),
)


@given(values, st.integers(1, 7), st.randoms())
@moderately
def test_parts_in_any_order_add_up_to_the_whole(rows: Any, parts: int, random: Any) -> None:
    array = rows if isinstance(rows, pa.Array) else pa.array(rows, pa.string())
    pieces = [array.slice(start, parts) for start in range(0, len(array), parts)]
    random.shuffle(pieces)
    whole, added = column(array), Analysis()
    for piece in [*pieces, array.slice(0, 0)]:
        part = Analysis()
        part.add({"x": piece}, len(piece))
        added.include(part)
    (found,) = added.columns()
    assert told(found) == told(whole)
    assert found.values.equals(whole.values)
    assert found.counts.tolist() == whole.counts.tolist()


@given(st.lists(st.sampled_from(["", "a", "b", "c", "é"]), max_size=40))
@moderately
def test_texts_are_counted_as_python_counts_them(rows: list[str]) -> None:
    known = column(pa.array(rows, pa.string()))
    counts = Counter(row for row in rows if row)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0].encode()))
    assert [*zip(known.texts(), known.counts.tolist(), strict=True)] == ordered


@given(st.lists(st.text("019eE+-. x", max_size=6), max_size=20))
@moderately
def test_what_looks_like_a_number_is_one_for_python_too(rows: list[str]) -> None:
    found = Analysis()
    found.add({"x": pa.array(rows, pa.string())}, len(rows))
    facts = found.facts["x"]
    numbers = [row for row in rows if re.fullmatch(r" *[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)? *", row)]
    assert facts.whole + facts.fractions == len(numbers)
    assert facts.words == sum(row != "" for row in rows) - len(numbers)
    finite = [float(number) for number in numbers if np.isfinite(np.float64(number))]
    if finite:
        assert (float(facts.least or 0), float(facts.greatest or 0)) == (min(finite), max(finite))


# Beyond what is counted exactly


def drawn(rows: int = 60_000, different: int = 20_000) -> Any:
    ranks = np.minimum(np.random.default_rng(0).zipf(1.3, rows), different)
    return np.char.mod("w%d", ranks)


@pytest.mark.parametrize("parts", [1, 13])
def test_a_sketch_is_off_by_no_more_than_it_says(parts: int) -> None:
    words = drawn()
    whole = Analysis(most=1000)
    for piece in np.array_split(words, parts):
        part = Analysis(most=1000)
        part.add({"x": pa.array(piece)}, len(piece))
        whole.include(part)
    (known,) = whole.columns()
    counts = Counter(words.tolist())
    assert not known.is_exact
    assert 0 < known.error <= len(words) / 1000
    assert len(known.values) <= 1000
    for text, rows in zip(known.texts(), known.counts.tolist(), strict=True):
        assert counts[text] - known.error <= rows <= counts[text]
    assert {text for text, rows in counts.items() if rows > known.error} <= set(known.texts())
    assert known.different == pytest.approx(len(counts), rel=0.05)
    assert f"counts are too low by at most {known.error:,}" in findings.Odd.of(known).notes[-1]
    assert told(known)["sketch"] == "Misra-Gries"


def test_a_sketch_of_numbers_in_several_forms_is_off_by_no_more_than_it_says() -> None:
    often = [form.format(value) for value in range(1, 301) for form in ("{}", "{}.0", " {}") for _ in range(30)]
    seldom = [form.format(value) for value in range(1000, 9000) for form in ("{}", "{}.0") for _ in range(3)]
    rows = np.random.default_rng(0).permutation([*often, *seldom])
    known = column(pa.array(rows.tolist()), most=1000)
    counts = Counter(int(float(row)) for row in rows)
    for text, found in zip(known.texts(), known.counts.tolist(), strict=True):
        assert counts[int(text)] - known.error <= found <= counts[int(text)]
    assert {value for value, count in counts.items() if count > known.error} <= set(map(int, known.texts()))
    assert known.different == pytest.approx(8300, rel=0.05)


def test_a_part_without_a_value_changes_nothing() -> None:
    found = Analysis()
    for part in (pa.array(range(300_000)), pa.array([None] * 1000, pa.int64())):
        of_part = Analysis()
        of_part.add({"x": part}, len(part))
        found.include(of_part)
    (known,) = found.columns()
    assert (known.different, known.missing, len(known.values)) == (300_000, 1000, 300_000)


def test_numbers_that_32_bits_hold_as_one_are_different() -> None:
    known = column([1.7e9 + 0.25 * place for place in range(300)])
    assert (known.different, known.is_exact, known.facts.least) == (300, True, 1.7e9)
    assert column(np.random.default_rng(0).random(50_000)).different == pytest.approx(50_000, rel=0.05)


def test_a_number_that_32_bits_do_not_hold_is_no_quantile() -> None:
    found = told(column([1e300, 1.5, 2.5]))
    assert (found["greatest"], found["quantiles"][-1]) == (1e300, 2.5)
    json.dumps(found, allow_nan=False)


def test_a_number_in_one_file_and_a_text_in_another_is_said_to_be_no_vocabulary() -> None:
    found = Analysis()
    found.add({"a": pa.array([1.5, 2.5, 3.0])}, 3)
    found.add({"a": pa.array(["x", "1.5"])}, 2)
    (known,) = found.columns()
    assert (known.kind, known.is_exact) == ("text", False)
    assert "2 fractions are left out" in findings.Odd.of(known).notes[0]


def test_of_few_values_a_sketch_knows_all() -> None:
    assert column(drawn(5000, 900), most=1000).is_exact


# What is odd


@pytest.mark.parametrize(
    ("values", "notes"),
    [
        ([*range(100, 200)], ["numbers the rows from 100 to 199"]),
        ([str(place) for place in range(30)], ["numbers the rows from 0 to 29"]),
        ([*range(0, 200, 2)], ["has 100 different values in 100 rows, so nearly each is a row's own"]),
        ([*range(5)], []),  # few rows differ by chance
        ([*range(20)] * 3, []),
        (["x"] * 30, ["is always x"]),
        ([7] * 30, ["is always 7"]),
        ([1.5] * 30, ["is always 1.5"]),
        ([None] * 3, ["has no value at all"]),
        (["a", "?"] * 15, ["has '?' 15 times, which may stand for a missing value"]),
        (["a", "N/A"] * 15, ["has 'N/A' 15 times, which may stand for a missing value"]),
        (
            ["female", " Female", "female", "male"],
            ["has 'female' (2) and ' Female' (1), which may be one value"],
        ),
        (["ﬁne", "fine"], ["has 'fine' (1) and 'ﬁne' (1), which may be one value"]),
        (["New  York", "new york"], ["has 'New  York' (1) and 'new york' (1), which may be one value"]),
        ([*map(str, range(40)), "many"] * 2, ["is a number in 80 of 82 rows, and else text"]),
        ([-1, 3, 4, 3, 4], ["is -1 in 1 rows, which a column of ids takes as missing"]),
        (["-1", "3", "4", "3", "4"], ["is -1 in 1 rows, which a column of ids takes as missing"]),
        ([-1, -2, 3, 4, 3], []),
        ([-1] * 30, ["is always -1", "is -1 in 30 rows, which a column of ids takes as missing"]),
    ],
)
def test_what_is_odd_in_a_column_is_told(values: Any, notes: list[str]) -> None:
    assert findings.Odd.of(column(values)).notes == notes


def test_of_many_near_values_a_few_are_told_in_sentences_and_more_in_the_summary() -> None:
    known = column([form for letter in "abcdef" for form in (letter, letter.upper())])
    notes = findings.Odd.of(known).notes
    assert notes[-1] == "has 3 other groups of values like these"
    assert len(notes) == 4
    assert len(told(known)["near_values"]) == 6


# What is left


ROWS = {
    "city": ["Bern", "Oslo", "Bern", "São\nPaulo", None],
    "id": [7, 5, 5, -1, 9],
    "fare": [1.5, 2.0, None, 3.0, 4.0],
}


@pytest.fixture
def file(tmp_path: Path) -> str:
    pq.write_table(pa.table(ROWS), tmp_path / "rows.parquet")
    return str(tmp_path / "rows.parquet")


def test_a_vocabulary_is_a_value_a_line_and_the_summary_has_the_rest(file: str, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "vocabulary"
    assert main(["vocabulary", "--train-files", file, "--out", str(out)]) == 0
    assert (out / "city.txt").read_text() == "Bern\nOslo\n"  # no line can hold São, a line end and Paulo
    assert (out / "id.txt").read_text() == "5\n7\n9\n"
    assert sorted(path.name for path in out.iterdir()) == ["city.txt", "id.txt", "summary.json"]
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["files"], summary["rows"], summary["bad_rows"]) == ([file], 5, 0)
    city = summary["columns"]["city"]
    assert city["most_frequent"] == [["Bern", 2], ["Oslo", 1], ["São\nPaulo", 1]]
    assert (city["missing"], city["missing_share"], city["different_values"]) == (1, 0.2, 3)
    assert (city["file"], city["file_values"]) == ("city.txt", 2)
    assert summary["columns"]["fare"]["file"] is None
    assert summary["columns"]["fare"]["quantiles"][-1] == 4.0
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1] == str(out)
    assert [line.split()[0] for line in printed.splitlines()[:4]] == ["column", "city", "id", "fare"]
    assert f"5 rows of {file}" in printed


def test_a_vocabulary_is_what_a_column_of_a_file_reads_and_what_one_learns_from_data(file: str, tmp_path: Path) -> None:
    out = tmp_path / "vocabulary"
    assert main(["vocabulary", "--train-files", file, "--out", str(out)]) == 0
    read = fc.categorical_column_with_vocabulary_file("id", str(out / "id.txt"), dtype="int64")
    (own,) = learned([fc.categorical_column_with_vocabulary_list("id", fc.from_data(), "int64")], {"id": ROWS["id"]})
    assert [read.label(place) for place in range(3)] == [str(value) for value in own.vocabulary_list]


@pytest.mark.parametrize(
    ("flags", "lines"),
    [
        (["--top-k", "1"], ["Bern"]),
        (["--frequency-threshold", "2"], ["Bern"]),
        (["--columns", "city"], ["Bern", "Oslo"]),
    ],
)
def test_a_vocabulary_may_be_of_the_most_frequent_values(flags: list[str], lines: list[str], file: str) -> None:
    out = Path(file).parent / "vocabulary"
    assert main(["vocabulary", "--train-files", file, "--out", str(out), *flags]) == 0
    assert (out / "city.txt").read_text().splitlines() == lines


def test_vocabularies_are_replaced_where_that_is_asked_for_and_nothing_else_is(file: str, tmp_path: Path) -> None:
    out = tmp_path / "vocabulary"
    words = ["vocabulary", "--train-files", file, "--out", str(out)]
    assert main(words) == 0
    assert main(words) == 2
    (out / "mine.md").write_text("mine")
    assert main([*words, "--columns", "city", "--overwrite"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["city.txt", "mine.md", "summary.json"]


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--out", "v"], "python -m trainer vocabulary: --train-files is wanted; see --help."),
        (["--train-files", "rows.parquet"], "python -m trainer vocabulary: --out is wanted; see --help."),
        (
            ["--train-files", "rows.parquet", "--out", "v", "--columns", "town"],
            "rows.parquet: there is no column 'town'; it has city, fare, id.",
        ),
        (
            ["--train-files", "rows.parquet", "--out", "v", "--bags", "city"],
            "--bags: COLUMN=TEXT is wanted, as in genres=|, not 'city'.",
        ),
        (["--train-files", "rows.parquet", "--out", "rows.parquet"], "--out: rows.parquet is a file; give a folder."),
        (
            ["--train-files", "rows.parquet", "--out", "."],
            "--out: . holds files already; add --overwrite to replace vocabularies, or give another.",
        ),
        (
            ["--train-files", "rows.parquet", "--out", ".", "--overwrite"],
            "--out: . holds files and no summary.json; give a folder that this command has left.",
        ),
        (
            ["--train-files", "rows.parquet", "--out", "v", "--", "--project", "p"],
            "python -m trainer vocabulary: --project after '--' is for Apache Beam; give --runner too, or leave it "
            "out.",
        ),
        (
            ["--train-files", "rows.parquet", "--out", "v", "--bags", "city=a", "--bags", "city=b"],
            "--bags: 'city' is given twice; give what stands between its values once.",
        ),
        (
            ["--train-files", "rows.parquet", "--out", "v", "--bags", "city=a", "--words", "city"],
            "--words: 'city' is given twice, or to --bags too; say once how its rows become values.",
        ),
        (
            ["--train-files", "rows.parquet", "--out", "v", "--words", "city=[a-z]*"],
            "Tokens: pattern '[a-z]*' can match nothing, and a word has one letter at least; write + for *.",
        ),
        (
            ["--train-files", "rows.parquet", "--out", "foreign", "--overwrite"],
            "--out: foreign/summary.json is no summary of this command; give another folder.",
        ),
        (
            ["--train-files", "short.csv", "--out", "v"],
            "short.csv: line 3 has 1 value, and 2 are wanted; correct it, or set such rows aside with --max-bad-rows.",
        ),
    ],
)
def test_a_mistake_is_one_sentence(
    flags: list[str], sentence: str, file: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(Path(file).parent)
    Path("short.csv").write_text("a,b\n1,2\n3\n")
    Path("foreign").mkdir()
    Path("foreign/summary.json").write_text("{}")
    before = sorted(Path().rglob("*"))
    assert main(["vocabulary", *flags]) == 2
    assert capsys.readouterr().err == f"{sentence}\n"
    assert sorted(Path().rglob("*")) == before


def test_rows_that_cannot_be_read_are_counted_and_told(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "short.csv").write_text("a,b\n1,2\n3\n4,5\n")
    out = tmp_path / "v"
    words = ["vocabulary", "--train-files", str(tmp_path / "short.csv"), "--out", str(out), "--max-bad-rows", "1"]
    assert main(words) == 0
    assert json.loads((out / "summary.json").read_text())["bad_rows"] == 1
    (bad,) = (out / "bad_rows.jsonl").read_text().splitlines()
    assert json.loads(bad)["number"] == 3
    assert "2 rows of" in capsys.readouterr().out


def test_a_file_with_only_a_header_has_columns_without_a_value(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "a.csv").write_text("day,hour\n")
    assert main(["vocabulary", "--train-files", str(tmp_path / "a.csv"), "--out", str(tmp_path / "v")]) == 0
    printed = capsys.readouterr().out
    assert "day has no value at all" in printed
    assert "0 rows of" in printed


def test_what_an_interrupted_one_has_left_is_replaced(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(values: Any) -> Any:
        raise KeyboardInterrupt

    out = tmp_path / "v"
    words = ["vocabulary", "--train-files", file, "--out", str(out)]
    with monkeypatch.context() as patch:
        patch.setattr(writing, "_lines", interrupted)
        assert main(words) == 130
    assert json.loads((out / "summary.json").read_text())["is_complete"] is False
    assert main([*words, "--overwrite"]) == 0
    assert json.loads((out / "summary.json").read_text())["is_complete"] is True


def test_without_a_header_and_with_spaces_columns_are_read_as_they_are_meant(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1, x\n2, y\n2, x\n")
    out = tmp_path / "v"
    words = ["vocabulary", "--train-files", str(tmp_path / "a.csv"), "--out", str(out), "--column-names", "n,letter"]
    assert main(words) == 0
    assert (out / "letter.txt").read_text() == "x\ny\n"


def test_each_format_is_analysed_alike(tmp_path: Path) -> None:
    rows = trips.rows()
    found = {}
    for name in trips.WRITERS:
        path = trips.write(tmp_path / name)
        bags = {"tags": "|"} if "csv" in name else {}
        of = analysis.of_files(
            [State.of(path)], analysis.Reading(only=["city", "user", "hour", "late", "tags"], bags=bags)
        )
        known = [
            (column.name, column.kind, column.missing, column.texts(), column.counts.tolist()) for column in of.columns
        ]
        found[name] = sorted(known)
        assert of.rows == len(rows)
    city, _, _, tags, _ = next(iter(found.values()))
    assert all(other == next(iter(found.values())) for other in found.values())
    assert dict(zip(*city[3:], strict=True)) == Counter(row["city"] for row in rows if row["city"] is not None)
    assert dict(zip(*tags[3:], strict=True)) == Counter(tag for row in rows for tag in row["tags"])
    assert tags[2] == sum(not row["tags"] for row in rows)


def test_the_report_shortens_what_does_not_fit() -> None:
    known = column(["a" * 100, "b"], "a long name")
    (line, *_) = report.lines(analysis.Found([known], ["a.csv"], 2))[1:]
    assert line == f"a long name  text        -          2  {'a' * 12}…{'a' * 11} (1), b (1)"


# On other machines


def test_beam_that_is_not_installed_is_asked_for_in_a_line(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    words = ["vocabulary", "--train-files", file, "--out", str(tmp_path / "v"), "--runner", "DirectRunner"]
    assert main(words) == 2
    told_line = capsys.readouterr().err
    assert told_line.startswith("--runner: Apache Beam cannot be loaded (")
    assert told_line.endswith("); python -m pip install 'embedding-columns[beam]' brings it.\n")
    assert not (tmp_path / "v").exists()


def test_an_accumulator_of_facts_is_not_changed_by_a_sum() -> None:
    parts = []
    for text in ("a", "b"):
        facts = Facts()
        facts.add(pa.array([text]))
        parts.append(facts)
    assert Facts.of(parts).rows == Facts.of(parts).rows == 2
    assert [part.rows for part in parts] == [1, 1]


@pytest.mark.parametrize("verb", ["vocabulary", "suggest"])
def test_the_help_is_there_without_tensorflow(verb: str) -> None:
    code = f"""import atexit, sys
from trainer.__main__ import main
atexit.register(lambda: print("tensorflow" in sys.modules))
main(["{verb}", "--help"])"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"usage: python -m trainer {verb}" in done.stdout
    assert done.stdout.endswith("False\n")


@pytest.fixture(scope="module")
def beam(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command in a process that finds Apache Beam, which wants older libraries than the others have."""
    folder = tmp_path_factory.mktemp("beam")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target", str(folder), "apache-beam"]
    subprocess.run(pip, check=True, capture_output=True)
    root = str(Path(__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), root])}

    def run(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "trainer", "vocabulary", *words]
        return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)

    return run


def files_of_words(folder: Path) -> list[str]:
    """The novels as eight Parquet files of lines."""
    real = os.environ.get("TRAINER_TEST_DATA")
    if real is None:
        pytest.skip("TRAINER_TEST_DATA names no folder with words/")
    lines = gzip.decompress((Path(real) / "words" / "novels.txt.gz").read_bytes()).decode().splitlines()
    for place in range(8):
        part = pa.table({"text": [line for line in lines[place::8] if not line.startswith("== ")]})
        pq.write_table(part, folder / f"novels-{place}.parquet")
    return ["--train-files", str(folder / "novels-*.parquet"), "--bags", "text= "]


def files_of_flights(folder: Path) -> list[str]:
    """The flights from New York as four CSV files."""
    flights = pd.read_csv(csv_path())
    for place in range(4):
        flights[place::4].to_csv(folder / f"flights-{place}.csv", index=False)
    return ["--train-files", str(folder / "flights-*.csv")]


@pytest.mark.slow
@pytest.mark.parametrize(("files", "rows"), [(files_of_words, 919_018), (files_of_flights, 336_776)])
def test_a_pipeline_of_beam_leaves_what_one_machine_does(files: Any, rows: int, beam: Any, tmp_path: Path) -> None:
    words = files(tmp_path)
    assert main(["vocabulary", *words, "--out", str(tmp_path / "local")]) == 0
    done = beam(tmp_path, *words, "--out", str(tmp_path / "beam"), "--runner", "DirectRunner")
    assert done.returncode == 0, done.stderr
    one, other = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("local", "beam"))
    assert one == other
    summary = json.loads(one["summary.json"])
    assert summary["rows"] == rows
    assert all(column["is_exact"] for column in summary["columns"].values())


@pytest.mark.slow
def test_a_mistake_under_beam_is_the_sentence_of_one_machine(beam: Any, tmp_path: Path) -> None:
    for place, text in enumerate(("a,b\n1,2\n", "a,b\n1,2\n3\n", "a,b\n4\n")):
        (tmp_path / f"{place}.csv").write_text(text)
    words = ["--train-files", "*.csv", "--out", "v", "--runner", "DirectRunner"]
    for limit, sentence in (
        ("0", "1.csv: line 3 has 1 value, and 2 are wanted; correct it, or set such rows aside with --max-bad-rows."),
        (
            "1",
            "--max-bad-rows: 2 of 4 rows cannot be used, and 1 may be; the last: 2.csv: line 2 has 1 value, and 2 are "
            "wanted.",
        ),
    ):
        done = beam(tmp_path, *words, "--max-bad-rows", limit)
        assert (done.returncode, done.stderr) == (2, f"{sentence}\n")
        assert not (tmp_path / "v").exists()
    done = beam(tmp_path, *words, "--", "--no_such_flag", "7")
    assert done.stderr == "--runner: --no_such_flag is no flag of Apache Beam or of this runner; leave it out.\n"
