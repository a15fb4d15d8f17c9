"""Which form the dates and times of a column have."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from trainer import times

_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%d-%m-%Y", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y",
    "%d %b %Y", "%b %d %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y",
)  # fmt: skip
_CLOCKS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
_ZONED = tuple(f"%Y-%m-%d{between}{clock}%z" for between in "T " for clock in ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f"))
FORMS = (
    *_DATES,
    *(f"{date}{between}{clock}" for date in _DATES for between in (" ", "T") for clock in _CLOCKS),
    *_ZONED,
)

_LOOKED_AT = 500
"""Different values that are tried."""

_FIRST = 10
"""The most frequent of them, one of which is a date where a column has dates."""

_SHARE = 0.9
"""The share of them that are dates of any form from which on a column is one of dates."""

_MAY_BE_TIME = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|^\d{8}(\D|$)|\b[A-Za-z]{3,9}\.? \d{1,2},? \d{4}|\b\d{1,2} [A-Za-z]{3,9} \d{4}"
)
_EPOCH_NAME = re.compile(r"time|date|stamp|created|updated|epoch|_at$|_ts$|^ts$", re.IGNORECASE)
_EPOCH = {"seconds": (3e8, 4e9), "milliseconds": (3e11, 4e12)}  # from 1979 to 2096


@dataclass(frozen=True)
class Found:
    """The forms of a column's dates.

    Args:
        forms: One for all; of several, those that there are.
        other: Another form that all have too, the day and the month exchanged.
    """

    forms: tuple[str, ...]
    other: str | None = None

    @property
    def has_hours(self) -> bool:
        """Whether the form has an hour."""
        return self.forms[0] in times.EPOCH or "%H" in self.forms[0] or "%I" in self.forms[0]


def of_texts(values: Sequence[str]) -> Found | None:
    """Returns the form of dates, or None where most values are none.

    Args:
        values: The different ones, the most frequent first.

    Example:
        >>> of_texts(["2015-01-04", "2015-01-05"]).forms, of_texts(["04.01.2015", "2015-01-05"]).forms
        (('%Y-%m-%d',), ('%Y-%m-%d', '%d.%m.%Y'))
        >>> of_texts(["Mon", "Tue"]) is None
        True
    """
    step = max(1, -(-len(values) // _LOOKED_AT))
    tried = [value for value in values[::step] if _MAY_BE_TIME.search(value)]
    if len(tried) < _SHARE * len(values[::step]) or not tried:
        return None
    if not any(_is_read(value, form) for form in FORMS for value in tried[:_FIRST]):
        return None
    read = {form: {value for value in tried if _is_read(value, form)} for form in FORMS}
    whole = [form for form in FORMS if len(read[form]) == len(set(tried))]
    if whole:
        return Found((whole[0],), whole[1] if len(whole) > 1 else None)
    forms: list[str] = []
    left = set(tried)
    while left:
        best = max(FORMS, key=lambda form: len(read[form] & left))
        if not read[best] & left:
            break
        forms.append(best)
        left -= read[best]
    is_time = len(left) <= (1 - _SHARE) * len(set(tried))
    return Found(tuple(sorted(forms, key=FORMS.index))) if is_time else None


def of_numbers(name: str, least: float, greatest: float) -> Found | None:
    """Returns the form of whole numbers that count from 1970 on, or are dates as 20150104; None where they are none.

    Example:
        >>> of_numbers("timestamp", 964982703, 1537799250).forms, of_numbers("price", 964982703, 1537799250)
        (('seconds',), None)
    """
    for form, (first, last) in _EPOCH.items():
        if first <= least and greatest <= last and _EPOCH_NAME.search(name):
            return Found((form,))
    if least >= 19000101 and greatest <= 21001231 and _is_read(str(least), "%Y%m%d"):
        return Found(("%Y%m%d",)) if _is_read(str(greatest), "%Y%m%d") else None
    return None


def _is_read(text: str, form: str) -> bool:
    try:
        times.one(text, form)
    except ValueError:
        return False
    return True
