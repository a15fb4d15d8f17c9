"""The plane of a table's rows, its labels and its colours."""

import itertools
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import PathCollection

from trainer import feature_column as fc
from trainer import pictures, tables
from trainer.errors import Refusal
from trainer.pictures import labels, planes
from trainer.tables import Table
from trainer.tables.table import Array

NUMBERS = np.random.default_rng(0)


def words(texts: Sequence[str], key: str = "word") -> fc.CategoricalColumn:
    return fc.categorical_column_with_vocabulary_list(key, list(texts))


def table(values: Array, column: fc.CategoricalColumn | None = None, **more: Any) -> Table:
    column = column or words([f"word {row}" for row in range(len(values))])
    return Table(more.pop("name", "t"), values, fc.embedding_column(column, values.shape[1], name="t"), **more)


def cloud(rows: int, dimension: int = 8, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)


WILD = {
    "one component": table(np.repeat(cloud(40, 1), 2, axis=1), counts=np.arange(1, 41)),
    "two rows": table(cloud(2)),
    "three rows": table(cloud(3)),
    "as many rows as can be": table(cloud(1999), counts=np.arange(1, 2000)),
    "long labels": table(
        cloud(150), words([f"an extraordinarily long title, part {row} of many" for row in range(150)]), name="m" * 90
    ),
    "no glyphs": table(cloud(60), words([f"东京{row}\n北京" for row in range(60)]), counts=np.arange(60)),
    "formulas": table(cloud(60), words([f"${row}$_{{x^{row}" for row in range(60)]), name="$x_1$"),
    "an outlier": table(np.vstack([cloud(99, 4) * 1e-3, np.full((1, 4), 8)])),
    "an outlier in the plane": table(np.vstack([cloud(98, 4) * 1e-3, np.eye(2, 4)])),
    "no label": table(cloud(3), words(["", "b", " "])),
    "large numbers": table(cloud(30) * 1e30),
    "small numbers": table(cloud(30) * 1e-30),
    "squares too large": table(cloud(30).astype(np.float64) * 1e200, counts=np.arange(1, 31)),
    "squares too small": table(cloud(30).astype(np.float64) * 1e-200, counts=np.arange(1, 31)),
    "a dense middle": table(np.vstack([cloud(150, 3) * 0.1, np.eye(3) * 2, -np.eye(3)]), counts=np.arange(156, 0, -1)),
}


def the_axes(made: Table) -> Any:
    return planes.drawn(made).axes[0]


def points(axes: Any) -> Array:
    collections = [drawn for drawn in axes.collections if isinstance(drawn, PathCollection) and _is_filled(drawn)]
    return np.concatenate([drawn.get_offsets() for drawn in collections])


def _is_filled(drawn: Any) -> bool:
    return len(drawn.get_facecolors()) > 0


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


def all_texts(figure: Any) -> list[Any]:
    """Everything written in a figure: labels, titles, numbers of axes and of the bar, legend."""
    axes_texts = [
        text
        for axes in figure.axes
        for text in (
            *axes.texts,
            axes.title,
            axes._right_title,
            axes.xaxis.label,
            axes.yaxis.label,
            *_shown(axes.xaxis),
            *_shown(axes.yaxis),
        )
    ]
    legend = [text for legend in figure.legends for text in (legend.get_title(), *legend.get_texts())]
    return [text for text in (*axes_texts, *legend, *figure.texts) if text.get_text().strip() and text.get_visible()]


def _shown(axis: Any) -> list[Any]:
    low, high = sorted(axis.get_view_interval())
    return [
        tick.label1 if tick.label1.get_visible() else tick.label2
        for tick in axis.get_major_ticks()
        if low <= tick.get_loc() <= high
    ]


def boxes(written: Sequence[Any]) -> Array:
    return np.array([text.get_window_extent().extents for text in written])


@pytest.mark.filterwarnings("ignore:Glyph:UserWarning")
@pytest.mark.parametrize("name", WILD)
def test_no_label_covers_another_and_none_is_cut(name: str) -> None:
    figure = planes.drawn(WILD[name])
    figure.canvas.draw()
    _, _, width, height = figure.bbox.extents
    everywhere = boxes(all_texts(figure))
    assert (everywhere[:, :2] >= 0).all()
    assert (everywhere[:, 2:] <= (width, height)).all()
    own = boxes(figure.axes[0].texts)
    for one, other in itertools.combinations(own, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    left, bottom, right, top = figure.axes[0].bbox.extents
    assert (own[:, :2] >= (left, bottom)).all()
    assert (own[:, 2:] <= (right, top)).all()


@pytest.mark.parametrize("name", WILD)
def test_every_row_has_a_point_and_the_file_is_small(name: str, tmp_path: Path) -> None:
    made = WILD[name]
    path = tmp_path / "plane.png"
    pictures.plane(made, str(path))
    content = path.read_bytes()
    assert struct.unpack(">I", content[16:20]) == (1600,)
    assert len(content) < 300_000
    found = points(the_axes(made))
    assert found.shape == (made.trained.sum(), 2)
    assert np.isfinite(found).all()


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 60), st.floats(0.01, 1))
def test_labels_of_any_points_stay_apart_and_touch_no_point(seed: int, rows: int, spread: float) -> None:
    numbers = np.random.default_rng(seed)
    room, radius = (400.0, 300.0), 5.0
    middle = np.array(room) / 2
    where = middle + (numbers.random((rows, 2)) - 0.5) * np.array(room) * spread
    sizes = np.stack([numbers.uniform(5, 120, rows), np.full(rows, 20)], axis=1)
    lower = labels.corners(where, sizes, room, radius)
    placed = np.flatnonzero(~np.isnan(lower[:, 0]))
    upper = lower + sizes
    for one, other in itertools.combinations(placed, 2):
        assert (lower[one] >= upper[other]).any() or (lower[other] >= upper[one]).any()
    for one in placed:
        assert (lower[one] >= 0).all()
        assert (upper[one] <= room).all()
        others = where[np.abs(where - where[one]).max(axis=1) > 1]
        assert not ((others > lower[one] - radius) & (others < upper[one] + radius)).all(axis=1).any()


def test_the_rows_trained_most_often_choose_first() -> None:
    counts = NUMBERS.permutation(np.arange(1, 1001))
    shown = texts(the_axes(table(cloud(1000), counts=counts)))
    often = [f"word {row}" for row in np.argsort(-counts)]
    assert often[0] in shown
    assert len(set(often[:40]) & set(shown)) >= 20


@pytest.mark.parametrize("rows", [60, 150, 300])
def test_the_row_trained_most_often_has_a_label_amid_others(rows: int) -> None:
    """In a grid so narrow that each label lies over points."""
    column, line = np.divmod(np.arange(rows), int(rows**0.5))
    middle = rows // 2
    counts = np.full(rows, 5)
    counts[middle] = 900
    values = np.vstack([np.stack([column, line], axis=1) * 0.1, [[50, 0], [-50, 0]]])
    shown = texts(the_axes(table(values, counts=np.append(counts, [1, 1]))))
    assert f"word {middle}" in shown


def test_a_label_that_has_to_cover_points_covers_as_few_as_it_can() -> None:
    around = [(50 + away, 50 + up) for away in (-20, 20) for up in (-12, 0, 12)]
    points = np.array([(50, 50), *around, (52, 62)], float)
    sizes = np.array([(30, 10), *[(0, 0)] * 7], float)
    below, *others = labels.corners(points, sizes, (100, 100), 2, over=1).tolist()
    assert below == [35, 50 - 2 - 3 - 10]
    assert np.isnan(others).all()
    assert np.isnan(labels.corners(points, sizes, (100, 100), 2)).all()


def test_the_picture_says_how_many_rows_have_a_label() -> None:
    axes = the_axes(table(cloud(400), counts=np.arange(400)))
    number = len(axes.texts)
    assert 0 < number < 399
    assert axes.get_title(loc="right") == f"labels: {number} of 399 rows, the most often trained first"
    uncounted = the_axes(table(cloud(400)))
    assert uncounted.get_title(loc="right").endswith(" of 400 rows, the farthest out first")
    assert the_axes(table(cloud(3))).get_title(loc="right") == "labels: 3 of 3 rows"


def test_the_titles_say_what_is_explained_of_which_rows() -> None:
    values = np.array([[6.0, 0], [-6, 0], [0, 3], [0, -3], [9, 9], [0, np.nan]])
    figure = planes.drawn(table(values, counts=np.array([1, 1, 1, 1, 0, 1]), name="t"))
    assert [text.get_text() for text in figure.texts] == [
        "t\n",
        "First 2 principal components of the 4 trained, finite rows of 6: 100% of the variance",
    ]
    assert figure.axes[0].get_xlabel() == "Component 1: 80%"
    assert figure.axes[0].get_ylabel() == "Component 2: 20%"


def test_distances_are_those_of_the_rows_on_both_axes() -> None:
    turn, _ = np.linalg.qr(cloud(4, 4))
    values = np.concatenate([cloud(50, 2) * [3, 1], np.zeros((50, 2))], axis=1) @ turn
    axes = the_axes(table(values))
    pixels = axes.transData.transform(points(axes))
    shown = np.linalg.norm(pixels[:, None] - pixels[None], axis=2)
    real = np.linalg.norm(values[:, None] - values[None], axis=2)
    off_diagonal = ~np.eye(50, dtype=bool)
    ratios = shown[off_diagonal] / real[off_diagonal]
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-4)


def test_one_component_is_spread_so_that_labels_find_room() -> None:
    values = cloud(40, 2) * [1, 0.01]
    axes = the_axes(table(values))
    found = points(axes)
    np.testing.assert_allclose(np.abs(found[:, 0]), np.abs(values[:, 0] - values[:, 0].mean()), atol=1e-3)
    assert len(axes.texts) >= 38
    assert axes.get_ylabel() == "(height means nothing)"
    assert axes.get_yticks().size == 0


def test_components_of_equal_small_shares_still_make_a_plane() -> None:
    axes = the_axes(table(np.eye(100)))
    assert axes.get_ylabel() == "Component 2: 1%"


def test_long_labels_of_one_start_are_cut_in_the_middle() -> None:
    made = table(cloud(3), words([f"the collected works, volume {row}" for row in (1, 2)] + ["a short one"]))
    assert sorted(texts(the_axes(made))) == [
        "a short one",
        "the collected…orks, volume 1",
        "the collected…orks, volume 2",
    ]


def test_labels_are_titles_where_there_are_some() -> None:
    made = table(cloud(2), details={"title": ["Toy Story", " "]}, title="title")
    assert sorted(texts(the_axes(made))) == ["Toy Story", "word 1"]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (Table("t", np.eye(2000, 3)), "has 2,000 rows, and 1,999 are the most that can be drawn"),
        (Table("t", np.eye(9), counts=np.eye(9)[2]), "has fewer than two trained rows of finite values"),
        (Table("t", np.array([[1, 1], [np.nan, 1], [np.inf, 1]])), "has fewer than two trained rows of finite values"),
        (Table("t", np.eye(9, 1)), "has one dimension, which a line shows"),
        (Table("t", np.zeros((200_001, 2))), "has 200,001 rows, and 200,000 are the most that can be drawn"),
        (Table("t", np.ones((9, 3))), "has all its trained rows alike"),
        (Table("t", np.ones((0, 3))), "has fewer than two trained rows of finite values"),
    ],
)
def test_a_table_with_nothing_to_show_is_refused(made: Table, reason: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        pictures.plane(made, str(tmp_path / "t.png"))
    assert str(refused.value) == (
        f"plane: table 't' {reason}; a trained table of fewer than 2,000 rows, or of two dimensions, is wanted."
    )
    assert not list(tmp_path.iterdir())


def test_a_table_of_a_folder_gives_the_same_picture_each_time(tmp_path: Path) -> None:
    made = table(cloud(50), counts=np.arange(1, 51), details={"genre": ["war", "love"] * 25}, name="films")
    tables.write(str(tmp_path / "tables"), [made])
    before = dict(matplotlib.rcParams)
    pictures.plane(made, str(tmp_path / "first.png"))
    pictures.plane(tables.read(str(tmp_path / "tables"), "films"), str(tmp_path / "second.png"))
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()
    assert dict(matplotlib.rcParams) == before


def test_thousands_of_rows_of_two_dimensions_are_faint_points_and_the_best_known_have_labels() -> None:
    values, counts = cloud(3000, 2), np.append(np.arange(3000, 1, -1), 0)
    genres = [f"{'Drama' if right else 'Comedy'}|{row % 20}" for row, right in enumerate(values[:, 0] > 0)]
    made = table(values, counts=counts, details={"genres": genres})
    figure: Any = planes.drawn(made)
    axes: Any = figure.axes[0]
    crowd, labelled = axes.collections
    assert crowd.get_offsets().shape == (2999, 2)
    assert crowd.get_alpha() < 0.5
    shown = texts(axes)
    assert labelled.get_offsets().shape == (len(shown), 2)
    assert 30 <= len(shown) <= 90
    assert {"word 0", "word 1"} <= {*shown}
    assert {int(text.removeprefix("word ")) for text in shown} <= {*range(1000)}
    own = boxes(axes.texts)
    for one, other in itertools.combinations(own, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    (legend,) = figure.legends
    assert legend.get_title().get_text() == "genres (first)"
    assert sorted(text.get_text() for text in legend.get_texts()) == ["Comedy", "Drama"]
