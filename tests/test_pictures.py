"""Pictures of tables."""

import itertools
import struct
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import QuadMesh

from trainer import feature_column as fc
from trainer import pictures
from trainer.errors import Refusal
from trainer.pictures import heat_maps
from trainer.pictures.components import principal_components
from trainer.tables import Table

DAY = fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
HOUR = fc.categorical_column_with_identity("hour", 24)


def numbered(key: str, count: int) -> fc.CategoricalColumn:
    return fc.categorical_column_with_identity(key, count)


def table(*keys: fc.CategoricalColumn, dimension: int = 4, seed: int = 0, name: str = "day_hour") -> Table:
    cross = fc.crossed_column(keys or [DAY, HOUR])
    values = np.random.default_rng(seed).normal(size=(cross.num_buckets, dimension)).astype(np.float32)
    return Table(name, values, fc.embedding_column(cross, dimension, name=name))


def planted() -> Table:
    """A table whose first component is the evening, its second the weekend; hours before 5 were never trained."""
    day, hour = np.divmod(np.arange(168), 24)
    evening, weekend = np.where(hour >= 17, 3.0, -1.0), np.where(day >= 5, 1.0, -0.4)
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))
    values = evening[:, None] * turn[0] + weekend[:, None] * turn[1]
    values[hour < 5] = 99  # never trained, and never shown
    column = fc.embedding_column(fc.crossed_column([DAY, HOUR]), 4, name="day_hour")
    return Table("day_hour", values, column, np.where(hour < 5, 0, 7))


def panels(made: Table) -> list[Any]:
    return [axes for axes in heat_maps.drawn(made).axes if axes.get_label() != "<colorbar>"]


def cells(axes: Any) -> Any:
    (mesh,) = [drawn for drawn in axes.collections if isinstance(drawn, QuadMesh)]
    return mesh.get_array()


def size_of(path: Path) -> tuple[int, int]:
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", content[16:24])


def refusal(made: Table, tmp_path: Path) -> str:
    with pytest.raises(Refusal) as refused:
        pictures.heat_map(made, str(tmp_path / "picture.png"))
    assert not list(tmp_path.iterdir())
    return str(refused.value)


def test_a_heat_map_is_a_small_picture_wide_enough_to_read(tmp_path: Path) -> None:
    path = tmp_path / "day_hour.png"
    pictures.heat_map(planted(), str(path))
    assert size_of(path)[0] == 1600
    assert path.stat().st_size < 300_000


@pytest.mark.parametrize("trained", [0.5, 1.0])
def test_the_largest_and_noisiest_heat_map_is_under_300_kb(tmp_path: Path, trained: float) -> None:
    made = table(numbered("x", 120), numbered("y", 120))
    counts = (np.random.default_rng(1).random(made.rows) < trained).astype(int)
    path = tmp_path / "big.png"
    pictures.heat_map(Table(made.name, made.values, made.column, counts), str(path))
    assert size_of(path)[0] == 800
    assert path.stat().st_size < 300_000


def test_the_picture_of_a_table_is_always_the_same(tmp_path: Path) -> None:
    for name in ("first.png", "second.png"):
        pictures.heat_map(planted(), str(tmp_path / name))
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()


def test_a_heat_map_leaves_the_settings_of_matplotlib_alone(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    pictures.heat_map(planted(), str(tmp_path / "day_hour.png"))
    assert dict(matplotlib.rcParams) == before


def test_planted_directions_are_shown_one_a_map() -> None:
    first, second = map(cells, panels(planted()))
    assert first.shape == second.shape == (7, 24)
    assert (first[:, 17:] > 0).all()
    assert (first[:, 5:17] < 0).all()
    assert (second[5:, 5:] > 0).all()
    assert (second[:5, 5:] < 0).all()


def test_cells_that_were_never_trained_are_left_empty() -> None:
    for axes in panels(planted()):
        mask = np.ma.getmaskarray(cells(axes))
        assert mask[:, :5].all()
        assert not mask[:, 5:].any()


def test_the_legend_explains_empty_cells_where_there_are_any() -> None:
    (legend,) = heat_maps.drawn(planted()).legends
    assert [text.get_text() for text in legend.get_texts()] == ["never trained"]
    assert heat_maps.drawn(table()).legends == []


def test_the_first_key_runs_down_and_the_second_across() -> None:
    axes = panels(planted())[-1]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert [text.get_text() for text in axes.get_xticklabels()] == [f"{hour:02d}" for hour in range(24)]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("day", "hour")
    top, bottom = axes.transData.transform([(0, 0.5), (0, 6.5)])[:, 1]
    assert top > bottom


def test_the_titles_say_what_is_explained() -> None:
    figure = heat_maps.drawn(planted())
    assert [text.get_text() for text in figure.texts] == [
        "day_hour\n",
        "First 2 principal components of the 133 rows of 168 that were trained: 100% of the variance",
    ]
    titles = [axes.get_title(loc="left") for axes in panels(planted())]
    values = planted().values[planted().trained]
    variance = np.linalg.eigvalsh(np.cov(values.T))[::-1]
    assert titles == [f"Component {n + 1}: {variance[n] / variance.sum():.0%}" for n in range(2)]


@pytest.mark.parametrize(("dimension", "maps"), [(1, 1), (2, 2), (3, 3), (9, 3)])
def test_up_to_three_components_are_drawn(dimension: int, maps: int) -> None:
    assert len(panels(table(dimension=dimension))) == maps


def test_zero_is_in_the_middle_of_the_colours() -> None:
    for axes in panels(planted()):
        (mesh,) = [drawn for drawn in axes.collections if isinstance(drawn, QuadMesh)]
        assert mesh.norm(np.zeros(1)) == 0.5
        red, _, blue, _ = mesh.cmap(0.5)
        assert abs(red - blue) < 0.01


def test_many_labels_are_thinned_and_long_ones_cut_and_turned() -> None:
    names = [f"an airport with a long name, number {number}" for number in range(100)]
    airports = fc.categorical_column_with_vocabulary_list("airport", names)
    axes = panels(table(numbered("row", 100), airports))[-1]
    across, down = axes.get_xticklabels(), axes.get_yticklabels()
    assert {text.get_rotation() for text in across} == {90}
    assert {text.get_text() for text in across} == {"an airport with a l…"}
    figure = axes.figure
    figure.canvas.draw()
    for labels, side in ((across, 0), (down, 1)):
        boxes = sorted(box for text in labels if (box := text.get_window_extent().get_points()[:, side].tolist()))
        assert len(boxes) > 10
        assert all(left[1] <= right[0] for left, right in itertools.pairwise(boxes))


def test_labels_that_look_like_formulas_or_have_no_glyph_are_drawn_as_they_are(tmp_path: Path) -> None:
    prices = fc.categorical_column_with_vocabulary_list("$price$", ["$5$", r"$\frac$", "東京", ""])
    made = table(prices, numbered("hour_$", 2), name="t")
    made = Table("$x_hour$", made.values, made.column)
    pictures.heat_map(made, str(tmp_path / "prices.png"))
    assert [text.get_text() for text in panels(made)[0].get_yticklabels()] == ["$5$", r"$\frac$", "東京", ""]


def test_what_can_be_drawn_is_drawn_and_named_safely(tmp_path: Path) -> None:
    hour = Table("hour", np.eye(24), fc.embedding_column(HOUR, 24))
    alike, many = Table("alike", np.ones((3, 3))), Table("many", np.eye(2000, 3))
    along = Table("along", np.arange(3000.0)[:, np.newaxis])
    history = [{"epoch": 1, "loss": 0.5}]
    found = pictures.write(str(tmp_path / "pictures"), [hour, planted(), table(name="b"), alike, many, along], history)
    wanted = {
        "day_hour.png": ("heat map", "day_hour"),
        "b.png": ("heat map", "b"),
        "hour.plane.png": ("plane", "hour"),
        "day_hour.plane.png": ("plane", "day_hour"),
        "b.plane.png": ("plane", "b"),
        "along.line.png": ("line", "along"),
        "curves.png": ("curves", None),
    }
    assert found == [pictures.Picture(f"{tmp_path}/pictures/{name}", *what) for name, what in wanted.items()]
    assert all(size_of(Path(picture)) for picture in found)
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == sorted(wanted)


def test_no_two_pictures_share_a_file(tmp_path: Path) -> None:
    """Not even those of a table called as another's plane, as the curves, or as another but for its case."""
    made = [table(numbered("x", 2), numbered("y", 3), name=name) for name in ("x", "x.plane", "curves", "X")]
    found = pictures.write(str(tmp_path), made, [{"loss": 0.5}])
    names = ["x.png", "x.plane.png", "curves-2.png", "X-2.png"]
    planes = ["x.plane-2.png", "x.plane.plane.png", "curves.plane.png", "X.plane-3.png"]
    assert [Path(path).name for path in found] == [*names, *planes, "curves.png"]
    assert [picture.table for picture in found] == ["x", "x.plane", "curves", "X"] * 2 + [None]
    assert len({picture.path.casefold() for picture in found}) == 9


def test_without_anything_to_draw_no_folder_is_made(tmp_path: Path) -> None:
    assert pictures.write(str(tmp_path / "pictures"), [Table("v", np.ones((3, 3)))]) == []
    assert not list(tmp_path.iterdir())


def test_a_picture_that_fails_costs_no_other_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "day_hour.plane.png").mkdir()  # a file cannot take its place
    with pytest.raises(IsADirectoryError):
        pictures.write(str(tmp_path), [planted(), table(name="b")], [{"loss": 0.5}])
    names = ["b.plane.png", "b.png", "curves.png", "day_hour.plane.png", "day_hour.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert size_of(tmp_path / "b.plane.png")


def test_several_pictures_that_fail_are_all_told(tmp_path: Path) -> None:
    for name in ("day_hour.png", "curves.png"):
        (tmp_path / name).mkdir()
    with pytest.raises(ExceptionGroup, match=r"2 pictures could not be drawn; the first: .*Is a directory") as failed:
        pictures.write(str(tmp_path), [planted()], [{"loss": 0.5}])
    assert [type(error) for error in failed.value.exceptions] == [IsADirectoryError, IsADirectoryError]
    assert size_of(tmp_path / "day_hour.plane.png")


def test_what_was_drawn_is_returned_where_others_fail_and_who_asks_is_told_of_each(tmp_path: Path) -> None:
    for name in ("day_hour.png", "curves.png"):
        (tmp_path / name).mkdir()
    told: list[tuple[pictures.Picture, Exception]] = []
    found = pictures.write(str(tmp_path), [planted()], [{"loss": 0.5}], lambda *failure: told.append(failure))
    assert found == [pictures.Picture(f"{tmp_path}/day_hour.plane.png", pictures.PLANE, "day_hour")]
    assert [(picture.kind, picture.table, type(error)) for picture, error in told] == [
        (pictures.HEAT_MAP, "day_hour", IsADirectoryError),
        (pictures.CURVES, None, IsADirectoryError),
    ]


@pytest.mark.parametrize(
    "column",
    [None, HOUR, fc.crossed_column(["day", "hour"], 24), fc.crossed_column([DAY, HOUR, numbered("month", 12)])],
)
def test_a_table_on_no_cross_of_two_is_refused(tmp_path: Path, column: fc.CategoricalColumn | None) -> None:
    rows = 24 if column is None else column.num_buckets
    made = Table("t", np.ones((rows, 2)), None if column is None else fc.embedding_column(column, 2))
    assert refusal(made, tmp_path) == (
        "heat_map: table 't' is on no exact cross of two keys; a trained table on an exact cross of two is wanted."
    )


def test_a_key_of_too_many_values_is_refused(tmp_path: Path) -> None:
    assert refusal(table(numbered("x", 2), numbered("y", 121)), tmp_path) == (
        "heat_map: table 'day_hour' has 121 values of 'y', and 120 are the most that can be drawn; "
        "a trained table on an exact cross of two is wanted."
    )


@pytest.mark.parametrize(
    ("values", "counts", "reason"),
    [
        (np.arange(168.0)[:, None], np.eye(168)[3], "has fewer than two trained rows"),
        (np.full((168, 1), np.nan), np.ones(168), "has values that are not finite"),
        (np.full((168, 3), 0.1), np.ones(168), "has all its trained rows alike"),
        (np.zeros((168, 3)), np.ones(168), "has all its trained rows alike"),
    ],
)
def test_a_table_with_nothing_to_show_is_refused(tmp_path: Path, values: Any, counts: Any, reason: str) -> None:
    column = fc.embedding_column(fc.crossed_column([DAY, HOUR]), values.shape[1], name="t")
    assert refusal(Table("t", values, column, counts), tmp_path) == (
        f"heat_map: table 't' {reason}; a trained table on an exact cross of two is wanted."
    )


@given(st.integers(0, 1000), st.integers(2, 30), st.integers(1, 8))
def test_components_are_those_of_the_covariance(seed: int, rows: int, dimension: int) -> None:
    values = np.random.default_rng(seed).normal(size=(rows, dimension)) * np.arange(1, dimension + 1)
    scores, shares = principal_components(values, 3)
    variance = np.linalg.eigvalsh(np.cov(values.T).reshape(dimension, dimension))[::-1]
    expected = (variance / variance.sum())[:3]
    np.testing.assert_allclose(shares, expected[: len(shares)], atol=1e-9)
    assert (expected[len(shares) :] < 0.02).all()
    np.testing.assert_allclose(scores.var(axis=0, ddof=1), variance[: len(shares)], rtol=1e-6)


def test_the_first_component_stays_however_small_its_share() -> None:
    scores, shares = principal_components(np.eye(100), 3)
    assert (scores.shape, shares.shape) == ((100, 1), (1,))
    assert principal_components(np.eye(100), 3, least=0)[1].tolist() == pytest.approx([1 / 99] * 3)


@given(st.integers(0, 1000))
def test_components_do_not_depend_on_how_the_table_is_turned(seed: int) -> None:
    numbers = np.random.default_rng(seed)
    values = numbers.normal(size=(20, 4)) * [8, 4, 2, 1]
    turn, _ = np.linalg.qr(numbers.normal(size=(4, 4)))
    straight, turned = principal_components(values, 3)[0], principal_components(values @ turn + 7, 3)[0]
    np.testing.assert_allclose(straight, turned, atol=1e-8)
    assert (straight.max(axis=0) >= -straight.min(axis=0)).all()
