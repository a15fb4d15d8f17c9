"""What the colours of a plane tell."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import LogNorm, to_hex

from trainer import feature_column as fc
from trainer.pictures import planes
from trainer.pictures.colouring import Scale
from trainer.pictures.figures import OKABE_ITO
from trainer.tables import Table
from trainer.tables.table import Array


def words(texts: Sequence[str], key: str = "word") -> fc.CategoricalColumn:
    return fc.categorical_column_with_vocabulary_list(key, list(texts))


def table(values: Array, column: fc.CategoricalColumn | None = None, **more: Any) -> Table:
    column = column or words([f"word {row}" for row in range(len(values))])
    return Table("t", values, fc.embedding_column(column, values.shape[1], name="t"), **more)


def cloud(rows: int, dimension: int = 8) -> Array:
    return np.random.default_rng(0).normal(size=(rows, dimension))


def drawn_axes(made: Table) -> list[Any]:
    return planes.drawn(made).axes


DAY = words(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], "day")
HOUR = fc.categorical_column_with_identity("hour", 24)


def crossed(by: Array, *keys: fc.CategoricalColumn, **more: Any) -> Any:
    """The figure of a table whose rows lie where a number of each says, nearly."""
    noise = cloud(len(by), 3) * 0.05
    return planes.drawn(table(np.stack([by, np.sin(by), by * 0], axis=1) + noise, fc.crossed_column(keys), **more))


def test_a_key_of_few_values_that_explains_most_has_a_legend() -> None:
    figure = crossed(np.arange(168) // 24, DAY, HOUR)
    (legend,) = figure.legends
    assert legend.get_title().get_text() == "day"
    assert [text.get_text() for text in legend.get_texts()] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    drawn = figure.axes[0].collections
    assert [to_hex(one.get_facecolors()[0]).upper() for one in drawn] == list(OKABE_ITO[:7])
    assert [len(one.get_offsets()) for one in drawn] == [24] * 7
    assert len({str(one.get_paths()[0].vertices) for one in drawn}) == 7  # each a shape of its own


def test_a_key_of_numbers_that_explains_most_has_a_bar() -> None:
    figure = crossed(np.arange(168) % 24, DAY, HOUR)
    axes, bar = figure.axes
    assert (figure.legends, bar.get_ylabel()) == ([], "hour")
    assert axes.collections[0].get_array().tolist() == (np.arange(168) % 24).tolist()


def test_a_key_of_ranges_goes_from_dark_to_light() -> None:
    age = fc.bucketized_column(fc.numeric_column("age"), [18, 25, 65])
    figure = crossed(np.arange(8) // 2, age, words(["f", "m"], "sex"))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [*map(age.label, range(4))]
    brightness = [one.get_facecolors()[0, :3].sum() for one in figure.axes[0].collections]
    assert brightness == sorted(brightness)


def test_where_no_key_explains_anything_the_colour_is_how_often_a_row_was_trained() -> None:
    counts = np.arange(1, 101) ** 2
    axes, bar = drawn_axes(table(cloud(100), counts=counts))
    assert bar.get_ylabel() == "training examples"
    assert isinstance(axes.collections[0].norm, LogNorm)
    assert axes.collections[0].get_array().tolist() == counts.tolist()


def test_without_counts_points_have_one_colour() -> None:
    (axes,) = drawn_axes(table(cloud(100)))
    assert len(axes.collections[0].get_facecolors()) == 1


def test_a_detail_can_be_what_explains_most() -> None:
    values = cloud(90) + np.eye(90, 8)[np.arange(90) % 3] * 9
    made = table(values, details={"genre": ["war", "$love$", "crime"] * 30})
    (legend,) = planes.drawn(made).legends
    assert (legend.get_title().get_text(), [text.get_text() for text in legend.get_texts()]) == (
        "genre",
        ["war", "$love$", "crime"],
    )


def bar_of(counts: Any) -> tuple[list[str], Array, Any]:
    """The numbers beside the bar of counts, where they stand, and what turns counts into colours."""
    axes, bar = drawn_axes(table(cloud(len(counts)), counts=np.array(counts)))
    axes.figure.canvas.draw()
    return [text.get_text() for text in bar.get_yticklabels()], bar.get_yticks(), axes.collections[0].norm


@pytest.mark.parametrize("counts", [[358, 359, 360, 361], [7, 7, 7], [100, 199, 150, 120]])
def test_rows_trained_nearly_as_often_have_one_colour(counts: list[int]) -> None:
    (axes,) = drawn_axes(table(cloud(len(counts)), counts=np.array(counts)))
    assert len(axes.collections[0].get_facecolors()) == 1


def test_counts_below_a_decade_stand_at_even_distances() -> None:
    assert bar_of([1, 2, 1])[0] == ["1", "2"]
    assert bar_of([3, 4, 29, 12])[0] == ["5", "10", "15", "20", "25"]
    assert not isinstance(bar_of([3, 4, 29, 12])[2], LogNorm)


def test_counts_of_a_decade_and_more_stand_at_factors() -> None:
    assert bar_of([3, 30, 7])[0] == ["5", "10", "20"]
    assert bar_of([9, 1234, 77])[0] == ["10", "20", "50", "100", "200", "500", "1,000"]
    assert bar_of([1, 2_000_000])[0][-2:] == ["100,000", "1,000,000"]


@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=9))
@settings(max_examples=100)
def test_numbers_beside_the_bar_differ_and_are_within_the_counts(counts: list[int]) -> None:
    if max(counts) < 2 * min(counts):
        counts = [1, *counts, 2]
    scale = Scale("training examples", np.array(counts, np.float64), counts=True)
    ticks = scale._ticks()
    texts = [scale._text(tick) for tick in ticks]
    assert len(set(texts)) == len(texts) >= 2
    assert [float(text.replace(",", "")) for text in texts] == pytest.approx(ticks)
    assert min(counts) <= ticks[0] <= ticks[-1] <= max(counts)


def test_large_whole_numbers_of_a_key_are_written_with_all_digits() -> None:
    scale = Scale("zip", np.array([10_115_001.0, 10_115_009.0, -3.0]))
    assert scale._text(10_115_001) == "10115001"
    assert scale._text(-3) == "\N{MINUS SIGN}3"
