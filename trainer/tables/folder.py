"""A folder of tables: a TensorFlow checkpoint, for each table a file of labels and one of pictures, and a manifest."""

import itertools
import math
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from trainer import paths
from trainer.errors import Refusal
from trainer.feature_column.column import file_name
from trainer.formats import sprites, tsv
from trainer.tables import pieces
from trainer.tables.manifest import FILE, PREFIX, Entry, Sprite, entry_of, read_manifest, write_manifest
from trainer.tables.pieces import Piece
from trainer.tables.sharded import ShardedValues
from trainer.tables.stored import StoredTable
from trainer.tables.table import Array, Table
from trainer.tables.texts import Texts

_BLOCK = 65_536
"""Rows whose labels are made at a time, so that those of millions of rows are never held at once."""


def write(folder: str, tables: Sequence[Table], columns: Mapping[str, Sequence[str]] | None = None) -> None:
    """Writes tables into a folder, each file whole or not at all, the manifest last.

    A folder without a manifest is one that was not written to the end. `tf.train.load_checkpoint(folder)` reads
    each table under its name.

    Args:
        folder: Where to, made if it is not there; `runs/x/tables` for a run.
        tables: The tables, each with a name of its own.
        columns: The names of the columns that use a table, by its name; without them, its own column's.

    Raises:
        Refusal: Two tables have one name.
    """
    names = [table.name for table in tables]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Refusal(f"tables: two tables are called '{twice}'; give one of them another name.")
    paths.make_folder(folder)
    _save(folder, tables)
    entries = []
    for table, file in zip(tables, file_names(names), strict=True):
        _write_labels(paths.join(folder, f"{file}.tsv"), table)
        sprite = _written_pictures(folder, f"{file}.png", table)
        entries.append(entry_of(table, (columns or {}).get(table.name), f"{file}.tsv", sprite))
    write_manifest(folder, entries)


def read(folder: str, name: str, who: str = "tables") -> StoredTable:
    """Returns a table of a folder, with its labels and counts.

    Args:
        folder: The folder of tables, or the job dir that it lies in.
        name: The table's name.
        who: What a refusal begins with.

    Raises:
        Refusal: There are no tables, no such table, or its files are damaged.
    """
    manifest = read_manifest(folder, who)
    entry = manifest.entry(name, who)
    values = read_values(folder, name, who)
    path = paths.join(manifest.folder, entry.labels)
    try:
        header, columns = tsv.columns(path)
    except OSError:
        raise Refusal(f"{who}: {path} is not there; copy the whole folder.") from None
    if len(columns[0]) != entry.rows:
        raise Refusal(f"{who}: {path} has {len(columns[0]):,} labels for {entry.rows:,} rows; copy the whole folder.")
    own = len(header) - len(entry.details)
    if own < 1 or header[own - 1] not in ("label", "count") or header != _header(header[:own], entry.details):
        raise Refusal(f"{who}: {path} has other columns than the manifest says; copy the whole folder.")
    described = [*map(Texts, columns)]
    details = dict(zip(entry.details, described[own:], strict=True))
    del header[own:], described[own:]
    counts = _read_counts(path, described.pop(), who) if header[-1] == "count" else None
    labels = described.pop()
    fields = dict(zip(header, described, strict=False))
    return StoredTable(entry, values, labels, fields, counts, details, _read_pictures(manifest.folder, entry, who))


def _read_counts(path: str, texts: Texts, who: str) -> Array:
    try:
        return np.asarray(texts.arrow.cast(pa.large_string()).cast(pa.int64()))
    except pa.ArrowInvalid:
        raise Refusal(f"{who}: {path} has counts that are no whole numbers; copy the whole folder.") from None


def _read_pictures(folder: str, entry: Entry, who: str) -> Array | None:
    if entry.pictures is None:
        return None
    path = paths.join(folder, entry.pictures.file)
    try:
        return sprites.read(path, entry.rows, entry.pictures.height, entry.pictures.width)
    except OSError:
        raise Refusal(f"{who}: {path} is not there; copy the whole folder.") from None


def read_values(folder: str, name: str, who: str = "tables") -> Array:
    """Returns the values of a table of a folder, `(rows, dimension)`, and leaves its labels unread.

    Raises:
        Refusal: There are no tables, no such table, or its files are damaged.
    """
    return np.asarray(read_tensor(folder, name, who))


def read_tensor(folder: str, name: str, who: str = "tables") -> Any:
    """Returns the values of a table of a folder as a TensorFlow tensor, which holds them once.

    Raises:
        Refusal: As `read_values`.
    """
    manifest = read_manifest(folder, who)
    entry = manifest.entry(name, who)
    values = restored(paths.join(manifest.folder, PREFIX), name, entry.dtype)
    if values is None or values.shape != (entry.rows, entry.dimension):
        raise Refusal(
            f"{who}: the checkpoint in {manifest.folder} is damaged: it does not hold the {entry.rows:,} by "
            f"{entry.dimension} values of '{name}'; copy the whole folder."
        )
    return values


def read_rows(folder: str, name: str, rows: slice, who: str = "tables") -> Any:
    """Returns some rows of a table of a folder as a TensorFlow tensor.

    What was written in one piece is read whole for it, so it is for tables that `is_in_pieces` tells of.

    Args:
        folder: As in `read`.
        name: The table's name.
        rows: Which ones, from 0 on and without a step.
        who: What a refusal begins with.

    Raises:
        Refusal: As `read_values`.
    """
    manifest = read_manifest(folder, who)
    entry = manifest.entry(name, who)
    part = pieces.slice_of((entry.rows, entry.dimension), rows.start, rows.stop - rows.start)
    values = restored(paths.join(manifest.folder, PREFIX), name, entry.dtype, part)
    if values is None:
        raise Refusal(
            f"{who}: the checkpoint in {manifest.folder} is damaged: rows of '{name}' cannot be read; copy the whole "
            "folder."
        )
    return values


def is_in_pieces(folder: str) -> bool:
    """Tells whether the tables of a folder were written by several machines, large ones in pieces."""
    return sum(name.startswith(f"{PREFIX}.data-") for name in paths.names_in(folder)) > 1


def restored(prefix: str, name: str, dtype: str, part: str = "") -> Any:
    """Returns a tensor of a checkpoint, without the copy that a NumPy array would be; None where it is damaged.

    Args:
        prefix: Of the checkpoint.
        name: Of the tensor.
        dtype: Of the tensor.
        part: Which rows of which shape, as TensorFlow writes it; "" is the whole.
    """
    import tensorflow as tf

    try:
        with readable(prefix) as path, tf.init_scope(), tf.device("CPU"):  # the op has no other kernel
            return tf.raw_ops.RestoreV2(prefix=path, tensor_names=[name], shape_and_slices=[part], dtypes=[dtype])[0]
    # What TensorFlow raises for half a file depends on where the file ends.
    except (tf.errors.OpError, IndexError):
        return None


@contextmanager
def readable(prefix: str) -> Iterator[str]:
    """Yields a path by which TensorFlow reads a checkpoint, since it takes a prefix with `*` in it for a pattern."""
    if paths.is_remote(prefix) or not re.search(r"[*?\[\\]", prefix):
        yield prefix
        return
    folder, name = os.path.split(paths.absolute(prefix))
    with tempfile.TemporaryDirectory() as temporary:
        link = os.path.join(temporary, "folder")
        os.symlink(folder, link)
        yield os.path.join(link, name)


def file_names(names: Sequence[str]) -> list[str]:
    """Returns names that files and the projector can have, all different, on file systems that ignore case too.

    Example:
        >>> file_names(["day_hour", "native country", "Day_Hour"])
        ['day_hour', 'native_country', 'Day_Hour-2']
    """
    found: list[str] = []
    taken: set[str] = set()
    for name in names:
        plain = file_name(name) or "_"
        candidate, number = plain, 1
        while candidate.casefold() in taken:
            number += 1
            candidate = f"{plain}-{number}"
        taken.add(candidate.casefold())
        found.append(candidate)
    return found


def _save(folder: str, tables: Sequence[Table]) -> None:
    manifest = paths.join(folder, FILE)
    if paths.exists(manifest):  # it would speak for files that are about to change
        paths.remove_file(manifest)
    if not tables:  # a checkpoint of nothing cannot be written
        return
    # What lies here is written as one file, by which `is_in_pieces` knows it.
    pieces.write(paths.join(folder, PREFIX), _pieces(tables), together=math.inf)
    # The path is relative, so that a run can be moved.
    state = f'model_checkpoint_path: "{PREFIX}"\nall_model_checkpoint_paths: "{PREFIX}"\n'
    paths.write_text(paths.join(folder, "checkpoint"), state)


def _pieces(tables: Sequence[Table]) -> Iterator[Piece]:
    """Yields what tables hold, as numbers of 32 bits: first what lies on several machines, then the rest whole."""
    import tensorflow as tf

    def narrow(piece: Piece) -> Piece:
        return replace(piece, read=lambda: tf.cast(piece.read(), "float32"))

    for table in tables:
        if isinstance(table.values, ShardedValues):
            for part in table.values.parts:
                yield from map(narrow, pieces.cut(table.name, table.values.shape, part, part.variable.device))
    for table in tables:
        if not isinstance(table.values, ShardedValues):
            yield Piece(table.name, partial(tf.convert_to_tensor, table.values), table.values.nbytes)


def _write_labels(path: str, table: Table) -> None:
    own = [*table.fields_of([]), "label", *([] if table.counts is None else ["count"])]
    tsv.write(path, _header(own, table.details), _label_rows(table))


def _header(own: Sequence[str], details: Iterable[str]) -> list[str]:
    header = [*own]
    for name in details:
        header.append(name if name not in header else _unused(name, header))
    return header


def _unused(name: str, taken: Sequence[str]) -> str:
    numbered = (f"{name} {number}" for number in itertools.count(2))
    return next(candidate for candidate in numbered if candidate not in taken)


def _label_rows(table: Table) -> Iterator[tuple[str, ...]]:
    for start in range(0, table.rows, _BLOCK):
        ids = range(start, min(start + _BLOCK, table.rows))
        columns = [*table.fields_of(ids).values(), table.labels_of(ids)]
        if table.counts is not None:
            columns.append([str(count) for count in table.counts[start : start + _BLOCK].tolist()])
        columns.extend(list(texts[start : start + _BLOCK]) for texts in table.details.values())
        yield from zip(*columns, strict=True)


def _written_pictures(folder: str, file: str, table: Table) -> Sprite | None:
    if table.pictures is None or not table.pictures.size:
        return None
    pictures = sprites.fitted(table.pictures)
    sprites.write(paths.join(folder, file), pictures)
    return Sprite(file, *pictures.shape[1:3])
