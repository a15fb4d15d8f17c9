"""Principal components of numbers of any size, and heat maps of tables that hold some that are not finite."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PatchCollection, QuadMesh
from matplotlib.colors import to_hex

from trainer import feature_column as fc
from trainer import pictures
from trainer.pictures import heat_maps
from trainer.pictures.components import principal_components
from trainer.tables import Table
from trainer.tables.table import Array


def crossed(values: Array, down: int, across: int, counts: Array | None = None) -> Table:
    keys = [fc.categorical_column_with_identity("x", down), fc.categorical_column_with_identity("y", across)]
    return Table("x_y", values, fc.embedding_column(fc.crossed_column(keys), values.shape[1], name="x_y"), counts)


def cloud(rows: int) -> Array:
    return np.random.default_rng(0).normal(size=(rows, 3))


def not_finite() -> Table:
    """Rows 1 and 17 of 24 are not finite, and rows 2 and 3 were never trained, of which one is not finite either."""
    values, counts = cloud(24), np.ones(24)
    values[1, 0], values[17], values[3] = np.nan, -np.inf, np.nan
    counts[2:4] = 0
    return crossed(values, 4, 6, counts)


def maps(made: Table) -> list[Any]:
    return [axes for axes in heat_maps.drawn(made).axes if axes.get_label() != "<colorbar>"]


def crossed_out(axes: Any) -> list[tuple[float, ...]]:
    """The column and row of each cell that is drawn as not finite."""
    cells = [drawn for drawn in axes.collections if isinstance(drawn, PatchCollection)]
    return [tuple(path.get_extents().min) for drawn in cells for path in drawn.get_paths()]


@pytest.mark.parametrize("size", [1e-200, 1e-30, 1, 1e30, 1e200])
def test_components_do_not_depend_on_the_size_of_the_numbers(size: float) -> None:
    scores, shares = principal_components(cloud(20), 3)
    sized, sized_shares = principal_components(cloud(20) * size, 3)
    np.testing.assert_allclose(sized / size, scores, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(sized_shares, shares, rtol=1e-9)


def test_numbers_whose_squares_are_too_large_have_a_heat_map(tmp_path: Path) -> None:
    pictures.heat_map(crossed(cloud(24) * 1e200, 4, 6), str(tmp_path / "x_y.png"))
    assert (tmp_path / "x_y.png").exists()


def test_rows_that_are_not_finite_cost_a_heat_map_their_own_cells_alone() -> None:
    made = not_finite()
    expected, _ = principal_components(np.delete(made.values, [1, 2, 3, 17], axis=0), 3)
    for number, axes in enumerate(maps(made)):
        (mesh,) = [drawn for drawn in axes.collections if isinstance(drawn, QuadMesh)]
        shown: Any = mesh.get_array()
        assert np.flatnonzero(np.ma.getmaskarray(shown)).tolist() == [1, 2, 3, 17]
        np.testing.assert_allclose(shown.compressed(), expected[:, number])
        assert crossed_out(axes) == [(1, 0), (5, 2)]


def test_a_heat_map_says_which_cells_are_not_finite() -> None:
    figure = heat_maps.drawn(not_finite())
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["never trained", "not finite"]
    never, not_finite_patch = legend.get_patches()
    assert to_hex(never.get_facecolor()) != to_hex(not_finite_patch.get_facecolor())
    assert "of the 20 rows of 24 that were trained and are finite: " in figure.texts[1].get_text()


def test_where_all_were_trained_a_heat_map_speaks_of_what_is_finite_alone() -> None:
    figure = heat_maps.drawn(crossed(not_finite().values, 4, 6))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["not finite"]
    assert "of the 21 rows of 24 that are finite: " in figure.texts[1].get_text()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_heat_map_with_many_cells_that_are_not_finite_is_a_small_picture(share: float, tmp_path: Path) -> None:
    values = cloud(14_400)
    values[np.random.default_rng(1).random(14_400) < share] = np.nan
    pictures.heat_map(crossed(values, 120, 120), str(tmp_path / "x_y.png"))
    assert (tmp_path / "x_y.png").stat().st_size < 300_000
