"""Fixtures for all tests."""

import pytest

from trainer import datasets


@pytest.fixture(scope="session")
def nyc_flights_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data_dir in which nyc_flights/JFK is prepared."""
    data_dir = str(tmp_path_factory.mktemp("data"))
    datasets.prepare(datasets.builder("nyc_flights/JFK", data_dir), download=False)
    return data_dir
