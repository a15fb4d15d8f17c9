"""word2vec binary: a line `rows dimension`, then for each row the key, a blank and little-endian float32."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer import paths
from trainer.errors import Refusal
from trainer.formats import texts, vectors
from trainer.formats.word2vec import form, rows

SUFFIXES = (".bin",)

_BYTES = 1 << 24
"""Bytes of numbers that are written at once."""


def save(path: str, keys: Sequence[str], values: Any, fields: Mapping[str, Sequence[str]] | None = None) -> None:
    """Writes vectors by key whole or not at all, byte for byte as gensim does where no key is escaped.

    Keys are escaped as `trainer.formats.word2vec` says. There is no place for fields, so they are left out.

    Args:
        path: Where to, local or remote.
        keys: A text for each row.
        values: Floats, `(rows, dimension)`, kept as float32.
        fields: More texts for each row, by name; not written.

    Raises:
        Refusal: There are not as many keys as rows, or the values are no matrix of floats.
    """
    given = vectors.given("word2vec", path, keys, values, fields)
    escaped = form.ESCAPES.needed(given.keys)
    count, dimension = given.values.shape
    step = max(1, _BYTES // (4 * dimension))
    with paths.written_whole(path) as whole, open(whole, "wb") as file:
        for start in range(0, max(count, 1), step):
            part = given.keys[start : start + step]
            block = _rows(list(map(form.ESCAPES.escape, part)) if escaped else part, given.values[start : start + step])
            if not start:
                file.write(_header(count, dimension, escaped, block))
            file.write(block)


def _rows(keys: Sequence[str], values: rows.Matrix) -> bytes | memoryview:
    """Returns the bytes of rows."""
    if not keys:
        return b""
    width = 4 * values.shape[1]
    ends = pa.py_buffer(np.arange(0, values.nbytes + 1, width, dtype=np.int64))
    numbers = pa.Array.from_buffers(
        pa.large_binary(), len(keys), [None, ends, pa.py_buffer(values.astype("<f4", copy=False))]
    )
    return texts.content(pc.binary_join_element_wise(texts.arrow(keys), numbers, pa.scalar(b" ", pa.large_binary())))


def _header(count: int, dimension: int, escaped: bool, block: bytes | memoryview) -> bytes:
    """Returns the first line, marked as that of a binary file where the bytes after it could be taken for text."""
    plain = form.header(count, dimension, escaped)
    found = form.of((plain + bytes(block[: form.HEAD]))[: form.HEAD]) if count else None
    is_clear = not count or (found is not None and found.binary)
    return plain if is_clear else form.header(count, dimension, escaped, marked=True)


def parsed(path: str, file: form.File, of: form.Form) -> Iterator[rows.Rows]:
    """Yields the rows of a file that stands at its first, block by block.

    Raises:
        Refusal: It has more or fewer rows than its header says, or a key is no text.
    """
    total = of.rows or 0
    row, rest = 0, b""
    while row < total:
        block = file.read(form.BLOCK)
        rest += block
        blanks, end = rows.blanks(rest, total - row, of.dimension)
        found, values = rows.parsed(rest, blanks, of.dimension)
        keys = _keys(path, row, found)
        row, rest = row + len(keys), rest[end:]
        if row < total and not block:
            raise Refusal(f"word2vec: {path} ends inside row {row + 1} of {total}; {form.WHY}.")
        yield keys, values
    if rest + file.read(2) not in (b"", b"\n"):
        raise Refusal(f"word2vec: {path} goes on after the {total} rows of its header; {form.WHY}.")


def _keys(path: str, before: int, found: list[bytes]) -> list[str]:
    """Returns keys as text; they have no blanks, so all are decoded at once where they are as they should be."""
    joined = b" ".join(found)
    with suppress(UnicodeDecodeError):
        if found and not form.CONTROL.search(joined):
            keys = joined.decode("utf-8").split(" ")
            return [key.removeprefix("\n") for key in keys] if b"\n" in joined else keys
    return [_key(path, row, key) for row, key in enumerate(found, start=before + 1)]


def _key(path: str, row: int, found: bytes) -> str:
    # A blank in a key ends it too soon; the next one then begins with the last bytes of a vector.
    parted = found.startswith(b"\n")
    with suppress(UnicodeDecodeError):
        if not form.CONTROL.search(found):
            return found[parted:].decode("utf-8", form.ERRORS if parted else "strict")
    raise Refusal(f"word2vec: the key of row {row} of {path} is no text; {form.WHY}.")
