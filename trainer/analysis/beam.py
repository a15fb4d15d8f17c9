"""The pass over files by Apache Beam, a file an element: the same as on one machine, on as many as a runner has."""

import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from trainer import paths
from trainer.analysis.analysis import Analysis, Found
from trainer.analysis.facts import Facts
from trainer.analysis.local import Reading
from trainer.errors import Refusal
from trainer.inputs.bad_rows import BadRow, BadRows
from trainer.inputs.files import Rows, State, opened
from trainer.rows import Limit
from trainer.terminal import quiet

_EXTRA = "embedding-columns[beam]"
_RESULT = ".analysis"
_ANY = Limit(count=None, share=1.0)


@dataclass(frozen=True)
class OfFile:
    """What one file has beside its columns.

    Args:
        place: Among the files.
        rows: That could be read.
        bad: The others.
        refusal: Why the file cannot be used; None where it can.
    """

    place: int
    rows: int = 0
    bad: tuple[BadRow, ...] = ()
    refusal: str | None = None


def of_files(states: Sequence[State], reading: Reading, limit: Limit, flags: Sequence[str], folder: str) -> Found:
    """Returns what is found in files, as `local.of_files` does.

    Args:
        states: The files, which the runner's workers must be able to read.
        reading: How they are analysed.
        limit: How many rows there may be that cannot be read.
        flags: Of the pipeline: its runner, and what that wants.
        folder: Where the workers leave the result, and where this process reads it and removes it.

    Raises:
        Refusal: Apache Beam is not installed, a flag is none of its, a file cannot be used, or there are too many bad
            rows.
    """
    beam, options = _beam(flags)
    order = reading.columns(opened(states[0].path, reading))
    result, is_new = paths.join(folder, _RESULT), not paths.exists(folder)
    paths.make_folder(folder)
    try:
        with beam.Pipeline(options=options) as pipeline:
            (
                pipeline
                | "files" >> beam.Create(list(enumerate(states)))
                | "spread" >> beam.Reshuffle()
                | "analyse" >> beam.FlatMap(partial(_of_file, reading, limit))
                | "add up" >> beam.CombinePerKey(_added_up)
                | "gather" >> beam.combiners.ToList()
                | "leave" >> beam.Map(partial(_leave, result))
            )
        parts = dict(pickle.loads(paths.read_bytes(result)))  # this pipeline has written it a moment ago
        return _found(states, reading, limit, parts, order)
    finally:
        if paths.exists(result):
            paths.remove_file(result)
        if is_new and not paths.names_in(folder):
            paths.remove_folder(folder)


def _beam(flags: Sequence[str]) -> tuple[Any, Any]:
    try:
        with quiet():  # it warns of what its other runners would want, and of flags that are refused below
            import apache_beam
            from apache_beam.options.pipeline_options import PipelineOptions

            options = PipelineOptions(list(flags))
            known = options.get_all_options()
    except ImportError as error:
        raise Refusal(
            f"--runner: Apache Beam cannot be loaded ({error}); python -m pip install '{_EXTRA}' brings it."
        ) from None
    unknown = [flag for flag in flags if flag.startswith("--") and _name(flag) not in known]
    if unknown:
        raise Refusal(f"--runner: {unknown[0]} is no flag of Apache Beam or of this runner; leave it out.")
    return apache_beam, options


def _name(flag: str) -> str:
    return flag.partition("=")[0].removeprefix("--").replace("-", "_")


def _of_file(reading: Reading, limit: Limit, element: tuple[int, State]) -> Iterator[tuple[str | None, Any]]:
    """Yields what is known of each column of a file by its name, and under None what else there is to say of it."""
    place, state = element
    bad = BadRows(limit if limit.count is not None else _ANY)
    whole = Analysis(reading.most, reading.bags)
    try:
        for part, _ in Rows([state], reading, bad).parts():
            whole.include(part)
    except Refusal as refusal:
        yield None, [OfFile(place, refusal=str(refusal))]
        return
    yield from whole.facts.items()
    yield None, [OfFile(place, whole.rows, tuple(bad.found))]


def _added_up(parts: Iterable[Any]) -> Any:
    """Returns the sum of what is known of a column in several files, or the list of what is said of these."""
    every = list(parts)
    if not every or isinstance(every[0], list):
        return [each for part in every for each in part]
    return Facts.of(every)


def _leave(path: str, parts: Sequence[Any]) -> None:
    with paths.written_whole(path) as temporary, open(temporary, "wb") as out:
        pickle.dump(list(parts), out)


def _found(
    states: Sequence[State], reading: Reading, limit: Limit, parts: dict[str | None, Any], order: Sequence[str]
) -> Found:
    files = sorted(parts.pop(None), key=lambda each: each.place)
    bad = BadRows(limit)
    for file in files:
        if file.refusal is not None:
            raise Refusal(file.refusal)
        bad.add(file.bad, file.rows + len(file.bad))
    bad.end()
    whole = Analysis(reading.most, reading.bags)
    whole.facts.update({str(name): facts for name, facts in parts.items()})
    whole.rows = sum(file.rows for file in files)
    return Found(whole.columns(order), [state.path for state in states], whole.rows, bad.found)
