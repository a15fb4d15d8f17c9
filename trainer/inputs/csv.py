"""CSV files: by Arrow where all is in order, row by row with Python's own reader where it is not."""

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from trainer.errors import Refusal
from trainer.inputs import streams
from trainer.inputs.bad_rows import BadRow
from trainer.inputs.blocks import Block, Dialect, Rows
from trainer.inputs.headers import fitting, headerless
from trainer.inputs.part import Array, Part, RowFile, check_names, refused
from trainer.inputs.values import Wanted
from trainer.problem import CsvFormat

DELIMITERS = (",", "\t", ";", "|")
MOST = float(np.finfo(np.float32).max)
_TEXT = pa.dictionary(pa.int32(), pa.string())


class CsvFile(RowFile):
    """A CSV file, plain or compressed.

    Args:
        path: Of the file.
        wanted: What will be made of its columns, by name; it tells the delimiter, where none is given.
        how: How it is written.

    Raises:
        Refusal: It cannot be read, has no header row, or one that is no UTF-8 or has a name twice.
    """

    unit = "line"

    def __init__(self, path: str, wanted: Mapping[str, Wanted], how: CsvFormat) -> None:
        super().__init__(path)
        self._wanted, self._how = wanted, how
        self._stream: streams.Stream | None = None
        self._as_text: set[str] = set()
        self._has_header = how.column_names is None
        self._dialect, self._names = self._header()

    @property
    def names(self) -> list[str]:
        """Of its header row, or those that were given."""
        return self._names

    def pieces(self, columns: Collection[str]) -> Iterator[Block]:
        """Yields blocks of some megabytes."""
        del columns
        try:
            with streams.Stream(self.path) as self._stream:
                rows = Rows(self._stream, self._dialect)
                if self._has_header:
                    rows.header()
                yield from rows
        except (OSError, pa.ArrowInvalid, EOFError) as error:
            raise refused(self.path, "CSV", error) from None

    def position(self) -> int:
        """Of the bytes as they lie in the file, compressed or not."""
        return self._stream.position() if self._stream else 0

    def part(self, piece: Block, columns: Collection[str]) -> Part:
        """Returns the rows of a block."""
        if piece.data is not None:
            found = self._by_arrow(piece.data, columns)
            if found is not None:
                first, count = piece.line, len(next(iter(found.values()))) if found else 0
                return Part(found, count, lambda: _lines(piece, self._dialect, first, count))
            piece = Rows(io.BytesIO(piece.data), self._dialect, line=piece.line).one_by_one()
        return self._by_python(piece, columns)

    def _header(self) -> tuple[Dialect, list[str]]:
        try:
            with streams.Stream(self.path) as stream:
                start = stream.read(1 << 20)
        except (OSError, pa.ArrowInvalid) as error:
            raise refused(self.path, "CSV", error) from None
        spaces, given = self._how.skip_initial_space, self._how.column_names
        letters = DELIMITERS if self._how.delimiter is None else (self._how.delimiter,)
        dialects = [Dialect(letter, spaces) for letter in letters]
        if given is not None:
            return max(dialects, key=lambda dialect: fitting(start, dialect, len(given))), list(given)
        found = [(dialect, Rows(io.BytesIO(start), dialect).header()) for dialect in dialects]
        # The delimiter that finds most of the columns that are asked for; else the most columns; else a comma.
        dialect, names = max(found, key=lambda each: (len({*each[1]} & {*self._wanted}), len(each[1])))
        if not names:
            raise Refusal(f"{self.path}: it is empty; a CSV file with a header row is wanted.")
        if any("\udc80" <= letter <= "\udcff" for name in names for letter in name):
            raise Refusal(f"{self.path}: its header is not UTF-8; save the file as UTF-8.")
        if self._how.headerless and not {*self._wanted} <= {*names}:
            self._has_header = False
            return headerless(start, dialects, self._how.headerless, self._wanted, self.path)
        check_names(names, self.path)
        return dialect, names

    def _by_arrow(self, data: bytes, columns: Collection[str]) -> dict[str, Any] | None:
        """Returns the columns of rows that are in order, or None where Arrow finds that one is not."""
        numbers = {name for name in columns if self._type(name) != _TEXT}
        while True:
            types = {name: _TEXT if name in self._as_text else self._type(name) for name in columns}
            try:
                found = self._converted(_read(data, self._names, types, self._dialect.delimiter))
                odd = {name for name in numbers - self._as_text if not _are_plain(found[name])}
                if not odd:
                    return found
                self._as_text |= odd  # as 1e400 or NaN, which are told as they were written
            except pa.ArrowInvalid as error:
                if "CSV conversion error" not in str(error) or not numbers - self._as_text:
                    return None
                # One of them is no plain number in some row; which rows these are is seen in the texts.
                self._as_text |= numbers

    def _type(self, name: str) -> Any:
        # Whole numbers come as texts, since Arrow reads 0x10 as 16.
        wanted = self._wanted.get(name)
        return pa.float64() if wanted is not None and wanted.dtype == "float32" and not wanted.shape else _TEXT

    def _converted(self, table: Any) -> dict[str, Any]:
        found = {name: table.column(name).combine_chunks() for name in table.column_names}
        found = {name: array.chunk(0) if isinstance(array, pa.ChunkedArray) else array for name, array in found.items()}
        return {name: _without_spaces(array) for name, array in found.items()} if self._dialect.skips_spaces else found

    def _by_python(self, block: Block, columns: Collection[str]) -> Part:
        """Returns the rows of a block with as many values as there are columns, in UTF-8, and the others as bad."""
        bad = [BadRow(self.path, self.unit, line, None, None, what) for line, what in block.bad]
        places = {name: self._names.index(name) for name in columns}
        rows, lines = [], []
        for line, row in zip(block.lines, block.rows, strict=True):
            wrong = self._wrong(row, line, places)
            if wrong is None:
                rows.append(row)
                lines.append(line)
            else:
                bad.append(wrong)
        found = {name: pa.array([row[place] for row in rows], pa.string()) for name, place in places.items()}
        return Part(found, len(rows), lambda: np.array(lines, np.int64), sorted(bad, key=lambda each: each.number))

    def _wrong(self, row: Sequence[str], line: int, places: Mapping[str, int]) -> BadRow | None:
        if len(row) != len(self._names):
            what = f"has {len(row):,} value{'' if len(row) == 1 else 's'}, and {len(self._names):,} are wanted"
            return BadRow(self.path, self.unit, line, None, None, what)
        for name, place in places.items():
            if not row[place].isascii() and any("\udc80" <= letter <= "\udcff" for letter in row[place]):
                value = row[place].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
                return BadRow(self.path, self.unit, line, name, value, "UTF-8")
        return None


def _read(data: bytes, names: Sequence[str], types: Mapping[str, Any], delimiter: str) -> Any:
    return pa_csv.read_csv(
        pa.BufferReader(data),
        pa_csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=list(names)),
        pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        pa_csv.ConvertOptions(
            column_types=dict(types), include_columns=list(types), strings_can_be_null=False, null_values=[""]
        ),
    )


def _are_plain(numbers: Any) -> bool:
    """Tells whether 32 bits hold all numbers of a column."""
    return pc.all(pc.less(pc.abs(numbers), MOST)).as_py() is not False


def _without_spaces(array: Any) -> Any:
    """Returns texts without the spaces before them, where they are of a dictionary."""
    if not pa.types.is_dictionary(array.type):
        return array
    return pa.DictionaryArray.from_arrays(array.indices, pc.utf8_ltrim(array.dictionary, characters=" "))


def _lines(block: Block, dialect: Dialect, first: int, count: int) -> Array:
    """Returns the line of each row, read anew where rows and lines are not the same."""
    if block.count == count:
        return first + np.arange(count)
    found = Rows(io.BytesIO(block.data or b""), dialect, line=first).one_by_one()
    return np.array(found.lines, np.int64)
