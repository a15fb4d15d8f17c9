"""Whether the first row of a CSV file is a header, where nobody says so."""

import io
from collections import Counter
from collections.abc import Collection, Sequence

from trainer.errors import Refusal
from trainer.inputs.blocks import Dialect, Rows
from trainer.terminal import listed

_LOOK_BYTES = 1 << 16
"""Bytes of a file that are looked at."""

_JUDGED_ROWS = 20
"""Rows from which on it is seen that the first one is unlike the others."""


def fitting(data: bytes, dialect: Dialect, columns: int) -> int:
    """Returns how many of the first rows of a file have so many values."""
    return sum(len(row) == columns for row in _rows(data, dialect))


def headerless(
    data: bytes, dialects: Sequence[Dialect], options: Sequence[Sequence[str]], wanted: Collection[str], path: str
) -> tuple[Dialect, list[str]]:
    """Returns how a file is written whose first row does not name what is wanted, and what its columns are called.

    A first row of which no value comes again, where each row after it has one that does, is taken for a header with
    other names, and is refused.

    Args:
        data: The beginning of the file.
        dialects: Those that it may be written in.
        options: The names of its columns, for each number of them that it may have.
        wanted: The columns that are wanted.
        path: Of the file.

    Raises:
        Refusal: Its rows have another number of values, or the first one is a header.
    """
    pairs = [(dialect, [*names]) for dialect in dialects for names in options]
    dialect, names = max(pairs, key=lambda pair: fitting(data, pair[0], len(pair[1])))
    rows = _rows(data, dialect)
    first = rows[0] if rows else []
    told, names_wanted = listed([repr(value) for value in first]), listed([repr(name) for name in sorted(wanted)])
    if len(first) != len(names):
        raise Refusal(
            f"{path}: its first row has {len(first):,} value{'' if len(first) == 1 else 's'}, {told}, and "
            f"{' or '.join(str(len(each)) for each in options)} are wanted of a file without a header row; give it "
            f"one, with {names_wanted} in it."
        )
    counts = Counter(value for row in rows for value in {*row})
    comes_again = [any(counts[value] > 1 for value in row) for row in rows]
    if len(rows) >= _JUDGED_ROWS and not comes_again[0] and all(comes_again[1:-1]):  # the last may be cut short
        raise Refusal(
            f"{path}: its first row, {told}, looks like a header, and does not name "
            f"{names_wanted}; say what the columns are called, or name them all where it is none."
        )
    return dialect, names


def _rows(data: bytes, dialect: Dialect) -> list[list[str]]:
    cut = data[:_LOOK_BYTES]
    return Rows(io.BytesIO(cut), dialect).one_by_one().rows
