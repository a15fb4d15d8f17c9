"""Pictures of tables, one kind of picture a file."""

from collections.abc import Sequence

from trainer import paths
from trainer.pictures.heat_maps import heat_map, why_not
from trainer.tables import Table, file_names

__all__ = ["heat_map", "write"]


def write(folder: str, tables: Sequence[Table]) -> list[str]:
    """Draws the tables that can be drawn, and returns the paths of the pictures.

    Args:
        folder: Where to; made if there is something to draw.
        tables: The tables; those on an exact cross of two keys become heat maps, the others are left out.
    """
    chosen = [table for table in tables if why_not(table) is None]
    if chosen:
        paths.make_folder(folder)
    files = [paths.join(folder, f"{name}.png") for name in file_names([table.name for table in chosen])]
    for table, path in zip(chosen, files, strict=True):
        heat_map(table, path)
    return files
