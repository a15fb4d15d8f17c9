"""word2vec text: a line `rows dimension`, then a line `key v1 … vd` for each row; without the first, GloVe's."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from trainer import paths
from trainer.errors import Refusal
from trainer.formats import texts, vectors
from trainer.formats.word2vec import form
from trainer.formats.word2vec.rows import Matrix, Rows

SUFFIXES = (".txt", ".vec")


def save(path: str, keys: Sequence[str], values: Any, fields: Mapping[str, Sequence[str]] | None = None) -> None:
    """Writes vectors by key whole or not at all, each number with as few digits as give the same float32 again.

    Keys are escaped as `trainer.formats.word2vec` says. There is no place for fields, so they are left out; and NaN is
    one of all that there are.

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
    with paths.written_whole(path) as whole, open(whole, "wb") as file:
        file.write(form.header(len(given.keys), given.values.shape[1], escaped))
        held = list(map(form.ESCAPES.escape, given.keys)) if escaped else given.keys
        for lines in texts.lines([held], given.values, b" "):
            file.write(lines)


def parsed(path: str, file: form.File, of: form.Form) -> Iterator[Rows]:
    """Yields the rows of a file that stands at its first, block by block.

    Raises:
        Refusal: A row has another dimension, or there are more or fewer than the header says.
    """
    count = 0
    before = 1 if of.header else 0
    for block in whole_lines(file):
        found = _parsed(block, of.dimension) or _parsed_by_line(path, before + count + 1, block, of.dimension)
        count += len(found[0])
        yield found
    if of.rows is not None and count != of.rows:
        raise Refusal(f"word2vec: {path} has {count} rows; its header says {of.rows}.")


def whole_lines(file: form.File) -> Iterator[bytes]:
    """Yields blocks of lines, each with its line end; empty lines at the end of the file are left out."""
    rest = b""
    while block := file.read(form.BLOCK):
        rest += block
        end = rest.rstrip().rfind(b"\n") + 1
        if end:
            yield rest[:end]
            rest = rest[end:]
    if last := rest.rstrip():
        yield last + b"\n"


def _parsed(block: bytes, dimension: int) -> Rows | None:
    """Returns the rows of whole lines in which single blanks part the numbers, or None where a line is not so."""
    block = block.replace(b"\r\n", b"\n").replace(b" \n", b"\n")  # Google's tool and fastText end lines with a blank
    characters = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(characters == ord("\n"))  # (lines,)
    starts = np.concatenate([[0], ends[:-1] + 1])  # (lines,)
    blanks = np.flatnonzero(characters == ord(" "))
    parting = np.searchsorted(blanks, ends) - dimension  # the blank between key and vector, counted from the right
    if parting.min() < 0 or ((key_ends := blanks[parting]) < starts).any():
        return None
    places = list(zip(starts.tolist(), key_ends.tolist(), ends.tolist(), strict=True))
    numbers = _numbers(b"".join([block[key_end:end] for _, key_end, end in places]))
    if numbers is None:
        return None
    return [block[start:end].decode("utf-8", form.ERRORS) for start, end, _ in places], numbers.reshape(
        len(places), dimension
    )


def _numbers(fields: bytes) -> Matrix | None:
    """Returns the numbers of fields that have a blank before each, or None where one is no number."""
    characters = np.frombuffer(fields, np.uint8)
    is_blank = characters == ord(" ")
    blanks = np.append(np.flatnonzero(is_blank), characters.size)  # (fields + 1,)
    starts = (blanks - np.arange(blanks.size)).astype(np.int32)  # of the fields without their blanks, and the end
    # Arrow parses each field for itself; np.fromstring would take "1\t2" and an empty field for two fields.
    strings = pa.StringArray.from_buffers(starts.size - 1, pa.py_buffer(starts), pa.py_buffer(characters[~is_blank]))
    try:
        return strings.cast(pa.float32()).to_numpy()
    except pa.ArrowInvalid:
        return None


def _parsed_by_line(path: str, first: int, block: bytes, dimension: int) -> Rows:
    """Returns the rows of whole lines in which any blanks and tabs part the numbers; slow."""
    keys, vectors = [], []
    for place, line in enumerate(block.split(b"\n")[:-1], start=first):
        fields = form.fields(line, dimension)
        if fields is None:
            raise Refusal(
                f"word2vec: line {place} of {path} ends in {form.numbers_at_end(line)} numbers; {dimension} are wanted."
            )
        keys.append(fields[0].decode("utf-8", form.ERRORS))
        vectors.append([float(field) for field in fields[1:]])
    with np.errstate(over="ignore"):  # 1e40 is infinite in float32
        return keys, np.array(vectors).astype(np.float32)
