"""What a person says of the rows of a table: labels alone, or columns by name, in memory or in a file."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer import paths
from trainer.errors import Refusal
from trainer.formats import tsv
from trainer.tables.table import Array

_LABEL, _COUNT = "label", "count"


@dataclass(frozen=True, eq=False)
class Labels:
    """What is said of the rows of a table; the words are those of `Table`."""

    details: Mapping[str, list[str]]
    counts: Array | None = None

    @property
    def title(self) -> str | None:
        """The first column, which is the label."""
        return next(iter(self.details), None)


def given(labels: Any, rows: int, who: str) -> Labels:
    """Returns what a person gives as the labels of a table.

    Args:
        labels: One a row in their order, as a list, an array, a tensor or a pandas Series; or columns by name, as a
            mapping or a pandas DataFrame, the first the label, one called "count" how often training held a row.
        rows: Of the table.
        who: What a refusal begins with.

    Raises:
        Refusal: They are something else, or not one a row.
    """
    if hasattr(labels, "columns") and hasattr(labels, "to_dict"):  # a DataFrame
        labels = {str(name): labels[name] for name in labels.columns}
    columns = labels if isinstance(labels, Mapping) else {_LABEL: labels}
    listed = {str(name): _listed(values, str(name), rows, who) for name, values in columns.items()}
    counts = _counts(listed.pop(_COUNT), who) if _COUNT in listed and len(listed) > 1 else None
    return Labels({name: list(map(_text, values)) for name, values in listed.items()}, counts)


def _listed(values: Any, name: str, rows: int, who: str) -> list[Any]:
    if not isinstance(values, (list, tuple)):
        array = values.numpy() if hasattr(values, "numpy") else values
        if not hasattr(array, "__array__"):
            ending = "; of an index by word, sorted(index, key=index.get) is one" if isinstance(values, int) else ""
            raise Refusal(f"{who}: {name} is wanted as a list of one a row, not {type(values).__name__}{ending}.")
        array = np.asarray(array)
        if array.ndim != 1:
            raise Refusal(f"{who}: {name} is wanted as one a row, not of shape {array.shape}.")
        values = array.tolist()
    if len(values) != rows:
        raise Refusal(f"{who}: there are {rows:,} rows, so {name} is wanted as often, not {len(values):,} times.")
    return list(values)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _counts(values: Iterable[Any], who: str) -> Array:
    try:
        numbers = np.array([float(value) for value in values])
    except (ValueError, TypeError):
        numbers = np.array([0.5])
    if (numbers != np.floor(numbers)).any() or (numbers < 0).any():
        raise Refusal(f"{who}: count is wanted as whole numbers; call a column of others by another name.")
    return numbers.astype(np.int64)


def read(path: str, rows: int, who: str) -> Labels:
    """Returns the labels that a file says: of a .tsv file its columns by its header, of others its lines.

    Raises:
        Refusal: The file cannot be read, or has not one label a row.
    """
    path = path if paths.is_remote(path) else os.path.expanduser(path)
    try:
        columns = _columns(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).removesuffix(".")
        raise Refusal(f"{who}: {path} cannot be read ({reason}); give a text file of a label a line.") from None
    return given(columns, rows, f"{who}: {path}")


def _columns(path: str) -> Mapping[str, list[str]]:
    if not path.endswith(".tsv"):
        lines = paths.read_bytes(path).decode("utf-8-sig").replace("\r\n", "\n").split("\n")
        return {_LABEL: lines if lines[-1] else lines[:-1]}
    header, rows = tsv.read(path)
    if len(set(header)) < len(header):
        raise ValueError("two columns have one name")
    return {name: [row[place] for row in rows] for place, name in enumerate(header)}
