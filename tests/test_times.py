"""Parts of times in texts."""

import pytest

from trainer import times


@pytest.mark.parametrize(
    ("text", "form", "parts"),
    [
        ("2015-01-04", "%Y-%m-%d", ("Sun", 0, 1)),
        ("04.12.2015 23:59", "%d.%m.%Y %H:%M", ("Fri", 23, 12)),
        ("1420329600", "seconds", ("Sun", 0, 1)),
        ("1420329600.0", "seconds", ("Sun", 0, 1)),
        ("1420333200000", "milliseconds", ("Sun", 1, 1)),
        ("", "%Y-%m-%d", ("", -1, -1)),
    ],
)
def test_a_time_has_a_day_an_hour_and_a_month(text: str, form: str, parts: tuple[str, int, int]) -> None:
    found = times.read([text, text], form)
    assert (found.day[1], found.hour[1], found.month[1]) == parts
    assert len(found.day) == 2


@pytest.mark.parametrize(
    ("text", "form"), [("2015-13-04", "%Y-%m-%d"), ("noon", "seconds"), ("1e30", "seconds"), (" ", "%Y-%m-%d")]
)
def test_what_is_no_time_is_an_error_that_sets_a_row_aside(text: str, form: str) -> None:
    with pytest.raises(ValueError, match=r"time|float"):
        times.read([text], form)
