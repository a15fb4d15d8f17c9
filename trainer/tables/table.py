"""A trained table as it leaves a model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trainer.errors import Refusal
from trainer.feature_column import EmbeddingColumn
from trainer.tables.described import titles_of

Array = np.ndarray[Any, np.dtype[Any]]

_DATA = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Table:
    """A named matrix, one row a key.

    Args:
        name: Its name in files, flags and the projector.
        values: `(rows, dimension)` floats; of a table that lies on several machines, a `ShardedValues`.
        column: What the rows stand for; without one they are known by their number.
        counts: `(rows,)` whole numbers: the training examples that held each key.
        details: What more is known of the rows, by name: `(rows,)` texts, as a film's title and genres.
        title: The name of the detail that a person knows a row by; None is the label.
        pictures: `(rows, height, width)` grey, or with 3 colours after that, uint8.
        out_of_vocabulary: Of "train", "validation" and "test", the share of examples that hold a value in no
            vocabulary, where that was counted.

    Raises:
        Refusal: The values are no matrix, what describes them has another number of rows, the title is no detail, or
            what is out of vocabulary is no share of such data.

    Example:
        >>> from trainer import feature_column as fc
        >>> day = fc.categorical_column_with_vocabulary_list("day", ["Mon", "Tue"])
        >>> table = Table("day", np.zeros((2, 4)), fc.embedding_column(day, 4))
        >>> table.labels, table.fields
        (['Mon', 'Tue'], {'day': ['Mon', 'Tue']})
    """

    name: str
    values: Array
    column: EmbeddingColumn | None = None
    counts: Array | None = None
    details: Mapping[str, Sequence[str]] = field(default_factory=dict)
    title: str | None = None
    pictures: Array | None = None
    out_of_vocabulary: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.values.ndim != 2:
            raise Refusal(f"table '{self.name}': a matrix of values is wanted, not an array of shape {self.shape}.")
        if self.column is not None and self.column.categorical_column.num_buckets != self.rows:
            ids = self.column.categorical_column.num_buckets
            raise Refusal(f"table '{self.name}': its column has {ids:,} ids, but its values have {self.rows:,} rows.")
        if self.counts is not None and self.counts.shape != (self.rows,):
            raise Refusal(
                f"table '{self.name}': one count a row is wanted, {self.rows:,}, not counts of shape "
                f"{self.counts.shape}."
            )
        self._check_described()
        for data, share in self.out_of_vocabulary.items():
            if data not in _DATA or not 0 <= share <= 1:
                raise Refusal(
                    f"table '{self.name}': out_of_vocabulary has a share from 0 to 1 of {', '.join(_DATA)}, not "
                    f"{share!r} of {data!r}."
                )

    def _check_described(self) -> None:
        for name, texts in self.details.items():
            if not isinstance(texts, (list, tuple)) or not all(isinstance(text, str) for text in texts):
                raise Refusal(f"table '{self.name}': detail '{name}' is a list of texts, one a row, and nothing else.")
            if len(texts) != self.rows:
                raise Refusal(f"table '{self.name}': detail '{name}' has {len(texts):,} texts for {self.rows:,} rows.")
        if self.title is not None and self.title not in self.details:
            raise Refusal(f"table '{self.name}': title is the name of a detail, not '{self.title}'.")
        if self.pictures is not None:
            shape, dtype = self.pictures.shape, self.pictures.dtype
            if shape[:1] != (self.rows,) or not (len(shape) == 3 or shape[3:] == (3,)) or dtype != np.uint8:
                raise Refusal(
                    f"table '{self.name}': a picture a row is wanted, ({self.rows:,}, height, width) or with 3 colours "
                    f"after that, uint8, not {shape}, {dtype}."
                )

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and dimension."""
        return tuple(self.values.shape)

    @property
    def rows(self) -> int:
        """The number of keys."""
        return int(self.values.shape[0])

    @property
    def dimension(self) -> int:
        """The floats of a row."""
        return int(self.values.shape[1])

    @property
    def trained(self) -> Array:
        """Tells for each row whether training held its key; `(rows,)`, all true where nobody counted."""
        return np.ones(self.rows, bool) if self.counts is None else self.counts > 0

    @property
    def labels(self) -> list[str]:
        """What each row stands for, as one string."""
        return self.labels_of(range(self.rows))

    @property
    def fields(self) -> dict[str, list[str]]:
        """What each row stands for, by raw feature key; without a column, the row's number."""
        return self.fields_of(range(self.rows))

    def labels_of(self, rows: Iterable[int]) -> list[str]:
        """Returns the labels of some rows."""
        if self.column is None:
            return [str(row) for row in rows]
        return self.column.categorical_column.labels_of([*rows])

    def fields_of(self, rows: Iterable[int]) -> dict[str, list[str]]:
        """Returns the fields of some rows."""
        if self.column is None:
            return {"row": [str(row) for row in rows]}
        return self.column.categorical_column.fields_of([*rows])

    def titles_of(self, rows: Iterable[int]) -> list[str]:
        """Returns what a person knows some rows by: the title where there is one, and else the label."""
        return titles_of(self, rows)
