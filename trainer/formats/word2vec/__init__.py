r"""Vectors by key, as word2vec, fastText and GloVe write them, plain or compressed with gzip.

Which of three forms a file has is found from what is in it, never from its name:

- word2vec text: a line `rows dimension`, then a line `key v1 … vd` for each row; a `.vec` file of fastText is one;
- word2vec binary: that line, then for each row the key, a blank and d little-endian float32. Google's tool ends
  each row with a line end and gensim 4 does not; both are read;
- GloVe text: the lines of word2vec text without the first one, so the last fields that are numbers are the vector.

A key in text may hold anything but a line feed, as the vector is split off from the right. Where every key ends in a
number ("Tue 08"), GloVe text cannot say so and its vectors come out too long: such keys need the header. A key in a
binary file ends at its first blank. Keys come as they are: repeated ones stay, and bytes that are no UTF-8 (Google's
tool cuts long words in the middle of a letter) become lone surrogates, as `os.fsdecode` makes of file names.

The first two are written too, by `text.save` and `binary.save`. gensim splits a line at every blank, so a space in a
key becomes `_`, as in Google's phrases; `_` and the backslash then get a backslash before them, and a control character
or half of a surrogate pair becomes `\t`, `\n`, `\r` or `\uXXXX`. That is done to all keys of a file that has one such
letter, and to none of another; a zero before the number of rows, which gensim and others take for nothing, tells which,
so that every key comes back as it was.
"""

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from trainer.errors import Refusal
from trainer.formats import vectors
from trainer.formats.word2vec import binary, form, rows, text

_GZIP = b"\x1f\x8b"


def is_vectors(path: str) -> bool:
    """Tells from the first megabyte of a local file whether it has one of the forms; a damaged gzip file is refused."""
    with _opened(path) as file:
        return form.of(file.read(form.HEAD)) is not None


def shape(path: str) -> tuple[int, int]:
    """Returns the rows and the dimension of a local file: what its header says, or else its lines are counted.

    Raises:
        Refusal: The file has none of the three forms, or is a damaged gzip file.
        OSError: The file is not there.
    """
    with _opened(path) as file:
        of = _recognised(path, file)
        count = sum(lines.count(b"\n") for lines in text.whole_lines(file)) if of.rows is None else of.rows
        return count, of.dimension


def read(path: str) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float32]]]:
    r"""Returns the keys of a local file, in its order, and their vectors, float32 `(rows, dimension)`.

    Raises:
        Refusal: The file has none of the three forms, has a row of another dimension, or more or fewer rows than its
            header says, or it is damaged.
        OSError: The file is not there.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     _ = file.write(b"2 3\nNew York 1 0 0.5\nTokyo 0 1 0.5\n")
        ...     file.flush()
        ...     keys, vectors = read(file.name)
        >>> keys, vectors[1].tolist()
        (['New York', 'Tokyo'], [0.0, 1.0, 0.5])
    """
    with _opened(path) as file:
        of = _recognised(path, file)
        parts = binary.parsed(path, file, of) if of.binary else text.parsed(path, file, of)
        keys, values = _joined(parts, of, os.path.getsize(path))
    return (list(map(form.ESCAPES.unescape, keys)) if of.escaped else keys), values


def load(path: str) -> vectors.Vectors:
    r"""Returns the keys and vectors of a file of any of the three forms, local or remote; it holds no fields.

    Raises:
        Refusal: The file cannot be read, as `read` refuses it.
        OSError: The file is not there.

    Example:
        >>> import tempfile
        >>> from trainer import paths
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     text.save(f"{folder}/days.txt", ["Tue 08", "Tue 09"], np.eye(2))
        ...     paths.read_text(f"{folder}/days.txt").split("\n"), load(f"{folder}/days.txt").keys
        (['02 2', 'Tue_08 1 0', 'Tue_09 0 1', ''], ['Tue 08', 'Tue 09'])
    """
    with vectors.local(path) as here:
        return vectors.Vectors(*read(here))


def _joined(parts: Iterator[rows.Rows], of: form.Form, size: int) -> rows.Rows:
    """Returns all rows. Memory is taken at once where the file is large enough for what its header says."""
    keys: list[str] = []
    least = 4 * of.dimension + 1 if of.binary else 2 * of.dimension  # bytes of a row
    if not of.rows or of.rows * least > size:  # joining the blocks doubles it for a moment
        blocks = [np.empty((0, of.dimension), np.float32)]
        for some_keys, values in parts:
            keys += some_keys
            blocks.append(values)
        return keys, np.concatenate(blocks)
    found = np.empty((of.rows, of.dimension), np.float32)
    for some_keys, values in parts:
        place = len(keys)
        keys += some_keys
        found[place : place + len(values)] = values[: of.rows - place]  # too many are refused after the last
    return keys, found


@contextmanager
def _opened(path: str) -> Iterator[form.File]:
    with open(path, "rb") as raw:
        if raw.peek(len(_GZIP))[: len(_GZIP)] != _GZIP:
            yield raw
            return
        try:
            with gzip.open(raw) as file:
                yield file
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise Refusal(f"word2vec: {path} is a damaged gzip file; fetch or write it again.") from None


def _recognised(path: str, file: form.File) -> form.Form:
    """Returns the form of a file, which then stands at its first row."""
    of = form.of(file.read(form.HEAD))
    if of is None:
        raise Refusal(
            f"word2vec: {path} has no vectors in word2vec text or binary (a line 'rows dimension' first) or GloVe text "
            "(lines 'key v1 v2 …'); write it as one of them."
        )
    file.seek(of.header)
    return of
