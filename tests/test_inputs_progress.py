"""What a person sees while files are read: a line that changes on a terminal, lines now and then in a log."""

import dataclasses
import io
import re
import time
from pathlib import Path

import pytest

from tests import planted, trips
from trainer.inputs import blocks, split
from trainer.inputs.examples import Source
from trainer.inputs.progress import ReadingProgress
from trainer.job.plan import with_settings
from trainer.job.reading import dtypes_of
from trainer.problem import Grouped, Problem
from trainer.settings import Settings


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def tick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that each look at the clock takes; files are read in small pieces."""
    now, seconds = [1000.0], [0.25]

    def look() -> float:
        now[0] += seconds[0]
        return now[0]

    monkeypatch.setattr(time, "perf_counter", look)
    monkeypatch.setattr(blocks.Rows.__init__, "__defaults__", (700, 1))
    return seconds


def source_of(file: Path, problem: Problem = trips.PROBLEM) -> Source:
    problem = with_settings(problem, Settings(train_files=trips.write(file)))
    return Source(problem, dtypes_of(problem), "")


def shown(name: str, out: io.StringIO, folder: Path, every_seconds: float = 30.0) -> str:
    """What is written while a file is read."""
    source = source_of(folder / name)
    with ReadingProgress("reading", source, out, every_seconds) as told:
        split.read(source, None, tell=told.add)
    return out.getvalue()


LINE = r"reading  ([\d,]+) rows  (\d+) %(?: of [\d.]+ kB)?  ([\d,]+) rows/s  (\d+) s left"


def numbers_of(lines: list[str]) -> list[list[int]]:
    """The rows, the percent, the rows a second and the seconds left that lines tell."""
    found = [re.fullmatch(LINE, line) for line in lines]
    assert None not in found
    columns = zip(*(each.groups() for each in found if each), strict=True)
    return [[int(number.replace(",", "")) for number in column] for column in columns]


def test_on_a_terminal_one_line_changes_after_a_second_and_is_gone_in_the_end(
    tmp_path: Path, tick: list[float]
) -> None:
    first, *lines, last = shown("trips.csv", Terminal(), tmp_path).split("\r\033[K")
    assert (first, last) == ("", "")
    rows, percents, _, left = numbers_of(lines)
    assert rows == sorted({*rows})
    assert rows[-1] == 300
    assert percents == sorted(percents)
    assert 0 < percents[0] < percents[-1] == 100
    assert left[-1] == 0
    assert all(" % of 12.9 kB  " in line for line in lines)
    assert int(re.findall(r"\d+", lines[0])[0]) > 40  # the first second tells nothing


def test_the_share_of_the_rows_is_told_where_files_say_how_many_they_have(tmp_path: Path, tick: list[float]) -> None:
    tick[0] = 1.0
    _, *lines, _ = shown("trips.parquet", Terminal(), tmp_path).split("\r\033[K")
    rows, percents, speed, left = numbers_of(lines)
    assert rows == [100, 200, 300]
    assert percents[-1] == 100
    assert percents == sorted(percents)
    assert (speed, left[-1]) == ([100, 100, 100], 0)
    assert not any(" of " in line for line in lines)


def test_in_a_log_a_line_comes_now_and_then_and_none_before(tmp_path: Path, tick: list[float]) -> None:
    tick[0] = 2.0
    text = shown("trips.csv", io.StringIO(), tmp_path)
    assert text.endswith("\n")
    lines = text.splitlines()
    rows, percents, _, _ = numbers_of(lines)
    assert len(lines) in (1, 2)  # of 38 seconds
    assert 0 < rows[0] < 300
    assert 0 < percents[0] <= 100
    assert "\r" not in text
    assert "\033" not in text
    tick[0] = 0.01
    assert shown("trips.csv", io.StringIO(), tmp_path) == ""


def test_what_columns_learn_is_counted_by_the_rows_of_each_batch(tmp_path: Path, tick: list[float]) -> None:
    source, out = source_of(tmp_path / "trips.csv"), Terminal()
    with ReadingProgress("reading", source, out) as told:
        batches = [*split.training_rows(source, tell=told.add)]
    rows, *_ = numbers_of(out.getvalue().split("\r\033[K")[1:-1])
    assert rows[-1] == 300 > sum(len(batch["hour"]) for batch in batches)


def test_rows_that_are_grouped_are_counted_as_they_are_read(tmp_path: Path, tick: list[float]) -> None:
    problem, out = dataclasses.replace(trips.PROBLEM, bags=["tags"], grouped=Grouped("hour")), Terminal()
    source = source_of(tmp_path / "trips.csv", problem)
    with ReadingProgress("reading", source, out) as told:
        split.read(source, None, tell=told.add)
    rows, percents, *_ = numbers_of(out.getvalue().split("\r\033[K")[1:-1])
    assert (rows[-1], percents[-1]) == (300, 100)
    assert len(rows) > 3


def test_the_rows_of_a_data_set_are_told_without_a_share_where_it_does_not_say_how_many(tick: list[float]) -> None:
    source, out = Source(planted.PROBLEM, dtypes_of(planted.PROBLEM), ""), Terminal()
    with ReadingProgress("reading", source, out) as told:
        split.read(source, None, tell=told.add)
    *_, line, last = out.getvalue().split("\r\033[K")
    assert re.fullmatch(r"reading  20,000 rows  [\d,]+ rows/s", line)
    assert last == ""
