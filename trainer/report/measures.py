"""What the problem's measures have found in the tables, section by section where there are some."""

from collections.abc import Mapping
from typing import Any

from trainer.report.figures import Grid
from trainer.report.files import Files, mapping, text
from trainer.report.wording import number, words

_ALL = "all"


def measures(files: Files) -> list[tuple[str, Grid]]:
    """Returns each measure of measures.json with its numbers: a line a section, and one of all.

    Example:
        >>> capitals = {"section": "capitals", "right": 2, "total": 4}
        >>> found = {"analogies": {"table": "word", "file": "q.txt", "right": 2, "total": 4, "sections": [capitals]}}
        >>> [(what, grid)] = measures(Files(measures=found))
        >>> what, grid.header, grid.lines
        ('analogies of word: q.txt', ('', 'right', 'total'), [['capitals', '2', '4'], ['all', '2', '4']])
    """
    found = ((name, mapping(told)) for name, told in files.measures.items())
    return [(_what(name, told), _grid(told)) for name, told in found if _numbers(told)]


def _what(name: str, told: Mapping[str, Any]) -> str:
    table, file = text(told.get("table")), text(told.get("file"))
    return f"{words(name)}{f' of {table}' if table else ''}{f': {file}' if file else ''}"


def _grid(told: Mapping[str, Any]) -> Grid:
    names, given = _numbers(told), told.get("sections")
    sections = [*map(mapping, given)] if isinstance(given, list) else []
    lines = [(text(section.get("section")) or "", section) for section in sections] + [(_ALL, told)]
    return Grid(
        ("", *map(words, names)), [[title, *(number(part.get(name)) for name in names)] for title, part in lines]
    )


def _numbers(told: Mapping[str, Any]) -> list[str]:
    return [name for name, value in told.items() if value is None or isinstance(value, int | float)]
