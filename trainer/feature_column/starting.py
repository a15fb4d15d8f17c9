"""Where a table starts from, as a column declares it."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from trainer.errors import Refusal

ON_MISSING_ROWS = ("initializer", "mean", "out_of_vocabulary")


class Held(str):
    """The name of vectors that are held in memory, in place of a path; `held` are the vectors."""

    held: Any

    @classmethod
    def of(cls, vectors: Any) -> "Held":
        """Returns the name of an object, which differs from that of any other."""
        made = cls(f"{type(vectors).__name__} in memory at {id(vectors):x}")
        made.held = vectors
        return made


def source_of(source: Any) -> str | None:
    """Returns the path of a source, or the name of one that is held in memory."""
    if source is None or isinstance(source, Held):
        return source
    return str(source) if isinstance(source, (str, PathLike)) else Held.of(source)


def vocabulary_of(given: Sequence[str] | str | Path | None) -> tuple[str, ...] | str | None:
    """Returns an old vocabulary as a column keeps it: its values, or the path of the file that holds them."""
    if given is None or isinstance(given, (str, PathLike)):
        return None if given is None else str(given)
    return tuple(map(str, given))


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
