"""Writes the tables of a run, a checkpoint or a file of vectors for TensorBoard's projector."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from trainer import commands, flags, paths
from trainer.errors import Refusal, nearest
from trainer.flags import flag
from trainer.terminal import load_tensorflow

PROG = f"{commands.PROG} projector"
DESCRIPTION = f"""{__doc__}

  {PROG} runs/flights
  {PROG} glove.6B.50d.txt --out runs/glove
  {PROG} 'old/model.ckpt-1000*' --tables dnn/movie/embedding_weights --labels dnn/movie/embedding_weights=movies.txt"""


@dataclass(frozen=True)
class Settings:
    """What the writing can be told."""

    source: tuple[str, ...] = commands.SOURCE
    tables: tuple[str, ...] = flag((), "a table to show (default: all that look like one); repeatable", "NAME")
    labels: tuple[str, ...] = flag(
        (),
        "what the rows stand for where the source does not say so: a text file of a label a line, or a .tsv file with "
        "a header row, the label first; repeatable",
        "TABLE=FILE",
    )
    out: str | None = flag(
        None, "where to (default: logs/projector of a job dir, else runs/NAME-projector)", "DIR", group="output"
    )
    layouts: bool = flag(True, "compute a view of neighbours for tables of up to 10,000 rows", group="output")
    verbose: bool = flag(False, "show TensorFlow's own messages", group="output")


def main(argv: Sequence[str]) -> int:
    """Writes a source's tables for the projector and returns the exit code.

    Args:
        argv: The source, a path or a pattern, and flags.

    Raises:
        Refusal: There is not one source, it cannot be read, or it has no table that was asked for.
    """
    given = Settings(**flags.parse(Settings, argv, PROG, DESCRIPTION))
    place = commands.only_source(given.source, PROG)
    load_tensorflow(given.verbose)
    from trainer import projector

    found = list(_described(place, given))
    if not found:
        raise Refusal(f"{PROG}: {place} has no table; python -m trainer tables lists what it holds, for --tables.")
    folder = projector.write(paths.absolute(given.out or _default(place)), found, layouts=given.layouts, tell=_tell)
    for table in found:
        print(f"{table.name}: {table.rows:,} rows × {table.dimension}")
    print(f"look at it  tensorboard --logdir {folder}\n{folder}")
    return 0


def _tell(line: str) -> None:
    print(line, flush=True)


def _default(place: str) -> str:
    if _is_run(place):
        return paths.join(place, "logs", "projector")
    name = os.path.basename(place.rstrip("/")).strip("*?.[]") or "tables"
    return paths.join("runs", f"{name}-projector")


def _is_run(place: str) -> bool:
    return any(paths.exists(paths.join(place, *name)) for name in (("settings.json",), ("tables", "manifest.json")))


def _described(place: str, given: Settings) -> Iterator[Any]:
    from trainer import tables

    labels = dict(_labelled(text) for text in given.labels)
    if _is_run(place) or paths.exists(paths.join(place, "manifest.json")):
        there = tables.read_manifest(place, PROG).tables
        for name in labels:
            raise Refusal(f"{PROG}: --labels {name}: the tables of a run say what their rows stand for; leave it out.")
        for name in given.tables or there:
            yield tables.read(place, name, PROG)
        return
    from trainer import warm_start
    from trainer.projector import sources

    source = warm_start.opened(place, PROG)
    chosen = given.tables or [sources.name_of(tensor) for tensor in source.tensors if source.looks_like_table(tensor)]
    for name in labels:
        if name not in chosen:
            raise Refusal(f"{PROG}: --labels {name}: there is no such table{nearest(name, chosen) or '.'}")
    for name in chosen:
        yield sources.table_of(source, name, labels.get(name), PROG)


def _labelled(text: str) -> tuple[str, str]:
    table, equals, file = text.rpartition("=")
    if not (table and equals and file):
        raise Refusal(f"{PROG}: --labels is TABLE=FILE, not '{text}'.")
    return table, file
