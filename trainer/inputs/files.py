"""Files of rows, whatever their format, as parts of typed features: read ahead by threads, given in order."""

import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trainer import paths
from trainer.errors import Refusal
from trainer.inputs import streams
from trainer.inputs.arrow import ArrowFile
from trainer.inputs.bad_rows import BadRow, BadRows
from trainer.inputs.csv import CsvFile
from trainer.inputs.features import lacking
from trainer.inputs.json_lines import JsonLinesFile
from trainer.inputs.parquet import ParquetFile
from trainer.inputs.part import AnyReading, RowFile
from trainer.inputs.shard import Shard
from trainer.inputs.texts import TextFile
from trainer.inputs.tfrecord import TFRecordFile
from trainer.inputs.values import Feature

_LOOKED_AT = 1000
"""The most files whose numbers of rows are added up before they are read."""

THREADS = max(2, min(8, os.cpu_count() or 2))

KINDS: dict[str, Callable[[str, AnyReading], RowFile]] = {
    **dict.fromkeys((".parquet", ".pq"), lambda path, reading: ParquetFile(path)),
    **dict.fromkeys((".feather", ".arrow", ".ipc"), lambda path, reading: ArrowFile(path)),
    **dict.fromkeys(
        (".jsonl", ".ndjson", ".json"), lambda path, reading: JsonLinesFile(path, reading.asked, reading.keeps_lists)
    ),
    **dict.fromkeys((".tfrecord", ".tfrecords"), lambda path, reading: TFRecordFile(path, reading.asked)),
}
"""What reads a file, by the end of its name; what has none of these is running text where that is read, else CSV."""

_CSV = (".csv", ".tsv")
"""The ends of names that are CSV in any case."""


@dataclass
class Progress:
    """How far the reading of files has come.

    Args:
        bytes_done: Of all files.
        rows_done: Good and bad.
        rows_total: Where the files tell it.
    """

    bytes_done: int = 0
    rows_done: int = 0
    rows_total: int | None = None


@dataclass(frozen=True)
class State:
    """A file as it was when it was first looked at."""

    path: str
    size: int
    modified: int

    @classmethod
    def of(cls, path: str) -> "State":
        """Returns the state of a file now.

        Raises:
            OSError: It is not there.
        """
        if not paths.is_remote(path):
            local = os.stat(path)
            return cls(path, local.st_size, local.st_mtime_ns)
        with paths.asking(path) as remote:
            found = remote.stat(path)
        return cls(path, int(found.length), int(found.mtime_nsec))

    def check(self) -> None:
        """Refuses a file that is no longer as it was.

        Raises:
            Refusal: It has vanished, grown, shrunk or been written again.
        """
        try:
            now = State.of(self.path)
        except OSError:
            raise Refusal(f"{self.path}: it vanished while it was read; start again once it is there.") from None
        if now != self:
            verb = {1: "grew", 0: "was written anew", -1: "shrank"}[int(np.sign(now.size - self.size))]
            raise Refusal(
                f"{self.path}: it {verb} while it was read ({self.size:,} bytes, then {now.size:,}); start again once "
                "nothing writes to it."
            )


@contextmanager
def _telling_of_changes(state: State) -> Iterator[None]:
    """Refuses a file that has changed for that, and not for the half of a row that it then ends with."""
    try:
        yield
    except Refusal:
        state.check()
        raise


def opened(path: str, reading: AnyReading) -> RowFile:
    """Returns what reads a file, by the end of its name.

    Raises:
        Refusal: It cannot be read as what its name says.
    """
    name = re.sub(r"-\d{5}-of-\d{5}$", "", streams.plain_name(path.lower()))  # of a shard
    ending = os.path.splitext(name)[1]
    if ending in KINDS:
        return KINDS[ending](path, reading)
    if reading.texts is not None and ending not in _CSV:
        return TextFile(path, reading.texts)
    # What is also given as the file has it stays text, as 007.
    asked = {name: wanted for name, wanted in reading.asked.items() if name not in reading.beside}
    return CsvFile(path, asked, reading.csv)


@dataclass(frozen=True)
class _Piece:
    """A piece of a file that a thread works on, or the end of the file.

    Args:
        state: Of the file.
        bytes_done: Of all files, once it is done.
        work: Has what `AnyReading.read` returns; None at the end of the file.
    """

    state: State
    bytes_done: int
    work: Future[Any] | None


@dataclass
class Rows:
    """The rows of some files, in their order.

    Args:
        states: The files.
        reading: What to make of a row.
        bad: Takes the bad rows.
        progress: Is told how far it came.
        shard: The part that is read.
    """

    states: Sequence[State]
    reading: AnyReading
    bad: BadRows = field(default_factory=BadRows)
    progress: Progress = field(default_factory=Progress)
    shard: Shard = field(default_factory=Shard)

    def __post_init__(self) -> None:
        self.missing = list(self.reading.wanted)
        """The features that had no value in any row so far."""
        self._told: set[str] = set()

    def __iter__(self) -> Iterator[dict[str, Feature]]:
        """Yields the features of some thousand rows after the other, where features are made of them.

        Raises:
            Refusal: A file cannot be used, or there are too many bad rows.
        """
        return (made.features for made in self.parts())

    def parts(self) -> Iterator[Any]:
        """Yields what the reading makes of some thousand rows after the other.

        Raises:
            Refusal: A file cannot be used, or there are too many bad rows.
        """
        waiting: deque[_Piece] = deque()
        with ThreadPoolExecutor(THREADS) as pool:
            try:
                for piece in self._work(pool):
                    waiting.append(piece)
                    while len(waiting) > THREADS + 1:
                        yield from self._finished(waiting.popleft())
                while waiting:
                    yield from self._finished(waiting.popleft())
            finally:
                for piece in waiting:
                    if piece.work is not None:
                        piece.work.cancel()
        self.bad.end()
        for key in self.missing:
            if (
                key in self.reading.asked
                and key not in self._told
                and self.progress.rows_done
                and self.shard.count == 1
            ):
                raise lacking(key, self._told, self.states[0].path)

    def check(self) -> None:
        """Reads the first rows of each file, so that a mistake in them does not cost the time of all.

        Raises:
            Refusal: A file or a value cannot be used.
        """
        found = BadRows(self.bad.limit)
        for state in self.states:
            file = opened(state.path, self.reading)
            columns = self.reading.columns(file)
            piece = next(iter(file.pieces(columns)), None)
            if piece is not None:
                _, rows, bad = self._read(file, piece, columns)
                found.add(bad, rows + len(bad))

    def read_so_far(self, rows: int) -> tuple[int, int, bool]:
        """Returns how much was read, how much there is, and whether that is rows, else bytes.

        Args:
            rows: That were read.
        """
        del rows  # bad ones are read too
        if self.progress.rows_total:
            return self.progress.rows_done, self.progress.rows_total, True
        return self.progress.bytes_done, sum(state.size for state in self.states), False

    def _work(self, pool: ThreadPoolExecutor) -> Iterator["_Piece"]:
        number, before, files = 0, 0, self._with_rows()
        for place, state in enumerate(self.states):
            with _telling_of_changes(state):
                file = files[place] if place < len(files) else opened(state.path, self.reading)
                self._told |= set(file.told)
                columns = self.reading.columns(file)
                for piece in file.pieces(columns):
                    if number % self.shard.count == self.shard.index:
                        work = pool.submit(self._read, file, piece, columns)
                        yield _Piece(state, before + file.position(), work)
                    number += 1
            before += state.size
            yield _Piece(state, before, None)

    def _with_rows(self) -> list[RowFile]:
        """Returns the first files, those that tell how many rows they have; where all do, the total is known."""
        files: list[RowFile] = []
        for state in self.states[:_LOOKED_AT]:
            files.append(opened(state.path, self.reading))
            if files[-1].rows is None:
                return files
        if len(files) == len(self.states):
            self.progress.rows_total = sum(file.rows or 0 for file in files)
        return files

    def _read(self, file: RowFile, piece: Any, columns: Sequence[str]) -> tuple[Any, int, list[BadRow]]:
        return self.reading.read(file.part(piece, columns), file)

    def _finished(self, piece: "_Piece") -> Iterator[Any]:
        self.progress.bytes_done = piece.bytes_done
        if piece.work is None:
            piece.state.check()
            return
        with _telling_of_changes(piece.state):
            made, rows, bad = piece.work.result()
            self.bad.add(bad, rows + len(bad))
        self.missing = [key for key in self.missing if not made.features[key].has_values]
        self.progress.rows_done += rows + len(bad)
        if rows:
            yield made
