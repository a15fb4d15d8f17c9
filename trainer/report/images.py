"""Pictures in the page: beside their table, inside the file as long as it stays small enough to send."""

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from trainer import paths
from trainer.run import Run
from trainer.tables import file_names

MOST_BYTES = 8_000_000
"""The size of all pictures inside the file; the others are beside it."""

_CURVES = "curves"
_KINDS = {"": "heat map", "plane": "labelled plane"}


@dataclass(frozen=True)
class Picture:
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
class Pictures:
    """The pictures of a page by where they belong: curves, by the table's name, and what is left."""

    curves: Sequence[Picture]
    of_tables: Mapping[str, Sequence[Picture]]
    others: Sequence[Picture]

    @property
    def linked(self) -> int:
        """How many are not in the file."""
        every = [*self.curves, *self.others, *(picture for own in self.of_tables.values() for picture in own)]
        return sum(picture.data is None for picture in every)


def grouped(run: Run, files: Sequence[str], names: Sequence[str], most: int = MOST_BYTES) -> Pictures:
    """Returns the pictures of a run by where they belong.

    Args:
        run: The run that the page lies in.
        files: The paths of the PNG files: TABLE.png and TABLE.KIND.png, and curves.png or curves.KIND.png.
        names: The names of the tables, as in the folder of tables.
        most: The bytes that they may take in the page; what comes after is linked to.
    """
    places = dict(zip(file_names(names), names, strict=True))
    order = {name: number for number, name in enumerate(names)}
    owned = [(file, *_owner(_stem(file), places)) for file in files]
    page = [*(one for one in owned if one[1] is None and _is_curves(one[0]))]  # as the page shows them, top to bottom
    page += sorted((one for one in owned if one[1] is not None), key=lambda one: order[one[1] or ""])
    page += [one for one in owned if one not in page]
    curves: list[Picture] = []
    others: list[Picture] = []
    of_tables: dict[str, list[Picture]] = {}
    for file, name, kind in page:
        title = _title(file, name, kind)
        picture, most = _picture(run, file, title, most)
        if picture is None:
            continue
        place = of_tables.setdefault(name, []) if name is not None else curves if _is_curves(file) else others
        place.append(picture)
    return Pictures(curves, of_tables, others)


def _stem(file: str) -> str:
    return os.path.basename(file).removesuffix(".png")


def _is_curves(file: str) -> bool:
    return _stem(file).partition(".")[0] == _CURVES


def _owner(stem: str, places: Mapping[str, str]) -> tuple[str | None, str]:
    """Returns the table of a picture, or None, and the kind of picture; a table's file name may have dots too."""
    parts = stem.split(".")
    for length in range(len(parts), 0, -1):
        name = places.get(".".join(parts[:length]))
        if name is not None:
            return name, ".".join(parts[length:])
    return None, ""


def _title(file: str, name: str | None, kind: str) -> str:
    if name is not None:
        return f"{name}: {_KINDS.get(kind, kind.replace('_', ' '))}"
    return "Training and validation curves" if _is_curves(file) else _stem(file).replace("_", " ")


def _picture(run: Run, file: str, title: str, most: int) -> tuple[Picture | None, int]:
    """Returns a picture, or None where there is none, and how many bytes are left for those after it."""
    try:
        content = base64.b64encode(paths.read_bytes(file)).decode("ascii")
    except OSError:
        return None, most
    start = paths.join(run.path, "")
    link = quote(file.removeprefix(start).replace(os.sep, "/")) if file.startswith(start) else None
    if len(content) > most:
        return Picture(title, None, link, file), most
    return Picture(title, f"data:image/png;base64,{content}", link, file), most - len(content)
