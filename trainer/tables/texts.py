"""Texts of a stored table's rows, held as Arrow holds them: Python's strings take several times the memory."""

import reprlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, final, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.errors import Refusal
from trainer.formats import texts

_CHUNK = 65_536
_SHOWN = 3
_BLANK_STARTS = [b"", *(bytes([byte]) for byte in (*range(0x09, 0x0E), *range(0x1C, 0x21), 0xC2, 0xE1, 0xE2, 0xE3))]
"""What a text begins with that may be nothing but white space: that itself, or the first byte of such a letter."""


@final
class Texts(Sequence[str]):
    """A text a row, made into a string when it is asked for; equal to a list of the same.

    Args:
        arrow: An array of large binary text.

    Example:
        >>> days = Texts(pa.array([b"Mon", b"Tue", b" "], pa.large_binary()))
        >>> days[1], days[:2], days.of([2, 0]), days == ["Mon", "Tue", " "]
        ('Tue', ['Mon', 'Tue'], [' ', 'Mon'], True)
        >>> days, days.tolist(), days.blank.tolist()
        (<3 texts: 'Mon', 'Tue', ' '>, ['Mon', 'Tue', ' '], [2])
    """

    def __init__(self, arrow: pa.Array) -> None:
        self.arrow = arrow

    @classmethod
    def made(cls, given: Sequence[str], who: str) -> "Texts":
        """Returns texts that a person gave.

        Args:
            given: The texts; such as are held by Arrow stay as they are.
            who: What a refusal begins with.

        Raises:
            Refusal: One is no text.
        """
        if isinstance(given, Texts):
            return given
        other = next((text for text in given if not isinstance(text, str)), None)
        if other is not None:
            raise Refusal(f"{who} holds texts, not {other!r}; give str(value) for each.")
        return cls(texts.arrow([*given]))

    def __len__(self) -> int:
        return len(self.arrow)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return texts.listed(self.arrow[place])
        found: bytes = self.arrow[int(place)].as_py()
        return found.decode("utf-8", texts.ERRORS)

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _CHUNK):
            yield from self[start : start + _CHUNK]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Texts):
            return bool(self.arrow.equals(other.arrow))
        return isinstance(other, Sequence) and not isinstance(other, str) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # it is compared by what it holds, as a list is

    def __repr__(self) -> str:
        first = [*map(reprlib.repr, self[:_SHOWN]), *(["…"] if len(self) > _SHOWN else [])]
        return f"<{len(self):,} text{'s' * (len(self) != 1)}{': ' * bool(first)}{', '.join(first)}>"

    def tolist(self) -> list[str]:
        """Returns all texts as a list, as a program that knows no other sequence wants them."""
        return self[:]

    def of(self, rows: Iterable[int]) -> list[str]:
        """Returns the texts of some rows.

        Raises:
            IndexError: One is not there; rows are counted from the first alone.
        """
        if isinstance(rows, range) and rows.step == 1 and 0 <= rows.start <= rows.stop <= len(self):
            return self[rows.start : rows.stop]
        rows = list(rows)
        try:
            return texts.listed(self.arrow.take(pa.array(rows, pa.int64())))
        except pa.ArrowIndexError:
            other = next(row for row in rows if not 0 <= row < len(self))
            there = f"give rows from 0 to {len(self) - 1:,}" if len(self) else "there is none at all"
            raise IndexError(f"texts: there is no row {other:,}; {there}.") from None

    @property
    def blank(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The rows whose text is empty or white space."""
        starts = pc.binary_slice(self.arrow, 0, 1)
        found = pc.is_in(starts, value_set=pa.array(_BLANK_STARTS, starts.type)).to_numpy(zero_copy_only=False)
        rows = np.flatnonzero(found)
        return np.array([row for row, text in zip(rows.tolist(), self.of(rows), strict=True) if not text.strip()], int)

    def filled(self, rows: Any, others: "Texts") -> "Texts":
        """Returns these texts, and others in some of the rows."""
        if not len(rows):
            return self
        taken = np.zeros(len(self), bool)
        taken[rows] = True
        return Texts(pc.if_else(pa.array(taken), others.arrow, self.arrow))
