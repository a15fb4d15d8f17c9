"""Predictions as a file: Parquet, Feather, CSV or JSON lines by the end of its name, written whole or not at all."""

import json
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from trainer import paths
from trainer.errors import Refusal
from trainer.inputs.arrow import plain

Array = np.ndarray[Any, Any]


class Sink(ABC):
    """Takes record batches of one schema, one after the other.

    Args:
        path: The local file that they go to.
        schema: Of all of them.
    """

    def __init__(self, path: str, schema: Any) -> None:
        self.path, self.schema = path, schema

    @abstractmethod
    def write(self, batch: Any) -> None:
        """Writes a record batch."""

    @abstractmethod
    def close(self) -> None:
        """Writes what is left."""


class _Arrow(Sink):
    """What Arrow writes."""

    def __init__(self, path: str, schema: Any) -> None:
        super().__init__(path, schema)
        self._writer = self._opened()

    def write(self, batch: Any) -> None:
        self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()

    @abstractmethod
    def _opened(self) -> Any: ...


class _Parquet(_Arrow):
    def _opened(self) -> Any:
        return pq.ParquetWriter(self.path, self.schema)


class _Feather(_Arrow):
    def _opened(self) -> Any:
        return pa.ipc.new_file(self.path, self.schema, options=pa.ipc.IpcWriteOptions(compression="lz4"))


class _Csv(_Arrow):
    def _opened(self) -> Any:
        return pa_csv.CSVWriter(self.path, self.schema)


class _JsonLines(Sink):
    """One JSON object a line; what is not finite is null."""

    def __init__(self, path: str, schema: Any) -> None:
        super().__init__(path, schema)
        self._file = open(path, "w", encoding="utf-8")  # noqa: SIM115  # close() closes it

    def write(self, batch: Any) -> None:
        columns = [_finite(column) for column in batch.columns]
        rows = pa.RecordBatch.from_arrays(columns, batch.schema.names).to_pylist()
        self._file.writelines(f"{json.dumps(row, ensure_ascii=False, default=str)}\n" for row in rows)

    def close(self) -> None:
        self._file.close()


SINKS: dict[str, type[Sink]] = {
    ".parquet": _Parquet,
    ".feather": _Feather,
    ".csv": _Csv,
    ".jsonl": _JsonLines,
}
"""What writes a file, by the end of its name."""


class Writer:
    """Writes batches of kept columns and answers to a file; the first batch says what all are of.

    Args:
        temporary: The local file that is written.
        out: What a person calls the file; its end says how it is written.
    """

    def __init__(self, temporary: str, out: str) -> None:
        self._temporary, self._out, self._sink = temporary, out, SINKS[_ending(out)]
        self._made: Sink | None = None

    def write(self, kept: Mapping[str, Any], answers: Mapping[str, Array]) -> None:
        """Writes some rows.

        Raises:
            Refusal: A kept column has an answer's name, or in other files another type.
        """
        found = dict(_apart(answers) if self._sink is _Csv else answers)
        for name in kept:
            if name in found:
                raise Refusal(f"--keep: '{name}' is also the name of an answer; rename the column, or leave it out.")
        columns = {name: _decoded(column) for name, column in kept.items()}
        columns.update({name: answer_column(values) for name, values in found.items()})
        if self._made is None:
            batch = pa.RecordBatch.from_pydict(columns)
            self._check(batch)
            self._made = self._sink(self._temporary, batch.schema)
        else:
            schema = self._made.schema
            batch = pa.RecordBatch.from_arrays([_as(columns[each.name], each) for each in schema], schema=schema)
        self._made.write(batch)

    def close(self) -> None:
        """Ends the file."""
        if self._made is not None:
            self._made.close()

    def _check(self, batch: Any) -> None:
        for field in batch.schema:
            if self._sink is _Csv and pa.types.is_nested(field.type):
                raise Refusal(
                    f"--keep: column '{field.name}' holds {field.type}, which CSV cannot; give --out a name that ends "
                    "in .parquet, .feather or .jsonl."
                )


@contextmanager
def writing(out: str) -> Iterator[Writer]:
    """Yields what writes a file, which is there once the block has ended well, and not else.

    Raises:
        Refusal: It cannot be written.
    """
    try:
        with paths.written_whole(out) as temporary:
            writer = Writer(temporary, out)
            try:
                yield writer
            except BaseException:
                with suppress(Exception):  # what has ended the block is told, and not that its file has no end
                    writer.close()
                raise
            writer.close()
    except OSError as error:
        text = " ".join(str(error.strerror or error).split()).removesuffix(".")
        raise Refusal(f"--out: {out} cannot be written ({text}); make room there, or give another place.") from None


def check(out: str, overwrite: bool, read: Collection[str] = (), given: str = "--files") -> None:
    """Refuses a file that cannot be written, before anything is read.

    Args:
        out: Of the file.
        overwrite: Whether one that is there may be replaced.
        read: The files that will be read meanwhile.
        given: The flag that names them.

    Raises:
        Refusal: Its name has another end, its folder is not there or cannot be written, or it is there already.
    """
    if _ending(out) not in SINKS:
        *most, last = SINKS
        raise Refusal(f"--out: {out} should end in {', '.join(most)} or {last}, which says how it is written.")
    folder = "" if paths.is_remote(out) else os.path.dirname(paths.absolute(out))
    if folder and not paths.is_folder(folder):
        raise Refusal(f"--out: there is no folder {folder}; make it, or give another place.")
    if paths.is_folder(out):
        raise Refusal(f"--out: {out} is a folder; give the name of a file.")
    if {*map(_real, read)} & {_real(out)}:
        raise Refusal(f"--out: {out} is one of {given}; give another name.")
    if paths.exists(out) and not overwrite:
        raise Refusal(f"--out: {out} is there already; add --overwrite to replace it.")
    try:
        if folder:
            with tempfile.TemporaryFile(dir=folder):
                pass
    except OSError:
        raise Refusal(f"--out: {folder} cannot be written; give another place.") from None


def beside(out: str, name: str) -> str:
    """Returns the path of a file that goes with another.

    Example:
        >>> beside("new/predictions.parquet", "bad_rows.jsonl")
        'new/predictions.bad_rows.jsonl'
    """
    return f"{out[: len(out) - len(_ending(out))]}.{name}"


def answer_column(values: Array) -> Any:
    """Returns an answer as an Arrow array: numbers or texts of one value a row, else lists.

    Args:
        values: `(rows,)`, `(rows, 1)` or `(rows, …)`.

    Example:
        >>> answer_column(np.zeros((2, 1), np.float32)).type, answer_column(np.zeros((2, 3), np.float32)).type
        (DataType(float), ListType(list<item: float>))
    """
    if values.ndim > 2:
        return pa.array(values.tolist())
    column = pa.array(values.reshape(-1))
    column = column.cast(pa.string()) if pa.types.is_binary(column.type) else column
    if values.ndim == 2 and values.shape[1] != 1:
        ends = np.arange(0, values.size + 1, values.shape[1] or 1, dtype=np.int32)
        return pa.ListArray.from_arrays(pa.array(ends), column)
    return column


def _apart(answers: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """Yields answers of one value a row; of several, each under its place, as `probabilities_0`."""
    for name, values in answers.items():
        flat = values.reshape(len(values), -1) if values.size else values[:, None]
        if flat.shape[1] == 1:
            yield name, flat
        else:
            yield from ((f"{name}_{place}", flat[:, place]) for place in range(flat.shape[1]))


def _finite(column: Any) -> Any:
    if pa.types.is_list(column.type):
        return pa.ListArray.from_arrays(column.offsets, _finite(column.values))
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))


def _decoded(column: Any) -> Any:
    column = plain(column)
    if pa.types.is_null(column.type):
        return column.cast(pa.string())
    if pa.types.is_list(column.type) and pa.types.is_dictionary(column.type.value_type):
        return column.cast(pa.list_(column.type.value_type.value_type))
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _as(column: Any, field: Any) -> Any:
    try:
        return column if column.type == field.type else column.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise Refusal(
            f"--keep: column '{field.name}' holds {field.type} in the first rows and {column.type} later; write the "
            "files with one type, or leave it out."
        ) from None


def _ending(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _real(path: str) -> str:
    return path if paths.is_remote(path) else os.path.realpath(path)
