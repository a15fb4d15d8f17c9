"""Dates and times in texts, as the day of the week, the hour and the month."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

EPOCH = {"seconds": 1, "milliseconds": 1000}
"""What texts may count from the beginning of 1970 on, in UTC, and how many are a second."""

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Times:
    """Parts of times, each `(rows,)`; of a time that is missing, '' and -1.

    Args:
        day: Of the week, one of `DAYS`.
        hour: From 0 on.
        month: From 1 on.
    """

    day: Array
    hour: Array
    month: Array


def read(texts: Sequence[str] | Array, form: str) -> Times:
    """Returns the parts of times.

    Args:
        texts: Of the times, `(rows,)`; '' is missing.
        form: As for `datetime.strptime`, "%Y-%m-%d %H:%M"; or "seconds" or "milliseconds", counted from 1970 on.

    Raises:
        ValueError: A text is no time of this form.

    Example:
        >>> found = read(["2015-01-04 08:00", ""], "%Y-%m-%d %H:%M")
        >>> found.day.tolist(), found.hour.tolist(), found.month.tolist()
        (['Sun', ''], [8, -1], [1, -1])
    """
    different, places = np.unique(np.asarray(texts, object).astype(str), return_inverse=True)
    times = [one(text, form) if text else None for text in different]
    day = np.array(["" if time is None else DAYS[time.weekday()] for time in times], object)
    hour = np.array([-1 if time is None else time.hour for time in times], np.int64)
    month = np.array([-1 if time is None else time.month for time in times], np.int64)
    return Times(day[places], hour[places], month[places])


def one(text: str, form: str) -> datetime.datetime:
    """Returns one time.

    Raises:
        ValueError: The text is no time of this form.
    """
    if form in EPOCH:
        try:
            return datetime.datetime.fromtimestamp(float(text) / EPOCH[form], datetime.UTC)
        except (OverflowError, OSError):
            raise ValueError(f"{text} {form} from 1970 on is no time") from None
    if form == "%Y%m%d":
        text = text.removesuffix(".0")  # as a whole number beside missing ones may be written
    return datetime.datetime.strptime(re.sub(r"(\.\d{6})\d+", r"\1", text), form)  # of nanoseconds the microseconds
