"""Rows that cannot be used: counted, named, set aside up to a limit, and never dropped silently."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from trainer import paths, terminal
from trainer.errors import Refusal
from trainer.rows import BAD_ROWS_FLAG, Limit

FILE = "bad_rows.jsonl"
SHOWN = 100
"""Letters of a value that are shown."""


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be used, and why.

    Args:
        file: Where it is.
        unit: What its number counts: "line" of a text, which a header may begin, or "row".
        number: From 1 on.
        column: Whose value is wrong; None where it is the row itself.
        value: That value, as text.
        wanted: What is wanted of the value; of a row, what it has and what is wanted.
    """

    file: str
    unit: str
    number: int
    column: str | None
    value: str | None
    wanted: str

    def __str__(self) -> str:
        """One sentence without its full stop.

        Example:
            >>> print(BadRow("a.csv", "line", 7, "hour", "noon", "a whole number"))
            a.csv: line 7 has 'noon' as 'hour', and a whole number is wanted
        """
        place = f"{self.file}: {self.unit} {self.number:,}"
        if self.column is None:
            return f"{place} {self.wanted}"
        return f"{place} has '{shortened(self.value or '')}' as '{self.column}', and {self.wanted} is wanted"


def shortened(text: str) -> str:
    """Returns a text as one line that a person can read.

    Example:
        >>> shortened("a" * 200) == "a" * 100 + "…"
        True
    """
    text = terminal.shown(text)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


class BadRows:
    """The bad rows that one pass over data has met.

    Args:
        limit: How many there may be.
    """

    def __init__(self, limit: Limit | None = None) -> None:
        self.limit = limit or Limit()
        self.found: list[BadRow] = []
        self.rows = 0

    def __len__(self) -> int:
        return len(self.found)

    def add(self, found: Sequence[BadRow], rows: int) -> None:
        """Takes the bad rows of a part of the data, and how many rows it had with them.

        Raises:
            Refusal: There are more than there may be.
        """
        self.found.extend(found)
        self.rows += rows
        self._check(False)

    def end(self) -> None:
        """Judges them once all data are read.

        Raises:
            Refusal: There are more than there may be.
        """
        self._check(True)

    def _check(self, is_end: bool) -> None:
        if self.limit.allows(len(self.found), self.rows, is_end):
            return
        if self.limit == Limit():
            raise Refusal(f"{self.found[0]}; correct it, or set such rows aside with {BAD_ROWS_FLAG}.")
        raise Refusal(
            f"{BAD_ROWS_FLAG}: {len(self.found):,} of {self.rows:,} rows cannot be used, and {self.limit} may be; the "
            f"last: {self.found[-1]}."
        )


def write(path: str, found: Sequence[BadRow]) -> None:
    """Writes bad rows as lines of JSON, whole or not at all."""
    paths.write_text(path, "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in found))
