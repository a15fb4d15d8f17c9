"""The numbers of a Parquet column of vectors, taken from the file as they lie there.

Parquet's own readers decode two levels for each number, which takes several times as long as to read it. Where no
vector and no number is null, and the numbers of a row group are one plain page without compression, they are the last
bytes of that page. Whether they are is told by their checksum alone, which `formats.parquet` leaves in the file: pages
of another layout, or damaged ones, have another.
"""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

_Matrix = np.ndarray[Any, np.dtype[np.float32]]


def checksum(values: _Matrix) -> int:
    """Returns the CRC-32 of the bytes of a matrix."""
    return zlib.crc32(values.data.cast("B")) if values.size else 0


def read(path: str, metadata: Any, column: int, dimension: int, checksums: Sequence[int]) -> _Matrix | None:
    """Returns a column's numbers, float32 `(rows, dimension)`, or None where they do not lie so.

    Args:
        path: A local file.
        metadata: What pyarrow says of it.
        column: The place of the numbers among the leaves of its schema.
        dimension: The numbers of a row.
        checksums: That of the numbers of each row group.
    """
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    if len(groups) != len(checksums) or metadata.num_rows != sum(group.num_rows for group in groups):
        return None
    values = np.empty((metadata.num_rows, dimension), "<f4")
    row = 0
    with open(path, "rb") as file:
        for group, wanted in zip(groups, checksums, strict=True):
            rows, chunk = values[row : row + group.num_rows], group.column(column)
            start = chunk.data_page_offset + chunk.total_compressed_size - rows.nbytes
            if start < 0 or file.seek(start) != start or file.readinto(rows.data.cast("B")) != rows.nbytes:
                return None
            if checksum(rows) != wanted:
                return None
            row += group.num_rows
    return values.astype(np.float32, copy=False)
