"""The line of a table's rows, and its labels."""

import itertools
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import LineCollection, PathCollection

from trainer import feature_column as fc
from trainer import pictures
from trainer.errors import Refusal
from trainer.pictures import flags, lines
from trainer.tables import Table
from trainer.tables.table import Array

NORMAL = np.random.default_rng(0).normal(size=3000)
MOST, RIGHT = 5, 400.0


def table(along: Sequence[float] | Array, words: Sequence[str] | None = None, **more: Any) -> Table:
    words = words or [f"word {row}" for row in range(len(along))]
    column = fc.categorical_column_with_vocabulary_list("word", list(words))
    return Table("movie", np.asarray(along, np.float64)[:, np.newaxis], fc.embedding_column(column, 1), **more)


WILD = {
    "two rows": table([1, 2]),
    "forty rows": table(NORMAL[:40], counts=np.arange(1, 41)),
    "many rows": table(NORMAL[:1200], counts=np.arange(1200, 0, -1)),
    "an outlier": table([*NORMAL[:500] * 1e-3, 9], counts=np.arange(501, 0, -1)),
    "long labels": table(NORMAL[:150], [f"an extraordinarily long title, part {row} of many" for row in range(150)]),
    "no glyphs and formulas": table(NORMAL[:60], [f"$东京{row}$\n_{{x" for row in range(60)]),
    "no label": table([1, 2, 3], ["", "b", " "]),
    "large numbers": table(NORMAL[:30] * 1e200),
    "small numbers": table(NORMAL[:30] * 1e-200),
    "all but one alike": table([*[1.0] * 50, 2.0]),
}


def all_texts(figure: Any) -> list[Any]:
    axes = figure.axes[0]
    low, high = axes.get_xlim()
    ticks = [tick.label1 for tick in axes.xaxis.get_major_ticks() if low <= tick.get_loc() <= high]
    written = [*axes.texts, axes._right_title, axes.xaxis.label, *ticks, *figure.texts]
    return [text for text in written if text.get_text().strip()]


@pytest.mark.filterwarnings("ignore:Glyph:UserWarning")
@pytest.mark.parametrize("name", WILD)
def test_no_label_covers_another_and_none_is_cut(name: str) -> None:
    figure = lines.drawn(WILD[name])
    figure.canvas.draw()
    _, _, width, height = figure.bbox.extents
    everywhere = np.array([text.get_window_extent().extents for text in all_texts(figure)])
    assert (everywhere[:, :2] >= 0).all()
    assert (everywhere[:, 2:] <= (width, height)).all()
    axes = figure.axes[0]
    own = np.array([text.get_window_extent().extents for text in axes.texts])
    for one, other in itertools.combinations(own, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] + 2 or other[3] <= one[1] + 2
    left, bottom, right, top = axes.bbox.extents
    assert (own[:, :2] >= (left, bottom)).all()
    assert (own[:, 2:] <= (right, top)).all()


@pytest.mark.parametrize("name", WILD)
def test_every_row_has_a_point_where_its_number_is_and_the_file_is_small(name: str, tmp_path: Path) -> None:
    made, path = WILD[name], tmp_path / "line.png"
    pictures.line(made, str(path))
    content = path.read_bytes()
    assert struct.unpack(">I", content[16:20]) == (1600,)
    assert len(content) < 300_000
    first: Any = next(each for each in lines.drawn(made).axes[0].collections if isinstance(each, PathCollection))
    np.testing.assert_array_equal(np.sort(first.get_offsets()[:, 0]), np.sort(made.values[:, 0]))


def test_a_label_stands_at_the_end_of_a_pole_that_begins_at_its_point() -> None:
    axes: Any = lines.drawn(table([0, 1, 2, 3.5])).axes[0]
    (poles,) = [drawn.get_segments() for drawn in axes.collections if isinstance(drawn, LineCollection)]
    assert sorted(text.get_text() for text in axes.texts) == [f"word {row}" for row in range(4)]
    for text in axes.texts:
        row = int(text.get_text().removeprefix("word "))
        (pole,) = [pole for pole in poles if pole[1].tolist() == [*text.xy]]
        assert pole[0][0] == pole[1][0] == [0, 1, 2, 3.5][row]


def test_the_rows_trained_most_often_choose_first() -> None:
    axes: Any = lines.drawn(WILD["many rows"]).axes[0]
    shown = {text.get_text() for text in axes.texts}
    assert len(shown & {f"word {row}" for row in range(30)}) >= 15
    told = axes.get_title(loc="right")
    assert told == f"labels: {len(shown)} of 1,200 rows, the most often trained first"


def test_numbers_that_few_rows_lack_colour_a_line_and_the_keys_of_titles_do_not() -> None:
    years = ["" if row == 7 else str(1950 + row % 60) for row in range(3000)]
    along = np.arange(3000) % 60 + NORMAL
    details = {"year": years, "title": [f"Film {row}" for row in range(3000)]}
    made = table(along, [str(row) for row in range(3000)], details=details, title="title")
    parts: list[Any] = lines.drawn(made).axes
    axes, bar = parts
    assert bar.get_ylabel() == "year"
    assert [len(drawn.get_offsets()) for drawn in axes.collections[:2]] == [1, 2999]
    assert axes.texts[0].get_text().startswith("Film ")


@given(
    st.lists(st.tuples(st.floats(0, RIGHT), st.floats(0, 150)), max_size=40),
)
def test_no_pole_crosses_a_flag_and_no_flag_another(given_labels: list[tuple[float, float]]) -> None:
    places, widths = np.array(given_labels).reshape(-1, 2).T
    lanes, sides = flags.hung(places, widths, MOST, RIGHT)
    assert lanes.max(initial=-1) < MOST
    hung = np.flatnonzero(lanes >= 0)
    assert (places[hung] + widths[hung] <= RIGHT).all()
    assert (widths[hung] > 0).all()
    for one, other in itertools.permutations(hung, 2):
        if sides[one] == sides[other] and places[one] <= places[other] < places[one] + widths[one]:
            assert lanes[one] > lanes[other]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (Table("t", np.eye(9, 2)), "has 2 dimensions, and a line shows one"),
        (Table("t", np.zeros((200_001, 1))), "has 200,001 rows, and 200,000 are the most that can be drawn"),
        (Table("t", np.array([[1.0], [np.nan], [np.inf]])), "has fewer than two trained rows of finite values"),
        (Table("t", np.eye(9, 1), counts=np.eye(9)[2]), "has fewer than two trained rows of finite values"),
        (Table("t", np.ones((9, 1))), "has all its trained rows alike"),
    ],
)
def test_a_table_that_is_no_line_is_refused(made: Table, reason: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        pictures.line(made, str(tmp_path / "t.png"))
    assert str(refused.value) == f"line: table 't' {reason}; a trained table of one dimension is wanted."
    assert not list(tmp_path.iterdir())
