"""What an analysis leaves: a vocabulary a column, a value a line, and a summary of all."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer import paths
from trainer.analysis.analysis import Found
from trainer.analysis.column import Column
from trainer.analysis.findings import Odd
from trainer.errors import Refusal
from trainer.inputs import bad_rows
from trainer.tables.folder import file_names
from trainer.vocabulary.tally import SKETCH

SUMMARY = "summary.json"

SHOWN = 20
"""Of the most frequent values, those that the summary has."""


@dataclass(frozen=True)
class Vocabulary:
    """Which of a column's values are kept.

    Args:
        top_k: The most; None keeps all.
        frequency_threshold: The fewest rows that a value must have.
        quantiles: The ranges into which quantiles cut numbers.
    """

    top_k: int | None = None
    frequency_threshold: int = 0
    quantiles: int = 10


def kept(column: Column, how: Vocabulary) -> Any:
    """Returns the values of a vocabulary file, an Arrow array of bytes or int64, in their order.

    A value with a line end in it, which a line cannot hold, is left out, and so is -1, which is a missing one.
    """
    enough = int(np.searchsorted(-column.counts, -max(how.frequency_threshold, 1), side="right"))
    values = column.values.slice(0, enough)
    if pa.types.is_binary(values.type):
        values = values.filter(pc.invert(pc.match_substring_regex(values, r"[\r\n]")))
    else:
        values = values.filter(pc.not_equal(values, -1))
    return values.slice(0, how.top_k)


def check(folder: str, overwrite: bool) -> None:
    """Refuses a folder that holds something else.

    Raises:
        Refusal: It does.
    """
    if paths.exists(folder) and not paths.is_folder(folder):
        raise Refusal(f"--out: {folder} is a file; give a folder.")
    names = [name for name in paths.names_in(folder) if not name.startswith(".")]
    if names and not overwrite:
        raise Refusal(f"--out: {folder} holds files already; add --overwrite to replace vocabularies, or give another.")
    if names and SUMMARY not in names:
        raise Refusal(f"--out: {folder} holds files and no {SUMMARY}; give a folder that this command has left.")
    _files_of(folder)


def write(folder: str, found: Found, how: Vocabulary) -> None:
    """Writes the vocabularies, the rows that could not be read and, last, the summary.

    Args:
        folder: Where to; made where it is not there. What an earlier summary there tells of is replaced.
        found: What was found in files.
        how: Which values are kept.

    Raises:
        Refusal: A summary is there that is none of this command.
    """
    paths.make_folder(folder)
    names = file_names([column.name for column in found.columns])
    columns, values = {}, {}
    for column, name in zip(found.columns, names, strict=True):
        file = f"{name}.txt" if column.has_vocabulary else None
        values[file] = kept(column, how)
        known = described(column, found.odd[column.name], how)
        columns[column.name] = {**known, "file": file, "file_values": len(values[file])}
    summary = {
        "files": list(found.files),
        "rows": found.rows,
        "bad_rows": len(found.bad_rows),
        "top_k": how.top_k,
        "frequency_threshold": how.frequency_threshold,
        "columns": columns,
    }
    before = _files_of(folder)
    # So that the next one knows what to replace, whatever happens to this one.
    _write_summary(folder, {**summary, "is_complete": False})
    for name in sorted((before - set(values)) & set(paths.names_in(folder))):
        paths.remove_file(paths.join(folder, name))
    for file, kept_values in values.items():
        if file is not None:
            with paths.written_whole(paths.join(folder, file)) as temporary, open(temporary, "wb") as out:
                out.write(_lines(kept_values))
    if found.bad_rows:
        bad_rows.write(paths.join(folder, bad_rows.FILE), found.bad_rows)
    _write_summary(folder, {**summary, "is_complete": True})


def _write_summary(folder: str, summary: dict[str, Any]) -> None:
    paths.write_text(paths.join(folder, SUMMARY), json.dumps(summary, indent=2, ensure_ascii=False) + "\n")


def described(column: Column, odd: Odd, how: Vocabulary) -> dict[str, Any]:
    """Returns what is known of a column, and what is odd in it, as JSON can hold it."""
    facts = column.facts
    frequent = [list(pair) for pair in zip(column.texts(SHOWN), column.counts.tolist(), strict=False)]
    numbers = bool(facts.whole + facts.fractions)
    return {
        "kind": column.kind,
        "is_bag": column.is_bag,
        "missing": column.missing,
        "missing_share": column.missing_share,
        "values": column.count,
        "different_values": column.different,
        "is_exact": column.is_exact,
        "sketch": None if not column.error else SKETCH,
        "counts_too_low_by_at_most": column.error,
        "most_frequent": frequent,
        "least": facts.least if numbers else None,
        "greatest": facts.greatest if numbers else None,
        "quantiles": facts.numbers.quantiles(how.quantiles) if numbers else [],
        "near_values": [dict(zip(group.values, group.counts, strict=True)) for group in odd.near],
        "notes": list(odd.notes),
    }


def _lines(values: Any) -> Any:
    """Returns values as the bytes of a file, one a line."""
    if not len(values):
        return b""
    texts = values if pa.types.is_binary(values.type) else values.cast(pa.string())
    nothing, end = (pa.scalar(text, pa.large_binary()) for text in (b"", b"\n"))
    ended = pc.binary_join_element_wise(texts.cast(pa.large_binary()), nothing, end)
    _, offsets, letters = ended.buffers()
    ends = np.frombuffer(offsets, np.int64)[ended.offset : ended.offset + len(ended) + 1]
    return letters.slice(int(ends[0]), int(ends[-1] - ends[0]))


def _files_of(folder: str) -> set[str]:
    """Returns the files that a summary in a folder tells of, and none where there is no summary.

    Raises:
        Refusal: It is no summary of this command.
    """
    path = paths.join(folder, SUMMARY)
    if not paths.exists(path):
        return set()
    try:
        before = json.loads(paths.read_text(path))["columns"]
        return {column["file"] for column in before.values() if column["file"]} | {bad_rows.FILE}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refusal(f"--out: {path} is no summary of this command; give another folder.") from None
