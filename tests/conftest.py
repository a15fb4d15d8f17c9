"""Fixtures for all tests."""

import gc
import os
import signal
from pathlib import Path

import hypothesis
import pytest

from tests import environments
from trainer import datasets

# What a script starts beside itself ignores Ctrl-C, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Python would look for cycles among TensorFlow's many objects a sixth of the time.
gc.set_threshold(50_000, 10, 10)
# Files of tests are run on all cores at a time, where the threads of one would wait for those of another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A busy machine is no defect: no test fails by the clock.
hypothesis.settings.register_profile(
    "patient",
    parent=hypothesis.settings.get_profile(hypothesis.settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts files with slow tests first, so that no worker begins with a long one when the others are done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """Leaves what has been imported, which stays to the end, out of all searches for cycles."""
    gc.freeze()


@pytest.fixture(scope="session")
def nyc_flights_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data_dir in which nyc_flights/JFK is prepared, once for all processes of the tests."""
    folder = tmp_path_factory.getbasetemp()
    data_dir = str((folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "data")
    datasets.prepare(datasets.builder("nyc_flights/JFK", data_dir), download=False)
    return data_dir


@pytest.fixture(scope="session")
def all_flights_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data_dir in which nyc_flights/all is prepared: the checkout's own where a training left it there."""
    checkout = str(Path(__file__).parents[1] / "data")
    if datasets.builder("nyc_flights", checkout).is_prepared():
        return checkout
    data_dir = str(tmp_path_factory.mktemp("all"))
    datasets.prepare(datasets.builder("nyc_flights", data_dir), download=False)
    return data_dir


@pytest.fixture(scope="session")
def films_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has learned who likes which planted films, held against its baselines."""
    from tests import films, served  # they load TensorFlow, which most tests do without

    folder = tmp_path_factory.mktemp("films")
    return served.trained(folder, films.TEXT, films.write(folder / "ratings.csv"), baselines=True)


@pytest.fixture(scope="session")
def gensim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has gensim, and NumPy as gensim wants it."""
    return environments.installed(tmp_path_factory.mktemp("gensim") / "venv", "gensim")
