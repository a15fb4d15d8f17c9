"""Some rows of files, evenly from all of them, as texts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.inputs.values import is_list

ROWS = 100_000
"""Rows of a sample, about; at most twice as many."""


def texts_of(columns: Mapping[str, Any], rows: int) -> Any:
    """Returns some rows of a part of a file, evenly drawn, as an Arrow table of texts; '' is missing.

    Args:
        columns: Arrow arrays by name; the values of a list are one text, with bars between them.
        rows: How many they have.
    """
    places = pa.array(np.arange(0, rows, max(1, rows // ROWS)))
    return pa.table({name: _texts(column.take(places)) for name, column in columns.items()})


class Sample:
    """Rows that are taken part by part, every n-th once there are many.

    Example:
        >>> sample = Sample(most=4)
        >>> for start in range(0, 20, 5):
        ...     sample.take(texts_of({"n": pa.array(range(start, start + 5))}, 5))
        >>> sample.columns()["n"].to_pylist()
        ['0', '4', '8', '12', '16']
    """

    def __init__(self, most: int = ROWS) -> None:
        self._most, self._step, self._seen = most, 1, 0
        self._tables: list[Any] = []
        self._rows = 0

    def take(self, table: Any) -> None:
        """Takes the next rows, as `texts_of` returns them."""
        first = -self._seen % self._step  # counted over all parts
        self._seen += table.num_rows
        places = np.arange(first, table.num_rows, self._step)
        self._tables.append(table if self._step == 1 else table.take(pa.array(places)))
        self._rows += len(places)
        while self._rows > 2 * self._most:
            whole = self._whole()
            self._step *= 2
            self._tables = [whole.take(pa.array(np.arange(0, whole.num_rows, 2)))]
            self._rows = self._tables[0].num_rows

    def columns(self) -> dict[str, Any]:
        """Returns the rows as Arrow arrays of strings by name, '' where a part of a file has no such column."""
        whole = self._whole()
        return {name: pc.fill_null(whole[name].combine_chunks(), "") for name in whole.column_names}

    def _whole(self) -> Any:
        return pa.concat_tables(self._tables, promote_options="default") if self._tables else pa.table({})


def _texts(column: Any) -> Any:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if is_list(column.type):
        parts = _texts(column.flatten())
        lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
        ends = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
        return pc.binary_join(pa.ListArray.from_arrays(ends, parts), "|")
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())  # as files with labels and ids are read
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    elif pa.types.is_nested(column.type):
        return pa.nulls(len(column), pa.string())
    try:
        texts = column.cast(pa.string())
    except pa.ArrowInvalid:  # bytes that are no UTF-8
        texts = pa.array([each if each is None else each.decode("utf-8", "replace") for each in column.to_pylist()])
    return pc.fill_null(texts, "")
