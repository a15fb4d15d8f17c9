"""A Chromium, and a TensorBoard over what it is to open."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import servers
from tests.browser import page as driver
from tests.browser import shown
from trainer import projector, task

if TYPE_CHECKING:
    from playwright.sync_api import Browser


# Playwright's event loop runs until its end, and other tests start one of their own: so only in this folder.
@pytest.fixture(scope="package")
def browser() -> "Iterator[Browser]":
    """A Chromium without a window."""
    pytest.importorskip("playwright", reason="needs playwright: pip install -e '.[test]'")
    if driver.program() is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with driver.chromium() as running:
        yield running


@pytest.fixture(scope="package")
def runs(tmp_path_factory: pytest.TempPathFactory, nyc_flights_dir: str) -> Path:
    """A folder of runs: flights as `trainer.task` leaves it, and one of made-up tables."""
    place = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        assert task.main(["--dataset", "nyc_flights/JFK", "--data-dir", nyc_flights_dir]) == 0
    projector.write(str(place / "runs" / "made"), shown.TABLES)
    projector.write(str(place / "runs" / "big"), [shown.BIG])
    return place / "runs"


@pytest.fixture(scope="package")
def tensorboard(browser: "Browser", runs: Path) -> Iterator[str]:
    """The address of a TensorBoard over all runs."""
    with servers.tensorboard(runs) as address:
        yield address


@pytest.fixture
def page(browser: "Browser", tensorboard: str) -> Iterator[driver.ProjectorPage]:
    """The projector's page, opened; in the end nothing has been asked of any other machine."""
    with driver.fresh_page(browser, tensorboard) as opened:
        opened.open()
        yield opened
        assert opened.requests_elsewhere() == []
