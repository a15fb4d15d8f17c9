"""Hires of bikes for each hour of two years, in London and in Washington DC, split by time."""

import csv
import gzip
import io
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from trainer import paths
from trainer.errors import Refusal, nearest

CITIES = {"london": "London, 2015-01-04 to 2017-01-03", "dc": "Washington DC, 2011-01-01 to 2012-12-31"}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
COLUMNS = ("timestamp", "cnt", "is_holiday")
TRAIN_TENTHS = 8

DESCRIPTION = """
How many bikes were hired in each hour of two years, in order of time. Train is the first 80 % of the days, test is the
rest.
"""
INSTRUCTIONS = (
    "make it from the cycle hire counts of Transport for London (cycling.data.tfl.gov.uk) or, for dc, from hour.csv of "
    "UCI 275 Bike Sharing (archive.ics.uci.edu/dataset/275: dteday and hr are timestamp, holiday is is_holiday), with "
    "the header timestamp,cnt,is_holiday and rows like 2015-01-04 00:00:00,182,0"
)
CITATIONS = {
    "london": "Powered by TfL Open Data. Contains OS data © Crown copyright and database rights 2016 and Geomni UK Map "
    "data © and database rights 2019",
    "dc": "Fanaee-T, Hadi and Gama, Joao: Event labeling combining ensemble detectors and background knowledge, "
    "Progress in Artificial Intelligence, 2013; UCI 275",
}
LICENSES = {"london": "Transport for London open data, based on OGL 2.0", "dc": "CC BY 4.0"}
HOMEPAGES = {"london": "https://cycling.data.tfl.gov.uk", "dc": "https://archive.ics.uci.edu/dataset/275"}


class BikeHires(tfds.core.GeneratorBasedBuilder):
    """Bike hires by the hour, from a file that is put into the folder `manual` by hand; one config for each city."""

    VERSION = tfds.core.Version("1.0.0")
    NEEDS_DOWNLOAD = False
    MANUAL_DOWNLOAD_INSTRUCTIONS = INSTRUCTIONS
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name=name, description=f"Hires in {where}.") for name, where in CITIES.items()
    ]

    @property
    def manual_files(self) -> list[str]:
        """The name of the file that has to be in the folder `manual`, as it is or without `.gz`."""
        return [f"{self.builder_config.name}_hourly_counts.csv.gz"]

    def _info(self) -> tfds.core.DatasetInfo:
        city = self.builder_config.name
        return tfds.core.DatasetInfo(
            builder=self,
            description=DESCRIPTION,
            features=_features(),
            supervised_keys=None,
            disable_shuffling=True,  # readers rely on the order of time
            homepage=HOMEPAGES[city],
            citation=CITATIONS[city],
            license=LICENSES[city],
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[int, dict[str, Any]]]]:
        path = paths.join(os.fspath(dl_manager.manual_dir), *self.manual_files)
        hires = read_hires(path if paths.exists(path) else path.removesuffix(".gz"))
        train, test = divided(hires)
        return {"train": self._generate_examples(train), "test": self._generate_examples(test)}

    def _generate_examples(self, hires: Sequence[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
        return enumerate(hires)


def _features() -> tfds.features.FeaturesDict:
    def whole(doc: str) -> Any:
        return tfds.features.Scalar(np.int64, doc=doc)

    return tfds.features.FeaturesDict(
        {
            "date": tfds.features.Text(doc="the date, as in 2015-01-04"),
            "day": tfds.features.Text(doc="weekday of the date, Mon to Sun"),
            "hour": whole("the hour that begins, local time, 0 to 23"),
            "month": whole("month of the date, 1 to 12"),
            "is_holiday": whole("1 on public holidays, else 0"),
            "cnt": whole("bikes hired in this hour"),
        }
    )


def read_hires(path: str) -> list[dict[str, Any]]:
    """Returns the features of each hour of a CSV file, plain or compressed with gzip, in order of time.

    Raises:
        Refusal: The file or an hour of it cannot be read, it lacks a column, or its hours are of fewer than two days.
    """
    rows = csv.DictReader(io.StringIO(_text(path), newline=""))
    header = rows.fieldnames or []
    for column in COLUMNS:
        if column not in header:
            ending = nearest(column, header) or f"; it has {', '.join(header) or 'none'}."
            raise Refusal(f"bike_hires: {path} has no column '{column}'{ending}")
    hires = [_hire(row, number, path) for number, row in enumerate(rows, 1)]
    days = len({hire["date"] for hire in hires})
    if days < 2:
        raise Refusal(
            f"bike_hires: {path} has hours of {days} day{'' if days == 1 else 's'}, and two at least are wanted, to "
            "learn from and to test on."
        )
    return sorted(hires, key=lambda hire: (hire["date"], hire["hour"]))


def _text(path: str) -> str:
    content = paths.read_bytes(path)
    try:
        content = gzip.decompress(content) if path.endswith(".gz") else content
    except (OSError, EOFError, zlib.error):
        raise Refusal(
            f"bike_hires: {path} is no whole gzip file; compress it again, or give it as it is without .gz in its name."
        ) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal(f"bike_hires: {path} is not UTF-8; save it as UTF-8.") from None


def _hire(row: Mapping[str, str], number: int, path: str) -> dict[str, Any]:
    try:
        return example(*(row[column] for column in COLUMNS))
    except (ValueError, TypeError, OverflowError):  # a short row has None in it
        raise Refusal(
            f"bike_hires: row {number:,} of {path} should be like 2015-01-04 00:00:00,182,0, not "
            f"{','.join(str(row[column] or '') for column in COLUMNS)}."
        ) from None


def example(timestamp: str, cnt: str, is_holiday: str) -> dict[str, Any]:
    """Returns the features of an hour.

    Raises:
        ValueError: The time is none, or a number is none.
        OverflowError: A number is infinite.

    Example:
        >>> example("2015-01-04 13:00:00", "1182", "0")
        {'date': '2015-01-04', 'day': 'Sun', 'hour': 13, 'month': 1, 'is_holiday': 0, 'cnt': 1182}
    """
    day = date.fromisoformat(timestamp[:10])
    hour = int(timestamp[11:13])
    if not 0 <= hour < 24:
        raise ValueError(timestamp)
    return {
        "date": day.isoformat(),
        "day": DAYS[day.weekday()],
        "hour": hour,
        "month": day.month,
        "is_holiday": int(float(is_holiday)),
        "cnt": int(float(cnt)),
    }


def divided(hires: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Returns the hours of the first 80 % of the days, and those of the days after them."""
    days = sorted({hire["date"] for hire in hires})
    learned = set(days[: len(days) * TRAIN_TENTHS // 10])
    return [hire for hire in hires if hire["date"] in learned], [hire for hire in hires if hire["date"] not in learned]
