"""Writes the tables of a run, a checkpoint or a file of vectors for TensorBoard's projector."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer import commands, flags, paths
from trainer.errors import Refusal, refusing
from trainer.flags import flag
from trainer.run import Run
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
    place = commands.only(given.source, PROG, commands.SOURCE_WANTED)
    labels = _labels(given.labels)
    load_tensorflow(given.verbose)
    from trainer import projector
    from trainer.warm_start import places

    with refusing(PROG):
        place = places.found(place if paths.is_remote(place) else os.path.expanduser(place))
    found = list(_tables(place, given.tables, labels))
    written = projector.write(given.out or _default(place), found, layouts=given.layouts, tell=_tell)
    shown = projector.shown(written)
    if not shown:
        raise Refusal(f"{PROG}: {place} has no table to show; python -m trainer tables lists what it holds.")
    for name, (rows, dimension) in shown.items():
        print(f"{name}: {rows:,} × {dimension}")
    print(f"look at it  {projector.look(written)}\n{written}")
    return 0


def _tell(line: str) -> None:
    print(line, flush=True)


def _tables(place: str, names: Sequence[str], labels: Mapping[str, str]) -> Iterator[Any]:
    from trainer import tables, warm_start

    if _is_run(place) or paths.exists(paths.join(place, "manifest.json")):
        for name in labels:
            raise Refusal(f"{PROG}: --labels {name}: the tables of a run say what their rows stand for; leave it out.")
        examples = Run(place).examples  # test examples, which are shown beside the tables
        found: dict[str, str] = {}
        for folder in (place, *([examples] if paths.exists(paths.join(examples, "manifest.json")) else [])):
            found = {**dict.fromkeys(tables.read_manifest(folder, PROG).tables, folder), **found}
        for name in dict.fromkeys(names) or sorted(found, key=lambda name: found[name] == examples):
            yield tables.read(found.get(name, place), name, PROG)
        return
    from trainer.projector import sources

    yield from sources.tables_of(warm_start.opened(place, PROG), names, labels, PROG)


def _is_run(place: str) -> bool:
    return any(paths.exists(paths.join(place, *name)) for name in (("settings.json",), ("tables", "manifest.json")))


def _default(place: str) -> str:
    """Returns the folder of a run's projector, or one that is named after a source and does not hold another's."""
    above, name = os.path.split(place.rstrip("/") if paths.is_remote(place) else os.path.abspath(place))
    if _is_run(place):
        return paths.join(place, "logs", "projector")
    if name == "tables" and _is_run(above):
        return paths.join(above, "logs", "projector")
    named = f"{os.path.basename(above)}-{name}" if _is_run(above) else name
    return paths.join("runs", f"{named}-projector")


def _labels(given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        table, equals, file = text.rpartition("=")
        if not (table and equals and file):
            raise Refusal(f"{PROG}: --labels is TABLE=FILE, not '{text}'.")
        if table in found:
            raise Refusal(f"{PROG}: --labels {table}: two files are given; give one.")
        found[table] = file
    return found
