"""A folder that the projector opens: everything that it reads of some tables."""

import logging
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer import paths
from trainer.formats import sprites
from trainer.projector import files, layout, metadata, points, views
from trainer.run import is_run
from trainer.tables import Described, file_names
from trainer.tables.table import Array

_TOLD_ROWS = 2_000
"""Rows whose layout takes seconds, so that a person is told what is waited for."""

_log = logging.getLogger(__name__)


def write(
    log_dir: str | os.PathLike[str],
    tables: Sequence[Described],
    step: int | None = None,
    layouts: bool = True,
    tell: Callable[[str], None] = lambda line: None,
) -> str:
    """Writes tables as a run that `tensorboard --logdir` shows in its projector.

    A table of fewer than 50 dimensions is written twice: under its name centred and with rows of length 0.999, which
    is what the page's layouts take it for, and as `NAME.raw` untouched. A table that would break the page for all
    the others, because its rows are all alike or not finite, is left out, and the log says so.

    Args:
        log_dir: The folder, `logs/projector` of a run; what an earlier call has left there is replaced.
        tables: The tables; those above 100,000 rows are shown by their most frequent keys.
        step: Makes a folder of its own in `log_dir`, because TensorBoard reads a tensor once; None writes `log_dir`.
        layouts: Whether a view of neighbours is computed for tables of up to 10,000 rows, which takes seconds.
        tell: Takes a line about what takes long.

    Returns:
        The folder written.

    Raises:
        Refusal: The folder cannot be made, or holds checkpoints or a projector of something else.
    """
    folder = paths.absolute(os.fspath(log_dir))
    folder = folder if step is None else paths.join(folder, f"step-{step:09d}")
    files.make_folder(folder)
    # Nothing that is there goes before all that takes its place is known.
    found = [_Shown.of(table, name, layouts, tell) for table, name in zip(tables, _names(tables), strict=True)]
    found = [each for each in found if each.variants]
    files.clear(folder)
    for each in found:
        each.write(folder)
    files.write_tensors(folder, {name: values for each in found for name, values in each.variants.items()})
    files.make_run(folder)
    files.write_config(folder, [part for each in found for part in each.described()])
    if found:
        files.name_tensors(folder)  # last, since the page shows tensors of a checkpoint without labels too
    if paths.is_remote(folder) and _run_of(folder) is None:  # one is told of where the run ends
        _log.warning("projector: TensorBoard reads labels from a local folder alone; to look at them: %s", look(folder))
    return folder


def shown(folder: str) -> dict[str, tuple[int, int]]:
    """Returns the rows and the dimension of each tensor that a folder shows, by name."""
    return {part.tensor_name: tuple(part.tensor_shape) for part in files.read_config(folder)}


def look(folder: str) -> str:
    """Returns the command that shows a folder that was written."""
    if not paths.is_remote(folder):
        return f"tensorboard --logdir {shlex.quote(folder)}"
    if (run := _run_of(folder)) is not None:
        return f"python -m trainer fetch {shlex.quote(run)} && tensorboard --logdir runs"
    return f"gcloud storage cp -r {shlex.quote(folder)} projector && tensorboard --logdir projector"


def _run_of(folder: str) -> str | None:
    """Returns the run that a remote folder is the projector of, None where it is another's."""
    above, logs, _ = folder.rpartition("/logs/projector")
    return above if logs and any(map(is_run, (above, paths.join(above, "model")))) else None


def _names(tables: Sequence[Described]) -> list[str]:
    """Returns names such that none of them, and none with .raw after it, is another's."""
    found: list[str] = []
    taken: set[str] = set()
    for name in file_names([table.name for table in tables]):
        candidate, number = name, 1
        while taken & {candidate.casefold(), f"{candidate}.raw".casefold()}:
            number += 1
            candidate = f"{name}-{number}"
        taken |= {candidate.casefold(), f"{candidate}.raw".casefold()}
        found.append(candidate)
    return found


@dataclass(frozen=True, eq=False)
class _Shown:
    """What is shown of one table.

    Args:
        name: The first tensor's, and that of the files.
        variants: The points by the tensor's name, `(rows, dimension)`; none where the table cannot be shown.
        columns: The metadata by name.
        bookmarks: The views of each tensor, in the order of the variants.
        pictures: One a row, small enough for a sprite, or None.
    """

    name: str
    variants: Mapping[str, Array]
    columns: Mapping[str, Sequence[str]]
    bookmarks: Sequence[str]
    pictures: Array | None

    @classmethod
    def of(cls, table: Described, name: str, layouts: bool, tell: Callable[[str], None]) -> "_Shown":
        """Returns what is shown of a table under a name."""
        rows = points.rows_of(table)
        variants = {f"{name}{ending}": values for ending, values in points.variants_of(table, rows).items()}
        if not variants:
            return cls(name, {}, {}, (), None)
        columns = metadata.columns_of(table, rows)
        seen = variants[name] if len(variants) > 1 else points.unit_rows(variants[name])  # as the page sees them
        places = _places(table.name, seen, tell) if layouts else None
        bookmarks = [views.bookmarks(columns, seen, places)]
        bookmarks += [views.bookmarks(columns, values, None) for values in list(variants.values())[1:]]
        pictures = table.pictures if table.pictures is not None and table.pictures.size else None
        fitted = None if pictures is None else sprites.fitted(pictures[rows])
        return cls(name, variants, columns, bookmarks, fitted)

    def write(self, folder: str) -> None:
        """Writes what describes the points; the points themselves are one file for all tables."""
        metadata.write(paths.join(folder, f"{self.name}{files.METADATA}"), self.columns)
        for variant, text in zip(self.variants, self.bookmarks, strict=True):
            paths.write_text(paths.join(folder, f"{variant}{files.VIEWS}"), text)
        if self.pictures is not None:
            sprites.write(paths.join(folder, f"{self.name}{files.SPRITE}"), self.pictures)

    def described(self) -> list[Any]:
        """Returns the parts of the config."""
        sprite = None
        if self.pictures is not None:
            height, width = self.pictures.shape[1:3]
            sprite = (f"{self.name}{files.SPRITE}", width, height)
        labels = f"{self.name}{files.METADATA}"
        return [
            files.described(variant, values.shape, labels, f"{variant}{files.VIEWS}", sprite)
            for variant, values in self.variants.items()
        ]


def _places(name: str, values: Array, tell: Callable[[str], None]) -> Array | None:
    if len(values) > _TOLD_ROWS and layout.is_laid_out(values):
        tell(f"projector: laying out the {len(values):,} rows of {name} beside their neighbours")
    return layout.neighbourhoods(values)
