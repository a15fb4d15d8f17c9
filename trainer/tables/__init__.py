"""Named tables on disk: values, what each row stands for, how often it was trained, and how its ids are made."""

from trainer.tables.described import Described, given_titles, titles_of
from trainer.tables.folder import (
    file_names,
    is_in_pieces,
    read,
    read_rows,
    read_tensor,
    read_values,
    readable,
    restored,
    write,
)
from trainer.tables.health import Health, effective_rank, health_of
from trainer.tables.ids import difference, ids_of
from trainer.tables.manifest import Entry, Manifest, Sprite, read_manifest
from trainer.tables.stored import StoredTable
from trainer.tables.table import Table

__all__ = [
    "Described",
    "Entry",
    "Health",
    "Manifest",
    "Sprite",
    "StoredTable",
    "Table",
    "difference",
    "effective_rank",
    "file_names",
    "given_titles",
    "health_of",
    "ids_of",
    "is_in_pieces",
    "read",
    "read_manifest",
    "read_rows",
    "read_tensor",
    "read_values",
    "readable",
    "restored",
    "titles_of",
    "write",
]
