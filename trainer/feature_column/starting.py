"""Where a table starts from, as a column declares it."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from itertools import count
from os import PathLike
from typing import Any
from weakref import WeakValueDictionary

from trainer.errors import Refusal

ON_MISSING_ROWS = ("initializer", "mean", "out_of_vocabulary")
OF_SOURCE = ("ckpt_to_load_from", "tensor_name_in_ckpt", "old_vocabulary")
"""The fields of a column that say where its table starts from."""


class Held(str):
    """The name of vectors that are held in memory, in place of a path; `held` are the vectors."""

    held: Any

    @classmethod
    def of(cls, vectors: Any) -> "Held":
        """Returns the name of an object, which differs from that of any other.

        Columns are compared by it, and it is written into files, which should not differ from run to run: so it has
        the object's type, and a number where others of that type are held too.
        """
        if (known := _held.get(id(vectors))) is not None:
            return known
        kind, taken = f"{type(vectors).__name__} in memory", set(map(str, _held.values()))
        names = (kind if number == 1 else f"{kind}, number {number}" for number in count(1))
        made = cls(next(name for name in names if name not in taken))
        made.held = vectors
        _held[id(vectors)] = made
        return made


_held: WeakValueDictionary[int, Held] = WeakValueDictionary()
"""The names in use by their object's address, which is no other's while a name holds the object."""
_sources_left_out = ContextVar("sources_left_out", default=False)


@contextmanager
def without_sources(leaves_out: bool = True) -> Iterator[None]:
    """Lets the tables that are declared inside start at random, as where a checkpoint is going to fill them.

    Args:
        leaves_out: False changes nothing.
    """
    before = _sources_left_out.set(leaves_out)
    try:
        yield
    finally:
        _sources_left_out.reset(before)


def starts_elsewhere(column: Any) -> bool:
    """Tells whether a column's table takes its rows from a source, as far as this is not left out."""
    return bool(column.ckpt_to_load_from) and not _sources_left_out.get()


def without_old_values(column: Any) -> Any:
    """Returns a column without the values of its old vocabulary, which may be millions; a file's path stays."""
    given = isinstance(getattr(column, "old_vocabulary", None), tuple)
    return replace(column, old_vocabulary=None) if given else column


def without_source(column: Any) -> Any:
    """Returns a column that says nothing of where its table started."""
    return replace(column, **dict.fromkeys(OF_SOURCE)) if hasattr(column, OF_SOURCE[0]) else column


def source_of(source: Any) -> str | None:
    """Returns the path of a source, or the name of one that is held in memory."""
    if source is None or isinstance(source, Held):
        return source
    return str(source) if isinstance(source, (str, PathLike)) else Held.of(source)


def vocabulary_of(given: Iterable[Any] | str | PathLike[str] | None) -> tuple[str, ...] | str | None:
    """Returns an old vocabulary as a column keeps it: its values, or the path of the file that holds them.

    Example:
        >>> vocabulary_of([b"Mon", "Tue", 3])
        ('Mon', 'Tue', '3')
    """
    if given is None or isinstance(given, (str, bytes, PathLike)):
        return None if given is None else os.fsdecode(given)
    return tuple(map(_text, _plain(given)))


def _text(value: Any) -> str:
    value = _plain(value)
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def _plain(value: Any) -> Any:
    """Returns a tensor or an array as lists and Python's own values."""
    value = value.numpy() if hasattr(value, "numpy") else value
    return value.tolist() if hasattr(value, "tolist") else value


def checked_missing_rows(who: str, on_missing_rows: str) -> str:
    """Returns what rows start from whose key a source has not, or refuses it."""
    if on_missing_rows not in ON_MISSING_ROWS:
        wanted = ", ".join(ON_MISSING_ROWS)
        raise Refusal(f"{who}: on_missing_rows must be one of {wanted}, not {on_missing_rows!r}.")
    return on_missing_rows


def check_source(who: str, source: Any, **of_source: Any) -> None:
    """Refuses arguments that say something of a source where there is none."""
    for name, value in of_source.items():
        if value is not None and source is None:
            raise Refusal(f"{who}: {name} is of no use without ckpt_to_load_from.")
