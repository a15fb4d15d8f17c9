"""What a warm start took from its source, as a person is told and a run keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Report:
    """How the rows of a table and of its source have met.

    Args:
        table: The table's name.
        source: The path or object that it started from.
        tensor: The tensor's name there.
        by: "key" where rows were matched by what they stand for, "position" where nothing told it.
        rows: The rows of the table.
        matched: Those whose key the source has.
        new: Those whose key it has not.
        unseen: Of the new rows, those that start from the row that their key had there out of the vocabulary.
        dropped: The rows of the source that the table has no use for.
        on_missing_rows: What the new rows start from.
        of_row: `(rows,)`: whether a row's key was matched.
    """

    table: str
    source: str
    tensor: str
    by: str
    rows: int
    matched: int
    new: int
    unseen: int
    dropped: int
    on_missing_rows: str
    of_row: np.ndarray[Any, np.dtype[np.bool_]]

    @property
    def line(self) -> str:
        """The report as one line of text."""
        otherwise = "mean" if self.on_missing_rows == "mean" else "initializer"
        starts = {"out-of-vocabulary row": self.unseen, otherwise: self.new - self.unseen}
        told = [f"{count:,} from the {start}" for start, count in starts.items() if count]
        new = f"{self.new:,} new" + (f" ({', '.join(told)})" if told else "")
        return (
            f"warm start of '{self.table}' from '{self.tensor}' in {self.source}: {self.matched:,} of {self.rows:,} "
            f"rows matched by {self.by}, {new}, {self.dropped:,} dropped"
        )

    def share(self, counts: Any) -> float | None:
        """Returns the share of training rows whose key was matched; None where no keys were compared, or none is there.

        Args:
            counts: `(rows,)`: how often training examples hold each key.
        """
        total = int(np.sum(counts)) if self.by == "key" else 0
        return float(np.sum(counts[self.of_row]) / total) if total else None

    def to_dict(self) -> Mapping[str, Any]:
        """Returns the report as JSON can hold it."""
        names = ("source", "tensor", "by", "rows", "matched", "new", "unseen", "dropped", "on_missing_rows")
        return {name: getattr(self, name) for name in names}
