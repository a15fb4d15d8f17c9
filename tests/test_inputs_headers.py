"""CSV files that may have a header row or none: what tells which it is, and what their columns are called."""

from pathlib import Path

import pytest

from trainer.errors import Refusal
from trainer.inputs.csv import CsvFile
from trainer.inputs.values import Wanted
from trainer.problem import CsvFormat

HOW = CsvFormat(headerless=[("a", "b"), ("a", "r", "b")])
WANTED = {"a": Wanted("string"), "b": Wanted("string")}


def rows_of(path: Path, how: CsvFormat = HOW) -> tuple[list[str], list[list[str]]]:
    file = CsvFile(str(path), WANTED, how)
    parts = [file.part(piece, file.names) for piece in file.pieces(file.names)]
    return file.names, [
        [str(value) for value in row] for part in parts for row in zip(*part.columns.values(), strict=True)
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "edges.txt"


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("x\ty\ny\tz\n", ["a", "b"], [["x", "y"], ["y", "z"]]),
        ("x,is,y\ny,is,z\n", ["a", "r", "b"], [["x", "is", "y"], ["y", "is", "z"]]),
        ("x;y", ["a", "b"], [["x", "y"]]),
        ("x,y\nz,u\nz,v\n", ["a", "b"], [["x", "y"], ["z", "u"], ["z", "v"]]),
        ("x,y\nv,w\n" + "z,u\n" * 20, ["a", "b"], [["x", "y"], ["v", "w"], *[["z", "u"]] * 20]),
        ("b,a,when\nx,y,1\n", ["b", "a", "when"], [["x", "y", "1"]]),
        ("b\ta\nx\ty\n", ["b", "a"], [["x", "y"]]),
    ],
)
def test_a_first_row_is_a_header_where_it_names_what_is_read(
    path: Path, text: str, names: list[str], rows: list[list[str]]
) -> None:
    path.write_text(text)
    assert rows_of(path) == (names, rows)


def test_another_delimiter_may_be_given(path: Path) -> None:
    path.write_text("1 2\n2 3\n")
    assert rows_of(path, CsvFormat(" ", headerless=[("a", "b")])) == (["a", "b"], [["1", "2"], ["2", "3"]])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "from,to\n" + "x,y\ny,x\n" * 10,
            "its first row, 'from', 'to', looks like a header, and does not name 'a', 'b'; say what the columns are "
            "called, or name them all where it is none.",
        ),
        (
            "x y\ny z\n",
            "its first row has 1 value, 'x y', and 2 or 3 are wanted of a file without a header row; give it one, with "
            "'a', 'b' in it.",
        ),
        (
            "x,y,1,2\ny,x,1,2\n",
            "its first row has 4 values, 'x', 'y', '1', '2', and 2 or 3 are wanted of a file without a header row; "
            "give it one, with 'a', 'b' in it.",
        ),
    ],
)
def test_what_may_be_a_header_with_other_names_is_refused(path: Path, text: str, sentence: str) -> None:
    path.write_text(text)
    with pytest.raises(Refusal) as refusal:
        rows_of(path)
    assert str(refusal.value) == f"{path}: {sentence}"
