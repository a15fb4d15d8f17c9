"""Columns in a notebook: a list of them is a table, and other lists are what they were."""

import operator
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell

from tests.test_feature_column import COLUMNS
from tests.test_notebooks import executed
from trainer import feature_column as fc
from trainer.feature_column import drawing

DAY = fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue"], num_oov_buckets=1)
HOUR = fc.categorical_column_with_identity("hour", 24, default_value=0)
WORD = fc.categorical_column_with_vocabulary_list("word", fc.from_data(top_k=9))


def rows(drawn: str) -> list[list[str]]:
    """The cells of a table, row by row, without the header."""
    lines = re.findall("<tr>(.*?)</tr>", drawn)[1:]
    return [[unescape(cell) for cell in re.findall("<td>(.*?)</td>", line)] for line in lines]


def cells(column: fc.FeatureColumn) -> list[str]:
    (found,) = rows(column._repr_html_())
    return found


def drawn_by(shell: Any, value: Any) -> str | None:
    found: str | None = shell.display_formatter.format(value)[0].get("text/html")
    return found


CELLS: list[tuple[fc.FeatureColumn, list[str]]] = [
    (DAY, ["vocabulary list", "day", "", "3 ids", "", "day", "num_oov_buckets 1"]),
    (HOUR, ["identity", "hour", "", "24 ids", "", "hour", "default_value 0"]),
    (WORD, ["vocabulary list", "word", "", "? ids", "", "word", "vocabulary from data"]),
    (
        fc.crossed_column(["a", HOUR], 5000, hash_key=7),
        [
            "crossed",
            "a_X_hour",
            "",
            "5,000 ids",
            "",
            "a, hour",
            "hash_bucket_size 5000; hash_key 7; hour: default_value 0",
        ],
    ),
    (
        fc.bucketized_column(fc.numeric_column("miles", default_value=3, normalizer_fn=operator.neg), fc.quantiles(4)),
        [
            "bucketized",
            "miles_bucketized",
            "",
            "? ids",
            "",
            "miles",
            "boundaries from data; default_value 3.0; normalizer_fn neg",
        ],
    ),
    (
        fc.embedding_column(
            fc.weighted_categorical_column(fc.crossed_column([DAY, HOUR]), "share"),
            8,
            "sum",
            ckpt_to_load_from="runs/<jfk>",
            trainable=False,
            name="week",
            old_vocabulary=["Mon", "Tue"],
        ),
        [
            "embedding of weighted categorical of crossed",
            "day_X_hour_weighted_by_share_embedding",
            "week",
            "width 8",
            "72 × 8",
            "day, hour, share",
            "combiner sum; warm start from runs/<jfk>; frozen; old_vocabulary of 2 values; day: num_oov_buckets 1; "
            "hour: default_value 0",
        ],
    ),
    (
        fc.embedding_column(WORD),
        ["embedding of vocabulary list", "word_embedding", "word", "width ?", "? × ?", "word", "vocabulary from data"],
    ),
    (
        fc.shared_embeddings([fc.categorical_column_with_identity(key, 700) for key in ("start", "end")], 6)[1],
        [
            "embedding of identity",
            "end_shared_embedding",
            "end_start_shared_embedding",
            "width 6",
            "700 × 6",
            "end",
            "shared by start, end",
        ],
    ),
    (
        fc.indicator_column(DAY),
        ["indicator of vocabulary list", "day_indicator", "", "width 3", "", "day", "num_oov_buckets 1"],
    ),
    (fc.sequence_numeric_column("heat", 2), ["sequence numeric", "heat", "", "width 2", "", "heat", ""]),
]


@pytest.mark.parametrize(("column", "wanted"), CELLS, ids=lambda given: getattr(given, "name", ""))
def test_a_column_says_in_a_notebook_what_it_is_and_what_is_special_about_it(
    column: fc.FeatureColumn, wanted: list[str]
) -> None:
    assert cells(column) == wanted


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_every_kind_of_column_is_drawn_and_keeps_its_repr(column: fc.FeatureColumn) -> None:
    assert cells(column)[1] == column.name
    assert repr(column).startswith(f"{type(column).__name__}(")


def test_a_long_list_of_columns_is_drawn_in_part() -> None:
    drawn = drawing.html_of([fc.numeric_column(f"n{number}") for number in range(103)])
    assert drawn.startswith("<table><caption>103 columns</caption>")
    assert drawn.endswith('<tr><td colspan="7">… 3 more</td></tr></table>')


class Drawn(list[int]):
    """A list that draws itself."""

    def _repr_html_(self) -> str:
        return "<i>mine</i>"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A shell of IPython that `get_ipython` returns, with nothing said of lists."""
    kind: Any = InteractiveShell  # it comes without types
    made = kind()
    monkeypatch.setattr("IPython.get_ipython", lambda: made)
    return made


def test_only_lists_of_columns_alone_are_drawn_as_a_table(shell: Any) -> None:
    drawing.register()
    for both in ([DAY, HOUR], (DAY, HOUR)):
        assert drawn_by(shell, both) == drawing.html_of(both)
    for other in ([], (), [1, 2], [DAY, "hour"], [[DAY]], {"day": DAY}):
        assert drawn_by(shell, other) is None
    assert drawn_by(shell, Drawn([1])) == "<i>mine</i>"


def test_lists_that_somebody_else_draws_are_drawn_so(shell: Any) -> None:
    shell.display_formatter.formatters["text/html"].for_type(list, lambda found: f"<b>{len(found)}</b>")
    drawing.register()
    assert drawn_by(shell, [1, 2]) == "<b>2</b>"
    assert drawn_by(shell, [DAY]) == drawing.html_of([DAY])


@pytest.mark.parametrize("there", [None, object()])
def test_without_a_running_ipython_nothing_is_registered(there: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", there)
    drawing.register()
    monkeypatch.delitem(sys.modules, "IPython")
    drawing.register()
    assert "IPython" not in sys.modules


def test_columns_do_not_import_ipython() -> None:
    script = "import sys, trainer.feature_column; sys.exit('IPython' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_notebook_whose_cell_ends_with_a_list_of_columns_shows_them_as_a_table(tmp_path: Path) -> None:
    cells = [
        "from trainer import feature_column as fc\n"
        "day = fc.categorical_column_with_vocabulary_list('day <of> week', ['Mon', 'Tue'])\n"
        "[day, fc.embedding_column(day, 3)]",
        "[1, 2]",
        "day",
        "import sys\n'tensorflow' in sys.modules",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    file = tmp_path / "columns.ipynb"
    nbformat.write(notebook, file)
    columns, numbers, column, loaded = (cell.outputs[0].data for cell in executed(file, str(tmp_path), tmp_path).cells)
    names = ["day <of> week", "day <of> week_embedding"]
    assert [row[1] for row in rows(columns["text/html"])] == names
    assert "<td>day &lt;of&gt; week_embedding</td>" in columns["text/html"]
    assert "VocabularyListColumn(key='day <of> week'" in columns["text/plain"]
    assert numbers == {"text/plain": "[1, 2]"}
    assert [row[1] for row in rows(column["text/html"])] == names[:1]
    assert loaded["text/plain"] == "False"
