"""What the page shows of each row: a label to find it by, and columns to colour it by."""

import bisect
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from trainer import paths
from trainer.formats.tsv import escape
from trainer.tables import Described
from trainer.tables.described import first_values
from trainer.tables.table import Array

BLANK = "(blank)"
"""What stands for a label that cannot be seen; the page drops a line that is blank, and so shifts all after it."""

MOST_COLOURS = 50
"""The page colours by a column of at most so many different values, or of numbers."""

_CHUNK = 1_000_000
"""The page reads metadata in pieces of so many bytes, and garbles a letter of several bytes that lies in two."""

_COUNT, _LABEL, _FREQUENCY = "count", "label", "frequency"
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_OTHER_NUMBER = re.compile(r"[+-]?Infinity|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+")
_LONGEST = 300
"""Letters up to which a number that is not decimal is read, which takes longer than their square."""

_EXACT = 2**53
"""Whole numbers up to which the page holds each."""
_DATE = re.compile(r"(\d{4})-\d\d(?:-\d\d.*)?|.*\((\d{4})\)\s*", re.DOTALL)


def columns_of(table: Described, rows: Sequence[int]) -> dict[str, list[str]]:
    """Returns the columns of a table's metadata by name: the label first, and the count, where there is one, last.

    Between them stand the keys, what more is known of the rows, and for each of these, and for a title, that the page
    could not colour by a coarser one: the first of several values, the decade of a date, or how frequent the rows are.

    Args:
        table: The table.
        rows: The rows that are shown.
    """
    columns: dict[str, list[str]] = {}
    details = ((name, [texts[row] for row in rows]) for name, texts in table.details.items() if name != table.title)
    for name, texts in (*table.fields_of(rows).items(), *details):
        columns[_free(name, columns)] = [_plain(text) for text in _visible_all(texts)]
    counts = None if table.counts is None else table.counts[rows]
    titles = _visible_all(table.titles_of(rows))
    titled = {} if table.title is None else {_visible(table.title): titles}
    for name, texts in [*titled.items(), *columns.items()]:
        if not is_colourable(texts) and (found := _coarser(name, texts, counts)):
            columns.setdefault(*found)
    counted = {} if counts is None else {_COUNT: [str(count) for count in counts.tolist()]}
    labels = _kept(table.title or next(iter(columns)), titles)
    return {_LABEL: labels, **columns, **counted}


def is_colourable(texts: Sequence[str]) -> bool:
    """Tells whether the page can colour by a column.

    Example:
        >>> is_colourable(["Mon", "Tue"]), is_colourable([f"N{n}" for n in range(60)])
        (True, False)
    """
    return len(set(texts)) <= MOST_COLOURS or is_numeric(texts)


def is_numeric(texts: Iterable[str]) -> bool:
    """Tells whether the page takes all texts of a column for numbers."""
    return all(map(_is_number, set(texts)))


def write(path: str, columns: Mapping[str, Sequence[str]]) -> None:
    """Writes the columns of a table's metadata, the first line their names."""
    texts = zip(*columns.values(), strict=True)
    lines = ["\t".join(map(escape, columns)), *("\t".join(map(escape, row)) for row in texts)]
    filler = "0" if list(columns)[-1] == _COUNT else " "
    with paths.written_whole(path) as whole, open(whole, "wb") as file:
        file.writelines(_aligned([f"{line}\n".encode() for line in lines], filler.encode()))


def _aligned(lines: Sequence[bytes], filler: bytes) -> Iterator[bytes]:
    """Yields lines such that no letter lies in two pieces: the line before it grows, in its last field.

    That is the count, which zeros before it do not change, or else a text that ends in a blank.
    """
    place, held = 0, lines[0]
    for line in lines[1:]:
        start = place + len(held)
        edge = -start % _CHUNK
        longer = 0
        while edge < len(line) and line[edge - longer] & 0xC0 == 0x80 and longer < edge:  # inside a letter
            longer += 1
        if longer:
            held = _grown(held, filler * longer)
        yield held
        place, held = place + len(held), line
    yield held


def _grown(line: bytes, filler: bytes) -> bytes:
    before, tab, last = line.removesuffix(b"\n").rpartition(b"\t")
    return before + tab + (filler + last if filler[:1] == b"0" else last + filler) + b"\n"


def _free(name: str, columns: Mapping[str, Sequence[str]]) -> str:
    name = _visible(name)
    if name in (_LABEL, _COUNT, _FREQUENCY):
        name = f"{name} (key)"
    number = 1
    found = name
    while found in columns:
        number += 1
        found = f"{name} ({number})"
    return found


def _visible_all(texts: Iterable[str]) -> list[str]:
    return [text if text.isprintable() and text.strip() else _visible(text) for text in texts]


def _visible(text: str) -> str:
    # TensorBoard refuses a file that is no UTF-8, so half of a surrogate pair becomes a question mark.
    text = text.encode("utf-8", "replace").decode()
    return text if any(letter.isprintable() and not letter.isspace() for letter in text) else BLANK


def _plain(text: str) -> str:
    """Returns a text that the page takes for a number as that is written there: it turns 08 into 8.

    Example:
        >>> _plain("08"), _plain("1e5"), _plain("Fri 08")
        ('8', '100000', 'Fri 08')
    """
    number = text.strip()
    if not _DECIMAL.fullmatch(number):
        is_short = _OTHER_NUMBER.fullmatch(number) and "I" not in number and len(number) < _LONGEST
        return str(int(number, 0)) if is_short else text
    value = float(number)
    if not math.isfinite(value):
        return text
    return str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(value)


def _kept(name: str, labels: list[str]) -> list[str]:
    """Returns labels such that the page changes none: what it would take for another number follows a word."""
    changed = [_plain(label) != label or _OTHER_NUMBER.fullmatch(label) is not None for label in labels]
    if any(changed) and is_numeric(labels):
        changed = [True] * len(labels)
    return [f"{name} {label}" if change else label for label, change in zip(labels, changed, strict=True)]


def _coarser(name: str, texts: Sequence[str], counts: Array | None) -> tuple[str, list[str]] | None:
    """Returns the name and the texts of a column of few values that says something of another's many."""
    for found, coarse in _coarse(name, texts, counts):
        if 1 < len(set(coarse)) <= MOST_COLOURS:
            return found, coarse
    return None


def _coarse(name: str, texts: Sequence[str], counts: Array | None) -> Iterator[tuple[str, list[str]]]:
    """Yields columns that say less than one of many values, the most telling first."""
    if _mostly(_is_number(text) for text in texts):
        yield f"{name} (range)", _ranges(texts)
    elif (firsts := first_values(texts)) is not None:
        yield f"{name} (first)", _most_frequent(_visible_all(firsts))
    dates = [_DATE.fullmatch(text) for text in texts]
    if _mostly(dates):
        years = [next(filter(None, date.groups())) if date else "" for date in dates]
        yield f"{name} (decade)", [f"{year[:3]}0s" if year else BLANK for year in years]
        yield f"{name} (year)", [year or BLANK for year in years]
        yield f"{name} (month)", [text[:7] if date else BLANK for text, date in zip(texts, dates, strict=True)]
    if counts is not None:
        yield _FREQUENCY, [_band(count) for count in counts.tolist()]
    yield f"{name} (initial)", _most_frequent([text[:1].upper() for text in texts])


def _mostly(told: Iterable[Any]) -> bool:
    answers = [bool(each) for each in told]
    return sum(answers) > len(answers) / 2


def _is_number(text: str) -> bool:
    return _DECIMAL.fullmatch(text.strip()) is not None


def _ranges(texts: Sequence[str]) -> list[str]:
    """Returns numbers by the tenth of them that they lie in; years by their decade."""
    numbers = [float(text) if _is_number(text) else None for text in texts]
    known = sorted(number for number in numbers if number is not None)
    if all(number.is_integer() and 1000 <= number < 3000 for number in known):
        return [BLANK if number is None else f"{int(number) // 10}0s" for number in numbers]
    edges = sorted({known[len(known) * tenth // 10] for tenth in range(10)})
    places = [None if number is None else bisect.bisect_right(edges, number) - 1 for number in numbers]
    return [BLANK if place is None else f"from {edges[place]:g}" for place in places]


def _most_frequent(texts: Sequence[str]) -> list[str]:
    common = {text for text, _ in Counter(texts).most_common(MOST_COLOURS - 1)}
    return [text if text in common else "(other)" for text in texts]


def _band(count: int) -> str:
    """Returns the power of ten that a number of rows lies in.

    Example:
        >>> _band(0), _band(7), _band(70)
        ('never', '1 to 9', '10 to 99')
    """
    if count < 1:
        return "never"
    lowest = 10 ** (len(str(count)) - 1)
    return f"{lowest:,} to {10 * lowest - 1:,}"
