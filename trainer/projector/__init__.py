"""Tables as TensorBoard's projector opens them: points, labels, colours, pictures and views, in one folder."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from trainer import paths
from trainer.formats import sprites
from trainer.projector import files, layout, metadata, points, views
from trainer.tables import Described, file_names
from trainer.tables.table import Array

_TOLD_ROWS = 2_000
"""Rows whose layout takes seconds, so that a person is told what is waited for."""

_log = logging.getLogger(__name__)


def write(
    log_dir: str,
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
        Refusal: The folder holds checkpoints of something else.
    """
    folder = log_dir if step is None else paths.join(log_dir, f"step-{step:09d}")
    paths.make_folder(folder)
    files.check_folder(folder)
    files.clear(folder)
    embeddings: list[Any] = []
    tensors = {}
    names = file_names([name for table in tables for name in (table.name, f"{table.name}.raw")])
    for table, name, raw_name in zip(tables, names[::2], names[1::2], strict=True):
        rows = points.rows_of(table)
        variants = dict(zip((name, raw_name), points.variants_of(table, rows).values(), strict=False))
        if variants:
            embeddings.extend(_described(folder, table, rows, variants, layouts, tell))
        tensors.update(variants)
    files.write_tensors(folder, tensors)
    files.make_run(folder)
    files.write_config(folder, embeddings)
    if paths.is_remote(folder):
        _log.warning(
            "projector: TensorBoard reads labels from a local folder alone; to look at them: gcloud storage cp -r %s "
            "projector && tensorboard --logdir projector",
            folder,
        )
    return folder


def _described(
    folder: str,
    table: Described,
    rows: list[int],
    variants: dict[str, Array],
    layouts: bool,
    tell: Callable[[str], None],
) -> list[Any]:
    """Writes what describes the points of a table, and returns its parts of the config."""
    name = next(iter(variants))
    columns = metadata.columns_of(table, rows)
    metadata.write(paths.join(folder, f"{name}.metadata.tsv"), columns)
    sprite = _sprite(folder, f"{name}.sprite.png", table, rows)
    found = []
    for variant, values in variants.items():
        bookmarks = f"{variant}.views.json"
        seen = values if len(variants) > 1 else points.unit_rows(values)  # as the page sees them
        places = _places(table.name, seen, tell) if layouts and variant == name else None
        paths.write_text(paths.join(folder, bookmarks), views.bookmarks(columns, seen, places))
        found.append(files.described(variant, values.shape, f"{name}.metadata.tsv", bookmarks, sprite))
    return found


def _places(name: str, values: Array, tell: Callable[[str], None]) -> Array | None:
    if _TOLD_ROWS < len(values) <= layout.MOST_LAID_OUT:
        tell(f"projector: laying out the {len(values):,} rows of {name} beside their neighbours")
    return layout.neighbourhoods(values)


def _sprite(folder: str, file: str, table: Described, rows: list[int]) -> tuple[str, int, int] | None:
    if table.pictures is None or not table.pictures.size:
        return None
    pictures = sprites.fitted(table.pictures[rows])
    sprites.write(paths.join(folder, file), pictures)
    height, width = pictures.shape[1:3]
    return file, width, height
