"""Pictures in the page: beside their table, inside the file as long as it stays small enough to send."""

import base64
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from trainer import paths
from trainer.pictures import CONFUSION, CURVES, HEAT_MAP, LINE, PLANE, Picture
from trainer.run import Run

MOST_BYTES = 8_000_000
"""The size of all pictures inside the file; the others are beside it."""

_KINDS = {HEAT_MAP: "heat map", PLANE: "labelled plane", LINE: "labelled line"}
"""The kinds of pictures of a table in the order in which they stand there, in words."""

_TITLES = {
    CURVES: "Training and validation curves",
    CONFUSION: "Classes of the test rows, and what they were taken for",
}
"""Of pictures of no table."""


@dataclass(frozen=True)
class Illustration:
    """A picture of the page.

    Args:
        title: What it shows.
        data: The picture as a data: URI; None where it is not in the file.
        link: The way from the page to the picture; None where it lies elsewhere.
        path: The picture's path.
    """

    title: str
    data: str | None
    link: str | None
    path: str


@dataclass(frozen=True)
class Illustrations:
    """The pictures of a page by where they belong: curves, by the table's name, and what is left."""

    curves: Sequence[Illustration]
    of_tables: Mapping[str, Sequence[Illustration]]
    others: Sequence[Illustration]

    @property
    def linked(self) -> int:
        """How many are not in the file."""
        every = [*self.curves, *self.others, *(each for own in self.of_tables.values() for each in own)]
        return sum(each.data is None for each in every)


def grouped(run: Run, pictures: Sequence[Picture], names: Sequence[str], most: int = MOST_BYTES) -> Illustrations:
    """Returns the pictures of a run by where they belong.

    Args:
        run: The run that the page lies in.
        pictures: Its pictures; one that is not there is left out.
        names: The names of the tables that the page tells of.
        most: The bytes that they may take in the page; what comes after is linked to.
    """
    curves: list[Illustration] = []
    others: list[Illustration] = []
    of_tables: dict[str, list[Illustration]] = {}
    for picture in _as_shown(pictures, names):
        drawn = _illustration(run, picture, most)
        if drawn is None:
            continue
        most -= len(drawn.data or "")
        if picture.table in names:
            of_tables.setdefault(picture.table or "", []).append(drawn)
        else:
            (curves if picture.kind == CURVES else others).append(drawn)
    return Illustrations(curves, of_tables, others)


def _as_shown(pictures: Iterable[Picture], names: Sequence[str]) -> list[Picture]:
    """Returns pictures as the page shows them, top to bottom: those at the end are the first to be too much."""
    tables = {name: place for place, name in enumerate(names)}
    kinds = {kind: place for place, kind in enumerate(_KINDS)}

    def place(picture: Picture) -> tuple[int, int]:
        if picture.table in tables:
            return tables[picture.table], kinds.get(picture.kind, len(kinds))
        return (-1 if picture.kind == CURVES else len(tables)), 0

    return sorted(pictures, key=place)


def _title(picture: Picture) -> str:
    if picture.kind in _TITLES:
        return _TITLES[picture.kind]
    kind = _KINDS.get(picture.kind, picture.kind)
    return kind if picture.table is None else f"{picture.table}: {kind}"


def _illustration(run: Run, picture: Picture, most: int) -> Illustration | None:
    """Returns a picture of the page, inside of it where it takes no more than some bytes; None where there is none."""
    try:
        content = base64.b64encode(paths.read_bytes(picture.path)).decode("ascii")
    except OSError:
        return None
    start = paths.join(run.path, "")
    link = quote(picture.path.removeprefix(start).replace(os.sep, "/")) if picture.path.startswith(start) else None
    data = f"data:image/png;base64,{content}" if len(content) <= most else None
    return Illustration(_title(picture), data, link, picture.path)
