"""A source's tensor found, its rows matched with a table's, and its values read."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from trainer import paths
from trainer.errors import Refusal, refusing
from trainer.feature_column.starting import ON_MISSING_ROWS, Held
from trainer.tables.pieces import SERVER_BYTES
from trainer.warm_start import places
from trainer.warm_start.choice import chosen
from trainer.warm_start.keys import Keys, Opaque, listed
from trainer.warm_start.matching import UNSEEN, Matches, in_place, matches
from trainer.warm_start.report import Report
from trainer.warm_start.source import FLOATS, Source, Tensor
from trainer.warm_start.start import BLOCK, Rows, Start, as_tensor, started

_OR_NOT = "or leave the warm start out"


@dataclass(frozen=True, eq=False)
class Carrying:
    """What is to be carried to a table, and how.

    Args:
        table: The table's name.
        source: A path, a pattern, or an object that holds vectors.
        tensor: The tensor's name there; None finds it by the table's name or its shape.
        rows: Of the table.
        dimension: Of the table.
        keys: What the table's rows stand for; None where nobody says it.
        old_vocabulary: What the source's rows stand for, a list or the path of a file with one a line; where it has
            more rows than that, the last are out of the vocabulary.
        on_missing_rows: What a row starts from whose key the source has not: "initializer", "mean" of the source's
            rows, or "out_of_vocabulary", the row that its key had there.
    """

    table: str
    source: Any
    tensor: str | None
    rows: int
    dimension: int
    keys: Keys | None
    old_vocabulary: Sequence[str] | str | None = None
    on_missing_rows: str = ON_MISSING_ROWS[0]

    @property
    def who(self) -> str:
        """What a refusal begins with."""
        return f"warm start of '{self.table}'"

    def check(self) -> None:
        """Refuses what cannot be carried over, as far as the source says it without its values.

        Raises:
            Refusal: Nothing in the source fits the table.
        """
        with refusing(self.who):
            source, tensor = self._found()
            there = self._keys_there(tensor)
            if there is None or self.keys is None or isinstance(there, Opaque) or isinstance(self.keys, Opaque):
                self._matches(source, tensor, there)

    def load(self) -> Start:
        """Returns the values that the table starts from.

        Raises:
            Refusal: As `check`, and where no key is on both sides or the source's files are damaged.
        """
        with refusing(self.who), ThreadPoolExecutor(1) as pool:
            source, tensor = self._found()
            there = self._keys_there(tensor)
            values = None if tensor.rows else pool.submit(as_tensor, tensor.read, self.rows)  # while keys are compared
            found, by_key = self._matches(source, tensor, there)
            pa.default_memory_pool().release_unused()
            report = self._report(source, tensor, found, "key" if by_key else "position")
            if tensor.rows and found.keep_places(tensor.shape[0]):
                block = max(BLOCK, SERVER_BYTES // (4 * self.dimension))
                return Start(Rows(tensor.rows, self.rows, block), (), found.new, report)
            values = values or pool.submit(as_tensor, tensor.read, self.rows)
            return started(values, found, self.on_missing_rows, report)

    def _found(self) -> tuple[Source, Tensor]:
        source = places.opened(self.source, self.who)
        wanted = f"a table of {self.rows:,} by {self.dimension}"
        tensor = chosen(source, self.tensor, self.table, self._fits(), wanted)
        if tensor.shape[1] != self.dimension:
            raise Refusal(
                f"'{tensor.name}' in {source.place} is {_by(tensor.shape)}, and the table is {self.rows:,} by "
                f"{self.dimension}; give the table a dimension of {tensor.shape[1]}, {_OR_NOT}"
            )
        if tensor.dtype not in FLOATS:
            raise Refusal(
                f"'{tensor.name}' in {source.place} holds {tensor.dtype}, and floats are wanted; give another"
            )
        return source, tensor

    def _fits(self) -> list[Callable[[Tensor], bool]]:
        """Returns what tells whether a tensor fits by its shape: the first that finds one decides."""

        def fit(rows: Callable[[Tensor], bool]) -> Callable[[Tensor], bool]:
            return lambda tensor: tensor.shape[1] == self.dimension and rows(tensor)

        if self.old_vocabulary is None:
            return [fit(lambda tensor: tensor.shape[0] == self.rows or tensor.keys() is not None)]
        words = len(vocabulary_texts(self.old_vocabulary))
        return [fit(lambda tensor: tensor.shape[0] == words), fit(lambda tensor: tensor.shape[0] > words)]

    def _keys_there(self, tensor: Tensor) -> Keys | None:
        own = tensor.keys()
        if self.old_vocabulary is None:
            return own
        if own is not None:
            raise Refusal(f"'{tensor.name}' says itself what its rows stand for; leave old_vocabulary out")
        texts = vocabulary_texts(self.old_vocabulary)
        if len(texts) > tensor.shape[0]:
            raise Refusal(
                f"old_vocabulary has {len(texts):,} values, and '{tensor.name}' has {tensor.shape[0]:,} rows; give the "
                "vocabulary that it was trained with"
            )
        return listed(texts, tensor.shape[0])

    def _matches(self, source: Source, tensor: Tensor, there: Keys | None) -> tuple[Matches, bool]:
        """Returns which rows are taken, and whether by key."""
        stored = f"'{tensor.name}' in {source.place}"
        if there is None or self.keys is None:
            if tensor.shape[0] != self.rows:
                raise Refusal(
                    f"{stored} is {_by(tensor.shape)}, the table is {self.rows:,} by {self.dimension}, and nothing "
                    f"says what the rows {'there' if there is None else 'here'} stand for; give "
                    f"{'old_vocabulary=, a list or file' if there is None else 'vocabulary='}, {_OR_NOT}"
                )
            return in_place(self.rows), False
        if self.on_missing_rows == UNSEEN and not getattr(there, "unseen", 0) and not _parts_unseen(there):
            raise Refusal(
                f"{stored} has no rows of values out of its vocabulary, so no row can start from one; give "
                "on_missing_rows='initializer' or 'mean'"
            )
        try:
            return matches(there, self.keys, self.on_missing_rows), True
        except Refusal as refusal:
            raise Refusal(
                f"the rows of {stored} stand for other values than the table's: {refusal}; declare the column as it "
                f"was there, {_OR_NOT}"
            ) from None

    def _report(self, source: Source, tensor: Tensor, found: Matches, by: str) -> Report:
        used = np.zeros(tensor.shape[0], bool)
        used[found.taken] = True
        return Report(
            table=self.table,
            source=source.place if isinstance(self.source, Held) else paths.absolute(source.place),
            tensor=tensor.name,
            by=by,
            rows=self.rows,
            matched=int(found.matched.sum()),
            new=int((~found.matched).sum()),
            unseen=int((~found.matched & (found.ids >= 0)).sum()),
            dropped=int((~used).sum()),
            on_missing_rows=self.on_missing_rows,
            of_row=found.matched,
        )


def _by(shape: Sequence[int]) -> str:
    return " by ".join(f"{size:,}" for size in shape)


def _parts_unseen(keys: Keys) -> bool:
    return any(part.unseen for part in getattr(keys, "parts", ()))


def vocabulary_texts(vocabulary: Sequence[str] | str, name: str = "old_vocabulary") -> Sequence[str]:
    """Returns the values of a vocabulary, a list or the path of a file with one a line.

    Args:
        vocabulary: Either.
        name: What a refusal begins with.

    Raises:
        Refusal: There is no such file, or it is no text.
    """
    if not isinstance(vocabulary, str):
        return [str(value) for value in vocabulary]
    if paths.is_folder(vocabulary):
        raise Refusal(f"{name}: {vocabulary} is a folder; give a file with a value a line")
    try:
        *lines, last = paths.read_bytes(vocabulary).decode("utf-8-sig").split("\n")
    except OSError:
        raise Refusal(f"{name}: there is no file {vocabulary}; give one with a value a line") from None
    except UnicodeDecodeError:
        raise Refusal(f"{name}: {vocabulary} is no UTF-8; save it as that, with a value a line") from None
    if all(line.endswith("\r") for line in lines):  # as Windows ends lines
        lines = [line[:-1] for line in lines]
    return [*lines, last] if last else lines
