"""Tables as TensorBoard's projector opens them: values, labels and keys, in one folder that is a run of its own."""

import logging
from collections.abc import Sequence

import numpy as np

from trainer import paths
from trainer.projector.files import metadata, pbtxt, tensor
from trainer.tables import Table, file_names
from trainer.tables.table import Array

CONFIG = "projector_config.pbtxt"
MOST_ROWS = 100_000
"""The page asks for no more points than these."""

_UNIT = 0.999
_UNIT_BELOW = 50
"""For fewer dimensions than these the page's t-SNE and UMAP take the rows for unit vectors."""

_log = logging.getLogger(__name__)


def write(log_dir: str, tables: Sequence[Table], step: int | None = None) -> str:
    """Writes tables as a run that `tensorboard --logdir` shows in its projector.

    A table of fewer than 50 dimensions is written twice: under its name centred and with rows of length 0.999, which
    is what the page's layouts take it for, and as `NAME.raw` untouched. A table that would break the page for all
    the others, because its rows are all alike or not finite, is left out, and the log says so.

    Args:
        log_dir: The folder, `logs/projector` of a run; what an earlier call has left there is replaced.
        tables: The tables; those above 100,000 rows are shown by their most frequent keys.
        step: Makes a folder of its own in `log_dir`, because TensorBoard reads a tensor once; None writes `log_dir`.

    Returns:
        The folder written.
    """
    folder = log_dir if step is None else paths.join(log_dir, f"step-{step:09d}")
    paths.make_folder(folder)
    config = paths.join(folder, CONFIG)
    if paths.exists(config):  # it would speak for files that are about to change
        paths.write_text(config, "")
    blocks: list[str] = []
    names = file_names([name for table in tables for name in (table.name, f"{table.name}.raw")])
    for table, name, raw_name in zip(tables, names[::2], names[1::2], strict=True):
        rows = _shown(table)
        variants = _variants(table, rows, name, raw_name)
        if variants:
            metadata(paths.join(folder, f"{name}.metadata.tsv"), table, rows)
        for tensor_name, values in variants.items():
            file = tensor(folder, tensor_name, values)
            blocks.append(pbtxt(tensor_name, values.shape, file, f"{name}.metadata.tsv"))
    _make_run(folder)
    paths.write_text(config, "".join(blocks))
    return folder


def _shown(table: Table) -> list[int]:
    if table.rows <= MOST_ROWS:
        return list(range(table.rows))
    order = np.arange(table.rows) if table.counts is None else np.argsort(-table.counts, kind="stable")
    chosen = "first" if table.counts is None else "most frequent"
    _log.warning(
        "projector: '%s' has %s rows; the %s %s are shown.", table.name, f"{table.rows:,}", chosen, f"{MOST_ROWS:,}"
    )
    return [int(row) for row in np.sort(order[:MOST_ROWS])]


def _variants(table: Table, rows: list[int], name: str, raw_name: str) -> dict[str, Array]:
    # Padding keeps distances: the page hides one dimension and opens two blank.
    with np.errstate(over="ignore"):  # what float32 cannot hold is refused below
        values = np.asarray(table.values[rows], np.float32)  # (rows shown, dimension)
    padding = ((0, 0), (0, max(0, 3 - table.dimension)))
    if table.rows < 2:
        reason: str | None = "has fewer than two rows"
    elif not np.isfinite(values).all():
        reason = "has values that are not finite"
    else:
        reason = None if np.ptp(values, axis=0).any() else "has all its rows alike"
    if reason is not None:
        _log.warning("projector: '%s' %s, so it is left out.", table.name, reason)
        return {}
    if table.dimension >= _UNIT_BELOW:
        return {name: values}
    return {name: np.pad(_centred(values, table.trained[rows]), padding), raw_name: np.pad(values, padding)}


def _centred(values: Array, trained: Array) -> Array:
    # What was never trained lies anywhere, and says nothing of where the middle is.
    middle = (values[trained] if trained.any() else values).mean(axis=0, dtype=np.float64)  # (dimension,)
    moved = values - middle  # (rows, dimension)
    norms = np.linalg.norm(moved, axis=1, keepdims=True)  # (rows, 1)
    return (moved * np.divide(_UNIT, norms, out=np.zeros_like(norms), where=norms > 0)).astype(np.float32)


def _make_run(folder: str) -> None:
    # A folder is a run to TensorBoard once it holds an event file; a second one would say nothing more.
    if any(name.startswith("events.out.tfevents") for name in paths.names_in(folder)):
        return
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    EventFileWriter(folder).close()
