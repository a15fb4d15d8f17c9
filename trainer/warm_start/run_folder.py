"""Tables that a run of ours has left: the job dir, or its tables folder. They know what their rows stand for."""

from functools import partial
from typing import Any

import pyarrow as pa

from trainer import paths, tables
from trainer.formats import tsv
from trainer.tables import Entry, Manifest
from trainer.warm_start.keys import Keys, keys_from
from trainer.warm_start.source import Source, Tensor


def opened(folder: str, who: str) -> Source:
    """Returns the tables of a run, by its manifest alone.

    Raises:
        Refusal: The folder has no tables, or they were not written to the end.
    """
    manifest = tables.read_manifest(folder, who)
    in_pieces = tables.is_in_pieces(manifest.folder)
    tensors = (_tensor(folder, manifest, entry, who, in_pieces) for entry in manifest.tables.values())
    return Source(folder, tuple(tensors), "run")


def _tensor(folder: str, manifest: Manifest, entry: Entry, who: str, in_pieces: bool) -> Tensor:
    return Tensor(
        entry.name,
        (entry.rows, entry.dimension),
        entry.dtype,
        partial(tables.read_tensor, folder, entry.name, who),
        keys=partial(_keys, manifest, entry),
        rows=(lambda rows: tables.read_rows(folder, entry.name, rows, who)) if in_pieces else None,
    )


def _keys(manifest: Manifest, entry: Entry) -> Keys | None:
    if entry.ids is None:
        return None
    path = paths.join(manifest.folder, entry.labels)

    def field(name: str, rows: slice) -> pa.Array:
        part = tsv.column(path, name)[: rows.stop]
        return part if rows.step == 1 else part.take(pa.array(range(0, rows.stop, rows.step)))

    def labels() -> Any:
        return [label.decode("utf-8", "surrogatepass") for label in tsv.column(path, "label").to_pylist()]

    return keys_from(entry.ids, field, labels)
