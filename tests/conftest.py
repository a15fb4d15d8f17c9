"""Fixtures for all tests."""

import fcntl
import gc
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest

from tests import environments, estimators
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
    """Puts files with slow or many tests first, so that no worker begins with a long one when the others are done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path not in slow, -tests[item.path]))


def pytest_collection_finish() -> None:
    """Leaves what has been imported, which stays to the end, out of all searches for cycles."""
    gc.freeze()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what all processes of the tests need, which one of them makes."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def nyc_flights_dir(shared: Path) -> str:
    """A data_dir in which nyc_flights/JFK is prepared."""
    data_dir = str(shared / "data")
    datasets.prepare(datasets.builder("nyc_flights/JFK", data_dir), download=False)
    return data_dir


@pytest.fixture(scope="session")
def all_flights_dir(shared: Path) -> str:
    """A data_dir in which nyc_flights/all is prepared: the checkout's own where a training left it there."""
    checkout = str(Path(__file__).parents[1] / "data")
    if datasets.builder("nyc_flights", checkout).is_prepared():
        return checkout
    data_dir = str(shared / "data")
    datasets.prepare(datasets.builder("nyc_flights", data_dir), download=False)
    return data_dir


@contextmanager
def once(place: Path) -> Iterator[bool]:
    """Tells whether what is to be at a place is still to be made; other processes wait meanwhile."""
    with open(f"{place}.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = Path(f"{place}.done")
        yield not done.exists()
        done.touch()


@pytest.fixture(scope="session")
def films_run(shared: Path) -> Path:
    """A run that has learned who likes which planted films, held against its baselines."""
    from tests import films, served  # they load TensorFlow, which most tests do without

    folder = shared / "films"
    with once(folder) as is_first:
        if is_first:
            folder.mkdir()
            served.trained(folder, films.TEXT, films.write(folder / "ratings.csv"), baselines=True)
    return folder / "run"


@pytest.fixture(scope="session")
def gensim(shared: Path) -> Path:
    """The Python of an environment that has gensim, and NumPy as gensim wants it."""
    folder = shared / "gensim"
    with once(folder) as is_first:
        return environments.installed(folder, "gensim") if is_first else environments.python_of(folder)


@pytest.fixture(scope="session")
def old_estimators(shared: Path) -> Path:
    """A folder of models that the Estimators of TensorFlow 2.15 trained: see `tests/estimators`."""
    folder = shared / "estimators"
    with once(folder) as is_first:
        return estimators.unpack(folder) if is_first else folder


@pytest.fixture(scope="session")
def old_tensorflow(shared: Path) -> Path:
    """The Python of an environment that has TensorFlow 2.15, the last with Estimators; skips where none can be had."""
    if sys.version_info >= (3, 12):
        pytest.skip("TensorFlow 2.15 is for Python 3.11 at most")
    folder = shared / "old_tensorflow"
    with once(folder) as is_first:
        if not is_first:
            return environments.python_of(folder)
        try:
            return environments.installed(folder, "tensorflow==2.15.*")
        except subprocess.CalledProcessError as error:
            if b"No matching distribution" not in error.stderr or b"from versions: none" in error.stderr:
                raise  # where pip finds no version at all, it is the network
            pytest.skip("pip finds no TensorFlow 2.15 for this machine")
