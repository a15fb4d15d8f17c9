"""TensorBoard's pages and a run's report in a real Chromium: what the files of a run hold is what they show."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import matplotlib.pyplot as plt
import numpy as np
import pytest

from tests.browser import shown
from tests.browser.page import HEIGHT, WIDTH, ProjectorPage
from trainer import tables
from trainer.tables import Described, Table

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.slow, pytest.mark.browser]

FLIGHTS = "flights/logs/projector"
MADE = "made"

_IMAGES = """() => {
  const loaders = [];
  const search = (root) => root.querySelectorAll('*').forEach((each) => {
    if (each.localName === 'tf-image-loader') loaders.push(each);
    if (each.shadowRoot) search(each.shadowRoot);
  });
  search(document);
  const images = loaders.map((each) => [each.tag, each.shadowRoot.querySelector('img')]);
  return images.length && images.every(([, image]) => image && image.complete && image.naturalWidth)
    ? Object.fromEntries(images.map(([tag, image]) => [tag, [image.naturalWidth, image.naturalHeight]])) : null;
}"""
"""The tag and the size of each picture of the Images tab, once all are there."""


def centred(table: Described) -> shown.Array:
    """The rows as the page is to see them, but for their length; rows that were never trained have no say."""
    return table.values - table.values[table.trained].mean(axis=0, dtype=np.float64)


def assert_neighbours(page: ProjectorPage, values: shown.Array, labels: list[str], row: int) -> None:
    """The page's list, for a label that is there once, is NumPy's: its distances, in its order, for each label."""
    page.select(labels[row])
    listed = page.neighbours()
    distances = shown.cosine_distances(values, row)
    others = np.delete(np.arange(len(values)), row)
    assert len(listed) == min(100, len(others))
    nearest = np.sort(distances[others])[: len(listed)]
    np.testing.assert_allclose([neighbour.distance for neighbour in listed], nearest, atol=0.00051)
    rows: dict[str, list[int]] = {}
    for other in others.tolist():
        rows.setdefault(labels[other], []).append(other)
    for neighbour in listed:
        assert np.abs(distances[rows[neighbour.label]] - neighbour.distance).min() < 0.00051, neighbour


@pytest.mark.parametrize("table", shown.TABLES, ids=lambda table: table.name)
def test_all_points_of_a_table_are_shown_with_the_neighbours_of_the_values_written(
    page: ProjectorPage, table: Table
) -> None:
    page.show(MADE, table.name)
    assert (page.points(), page.dimension()) == (table.rows, max(3, table.dimension))
    assert np.isfinite(np.asarray(page.coordinates(), np.float64)).all()
    labels = [shown.WILD_LABELS.get(label, label) for label in table.titles_of(range(table.rows))]
    row = table.rows - 1
    assert_neighbours(page, centred(table), labels, row)
    if table.dimension < 50:
        page.show(MADE, f"{table.name}.raw")
        assert_neighbours(page, table.values, labels, row)
    assert page.errors() == []


def test_any_label_is_found_as_it_is_shown(page: ProjectorPage) -> None:
    page.show(MADE, "wild")
    found = {label: page.search(label) for label in shown.WILD_LABELS.values()}
    assert found == {label: [label] * (2 if label == "twice" else 1) for label in shown.WILD_LABELS.values()}
    assert page.errors() == []


@pytest.mark.parametrize("name", ["plane", "wild", "wide"])
def test_the_layouts_of_the_page_run(page: ProjectorPage, name: str) -> None:
    page.show(MADE, name)
    page.run_tsne(iterations=10)
    page.run_umap()
    page.run_pca()
    assert np.isfinite(np.asarray(page.coordinates(), np.float64)).all()
    assert page.errors() == []


def test_a_table_of_few_rows_has_layouts_too_once_a_view_was_loaded(page: ProjectorPage) -> None:
    page.show(MADE, "seven")
    page.load(page.views()[0])  # it takes the page's 15 neighbours down to 6
    page.run_tsne(iterations=10)
    page.run_umap()
    assert page.errors() == []


def test_umap_of_three_rows_is_refused_by_the_page_and_nothing_else_breaks(page: ProjectorPage) -> None:
    page.show(MADE, "three")
    page.load(page.views()[0])
    page.run_tsne(iterations=10)
    assert page.errors() == []
    page.run_umap()
    assert {error.split("(")[0] for error in page.errors()} == {"Not enough data points "}
    page.close_errors()
    page.run_pca()
    assert page.points() == 3


@pytest.mark.parametrize("table", shown.TABLES, ids=lambda table: table.name)
def test_every_view_is_drawn_and_leaves_the_axes_whole(page: ProjectorPage, table: Table) -> None:
    page.show(MADE, table.name)
    views = page.views()
    assert views
    for view in views:
        page.load(view)
        drawn = np.asarray(page.coordinates(), np.float64)  # (rows, 2 or 3)
        assert np.isfinite(drawn).all(), view
        assert np.ptp(drawn[:, :2], axis=0).all(), view  # a flat table is flat in the third
        page.run_pca()
        assert np.isfinite(np.asarray(page.coordinates(), np.float64)).all(), view
    assert page.errors() == []


def test_of_120_000_rows_the_most_frequent_100_000_are_shown(page: ProjectorPage) -> None:
    page.show("big", "big.raw")
    rows = shown.most_frequent(shown.BIG)
    assert (page.points(), len(rows)) == (100_000, 100_000)
    assert page.metadata("label") == shown.BIG.labels_of(rows)
    assert_neighbours(page, shown.BIG.values[rows], shown.BIG.labels_of(rows), 5)
    for view in page.views():
        page.load(view)
    page.run_tsne(iterations=1)  # of 10,000 of them, which the page draws by lot
    assert page.errors() == []


def test_what_a_training_leaves_is_shown_and_found(page: ProjectorPage, runs: Path) -> None:
    stored = tables.read(str(runs / "flights" / "tables"), "day_hour")
    labels = stored.labels_of(range(stored.rows))
    page.show(FLIGHTS, "day_hour")
    assert (page.points(), page.search("Fri 17")) == (168, ["Fri 17"])
    assert_neighbours(page, centred(stored), labels, labels.index("Fri 17"))
    page.show(FLIGHTS, "day_hour.raw")
    assert_neighbours(page, stored.values, labels, labels.index("Fri 17"))
    assert page.errors() == []


def test_views_of_every_table_of_a_training_are_drawn(page: ProjectorPage) -> None:
    page.show(FLIGHTS, "day_hour")
    for name in page.tensors():
        page.show(FLIGHTS, name)
        for view in page.views() if name == "day_hour" else page.views()[:1]:
            page.load(view)
            assert np.isfinite(np.asarray(page.coordinates(), np.float64)).all(), (name, view)
            assert view.endswith(f" by {page.colour()}") or page.colour() == "No color map"
    assert page.errors() == []


def test_hours_of_the_week_lie_in_the_colours_of_their_hours(page: ProjectorPage, tmp_path: Path) -> None:
    page.show(FLIGHTS, "day_hour")
    page.select("Fri 17")
    page.load(next(view for view in page.views() if view.endswith("by hour")))
    assert page.colour() == "hour"
    legend = page.legend()
    assert list(legend) == [str(hour) for hour in range(24)]
    assert page.colours_drawn() == [legend[hour] for hour in page.metadata("hour")]
    assert [int(label.split()[1]) for label in page.metadata("label")] == [int(hour) for hour in page.metadata("hour")]
    picture = Path(os.environ.get("TRAINER_SCREENSHOT") or tmp_path / "projector.png")
    page.picture(picture)
    assert_shows_something(picture)


def assert_shows_something(picture: Path) -> None:
    """It has many colours, and the size of the README's picture where there is one."""
    pixels = plt.imread(picture)[..., :3]  # (height, width, 3)
    assert pixels.shape[:2] == (HEIGHT, WIDTH)
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 500
    committed = Path(__file__).parents[2] / "notebooks" / "projector.png"
    if committed.exists():
        assert plt.imread(committed).shape[:2] == pixels.shape[:2]


def test_the_pictures_of_a_training_are_in_tensorboard_s_images_tab(
    browser: "Browser", tensorboard: str, runs: Path
) -> None:
    page = browser.new_page()
    page.goto(f"{tensorboard}#images")
    shown = page.wait_for_function(_IMAGES).json_value()
    names = {path.name.removesuffix(".png") for path in (runs / "flights" / "pictures").iterdir()}
    assert {"day_hour", "day_hour.plane", "curves"} <= names
    assert set(shown) == {f"pictures/{name}" for name in names}
    assert all(width == 1600 for width, _ in shown.values())
    page.close()


@pytest.mark.parametrize(("width", "scheme"), [(1100, "light"), (400, "dark")])
def test_a_report_opens_whole_without_a_network_or_a_script(
    browser: "Browser", runs: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url.partition(":")[0]))
    page.on("console", lambda message: said.append(message.text))
    page.goto((runs / "flights" / "report.html").as_uri())
    assert set(asked) <= {"file", "data"}
    assert said == []
    assert page.title().startswith("flights")
    assert page.evaluate("[...document.images].every((image) => image.naturalWidth)")
    assert page.evaluate("document.images.length") == len(list((runs / "flights" / "pictures").iterdir()))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.scripts.length") == 0
    context.close()
