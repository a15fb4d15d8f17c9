"""Pictures of tables, of their training and of its test, one kind of picture a file."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from trainer import paths
from trainer.pictures import curves, heat_maps, lines, matrices, planes
from trainer.pictures.heat_maps import heat_map
from trainer.pictures.images import to_tensorboard
from trainer.pictures.lines import line
from trainer.pictures.matrices import matrix
from trainer.pictures.picture import CONFUSION, CURVES, HEAT_MAP, LINE, PLANE, Picture
from trainer.pictures.planes import plane
from trainer.prediction.confusion import Confusion
from trainer.tables import Table, file_names

__all__ = ["CONFUSION", "CURVES", "HEAT_MAP", "LINE", "PLANE", "Picture", "curves", "heat_map", "line", "matrix"]
__all__ += ["plane", "to_tensorboard", "write"]

_Planned: TypeAlias = tuple[Picture, Callable[[], str | None], Callable[[str], None]]
"""A picture, what tells why it cannot be drawn, and what draws it to a path."""


def write(
    folder: str,
    tables: Sequence[Table],
    history: Sequence[Mapping[str, Any]] = (),
    failed: Callable[[Picture, Exception], None] | None = None,
    confusion: Confusion | None = None,
) -> list[Picture]:
    """Draws what can be drawn, and returns the pictures that are there now.

    Args:
        folder: Where to; made if there is something to draw.
        tables: The tables; those on an exact cross of two keys become heat maps, `NAME.png`, and those of fewer than
            2,000 rows, and all of two dimensions, planes, `NAME.plane.png`, and those of one lines, `NAME.line.png`.
        history: The epochs of the training, as the lines of `history.jsonl`; they become `curves.png`.
        failed: Told of each picture that fails, and of its error; None raises the errors in the end.
        confusion: Which classes were taken for which in the test, which becomes `confusion.png`.

    Raises:
        Exception: A picture failed, or an ExceptionGroup where several did; the others are written all the same.
    """
    found: list[Picture] = []
    errors: list[Exception] = []
    for picture, why_not, draw in _planned(folder, tables, history, confusion):
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


def _planned(
    folder: str, tables: Sequence[Table], history: Sequence[Mapping[str, Any]], confusion: Confusion | None
) -> Iterator[_Planned]:
    """Yields what might be drawn: heat maps, planes, lines, the curves, and the confusion of classes."""
    names = [table.name for table in tables]
    kinds: tuple[tuple[str, str, Callable[..., str | None], Callable[..., None]], ...] = (
        (HEAT_MAP, "{}", heat_maps.why_not, heat_map),
        (PLANE, "{}.plane", planes.why_not, plane),
        (LINE, "{}.line", lines.why_not, line),
    )
    # The names of all, so that a picture has the same one whatever else can be drawn.
    wanted = [form.format(name) for _, form, *_ in kinds for name in names]
    first = [CURVES, *([] if confusion is None else [CONFUSION])]
    places = [paths.join(folder, f"{file}.png") for file in file_names([*first, *wanted])]
    files = places[len(first) :]
    drawn = [(table, *kind) for kind in kinds for table in tables]
    for path, (table, kind, _, why_not, draw) in zip(files, drawn, strict=True):
        yield Picture(path, kind, table.name), partial(why_not, table), partial(draw, table)
    yield Picture(places[0], CURVES), partial(curves.why_not, history), partial(curves.curves, history)
    if confusion is not None:
        yield Picture(places[1], CONFUSION), partial(matrices.why_not, confusion), partial(matrix, confusion)
