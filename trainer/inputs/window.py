"""Some days of the data to train on, and the days right after them to test on."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.errors import Refusal
from trainer.problem import ByDate


@dataclass(frozen=True)
class Window:
    """The days of each split of some data.

    Args:
        key: The feature with the date.
        days: The dates of "train" and of "test".
        rows: How many rows each of the two has.
    """

    key: str
    days: Mapping[str, tuple[str, ...]]
    rows: Mapping[str, int]

    def of(self, split: str, batches: tf.data.Dataset) -> tf.data.Dataset:
        """Returns those rows of batches of features, or of features and labels, whose date is in a split."""
        days = self.days[split]
        initial = tf.lookup.KeyValueTensorInitializer(tf.constant(days), tf.ones(len(days), tf.int64))
        table = tf.lookup.StaticHashTable(initial, 0)

        def of_the_days(*element: Any) -> Any:
            features = element[0]
            places = tf.where(tf.reshape(table.lookup(features[self.key]), [-1]))[:, 0]
            kept = tf.nest.map_structure(lambda values: tf.gather(values, places), element)
            return kept if len(kept) > 1 else kept[0]

        return batches.map(of_the_days, num_parallel_calls=tf.data.AUTOTUNE)


def window(how: ByDate, who: str, name: str, batches: Iterator[Any]) -> Window:
    """Returns the days that a problem asks for, among those that the data have.

    Args:
        how: What is asked for.
        who: The problem's name, for refusals.
        name: What a person calls the data.
        batches: The values of the feature with the date, in arrays of bytes.

    Raises:
        Refusal: The start is no day of the data, or too few days follow it.
    """
    counts: Counter[str] = Counter()
    for values in batches:
        found, numbers = np.unique(np.reshape(values, -1).astype(bytes), return_counts=True)
        counts.update(dict(zip((value.decode(errors="replace") for value in found), map(int, numbers), strict=True)))
    if not counts:
        raise Refusal(f"{who}: {name} has no rows.")
    dates = {text: _date(text, how.key, who, name) for text in counts}
    first, last = min(dates.values()), max(dates.values())
    start = first if how.start is None else _start(how.start, dates, f"{who}: ", f"{name} has {first} to {last}")
    wanted = how.train_days + how.test_days
    if wanted > (last - start).days + 1:
        raise Refusal(
            f"{who}: {_days(how.train_days)} from {start} and {_days(how.test_days)} after them to test on end "
            f"{_last(start, wanted)}, and {name} has {first} to {last}; give fewer days or an earlier start."
        )
    days = {
        "train": tuple(text for text, day in dates.items() if 0 <= (day - start).days < how.train_days),
        "test": tuple(text for text, day in dates.items() if how.train_days <= (day - start).days < wanted),
    }
    for split, texts in days.items():
        if not texts:
            raise Refusal(f"{who}: {name} has no rows of the days to {split} on; give another start or more days.")
    return Window(how.key, days, {split: sum(counts[text] for text in texts) for split, texts in days.items()})


def _start(text: str, dates: Mapping[str, date], who: str, ending: str) -> date:
    try:
        start = date.fromisoformat(text)
    except ValueError:
        raise Refusal(f"{who}the start '{text}' is no date as in 2015-01-04; {ending}.") from None
    if start not in dates.values():
        raise Refusal(f"{who}the start {text} is not among the days of the data; {ending}.")
    return start


def _date(text: str, key: str, who: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal(f"{who}: {name} holds '{text}' as '{key}', and a date as in 2015-01-04 is wanted.") from None


def _last(start: date, days: int) -> str:
    try:
        return f"on {start + timedelta(days=days - 1)}"
    except OverflowError:
        return f"after {date.max}"


def _days(count: int) -> str:
    return f"{count:,} day" + ("" if count == 1 else "s")
