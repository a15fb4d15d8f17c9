"""The pass over files on one machine: their parts are analysed by threads, and added up as they come."""

import dataclasses
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.compute as pc

from trainer.analysis.analysis import Analysis, Found
from trainer.analysis.facts import MOST
from trainer.feature_column import Tokens
from trainer.inputs.bad_rows import BadRow, BadRows
from trainer.inputs.csv import CsvFile
from trainer.inputs.features import lacking
from trainer.inputs.files import Rows, State, opened
from trainer.inputs.part import Part, RowFile
from trainer.inputs.progress import ReadingProgress
from trainer.inputs.values import Wanted
from trainer.rows import CsvFormat, Limit, TextFormat


@dataclass(frozen=True)
class Reading:
    """How the rows of files are analysed: what `inputs.files.Rows` takes.

    Args:
        only: The columns that are looked at; None looks at all.
        bags: What stands between the values of a row, or how a text becomes words, by the name of a column of texts.
        most: The different values of a column up to which they are counted exactly.
        csv: How CSV files are written.
        also: Makes something else of the columns of a part, Arrow arrays by name, and its rows.
        texts: How files that are of no other kind become rows; None takes them as CSV.
    """

    only: Sequence[str] | None = None
    bags: Mapping[str, str | Tokens] = field(default_factory=dict)
    most: int = MOST
    csv: CsvFormat = field(default_factory=CsvFormat)
    also: Callable[[Mapping[str, Any], int], Any] | None = None
    texts: TextFormat | None = None
    wanted: Mapping[str, Wanted] = field(default_factory=dict, init=False)
    asked: Mapping[str, Wanted] = field(default_factory=dict, init=False)
    beside: Sequence[str] = field(default=(), init=False)
    keeps_lists: bool = field(default=True, init=False)

    def columns(self, file: RowFile) -> list[str]:
        """Returns the columns of a file that are looked at.

        Raises:
            Refusal: One that was named is not there.
        """
        for name in [*(self.only or ()), *self.bags]:
            if name not in file.names:
                raise lacking(name, file.names, file.path)
        return [name for name in file.names if self.only is None or name in self.only]

    def read(self, part: Part, file: RowFile) -> tuple[tuple[Analysis, Any], int, list[BadRow]]:
        """Returns what is known of the rows of a part, and what else was made of it."""
        analysis = Analysis(self.most, self.bags)
        analysis.add(part.columns, part.rows)
        also = None if self.also is None else self.also(part.columns, part.rows)
        return (analysis, also), part.rows, list(part.bad)


def of_files(
    states: Sequence[State],
    reading: Reading,
    limit: Limit | None = None,
    take: Callable[[Any], None] = lambda also: None,
    out: TextIO | None = None,
) -> Found:
    """Returns what is found in files.

    Args:
        states: The files.
        reading: How they are analysed.
        limit: How many rows there may be that cannot be read.
        take: Is given what `reading.also` makes, in the order of the rows.
        out: Where it is told how far it came; None tells nothing.

    Raises:
        Refusal: A file cannot be used, or there are too many bad rows.
    """
    bad, whole = BadRows(limit), Analysis(reading.most, reading.bags)
    order, rows = reading.columns(opened(states[0].path, reading)), Rows(states, reading, bad)
    with ReadingProgress("reading", rows, out or io.StringIO()) as told:
        for part, also in rows.parts():
            whole.include(part)
            take(also)
            told.add(part.rows)
    return Found(whole.columns(order), [state.path for state in states], whole.rows, bad.found)


def spaced(states: Sequence[State], csv: CsvFormat, texts: TextFormat | None = None) -> CsvFormat:
    """Returns how CSV files are written, with spaces after delimiters as none of a value where all rows begin so.

    Args:
        states: The files, the first of which is looked at.
        csv: What else is known.
        texts: As in `Reading`.
    """
    file = opened(states[0].path, Reading(csv=csv, texts=texts))
    if not isinstance(file, CsvFile) or len(file.names) < 2:
        return csv
    piece = next(iter(file.pieces(file.names)), None)
    columns = [] if piece is None else list(file.part(piece, file.names[1:]).columns.values())
    values = [column.dictionary if pa.types.is_dictionary(column.type) else column for column in columns]
    is_spaced = values and all(len(each) and pc.all(pc.starts_with(each, " ")).as_py() for each in values)
    return dataclasses.replace(csv, skip_initial_space=True) if is_spaced else csv
