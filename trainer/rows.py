"""Which rows a problem has, and how they are dealt to its sets: files and their form, shares, blocks, days."""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trainer.errors import Refusal

BAD_ROWS_FLAG = "--max-bad-rows"

_JUDGED_ROWS = 10_000
"""Rows from which on a share of them is judged while others are still to come."""


@dataclass(frozen=True)
class EveryNthBlock:
    """Validation is every n-th block of the training rows, where rows of one value of `key` in a row are a block.

    Where the data are in the order of time, `EveryNthBlock("day", 10)` holds out every tenth day.
    """

    key: str
    n: int


@dataclass(frozen=True)
class ByValue:
    """Validation is the training rows whose feature `key` has one of `values`."""

    key: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Share:
    """Validation is this share of the training rows, drawn by a hash: of each row of files, of the place of others.

    Args:
        share: Of the training rows.
        by: The feature by whose value they are drawn, so that a person's rows are on one side; None is the row itself.
            Rows that are alike are told apart by their count.
    """

    share: float = 0.1
    by: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise Refusal(f"Share: a share above 0 and below 1 is wanted, not {self.share!r}.")


@dataclass(frozen=True)
class ByDate:
    """Train is some days of the data in a row, and test the days right after them, whatever splits the data come in.

    Files given for validation are taken as they are.

    Args:
        key: The feature with the date of an example, as in 2015-01-04.
        train_days: How many days to learn from.
        start: The first of them; None is the first day of the data.
        test_days: How many days to test on.
    """

    key: str
    train_days: int
    start: str | None = None
    test_days: int = 56

    def __post_init__(self) -> None:
        for name in ("train_days", "test_days"):
            if getattr(self, name) < 1:
                raise Refusal(f"ByDate: {name} is a whole number of at least 1, not {getattr(self, name)}.")


@dataclass(frozen=True)
class Files:
    """Files of rows in place of a data set: those that match a pattern, in the order of their names.

    Their names tell what they are: Parquet (.parquet), Feather or Arrow (.feather, .arrow), JSON lines (.jsonl),
    TFRecord (.tfrecord), all else is CSV, or running text where `Problem(texts=…)` says so; texts may be compressed
    (.gz, .zst, .bz2).

    Args:
        train: The pattern of the files to train on, local or `gs://`.
        validation: Of those to judge by while training; None holds rows of the training files out.
        test: Of those to test on; None is a share of the rows of the training files.
        test_share: That share, drawn by a hash of each row, or of its value of `split_by`.
        split_by: The feature whose values, a person's or a day's rows, are never on two sides; None is the row.
    """

    train: str
    validation: str | None = None
    test: str | None = None
    test_share: float = 0.1
    split_by: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.test_share < 1:
            raise Refusal(f"Files: test_share is above 0 and below 1, not {self.test_share!r}.")


@dataclass(frozen=True)
class Grouped:
    """The rows of one value of a feature, such as those of a person, are one example.

    Features in `Problem(bags=…)` collect the different values of a group's rows in their order, those that are missing
    left out; any other feature, label and weight are those of its first row. Groups, not rows, are dealt to the sets:
    exactly each share of them, in the order of a hash of their value. A data set whose features in `bags` have several
    values an example already is taken as it is.

    Args:
        by: The feature whose values tell the group.
        least: By a feature, the least number of a row that counts; other rows are left out.
        test_share: Of the groups, where a data set has no test rows; for files, `Files` says it.

    Raises:
        Refusal: A number is none, or the share not above 0 and below 1.
    """

    by: str
    least: Mapping[str, float] = field(default_factory=dict, hash=False)
    test_share: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.test_share < 1:
            raise Refusal(f"Grouped: test_share is above 0 and below 1, not {self.test_share!r}.")
        for key, number in self.least.items():
            if isinstance(number, bool) or not isinstance(number, (int, float)) or math.isnan(number):
                raise Refusal(f"Grouped: least of '{key}' is a number, not {number!r}.")


def check_grouped(
    how: Grouped, bags: Collection[str], others: Collection[str], splits: Collection[str | None], window: ByDate | None
) -> None:
    """Refuses what cannot be had of rows that are grouped.

    Args:
        how: They are grouped.
        bags: The features that are collected, perhaps with what stands between the values of a text.
        others: The features with several values an example that are no bags: of weighted columns and of sequences.
        splits: The features whose values are never on two sides.
        window: The days of the sets.

    Raises:
        Refusal: Something else in the problem says otherwise.
    """
    if not bags:
        raise Refusal(
            f"Problem: rows grouped by '{how.by}' are collected in bags, and there is none; give bags=[…], the "
            "features that have several values a group."
        )
    if how.by in bags:
        raise Refusal(f"Problem: rows are grouped by '{how.by}', so a group has one value of it; leave it out of bags.")
    for key in bags:
        if isinstance(bags, Mapping) and bags[key]:
            raise Refusal(
                f"Problem: rows that are grouped have one value each of '{key}', and bags splits it by {bags[key]!r}; "
                "give bags as a list of names."
            )
    for key in sorted(others):
        raise Refusal(
            f"Problem: '{key}' is read by a weighted column or a sequence, and grouped collects the features in bags "
            "alone; leave such a column out, or group the rows before."
        )
    for split in splits:
        if split not in (None, how.by):
            raise Refusal(
                f"Problem: the groups of '{how.by}' are dealt to the sets, so '{split}' cannot split them too; leave "
                "it out."
            )
    if window is not None:
        raise Refusal(
            f"Problem: the groups of '{how.by}' are dealt to the sets, and so are the days of window; give one of the "
            "two."
        )


@dataclass(frozen=True)
class CsvFormat:
    """How CSV files are written, where their header row does not tell.

    Args:
        delimiter: The letter between two values; None finds it by the header, or by the first rows of a file without
            one: a comma, tab, semicolon or bar.
        column_names: Of files without a header row; None takes the names from it.
        skip_initial_space: Whether spaces after a delimiter are none of the value.
        headerless: Where files may have a header row or none: what the columns are called if there is none, for each
            number of them that there may be. A first row that names all that is read is a header.
    """

    delimiter: str | None = None
    column_names: Sequence[str] | None = None
    skip_initial_space: bool = False
    headerless: Sequence[Sequence[str]] = ()

    def __post_init__(self) -> None:
        if self.delimiter is not None and (len(self.delimiter) != 1 or not self.delimiter.isascii()):
            raise Refusal(f"CsvFormat: delimiter is one letter of ASCII, such as ';', not {self.delimiter!r}.")
        for name in self.column_names or ():
            if list(self.column_names or ()).count(name) > 1:
                raise Refusal(f"CsvFormat: column_names has '{name}' twice; give each column its own name.")


@dataclass(frozen=True)
class TextFormat:
    """How running text becomes rows: passages, of one string feature each.

    Args:
        feature: Its name.
        characters: About how many a passage has: it ends with the last blank line in its second half, else with the
            last line there, else with the last word. Words longer than that are cut only where they are over a
            thousand characters too.
        lines: Whether each line that is not blank is a row of its own instead, however long.

    Example:
        >>> TextFormat(lines=True).feature
        'text'
    """

    feature: str = "text"
    characters: int = 8192
    lines: bool = False

    def __post_init__(self) -> None:
        if not self.feature:
            raise Refusal("TextFormat: feature is the name of the feature that has the text, not ''.")
        if isinstance(self.characters, bool) or not isinstance(self.characters, int) or self.characters < 1:
            raise Refusal(f"TextFormat: characters is a whole number of at least 1, not {self.characters!r}.")


@dataclass(frozen=True)
class Limit:
    """How many rows may be set aside: a number, or a share of all.

    Example:
        >>> Limit.parsed("1%")
        Limit(count=None, share=0.01)
    """

    count: int | None = 0
    share: float | None = None

    @classmethod
    def parsed(cls, text: str) -> "Limit":
        """Returns the limit that a person wrote as 10 or as 1%.

        Raises:
            Refusal: It is neither.
        """
        found = re.fullmatch(r"\s*(\d+|(\d*\.?\d+)\s*%)\s*", text, re.ASCII)
        if found is None or (found[2] and float(found[2]) > 100):
            raise Refusal(
                f"{BAD_ROWS_FLAG}: a number of rows, as 10, or a share of them, as 1%, is wanted, not '{text}'."
            )
        return cls(None, float(found[2]) / 100) if found[2] else cls(int(found[1]))

    def allows(self, bad: int, rows: int, is_end: bool = False) -> bool:
        """Tells whether so many bad rows may be, of so many rows read until now."""
        if self.count is not None:
            return bad <= self.count
        return not bad or (rows < _JUDGED_ROWS and not is_end) or bad <= (self.share or 0) * rows

    def __str__(self) -> str:
        """As a person would write it."""
        return f"{self.count:,}" if self.count is not None else f"{100 * (self.share or 0):g} %"
