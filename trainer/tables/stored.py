"""A table as a folder holds it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from trainer.tables.described import titled
from trainer.tables.manifest import Entry
from trainer.tables.table import Array
from trainer.tables.texts import Texts


@dataclass(frozen=True, eq=False)
class StoredTable:
    """A table as a folder holds it.

    Args:
        entry: What the manifest says of it.
        values: `(rows, dimension)` floats.
        label_texts: What each row stands for, as one text.
        field_texts: What each row stands for, by raw feature key.
        counts: `(rows,)` whole numbers: the training examples that held each key; None where nobody counted.
        detail_texts: What more is known of the rows, by name.
        pictures: `(rows, height, width)` grey, or with 3 colours after that, uint8; None where there are none.
    """

    entry: Entry
    values: Array
    label_texts: Texts
    field_texts: Mapping[str, Texts]
    counts: Array | None
    detail_texts: Mapping[str, Texts] = field(default_factory=dict)
    pictures: Array | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return self.entry.name

    @property
    def title(self) -> str | None:
        """The name of the detail that a person knows a row by; None is the label."""
        return self.entry.title

    @property
    def rows(self) -> int:
        """The number of keys."""
        return self.entry.rows

    @property
    def dimension(self) -> int:
        """The floats of a row."""
        return self.entry.dimension

    @property
    def trained(self) -> Array:
        """Tells for each row whether training held its key; `(rows,)`, all true where nobody counted."""
        return np.ones(self.rows, bool) if self.counts is None else self.counts > 0

    @cached_property
    def labels(self) -> list[str]:
        """What each row stands for, as one string; a list that is made when it is asked for."""
        return [*self.label_texts]

    @cached_property
    def fields(self) -> dict[str, list[str]]:
        """What each row stands for, by raw feature key; lists that are made when they are asked for."""
        return {key: [*texts] for key, texts in self.field_texts.items()}

    @cached_property
    def details(self) -> dict[str, list[str]]:
        """What more is known of the rows, by name; lists that are made when they are asked for."""
        return {name: [*texts] for name, texts in self.detail_texts.items()}

    @property
    def title_texts(self) -> Texts:
        """What a person knows each row by: the title where there is one, and else the label."""
        if self.title is None:
            return self.label_texts
        titles = self.detail_texts[self.title]
        return titles.filled(titles.blank, self.label_texts)

    def labels_of(self, rows: Iterable[int]) -> list[str]:
        """Returns the labels of some rows.

        Raises:
            IndexError: One is not there.
        """
        return self.label_texts.of(rows)

    def fields_of(self, rows: Iterable[int]) -> dict[str, list[str]]:
        """Returns the fields of some rows.

        Raises:
            IndexError: One is not there.
        """
        rows = list(rows)
        return {key: texts.of(rows) for key, texts in self.field_texts.items()}

    def titles_of(self, rows: Iterable[int]) -> list[str]:
        """Returns what a person knows some rows by: the title where there is one, and else the label.

        Raises:
            IndexError: One is not there.
        """
        rows = list(rows)
        if self.title is None:
            return self.labels_of(rows)
        return titled(self.detail_texts[self.title].of(rows), rows, self.labels_of)
