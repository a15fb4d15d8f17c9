"""JSON lines: by Arrow where it reads exactly what Python's json reads, else line by line with the latter."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from types import NoneType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pa_json

from trainer.errors import Refusal
from trainer.inputs import json_values, streams
from trainer.inputs.bad_rows import BadRow
from trainer.inputs.blocks import Block, Dialect, Rows
from trainer.inputs.json_values import Seen, shown
from trainer.inputs.part import Part, RowFile, refused
from trainer.inputs.values import Wanted, fits, why

BLOCK = 8 << 20
"""Bytes of a block."""

LOOK_BYTES, LOOK_LINES = 1 << 20, 500
"""How much of a file is looked at before it is read."""

_BLANKS = b" \t\r\n"
_ARROW_ALONE = re.compile(rb"(?:[\s:,\[-]Inf|-NaN)[\s,\]}]")  # numbers for Arrow, and none for Python
_WORDS = {list: "a list", str: "a string", int: "a number", float: "a number", bool: "a truth", NoneType: "null"}


class JsonLinesFile(RowFile):
    """A file with one JSON object a line, plain or compressed.

    Args:
        path: Of the file.
        wanted: What will be made of its columns, by name. The first lines need not have all of them.
        keeps_lists: Whether lists of which nothing is wanted stay lists, in place of their text.

    Raises:
        Refusal: It cannot be read, is empty, or its first lines are no objects.
    """

    unit = "line"

    def __init__(self, path: str, wanted: Mapping[str, Wanted], keeps_lists: bool = False) -> None:
        super().__init__(path)
        self._stream: streams.Stream | None = None
        self._told = _look(path)
        lists = {name: seen.list_dtype for name, seen in self._told.items() if keeps_lists}
        self._wanted = {**{name: Wanted(dtype, (None,)) for name, dtype in lists.items() if dtype}, **wanted}
        self._seen = {**dict.fromkeys(wanted, Seen()), **self._told}
        self._types = {name: seen.arrow_type(wanted.get(name)) for name, seen in self._seen.items()}

    @property
    def names(self) -> list[str]:
        """The keys of its first lines, and those that are wanted: a key that a line lacks is null there."""
        return list(self._types)

    @property
    def told(self) -> Collection[str]:
        """The keys of its first lines."""
        return self._told

    @property
    def types(self) -> Mapping[str, Any]:
        """As its first lines have them."""
        return self._types

    def pieces(self, columns: Collection[str]) -> Iterator[Block]:
        """Yields blocks of whole lines."""
        del columns
        try:
            with streams.Stream(self.path) as self._stream:
                yield from Rows(self._stream, Dialect(""), BLOCK)
        except (OSError, pa.ArrowException) as error:
            raise refused(self.path, "JSON lines", error) from None

    def position(self) -> int:
        """Of the bytes as they lie in the file, compressed or not."""
        return self._stream.position() if self._stream else 0

    def part(self, piece: Block, columns: Collection[str]) -> Part:
        """Returns the rows of a block."""
        data = piece.data or b""
        found = self._by_arrow(data, columns)
        if found is not None:
            count = len(next(iter(found.values())))
            return Part(found, count, lambda: np.array([number for number, _ in _lines(data, piece.line)], np.int64))
        bad = [BadRow(self.path, self.unit, line, None, None, what) for line, what in piece.bad]
        numbers, rows = [], []
        for number, line in _lines(data, piece.line):
            row = self._row(number, line, columns)
            if isinstance(row, BadRow):
                bad.append(row)
            else:
                numbers.append(number)
                rows.append(row)
        arrays = {name: self._array([row.get(name) for row in rows], name) for name in columns}
        return Part(arrays, len(rows), lambda: np.array(numbers, np.int64), bad)

    def _by_arrow(self, data: bytes, columns: Collection[str]) -> dict[str, Any] | None:
        """Returns the columns of a block, or None where Python might read something else in it."""
        types = {name: self._read_type(name) for name in columns}
        count = None if None in types.values() else _objects(data)
        if not count:
            return None
        read = pa_json.ReadOptions(use_threads=False, block_size=len(data) + 1)
        how = pa_json.ParseOptions(explicit_schema=pa.schema(types), unexpected_field_behavior="ignore")
        try:
            table = pa_json.read_json(pa.BufferReader(data), read, how)
        except pa.ArrowException:
            return None
        found = {name: table.column(name).combine_chunks() for name in columns}
        is_same = table.num_rows == count and all(self._is_exact(name, column) for name, column in found.items())
        return found if is_same else None

    def _read_type(self, name: str) -> Any:
        """Returns the type that Arrow should read, None where it has none for it."""
        wanted = self._wanted.get(name)
        if wanted is None:
            return None if pa.types.is_nested(self._types[name]) else self._types[name]
        kind = json_values.read_type(self._seen[name], wanted)
        return kind if fits(kind, wanted) else None

    def _is_exact(self, name: str, column: Any) -> bool:
        """Tells whether no whole number was rounded where it matters, and each float is one."""
        values = column.flatten() if pa.types.is_list(column.type) else column
        wanted = self._wanted.get(name)
        if not pa.types.is_floating(values.type) or (wanted is not None and wanted.dtype == "float32"):
            return True
        are_small = pc.all(pc.less(pc.abs(values), json_values.EXACT)).as_py()
        return are_small is not False  # but None where there is no value

    def _row(self, number: int, line: bytes, columns: Collection[str]) -> dict[str, Any] | BadRow:
        row, what = _object(line)
        if row is None:
            return BadRow(self.path, self.unit, number, None, None, what)
        for name in columns:
            value, wanted = row.get(name), self._wanted.get(name)
            if json_values.has_surrogates(value):
                return BadRow(self.path, self.unit, number, name, shown(value), "UTF-8")
            if wanted is not None and not json_values.fits(value, wanted):
                return BadRow(self.path, self.unit, number, name, shown(value), why(wanted, shown(value)))
        return row

    def _array(self, values: list[Any], name: str) -> Any:
        wanted = self._wanted.get(name)
        if wanted is None:
            return json_values.texts(values, self._types[name])
        seen = Seen.of(values)
        self._seen[name] |= seen  # so that Arrow reads later blocks that are like this one
        return json_values.array(values, seen, wanted)


def _look(path: str) -> dict[str, Seen]:
    """Returns the kinds of value of each key in the first lines of a file."""
    try:
        with streams.Stream(path) as stream:
            blocks = iter(Rows(stream, Dialect(""), LOOK_BYTES))
            block = next((block for block in blocks if block.bad or (block.data or b"").strip(_BLANKS)), Block(1))
    except (OSError, pa.ArrowException) as error:
        raise refused(path, "JSON lines", error) from None
    data = block.data or b""
    lines = [line for _, line in _lines(data, 1)][:LOOK_LINES]
    if not lines and not block.bad:
        raise Refusal(f"{path}: it is empty; JSON lines are wanted, one object a line.")
    if data.lstrip(_BLANKS).startswith(b"["):
        raise Refusal(f"{path}: it begins with a JSON list; JSON lines are wanted, one object a line.")
    rows = [row for row, _ in map(_object, lines) if row is not None]
    if not rows and not _is_utf8(data):
        raise Refusal(f"{path}: it is not UTF-8; save the file as UTF-8.")
    if not rows:
        raise Refusal(f"{path}: its first lines are no JSON objects; JSON lines are wanted, one object a line.")
    names = dict.fromkeys(name for row in rows for name in row if not json_values.has_surrogates(name))
    return {name: Seen.of(row[name] for row in rows if name in row) for name in names}


def _lines(data: bytes, first: int) -> Iterator[tuple[int, bytes]]:
    """Yields the lines that are not blank, each with its number."""
    return ((number, line) for number, line in enumerate(data.splitlines(), first) if line.strip(_BLANKS))


def _objects(data: bytes) -> int | None:
    """Returns how many lines are not blank, or None where one is not from { to } or may be read in two ways."""
    if b"\0" in data or not _is_utf8(data):
        return None
    if (b"Inf" in data or b"-NaN" in data) and _ARROW_ALONE.search(data):
        return None
    # A line break between } and { is one between two rows: in JSON, nothing else has both with only blanks between.
    text = data.strip(_BLANKS)
    if b"\r" not in text and text.startswith(b"{") and text.endswith(b"}"):
        breaks = text.count(b"\n")
        if text.count(b"}\n{") == breaks:
            return breaks + 1
    lines = [line for line in (line.strip(_BLANKS) for line in data.splitlines()) if line]
    return len(lines) if all(line[0] == ord("{") and line[-1] == ord("}") for line in lines) else None


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    offsets = pa.py_buffer(np.array([0, len(data)], np.int32))
    try:
        pa.Array.from_buffers(pa.binary(), 1, [None, offsets, pa.py_buffer(data)]).cast(pa.string())
    except pa.ArrowInvalid:
        return False
    return True


def _object(line: bytes) -> tuple[dict[str, Any] | None, str]:
    """Returns the object that a line is, or None and what the line is instead."""
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return None, "is not UTF-8, and UTF-8 is wanted"
    except json.JSONDecodeError as error:
        what = f"{error.msg} at column {error.colno}"
    except RecursionError:
        what = "it is nested too deeply"
    except ValueError:  # from Python's whole numbers, of which those of some thousand digits are refused
        what = "a number in it is too long"
    else:
        if isinstance(value, dict):
            return value, ""
        what = f"but {_WORDS[type(value)]}"
    return None, f"is no JSON object ({what}), and one is wanted"
