"""The keys of many rows, found by their text: held as Arrow holds texts, since Python's strings and dict take more
memory than the vectors themselves."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.errors import Refusal, nearest
from trainer.tables.table import Array
from trainer.tables.texts import Texts
from trainer.warm_start.keys import binary
from trainer.warm_start.texts import hashes, positions

_COMPARED = 20_000
"""Keys that a misspelt one is compared with; a comparison takes some microseconds."""


class Keys(Sequence[str]):
    """Texts that differ, in the order of the rows.

    Args:
        texts: The texts, as a list or an Arrow array.
        who: What a refusal begins with.

    Raises:
        Refusal: A key is no text, or two rows have the same one.

    Example:
        >>> keys = Keys(["Mon", "Tue", "Wed"], "day")
        >>> keys[1], keys.row("Wed"), "Sun" in keys
        ('Tue', 2, False)
    """

    def __init__(self, texts: Sequence[str] | pa.Array, who: str) -> None:
        self._who = who
        self._texts = _as_texts(texts, who)
        found = hashes(self._texts)[0]  # (rows,)
        # numpy's own order of equal numbers does not matter: their texts are compared.
        self._rows = np.argsort(found).astype(np.int32 if len(found) < 2**31 else np.int64)
        self._hashes = found[self._rows]
        for place in np.flatnonzero(self._hashes[1:] == self._hashes[:-1]).tolist():
            left, right = sorted(self._rows[place : place + 2].tolist())
            if self[left] == self[right]:
                raise Refusal(
                    f"{who}: {self[left]!r} is the key of row {left:,} and of row {right:,}; give every row a key of "
                    "its own."
                )

    @property
    def texts(self) -> pa.Array:
        """The keys as an Arrow array of binary texts."""
        return self._texts

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [_text(found) for found in self._texts[place].to_pylist()]
        return _text(self._texts[int(place)].as_py())

    def __iter__(self) -> Iterator[str]:
        for chunk in range(0, len(self), 65_536):
            yield from self[chunk : chunk + 65_536]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._found(key) is not None

    def row(self, key: Any) -> int:
        """Returns the row of a key.

        Raises:
            Refusal: There is no such key; the nearest is suggested.
        """
        if not isinstance(key, str):
            raise Refusal(f"{self._who}: a key is a text, not {key!r}.")
        found = self._found(key)
        if found is None:
            raise Refusal(f"{self._who}: there is no key {key!r}{self._suggestion(key)}")
        return found

    def rows(self, keys: "Keys") -> Array:
        """Returns the row of each of other keys, `(keys,)`; -1 where it is not among these."""
        return positions(hashes(self._texts), hashes(keys.texts))

    def _found(self, key: str) -> int | None:
        wanted = hashes(binary([key]))[0]
        start, end = np.searchsorted(self._hashes, wanted[0], "left"), np.searchsorted(self._hashes, wanted[0], "right")
        return next((row for row in self._rows[start:end].tolist() if self[row] == key), None)

    def _suggestion(self, key: str) -> str:
        texts = self._texts
        if len(texts) > _COMPARED and key:
            lengths = pc.binary_length(texts)
            size = len(key.encode("utf-8", "surrogatepass"))
            begins = pc.starts_with(texts, key[0].encode("utf-8", "surrogatepass"))
            alike = pc.and_(pc.less_equal(lengths, size + 2), pc.greater_equal(lengths, size - 2))
            texts = texts.filter(pc.and_(begins, alike))[:_COMPARED]
        found = nearest(key, [_text(text) for text in texts.to_pylist()])
        return found or (f"; the first is {self[0]!r}, the last {self[-1]!r}." if len(self) else "; there is none.")


def distinct(texts: Sequence[str]) -> Sequence[str]:
    """Returns texts that all differ: the first of equal ones stays as it is, those after it tell their row.

    Example:
        >>> distinct(["Heat", "Alien", "Heat"])
        ['Heat', 'Alien', 'Heat [row 2]']
    """
    if isinstance(texts, Texts) and _all_differ(texts):
        return texts
    found, taken = list(texts), set(texts)
    if len(taken) == len(found):
        return found
    seen: set[str] = set()
    for row, text in enumerate(found):
        if text in seen:
            number = f" [row {row}]"
            while text + number in taken:
                number += "'"
            found[row] = text + number
            taken.add(found[row])
        seen.add(text)
    return found


def _all_differ(texts: Texts) -> bool:
    """Tells whether no two hashes are equal, and so no two texts."""
    found = np.sort(hashes(texts.arrow)[0])  # (rows,)
    return not bool((found[1:] == found[:-1]).any())


def _as_texts(texts: Sequence[str] | pa.Array, who: str) -> pa.Array:
    if isinstance(texts, Keys):
        return texts.texts
    if isinstance(texts, Texts):
        return texts.arrow
    if not isinstance(texts, (pa.Array, pa.ChunkedArray)):
        texts = texts if isinstance(texts, list) else list(texts)
        other = next((text for text in texts if not isinstance(text, str)), None)
        if other is not None:
            raise Refusal(f"{who}: a key is a text, not {other!r}; give str(key) for each.")
    return binary(texts)


def _text(found: bytes) -> str:
    return found.decode("utf-8", "surrogatepass")
