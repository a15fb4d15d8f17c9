"""What a folder of tables says of itself. TensorFlow is not imported, so that a refusal comes at once."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from trainer import paths
from trainer.errors import Refusal, nearest
from trainer.tables.health import Health, health_of
from trainer.tables.ids import ids_of
from trainer.tables.table import Table

FILE = "manifest.json"
PREFIX = "tables"
VERSION = 1
_FORMAT = "embedding-columns tables"


@dataclass(frozen=True)
class Sprite:
    """The file of a table's pictures, in the same folder, and their size in pixels."""

    file: str
    height: int
    width: int


@dataclass(frozen=True)
class Entry:
    """What a manifest says of one table.

    Args:
        name: The table's and its tensor's name.
        rows: The number of keys.
        dimension: The floats of a row.
        dtype: The values' dtype.
        columns: The names of the columns that use it.
        ids: How its ids are made, as `ids_of` says it; None for a table that no column made.
        labels: The file of its labels, in the same folder.
        health: How well it was trained.
        details: The names of what more is known of the rows; in the file of labels they are the last columns.
        title: The detail that a person knows a row by; None is the label.
        pictures: The pictures of the rows; None where there are none.
    """

    name: str
    rows: int
    dimension: int
    dtype: str
    columns: tuple[str, ...]
    ids: Mapping[str, Any] | None
    labels: str
    health: Health
    details: tuple[str, ...] = ()
    title: str | None = None
    pictures: Sprite | None = None


@dataclass(frozen=True)
class Manifest:
    """The tables of a folder, by name."""

    folder: str
    tables: Mapping[str, Entry]

    def entry(self, name: str, who: str = "tables") -> Entry:
        """Returns what is said of one table.

        Raises:
            Refusal: There is no table of that name; the nearest is suggested.
        """
        if name not in self.tables:
            names = ", ".join(list(self.tables)[:10]) or "no table at all"
            end = nearest(name, self.tables) or f"; it has {names}."
            raise Refusal(f"{who}: {self.folder} has no table '{name}'{end}")
        return self.tables[name]


def entry_of(table: Table, columns: Iterable[str] | None, labels: str, pictures: Sprite | None = None) -> Entry:
    """Returns what a manifest says of a table.

    Args:
        table: The table.
        columns: The names of the columns that use it; None is the table's own column.
        labels: The file of its labels.
        pictures: Those of its rows.
    """
    if columns is None:
        columns = () if table.column is None else (table.column.name,)
    return Entry(
        name=table.name,
        rows=table.rows,
        dimension=table.dimension,
        dtype=table.values.dtype.name,
        columns=tuple(columns),
        ids=None if table.column is None else ids_of(table.column.categorical_column),
        labels=labels,
        health=health_of(table),
        details=tuple(table.details),
        title=table.title,
        pictures=pictures,
    )


def write_manifest(folder: str, entries: Iterable[Entry]) -> None:
    """Writes the manifest of a folder, which says that its other files are whole."""
    tables = {entry.name: dataclasses.asdict(entry) for entry in entries}
    for described in tables.values():
        del described["name"]
    content = {"format": _FORMAT, "version": VERSION, "tables": tables}
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    # Half of a surrogate pair is no UTF-8; with a backslash it is what JSON calls it.
    paths.write_text(paths.join(folder, FILE), text.encode("utf-8", "backslashreplace").decode())


def read_manifest(folder: str, who: str = "tables") -> Manifest:
    """Returns the manifest of a folder of tables.

    Args:
        folder: The folder of tables, or the job dir that it lies in.
        who: What a refusal begins with.

    Raises:
        Refusal: There are no tables, they were not written to the end, or the manifest cannot be used.
    """
    own = folder if paths.exists(paths.join(folder, FILE)) else paths.join(folder, "tables")
    path = paths.join(own, FILE)
    if not paths.exists(path):
        raise Refusal(f"{who}: {_absence(folder)}")
    try:
        content = json.loads(paths.read_text(path))
        version = content["version"] if content["format"] == _FORMAT else None
        if version == VERSION:
            tables = {name: _entry(name, described) for name, described in content["tables"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        version = None
    if version is None:
        raise Refusal(f"{who}: {path} is no manifest of tables; give a run's job dir, or its tables folder.")
    if version != VERSION:
        raise Refusal(
            f"{who}: {path} has version {version}, and this release reads version {VERSION}; "
            "install the release that wrote it, or a newer one."
        )
    if tables and not paths.exists(paths.join(own, f"{PREFIX}.index")):
        raise Refusal(f"{who}: {own} has a manifest but not the file {PREFIX}.index; copy the whole folder.")
    return Manifest(own, tables)


def _entry(name: str, described: dict[str, Any]) -> Entry:
    details, title, pictures = (described.get(key) for key in ("details", "title", "pictures"))
    if not _are_texts(described.get("details", [])) or not (title is None or title in (details or ())):
        raise ValueError("details are texts, and the title is one of them")
    made = {
        **_known(Entry, described),
        "columns": tuple(described["columns"]),
        "health": Health(**_known(Health, described["health"])),
        "details": tuple(details or ()),
        "pictures": Sprite(**_known(Sprite, pictures)) if pictures else None,
    }
    return Entry(**{**made, "name": name})


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _known(kind: Any, described: dict[str, Any]) -> dict[str, Any]:
    """Returns what a class has fields for: a later release may say more."""
    return {field.name: described[field.name] for field in dataclasses.fields(kind) if field.name in described}


def _absence(folder: str) -> str:
    if not paths.is_folder(folder):
        return f"there is no folder {folder}; give a run's job dir, or its tables folder."
    if any(paths.exists(paths.join(own, f"{PREFIX}.index")) for own in (folder, paths.join(folder, "tables"))):
        return f"the tables in {folder} were not written to the end; give a run that has ended, or run it again."
    if paths.exists(paths.join(folder, "settings.json")):
        return f"the run in {folder} has left no tables yet; wait for its end, or go on with it: --resume."
    return f"{folder} holds no tables; give a run's job dir, or its tables folder."
