"""Pictures of tables and of their training, one kind of picture a file."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from trainer import paths
from trainer.pictures import curves, heat_maps, planes
from trainer.pictures.heat_maps import heat_map
from trainer.pictures.images import to_tensorboard
from trainer.pictures.picture import CURVES, HEAT_MAP, PLANE, Picture
from trainer.pictures.planes import plane
from trainer.tables import Table, file_names

__all__ = ["CURVES", "HEAT_MAP", "PLANE", "Picture", "curves", "heat_map", "plane", "to_tensorboard", "write"]

_Planned: TypeAlias = tuple[Picture, Callable[[], str | None], Callable[[str], None]]
"""A picture, what tells why it cannot be drawn, and what draws it to a path."""


def write(
    folder: str,
    tables: Sequence[Table],
    history: Sequence[Mapping[str, Any]] = (),
    failed: Callable[[Picture, Exception], None] | None = None,
) -> list[Picture]:
    """Draws what can be drawn, and returns the pictures that are there now.

    Args:
        folder: Where to; made if there is something to draw.
        tables: The tables; those on an exact cross of two keys become heat maps, `NAME.png`, and those of fewer than
            2,000 rows planes, `NAME.plane.png`.
        history: The epochs of the training, as the lines of `history.jsonl`; they become `curves.png`.
        failed: Told of each picture that fails, and of its error; None raises the errors in the end.

    Raises:
        Exception: A picture failed, or an ExceptionGroup where several did; the others are written all the same.
    """
    found: list[Picture] = []
    errors: list[Exception] = []
    for picture, why_not, draw in _planned(folder, tables, history):
        try:
            if why_not() is None:
                paths.make_folder(folder)
                draw(picture.path)
                found.append(picture)
        except Exception as error:  # whatever it is, the other pictures are worth having
            errors.append(error)
            if failed is not None:
                failed(picture, error)
    if failed is None and len(errors) > 1:
        raise ExceptionGroup(f"{len(errors)} pictures could not be drawn; the first: {errors[0]}", errors)
    if failed is None and errors:
        raise errors[0]
    return found


def _planned(folder: str, tables: Sequence[Table], history: Sequence[Mapping[str, Any]]) -> Iterator[_Planned]:
    """Yields what might be drawn: heat maps, planes, and the curves."""
    names = [table.name for table in tables]
    # The names of all, so that a picture has the same one whatever else can be drawn.
    last, *files = (
        paths.join(folder, f"{file}.png")
        for file in file_names(["curves", *names, *(f"{name}.plane" for name in names)])
    )
    for path, table in zip(files[: len(tables)], tables, strict=True):
        yield Picture(path, HEAT_MAP, table.name), partial(heat_maps.why_not, table), partial(heat_map, table)
    for path, table in zip(files[len(tables) :], tables, strict=True):
        yield Picture(path, PLANE, table.name), partial(planes.why_not, table), partial(plane, table)
    yield Picture(last, CURVES), partial(curves.why_not, history), partial(curves.curves, history)
