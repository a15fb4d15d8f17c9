"""What says which rows a problem has: files and their form, shares, and how many bad rows there may be."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from trainer.errors import Refusal
from trainer.rows import ByDate, CsvFormat, Files, Grouped, Limit, Share


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("0", Limit(0), "0"),
        (" 1200 ", Limit(1200), "1,200"),
        ("1%", Limit(None, 0.01), "1 %"),
        (".5 %", Limit(None, 0.005), "0.5 %"),
        ("100%", Limit(None, 1.0), "100 %"),
    ],
)
def test_a_limit_is_a_number_of_rows_or_a_share_of_them(text: str, limit: Limit, shown: str) -> None:
    assert (Limit.parsed(text), str(limit)) == (limit, shown)


@pytest.mark.parametrize("text", ["", "few", "-1", "1.5", "101%", "1%%", "\u0661"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refusal:
        Limit.parsed(text)
    assert str(refusal.value) == (
        f"--max-bad-rows: a number of rows, as 10, or a share of them, as 1%, is wanted, not '{text}'."
    )


def test_a_number_is_judged_at_once_and_a_share_of_few_rows_once_all_are_read() -> None:
    assert [Limit(2).allows(bad, 10**6) for bad in (2, 3)] == [True, False]
    share = Limit(None, 0.01)
    assert [share.allows(bad, 100) for bad in (1, 99)] == [True, True]
    assert [share.allows(bad, 100, is_end=True) for bad in (1, 2)] == [True, False]
    assert [share.allows(bad, 10_000) for bad in (100, 101)] == [True, False]
    assert Limit(None, 0.0).allows(0, 0, is_end=True)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Share(0), "Share: a share above 0 and below 1 is wanted, not 0."),
        (lambda: Share(1.0), "Share: a share above 0 and below 1 is wanted, not 1.0."),
        (lambda: Files("a.csv", test_share=1), "Files: test_share is above 0 and below 1, not 1."),
        (lambda: Grouped("who", test_share=0), "Grouped: test_share is above 0 and below 1, not 0."),
        (lambda: Grouped("who", {"stars": math.nan}), "Grouped: least of 'stars' is a number, not nan."),
        (lambda: ByDate("date", 0), "ByDate: train_days is a whole number of at least 1, not 0."),
        (lambda: CsvFormat("ab"), "CsvFormat: delimiter is one letter of ASCII, such as ';', not 'ab'."),
        (lambda: CsvFormat("é"), "CsvFormat: delimiter is one letter of ASCII, such as ';', not 'é'."),
        (
            lambda: CsvFormat(column_names=["a", "b", "a"]),
            "CsvFormat: column_names has 'a' twice; give each column its own name.",
        ),
    ],
)
def test_what_says_no_rows_is_refused(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        make()
    assert str(refusal.value) == sentence
