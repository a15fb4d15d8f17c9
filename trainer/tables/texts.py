"""Texts of a stored table's rows, held as Arrow holds them: Python's strings take several times the memory."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, final, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.formats import texts

_CHUNK = 65_536
_BLANK_STARTS = [b"", *(bytes([byte]) for byte in (*range(0x09, 0x0E), *range(0x1C, 0x21), 0xC2, 0xE1, 0xE2, 0xE3))]
"""What a text begins with that may be nothing but white space: that itself, or the first byte of such a letter."""


@final
class Texts(Sequence[str]):
    """A text a row, made into a string when it is asked for.

    Args:
        arrow: An array of large binary text.

    Example:
        >>> days = Texts(pa.array([b"Mon", b"Tue", b" "], pa.large_binary()))
        >>> days[1], days[:2], days.of([2, 0]), days == ["Mon", "Tue", " "]
        ('Tue', ['Mon', 'Tue'], [' ', 'Mon'], True)
        >>> days.blank.tolist()
        [2]
    """

    def __init__(self, arrow: pa.Array) -> None:
        self.arrow = arrow

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
        return f"<{len(self):,} texts>"

    def of(self, rows: Iterable[int]) -> list[str]:
        """Returns the texts of some rows."""
        if isinstance(rows, range) and rows.step == 1:
            return self[rows.start : rows.stop]
        return texts.listed(self.arrow.take(pa.array(list(rows), pa.int64())))

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
