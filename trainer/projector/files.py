"""The files that the projector reads, in the forms that it reads rightly."""

from collections.abc import Sequence
from pathlib import Path

from trainer import paths
from trainer.formats import tsv
from trainer.tables import Table
from trainer.tables.table import Array

BLANK = "(blank)"
"""What stands for a label that cannot be seen; the page drops a line that is blank, and so shifts all after it."""

MOST_TEXT = 1_000_000
"""Numbers up to which a tensor is written as text, which can be read by eye and loaded into the page by hand."""


def tensor(folder: str, name: str, values: Array) -> str:
    """Writes `(rows, dimension)` float32 values, and returns the name of the file.

    TensorBoard takes a file for text until a line is no UTF-8. Bytes whose first line happens to be text end the
    page with an error, so those are written as text too, however many there are.
    """
    content = values.tobytes()
    if values.size > MOST_TEXT and _is_taken_for_bytes(content):
        file = f"{name}.bytes"
        with paths.written_whole(paths.join(folder, file)) as whole:
            Path(whole).write_bytes(content)
        return file
    file = f"{name}.tsv"
    line = "\t".join(["%.9g"] * values.shape[1]) + "\n"
    with paths.written_whole(paths.join(folder, file)) as whole, open(whole, "w", encoding="ascii") as text:
        text.writelines(line % tuple(row) for row in values.tolist())
    return file


def _is_taken_for_bytes(content: bytes) -> bool:
    start = len(content) - len(content.lstrip(b"\r\n"))
    end = content.find(b"\n", start)
    try:
        content[start : end if end >= 0 else None].decode()
    except UnicodeDecodeError:
        return True
    return False


def metadata(path: str, table: Table, rows: Sequence[int]) -> None:
    """Writes what some rows of a table stand for: the label, each key, and how often training held it.

    The page labels points by the first column that is not all numbers, and colours by columns of numbers, or of at
    most 50 different values.
    """
    columns = {"label": table.labels_of(rows)}
    for key, fields in table.fields_of(rows).items():
        columns[f"{key} (key)" if key in ("label", "count") else key] = fields
    if table.counts is not None:
        columns["count"] = [str(count) for count in table.counts[rows].tolist()]
    tsv.write(path, list(columns), ([_visible(field) for field in row] for row in zip(*columns.values(), strict=True)))


def _visible(field: str) -> str:
    # TensorBoard refuses a file that is no UTF-8, so half of a surrogate pair becomes a question mark.
    return field.encode("utf-8", "replace").decode() if field.strip() else BLANK


def pbtxt(name: str, shape: tuple[int, ...], tensor_file: str, metadata_file: str) -> str:
    """Returns one table's part of projector_config.pbtxt; the names hold nothing that would need quoting.

    Example:
        >>> print(pbtxt("day", (7, 3), "day.tsv", "day.metadata.tsv"), end="")
        embeddings {
          tensor_name: "day"
          tensor_shape: 7
          tensor_shape: 3
          tensor_path: "day.tsv"
          metadata_path: "day.metadata.tsv"
        }
    """
    lines = [
        f'tensor_name: "{name}"',
        *(f"tensor_shape: {size}" for size in shape),
        f'tensor_path: "{tensor_file}"',
        f'metadata_path: "{metadata_file}"',
    ]
    return "\n".join(["embeddings {", *(f"  {line}" for line in lines), "}", ""])
