"""Pictures of tables and of their training, one kind of picture a file."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from trainer import paths
from trainer.pictures import curves, heat_maps, planes
from trainer.pictures.heat_maps import heat_map
from trainer.pictures.images import to_tensorboard
from trainer.pictures.planes import plane
from trainer.tables import Table, file_names

__all__ = ["curves", "heat_map", "plane", "to_tensorboard", "write"]


def write(folder: str, tables: Sequence[Table], history: Sequence[Mapping[str, Any]] = ()) -> list[str]:
    """Draws what can be drawn, and returns the paths of the pictures.

    Args:
        folder: Where to; made if there is something to draw.
        tables: The tables; those on an exact cross of two keys become heat maps, `NAME.png`, and those of fewer than
            2,000 rows planes, `NAME.plane.png`.
        history: The epochs of the training, as the lines of `history.jsonl`; they become `curves.png`.

    Raises:
        Exception: A picture failed, or an ExceptionGroup where several did; the others are written all the same.
    """
    names = [table.name for table in tables]
    # The names of all, so that a picture has the same one whatever else can be drawn.
    last, *files = file_names(["curves", *names, *(f"{name}.plane" for name in names)])
    kinds = [
        *((partial(heat_maps.why_not, table), partial(heat_map, table)) for table in tables),
        *((partial(planes.why_not, table), partial(plane, table)) for table in tables),
        (partial(curves.why_not, history), partial(curves.curves, history)),
    ]
    found, errors = [], []
    for file, (why_not, draw) in zip([*files, last], kinds, strict=True):
        path = paths.join(folder, f"{file}.png")
        try:
            if why_not() is None:
                paths.make_folder(folder)
                draw(path)
                found.append(path)
        except Exception as error:  # whatever it is, the other pictures are worth having
            errors.append(error)
    if len(errors) > 1:
        raise ExceptionGroup(f"{len(errors)} pictures could not be drawn; the first: {errors[0]}", errors)
    if errors:
        raise errors[0]
    return found
